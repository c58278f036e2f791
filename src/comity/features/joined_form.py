"""Patterns as Hyperscan looks for them in joined messages: never less than what Python's ``re`` finds, sometimes more.

Hyperscan reads Perl's syntax and the Unicode of 2012. Where Python means something else, the pattern is rewritten: any
character beyond ASCII may be a letter, digit or space, and an edge of a word is anywhere. Where no rewriting is sure,
the pattern is left to ``re``; so is a message with a letter whose other case the two do not agree on. The scan names
candidates, and misses none.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

# Letters that Hyperscan 5.4 and Python pair with others in another case differently, and where a later Unicode may add
# such pairs; code points in hexadecimal.
_UNLIKE: Final = (
    "130-131 13f8-13fd 1c80-1cbf 1fd3-1fe3 2c2f 2c5f a64a-a64b a7ab-a7f6 ab53-abbf fb06 10400-1d3ff 1d800-1efff"
)
RANGES: Final = tuple(
    (int(first, 16), int(last or first, 16)) for first, _, last in (span.partition("-") for span in _UNLIKE.split())
)
UNLIKE: Final = "[" + "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in RANGES) + "]"
_SPLIT = re.compile(
    r"(?P<escape>\\(?:N\{[^}]*\}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|0[0-7]{0,2}|[0-3][0-7]{2}|[0-9]+|.))"
    r"|(?P<open>\((?:\?(?:P<\w+>|P=\w+|<?[=!]|\(\w+\)|>|[a-zA-Z-]*:?))?)"
    r"|(?P<close>\))|(?P<alternative>\|)|(?P<start>\^)|(?P<end>\$)|(?P<any>\.)|(?P<some>\{,[0-9]*\})|(?P<other>.)",
    re.DOTALL,
)
_CLASS_PART = re.compile(_SPLIT.pattern.split("|(?P<open>", maxsplit=1)[0] + "|(?P<other>.)", re.DOTALL)
_UNSURE = re.compile(r"\(\?(?:#|[a-zA-Z-]*[xaL])")  # comments, and flags that change what the rest means
_BEYOND = r"\x{80}-\x{10ffff}"
# The sets of ``re`` in ASCII, without the NUL that parts messages.
_SETS = {
    r"\w": r"0-9A-Z_a-z",
    r"\W": r"\x01-\x2f:-@\[-\^`{-\x7f",
    r"\d": r"0-9",
    r"\D": r"\x01-\x2f:-\x7f",
    r"\s": r"\t-\r\x1c-\x20",
    r"\S": r"\x01-\x08\x0e-\x1b!-\x7f",
}


# What looks around, refers, sets flags, holds on to what it took, or names a character by its number; and a range to or
# from beyond ASCII, within which there may be a letter that has one of ASCII as its other case.
_MORE_THAN_PLAIN = re.compile(r"\(\?(?!:)|\\[0-9xuUN]|\x00|[*+?}]\+|[^\x00-\x7f]-|-[^\x00-\x7f]")
_ROOMLESS = re.compile(r"\(\?<?[=!]")  # what looks around takes no room; Hyperscan cannot, so it is left out
_NOTHING = "(?:)"


class _Part(NamedTuple):
    """kind: a group of ``_SPLIT``; text: as Hyperscan is to read it; python: as it stood."""

    kind: str
    text: str
    python: str


class _UnsureError(Exception):
    """No rewriting is sure to find all that the pattern finds."""


def exact_in_ascii(regex: re.Pattern[str]) -> bool:
    """Whether the form for ASCII finds in a message of ASCII just what ``re`` finds, and not more.

    Not where the pattern has anchors, looks around, refers to a group, sets flags within or names a NUL, and not where
    a letter beyond ASCII has one within it as its other case.
    """
    if _MORE_THAN_PLAIN.search(regex.pattern) or _UNSURE.search(regex.pattern):
        return False
    beyond = [c for c in regex.pattern if not c.isascii()]
    if any(form.isascii() for c in beyond for form in (c.lower(), c.upper(), c.casefold())):
        return False
    try:
        return not any(p.kind in {"start", "end"} for p in _parts(regex.pattern, caseless=False))
    except _UnsureError:
        return False


def joined_form(regex: re.Pattern[str], *, ascii_only: bool = False) -> str | None:
    """The pattern as it is looked for in messages joined by NUL, or None if only ``re`` can be relied on.

    It finds all that ``regex.search`` finds in each message that has no character of ``UNLIKE``. Anchors also hold at
    a NUL where they stand first or last, and are left out elsewhere; nothing else runs over a NUL unless it has to.
    ascii_only: for messages of ASCII alone, where the edges of words are the same to both.
    """
    if _UNSURE.search(regex.pattern):
        return None
    several_lines = bool(regex.flags & re.MULTILINE) or re.search(r"\(\?[a-zA-Z-]*m", regex.pattern) is not None
    all_characters = bool(regex.flags & re.DOTALL) or re.search(r"\(\?[a-zA-Z-]*s", regex.pattern) is not None
    caseless = bool(regex.flags & re.IGNORECASE) or re.search(r"\(\?[a-zA-Z-]*i", regex.pattern) is not None
    try:
        parts = list(_without_looking_around(_parts(regex.pattern, caseless=caseless, ascii_only=ascii_only)))
    except _UnsureError:
        return None
    if _may_be_empty(parts):
        return None
    first = _at_the_edge(parts, "open", "close")
    last = _at_the_edge(parts[::-1], "close", "open")[::-1]
    out = []
    for part, is_first, is_last in zip(parts, first, last, strict=True):
        if part.kind == "any":
            out.append(r"[^\x00]" if all_characters else r"[^\n\x00]")
        elif part.kind == "start":
            out.append(r"(?:^|\x00)" if is_first and not several_lines else _NOTHING)
        elif part.kind == "end":
            out.append(r"(?:\n?\x00|$)" if is_last and not several_lines else _NOTHING)
        elif part.kind == "edge" and ascii_only:
            out.append(part.python)
        else:
            out.append(part.text)
    return "".join(out)


def _without_looking_around(parts: Iterator[_Part]) -> Iterator[_Part]:
    depth = 0
    for part in parts:
        if depth:
            depth += (part.kind == "open") - (part.kind == "close")
        elif _ROOMLESS.fullmatch(part.python):
            depth = 1
            yield _Part("other", _NOTHING, _NOTHING)
        else:
            yield part


def _may_be_empty(parts: Sequence[_Part]) -> bool:
    """Whether a match may take no room once anchors and edges of words are left out: such a scan names every place."""
    bare = "".join(_NOTHING if p.kind in {"start", "end", "edge"} else p.python for p in parts)
    try:
        return re.compile(bare).search("") is not None
    except re.error:  # a reference to a group that was left out
        return True


def _parts(pattern: str, *, caseless: bool, ascii_only: bool = False) -> Iterator[_Part]:
    at = 0
    while at < len(pattern):
        if pattern[at] == "[":
            text, end = _class(pattern, at, caseless=caseless, ascii_only=ascii_only)
            yield _Part("other", text, pattern[at:end])
            at = end
            continue
        found = _SPLIT.match(pattern, at)
        if found is None:
            raise _UnsureError
        at, kind, text = found.end(), found.lastgroup or "", found[0]
        python = text
        if kind == "some":
            kind, text = "other", "{0" + text[1:]
        elif kind == "escape" and text in _SETS:
            kind, text = "other", f"[{_SETS[text]}]" if ascii_only else f"[{_SETS[text]}{_BEYOND}]"
        elif kind == "escape":
            kind = {r"\A": "start", r"\Z": "end", r"\b": "edge", r"\B": "edge"}.get(text, "other")
            text = _NOTHING if kind == "edge" else _escape(text, caseless=caseless)
        elif kind == "other":
            text = _literal(text, caseless=caseless)
        yield _Part(kind, text, python)


def _class(pattern: str, at: int, *, caseless: bool, ascii_only: bool) -> tuple[str, int]:
    """A class of characters in brackets, and where it ends. Perl knows names in brackets there; Python does not."""
    at += 1
    denied = pattern[at : at + 1] == "^"
    at += denied
    first, out, foreign = at, list[str](), False
    while at < len(pattern) and (pattern[at] != "]" or at == first):
        found = _CLASS_PART.match(pattern, at)
        if found is None:
            raise _UnsureError
        text, at = found[0], found.end()
        if text in _SETS:
            # Beyond ASCII, any character may be in the set, and none is denied for sure.
            out.append(_SETS[text] if ascii_only or denied else _SETS[text] + _BEYOND)
            continue
        form = _escape(text, caseless=caseless) if found.lastgroup == "escape" else _literal(text, caseless=caseless)
        foreign |= not form.isascii() or form.startswith(r"\x")
        out.append("\\" + form if form in {"[", "]"} else form)
    if denied and foreign and caseless:
        raise _UnsureError  # Hyperscan may deny a third form of a letter that Python does not
    for edge in (0, -1):
        if out[edge] == "-":
            out[edge] = r"\-"
    return "[" + r"^\x00" * denied + "".join(out) + "]", at + 1


def _escape(text: str, *, caseless: bool) -> str:
    letter, rest = text[1], text[2:]
    if letter == "N":
        return _literal(unicodedata.lookup(rest[1:-1]), caseless=caseless, coded=True)
    if letter in "uU":
        return _literal(chr(int(rest, 16)), caseless=caseless, coded=True)
    if letter == "0" or (len(text) == 4 and text[1:].isdigit()):  # noqa: PLR2004  three octal digits are a character
        return f"\\x{int(text[1:], 8):02x}" if int(text[1:], 8) < 256 else f"\\x{{{int(text[1:], 8):x}}}"  # noqa: PLR2004
    if letter == "v":
        return r"\x0b"  # to Perl, any vertical space
    return text if letter.isascii() else _literal(letter, caseless=caseless)


def _literal(text: str, *, caseless: bool, coded: bool = False) -> str:
    code = ord(text)
    if 0xD800 <= code < 0xE000 or (caseless and any(first <= code <= last for first, last in RANGES)):  # noqa: PLR2004
        raise _UnsureError
    return f"\\x{{{code:x}}}" if coded else text


def _at_the_edge(parts: Sequence[_Part], opens: str, closes: str) -> list[bool]:
    """For each part, whether nothing stands before it on any way through the pattern, not even what takes no room."""
    edge, begins = True, [True]
    out = []
    for part in parts:
        out.append(edge)
        if part.kind == opens:
            begins.append(edge)
        elif part.kind == closes:
            begins.pop()
            edge = False
        elif part.kind == "alternative":
            edge = begins[-1]
        else:
            edge = False
    return out
