"""Decisions to fill stores with, about the garden of ``store_entries``."""

from collections.abc import Sequence

import msgspec

from comity.core.action import Action, Do, Say
from comity.core.carried import Carried
from comity.core.charter import APPEAL_TERM, Measure
from comity.core.decision import Course, Decision, Enforced
from comity.core.handover import Touched
from comity.core.harm import Severity
from comity.core.statement import Fact, Figures, Statement
from comity.stores.decisions_contract import DecidingStore
from store_entries import MORNING

HOUR = 3_600_000


def a_decision(number: int, head: int, **more: object) -> Decision:
    """A mute of Ana by machine, resting on entry 1."""
    whole = Decision(
        number=number, at=MORNING, community=1, member=1, measure=Measure.MUTE, clause=2, clause_id="3.2",
        clause_text="No traps.", severity=Severity.SEVERE, findings=(1,), head=head, until=MORNING + 72 * HOUR,
    )  # fmt: skip
    return msgspec.structs.replace(whole, **more)


def a_statement(d: Decision) -> Statement:
    """The statement of a decision."""
    return Statement(
        decision=d.number, at=d.at, language="en", time_zone="UTC", community="Garden", room="", measure=d.measure,
        until=d.until, provisional=d.provisional, found_automatically=True, decided_automatically=True,
        clause_id=d.clause_id, clause_text=d.clause_text, facts=(Fact(1, MORNING, "a link to a trap", "free teapots"),),
        figures=Figures(31_500, 0, 67_800, 96_200, 0), appeal_until=d.at + int(APPEAL_TERM.total_seconds()) * 1000,
    )  # fmt: skip


def a_mute(id_: str, room: str = "#garden", *, decision: int = 0, after: Sequence[str] = ()) -> Action:
    """An action that changes somebody's say."""
    return Action(
        id=id_, do=Do.LEVEL, decision=decision, room=room, account="@ana:example.org", to=Say.MUTED, after=tuple(after)
    )


def a_hide(id_: str, room: str = "#garden") -> Action:
    """An action that hides a message."""
    return Action(id=id_, do=Do.HIDE, room=room, event=f"${id_}")


def add(store: DecidingStore, *decisions: Decision, carried: Carried | None = None) -> None:
    """Keep decisions at the head, those that impose something with a statement."""
    statements = [a_statement(d) for d in decisions if d.course is not Course.PROPOSED]
    store.decisions.add(decisions, statements, carried or Carried(), at=MORNING, after=store.head())


def muting(number: int) -> Carried:
    """What begins decision ``number`` in two rooms, one of which cannot be governed."""
    id_ = f"d{number}-r1-2"
    return Carried(
        actions=(a_mute(id_, decision=number),),
        enforced={number: (Enforced(2, done=False, why="we have too little say there"),)},
        touched=(Touched(1, 1, id_),),
    )
