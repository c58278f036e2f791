"""What came twice: exact sets of event ids by hour, a few recent hours in memory and all of them with the store."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from comity.features.kernels.arrays import column

HOUR = 3_600_000  # milliseconds
FIRST_ROOM = 64
uint64 = np.uint64  # Numba makes a float of an unsigned and a signed integer: each constant says which it is
Hashes = NDArray[np.uint64]
Load = Callable[[int], Hashes]

_SIZE, _ZERO = 0, 1  # of a set: its ids but 0, which marks an empty place; and whether it holds 0 too
_HASHES, _INTS, _FLAGS = types.uint64[::1], types.int64[::1], types.boolean[::1]


@njit(types.int64(_HASHES, _INTS, _HASHES, types.int64, _FLAGS), cache=True)
def _see(table: Hashes, state: NDArray[np.int64], ids: Hashes, start: int, new: NDArray[np.bool_]) -> int:
    """Put ids into a set that is at most half full; return the row that finds no room, or their number."""
    mask = uint64(table.size - 1)
    for i in range(start, ids.size):
        number = ids[i]
        if number == uint64(0):
            new[i] = state[_ZERO] == 0
            state[_ZERO] = 1
            continue
        place = np.int64(number & mask)
        while table[place] != uint64(0) and table[place] != number:
            place = np.int64(uint64(place + 1) & mask)
        new[i] = table[place] == uint64(0)
        if new[i]:
            if 2 * (state[_SIZE] + 1) > table.size:
                return i
            table[place] = number
            state[_SIZE] += 1
    return int(ids.size)


class _Hour:
    """The ids of one hour: open addressing, a power of two of places, at most half of them taken."""

    def __init__(self, stored: Hashes, expected: int) -> None:
        self.table = self._room(max(stored.size, expected))
        self.state = np.zeros(2, np.int64)
        self.new: list[Hashes] = []
        self.see(stored)

    @staticmethod
    def _room(ids: int) -> Hashes:
        return np.zeros(max(FIRST_ROOM, 1 << (2 * ids - 1).bit_length()), np.uint64)

    def see(self, ids: Hashes) -> NDArray[np.bool_]:
        """True where an id was not in the set yet; then it is."""
        new = np.empty(ids.size, np.bool_)
        row = 0
        while (row := _see(self.table, self.state, ids, row, new)) < ids.size:
            before = self.table[self.table != 0]
            self.table = self._room(2 * before.size)
            self.state[_SIZE] = 0
            _see(self.table, self.state, before, 0, np.empty(before.size, np.bool_))
        return new


class SeenHours:
    """Exact removal of events that came twice: an id is new once in the hour (UTC) of its event's time.

    load: hour (time // 3,600,000) -> ids that the store holds for it, shape (ids,), none for an hour it does not know;
    asked once for an hour that is not in memory. most_hours: >= 1; the hour whose last row is longest ago leaves memory
    first, but never with new ids that were not taken. An id takes 16 to 32 bytes in memory. The same id at times of two
    hours is two events. Raises ValueError if ``most_hours`` is out of bounds.

    The store holds everything: there is no snapshot. Append what ``take_new`` hands out in the transaction of the
    batch, and before the next ``turn``; where that transaction fails, ``forget``.
    """

    def __init__(self, load: Load, *, most_hours: int = 12) -> None:
        if most_hours < 1:
            raise ValueError(f"most_hours must be >= 1, got {most_hours}")
        self._load, self._most = load, most_hours
        self._hours: dict[int, _Hour] = {}  # the hour whose last row is longest ago first
        self._expected = 0

    @property
    def hours(self) -> list[int]:
        """The hours in memory, the one whose last row is longest ago first."""
        return list(self._hours)

    def turn(self, ids: Hashes, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """True where the id was not seen before in its hour; of several in the batch, the first.

        ids: hashes; times: milliseconds; both of shape (n,). Returns (n,). Raises ValueError if their lengths differ.
        What ``load`` raises comes before anything counts as seen: the same batch may be tried again.
        """
        ids = column(ids, np.uint64)
        times = column(times, np.int64, ids.size)
        if not ids.size:
            return np.zeros(0, np.bool_)
        first, last = int(times.min()) // HOUR, int(times.max()) // HOUR
        if first == last:
            self._fetch([first])
            new = self._see(first, ids)
        else:
            new = self._turn_hours(ids, times // HOUR)
        self._drop()
        return new

    def _turn_hours(self, ids: Hashes, hours: NDArray[np.int64]) -> NDArray[np.bool_]:
        order = np.argsort(hours, kind="stable")
        hours, ids = hours[order], ids[order]
        starts = np.flatnonzero(np.concatenate((np.ones(1, np.bool_), hours[1:] != hours[:-1])))
        each: list[int] = hours[starts].tolist()
        self._fetch(each)
        new = np.empty(ids.size, np.bool_)
        pieces = zip(each, starts.tolist(), [*starts[1:].tolist(), ids.size], strict=True)
        new[order] = np.concatenate([self._see(hour, ids[start:end]) for hour, start, end in pieces])
        return new

    def _fetch(self, hours: list[int]) -> None:
        """Have these hours in memory, as the last to leave; none of them if one cannot be loaded."""
        missing = {
            hour: _Hour(column(self._load(hour), np.uint64), self._expected)
            for hour in hours
            if hour not in self._hours
        }
        for hour in hours:
            self._hours[hour] = missing[hour] if hour in missing else self._hours.pop(hour)

    def _see(self, hour: int, ids: Hashes) -> NDArray[np.bool_]:
        held = self._hours[hour]
        new = held.see(ids)
        some = ids[new]
        if some.size:
            held.new.append(some)
        return new

    def _drop(self) -> None:
        """Let hours leave memory until no more than the bound are left, or only such as have new ids."""
        for hour in list(self._hours) if len(self._hours) > self._most else ():
            if len(self._hours) > self._most and not self._hours[hour].new:
                # The next hour will be about as busy: it starts with room for it.
                self._expected = int(self._hours.pop(hour).state[_SIZE])

    def take_new(self) -> list[tuple[int, Hashes]]:
        """The hours with ids new since the last take, in order of hours, and those ids, in order of arrival."""
        taken = [(hour, np.concatenate(held.new)) for hour, held in sorted(self._hours.items(), key=_hour) if held.new]
        for held in self._hours.values():
            held.new = []
        self._drop()
        return taken

    def forget(self) -> None:
        """Drop everything that is in memory, taken or not: what counts is what the store holds."""
        self._hours.clear()


def _hour(item: tuple[int, Any]) -> int:
    return item[0]
