"""Sums per key and day, gathered over the batches of one commit."""

from typing import NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from comity.features.kernels.arrays import column

FIRST_ROOM = 64
uint64 = np.uint64  # Numba makes a float of an unsigned and a signed integer: each constant says which it is
Hashes = NDArray[np.uint64]
Ints = NDArray[np.int64]
Days = NDArray[np.int32]

_EMPTY = -1  # in ``firsts``: no row is before the first
_HASHES, _INTS, _DAYS = types.uint64[::1], types.int64[::1], types.int32[::1]


@njit(
    types.int64(_HASHES, _DAYS, _INTS, _INTS, types.int64, _HASHES, _DAYS, _INTS, _INTS, types.int64),
    cache=True,
)
def _add(
    held_keys: Hashes,
    held_days: Days,
    sums: Ints,
    firsts: Ints,
    room: int,
    keys: Hashes,
    days: Days,
    amounts: Ints,
    rows: Ints,
    start: int,
) -> int:
    """Add rows from ``start``; return the row that finds no ``room`` left, or their number.

    rows: the number of each row, and behind them one place more, where the room is left.
    """
    mask = uint64(firsts.size - 1)
    for i in range(start, keys.size):
        h = (keys[i] ^ uint64(days[i])) * uint64(0x9E3779B97F4A7C15)
        place = np.int64((h ^ (h >> uint64(32))) & mask)
        while firsts[place] >= 0 and not (held_keys[place] == keys[i] and held_days[place] == days[i]):
            place = np.int64(uint64(place + 1) & mask)
        if firsts[place] < 0:
            if room == 0:
                rows[-1] = 0
                return i
            room -= 1
            held_keys[place], held_days[place], sums[place], firsts[place] = keys[i], days[i], 0, rows[i]
        sums[place] += amounts[i]
    rows[-1] = room
    return int(keys.size)


class Tallied(NamedTuple):
    """Sums by (key, day), sorted by both; all of shape (sums,).

    first_rows: the number of the first row of each, counted from 0 over all rows since the last take.
    """

    keys: Hashes
    days: Days
    amounts: Ints
    first_rows: Ints


class Tally:
    """Adds up amounts per key and day until they are taken; the order of rows and their batches change no sum."""

    def __init__(self) -> None:
        self._added = 0
        self._make_room(FIRST_ROOM)

    def _make_room(self, places: int) -> None:
        self._keys, self._days = np.empty(places, np.uint64), np.empty(places, np.int32)
        self._sums, self._firsts = np.empty(places, np.int64), np.full(places, _EMPTY, np.int64)
        self._room = places // 2

    def add(self, keys: Hashes, days: Days, amounts: Ints | None = None) -> None:
        """Add rows: keys, days, and amounts (1 each where None), all of shape (n,).

        days: whole days, -2^31 to 2^31 - 1; a sum must stay within 64 bits. Raises ValueError if a column has another
        length.
        """
        keys = column(keys, np.uint64)
        n = keys.size
        days = column(days, np.int32, n)
        amounts = np.ones(n, np.int64) if amounts is None else column(amounts, np.int64, n)
        self._put(keys, days, amounts, np.arange(self._added, self._added + n + 1))
        self._added += n

    def _put(self, keys: Hashes, days: Days, amounts: Ints, rows: Ints) -> None:
        done = 0
        while True:
            done = _add(self._keys, self._days, self._sums, self._firsts, self._room, keys, days, amounts, rows, done)
            self._room = int(rows[-1])
            if done == keys.size:
                return
            held = self._held()
            self._make_room(2 * self._firsts.size)
            self._put(*held[:3], np.append(held.first_rows, 0))

    def _held(self) -> Tallied:
        live = np.flatnonzero(self._firsts >= 0)
        return Tallied(self._keys[live], self._days[live], self._sums[live], self._firsts[live])

    def take(self) -> Tallied:
        """What was added since the last take; afterwards the tally is empty."""
        held = self._held()
        order = np.lexsort((held.days, held.keys))
        self._added = 0
        # Commits resemble one another: keep room for one like this, and no more.
        self._make_room(max(FIRST_ROOM, 1 << (2 * order.size - 1).bit_length()))
        return Tallied(held.keys[order], held.days[order], held.amounts[order], held.first_rows[order])
