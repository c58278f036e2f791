"""Which messages are hidden for what is in force already: the platform itself knows no slow mode for one member."""

from collections.abc import Iterable
from typing import Final

import msgspec

from comity.core.charter import Measure
from comity.core.decision import Decision
from comity.core.event import Kind
from comity.core.rights import Band, Right, rights

SLOW_PAUSE: Final = 60_000  # milliseconds between two messages of a member in slow mode, in each room
_WRITING: Final = frozenset({"message", "edit", "reaction"})


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What a member just sent.

    at: arrival, milliseconds since 1970; links, media: whether it has any (an edit: as it reads now); before: when the
    member's last message in this room that was not hidden arrived, None if never; newcomer: as standing says; exempt:
    of somebody who is not governed; manager: has an office in this room, and so is no newcomer to it.
    """

    at: int
    room: int
    kind: Kind
    links: bool = False
    media: bool = False
    before: int | None = None
    newcomer: bool = False
    exempt: bool = False
    manager: bool = False


class Reason(msgspec.Struct, frozen=True):
    """Why a message is hidden. measure: that holds it; decision: its number, 0 where the charter itself says so."""

    measure: Measure
    decision: int = 0


def held(sent: Sent, in_force: Iterable[Decision]) -> Reason | None:
    """Why a message is hidden, None if it stands. in_force: decisions about its sender; a dry run holds nothing.

    A mute holds also where the platform mutes: until it does, and where it cannot. Links and media of a newcomer are
    held whatever the standing, unless the charter has no such wait (``newcomer_days`` 0, and nobody is a newcomer).
    """
    if sent.exempt or sent.kind not in _WRITING:
        return None
    measures = {d.measure: d.number for d in in_force if d.holds(sent.at) and d.covers(sent.room)}
    if Measure.MUTE in measures:
        return Reason(Measure.MUTE, measures[Measure.MUTE])
    if sent.links or sent.media:
        if Measure.NO_LINKS in measures:
            return Reason(Measure.NO_LINKS, measures[Measure.NO_LINKS])
        if sent.newcomer and not sent.manager:
            return Reason(Measure.NO_LINKS)
    quick = sent.kind == "message" and sent.before is not None and sent.at - sent.before < SLOW_PAUSE
    return Reason(Measure.SLOW, measures[Measure.SLOW]) if quick and Measure.SLOW in measures else None


_TAKES: Final = {
    Measure.NO_LINKS: frozenset({Right.LINKS, Right.MEDIA}),
    Measure.MUTE: frozenset(Right),
    Measure.SUSPEND: frozenset({Right.INVITE, Right.MANAGE}),
    Measure.REVOKE: frozenset({Right.MANAGE}),
    Measure.REMOVE: frozenset(Right),
    Measure.BAN: frozenset(Right),
}


def rights_left(band: Band, room: int, now: int, in_force: Iterable[Decision], *, newcomer: bool) -> frozenset[Right]:
    """The rights a member has in a room: only a decision in force takes one away, never a figure alone.

    band: the member's, which gives what trust gives.
    """
    full = rights(max(band, Band.GOOD), newcomer=newcomer)
    return full.difference(*(_TAKES.get(d.measure, ()) for d in in_force if d.holds(now) and d.covers(room)))
