"""What was found out about a key before, so that each name is looked at once and not with each message."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from comity.features.columns import Hashes
from comity.features.pieces import Ints

_MOST = 1 << 20  # keys remembered, about
UNKNOWN = np.int64(-1)


@njit(cache=True, nogil=True)
def _look_up(keys: Hashes, table: Hashes, values: Ints, out: Ints) -> None:
    mask = np.uint64(len(table) - 1)
    for i in range(len(keys)):
        slot = keys[i] & mask
        while table[slot] != keys[i] and table[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        out[i] = values[slot] if table[slot] == keys[i] else -1


@njit(cache=True, nogil=True)
def _put(keys: Hashes, values: Ints, table: Hashes, held: Ints) -> int:
    mask = np.uint64(len(table) - 1)
    added = 0
    for i in range(len(keys)):
        slot = keys[i] & mask
        while table[slot] != keys[i] and table[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        added += table[slot] == 0
        table[slot], held[slot] = keys[i], values[i]
    return added


class _Table:
    """Keys and values in open addressing, at most half full."""

    def __init__(self) -> None:
        self.keys, self.values, self.held = np.zeros(1024, np.uint64), np.zeros(1024, np.int64), 0

    def look_up(self, keys: Hashes) -> Ints:
        out = np.empty(len(keys), np.int64)
        _look_up(keys, self.keys, self.values, out)
        return out

    def put(self, keys: Hashes, values: Ints) -> None:
        while 2 * (self.held + len(keys)) > len(self.keys):
            full = self.keys != 0
            old_keys, old_values = self.keys[full], self.values[full]
            self.keys, self.values = np.zeros(4 * len(self.keys), np.uint64), np.zeros(4 * len(self.keys), np.int64)
            _put(old_keys, old_values, self.keys, self.values)
        self.held += _put(keys, values, self.keys, self.values)


class Memory:
    """A bounded memory from keys to small numbers >= 0. What it forgets is found out again; it changes no answer.

    When it is half full, what was last asked for before that half is forgotten. So between a ``look_up`` and the next,
    with a ``put`` of what it did not know, no key that was asked for is forgotten.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._young, self._old = _Table(), _Table()

    def look_up(self, keys: Hashes) -> Ints:
        """The value of each key, UNKNOWN where there is none. A key of 0 is never remembered."""
        out = self._young.look_up(keys)
        if self._old.held:
            missing = np.flatnonzero(out == UNKNOWN)
            if len(missing):
                out[missing] = self._old.look_up(keys[missing])
                again = missing[out[missing] != UNKNOWN]
                self._young.put(keys[again], out[again])
        out[keys == 0] = UNKNOWN
        return out

    def put(self, keys: Hashes, values: Ints) -> None:
        """Remember values >= 0, each under its key."""
        if 2 * (self._young.held + len(keys)) > _MOST:
            self._young, self._old = _Table(), self._young
        some = keys != 0
        self._young.put(keys[some], values[some])

    def find(self, keys: Hashes, find_out: Callable[[Ints], Sequence[int] | Ints]) -> Ints:
        """The value of each key; what is not remembered is found out, once for each key, and remembered.

        find_out: values >= 0 for some rows of ``keys``, the first of each unknown key, ascending.
        """
        values = self.look_up(keys)
        unknown = values == UNKNOWN
        if unknown.any():
            rows = self.firsts(keys, unknown)
            self.put(keys[rows], np.asarray(find_out(rows), np.int64))
            values = self.look_up(keys)
        return values

    def firsts(self, keys: Hashes, unknown: npt.NDArray[np.bool_]) -> Ints:
        """The first row of each key among the rows that are unknown, ascending."""
        rows = np.flatnonzero(unknown)
        if len(rows) == 1:
            return rows
        _, first = np.unique(keys[rows], return_index=True)
        result: Ints = rows[np.sort(first)]
        return result
