"""Looking after the record: frames are sealed, what is over is destroyed, what came in parts is joined."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import pyarrow as pa

from comity.core.event import Event, milliseconds
from comity.core.retention import DAY, Fate, Forgotten, Keeping, TakenBack, end_of, week_of
from comity.stores.record.fates import Left, left_of
from comity.stores.record.replacing import Frames, Parts, Replacing
from comity.stores.record.segment import Segment, bucket_of, opened, rows_of
from comity.stores.record.shape import table

MOST_TAIL: Final = 16 * 2**20  # bytes of frames that are sealed, however new they are
GRACE: Final = DAY  # after a week: what comes late still comes in time
_PATIENCE: Final = DAY  # that a frame may go on holding what is to be gone


class Tended(NamedTuple):
    """What was done. sealed: events; made, dropped: segments; left_out: events that are gone, by reason."""

    sealed: int
    made: int
    dropped: int
    left_out: Counter[str]


class Tending:
    """One pass over a record at a time, milliseconds since 1970."""

    def __init__(self, parts: Parts, now: int) -> None:
        self._parts, self._now = parts, now
        self._sealed = self._made = self._dropped = 0
        self._left_out: Counter[str] = Counter()
        self._keeping = Keeping()

    def run(self, *, whole: bool = False) -> Tended:
        """Do whatever is to be done; whole: seal all frames, however new. Raises StoreError; what is done stays."""
        rows = self._parts.rows
        self._clear_leftovers()
        self._keeping = rows.keeping()
        taken, forgotten = rows.taken_back(), rows.forgotten()
        covered = self._seal_tail(whole=whole, hurried=bool(taken or forgotten))
        segments = rows.segments()
        touched = self._touched(segments, taken, forgotten)
        for _, some in groupby(segments, key=lambda s: s.week):
            self._tend_week(list(some), touched)
        self._settle(taken if covered else (), forgotten if covered else ())
        return Tended(self._sealed, self._made, self._dropped, self._left_out)

    def _clear_leftovers(self) -> None:
        files = self._parts.rows.leftovers()
        for file in files:
            self._parts.step("delete a leftover")
            self._parts.place.delete(file)
        self._parts.rows.drop_leftovers(files)

    def _seal_tail(self, *, whole: bool, hurried: bool) -> bool:
        """Seal the frames if it is time to; whether none is left that there was."""
        tail = self._parts.tail
        frames, _, size = self._parts.tables.frames_size()
        if not frames:
            return True
        if not (whole or size > MOST_TAIL or self._is_time(next(tail.frames())[1], hurried=hurried)):
            return False
        base, events, last = tail.base(), list[Event](), None
        for last, some in tail.frames():  # noqa: B007 - the last one is asked for
            events += some
        if last is not None:
            left = left_of(table(events, last.number), self._keeping, self._now)
            self._sealed += left.rows.num_rows
            self._replace(left, [], Frames(base, last))
        return True

    def _is_time(self, oldest: Sequence[Event], *, hurried: bool) -> bool:
        at = min((milliseconds(e.at) for e in oldest), default=self._now)
        return end_of(week_of(at)) + GRACE <= self._now or (hurried and at + _PATIENCE <= self._now)

    def _tend_week(self, segments: list[Segment], touched: Collection[str]) -> None:
        """Write anew what is to change of one week, and join what came in several parts once it is over."""
        is_over = end_of(segments[0].week) + GRACE <= self._now
        for group in overlapping(segments) if is_over else [[s] for s in segments]:
            if len(group) > 1 or group[0].name in touched or self._is_due(group[0]):
                self._rewrite(group)

    def _is_due(self, segment: Segment) -> bool:
        """Whether a term is over, or what kept something beyond its term."""
        keeping, now = self._keeping, self._now
        active = {hold.name for hold in keeping.holds if hold.since <= now < hold.until}
        return (
            any(keeping.over(community, room, segment.week, now) for community, room in segment.rooms)
            or any(keeping.fate(said, now) is not Fate.KEPT for said in segment.beyond)
            or not active.issuperset(segment.holds)
        )

    def _rewrite(self, group: Sequence[Segment]) -> None:
        left = left_of(pa.concat_tables([self._parts.read(s) for s in group]), self._keeping, self._now)
        if len(group) == 1 and not left.left_out and not left.bare and not self._is_due(group[0]):
            same = set(left.beyond) == set(group[0].beyond) and left.holds == set(group[0].holds)
            if same:  # somebody was looked for who is here, and all of whom is still needed
                return
        self._replace(left, group)

    def _replace(self, left: Left, old: Sequence[Segment], frames: Frames | None = None) -> None:
        self._made += Replacing(self._parts, self._keeping, self._now).replace(left, old, frames)
        self._dropped += len(old)
        self._left_out.update(left.left_out)

    def _touched(
        self, segments: Iterable[Segment], taken: Sequence[TakenBack], forgotten: Sequence[Forgotten]
    ) -> set[str]:
        """Names of segments that hold anything of a member who is to be forgotten, or that was taken back."""
        leaving, authors = defaultdict[int, set[str]](set), defaultdict[int, set[str]](set)
        for f in forgotten:
            leaving[bucket_of(f.member)].add(f.member)
        for t in taken:
            authors[bucket_of(t.member)].add(t.member)
        events = {t.event for t in taken}
        found = set()
        for s in segments:
            buckets = range(s.low, s.high + 1)
            gone, some = ({m for b in buckets for m in of[b]} for of in (leaving, authors))
            if not gone and not some:
                continue
            file = opened(self._parts.place, s, self._parts.keys.get(s.name))
            if gone and rows_of(file, sorted(gone), ["member"]).num_rows:
                found.add(s.name)
            elif some:
                rows = rows_of(file, sorted(some), ["member", "id", "target"])
                if events & {*rows.column("id").to_pylist(), *rows.column("target").to_pylist()}:
                    found.add(s.name)
        return found

    def _settle(self, taken: Sequence[TakenBack], forgotten: Sequence[Forgotten]) -> None:
        """Drop the wishes of which nothing is left to be done, and holds that are over."""
        rows = self._parts.rows
        segments = rows.segments()
        beyond = [said for s in segments for said in s.beyond]
        events = {(said.community, name) for said in beyond for name in (said.id, said.target)}
        members = {(said.community, said.member) for said in beyond}
        held = {b for s in segments if s.holds for b in range(s.low, s.high + 1)}
        done = [t for t in taken if (t.community, t.event) not in events and bucket_of(t.member) not in held]
        gone = [f for f in forgotten if (f.community, f.member) not in members and bucket_of(f.member) not in held]
        over = [hold.name for hold in rows.holds() if hold.until <= self._now]
        if done or gone or over:
            with self._parts.tables.write():
                rows.carried_out(done)
                rows.are_forgotten(gone)
                rows.drop_holds(over)


def overlapping(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Segments of one week in groups that share buckets."""
    groups: list[list[Segment]] = []
    high = -1
    for s in sorted(segments, key=lambda s: (s.low, s.high)):
        if groups and s.low <= high:
            groups[-1].append(s)
        else:
            groups.append([s])
        high = max(high, s.high)
    return groups
