"""Distinct values per key over a look-back: the same clock, ceilings and reclaiming as for counts."""

import numpy as np
from numpy.typing import NDArray

from comity.features.kernels import lookback
from comity.features.kernels.windows import Window


class DistinctWindow(Window):
    """How many distinct values came under a key within a look-back: ``CountWindow``, each value stored once.

    A value that comes again is moved to its latest time and never counts twice; for a late event, a value whose latest
    time is later does not count, its own included. Everything else, late events, clocks set back, ceilings, reclaiming,
    is as in ``CountWindow``; both ceilings count values instead of events. Two values of one key never share a place.
    """

    kind = b"CoWD"
    row = lookback.PAIR

    def __init__(self, within: int, *, ceiling_rows: int = 4_000_000, per_key: int = 256) -> None:
        super().__init__(within, ceiling_rows=ceiling_rows, per_key=per_key)

    def _reset(self) -> None:
        super()._reset()
        self._pairs = self._table(self.ceiling_rows)

    def turn(
        self,
        keys: NDArray[np.uint64],
        values: NDArray[np.uint64],
        times: NDArray[np.int64],
        insert: NDArray[np.bool_],
        read: NDArray[np.bool_],
        *,
        clear: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int64]:
        """Let rows happen: for each, clear (forget the key), then insert its value, then read.

        keys, values: hashes; times: milliseconds; all of shape (n,). Returns (n,): the number of distinct values where
        ``read``, 0 elsewhere. Raises ValueError if a column has another length.
        """
        return self._turn(keys, values, times, insert, read, clear=clear)
