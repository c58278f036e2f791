"""The record's own rows: rooms with their terms, what was taken back, who wants to be forgotten, holds, segments."""

import os
from collections.abc import Iterable
from typing import Final

import msgspec

from comity.core.retention import Forgotten, Hold, Keeping, Named, TakenBack
from comity.stores.record.segment import Sealed, Segment, card
from comity.stores.record_contract import RecordTables

_ROOM: Final = "room"
_TAKEN: Final = "taken back"
_FORGOTTEN: Final = "forgotten"
_HOLD: Final = "hold"
_SEGMENT: Final = "segment"
_LEAVES: Final = "leaves"
_LEFTOVER: Final = "leftover"
_HEAD: Final = "head"
_ROOMS: Final = "rooms"  # another value whenever rooms were changed
_MARK: Final = 8  # bytes
_BETWEEN: Final = "\x1f"


class Room(msgspec.Struct, frozen=True):
    """A room that is recorded, or was. since: milliseconds since 1970; days: its term; until: when it stopped."""

    community: str
    room: str
    since: int
    days: int
    until: int | None = None


class Rows:
    """The record's rows in a store. Changes belong into its ``write()``."""

    def __init__(self, tables: RecordTables) -> None:
        self._tables = tables
        self._version, self._rooms = b"?", dict[Named, Room]()

    # Rooms.

    def rooms(self) -> dict[Named, Room]:
        """All rooms that are or were recorded."""
        version = self._tables.row(_HEAD, _ROOMS) or b""
        if version != self._version:
            found = (msgspec.json.decode(body, type=Room) for body in self._tables.rows(_ROOM).values())
            self._rooms, self._version = {(r.community, r.room): r for r in found}, version
        return self._rooms

    def keep_room(self, room: Room) -> None:
        """Keep a room."""
        self._tables.keep(_ROOM, _name(room.community, room.room), msgspec.json.encode(room))
        self._tables.keep(_HEAD, _ROOMS, os.urandom(_MARK))

    # What ends before its term, or after it.

    def taken_back(self) -> list[TakenBack]:
        """Redactions that were not carried out everywhere yet."""
        return [msgspec.json.decode(body, type=TakenBack) for body in self._tables.rows(_TAKEN).values()]

    def take_back(self, taken: TakenBack) -> None:
        """Note a redaction."""
        self._tables.keep(_TAKEN, _name(taken.community, taken.event), msgspec.json.encode(taken))

    def carried_out(self, taken: Iterable[TakenBack]) -> None:
        """Redactions that nothing is left to be done about."""
        self._tables.drop(_TAKEN, [_name(t.community, t.event) for t in taken])

    def forgotten(self) -> list[Forgotten]:
        """Members who want to be forgotten, and of whom something may be left."""
        return [msgspec.json.decode(body, type=Forgotten) for body in self._tables.rows(_FORGOTTEN).values()]

    def forget(self, who: Forgotten) -> None:
        """Note that a member wants to be forgotten."""
        self._tables.keep(_FORGOTTEN, _name(who.community, who.member), msgspec.json.encode(who))

    def are_forgotten(self, who: Iterable[Forgotten]) -> None:
        """Members of whom nothing is left."""
        self._tables.drop(_FORGOTTEN, [_name(f.community, f.member) for f in who])

    def holds(self) -> list[Hold]:
        """All holds, also those that are over until they are dropped."""
        return [msgspec.json.decode(body, type=Hold) for body in self._tables.rows(_HOLD).values()]

    def keep_hold(self, hold: Hold) -> None:
        """Keep a hold, instead of one of its name."""
        self._tables.keep(_HOLD, hold.name, msgspec.json.encode(hold))

    def drop_holds(self, names: Iterable[str]) -> None:
        """Drop holds that are over."""
        self._tables.drop(_HOLD, names)

    def keeping(self) -> Keeping:
        """What is to be kept, as it stands."""
        return Keeping(
            terms={key: room.days for key, room in self.rooms().items()},
            citations=self._tables.citations(),
            taken_back=self.taken_back(),
            forgotten=self.forgotten(),
            holds=self.holds(),
        )

    # Segments, and files that may be left over.

    def segments(self) -> list[Segment]:
        """All segments, by week."""
        found = (msgspec.msgpack.decode(body, type=Segment) for body in self._tables.rows(_SEGMENT).values())
        return sorted(found, key=lambda s: (s.week, s.low, s.name))

    def cards(self) -> dict[str, bytes]:
        """What the store knows of each segment, as it is kept."""
        return self._tables.rows(_SEGMENT)

    def leaves(self, name: str) -> bytes:
        """The leaves of the tree over a segment's file, 32 bytes each; empty if they are missing."""
        return self._tables.row(_LEAVES, name) or b""

    def keep_segment(self, sealed: Sealed) -> None:
        """Keep a segment."""
        self._tables.keep(_SEGMENT, sealed.segment.name, card(sealed.segment))
        self._tables.keep(_LEAVES, sealed.segment.name, sealed.leaves)

    def drop_segments(self, names: Iterable[str]) -> None:
        """Drop segments."""
        names = list(names)
        self._tables.drop(_SEGMENT, names)
        self._tables.drop(_LEAVES, names)

    def leftovers(self) -> list[str]:
        """Files that may be there and mean nothing: not kept yet, or destroyed already."""
        return list(self._tables.rows(_LEFTOVER))

    def keep_leftovers(self, files: Iterable[str]) -> None:
        """Note files before they are written, or when they are to be deleted."""
        for file in files:
            self._tables.keep(_LEFTOVER, file, b"")

    def drop_leftovers(self, files: Iterable[str]) -> None:
        """Files that are kept now, or deleted."""
        self._tables.drop(_LEFTOVER, files)


def _name(*words: str) -> str:
    return _BETWEEN.join(words)
