"""How long the record keeps what was said: terms, citations, what was taken back, who wants to be forgotten, holds.

What is kept at any time follows from the values here alone. A term counts from the end of the week of an event, Monday
to Sunday in UTC: the record is destroyed by weeks.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final

import msgspec

DAY: Final = 86_400_000  # milliseconds
WEEK: Final = 7 * DAY
TERM: Final = 180  # days
SHORTEST: Final = 1  # days that a room can choose
LONGEST: Final = 366
LONGEST_HOLD: Final = 366 * DAY
_MONDAY: Final = 3 * DAY  # 1970 began on a Thursday

Named = tuple[str, str]  # a community, and a room, an event, or a member in it


class Fate(IntEnum):
    """What becomes of an event in the record. bare: that there was one stays, what was said does not."""

    KEPT = 0
    BARE = 1
    GONE = 2


class Said(msgspec.Struct, frozen=True):
    """What decides the fate of an event. at: milliseconds since 1970; member: by pseudonym; the rest as in an event."""

    id: str
    at: int
    kind: str
    community: str
    room: str
    member: str
    target: str | None = None


class Citation(msgspec.Struct, frozen=True):
    """An event that decisions rest on. until: when the last statement about it can no longer be appealed."""

    community: str
    event: str
    until: int


class TakenBack(msgspec.Struct, frozen=True):
    """A redaction. member: whose; only what the same member wrote is taken back by it."""

    community: str
    event: str
    member: str
    at: int


class Forgotten(msgspec.Struct, frozen=True):
    """A member who wants to be forgotten. at: what came later is kept as anybody's is."""

    community: str
    member: str
    at: int


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept beyond its term for a named reason, in the open, until a day that is set from the start.

    since, until: milliseconds since 1970; member, room: whose and where, "" for all. Raises ValueError where somebody
    is not named, no reason is given, or it would last longer than 366 days: then it is looked at and made again.
    """

    name: str
    by: str
    reason: str
    since: int
    until: int
    community: str
    member: str = ""
    room: str = ""

    def __post_init__(self) -> None:
        if not (self.name.strip() and self.by.strip() and self.reason.strip() and self.community):
            raise ValueError("a hold has a name, a reason, a community, and somebody who ordered it")
        if not self.since < self.until <= self.since + LONGEST_HOLD:
            raise ValueError(f"a hold ends within {LONGEST_HOLD // DAY} days")

    def covers(self, said: Said, now: int) -> bool:
        """Whether it holds an event now."""
        return (
            self.since <= now < self.until
            and self.community == said.community
            and self.member in {"", said.member}
            and self.room in {"", said.room}
        )


class Keeping:
    """What is to be kept. terms: days by (community, room), ``TERM`` where none is given; the rest as it is today."""

    def __init__(
        self,
        *,
        terms: Mapping[Named, int] | None = None,
        citations: Iterable[Citation] = (),
        taken_back: Iterable[TakenBack] = (),
        forgotten: Iterable[Forgotten] = (),
        holds: Iterable[Hold] = (),
    ) -> None:
        self.terms = dict(terms or {})
        self.shortest = min([TERM, *self.terms.values()])  # days
        self.cited: dict[Named, int] = {}
        for c in citations:
            key = c.community, c.event
            self.cited[key] = max(c.until, self.cited.get(key, c.until))
        self.taken_back = {(t.community, t.event): t.member for t in taken_back}
        self.forgotten: dict[Named, int] = {}
        for f in forgotten:
            whose = f.community, f.member
            self.forgotten[whose] = max(f.at, self.forgotten.get(whose, f.at))
        self.holds = tuple(holds)

    def fate(self, said: Said, now: int) -> Fate:
        """What becomes of an event at a time, milliseconds since 1970."""
        return Fate.KEPT if self.needed(said, now) else self.due(said, now)

    def due(self, said: Said, now: int) -> Fate:
        """The same, if nobody needed it any more."""
        if said.at <= self.forgotten.get((said.community, said.member), said.at - 1):
            return Fate.GONE
        if self.over(said.community, said.room, week_of(said.at), now):
            return Fate.GONE
        return Fate.BARE if self.is_taken_back(said) else Fate.KEPT

    def needed(self, said: Said, now: int) -> bool:
        """Whether an appeal may be about it, or a hold keeps it."""
        return self.is_cited(said, now) or bool(self.holding(said, now))

    def is_cited(self, said: Said, now: int) -> bool:
        """Whether an appeal may be about it."""
        return now < self.cited.get((said.community, said.id), now)

    def holding(self, said: Said, now: int) -> list[str]:
        """The holds that keep it, by name."""
        return [hold.name for hold in self.holds if hold.covers(said, now)]

    def over(self, community: str, room: str, week: int, now: int) -> bool:
        """Whether the term of a room's week is over."""
        return end_of(week) + self.terms.get((community, room), TERM) * DAY <= now

    def is_taken_back(self, said: Said) -> bool:
        """Whether its author took it back, or took back what it is an edit of."""
        if self.taken_back.get((said.community, said.id)) == said.member:
            return True
        edited = said.kind == "edit" and said.target is not None
        return edited and self.taken_back.get((said.community, said.target or "")) == said.member


def week_of(at: int) -> int:
    """The week of a time: weeks since the one that 1970 began in, from Monday on, in UTC."""
    return (at + _MONDAY) // WEEK


def start_of(week: int) -> int:
    """When a week begins, milliseconds since 1970."""
    return week * WEEK - _MONDAY


def end_of(week: int) -> int:
    """When a week is over, milliseconds since 1970."""
    return start_of(week + 1)
