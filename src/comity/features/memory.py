"""What was found out about a key before, so that each name is looked at once and not with each message."""

import numpy as np
import numpy.typing as npt
from numba import njit

from comity.features.columns import Hashes
from comity.features.pieces import Ints

_MOST = 1 << 20  # keys remembered; beyond, all are looked at anew
UNKNOWN = np.int64(-1)


@njit(cache=True, nogil=True)
def _look_up(keys, table, values, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    mask = np.uint64(len(table) - 1)
    for i in range(len(keys)):
        slot = keys[i] & mask
        while table[slot] != keys[i] and table[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        out[i] = values[slot] if table[slot] == keys[i] else -1


@njit(cache=True, nogil=True)
def _put(keys, values, table, held):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    mask = np.uint64(len(table) - 1)
    added = 0
    for i in range(len(keys)):
        slot = keys[i] & mask
        while table[slot] != keys[i] and table[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        added += table[slot] == 0
        table[slot], held[slot] = keys[i], values[i]
    return added


class Memory:
    """A bounded memory from keys to small numbers >= 0. What it forgets is found out again; it changes no answer."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._table, self._values = np.zeros(1024, np.uint64), np.zeros(1024, np.int64)
        self._held = 0

    def look_up(self, keys: Hashes) -> Ints:
        """The value of each key, UNKNOWN where there is none. A key of 0 is never remembered."""
        out = np.empty(len(keys), np.int64)
        _look_up(keys, self._table, self._values, out)
        out[keys == 0] = UNKNOWN
        return out

    def put(self, keys: Hashes, values: Ints) -> None:
        """Remember values >= 0, each under its key."""
        if self._held + len(keys) > _MOST:
            self.clear()
        while 2 * (self._held + len(keys)) > len(self._table):
            full = self._table != 0
            old_keys, old_values = self._table[full], self._values[full]
            self._table = np.zeros(4 * len(self._table), np.uint64)
            self._values = np.zeros(len(self._table), np.int64)
            _put(old_keys, old_values, self._table, self._values)
        some = keys != 0
        self._held += _put(keys[some], values[some], self._table, self._values)

    def firsts(self, keys: Hashes, unknown: npt.NDArray[np.bool_]) -> Ints:
        """The first row of each key among the rows that are unknown, ascending."""
        rows = np.flatnonzero(unknown)
        _, first = np.unique(keys[rows], return_index=True)
        result: Ints = rows[np.sort(first)]
        return result
