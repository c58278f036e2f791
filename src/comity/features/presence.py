"""When each member last spoke in each room, within a look-back: who is silent, and who is taking part."""

import struct

import numpy as np
from numba import njit

from comity.features.columns import Hashes
from comity.features.pieces import Bools, Ints

_STATE = np.dtype([("key", "<u8"), ("at", "<i8")])
_SIZE = struct.Struct("<q")
_FIRST_SIZE = 1024
_GRACE = 3_600_000  # milliseconds by which an event may come late and still find who spoke before it


@njit(cache=True, nogil=True)
def _turn(
    first: int, speakers: Hashes, at: Ints, speaks: Bools, owners: Ints, mentioned: Hashes, within: int, keys: Hashes,
    times: Ints, held: int, out: Ints,
) -> tuple[int, int]:  # fmt: skip
    """Let rows happen from ``first`` on, until the table is half full; returns the next row, and how many are held."""
    mask = np.uint64(len(keys) - 1)
    mention = np.searchsorted(owners, first)
    for i in range(first, len(speakers)):
        while mention < len(owners) and owners[mention] == i:
            slot = mentioned[mention] & mask
            while keys[slot] != mentioned[mention] and keys[slot] != 0:
                slot = (slot + np.uint64(1)) & mask
            if keys[slot] != 0 and abs(at[i] - times[slot]) <= within:
                out[mention] = times[slot]
            mention += 1
        if speaks[i]:
            slot = speakers[i] & mask
            while keys[slot] != speakers[i] and keys[slot] != 0:
                slot = (slot + np.uint64(1)) & mask
            held += keys[slot] == 0
            keys[slot], times[slot] = speakers[i], at[i]
            if 2 * held >= len(keys):
                return i + 1, held
    return len(speakers), held


class LastSpoke:
    """The time of the last message under each key. within: milliseconds; what is older counts as never.

    When the table is half full, who has been silent for the look-back and an hour is left out, by the median of the
    times in it: it depends on the events alone, not on how they come in batches, and one bogus time moves nothing.
    """

    def __init__(self, within: int) -> None:
        self._within = within
        self._keys, self._times = np.zeros(_FIRST_SIZE, np.uint64), np.zeros(_FIRST_SIZE, np.int64)
        self._held = 0

    def turn(self, speakers: Hashes, at: Ints, speaks: Bools, owners: Ints, mentioned: Hashes) -> Ints:
        """For each mention, of shape (mentions,), when the one mentioned last spoke before it; 0 if too long ago.

        speakers, at, speaks: of each event, in order; owners: the event of each mention, ascending; mentioned: its key.
        """
        out = np.zeros(len(owners), np.int64)
        row = 0
        while row < len(speakers):
            row, self._held = _turn(
                row, speakers, at, speaks, owners, mentioned, self._within, self._keys, self._times, self._held, out
            )
            if 2 * self._held >= len(self._keys):
                self._grow()
        return out

    def _grow(self) -> None:
        full = self._keys != 0
        keys, times = self._keys[full], self._times[full]
        kept = times >= int(np.median(times)) - self._within - _GRACE
        size = len(self._keys) * (2 if 4 * int(kept.sum()) >= len(self._keys) else 1)
        self._fill(keys[kept], times[kept], size)

    def _fill(self, keys: Hashes, times: Ints, size: int) -> None:
        self._keys, self._times = np.zeros(size, np.uint64), np.zeros(size, np.int64)
        none = np.empty(0, np.int64)
        everyone = np.ones(len(keys), np.bool_)
        _, self._held = _turn(0, keys, times, everyone, none, none.view(np.uint64), 0, self._keys, self._times, 0, none)

    def dump(self) -> bytes:
        """The size of the table, then keys and times."""
        state = np.zeros(self._held, _STATE)
        full = self._keys != 0
        state["key"], state["at"] = self._keys[full], self._times[full]
        return _SIZE.pack(len(self._keys)) + np.sort(state, order="key").tobytes()

    def load(self, state: bytes) -> None:
        """Go on from ``dump``. Raises ValueError if the state is none of this feature's."""
        body = state[_SIZE.size :]
        size = _SIZE.unpack_from(state)[0] if len(state) >= _SIZE.size else 0
        count = len(body) // _STATE.itemsize
        if len(body) % _STATE.itemsize or size < max(_FIRST_SIZE, 2 * count) or size & (size - 1):
            raise ValueError(f"{len(state)} bytes are no times of last messages")
        rows = np.frombuffer(body, _STATE)
        self._fill(rows["key"].copy(), rows["at"].copy(), size)
