"""The record of a store: the way in for whoever writes to it, looks after it, or asks what it keeps."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

from comity.core.errors import StoreError
from comity.core.event import Event, milliseconds
from comity.core.looking import Look
from comity.core.retention import (
    DAY,
    LONGEST,
    SHORTEST,
    TERM,
    Forgotten,
    Hold,
    TakenBack,
    end_of,
)
from comity.stores.record.keys import Keeper, Keys
from comity.stores.record.links import SIGNING, Began, Chain, Held, Looked, RoomTold, Rotated, SignedHead, public_key
from comity.stores.record.places import Place
from comity.stores.record.replacing import Parts
from comity.stores.record.rows import Room, Rows
from comity.stores.record.shape import accounts_in, recorded
from comity.stores.record.tail import Tail
from comity.stores.record.tending import Tended, Tending
from comity.stores.record_contract import RecordTables


class Status(NamedTuple):
    """What a record keeps.

    events: sealed and not; size: bytes of segments and frames; since: milliseconds since 1970 of the oldest event, None
    if there is none; goes_next: when the next of it is destroyed, None if nothing is sealed; waiting: redactions and
    wishes to be forgotten that were not carried out everywhere yet.
    """

    events: int
    unsealed: int
    segments: int
    size: int
    since: int | None
    goes_next: int | None
    waiting: int
    rooms: tuple[Room, ...]
    holds: tuple[Hold, ...]


class Record:
    """A record. Its changes join the store's ``write()``; nothing is remembered that another process could change."""

    def __init__(self, tables: RecordTables, place: Place, keeper: Keeper) -> None:
        """Use ``open``."""
        keys = Keys(tables, keeper)
        self.parts = Parts(tables, place, keys, Chain(tables, keys), Rows(tables), Tail(tables, keys))

    @classmethod
    def open(
        cls, tables: RecordTables, place: Place, keeper: Keeper, now: int, *, step: Callable[[str], None] | None = None
    ) -> Self:
        """The record of a store, new if there is none.

        now: milliseconds since 1970; step: told of each step of a change, by name.

        Raises KeeperError if its keys are wrapped by another key.
        """
        record = cls(tables, place, keeper)
        if step is not None:
            record.parts = record.parts._replace(step=step)
        if tables.row("key", SIGNING) is None:
            with tables.write():
                seed = record.parts.keys.new(SIGNING)
                record.parts.keys.keep(SIGNING)
                record.parts.chain.add(Began(at=now, signs=public_key(seed)))
        else:
            record.parts.keys.get(SIGNING)
        return record

    # Writing.

    def begin_room(self, community: str, room: str, days: int, now: int) -> None:
        """Record a room from now on, or change its term. days: 1 to 366. The room must be told, with the term."""
        if not SHORTEST <= days <= LONGEST:
            raise ValueError(f"a room's term is {SHORTEST} to {LONGEST} days, got {days}")
        before = self.parts.rows.rooms().get((community, room))
        if before and before.days == days and before.until is None:
            return
        with self.parts.tables.write():
            self.parts.rows.keep_room(Room(community, room, before.since if before else now, days))
            self.parts.chain.add(RoomTold(at=now, community=community, room=room, days=days))

    def end_room(self, community: str, room: str, now: int) -> None:
        """Record a room no longer; what was recorded is destroyed when its term is over."""
        before = self.parts.rows.rooms().get((community, room))
        if before is None or before.until is not None:
            return
        with self.parts.tables.write():
            self.parts.rows.keep_room(Room(community, room, before.since, before.days, now))
            self.parts.chain.add(RoomTold(at=now, community=community, room=room, days=0))

    def append(self, events: Sequence[Event]) -> int:
        """Record the events of a turn that are of recorded rooms, within its transaction; returns how many.

        An event without a time that can be read is left out: nothing could say when it is to be destroyed.
        """
        rooms = self.parts.rows.rooms()
        if not rooms:
            return 0
        of = {key for key, room in rooms.items() if room.until is None}
        some = [e for e in events if (e.community, e.room) in of]
        if not some:
            return 0
        tables, kept = self.parts.tables, []
        accounts: dict[str, set[str]] = {}
        for event in some:
            accounts.setdefault(event.community, set()).update(accounts_in(event))
        with tables.write():
            called = {community: tables.pseudonyms(community, names) for community, names in accounts.items()}
            for event in some:
                made = recorded(event, called[event.community])
                if made is None:
                    continue
                kept.append(made)
                if made.kind == "redaction" and made.target:
                    taken = TakenBack(made.community, made.target, made.member, milliseconds(made.at))
                    self.parts.rows.take_back(taken)
            if kept:
                self.parts.step("keep a frame")
                self.parts.tail.add(kept)
                self.parts.step("kept a frame")
        return len(kept)

    def tend(self, now: int, *, whole: bool = False) -> Tended:
        """Look after it: seal, destroy what is over, carry out what was asked for. whole: seal all frames."""
        return Tending(self.parts, now).run(whole=whole)

    def forget(self, community: str, member: str, now: int) -> Tended:
        """Erase all that a member (by pseudonym) wrote so far, but for what an appeal may be about, or a hold keeps."""
        self.parts.rows.forget(Forgotten(community, member, now))
        return self.tend(now, whole=True)

    def hold(self, hold: Hold, now: int) -> None:
        """Keep something beyond its term, in the open. Raises ValueError if it would begin before today."""
        if hold.since < now - DAY:
            raise ValueError("a hold begins when it is ordered")
        with self.parts.tables.write():
            self.parts.rows.keep_hold(hold)
            self.parts.chain.add(Held(at=now, name=hold.name, by=hold.by, reason=hold.reason, until=hold.until))

    def end_hold(self, name: str, by: str, reason: str, now: int) -> None:
        """End a hold before its time. Raises StoreError if there is none of this name."""
        if not any(hold.name == name for hold in self.parts.rows.holds()):
            raise StoreError(f"there is no hold {name!r}")
        with self.parts.tables.write():
            self.parts.rows.drop_holds([name])
            self.parts.chain.add(Held(at=now, name=name, by=by, reason=reason, until=now, ended=True))

    def rotate(self, to: Keeper, now: int) -> int:
        """Wrap all keys by another key, in one transaction; returns how many."""
        self.parts.step("rotate")
        with self.parts.tables.write():
            keys = self.parts.keys.rotate(to)
            self.parts.step("rotated")
            self.parts.chain.add(Rotated(at=now, keeper=to.id, keys=keys))
        return keys

    def looked(self, look: Look, shown: int) -> None:
        """Note in the chain that somebody looked, in the transaction in which the look was kept. shown: events."""
        self.parts.chain.add(Looked(at=look.at, look=look.number, by=look.by, shown=shown))

    # Asking.

    def head(self, now: int) -> SignedHead:
        """Its version, signed, to be published."""
        return self.parts.chain.head(now)

    def status(self, now: int) -> Status:
        """What it keeps, since when, how large it is, and what goes next."""
        rows = self.parts.rows
        segments = rows.segments()
        _, unsealed, tail = self.parts.tables.frames_size()
        firsts = [s.first for s in segments]
        if unsealed:
            firsts += [milliseconds(e.at) for e in next(self.parts.tail.frames())[1]]
        keeping = rows.keeping()
        ends = [end_of(s.week) + keeping.terms.get(r, TERM) * DAY for s in segments for r in s.rooms]
        ends += [keeping.cited.get((said.community, said.id), now) for s in segments for said in s.beyond]
        return Status(
            events=sum(s.events for s in segments) + unsealed,
            unsealed=unsealed,
            segments=len(segments),
            size=sum(s.size for s in segments) + tail,
            since=min(firsts, default=None),
            goes_next=max(min(ends), now) if ends else None,
            waiting=len(rows.taken_back()) + len(rows.forgotten()),
            rooms=tuple(rows.rooms().values()),
            holds=tuple(rows.holds()),
        )
