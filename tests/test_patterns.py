"""Patterns: one scan of many joined messages finds what Python's ``re`` finds in each, and nothing across two."""

import random
import re
import sys
import unicodedata
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import hyperscan
import numpy as np
import pytest

from comity.core.event import Event
from comity.features.columns import Batch, batch
from comity.features.joined_form import RANGES
from comity.features.patterns import PatternSet
from comity.features.pieces import Piece
from comity.features.times import Calendar
from slow_rules import seen

Found = list[tuple[int, int]]
UTC = Calendar(ZoneInfo("UTC"))
CHARACTERS = [
    *"abABxskIi1-_][$^.? \n\t", "é", "É", "я", "Я", "ß", "ẞ", "ſ", "ß", "µ", "μ", "\u212a", "İ", "ı", "²", "٣", "ა",
    "Ა", "ᲂ", "о", "\x1c", "\x0b", "\x85", "\u2028", "\x00", "\ud800", "\U0001f375", "e\u0301", "\ufb05", "\ufb06",
    "Ꭰ", "ꭰ",
]  # fmt: skip
ATOMS = [
    "a", "b", "é", "x", ".", r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", r"\b", r"\B", "^", "$", r"\A", r"\Z", "[ab]",
    "[^a]", "[^é]", "[a-z]", "[]a]", "[^]a]", "[b[]", r"[\W_]", r"[^\w]", r"[^\W_]", r"[^\S]", "[^ſ]", "[а-я]", "я",
    "о", "İ", "k", "s", "i", "ß", "µ", "(?=a)", "(?!a)", "(?<=a)", "(?<!b)", r"\n", r"\u00e9", "[-a]", "[a-]",
    "[^-a]", r"\.", r"\x41", r"\v", r"\0", r"\101", r"\N{DEGREE SIGN}", "(?:^|a)", "(?:b|$)", "ﬅ", "Ა",
]  # fmt: skip
TIMES = ["", "", "", "", "*", "+", "?", "{,2}", "{1,2}", "*?", "++", "*+", "{1,2}+"]


def said(strings: Sequence[str]) -> Batch:
    """A batch of messages."""
    time = "2026-05-01T12:00:00Z"
    return batch([Piece([Event(str(i), time, "message", "c", "r", "m", text=t) for i, t in enumerate(strings)])], UTC)[
        0
    ]


def some_pattern(draw: random.Random, depth: int = 0) -> str:
    """A pattern of a few parts."""
    out = ""
    for _ in range(draw.randrange(1, 5)):
        if depth < 2 and draw.random() < 0.25:
            inner = some_pattern(draw, depth + 1)
            close = draw.choice([")", ")", f"|{some_pattern(draw, depth + 1)})"])
            part = draw.choice(["(", "(?:", "(?i:", "(?>", "(?m:", "(?s:"]) + inner + close
        else:
            part = draw.choice(ATOMS)
        out += part + draw.choice(TIMES)
    return out + (f"|{some_pattern(draw, 1)}" if depth == 0 and draw.random() < 0.1 else "")


@pytest.mark.parametrize("seed", range(20))
def test_the_scan_finds_what_re_finds(seed: int) -> None:
    """Over random patterns and random messages, many of them odd, the one scan equals ``re.search`` on each message."""
    draw, patterns, wanted = random.Random(seed), PatternSet(), list[tuple[str, bool]]()
    while len(wanted) < 15:
        pattern, ignore_case = some_pattern(draw), draw.random() < 0.7
        try:
            number = patterns.add(pattern, ignore_case=ignore_case)
        except ValueError:
            continue
        if number == len(wanted):
            wanted.append((pattern, ignore_case))
    short = ["".join(draw.choices(CHARACTERS, k=draw.randrange(8))) for _ in range(80)]
    plain = ["".join(draw.choices(CHARACTERS[:14], k=draw.randrange(8))) for _ in range(40)]

    agree(patterns, wanted, [*short, *plain])
    agree(patterns, wanted, plain)


def agree(patterns: PatternSet, wanted: Sequence[tuple[str, bool]], strings: Sequence[str]) -> None:
    """The scan of these messages equals a search of each."""
    messages = said(strings)
    for number, (pattern, ignore_case) in enumerate(wanted):
        search = re.compile(pattern, re.IGNORECASE if ignore_case else 0).search
        expected = [i for i, s in enumerate(strings) if search(seen(s))]
        assert expected == patterns.rows(messages, number).tolist(), (pattern, ignore_case)


AWKWARD = [
    r"^tea", r"tea$", r"\Atea\Z", r"^^tea", r"tea$$", r"tea$\n", r"(?:^|\s)a", r"a(?:$|\s)", r"(?m)^a$", r"\btea\b",
    r"\Btea", r"(?<=m)tea", r"(?<!m)tea", r"(?=tea)t", r"t(?!ea)", r"(t)e\1", r"(?P<t>e)(?P=t)", r"(x)?(?(1)a|b)",
    r"[]t]e", r"[^]t]e", r"[t[]e", r"[\]]e", r"[-t]e", r"[t-]e", r"[a[:digit:]]", r"t{,2}e", r"t{2}e", r"t.a",
    r"(?s)t.a", r"t\na", r"\u00e9", r"\xe9", r"\N{LATIN SMALL LETTER E WITH ACUTE}", r"\101", r"\0", r"t\ve",
    r"t++e", r"(?>t|te)a", r"(?i:TEA)", r"(?x) t e a # $ [", r"(?#[)tea$", r"straße", r"STRASSE", r"ёлка",
    r"(?a:\w)é", r"\S+\.example", r"^\W+$", r"[^\W\d_]{3}", r"a|b$", r"(a|^b)c", r"(?:(?:^a)|b)+c", r"\bя\b",
    r"²\b", r"\d+", r"\s\s", r"tea\b.*milk", r"💬", r"[💬-🍵]", r"a{1000}",
]  # fmt: skip
TALK = [
    "tea", "mtea", "tea\n", "tea\n\n", "\ntea", "tea\0", "milk", "tea with milk", "TEA", "a", "b", "ab", "bc",
    "bbc", "ac", "", "]e", "[e", "t]e", "te", "tte", "-e", "t\na", "t a", "tet", "ee", "xa", "é", "É", "A",
    "straße", "STRASSE", "ёлка", "ЁЛКА", "я", "мя", "²", "٣", "\x1c\x1c", "  ", "\u2028 ", "🍵", "💬", "a" * 1100,
    "a" * 50 + "b", "a1]", "::]", "t\x0be", "_", "°", "x.example",
]  # fmt: skip


@pytest.mark.parametrize("ignore_case", [True, False])
def test_awkward_patterns_mean_what_they_mean_in_python(*, ignore_case: bool) -> None:
    """Anchors, look-arounds, references, odd classes and escapes find what ``re`` finds, all in one scan."""
    patterns, wanted = PatternSet(), list[tuple[str, bool]]()
    for pattern in AWKWARD:
        try:
            patterns.add(pattern, ignore_case=ignore_case)
        except ValueError:
            continue
        wanted.append((pattern, ignore_case))

    assert len(wanted) > len(AWKWARD) - 4
    agree(patterns, wanted, TALK)
    agree(patterns, wanted, TALK[::-1])
    for text in TALK:
        agree(patterns, wanted, [text])


def test_no_match_runs_from_one_message_into_the_next() -> None:
    """What only two messages together would say is not found in either."""
    patterns = PatternSet()
    for pattern in (r"tea\s*milk", r"tea.*milk", r"tea[^x]milk", r"tea\Wmilk", r"tea\x00milk", r"(?s)tea.milk"):
        patterns.add(pattern, ignore_case=True)
    messages = said(["tea", "milk", "tea", "", "milk"])

    assert [[]] * 6 == [patterns.rows(messages, n).tolist() for n in range(6)]
    assert [1] == patterns.rows(said(["tea", "tea milk", "milk"]), 0).tolist()


def test_what_only_re_can_say_is_named() -> None:
    """A pattern beyond the scan is found all the same, and named as slow; others are not."""
    patterns = PatternSet()
    slow, fast = r"(?=.*tea)(?=.*milk)", r"(?<=green )tea"
    for pattern in (slow, fast):
        patterns.add(pattern, ignore_case=False)
    messages = said(["milk and tea", "green tea", "tea"])

    assert [[0], [1]] == [patterns.rows(messages, n).tolist() for n in (0, 1)]
    assert [slow] == patterns.slow


@pytest.mark.parametrize("pattern", ["(", "[a", "a**", r"\p{L}", "(?<=a*)b", "", "a*", "x|", "^", "\b", "[[:alpha:]]"])
def test_what_is_no_pattern_or_matches_everything_is_refused(pattern: str) -> None:
    """A mistake in a pattern, or one that an empty message matches, is an error that names it."""
    with pytest.raises(ValueError, match="pattern"):
        PatternSet().add(pattern, ignore_case=True)


def test_each_letter_whose_other_case_is_in_doubt_is_known() -> None:
    """Where Python pairs two letters in different case and Hyperscan does not, one of them goes to ``re``."""
    letters = [chr(c) for c in range(128, sys.maxunicode + 1) if unicodedata.category(chr(c))[0] == "L"]
    cased = [*"kKsSiI", *(c for c in letters if c.lower() != c or c.upper() != c)]
    joined = "\0".join(cased)
    ends = np.cumsum([1 + len(c.encode()) for c in cased]) - 1
    pairs = set[tuple[str, str]]()
    for start in range(0, len(cased), 700):
        part = cased[start : start + 700]
        database = hyperscan.Database()
        flags = int(hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_CASELESS)
        forms = [f"\\x{{{ord(c):x}}}".encode() for c in part]
        database.compile(expressions=forms, ids=list(range(len(part))), elements=len(part), flags=[flags] * len(part))
        found = Found()

        def match(i: int, _start: int, end: int, _flags: int, _context: object, found: Found = found) -> None:
            found.append((i, end))

        database.scan(joined.encode(), match_event_handler=match)
        pairs |= {(part[i], cased[int(np.searchsorted(ends, end))]) for i, end in found}
    in_doubt = {chr(c) for first, last in RANGES for c in range(first, last + 1)}

    for c in cased:
        for other in re.findall(re.escape(c), joined, re.IGNORECASE):
            assert (c, other) in pairs or {c, other} & in_doubt, (c, other)
