"""Hand-over: when a manager falls, somebody takes over first, and gives back by itself. Pure.

A group is never left without anyone who can manage it: where nobody can take over, the manager stays and a person is
asked. Successors are promoted before anybody is demoted, and demoted after the one they stand for is back.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from comity.core.action import Action, Do, Say
from comity.core.rights import Band
from comity.core.wording import say

PROMOTE: Final = "1"  # the last part of an action's id: what it does for its decision in its room
LOWER: Final = "2"
MUTE: Final = "3"
RETURN: Final = "4"
STEP_BACK: Final = "5"


class Somebody(msgspec.Struct, frozen=True, kw_only=True):
    """A member of one room, as hand-over sees them.

    level: their say there, counting what is queued; points: standing in thousandths; fixed: created the room, or is
    otherwise out of reach; held: under a measure that costs a right or slows; accepts: would take the office; touched:
    id of the action that first changed their say and was not given back, "" if none; waits: id of a promotion that is
    queued and not done yet; stands_for: member whose office they hold meanwhile, 0 for nobody.
    """

    member: int
    account: str
    level: Say
    points: int = 0
    band: Band = Band.GOOD
    fixed: bool = False
    bot: bool = False
    accepts: bool = True
    held: bool = False
    touched: str = ""
    waits: str = ""
    stands_for: int = 0


class Falls(msgspec.Struct, frozen=True):
    """A manager loses the office for a time. to: muted or member; decision: its number."""

    member: int
    to: Say
    decision: int


class Touched(msgspec.Struct, frozen=True):
    """Whose say in a room is not what it was. action: the id that gives it back; stands_for: see ``Somebody``."""

    room: int
    member: int
    action: str
    stands_for: int = 0


class HandOver(msgspec.Struct, frozen=True):
    """How one manager falls. successor: member who takes over, 0 where others manage already; actions: in order."""

    member: int
    decision: int
    successor: int
    actions: tuple[Action, ...]
    touched: tuple[Touched, ...] = ()
    back: tuple[int, ...] = ()  # members whose say is given back whole by these actions


class Stays(msgspec.Struct, frozen=True):
    """A manager who is not demoted, and why: a person is asked."""

    member: int
    decision: int
    why: str


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """A room and who can manage it. number: in the store; room: the platform's id; label: as members call it.

    deputies: members named by the community, in order; language: of what a successor is told.
    """

    number: int
    room: str
    people: Sequence[Somebody]
    deputies: Sequence[int] = ()
    label: str = ""
    language: str = "en"


def action_id(decision: int, room: int, step: str) -> str:
    """The lasting id of one action of a decision in a room."""
    return f"d{decision}-r{room}-{step}"


def hand_over(office: Office, falls: Sequence[Falls], reason: str = "") -> tuple[HandOver | Stays, ...]:
    """What to do when managers fall, all that fall together in one call, in order.

    Raises KeyError if one who falls is not in the room, ValueError if one is no manager there. reason: one sentence.
    """
    people = {p.member: p for p in office.people}
    falling = {f.member for f in falls}
    found: list[HandOver | Stays] = []
    for fall in falls:
        who = people[fall.member]
        if who.level is not Say.MANAGER:
            raise ValueError(f"member {who.member} does not manage room {office.number}")
        step = _fall(office, people, falling, fall, reason)
        found.append(step)
        if isinstance(step, HandOver):
            for touched in step.touched:
                p = people[touched.member]
                promoted = p.member == step.successor
                people[p.member] = msgspec.structs.replace(
                    p,
                    level=Say.MANAGER if promoted else fall.to,
                    touched=touched.action,
                    waits=touched.action if promoted else "",
                    stands_for=touched.stands_for,
                )
            if fall.member in step.back:
                people[who.member] = msgspec.structs.replace(who, level=Say.MEMBER, touched="", stands_for=0)
    return tuple(found)


def can_manage(person: Somebody, *, named: Collection[int] = ()) -> bool:
    """Whether a room can rely on this one: a bot only if the community named it."""
    return person.level is Say.MANAGER and not person.held and (not person.bot or person.member in named)


def _fall(
    office: Office, people: dict[int, Somebody], falling: Collection[int], fall: Falls, reason: str
) -> HandOver | Stays:
    who = people[fall.member]
    if who.fixed:
        why = "this account created the room, or stands as high as ours: the platform has no way to demote it"
        return Stays(who.member, fall.decision, why)
    others = [p for p in people.values() if p.member not in falling]
    rest = [p for p in others if can_manage(p, named=office.deputies)]
    successor = _successor(others, office.deputies, needed=not rest)
    if successor is None and not rest:
        why = "nobody else can manage this room, and nobody trusted accepts to take over: a person must see to it"
        return Stays(who.member, fall.decision, why)
    actions: list[Action] = []
    touched: list[Touched] = []
    after: tuple[str, ...] = ()
    if successor is not None:
        promote = action_id(fall.decision, office.number, PROMOTE)
        actions.append(_level(promote, office, successor, Say.MANAGER, decision=fall.decision, reason=reason))
        text = say(office.language, "deputy", room=office.label or office.room)
        tell = Action(
            id=f"{promote}t", do=Do.TELL, decision=fall.decision, account=successor.account, after=(promote,), text=text
        )
        actions.append(tell)
        touched.append(Touched(office.number, successor.member, promote, who.stands_for or who.member))
        after = (promote,)
    elif all(p.waits for p in rest):
        after = (rest[0].waits,)
    lowered = action_id(fall.decision, office.number, LOWER)
    if who.stands_for:  # the office was never theirs: what they had before comes back, and what they fall to after it
        undo = _level(
            lowered, office, who, Say.BEFORE, decision=fall.decision, reason=reason, after=after, undoes=who.touched
        )
        actions.append(undo)
        if fall.to is Say.MUTED:
            mute = action_id(fall.decision, office.number, MUTE)
            actions.append(
                _level(mute, office, who, Say.MUTED, decision=fall.decision, reason=reason, after=(lowered,))
            )
            touched.append(Touched(office.number, who.member, mute))
        back = () if fall.to is Say.MUTED else (who.member,)
    else:
        actions.append(_level(lowered, office, who, fall.to, decision=fall.decision, reason=reason, after=after))
        touched.append(Touched(office.number, who.member, who.touched or lowered))
        back = ()
    taken_over = 0 if successor is None else successor.member
    return HandOver(who.member, fall.decision, taken_over, tuple(actions), tuple(touched), back)


def _successor(others: Iterable[Somebody], deputies: Sequence[int], *, needed: bool) -> Somebody | None:
    """A named deputy in good standing takes over always, the trusted member of best standing only where needed."""
    ready = [p for p in others if p.level is Say.MEMBER and not (p.held or p.fixed or p.touched) and p.accepts]
    by_number = {p.member: p for p in ready if p.band >= Band.GOOD}
    for member in deputies:
        if member in by_number:
            return by_number[member]
    trusted = [p for p in ready if p.band is Band.TRUSTED and not p.bot]
    return min(trusted, key=lambda p: (-p.points, p.member)) if needed and trusted else None


def give_back(
    office: Office, member: int, decision: int, reason: str = ""
) -> tuple[tuple[Action, ...], tuple[int, ...]]:
    """How a member whose measures are over gets exactly what they had, and whoever stood for them steps back after it.

    Returns the actions, in order, and the members whose say is then what it was.
    """
    actions: list[Action] = []
    back: list[int] = []
    after: tuple[str, ...] = ()
    for who in office.people:
        if who.member == member and who.touched and not who.stands_for:
            id_ = action_id(decision, office.number, RETURN)
            actions.append(_level(id_, office, who, Say.BEFORE, decision=decision, reason=reason, undoes=who.touched))
            back.append(member)
            after = (id_,)
    if not after:
        return (), ()
    for n, who in enumerate(sorted((p for p in office.people if p.stands_for == member), key=lambda p: p.member)):
        id_ = action_id(decision, office.number, f"{STEP_BACK}{n or ''}")
        actions.append(
            _level(id_, office, who, Say.BEFORE, decision=decision, reason=reason, after=after, undoes=who.touched)
        )
        back.append(who.member)
    return tuple(actions), tuple(back)


def _level(
    id_: str,
    office: Office,
    who: Somebody,
    to: Say,
    *,
    decision: int,
    reason: str,
    after: tuple[str, ...] = (),
    undoes: str = "",
) -> Action:
    return Action(
        id=id_,
        do=Do.LEVEL,
        decision=decision,
        after=after,
        room=office.room,
        account=who.account,
        to=to,
        undoes=undoes,
        reason=reason,
    )
