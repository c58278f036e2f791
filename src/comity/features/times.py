"""RFC 3339 texts to milliseconds, and milliseconds to days, by the column."""

from contextlib import suppress
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from numba import njit

from comity.core.event import milliseconds, moment

Bytes = npt.NDArray[np.uint8]
Times = npt.NDArray[np.int64]
NOT_A_TIME = np.int64(-(2**63))
_DAY = 86_400_000
_QUARTER_HOUR = 900_000
_YEAR_1, _YEAR_10000 = milliseconds("0001-01-01T00:00:00Z"), milliseconds("9999-12-31T00:00:00Z") + _DAY
_ZERO = np.zeros(1, np.int64)


@njit(cache=True, nogil=True)
def _parse(buffer, starts, ends, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Milliseconds of each span of the form 2026-03-01T12:00:00[.mmm]Z; NOT_A_TIME where it has another form."""
    for i in range(len(starts)):
        s, e = starts[i], ends[i]
        out[i] = NOT_A_TIME
        n = e - s
        if n not in (20, 24) or buffer[e - 1] != 90:
            continue
        sound = True
        for k in range(19):
            c = buffer[s + k]
            if k in (4, 7):
                sound &= c == 45
            elif k == 10:
                sound &= c in (84, 116)
            elif k in (13, 16):
                sound &= c == 58
            else:
                sound &= 48 <= c <= 57
        if not sound:
            continue
        year = (buffer[s] - 48) * 1000 + (buffer[s + 1] - 48) * 100 + (buffer[s + 2] - 48) * 10 + buffer[s + 3] - 48
        month = (buffer[s + 5] - 48) * 10 + buffer[s + 6] - 48
        day = (buffer[s + 8] - 48) * 10 + buffer[s + 9] - 48
        hour = (buffer[s + 11] - 48) * 10 + buffer[s + 12] - 48
        minute = (buffer[s + 14] - 48) * 10 + buffer[s + 15] - 48
        second = (buffer[s + 17] - 48) * 10 + buffer[s + 18] - 48
        if year < 1 or month < 1 or month > 12 or day < 1 or hour > 23 or minute > 59 or second > 59:
            continue
        if day > 28 and (month == 2 or day > (30 if month in (4, 6, 9, 11) else 31)):
            continue  # the end of February takes the slow, exact way, and so does a day that there is not
        fraction = np.int64(0)
        if n == 24:
            if buffer[s + 19] != 46:
                continue
            for k in range(20, 23):
                c = buffer[s + k]
                if c < 48 or c > 57:
                    sound = False
                fraction = fraction * 10 + (c - 48)
            if not sound:
                continue
        # Days from the civil calendar: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        y = np.int64(year) - (1 if month <= 2 else 0)
        era = y // 400
        of_era = y - era * 400
        of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
        days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
        out[i] = ((days * 24 + hour) * 60 + minute) * 60_000 + np.int64(second) * 1000 + fraction


def parse_spans(joined: bytes, buffer: npt.NDArray[np.uint8], starts: Times, ends: Times) -> Times:
    """Milliseconds since 1970 of RFC 3339 texts, shape (texts,); NOT_A_TIME where it is none of years 1 to 9999.

    joined: all texts, and buffer: the same bytes; text i is joined[starts[i]:ends[i]].
    """
    out = np.empty(len(starts), np.int64)
    _parse(buffer, starts, ends, out)
    for i in np.flatnonzero(out == NOT_A_TIME).tolist():
        if starts[i] < ends[i]:
            with suppress(ValueError):
                at = milliseconds(joined[starts[i] : ends[i]].decode())
                out[i] = at if _YEAR_1 <= at < _YEAR_10000 else NOT_A_TIME
    return out


class Calendar:
    """Days of a time zone: days since 1970-01-01 on the wall clock there."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone, self._offsets = zone, dict[int, int | None]()

    def days(self, at: Times) -> npt.NDArray[np.int64]:
        """The day of each time, shape (times,). Each quarter of an hour is looked up once."""
        if len(at) == 0:
            return np.empty(0, np.int64)
        if len(at) == 1:
            return np.array([(int(at[0]) + self._offset_at(int(at[0]))) // _DAY], np.int64)
        quarter = at // _QUARTER_HOUR
        firsts = np.concatenate([_ZERO, np.flatnonzero(quarter[1:] != quarter[:-1]) + 1])
        lengths = np.diff(np.concatenate([firsts, [len(at)]]))
        known = [self._offset(int(quarter[i])) for i in firsts]
        offsets = np.repeat(np.array([0 if k is None else k for k in known], np.int64), lengths)
        if None in known:
            changing = np.flatnonzero(np.repeat(np.array([k is None for k in known]), lengths))
            offsets[changing] = [self._exact(int(at[i])) for i in changing]
        result: npt.NDArray[np.int64] = (at + offsets) // _DAY
        return result

    def _offset_at(self, at: int) -> int:
        offset = self._offset(at // _QUARTER_HOUR)
        return self._exact(at) if offset is None else offset

    def _offset(self, quarter: int) -> int | None:
        """The offset throughout a quarter of an hour; None where it changes within it, as it did long ago."""
        if quarter not in self._offsets:
            if len(self._offsets) > 100_000:
                self._offsets.clear()
            first = self._exact(quarter * _QUARTER_HOUR)
            self._offsets[quarter] = first if first == self._exact((quarter + 1) * _QUARTER_HOUR - 1) else None
        return self._offsets[quarter]

    def _exact(self, at: int) -> int:
        # In the first and the last hours there are, some zone's wall clock has no year that can be said.
        offset = moment(min(max(at, _YEAR_1 + _DAY), _YEAR_10000 - 2 * _DAY)).astimezone(self._zone).utcoffset()
        return 0 if offset is None else round(offset.total_seconds() * 1000)
