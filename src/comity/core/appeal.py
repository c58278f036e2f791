"""Appeals: who may appeal against what until when, and who may hear it. Pure.

Six months (DSA Art. 20(1)); against a decision by the member it is about, and against the refusal of a report by
whoever reported. It is heard by somebody who decided nothing in the case, and lapses in the member's favour if nobody
does.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

import msgspec

from comity.core.charter import APPEAL_TERM, Measure
from comity.core.decision import Course, Decision
from comity.core.report import Came, Report
from comity.core.who import Who

TERM: Final = int(APPEAL_TERM.total_seconds() * 1000)  # milliseconds
LONGEST: Final = 5_000  # characters of what somebody writes in an appeal
_AGAINST: Final = frozenset({Course.IN_FORCE, Course.CONFIRMED, Course.ENDED})
_OF_MANAGERS: Final = frozenset({Measure.SUSPEND, Measure.REVOKE})


class Heard(StrEnum):
    """What came of an appeal.

    The *decision* is upheld or reversed; lapsed: nobody heard it in time; withdrawn: there is nothing left to hear, for
    whoever appealed took it back, or the decision is reversed already.
    """

    OPEN = "open"
    UPHELD = "upheld"
    REVERSED = "reversed"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class Appeal(msgspec.Struct, frozen=True, kw_only=True):
    """An appeal against a decision, or against the refusal of a report; the other of the two is 0.

    member: number of who appeals; at, due, closed_at: milliseconds since 1970, due when it lapses; fast: management is
    at stake; evidence: what was added, with the time of each; by, reason: of the outcome.
    """

    number: int
    at: int
    due: int
    community: int
    member: int
    decision: int = 0
    report: int = 0
    text: str = ""
    fast: bool = False
    evidence: tuple[tuple[int, str], ...] = ()
    heard: Heard = Heard.OPEN
    closed_at: int | None = None
    by: str = ""
    reason: str = ""


def against(decision: Decision, member: int, stated: int, now: int) -> str:
    """Why a member cannot appeal against a decision, or "" if they can. stated: when the statement was made."""
    if decision.member != member:
        return "only the member whom a decision is about appeals against it"
    if decision.course not in _AGAINST:
        return f"there is nothing to appeal against: the decision is {decision.course}"
    if decision.dry_run:
        return "there is nothing to appeal against: it was a trial, and nothing was done"
    return "" if now <= stated + TERM else "the six months to appeal are over"


def against_refusal(report: Report, member: int, now: int) -> str:
    """Why a member cannot appeal against the refusal of a report, or "" if they can."""
    if report.reporter != member:
        return "only whoever reported appeals against the refusal"
    if report.came is not Came.REFUSED or report.closed_at is None:
        return "there is nothing to appeal against: the report was not refused"
    return "" if now <= report.closed_at + TERM else "the six months to appeal are over"


def is_fast(decision: Decision) -> bool:
    """Whether an appeal goes by the fast lane: management was lost."""
    return decision.measure in _OF_MANAGERS


def may_hear(by: Who, pseudonym: str, appeal: Appeal, about: int, deciders: Collection[str]) -> str:
    """Why somebody cannot hear an appeal, or "" if they can.

    pseudonym: of the member who is the same person, "" if not known; about: the member the case is about; deciders: the
    names of all who decided anything in the case.
    """
    if by.member and by.member in {appeal.member, about}:
        return "nobody hears an appeal in a case of their own"
    if {by.name, pseudonym} & set(deciders):
        return "somebody else must hear it: you decided in this case"
    return ""
