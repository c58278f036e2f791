"""Counts per key over a look-back, carried from batch to batch.

docs/decisions/window-clock.md says why the clock is as it is.
"""

import struct
import zlib
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from comity.features.kernels import lookback
from comity.features.kernels.arrays import column

VERSION = 1
MOST_GRACE = 3_600_000  # an hour in milliseconds
MOST_WITHIN = 1 << 53  # milliseconds; far from where sums with a time would overflow
MOST_CEILING = 1 << 29  # rows; positions are 32 bits
_HEADER = struct.Struct("<4sHHqqq")
_CARRIED = slice(lookback.CUT, lookback.CUT + 1)
_CLOCK = slice(lookback.CLOCK, lookback.TIMES + lookback.BLOCK)
_NO_FLAGS = np.zeros(0, np.bool_)
_KEY_DUMP = np.dtype(
    [("key", "<u8"), ("latest", "<i8"), ("touched", "<i8"), ("block", "<i8"), ("size", "<i4")],
)


class Window:
    """What windows share: settings, memory, the clock, a snapshot.

    within: look-back in milliseconds, 1 to 2^53; ceiling_rows: 1 to 2^29 rows in all; per_key: >= 1 rows of one key.
    Memory is reserved for the ceiling and used as it fills: 64 bytes a key, 8 for its place, and 16 bytes a row (40 for
    distinct values). It follows the most keys and rows that were held at once, not the events.
    Raises ValueError if a setting is out of bounds.
    """

    kind: ClassVar[bytes]
    row: ClassVar[np.dtype[Any]]

    def __init__(self, within: int, *, ceiling_rows: int, per_key: int) -> None:
        for name, value, most in (
            ("within", within, MOST_WITHIN),
            ("ceiling_rows", ceiling_rows, MOST_CEILING),
            ("per_key", per_key, MOST_CEILING),
        ):
            if not 1 <= value <= most:
                raise ValueError(f"{name} must be 1 to {most}, got {value}")
        self.within, self.ceiling_rows, self.per_key = within, ceiling_rows, per_key
        self._reset()

    def _reset(self) -> None:
        most = self.ceiling_rows
        self._state = lookback.new_state(self.within, min(self.within, MOST_GRACE), min(self.per_key, most), most)
        self._heads = self._table(most + 1)
        self._held = lookback.reserve(most + 1, lookback.KEY)  # one more: a new key comes before the stalest goes
        self._rows = lookback.reserve(most, self.row)
        self._pairs: NDArray[np.int32] | None = None

    @staticmethod
    def _table(most: int) -> NDArray[np.int32]:
        heads: NDArray[np.int32] = lookback.reserve(2 * most + lookback.FIRST_BUCKETS, np.dtype(np.int32))
        heads[: lookback.FIRST_BUCKETS] = lookback.NONE
        return heads

    @property
    def cut(self) -> int:
        """Keys forgotten so far because the ceiling in rows was reached."""
        return int(self._state[lookback.CUT])

    @property
    def keys(self) -> int:
        """Keys held now."""
        return int(self._state[lookback.KEYS])

    @property
    def rows(self) -> int:
        """Rows held now."""
        return int(self._state[lookback.ROWS])

    def _turn(
        self,
        keys: NDArray[np.uint64],
        values: NDArray[np.uint64] | None,
        times: NDArray[np.int64],
        insert: NDArray[np.bool_],
        read: NDArray[np.bool_],
        *,
        clear: NDArray[np.bool_] | None,
    ) -> NDArray[np.int64]:
        keys = column(keys, np.uint64)
        n = keys.size
        counts = np.zeros(n, np.int64)
        lookback.turn(
            self._state,
            self._heads,
            self._held,
            self._rows,
            self._pairs,
            keys,
            None if values is None else column(values, np.uint64, n),
            column(times, np.int64, n),
            column(insert, np.bool_, n),
            column(read, np.bool_, n),
            _NO_FLAGS if clear is None else column(clear, np.bool_, n),
            counts,
        )
        return counts

    def dump(self) -> bytes:
        """A snapshot: settings, clock, and what is held, stalest key first; after ``load``, every count is the same.

        Little-endian: header, carried state, keys (36 bytes each), times of rows (8), of distinct values their hashes
        (8); CRC-32.
        """
        held = np.empty(self.keys, lookback.KEY)
        times = np.empty(self.rows, np.int64)
        pairs = None if self._pairs is None else np.empty(self.rows, np.uint64)
        lookback.gather(self._state, self._held, self._rows, held, times, pairs)
        keys = np.empty(held.size, _KEY_DUMP)
        for name in _KEY_DUMP.names or ():
            keys[name] = held[name]
        body = b"".join(
            (
                _HEADER.pack(self.kind, VERSION, lookback.BLOCK, self.within, self.ceiling_rows, self.per_key),
                struct.pack("<qq", held.size, times.size),
                self._state[_CARRIED].astype("<i8").tobytes(),
                self._state[_CLOCK].astype("<i8").tobytes(),
                keys.tobytes(),
                times.astype("<i8").tobytes(),
                b"" if pairs is None else pairs.astype("<u8").tobytes(),
            )
        )
        return body + struct.pack("<I", zlib.crc32(body))

    def load(self, data: bytes) -> None:
        """Put a snapshot in place of what is held.

        Raises ValueError, and leaves all as it was, if the snapshot is damaged, of another version or kind of window,
        or of other settings: then refill the window from the record.
        """
        body = memoryview(data)[:-4]
        if len(data) < _HEADER.size + 4 or zlib.crc32(body).to_bytes(4, "little") != data[-4:]:
            raise ValueError("a snapshot must end in the checksum of what stands before it; this one is damaged")
        expected = (self.kind, VERSION, lookback.BLOCK, self.within, self.ceiling_rows, self.per_key)
        found = _HEADER.unpack_from(body)
        if found != expected:
            raise ValueError(
                f"a snapshot must be of this window {expected} (kind, version, block, within, ceiling_rows, per_key), "
                f"got {found}"
            )
        held_size, rows_size = struct.unpack_from("<qq", body, _HEADER.size)
        place = _HEADER.size + 16
        carried = np.frombuffer(body, "<i8", 1, place)
        clock = np.frombuffer(body, "<i8", _CLOCK.stop - _CLOCK.start, place + 8)
        place += 8 + clock.nbytes
        keys = np.frombuffer(body, _KEY_DUMP, held_size, place)
        times = np.frombuffer(body, "<i8", rows_size, place + keys.nbytes).astype(np.int64)
        place += keys.nbytes + times.nbytes
        held = np.zeros(held_size, lookback.KEY)
        for name in _KEY_DUMP.names or ():
            held[name] = keys[name]
        self._reset()
        self._state[_CARRIED], self._state[_CLOCK] = carried, clock
        pairs = None if self._pairs is None else np.frombuffer(body, "<u8", rows_size, place).astype(np.uint64)
        lookback.scatter(self._state, self._heads, self._held, self._rows, self._pairs, held, times, pairs)


class CountWindow(Window):
    """How many events of a key there were within a look-back, by the events' own times.

    Let M be the latest time inserted under the key so far. An event at time t that is inserted

    - with t > M - within is stored in time order; what that key has at or before max(M, t) - within is forgotten;
    - with t <= M - within starts the key anew at t. Somebody's clock was set back, or an earlier event bore a time in
      the future: neither may freeze a window for ever, nor make a flood of an hour that came twice.

    Its count is the number stored with time <= t, itself included: the events in (t - within, t] for an event in order;
    for a late one only those in (M - within, t], so lateness makes counts too low, never a flood out of nothing. A row
    that only reads counts what is in (max(M, t) - within, t] and changes nothing at all; far in the past it counts 0.

    Only the newest ``per_key`` events of a key are kept (of equal times those that came last): there the count
    saturates, and for late events it is a lower bound. When ``ceiling_rows`` events are stored, the key whose last
    insert is longest ago is forgotten, and ``cut`` counts that.

    Keys that fell silent are reclaimed: each insert looks at the stalest key, at most twice. The stream's clock is the
    median time of the last full block of 31 inserts. A key is forgotten once such a block began after its last insert
    and this clock is within + min(within, 1 hour) or more away from where it stood at that insert (or from the insert's
    own time, if that was ahead). So where clocks are right, an event that comes no later than min(within, 1 hour)
    behind the stream counts the same as though nothing was ever reclaimed; otherwise its count may be too low, never
    too high.

    All of it happens row by row in the order of arrival: batches change no count. Times beyond 2^62 milliseconds either
    way are out of bounds.
    """

    kind = b"CoWC"
    row = lookback.ROW

    def __init__(self, within: int, *, ceiling_rows: int = 4_000_000, per_key: int = 4096) -> None:
        super().__init__(within, ceiling_rows=ceiling_rows, per_key=per_key)

    def turn(
        self,
        keys: NDArray[np.uint64],
        times: NDArray[np.int64],
        insert: NDArray[np.bool_],
        read: NDArray[np.bool_],
        clear: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int64]:
        """Let rows happen: for each, clear (forget the key), then insert, then read.

        keys: mixed hashes; times: milliseconds; all of shape (n,). Returns (n,): the count where ``read``, 0 elsewhere.
        Raises ValueError if a column has another length.
        """
        return self._turn(keys, None, times, insert, read, clear=clear)
