"""Putting segments in the place of others, or of frames; safe to stop anywhere.

It is done in three steps. The names of new files are noted and the files written; one transaction then takes them in,
drops what they replace and destroys its keys; last the old files are deleted. Killed in between, there are files too
many, never too few, and those mean nothing: they are named as leftovers, and nobody has their keys.
"""

import os
from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from comity.core.errors import StoreError
from comity.core.retention import Keeping, Named, start_of, week_of
from comity.stores.record.fates import Left
from comity.stores.record.keys import Keys
from comity.stores.record.links import AnyLink, Chain, Destroyed, sealed_link
from comity.stores.record.places import Place
from comity.stores.record.rows import Rows
from comity.stores.record.segment import BUCKETS, Sealed, Segment, bucket_of, opened, seal
from comity.stores.record.tail import Tail
from comity.stores.record_contract import FrameRow, RecordTables

# Events that a segment has at most, about, while there are buckets to part it by. Whoever is erased or asked for is in
# one segment of each week, and that is written or read whole. Half as many would add 2 % to the bytes.
_EVENTS: Final = 4_000


class Parts(NamedTuple):
    """What a record is made of. step: told before each step of a change, by name."""

    tables: RecordTables
    place: Place
    keys: Keys
    chain: Chain
    rows: Rows
    tail: Tail
    step: Callable[[str], None] = lambda _name: None

    def read(self, segment: Segment) -> pa.Table:
        """All rows of a segment. Raises StoreError if it cannot be read."""
        file = opened(self.place, segment, self.keys.get(segment.name))
        return file.read(use_threads=False)


class Frames(NamedTuple):
    """Frames to be replaced: what stood before the first of them when they were read, and the last of them."""

    base: tuple[int, bytes]
    through: FrameRow


class Replacing:
    """Replaces segments at a time, milliseconds since 1970."""

    def __init__(self, parts: Parts, keeping: Keeping, now: int) -> None:
        self._parts, self._keeping, self._now = parts, keeping, now

    def replace(self, left: Left, old: Sequence[Segment], frames: Frames | None = None) -> int:
        """Take in new segments of what is left, instead of old ones or frames; returns how many.

        Raises StoreError if another process was quicker; then nothing is changed.
        """
        p = self._parts
        made = self._sealed(left, old)
        files = [s.segment.file for s in made]
        p.step("note the new files")
        p.rows.keep_leftovers(files)
        for s in made:
            p.step("write a file")
            p.place.put(s.segment.file, s.data)
        p.step("take them in")
        gone = [s.name for s in old]
        with p.tables.write():
            self._check_unmoved(gone, frames)
            for s in made:
                p.keys.keep(s.segment.name)
                p.rows.keep_segment(s)
            p.step("drop the old ones")
            p.rows.drop_segments(gone)
            p.keys.destroy(gone)
            p.rows.drop_leftovers(files)
            p.rows.keep_leftovers(s.file for s in old)
            p.chain.add(*self._links(made, old, left))
            if frames is not None:
                p.tail.drop(frames.through)
            p.step("commit")
        for dropped in old:
            p.step("delete a file")
            p.place.delete(dropped.file)
        p.step("forget the old files")
        p.rows.drop_leftovers(s.file for s in old)
        return len(made)

    def _check_unmoved(self, gone: Collection[str], frames: Frames | None) -> None:
        here = self._parts.rows.cards() if gone else ()
        if any(name not in here for name in gone) or (frames and frames.base != self._parts.tail.base()):
            raise StoreError("another process looks after this record just now: let it finish, then start again")

    def _sealed(self, left: Left, old: Sequence[Segment]) -> list[Sealed]:
        """New segments, not kept anywhere yet: by week, and by bucket if they are large."""
        low, high = (min(s.low for s in old), max(s.high for s in old)) if old else (0, BUCKETS - 1)
        weeks = week_of(left.rows.column("at").to_numpy())
        made = []
        for week in np.unique(weeks).tolist():
            rows = left.rows.filter(pa.array(weeks == week))
            buckets = np.array([bucket_of(m) for m in rows.column("member").to_pylist()], np.int8)
            width = _width(rows.num_rows, high - low + 1)
            for first in range(low, high + 1, width):
                last = min(first + width - 1, high)
                some = rows.filter(pa.array((buckets >= first) & (buckets <= last)))
                if some.num_rows:
                    made.append(self._seal(some, left, week, first, last))
        return made

    def _seal(self, rows: pa.Table, left: Left, week: int, low: int, high: int) -> Sealed:
        name = f"{np.datetime64(start_of(week), 'ms').astype('datetime64[D]')}-{os.urandom(8).hex()}"
        beyond = [s for s in left.beyond if week_of(s.at) == week and low <= bucket_of(s.member) <= high]

        def over(room: Named) -> bool:
            return self._keeping.over(*room, week, self._now)

        key, holds = self._parts.keys.new(name), sorted(left.holds)
        return seal(name, key, rows, week=week, low=low, high=high, beyond=beyond, holds=holds, over=over)

    def _links(self, made: Sequence[Sealed], old: Sequence[Segment], left: Left) -> list[AnyLink]:
        """What the chain says of it; what is gone is counted in the first link."""
        why = dict(left.left_out)
        if not made:
            tombs = (Destroyed(at=self._now, segment=s.name, week=s.week, events=s.events, why={}) for s in old)
            return [Destroyed(at=t.at, segment=t.segment, week=t.week, events=t.events, why=why) for t in tombs]
        entry, names = self._parts.tables.head(), [s.name for s in old]
        first, *others = made
        return [
            sealed_link(first.segment, self._now, entry, instead_of=names, left_out=why, bared=left.bare),
            *(sealed_link(s.segment, self._now, entry) for s in others),
        ]


def _width(events: int, most: int) -> int:
    """How many buckets each segment has: few events are not spread over many files."""
    width = most
    while width > 1 and events * width > _EVENTS * most:
        width = (width + 1) // 2
    return width
