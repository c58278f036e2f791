"""From decisions to what is asked of the platform to begin them. Pure.

What the platform has no way to do is no action: it stands in ``enforced`` with its reason, and is shown. Ids follow
from decision, room and step alone, so the same decision never asks for one thing twice.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b

import msgspec

from comity.core.action import Action, Do, Say
from comity.core.carried import LEVELS, Carried, Room, Sheet, say_left
from comity.core.charter import Measure
from comity.core.decision import Decision
from comity.core.handover import LOWER, Falls, HandOver, Office, Somebody, Touched, action_id, hand_over

# Slow mode and links are kept by hiding what breaks them, message by message (``held``): nothing is to be begun.
_BY_HIDING = frozenset({Measure.SLOW, Measure.NO_LINKS})
_GOES = {Measure.REMOVE: Do.REMOVE, Measure.BAN: Do.BAN}


def begin(
    decisions: Sequence[Decision],
    rooms: Iterable[Room],
    in_force: Mapping[int, Sequence[Decision]],
    reasons: Mapping[int, str],
    *,
    absent: Mapping[int, str] | None = None,
) -> Carried:
    """The actions that begin decisions of one turn, or of one person; of a dry run, and of proposals, none.

    rooms: all those of the community, or where the decisions hold; in_force: by member, what held before; reasons: one
    sentence for the platform's reason field, by decision; absent: accounts of members who may have left, for a ban
    keeps out also who is not there. Hidden messages come first, then rooms in their order.
    """
    sheet = Sheet()
    real = [d for d in decisions if not d.dry_run and not d.proposed]
    newly_held = {d.member for d in real if d.measure not in {Measure.WARN, Measure.HIDE}}
    of_room = [(_knowing(room, newly_held), [d for d in real if d.covers(room.office.number)]) for room in rooms]
    for room, here in of_room:
        for d in here:
            _hide(sheet, room, d, reasons)
    for room, here in of_room:
        _lower(sheet, room, here, in_force, reasons)
        for d in here:
            if d.measure in _BY_HIDING or d.measure is Measure.WARN:
                sheet.note(d.number, room.office.number)
            elif d.measure in _GOES:
                _send_away(sheet, room, d, reasons, (absent or {}).get(d.member, ""))
    return sheet.carried()


def hold(event: str, room: str, decision: int, reason: str) -> Action:
    """The action that hides a message for what is in force already (``held.held``); decision: 0 where none says so."""
    digest = blake2b(f"{room} {event}".encode(), digest_size=15).hexdigest()
    return Action(id=f"held-{digest}", do=Do.HIDE, decision=decision, room=room, event=event, reason=reason)


def tell(account: str, texts: Mapping[int, str]) -> Action | None:
    """One direct message for all that was decided about a member in a turn; texts: by decision. None if empty."""
    if not texts:
        return None
    first = min(texts)
    text = "\n\n".join(texts[number] for number in sorted(texts))
    return Action(id=f"d{first}-t", do=Do.TELL, decision=first, account=account, text=text)


def _knowing(room: Room, held: Collection[int]) -> Room:
    """A room in which these are known to be under a measure: none of them takes over from another."""
    people = [msgspec.structs.replace(p, held=True) if p.member in held else p for p in room.office.people]
    return msgspec.structs.replace(room, office=msgspec.structs.replace(room.office, people=people))


def _hide(sheet: Sheet, room: Room, decision: Decision, reasons: Mapping[int, str]) -> None:
    events = [place.event for place in decision.hides if place.room == room.office.number]
    if decision.measure is not Measure.HIDE or not events:
        return
    why = room.cannot.get(Measure.HIDE, "")
    if why:
        sheet.note(decision.number, room.office.number, why)
    for n, event in enumerate(() if why else events, 1):
        sheet.actions.append(
            Action(
                id=action_id(decision.number, room.office.number, f"h{n}"),
                do=Do.HIDE,
                decision=decision.number,
                room=room.office.room,
                event=event,
                reason=reasons.get(decision.number, ""),
            )
        )


def _lower(
    sheet: Sheet,
    room: Room,
    here: Sequence[Decision],
    in_force: Mapping[int, Sequence[Decision]],
    reasons: Mapping[int, str],
) -> None:
    """Mutes, and managers who fall: all of a room at once, for who can take over depends on who else falls."""
    office = room.office
    falls: dict[Falls, list[Decision]] = {}
    for who in office.people:
        mine = _able(sheet, room, who, here)
        if not mine:
            continue
        muted = say_left(d.measure for d in in_force.get(who.member, ()) if d.covers(office.number)) is Say.MUTED
        to = Say.MUTED if muted else say_left(d.measure for d in mine)
        lead = min(mine, key=lambda d: (d.measure is not Measure.MUTE, d.number))
        if who.level is Say.MANAGER:
            falls[Falls(who.member, to or Say.MEMBER, lead.number)] = mine
        elif to is Say.MUTED and not muted:
            _mute(sheet, office, who, lead.number, reasons)
            _note(sheet, office, (d for d in mine if d.measure is not Measure.MUTE))
        else:
            _note(sheet, office, mine)
    if falls:
        _fall(sheet, office, falls, reasons)


def _able(sheet: Sheet, room: Room, who: Somebody, here: Sequence[Decision]) -> list[Decision]:
    """The decisions that change somebody's say in a room, as far as the platform can."""
    mine = []
    for d in here:
        if d.member == who.member and (d.measure in LEVELS or (d.measure in _GOES and who.level is Say.MANAGER)):
            if why := room.cannot.get(d.measure, ""):
                sheet.note(d.number, room.office.number, why)
            else:
                mine.append(d)
    return mine


def _fall(sheet: Sheet, office: Office, falls: Mapping[Falls, Sequence[Decision]], reasons: Mapping[int, str]) -> None:
    shared = next((reasons[f.decision] for f in falls if f.decision in reasons), "")
    for fall, step in zip(falls, hand_over(office, list(falls), shared), strict=True):
        if isinstance(step, HandOver):
            sheet.actions += step.actions
            sheet.touched += step.touched
            sheet.back += [(office.number, member) for member in step.back]
            sheet.fallen[office.number, step.member] = step.actions[-1].id
            _note(sheet, office, (d for d in falls[fall] if d.number != fall.decision and d.measure in LEVELS))
        else:
            sheet.asks.append((office.number, step))
            _note(sheet, office, falls[fall], step.why)
            sheet.fallen[office.number, step.member] = ""


def _note(sheet: Sheet, office: Office, decisions: Iterable[Decision], why: str = "") -> None:
    for d in decisions:
        sheet.note(d.number, office.number, why)


def _mute(sheet: Sheet, office: Office, who: Somebody, decision: int, reasons: Mapping[int, str]) -> None:
    id_ = action_id(decision, office.number, LOWER)
    sheet.actions.append(
        Action(
            id=id_,
            do=Do.LEVEL,
            decision=decision,
            room=office.room,
            account=who.account,
            to=Say.MUTED,
            reason=reasons.get(decision, ""),
        )
    )
    sheet.touched.append(Touched(office.number, who.member, who.touched or id_))


def _send_away(sheet: Sheet, room: Room, decision: Decision, reasons: Mapping[int, str], absent: str) -> None:
    """Remove or ban; a manager only after somebody else manages."""
    office, why = room.office, room.cannot.get(decision.measure, "")
    who = next((p for p in office.people if p.member == decision.member), None)
    account = who.account if who else absent if decision.measure is Measure.BAN else ""
    fallen = sheet.fallen.get((office.number, decision.member))
    if not account or fallen == "":
        return  # is not there, or stays, as is noted
    if why:
        if who is None or who.level is not Say.MANAGER:
            sheet.note(decision.number, office.number, why)
        return
    sheet.actions.append(
        Action(
            id=action_id(decision.number, office.number, "g"),
            do=_GOES[decision.measure],
            decision=decision.number,
            after=(fallen,) if fallen else (),
            room=office.room,
            account=account,
            reason=reasons.get(decision.number, ""),
        )
    )
