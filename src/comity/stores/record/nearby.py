"""What was said around a message, and whose it is: for a case, by the message's id."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.core.event import Event, milliseconds, moment, rfc3339
from comity.core.retention import week_of
from comity.stores.record.reading import Reading
from comity.stores.record.replacing import Parts
from comity.stores.record.shape import SCHEMA, events_of, in_time, table

NEAR: Final = 12 * 3_600_000  # milliseconds: what is further away is no longer what a message answers
_KINDS: Final = ("message", "edit")
_NEWEST: Final = 2**31 - 1  # the part of what is not sealed yet, which came last


class Nearby:
    """A community's record as it may be read at a time; made for a few questions, since it keeps what it has read."""

    def __init__(self, parts: Parts, community: str, now: int) -> None:
        self._parts, self._community = parts, community
        self._reading = Reading(parts, now)
        self._weeks: dict[int, pa.Table] = {}

    def author(self, event: str, since: int, until: int) -> str:
        """The pseudonym of whose event it is, "" where it is not there. since, until: when it may have been."""
        found = self._found(event, since, until)
        return str(found.column("member")[0]) if found.num_rows else ""

    def around(self, event: str, since: int, until: int, *, before: int, after: int) -> Sequence[Event]:
        """An event and what was said next to it in its room, in order; nothing where it is not there.

        since, until: milliseconds since 1970 between which it may have been; before, after: how many messages at most,
        none of them more than ``NEAR`` away. What its author took back is not among those around.
        """
        found = self._found(event, since, until)
        if not found.num_rows:
            return ()
        room, at = str(found.column("room")[0]), int(found.column("at")[0].as_py())
        low, high = at - NEAR, at + NEAR
        rows = [self._of_week(week) for week in range(week_of(low), week_of(high) + 1)]
        tail = [e for e in self._tail if e.room == room and low <= milliseconds(e.at) <= high]
        rows.append(self._reading.left(table(tail, _NEWEST)) if tail else SCHEMA.empty_table())
        said = pa.concat_tables(rows)
        times = said.column("at").to_numpy()
        in_room = pc.equal(said.column("room"), pa.scalar(room)).to_numpy()
        events = events_of(in_time(said.filter(pa.array(in_room & (times >= low) & (times <= high)))))
        kept = [e for e in events if e.id == event or (e.kind in _KINDS and e.text)]
        place = next(i for i, e in enumerate(kept) if e.id == event)
        return kept[max(place - before, 0) : place + after + 1]

    def _found(self, event: str, since: int, until: int) -> pa.Table:
        """The row of an event, or none: what is newest is looked through first."""
        low, high = rfc3339(moment(since)), rfc3339(moment(until))
        mine = [e for e in self._tail if e.id == event and low <= e.at <= high]
        if mine:
            return self._reading.left(table(mine[-1:], _NEWEST))
        for week in range(week_of(until), week_of(since) - 1, -1):
            rows = self._of_week(week)
            which = np.flatnonzero(pc.equal(rows.column("id"), pa.scalar(event)).to_numpy())
            if len(which):
                return rows.take(pa.array(which[-1:]))
        return SCHEMA.empty_table()

    @cached_property
    def _tail(self) -> list[Event]:
        """What is not sealed yet of the community."""
        return [e for _, some in self._parts.tail.frames() for e in some if e.community == self._community]

    def _of_week(self, week: int) -> pa.Table:
        """What is sealed of the community's week."""
        if week not in self._weeks:
            rows = [self._reading.of_segment(s) for s in self._reading.segments() if s.week == week]
            some = pa.concat_tables([SCHEMA.empty_table(), *rows])
            self._weeks[week] = some.filter(pc.equal(some.column("community"), pa.scalar(self._community)))
        return self._weeks[week]
