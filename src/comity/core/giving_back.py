"""The end of a decision: what gives back what it took, as far as nothing else holds it down. Pure."""

from collections.abc import Iterable, Sequence

from comity.core.action import Action, Do, Say
from comity.core.carried import LEVELS, Carried, Room, Sheet, say_left
from comity.core.charter import Measure
from comity.core.decision import Decision
from comity.core.handover import LOWER, action_id, give_back
from comity.core.wording import say


def end(
    decision: Decision,
    rooms: Iterable[Room],
    left: Sequence[Decision],
    *,
    undone: bool,
    reason: str,
    account: str = "",
) -> Carried:
    """The actions that give back what a decision took, when its time is over or (undone) when it is reversed.

    left: the member's other decisions that are in force; account: the member's, to lift a ban. A hidden message cannot
    be taken back on every platform: then ``enforced`` says so.
    """
    sheet = Sheet()
    if decision.dry_run or decision.proposed:
        return sheet.carried()
    for room in rooms:
        office = room.office
        if not decision.covers(office.number):
            continue
        if decision.measure in LEVELS and (undone or decision.measure is not Measure.REVOKE):
            _raise(sheet, room, decision, [d for d in left if d.covers(office.number)], reason)
        elif decision.measure is Measure.BAN:
            id_ = action_id(decision.number, office.number, "u")
            if account:
                sheet.actions.append(
                    Action(
                        id=id_, do=Do.UNBAN, decision=decision.number, room=office.room, account=account, reason=reason
                    )
                )
        elif undone and decision.measure is Measure.HIDE and any(p.room == office.number for p in decision.hides):
            sheet.note(decision.number, office.number, say(office.language, "no undo"))
    return sheet.carried()


def _raise(sheet: Sheet, room: Room, decision: Decision, left: Sequence[Decision], reason: str) -> None:
    """Give back a say, as far as nothing else in force holds it down."""
    office = room.office
    still = say_left(d.measure for d in left)
    who = next((p for p in office.people if p.member == decision.member), None)
    if who is None or not who.touched or still is Say.MUTED:
        return
    if still is None:
        actions, back = give_back(office, decision.member, decision.number, reason)
        sheet.actions += actions
        sheet.back += [(office.number, member) for member in back]
    elif decision.measure is Measure.MUTE:
        sheet.actions.append(
            Action(
                id=action_id(decision.number, office.number, LOWER + "u"),
                do=Do.LEVEL,
                decision=decision.number,
                room=office.room,
                account=who.account,
                to=still,
                reason=reason,
            )
        )
