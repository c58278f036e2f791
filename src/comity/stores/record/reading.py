"""Reading the record: what one asks for, without what is to be gone, whether it was destroyed already or not."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.core.event import Event
from comity.core.retention import DAY, Keeping, end_of, start_of, week_of
from comity.stores.record.fates import left_of
from comity.stores.record.replacing import Parts
from comity.stores.record.segment import BUCKETS, Segment, bucket_of, opened, rows_of
from comity.stores.record.shape import DICTIONARIES, SCHEMA, events_of, in_time, table
from comity.stores.record_contract import FrameRow

_LAST: Final = 2**31 - 1  # the part of what is not sealed: it came last
_BEARING: Final = ("community", "member", "name", "role", "kind", "at")
_NOTHING: Final[dict[str, str | int]] = {"at": 0, "part": 0, "place": 0, "kind": "join"}


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    member: a pseudonym; since, until: milliseconds since 1970, until excluded; "" or None: any.
    """

    community: str
    member: str = ""
    room: str = ""
    text: str = ""
    since: int | None = None
    until: int | None = None


class Version(NamedTuple):
    """A week as it may be read. digest: hexadecimal; while it is the same, so is all that is read up to its end."""

    week: int
    events: int
    digest: str


class Reading:
    """The record as it may be read at a time, milliseconds since 1970.

    through: number of the last frame to look at, so that what is said meanwhile changes nothing; all if not given.
    """

    def __init__(self, parts: Parts, now: int, *, through: int | None = None) -> None:
        self._parts, self._now, self._through = parts, now, through
        self._tail: pa.Table | None = None
        self._keeping = parts.rows.keeping()
        wishes = {member for _, member in self._keeping.forgotten} | set(self._keeping.taken_back.values())
        self._buckets = {bucket_of(member) for member in wishes}

    @property
    def keeping(self) -> Keeping:
        """What is to be kept."""
        return self._keeping

    def find(self, query: Query) -> list[Event]:
        """Events in the order of their times."""
        found: Iterable[pa.Table] = (self._rows(s, query) for s in self._segments(query))
        if query.member:  # few rows of many segments: it is quicker to ask about all of them at once
            found = [pa.concat_tables([SCHEMA.empty_table(), *(rows for rows in found if rows.num_rows)])]
        tables = [t for rows in found if (t := self._asked(rows, query)).num_rows]
        if events := self._events():
            tables.append(self._asked(self.left(table(events, _LAST)), query))
        return events_of(in_time(pa.concat_tables(tables))) if tables else []

    def segments(self) -> list[Segment]:
        """All segments, by week."""
        return self._parts.rows.segments()

    def of_segment(self, segment: Segment, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of a segment that may be read, in its order; all columns, unless nothing of it is to be gone."""
        if self._may_lose(segment):
            found = self.left(self._parts.read(segment))
            return found if columns is None else found.select(list(columns))
        file = opened(self._parts.place, segment, self._parts.keys.get(segment.name))
        return file.read(columns=None if columns is None else list(columns), use_threads=False)

    def weeks(
        self, *, since: int | None = None, until: int | None = None, buckets: range | None = None
    ) -> Iterator[pa.Table]:
        """All that may be read, a table for each week in order, its rows in no order; the newest part is in its week.

        since, until: whole weeks that hold them; buckets: of members, or all. Identifiers are dictionaries.
        """
        tail = self.tail()
        of_tail = np.asarray(week_of(tail.column("at").to_numpy()))
        segments = [
            s for s in self.segments() if buckets is None or not set(buckets).isdisjoint(range(s.low, s.high + 1))
        ]
        for week in sorted({s.week for s in segments} | set(of_tail.tolist())):
            if (since is None or end_of(week) > since) and (until is None or start_of(week) <= until):
                tables = [self._columns(s) for s in segments if s.week == week]
                tables.append(_encoded(tail.filter(pa.array(of_tail == week))))
                yield _of_buckets(pa.concat_tables(tables).unify_dictionaries(), buckets)

    def _columns(self, segment: Segment) -> pa.Table:
        if self._may_lose(segment):
            return _encoded(self.left(self._parts.read(segment)))
        key = self._parts.keys.get(segment.name)
        return opened(self._parts.place, segment, key, dictionaries=True).read(use_threads=False)

    def tail(self) -> pa.Table:
        """The rows that are not sealed yet, as they were when this was asked first."""
        if self._tail is None:
            events = self._events()
            self._tail = self.left(table(events, _LAST)) if events else SCHEMA.empty_table()
        return self._tail

    def _events(self) -> list[Event]:
        return [e for frame, some in self._parts.tail.frames() if self._is_meant(frame) for e in some]

    def _is_meant(self, frame: FrameRow) -> bool:
        return self._through is None or frame.number <= self._through

    def versions(self) -> list[Version]:
        """Every week that ``weeks`` gives, in order, without decrypting what is sealed.

        While something is to be gone that is not yet, a digest also holds the time that is read at.
        """
        wishes = sorted(self._keeping.forgotten.items()), sorted(self._keeping.taken_back.items())
        frames = [f.seal.hex() for f in self._parts.tables.frames() if self._is_meant(f)]
        of_tail = np.asarray(week_of(self.tail().column("at").to_numpy()))
        by_week: dict[int, list[Segment]] = {}
        for segment in self.segments():
            by_week.setdefault(segment.week, []).append(segment)
        found, digest = [], blake2b(digest_size=16)
        for week in sorted({*by_week, *of_tail.tolist()}):
            some, new = by_week.get(week, []), int((of_tail == week).sum())
            for segment in some:
                digest.update(segment.file_root)
                if self._may_lose(segment):
                    digest.update(repr((wishes, self._now)).encode())
            if new:
                over = end_of(week) + self._keeping.shortest * DAY <= self._now
                digest.update(repr((frames, wishes, self._now if any(wishes) or over else 0)).encode())
            found.append(Version(week, sum(s.events for s in some) + new, digest.hexdigest()))
        return found

    def names_of(self, role: str, *, since: int, before: int) -> pa.Table:
        """One event, the first, for each name that each member bore in a role in a span of time; who, when and what.

        What else there is of an event is null or "", and its kind is "join".
        """
        tables = []
        for segment in [s for s in self.segments() if start_of(s.week) < before and end_of(s.week) > since]:
            rows = self.of_segment(segment, _BEARING)
            tables.append(rows.filter(_bears(rows, role, since, before)))
        tail = self.tail().select(_BEARING)
        tables.append(tail.filter(_bears(tail, role, since, before)))
        rows = pa.concat_tables(tables).group_by(["community", "member", "name"]).aggregate([("at", "min")])
        count = rows.num_rows
        columns: dict[str, pa.Array] = {f.name: pa.nulls(count, f.type) for f in SCHEMA if f.nullable}
        columns |= {f.name: pa.repeat(_NOTHING.get(f.name, ""), count).cast(f.type) for f in SCHEMA if not f.nullable}
        columns |= {name: rows.column(name) for name in ("community", "member", "name")}
        columns |= {"at": rows.column("at_min"), "role": pa.repeat(role, count)}
        return pa.table([columns[f.name] for f in SCHEMA], schema=SCHEMA)

    def left(self, rows: pa.Table) -> pa.Table:
        """What is left of rows."""
        return left_of(rows, self._keeping, self._now).rows

    def _segments(self, query: Query) -> Iterator[Segment]:
        for s in self.segments():
            if query.member and not s.low <= bucket_of(query.member) <= s.high:
                continue
            if query.since is not None and end_of(s.week) <= query.since:
                continue
            if query.until is not None and start_of(s.week) >= query.until:
                continue
            yield s

    def _rows(self, segment: Segment, query: Query) -> pa.Table:
        if not query.member:
            return self.of_segment(segment)
        file = opened(self._parts.place, segment, self._parts.keys.get(segment.name), dictionaries=True)
        rows = rows_of(file, [query.member])
        if not rows.num_rows:
            return rows
        rows = rows.cast(SCHEMA)  # identifiers stay encoded until few are left
        return self.left(rows) if self._may_lose(segment) else rows

    def _asked(self, rows: pa.Table, query: Query) -> pa.Table:
        if not rows.num_rows:
            return rows
        asked = pc.equal(rows.column("community"), query.community)
        if query.member:
            asked = pc.and_(asked, pc.equal(rows.column("member"), query.member))
        if query.room:
            asked = pc.and_(asked, pc.equal(rows.column("room"), query.room))
        if query.since is not None:
            asked = pc.and_(asked, pc.greater_equal(rows.column("at"), query.since))
        if query.until is not None:
            asked = pc.and_(asked, pc.less(rows.column("at"), query.until))
        if query.text:
            asked = pc.and_(asked, pc.match_substring(rows.column("text"), query.text, ignore_case=True))
        return rows.filter(pc.fill_null(asked, False))  # noqa: FBT003 - Arrow's own signature

    def _may_lose(self, segment: Segment) -> bool:
        """Whether anything of a segment may be to be gone."""
        if not self._buckets.isdisjoint(range(segment.low, segment.high + 1)) or segment.beyond or segment.holds:
            return True
        if end_of(segment.week) + self._keeping.shortest * DAY > self._now:
            return False
        return any(self._keeping.over(*room, segment.week, self._now) for room in segment.rooms)


def _bears(rows: pa.Table, role: str, since: int, before: int) -> pa.ChunkedArray:
    """Events of somebody in a role; one that gives a role tells the role given, and not the giver's."""
    in_role = pc.and_(pc.equal(rows.column("role"), role), pc.not_equal(rows.column("kind"), "role"))
    at = rows.column("at")
    then = pc.and_(pc.greater_equal(at, since), pc.less(at, before))
    named = pc.and_(in_role, pc.is_valid(rows.column("name")))
    return pc.fill_null(pc.and_(named, then), False)  # noqa: FBT003 - Arrow's own signature


def _encoded(rows: pa.Table) -> pa.Table:
    for name in DICTIONARIES:
        column = rows.column(name).dictionary_encode().cast(pa.dictionary(pa.int32(), pa.string()))
        field = pa.field(name, column.type, nullable=SCHEMA.field(name).nullable)
        rows = rows.set_column(rows.schema.get_field_index(name), field, column)
    return rows


def _of_buckets(rows: pa.Table, buckets: range | None) -> pa.Table:
    if buckets is None or len(buckets) == BUCKETS:
        return rows
    digits = pa.array([f"{b:x}" for b in buckets])
    return rows.filter(pc.is_in(pc.utf8_slice_codeunits(rows.column("member").cast(pa.string()), 0, 1), digits))
