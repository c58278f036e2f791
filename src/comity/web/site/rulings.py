"""A decision as the member it is about may read it: with its statement, its course, and whether they can appeal."""

from enum import StrEnum
from typing import NamedTuple

from comity.core.appeal import Appeal, Heard, against, is_fast
from comity.core.decision import Course, Decision
from comity.core.statement import Statement
from comity.stores.decisions_contract import StepRow
from comity.web.site.readers import ReadingStore


class Barred(StrEnum):
    """Why a member cannot appeal now."""

    APPEALED = "appealed"  # they did already
    TRIAL = "trial"  # nothing was done
    BACK = "back"  # it was taken back already
    LATE = "late"  # the six months are over


class Ruling(NamedTuple):
    """A decision about a member. appeals: theirs against it, the last first; barred: None if they can appeal."""

    decision: Decision
    statement: Statement
    steps: tuple[StepRow, ...]
    appeals: tuple[Appeal, ...]
    barred: Barred | None

    @property
    def may_appeal(self) -> bool:
        """Whether they can appeal today."""
        return self.barred is None

    @property
    def fast(self) -> bool:
        """Whether an appeal against it goes before others, because management was lost."""
        return is_fast(self.decision)


def ruling(store: ReadingStore, number: int, member: int, now: int) -> Ruling | None:
    """A decision about this member; None if there is none, it is about somebody else, or it imposes nothing.

    now: milliseconds since 1970.
    """
    decision = store.decisions.decision(number)
    if decision is None or decision.member != member:
        return None
    return of_decision(store, decision, now)


def of_decision(store: ReadingStore, decision: Decision, now: int) -> Ruling | None:
    """The same of a decision that was read already."""
    statement = store.decisions.statement(decision.number)
    if statement is None:
        return None  # a proposal: nothing was imposed, and nothing was stated
    mine = store.process.appeals(member=decision.member, decision=decision.number)
    appeals = tuple(reversed(mine))
    return Ruling(
        decision,
        statement,
        tuple(store.decisions.course(decision.number)),
        appeals,
        _barred(decision, statement, appeals, now),
    )


def _barred(decision: Decision, statement: Statement, appeals: tuple[Appeal, ...], now: int) -> Barred | None:
    if any(a.heard is not Heard.WITHDRAWN for a in appeals):
        return Barred.APPEALED
    if not against(decision, decision.member, statement.at, now):
        return None
    if decision.dry_run:
        return Barred.TRIAL
    return Barred.BACK if decision.course is Course.REVERSED else Barred.LATE
