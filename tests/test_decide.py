"""What follows from findings, and what never does."""

import datetime as dt
from collections.abc import Callable
from functools import partial

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.core.case import Rated, exempt, leads_nowhere, rated
from comity.core.charter import BY_A_PERSON, OF_THE_HOUSE, Measure, State
from comity.core.decide import decide
from comity.core.decision import Course, Decision, Place
from comity.core.event import Role
from comity.core.harm import Severity
from comity.core.reversal import falls
from comity.core.rights import Band
from deciding import CLAUSES, DAY, FLOOD, GRAVE, HOUR, HOUSE, LINKS, SCAM, START, World, charter, clause, measures

HISTORY = {START // DAY - n: 20 for n in range(1, 40)}


def test_a_clause_brings_the_measures_it_names() -> None:
    """A flood in good standing is warned about, hidden and slowed, where it was found, for at most the longest time."""
    world = World(history=HISTORY)
    decided = world.turn(world.found(FLOOD, room=4), world.found(FLOOD, room=4))
    assert ["warn", "hide", "slow"] == measures(decided)
    warn, hide, slow = (d.decision for d in decided)
    assert (Place(4, "$event-1"), Place(4, "$event-2")) == hide.hides
    assert {4} == {warn.room, hide.room, slow.room}
    assert START + 72 * HOUR == slow.until
    assert START + 24 * HOUR == warn.until
    assert [(1, 2)] * 3 == [d.decision.findings for d in decided]
    assert all(d.decision.provisional and d.decision.decided_automatically for d in decided)


def test_what_is_grave_holds_in_all_rooms() -> None:
    """A scam in one room mutes in all; its message is hidden where it stands."""
    world = World(history=HISTORY)
    by = {d.decision.measure: d.decision for d in world.turn(world.found(SCAM, room=2))}
    assert 0 == by[Measure.MUTE].room
    assert 2 == by[Measure.HIDE].room


def test_standing_under_its_lines_costs_the_rights_of_the_band() -> None:
    """Under 70 management is suspended and slow mode holds, under 50 no links or media, under 25 nothing is written."""
    scam = msgspec.structs.replace(SCAM, measures=())
    minor = msgspec.structs.replace(FLOOD, measures=())
    for world, clause_, expected in (
        (World(), minor, []),
        (World(history=HISTORY), scam, ["slow", "no_links", "suspend_management"]),
        (World(), scam, ["no_links", "mute", "suspend_management"]),
    ):
        assert expected == measures(world.turn(world.found(clause_)))


def test_a_warning_comes_before_suspension() -> None:
    """Where nothing found is severe, management is suspended only for what is found after a warning."""
    serious = msgspec.structs.replace(LINKS, measures=())
    world = World()
    first = world.turn(world.found(serious), world.found(serious))
    assert ["warn", "slow", "no_links"] == measures(first)
    assert 70_000 == first[0].decision.line
    later = world.turn(world.found(serious, START + HOUR - 1), at=START + HOUR - 1)
    assert ["suspend_management"] == measures(later)


def test_a_warning_that_was_reversed_or_is_long_past_is_none() -> None:
    """Neither leads to a suspension: there is another warning first."""
    serious = msgspec.structs.replace(LINKS, measures=())
    for course, later in ((Course.REVERSED, 2 * DAY), (Course.ENDED, 31 * DAY)):
        world = World()
        world.turn(world.found(serious), world.found(serious))
        world.decisions = [msgspec.structs.replace(d, course=course) for d in world.decisions]
        found = [world.found(serious, START + later) for _ in range(4)]
        assert "suspend_management" not in measures(world.turn(*found, at=START + later))
        assert Measure.WARN is world.decisions[-3].measure or Measure.WARN in {d.measure for d in world.decisions[3:]}


def test_what_needs_a_person_is_proposed_and_imposes_nothing() -> None:
    """Revoking, removing and banning are proposals that lapse; removing only where the kindest reading is bad."""
    world = World(history=HISTORY)
    assert ["revoke_management"] == measures(world.turn(world.found(GRAVE)), proposed=True)
    for decision in world.decisions:
        assert decision.proposed == (decision.measure in BY_A_PERSON)
        assert decision.proposed is not decision.imposes(START)
    grave = msgspec.structs.replace(GRAVE, severity=Severity.SEVERE)
    world = World()
    decided = world.turn(*(world.found(grave) for _ in range(4)))
    assert ["revoke_management", "remove", "ban"] == measures(decided, proposed=True)


def test_nobody_is_warned_twice_a_day_for_the_same() -> None:
    """A clause warns once in 24 hours, and again after them."""
    world = World(history=HISTORY)
    said = []
    for hour in (0, 1, 23, 24, 30):
        at = START + hour * HOUR
        said.append("warn" in measures(world.turn(world.found(FLOOD, at), at=at)))
    assert [True, False, False, True, False] == said


def test_a_warning_that_was_taken_back_is_no_reason_not_to_warn() -> None:
    """Who was warned by mistake is warned again when there is something to warn of."""
    world = World(history=HISTORY)
    world.turn(world.found(FLOOD))
    world.decisions = [msgspec.structs.replace(d, course=Course.REVERSED) for d in world.decisions]
    assert "warn" in measures(world.turn(world.found(FLOOD, START + 1), at=START + 1))


def test_a_measure_in_force_is_prolonged_and_not_made_again() -> None:
    """What is found within the hour changes nothing; what is found later prolongs what is in force."""
    world = World(history=HISTORY)
    world.turn(world.found(SCAM))
    mute = next(d for d in world.decisions if d.measure is Measure.MUTE)
    soon = world.turn(world.found(SCAM, START + HOUR - 1), at=START + HOUR - 1)
    assert "mute" not in measures(soon)
    later = world.turn(world.found(SCAM, START + 5 * HOUR), at=START + 5 * HOUR)
    (longer,) = (d.decision for d in later if d.decision.measure is Measure.MUTE)
    assert (mute.number, START + 77 * HOUR) == (longer.extends, longer.until)


def test_a_person_s_word_on_how_long_is_not_overruled() -> None:
    """A mute that a person confirmed is not prolonged by machine."""
    world = World(history=HISTORY)
    world.turn(world.found(SCAM))
    world.decisions = [
        msgspec.structs.replace(d, course=Course.CONFIRMED, provisional=False, by="cleo") for d in world.decisions
    ]
    assert "mute" not in measures(world.turn(world.found(SCAM, START + 9 * HOUR), at=START + 9 * HOUR))


def test_many_at_once_are_a_person_s_to_mute() -> None:
    """Where more would be muted than a room can hold, the rest are hidden, and their mute is proposed."""
    world = World(most_muted=3, muted={1: 1})
    people = [world.person([world.found(SCAM)], member=n) for n in range(1, 6)]
    mutes = [d.decision for d in decide(world.case(people)) if d.decision.measure is Measure.MUTE]
    assert [Course.IN_FORCE] * 2 + [Course.PROPOSED] * 3 == [d.course for d in mutes]


@pytest.mark.parametrize(
    "what",
    [
        {"clause": clause("8", *Measure, state=State.SHADOW)},
        {"clause": clause("8", *Measure, review=True)},
        {"obtained": False},
        {"kind": "redaction", "role": "manager"},
        {"kind": "edit", "role": "manager", "of_others": True},
    ],
    ids=["shadow", "review", "content not obtained", "a manager's redaction", "a manager's edit of another's message"],
)
def test_what_may_not_count_leads_nowhere(what: dict[str, object]) -> None:
    """Nothing is decided, and the reason is there to be shown."""
    world = World()
    found = msgspec.structs.replace(world.found(SCAM), **what)
    assert leads_nowhere(found)
    assert [] == world.turn(found)


def test_bots_bridges_and_ourselves_are_not_governed() -> None:
    """Unless the community names them, and we ourselves never."""
    asked: list[tuple[str, Role | None]] = [
        ("@comity:x", "bot"),
        ("@irc_ana:x", None),
        ("@irc_ben:x", None),
        ("@news:x", "bot"),
        ("@cleo:x", "manager"),
    ]
    named = {"@irc_ana:x", "@comity:x"}
    said = [exempt(a, r, ours={"@comity:x"}, ghost=lambda a: a.startswith("@irc_"), named=named) for a, r in asked]
    assert ["our own account", "", "a bridge's account", "a bot", ""] == said
    world = World()
    assert [] == world.turn(world.found(SCAM), exempt="a bot")


def test_a_dry_run_decides_as_much_and_blocks_nothing_later() -> None:
    """Everything is decided and flagged; when the community acts for real, it starts with a warning."""
    world, real = World(dry_run=True), World()
    dry = world.turn(world.found(FLOOD), world.found(SCAM))
    assert measures(dry) == measures(real.turn(real.found(FLOOD), real.found(SCAM)))
    assert all(d.decision.dry_run and not d.decision.holds(START) for d in dry)
    world.dry_run = False
    assert "warn" in measures(world.turn(world.found(FLOOD, START + HOUR), at=START + HOUR))


found_at = st.tuples(st.integers(0, 200), st.sampled_from(range(len(CLAUSES))), st.integers(1, 3), st.integers(1, 2))


@settings(max_examples=60, deadline=None)
@given(st.lists(found_at, min_size=1, max_size=12), st.integers(1, 72), st.sampled_from([{}, HISTORY]))
def test_no_machine_decision_lasts_or_needs_a_person(
    turns: list[tuple[int, int, int, int]], longest: int, history: dict[int, int]
) -> None:
    """In any course of findings: always an end, never over 72 hours or the charter's own, and no lasting measure."""
    world = World(by=charter(dt.timedelta(hours=longest)), history=history)
    for hour, which, room, member in sorted(turns):
        at = START + hour * HOUR
        for decided in world.turn(world.found(CLAUSES[which], at, room=room), at=at, member=member):
            d = decided.decision
            assert d.until is not None
            assert 0 < d.until - d.at <= min(longest, 72) * HOUR
            assert d.provisional
            assert d.proposed or d.measure not in BY_A_PERSON
            assert d.findings


@settings(max_examples=60, deadline=None)
@given(st.lists(found_at, min_size=1, max_size=12), st.sampled_from([World, partial(World, dry_run=True)]))
def test_deciding_twice_decides_nothing_new(turns: list[tuple[int, int, int, int]], new: Callable[[], World]) -> None:
    """The same findings, with what was decided about them known, lead to nothing more, at once or a minute later."""
    world = new()
    for hour, which, room, member in sorted(turns):
        at = START + hour * HOUR
        world.over(at)
        person = world.person([world.found(CLAUSES[which], at, room=room)], at, member=member)
        world.decisions += [d.decision for d in decide(world.case([person], at))]
        known = [d for d in world.decisions if d.member == member]
        again = msgspec.structs.replace(person, decisions=known)
        assert [] == decide(world.case([again], at))
        assert [] == decide(world.case([again], at + 60_000))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 2)), min_size=1, max_size=40))
def test_no_house_clause_ever_costs_a_right(turns: list[tuple[int, int]]) -> None:
    """However often it is broken, and whatever it asks for, it warns, hides and slows."""
    world = World()
    for hour, room in sorted(turns):
        at = START + hour * HOUR
        for decided in world.turn(world.found(HOUSE, at, room=room), at=at):
            assert decided.decision.measure in OF_THE_HOUSE


def test_house_findings_do_not_tip_somebody_over_a_line() -> None:
    """A standing low by house findings alone costs no right, also when the last thing found is no house finding."""
    world = World()
    for day in range(20):
        world.turn(world.found(HOUSE, START + day * DAY), at=START + day * DAY)
    at = START + 20 * DAY
    flood = msgspec.structs.replace(FLOOD, measures=())
    person = world.person([world.found(flood, at)], at)
    assert person.now.standing.points < 50_000
    assert ["slow"] == measures(decide(world.case([person], at)))


@pytest.mark.parametrize(
    "change",
    [
        {"until": None},
        {"until": START + 72 * HOUR + 1},
        {"measure": Measure.BAN},
        {"measure": Measure.REMOVE},
        {"measure": Measure.REVOKE},
        {"findings": ()},
        {"provisional": False},
        {"by": ""},
        {"until": START},
    ],
    ids=str,
)
def test_no_machine_can_even_write_down_what_it_may_not_do(change: dict[str, object]) -> None:
    """Without an end, for too long, for good, without evidence, or by nobody: such a decision is no value."""
    whole = Decision(
        number=1,
        at=START,
        community=1,
        member=1,
        measure=Measure.MUTE,
        clause=1,
        clause_id="1",
        clause_text="Tea.",
        severity=Severity.SEVERE,
        findings=(1,),
        head=1,
        until=START + HOUR,
    )
    with pytest.raises(ValueError, match=r"machine|person|last|who"):
        msgspec.structs.replace(whole, **change)


def fallen_with(world: World, *reversed_: int) -> list[str]:
    """Measures that would not stand if these entries had never been."""
    counted = [c for c in world.counted[1] if c.entry not in reversed_]

    def without(d: Decision) -> Rated:
        return rated(world.history, [c for c in counted if c.entry <= d.head], world.house, d.at // DAY)

    return [str(d.measure) for d in falls(world.decisions, without, {c.entry for c in counted})]


def test_what_followed_from_a_finding_falls_with_it() -> None:
    """With a finding goes what rests on it alone, on the line it crossed, or on the warning it brought."""
    serious = msgspec.structs.replace(LINKS, measures=())
    world = World()
    world.turn(world.found(serious), world.found(serious))
    soon = START + HOUR - 1
    world.turn(world.found(serious, soon), at=soon)
    everything = ["warn", "slow", "no_links", "suspend_management"]
    assert everything == [str(d.measure) for d in world.decisions]
    assert [] == fallen_with(world)
    assert everything == fallen_with(world, 1, 2)
    assert ["no_links"] == fallen_with(world, 1)  # standing would have been 50, and not below
    assert ["suspend_management"] == fallen_with(world, 3)


def test_a_clause_s_own_measure_stands_while_one_of_its_findings_does() -> None:
    """It asks for no standing."""
    world = World(history=HISTORY)
    world.turn(world.found(FLOOD), world.found(FLOOD))
    assert [] == fallen_with(world, 1)
    assert ["warn", "hide", "slow"] == fallen_with(world, 1, 2)


def test_what_a_person_confirmed_does_not_fall_by_itself() -> None:
    """The person who stands behind it is asked."""
    world = World(history=HISTORY)
    world.turn(world.found(FLOOD))
    world.decisions = [msgspec.structs.replace(d, course=Course.CONFIRMED, by="cleo") for d in world.decisions]
    assert [] == fallen_with(world, 1)


def test_a_house_finding_does_not_renew_what_others_brought() -> None:
    """Rights lost to graver findings came back; breaking a house rule afterwards does not take them again."""
    world, later = World(), START + 73 * HOUR
    world.turn(world.found(SCAM))
    person = world.person([world.found(HOUSE, later)], later)
    assert person.now.firm < Band.GOOD
    world.over(later)
    person = msgspec.structs.replace(person, decisions=list(world.decisions))
    assert {"warn", "hide", "slow"} >= set(measures(decide(world.case([person], later))))


def test_a_trial_s_warning_is_none() -> None:
    """Nobody was told: so the first warning of the community that acts for real comes before a suspension."""
    serious = msgspec.structs.replace(LINKS, measures=())
    world = World(dry_run=True)
    world.turn(world.found(serious), world.found(serious))
    assert world.decisions[0].measure is Measure.WARN
    world.dry_run = False
    decided = measures(world.turn(world.found(serious, START + HOUR), at=START + HOUR))
    assert "warn" in decided
    assert "suspend_management" not in decided


def test_a_message_is_hidden_once() -> None:
    """Two clauses that find the same message, at once or one after the other, hide it once."""
    world = World(history=HISTORY)
    decided = world.turn(world.found(SCAM, event="$tea"), world.found(FLOOD, event="$tea"))
    assert ["2.1"] == [d.decision.clause_id for d in decided if d.decision.measure is Measure.HIDE]
    assert "hide" not in measures(world.turn(world.found(LINKS, START + 1, event="$tea"), at=START + 1))


def test_a_proposal_that_was_refused_is_not_made_again_of_the_same() -> None:
    """What a person refused needs something new."""
    world = World(history=HISTORY)
    person = world.person([world.found(GRAVE)])
    first = [d.decision for d in decide(world.case([person])) if d.decision.proposed]
    refused = [msgspec.structs.replace(d, course=Course.REFUSED) for d in first]
    again = msgspec.structs.replace(person, decisions=refused)
    assert first
    assert [] == measures(decide(world.case([again], START + 48 * HOUR)), proposed=True)
    new = world.person([world.found(GRAVE, START + 48 * HOUR)], START + 48 * HOUR)
    new = msgspec.structs.replace(new, decisions=refused)
    assert ["revoke_management"] == measures(decide(world.case([new], START + 48 * HOUR)), proposed=True)
