"""Counts, and counts of distinct values, per key over a look-back, carried from batch to batch.

docs/decisions/window-clock.md says why the clock is as it is.
"""

import struct
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from comity.features.kernels import counting
from comity.features.kernels.arrays import column
from comity.features.kernels.snapshots import MOST_GRACE, check, opened, sealed

_FIRST = 64  # rows of a log that is new; two blocks and more
_COUNTS = struct.Struct("<qqqq")


class Window:
    """What windows share: settings, the log, the clock, a snapshot.

    within: look-back in milliseconds, 1 to 2^53; ceiling_rows: 1 to 2^29 rows in all; per_key: >= 1, rows of one key
    that are gone back over where late ones are among them. Memory follows the most rows that were held at once, not the
    events: for each 48 bytes (64 of distinct values) and 18 (34), and as much again at most.
    Raises ValueError if a setting is out of bounds.
    """

    kind: ClassVar[bytes]
    row: ClassVar[np.dtype[Any]]

    def __init__(self, within: int, *, ceiling_rows: int, per_key: int) -> None:
        check(within, ceiling_rows, per_key)
        self.within, self.ceiling_rows, self.per_key = within, ceiling_rows, per_key
        self._begin(_FIRST, 0, 0, 0)

    def _begin(self, room: int, following: int, oldest: int, cut: int) -> None:
        """An empty log with room for so many rows, the next one numbered ``following``."""
        self._state = np.zeros(counting.STATE_SIZE, np.int64)
        self._state[counting.WITHIN] = self.within
        self._state[counting.KEEP] = self.within + min(self.within, MOST_GRACE)
        self._state[counting.CEILING], self._state[counting.STEPS] = self.ceiling_rows, self.per_key
        self._state[counting.NEXT], self._state[counting.OLDEST] = following, oldest
        self._state[counting.CUT] = cut
        self._rows = np.zeros(room, self.row)
        self._heads = np.full(2 * room, -1, np.int64)
        self._pairs = np.full(2 * room, -1, np.int64) if self.row is counting.PAIR else None
        self._clocks = np.zeros(room // 8, np.int64)

    @property
    def cut(self) -> int:
        """Rows forgotten so far because the ceiling was reached."""
        return int(self._state[counting.CUT])

    @property
    def rows(self) -> int:
        """Rows held now."""
        return int(self._state[counting.NEXT] - self._state[counting.OLDEST])

    def _turn(
        self,
        keys: NDArray[np.uint64],
        values: NDArray[np.uint64] | None,
        times: NDArray[np.int64],
        insert: NDArray[np.bool_],
        read: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        keys = column(keys, np.uint64)
        n = keys.size
        values = None if values is None else column(values, np.uint64, n)
        times, insert, read = column(times, np.int64, n), column(insert, np.bool_, n), column(read, np.bool_, n)
        counts, row = np.zeros(n, np.int64), 0
        while row < n:
            log = (self._state, self._heads, self._pairs, self._rows, self._clocks)
            row = counting.turn(*log, row, keys, values, times, insert, read, counts)
            if row < n:
                self._grow()
        return counts

    def _grow(self) -> None:
        held, state = self._held(), self._state
        self._begin(2 * len(self._rows), int(state[counting.NEXT]), int(state[counting.OLDEST]), self.cut)
        self._put(*held)

    def _held(self) -> tuple[NDArray[np.int64], NDArray[np.void], NDArray[np.int64]]:
        """Numbers of the rows that have to be kept, the rows, and the clocks of their full blocks."""
        following, oldest = int(self._state[counting.NEXT]), int(self._state[counting.OLDEST])
        numbers = np.arange(min(oldest, following // counting.BLOCK * counting.BLOCK), following)
        blocks = np.arange(oldest // counting.BLOCK, following // counting.BLOCK)
        return numbers, self._rows[numbers & (len(self._rows) - 1)], self._clocks[blocks & (len(self._clocks) - 1)]

    def _put(self, numbers: NDArray[np.int64], rows: NDArray[np.void], clocks: NDArray[np.int64]) -> None:
        self._rows[numbers & (len(self._rows) - 1)] = rows
        blocks = int(self._state[counting.OLDEST]) // counting.BLOCK + np.arange(len(clocks))
        self._clocks[blocks & (len(self._clocks) - 1)] = clocks
        counting.link(self._state, self._heads, self._pairs, self._rows)

    def dump(self) -> bytes:
        """A snapshot: after ``load``, every count is the same.

        Little-endian: numbers of the next and the oldest row, how many were cut, how many rows; the rows
        (``counting.ROW``, 48 bytes, or ``counting.PAIR``, 64); the clocks of their full blocks (8 bytes).
        """
        _, rows, clocks = self._held()
        for distance in ("older", "other"):  # which come to be anew
            if distance in (self.row.names or ()):
                rows[distance] = 0
        counts = _COUNTS.pack(self._state[counting.NEXT], self._state[counting.OLDEST], self.cut, len(rows))
        return sealed(self.kind, self._settings, (counts, rows.tobytes(), clocks.astype("<i8").tobytes()))

    def load(self, data: bytes) -> None:
        """Put a snapshot in place of what is held.

        Raises ValueError, and leaves all as it was, if the snapshot is damaged, of another version or kind of window,
        or of other settings: then refill the window from the record.
        """
        body = opened(data, self.kind, self._settings)
        following, oldest, cut, count = _COUNTS.unpack_from(body)
        rows = np.frombuffer(body, self.row, count, _COUNTS.size)
        clocks = np.frombuffer(body, "<i8", -1, _COUNTS.size + rows.nbytes).astype(np.int64)
        room = _FIRST
        while room < count:
            room *= 2
        self._begin(room, following, oldest, cut)
        self._put(np.arange(following - count, following), rows, clocks)

    @property
    def _settings(self) -> tuple[int, int, int]:
        return self.within, self.ceiling_rows, self.per_key


class CountWindow(Window):
    """How many events of a key there were within a look-back, by the events' own times.

    Let M be the latest time inserted under the key so far. An event at time t that is inserted

    - with t > M - within belongs to the key's run, and what is at or before max(M, t) - within does not count;
    - with t <= M - within starts the key anew at t. Somebody's clock was set back, or an earlier event bore a time in
      the future: neither may freeze a window for ever, nor make a flood of an hour that came twice.

    Its count is the number in the run with time in (max(M, t) - within, t], itself included: the events in
    (t - within, t] for an event in order; for a late one only those in (M - within, t], so lateness makes counts too
    low, never a flood out of nothing. A row that only reads counts the same and changes nothing at all; further than
    the look-back from M it counts 0.

    Where a key's events are in order, a count costs the same however high it is. Where late ones are among them, it is
    counted by going back over them, ``per_key`` at most: then it is a lower bound.

    Rows go in the order of arrival. The stream's clock is the median time of the last full block of 31 inserts. A block
    goes once the next one's median lies within + min(within, 1 hour) or more away from the clock. So where clocks are
    right, an event that comes no later than min(within, 1 hour) behind the stream counts the same as though nothing was
    ever forgotten; otherwise its count may be too low, never too high. When ``ceiling_rows`` rows are held, the oldest
    goes, and ``cut`` counts that.

    All of it happens row by row in the order of arrival: batches change no count. Times beyond 2^62 milliseconds either
    way are out of bounds.
    """

    kind = b"CoWC"
    row = counting.ROW

    def __init__(self, within: int, *, ceiling_rows: int = 4_000_000, per_key: int = 4096) -> None:
        super().__init__(within, ceiling_rows=ceiling_rows, per_key=per_key)

    def turn(
        self,
        keys: NDArray[np.uint64],
        times: NDArray[np.int64],
        insert: NDArray[np.bool_],
        read: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """Let rows happen: for each, insert, then read.

        keys: mixed hashes; times: milliseconds; all of shape (n,). Returns (n,): the count where ``read``, 0 elsewhere.
        Raises ValueError if a column has another length.
        """
        return self._turn(keys, None, times, insert, read)


class DistinctWindow(Window):
    """How many distinct values came under a key within a look-back: ``CountWindow``, each value counted once.

    A value that comes again counts at its latest time and never twice; for a late event, a value whose latest time is
    later does not count, its own included. Everything else, late events, clocks set back, ceilings, what is forgotten,
    is as in ``CountWindow``. Two values of one key never pass for one.
    """

    kind = b"CoWD"
    row = counting.PAIR

    def __init__(self, within: int, *, ceiling_rows: int = 4_000_000, per_key: int = 4096) -> None:
        super().__init__(within, ceiling_rows=ceiling_rows, per_key=per_key)

    def turn(
        self,
        keys: NDArray[np.uint64],
        values: NDArray[np.uint64],
        times: NDArray[np.int64],
        insert: NDArray[np.bool_],
        read: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """Let rows happen: for each, insert its value, then read.

        keys, values: hashes; times: milliseconds; all of shape (n,). Returns (n,): the number of distinct values where
        ``read``, 0 elsewhere. Raises ValueError if a column has another length.
        """
        return self._turn(keys, values, times, insert, read)
