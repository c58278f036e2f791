"""What no decision may do: each line has a test that would fail if somebody crossed it."""

import msgspec
import pytest

from comity.core.action import Say
from comity.core.actions_of import begin
from comity.core.carried import Room
from comity.core.charter import BY_A_PERSON, Measure
from comity.core.decision import Course
from comity.core.handover import Office, Somebody
from comity.core.harm import Severity
from comity.core.held import rights_left
from comity.core.rights import Band
from comity.core.statement import as_text, state
from deciding import CLAUSES, HOUR, SCAM, START, World, clause


@pytest.mark.parametrize("measure", sorted(BY_A_PERSON))
def test_no_machine_takes_a_right_for_good(measure: Measure) -> None:
    """A clause that asks to revoke, remove or ban gets a proposal, which imposes nothing and lapses by itself."""
    world = World()
    grave = clause("9.9", measure, severity=Severity.SEVERE)
    decided = world.turn(*(world.found(grave) for _ in range(5)))
    (proposal,) = (d.decision for d in decided if d.decision.measure is measure)
    assert proposal.proposed
    assert proposal.until is not None
    everywhere = Office(number=1, room="!tea", people=[Somebody(member=1, account="@ana:x", level=Say.MANAGER)])
    assert () == begin([proposal], [Room(office=everywhere)], {}, {}).actions
    with pytest.raises(ValueError, match="needs a person"):
        msgspec.structs.replace(proposal, course=Course.IN_FORCE)


def test_no_decision_is_without_reason_evidence_end_and_appeal() -> None:
    """Whatever follows from findings by itself has a clause, its entries, an end, a statement and a way to appeal."""
    world = World()
    found = [world.found(c, room=room) for c in CLAUSES for room in (1, 2)]
    for decided in world.turn(*found):
        d = decided.decision
        assert d.clause_text
        assert d.findings
        assert d.until
        if not d.proposed:
            told = as_text(state(decided, world.by))
            assert all(text in told for text in (d.clause_text, "You can appeal until", "Decided by automated means"))
            assert decided.facts


def test_no_low_figure_alone_costs_a_right() -> None:
    """A standing of nothing takes no right without a decision in force, and an unconfirmed one ends by itself."""
    full = rights_left(Band.GOOD, 1, START, [], newcomer=False)
    assert full == rights_left(Band.MUTED, 1, START, [], newcomer=False)
    world = World()
    world.turn(*(world.found(SCAM) for _ in range(9)))
    assert frozenset() == rights_left(Band.MUTED, 1, START, world.decisions, newcomer=False)
    assert full == rights_left(Band.MUTED, 1, START + 72 * HOUR, world.decisions, newcomer=False)


def test_nobody_is_sanctioned_for_what_we_never_saw() -> None:
    """A message that was gone before we read it leads to nothing, whatever a rule made of its rest."""
    world = World()
    assert [] == world.turn(*(msgspec.structs.replace(world.found(SCAM), obtained=False) for _ in range(9)))
