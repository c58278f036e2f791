"""When each member last spoke in each room, within a look-back: who is silent, and who is taking part."""

import struct

import numpy as np
from numba import njit

from comity.features.columns import Hashes
from comity.features.pieces import Bools, Ints

_STATE = np.dtype([("key", "<u8"), ("at", "<i8")])
_SIZE = struct.Struct("<q")
_FIRST_SIZE = 1024
_WARM_FROM, _AHEAD = 16_384, 64  # slots from which memory is fetched ahead, and rows it is fetched ahead for
_GRACE = 3_600_000  # milliseconds by which an event may come late and still find who spoke before it


@njit(cache=True, nogil=True)
def _turn(
    first: int, speakers: Hashes, at: Ints, speaks: Bools, owners: Ints, mentioned: Hashes, within: int, table: Hashes,
    held: int, out: Ints,
) -> tuple[int, int, np.uint64]:  # fmt: skip
    """Let rows happen from ``first`` on, until the table is half full; returns the next row, and how many are held.

    table: shape (slots, 2), a key and its time in one place; the third result means nothing, it only keeps the fetching
    ahead from being left out.
    """
    mask = np.uint64(len(table) - 1)
    mention = np.searchsorted(owners, first)
    warm = np.uint64(0)
    for i in range(first, len(speakers)):
        if (i - first) % _AHEAD == 0 and len(table) > _WARM_FROM:
            for k in range(i, min(i + _AHEAD, len(speakers))):
                warm ^= table[speakers[k] & mask, 0]
        while mention < len(owners) and owners[mention] == i:
            slot = mentioned[mention] & mask
            while table[slot, 0] != mentioned[mention] and table[slot, 0] != 0:
                slot = (slot + np.uint64(1)) & mask
            if table[slot, 0] != 0 and abs(at[i] - np.int64(table[slot, 1])) <= within:
                out[mention] = np.int64(table[slot, 1])
            mention += 1
        if speaks[i]:
            slot = speakers[i] & mask
            while table[slot, 0] != speakers[i] and table[slot, 0] != 0:
                slot = (slot + np.uint64(1)) & mask
            held += table[slot, 0] == 0
            table[slot, 0], table[slot, 1] = speakers[i], np.uint64(at[i])
            if 2 * held >= len(table):
                return i + 1, held, warm
    return len(speakers), held, warm


class LastSpoke:
    """The time of the last message under each key. within: milliseconds; what is older counts as never.

    When the table is half full, who has been silent for the look-back and an hour is left out, by the median of the
    times in it: it depends on the events alone, not on how they come in batches, and one bogus time moves nothing.
    """

    def __init__(self, within: int) -> None:
        self._within = within
        self._table, self._held = np.zeros((_FIRST_SIZE, 2), np.uint64), 0

    def turn(self, speakers: Hashes, at: Ints, speaks: Bools, owners: Ints, mentioned: Hashes) -> Ints:
        """For each mention, of shape (mentions,), when the one mentioned last spoke before it; 0 if too long ago.

        speakers, at, speaks: of each event, in order; owners: the event of each mention, ascending; mentioned: its key.
        """
        out = np.zeros(len(owners), np.int64)
        row = 0
        while row < len(speakers):
            row, self._held, _ = _turn(
                row, speakers, at, speaks, owners, mentioned, self._within, self._table, self._held, out
            )
            if 2 * self._held >= len(self._table):
                self._grow()
        return out

    def _grow(self) -> None:
        keys, times = self._rows()
        kept = times >= int(np.median(times)) - self._within - _GRACE
        size = len(self._table) * (2 if 4 * int(kept.sum()) >= len(self._table) else 1)
        self._fill(keys[kept], times[kept], size)

    def _fill(self, keys: Hashes, times: Ints, size: int) -> None:
        self._table = np.zeros((size, 2), np.uint64)
        none = np.empty(0, np.int64)
        everyone = np.ones(len(keys), np.bool_)
        _, self._held, _ = _turn(0, keys, times, everyone, none, none.view(np.uint64), 0, self._table, 0, none)

    def _rows(self) -> tuple[Hashes, Ints]:
        full = self._table[self._table[:, 0] != 0]
        return full[:, 0].copy(), full[:, 1].copy().view(np.int64)

    def dump(self) -> bytes:
        """The size of the table, then keys and times."""
        state = np.zeros(self._held, _STATE)
        state["key"], state["at"] = self._rows()
        return _SIZE.pack(len(self._table)) + np.sort(state, order="key").tobytes()

    def load(self, state: bytes) -> None:
        """Go on from ``dump``. Raises ValueError if the state is none of this feature's."""
        body = state[_SIZE.size :]
        size = _SIZE.unpack_from(state)[0] if len(state) >= _SIZE.size else 0
        count = len(body) // _STATE.itemsize
        if len(body) % _STATE.itemsize or size < max(_FIRST_SIZE, 2 * count) or size & (size - 1):
            raise ValueError(f"{len(state)} bytes are no times of last messages")
        rows = np.frombuffer(body, _STATE)
        self._fill(rows["key"].copy(), rows["at"].copy(), size)
