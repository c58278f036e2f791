"""What follows when a finding is taken back: which decisions would never have been made. Pure."""

from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from comity.core.case import Rated
from comity.core.charter import Measure
from comity.core.decide import asks, warned
from comity.core.decision import MACHINE, Course, Decision
from comity.core.harm import Severity


def falls(
    decisions: Sequence[Decision], without: Callable[[Decision], Rated], in_force: Collection[int]
) -> list[Decision]:
    """A member's decisions that would not have been made, in order; each falls with what it followed from.

    decisions: all about the member, in order of their numbers, those that were reversed among them; without: how the
    member would have been rated when a decision was made (from entries up to its ``head`` that are in force still);
    in_force: entries still in force. What a person decided or confirmed is not here: a person looks at it again.
    """
    fell: list[Decision] = []
    known = list(decisions)
    for place, d in enumerate(known):
        if d.by != MACHINE or d.course not in {Course.PROPOSED, Course.IN_FORCE, Course.ENDED}:
            continue
        if not would_stand(d, without(d), in_force, known):
            fell.append(d)
            known[place] = msgspec.structs.replace(d, course=Course.REVERSED)
    return fell


def would_stand(decision: Decision, without: Rated, in_force: Iterable[int], others: Sequence[Decision]) -> bool:
    """Whether a decision would have been made without findings that were taken back since.

    without: how the member would have been rated when it was made; in_force: entries still in force; others: the
    member's other decisions. One of its findings must be left, the bands must ask for it if they did, and a suspension
    that a warning came before needs one that was not reversed.
    """
    left = set(decision.findings) & set(in_force)
    if not left:
        return False
    asked = asks(without)
    if decision.line:
        first = Measure.SUSPEND if decision.measure is Measure.WARN else decision.measure
        if (Measure.MUTE if first is Measure.REMOVE else first) not in asked:
            return False
    if decision.measure is not Measure.SUSPEND or decision.severity is Severity.SEVERE:
        return True
    return warned(others, decision.at, max(left), dry_run=decision.dry_run)
