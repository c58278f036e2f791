"""When each member last spoke in each room, within a look-back: who is silent, and who is taking part."""

import numpy as np
from numba import njit

from comity.features.columns import Hashes
from comity.features.pieces import Bools, Ints

_STATE = np.dtype([("key", "<u8"), ("at", "<i8")])


@njit(cache=True, nogil=True)
def _turn(speakers, at, speaks, owners, mentioned, within, keys, times, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    mask = np.uint64(len(keys) - 1)
    mention = 0
    added = 0
    for i in range(len(speakers)):
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
            added += keys[slot] == 0
            keys[slot], times[slot] = speakers[i], at[i]
    return added


class LastSpoke:
    """The time of the last message under each key. within: milliseconds; what is older counts as never."""

    def __init__(self, within: int) -> None:
        self._within = within
        self._keys, self._times, self._held = np.zeros(1024, np.uint64), np.zeros(1024, np.int64), 0

    def turn(self, speakers: Hashes, at: Ints, speaks: Bools, owners: Ints, mentioned: Hashes) -> Ints:
        """For each mention, of shape (mentions,), when the one mentioned last spoke before it; 0 if too long ago.

        speakers, at, speaks: of each event, in order; owners: each mention's event, ascending; mentioned: whose key.
        """
        self._make_room(len(speakers), int(at.max()) if len(at) else 0)
        out = np.zeros(len(owners), np.int64)
        self._held += _turn(speakers, at, speaks, owners, mentioned, self._within, self._keys, self._times, out)
        return out

    def _make_room(self, rows: int, now: int) -> None:
        if 2 * (self._held + rows) <= len(self._keys):
            return
        # Before growing, leave out who has been silent for long. An hour's grace keeps clocks that are set back exact.
        kept = (self._keys != 0) & (self._times >= now - self._within - 3_600_000)
        self._fill(self._keys[kept], self._times[kept], rows)

    def _fill(self, keys: Hashes, times: Ints, rows: int) -> None:
        size = max(1024, 1 << (4 * (len(keys) + rows) - 1).bit_length())
        self._keys, self._times, self._held = np.zeros(size, np.uint64), np.zeros(size, np.int64), 0
        none = np.empty(0, np.int64)
        self._held += _turn(
            keys, times, np.ones(len(keys), np.bool_), none, none.view(np.uint64), 0, self._keys, self._times, none
        )

    def dump(self) -> bytes:
        """Keys and times."""
        state = np.zeros(self._held, _STATE)
        full = self._keys != 0
        state["key"], state["at"] = self._keys[full], self._times[full]
        return np.sort(state, order="key").tobytes()

    def load(self, state: bytes) -> None:
        """Go on from ``dump``. Raises ValueError if the state is none of this feature's."""
        if len(state) % _STATE.itemsize:
            raise ValueError(f"{len(state)} bytes are no times of last messages")
        rows = np.frombuffer(state, _STATE)
        self._fill(rows["key"].copy(), rows["at"].copy(), 0)
