"""All patterns of a charter in one scan of the batch's text (Hyperscan), each match made sure of by Python's ``re``.

Hyperscan looks at all messages of a batch joined by NUL, so a match may seem to run from one message into the next;
what it names are candidates, and the exact meaning is that of ``re.search`` on the message alone (a NUL in it read as
U+FFFD, a lone surrogate as ``?``).
"""

import re
import warnings
from collections.abc import Sequence

import hyperscan
import numpy as np

from comity.features.columns import Batch, Texts
from comity.features.joined_form import UNLIKE, exact_in_ascii, joined_form
from comity.features.pieces import Ints

_FLAGS = hyperscan.HS_FLAG_UTF8
_NONE = np.empty(0, np.int64)
_EVERY = 0  # what names messages that every pattern has to look at; in the scan, each pattern has its number + 1


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


class PatternSet:
    """Patterns by number. Add all of them, then scan batches; the scan of a batch is made once."""

    def __init__(self) -> None:
        self._regexes: list[re.Pattern[str]] = []
        self._numbers: dict[tuple[str, bool], int] = {}
        self._any = _Scan(())
        self._ascii = _Scan(())
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

    @property
    def regexes(self) -> Sequence[re.Pattern[str]]:
        """All patterns, by number."""
        return self._regexes

    def rows(self, batch: Batch, number: int) -> Ints:
        """Rows of the batch in whose text the pattern is found, ascending."""
        found: list[Ints] | None = batch.made.get(self)
        if found is None:
            found = batch.made[self] = self._scan(batch)
        return found[number]

    def compile(self) -> None:
        """Make the scans ready; ``slow`` then names the patterns that only ``re`` can express."""
        if self._ready:
            return
        self._any, self._ascii = _Scan(self._regexes), _Scan(self._regexes, ascii_only=True)
        self.slow = [r.pattern for number, r in enumerate(self._regexes) if number not in self._any.fast]
        self._ready = True

    def _scan(self, batch: Batch) -> list[Ints]:
        self.compile()
        text = batch.texts
        plain = len(text.buffer) == 0 or int(text.buffer.max()) < 128  # noqa: PLR2004  ASCII
        return (self._ascii if plain else self._any).rows(text)


class _Scan:
    """All patterns in one Hyperscan database. ascii_only: for batches of nothing but ASCII, where less is unsure."""

    def __init__(self, regexes: Sequence[re.Pattern[str]], *, ascii_only: bool = False) -> None:
        self._regexes = tuple(regexes)
        self._unlike = r"[\x1c-\x1f]" if ascii_only else UNLIKE
        found = [(n, f) for n, r in enumerate(regexes) if (f := joined_form(r, ascii_only=ascii_only)) is not None]
        scan = [(number + 1, form.encode(), _flags(regexes[number])) for number, form in found]
        self._database = self._made(scan)
        if self._database is None:
            # One of them is beyond Hyperscan: only now is each looked at alone.
            scan = [each for number, form, flags in scan if (each := self._alone(number, form, flags)) is not None]
            self._database = self._made(scan)
        self.fast = frozenset(number - 1 for number, _, _ in scan) if self._database is not None else frozenset()
        filters = {number - 1 for number, _, flags in scan if flags & hyperscan.HS_FLAG_PREFILTER}
        self._exact = frozenset(n for n in self.fast - filters if ascii_only and exact_in_ascii(regexes[n]))

    def rows(self, text: Texts) -> list[Ints]:
        """For each pattern, the rows in whose text it is found, ascending."""
        found: list[list[int]] = [[] for _ in range(len(self._regexes) + 1)]
        if self._database is not None and len(text.joined) > 0:

            def match(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
                found[number].append(end)

            self._database.scan(text.joined, match_event_handler=match)
        unlike = _rows_at(text, found[_EVERY]) if found[_EVERY] else _NONE
        rows = []
        for number, regex in enumerate(self._regexes):
            ends = found[number + 1]
            if number not in self.fast:
                candidates = np.arange(len(text.starts))
            elif ends or len(unlike):
                candidates = np.union1d(_rows_at(text, ends), unlike) if len(unlike) else _rows_at(text, ends)
            else:
                rows.append(_NONE)
                continue
            if number in self._exact and not len(unlike):
                rows.append(candidates)
                continue
            search, at = regex.search, zip(candidates.tolist(), text.some(candidates), strict=True)
            rows.append(np.array([i for i, string in at if search(string)], np.int64))
        return rows

    def _made(self, scan: Sequence[tuple[int, bytes, int]]) -> hyperscan.Database | None:
        """The unlike characters and all patterns (number, form, flags) in one scan; None if that cannot be."""
        if not scan:
            return None
        numbers, forms, flags = zip((_EVERY, self._unlike.encode(), int(_FLAGS)), *scan, strict=True)
        database = hyperscan.Database()
        try:
            database.compile(expressions=list(forms), ids=list(numbers), elements=len(numbers), flags=list(flags))
        except hyperscan.HyperscanError:
            return None
        return database

    def _alone(self, number: int, form: bytes, flags: int) -> tuple[int, bytes, int] | None:
        """The pattern with flags with which Hyperscan takes it: exact, else as a filter before ``re``, else None."""
        for extra in (0, hyperscan.HS_FLAG_PREFILTER):
            if self._made([(number, form, flags | extra)]) is not None:
                return number, form, int(flags | extra)
        return None


def _flags(regex: re.Pattern[str]) -> int:
    return int(_FLAGS | (hyperscan.HS_FLAG_CASELESS if regex.flags & re.IGNORECASE else 0))


def _rows_at(text: Texts, ends: Sequence[int]) -> Ints:
    """The rows in whose span, or the NUL after it, the byte before each end stands; ascending, each once."""
    if len(ends) == 1:
        return np.searchsorted(text.starts, np.array(ends) - 1, side="right") - 1
    rows: Ints = np.unique(np.searchsorted(text.starts, np.array(ends, np.int64) - 1, side="right") - 1)
    return rows
