"""All patterns of a charter in one scan of the batch's text (Hyperscan), each match made sure of by Python's ``re``.

Hyperscan looks at all messages of a batch joined by NUL, so a match may seem to run from one message into the next;
what it names are candidates, and the exact meaning is that of ``re.search`` on the message alone.
"""

import re
import warnings
from collections.abc import Sequence

import hyperscan
import numpy as np

from comity.features.columns import Batch, Ints

_FLAGS = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_UCP
_NONE = np.empty(0, np.int64)
_ANCHOR_CODES = {"A": "(?:^|\\x00)", "Z": "(?:$|\\x00)"}


def compile_pattern(pattern: str, *, ignore_case: bool) -> re.Pattern[str]:
    """Python's reading of a pattern. Raises ValueError if it is none, or would match an empty text."""
    if any(ord(c) < 32 and c not in "\t\n" for c in pattern):  # noqa: PLR2004  below 32 are the control characters
        raise ValueError(f"the pattern {pattern!r} has a control character in it; write it as r'...' in an expression")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            regex = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except (re.error, FutureWarning, DeprecationWarning, RecursionError, OverflowError) as e:
        raise ValueError(f"the pattern {pattern!r} cannot be read: {e}") from e
    if regex.search("") is not None:
        raise ValueError(f"the pattern {pattern!r} matches an empty text, and so every message")
    return regex


def joined_form(pattern: str) -> str:
    """The pattern as it is looked for in joined messages: its anchors also hold at a NUL."""
    out, i, in_class = [], 0, False
    while i < len(pattern):
        c = pattern[i]
        if c == "\\" and i + 1 < len(pattern):
            escape = pattern[i + 1]
            out.append(_ANCHOR_CODES[escape] if escape in _ANCHOR_CODES and not in_class else c + escape)
            i += 2
            continue
        if in_class:
            in_class = c != "]" or pattern[i - 1] == "[" or pattern[i - 2 : i] == "[^"
            out.append(c)
        elif c == "[":
            in_class = True
            out.append(c)
        else:
            out.append({"^": "(?:^|\\x00)", "$": "(?:$|\\x00)"}.get(c, c))
        i += 1
    return "".join(out)


class PatternSet:
    """Patterns by number. Add all of them, then scan batches; the scan of a batch is made once."""

    def __init__(self) -> None:
        self._regexes: list[re.Pattern[str]] = []
        self._numbers: dict[tuple[str, bool], int] = {}
        self._database: hyperscan.Database | None = None
        self._ready = False
        self.slow: list[str] = []

    def add(self, pattern: str, *, ignore_case: bool) -> int:
        """The number of a pattern; the same pattern has one number. Raises ValueError as ``compile_pattern``."""
        key = (pattern, ignore_case)
        if key not in self._numbers:
            self._regexes.append(compile_pattern(pattern, ignore_case=ignore_case))
            self._numbers[key] = len(self._regexes) - 1
            self._ready = False
        return self._numbers[key]

    def rows(self, batch: Batch, number: int) -> Ints:
        """Rows of the batch in whose text the pattern is found, ascending."""
        if "patterns" not in batch.made:
            batch.made["patterns"] = self._scan(batch)
        rows: Ints = batch.made["patterns"][number]
        return rows

    def compile(self) -> None:
        """Make the scan ready; ``slow`` then names the patterns that only ``re`` can express."""
        if self._ready:
            return
        self.slow, expressions, numbers, flags = [], [], [], []
        for number, regex in enumerate(self._regexes):
            flag = _accepted(regex)
            if flag is None:
                self.slow.append(regex.pattern)
                continue
            expressions.append(joined_form(regex.pattern).encode())
            numbers.append(number)
            flags.append(flag)
        self._database = None
        if expressions:
            self._database = hyperscan.Database()
            self._database.compile(expressions=expressions, ids=numbers, elements=len(numbers), flags=flags)
        self._fast, self._ready = set(numbers), True

    def _scan(self, batch: Batch) -> list[Ints]:
        self.compile()
        found: list[list[int]] = [[] for _ in self._regexes]
        text = batch.texts
        if self._database is not None and len(text.joined) > 0:

            def match(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
                found[number].append(end)

            self._database.scan(text.joined, match_event_handler=match)
        rows = []
        for number, ends in enumerate(found):
            if number not in self._fast:
                candidates: Sequence[int] = range(len(batch))
            elif ends:
                at = np.searchsorted(text.starts, np.array(ends, np.int64) - 1, side="right") - 1
                candidates = np.unique(at).tolist()
            else:
                rows.append(_NONE)
                continue
            search = self._regexes[number].search
            rows.append(np.array([i for i in candidates if search(text.string(i))], np.int64))
        return rows


def _accepted(regex: re.Pattern[str]) -> int | None:
    """The flags with which Hyperscan takes a pattern: exact, else as a filter before ``re``, else None."""
    case = hyperscan.HS_FLAG_CASELESS if regex.flags & re.IGNORECASE else 0
    for extra in (0, hyperscan.HS_FLAG_PREFILTER):
        flags = _FLAGS | case | extra
        try:
            hyperscan.Database().compile(
                expressions=[joined_form(regex.pattern).encode()], ids=[0], elements=1, flags=[flags]
            )
        except hyperscan.HyperscanError:
            continue
        return int(flags)
    return None
