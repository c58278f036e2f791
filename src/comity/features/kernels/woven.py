"""Strings of an Arrow column in another order, joined by NUL; and times written as RFC 3339."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.features.kernels.hashing import load64, store64

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Whole = Any  # int or a numpy integer: the same once compiled

TIME = 24  # bytes of 2026-03-01T12:00:00.000Z
ROOM = 8
_DAY = 86_400_000


@njit(cache=True, nogil=True)
def weave(data: Bytes, offsets: NDArray[np.int32], rows: Ints, out: Bytes) -> Whole:
    """Copy the strings of some rows into ``out``, a NUL behind each; returns how many bytes that took.

    data, offsets: of the column, string i is data[offsets[i]:offsets[i + 1]]; a row of -1 is an empty string. Up to
    seven bytes behind may be written: ``out`` has ``ROOM`` more than that.
    """
    to = np.int64(0)
    for k in range(rows.size):
        row = rows[k]
        if row >= 0:
            start, size = np.int64(offsets[row]), np.int64(offsets[row + 1]) - np.int64(offsets[row])
            if start + size + 8 <= data.size:
                for i in range(0, size, 8):
                    store64(out, to + i, load64(data, start + i))
            else:
                for i in range(size):
                    out[to + i] = data[start + i]
            to += size
        out[to] = 0
        to += 1
    return to


@njit(cache=True, nogil=True)
def length(offsets: NDArray[np.int32], rows: Ints) -> Whole:
    """How many bytes ``weave`` will take."""
    total = rows.size
    for k in range(rows.size):
        row = rows[k]
        if row >= 0:
            total += offsets[row + 1] - offsets[row]
    return total


@njit(forceinline=True)
def _digits(out: Bytes, to: Whole, value: Whole, count: Whole) -> None:
    for i in range(count - 1, -1, -1):
        out[to + i] = np.uint8(48 + value % 10)
        value //= 10


@njit(forceinline=True)
def _clock(out: Bytes, to: Whole, rest: Whole) -> None:
    """The time of day, from its milliseconds."""
    _digits(out, to + 11, rest // 3_600_000, 2)
    _digits(out, to + 14, rest // 60_000 % 60, 2)
    _digits(out, to + 17, rest // 1000 % 60, 2)
    _digits(out, to + 20, rest % 1000, 3)
    out[to + 13] = out[to + 16] = 58
    out[to + 19], out[to + 23] = 46, 90


@njit(cache=True, nogil=True)
def write_times(at: Ints, known: NDArray[np.bool_], out: Bytes) -> Whole:
    """Write milliseconds since 1970 as RFC 3339 in UTC, a NUL behind each, nothing where unknown; returns the bytes.

    Years 0 to 9999. Source of the calendar: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    """
    to, last, last_at = 0, np.int64(-1), 0
    for k in range(at.size):
        if known[k]:
            day, rest = at[k] // _DAY, at[k] % _DAY
            if day == last:  # as most are, in order of time
                store64(out, to, load64(out, last_at))
                store64(out, to + 8, load64(out, last_at + 8))
                _clock(out, to, rest)
                last_at = to
                to += TIME
                out[to] = 0
                to += 1
                continue
            last, last_at = day, to
            z = day + 719_468
            era = z // 146_097
            doe = z - era * 146_097
            yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
            doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
            mp = (5 * doy + 2) // 153
            month = mp + 3 if mp < 10 else mp - 9
            year = yoe + era * 400 + (1 if month <= 2 else 0)
            _digits(out, to, year, 4)
            _digits(out, to + 5, month, 2)
            _digits(out, to + 8, doy - (153 * mp + 2) // 5 + 1, 2)
            out[to + 4] = out[to + 7] = 45
            out[to + 10] = 84
            _clock(out, to, rest)
            to += TIME
        out[to] = 0
        to += 1
    return to
