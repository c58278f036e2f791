"""Whatever was taken comes back exactly, on a platform that remembers nothing but what it was asked."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.core.action import Action, Do, Say
from comity.core.actions_of import begin
from comity.core.carried import Carried, Room
from comity.core.charter import Measure
from comity.core.decision import Course, Decision
from comity.core.giving_back import end
from comity.core.handover import Office, Somebody, Touched
from comity.core.harm import Severity
from comity.core.held import rights_left
from comity.core.rights import Band
from deciding import HOUR, START

LASTING = (Measure.SLOW, Measure.NO_LINKS, Measure.MUTE, Measure.SUSPEND, Measure.REVOKE)


@dataclass
class Platform:
    """Rooms with people, what was asked of them, and what the store would remember."""

    levels: dict[tuple[int, int], Say]
    fixed: frozenset[int]
    touched: dict[tuple[int, int], Touched] = field(default_factory=dict)
    before: dict[str, Say] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    decisions: dict[int, Decision] = field(default_factory=dict)

    def rooms(self) -> list[Room]:
        """As the runner sees them."""
        found = []
        for number in sorted({room for room, _ in self.levels}):
            people = []
            for (room, member), level in sorted(self.levels.items()):
                if room == number:
                    touched = self.touched.get((room, member))
                    people.append(
                        Somebody(
                            member=member,
                            account=str(member),
                            level=level,
                            band=Band.TRUSTED,
                            points=90_000,
                            fixed=member in self.fixed,
                            held=bool(self.in_force(member)),
                            touched=touched.action if touched else "",
                            stands_for=touched.stands_for if touched else 0,
                        )
                    )
            found.append(Room(office=Office(number=number, room=str(number), people=people)))
        return found

    def in_force(self, member: int) -> list[Decision]:
        """What holds."""
        return [d for d in self.decisions.values() if d.member == member and d.holds(START)]

    def managers(self, room: int) -> int:
        """How many can manage a room."""
        return sum(level is Say.MANAGER for (r, _), level in self.levels.items() if r == room)

    def carry(self, carried: Carried) -> None:
        """Do what is asked, in order, and remember what the store would."""
        for key in carried.back:
            self.touched.pop(key, None)
        for t in carried.touched:
            self.touched[t.room, t.member] = t
        for action in carried.actions:
            if action.do is Do.LEVEL and set(action.after) <= self.done:
                self.level(action)

    def level(self, action: Action) -> None:
        """Change a say as an adapter would."""
        key = int(action.room), int(action.account)
        managed = self.managers(key[0])
        assert action.id not in self.done, "one id, one deed"
        assert action.to is not None
        self.before[action.id] = self.levels[key]
        self.levels[key] = self.before[action.undoes] if action.to is Say.BEFORE else action.to
        self.done.add(action.id)
        assert self.managers(key[0]) or not managed, "a room was left without anyone who can manage it"

    def impose(self, *decisions: Decision) -> None:
        """Begin decisions of one turn."""
        held = {d.member: self.in_force(d.member) for d in decisions}
        rooms = self.rooms()
        for d in decisions:
            self.decisions[d.number] = d
        self.carry(begin(decisions, rooms, held, {}))

    def over(self, number: int, *, undone: bool) -> None:
        """End or reverse one."""
        d = self.decisions[number]
        course = Course.REVERSED if undone else Course.ENDED
        self.decisions[number] = msgspec.structs.replace(d, course=course)
        self.carry(end(d, self.rooms(), self.in_force(d.member), undone=undone, reason=""))


def by_a_person(number: int, member: int, measure: Measure, room: int) -> Decision:
    """A decision of any measure."""
    return Decision(
        number=number, at=START, community=1, member=member, room=room, measure=measure, clause=1, clause_id="1",
        clause_text="Tea.", severity=Severity.SERIOUS, findings=(number,), head=number, until=START + HOUR, by="dora",
        provisional=False,
    )  # fmt: skip


people = st.dictionaries(
    st.tuples(st.integers(1, 2), st.integers(1, 4)),
    st.sampled_from([Say.MANAGER, Say.MEMBER, Say.MEMBER]),
    min_size=1,
    max_size=8,
)
turns = st.lists(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from(LASTING), st.integers(0, 2)), min_size=1, max_size=3),
    min_size=1,
    max_size=5,
)


def numbered(turn: Sequence[tuple[int, Measure, int]], first: int) -> list[Decision]:
    """The decisions of one turn."""
    return [by_a_person(first + i, *what) for i, what in enumerate(turn)]


@settings(max_examples=300, deadline=None)
@given(people, turns, st.randoms(use_true_random=False), st.sets(st.integers(1, 4), max_size=1))
def test_when_every_decision_is_reversed_everybody_can_say_and_do_what_they_could(
    levels: dict[tuple[int, int], Say],
    course: list[list[tuple[int, Measure, int]]],
    chance: random.Random,
    fixed: set[int],
) -> None:
    """In whatever order, whoever stood in for whom, one measure over another; and all along somebody manages."""
    platform = Platform(dict(levels), frozenset(fixed))
    number = 1
    for turn in course:
        decisions = numbered(turn, number)
        platform.impose(*decisions)
        number += len(decisions)
    order = list(platform.decisions)
    chance.shuffle(order)
    for n in order:
        platform.over(n, undone=True)
    assert levels == platform.levels
    assert {} == platform.touched


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LASTING), st.integers(0, 2)), max_size=4), st.sampled_from(LASTING))
def test_a_reversal_returns_exactly_the_rights_before(others: list[tuple[Measure, int]], measure: Measure) -> None:
    """No more than the member had in each room before that decision, and no less."""
    held = [by_a_person(n, 1, m, room) for n, (m, room) in enumerate(others, 2)]
    decision = by_a_person(1, 1, measure, 0)
    gone = msgspec.structs.replace(decision, course=Course.REVERSED)
    for room in (1, 2):
        before = rights_left(Band.GOOD, room, START, held, newcomer=False)
        during = rights_left(Band.GOOD, room, START, [*held, decision], newcomer=False)
        assert before == rights_left(Band.GOOD, room, START, [*held, gone], newcomer=False)
        assert during <= before
