"""Managers who fall, those who take over, and how everything comes back."""

from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.core.action import Action, Do, Say
from comity.core.handover import Falls, HandOver, Office, Somebody, Stays, give_back, hand_over
from comity.core.rights import Band


def somebody(member: int, level: Say = Say.MEMBER, **more: object) -> Somebody:
    """A member of the tea garden, in good standing, and trusted unless said otherwise."""
    who = Somebody(member=member, account=f"@m{member}:x", level=level, points=90_000 + member, band=Band.TRUSTED)
    return msgspec.structs.replace(who, **more)


def office(*people: Somebody, deputies: tuple[int, ...] = ()) -> Office:
    """A room."""
    return Office(number=4, room="!tea", people=people, deputies=deputies, label="#tea")


def levels(actions: Collection[Action]) -> list[tuple[str, Say | None]]:
    """Whose say is changed, to what, in order."""
    return [(a.account, a.to) for a in actions if a.do is Do.LEVEL]


def fallen(room: Office, *members: int, to: Say = Say.MEMBER) -> tuple[HandOver | Stays, ...]:
    """These managers fall together, by decisions 101 and so on."""
    return hand_over(room, [Falls(m, to, 100 + m) for m in members])


ANA = somebody(1, Say.MANAGER)


def test_the_successor_is_promoted_before_the_manager_is_demoted() -> None:
    """And where the promotion cannot be done, neither is the demotion."""
    (step,) = fallen(office(ANA, somebody(2)), 1)
    assert isinstance(step, HandOver)
    assert [("@m2:x", Say.MANAGER), ("@m1:x", Say.MEMBER)] == levels(step.actions)
    promote, told, demote = step.actions
    assert (promote.id,) == demote.after == told.after
    assert "d101-r4-1" == promote.id


def test_the_named_deputy_takes_over_and_else_the_trusted_of_best_standing() -> None:
    """A deputy in good standing comes first, in the order named; a bot only if named; never one under a measure."""
    ben, cleo, dora = somebody(2), somebody(3), somebody(4, points=99_000)
    for people, deputies, expected in (
        ((ben, cleo, dora), (), 4),
        ((ben, cleo, dora), (3, 2), 3),
        ((ben, msgspec.structs.replace(cleo, held=True), dora), (3, 2), 2),
        ((ben, msgspec.structs.replace(cleo, accepts=False)), (3,), 2),
        ((ben, msgspec.structs.replace(cleo, band=Band.SUSPENDED)), (3,), 2),
        ((ben, msgspec.structs.replace(cleo, band=Band.GOOD)), (3,), 3),
        ((ben, msgspec.structs.replace(dora, bot=True)), (), 2),
        ((ben, msgspec.structs.replace(dora, bot=True)), (4,), 4),
        ((ben, msgspec.structs.replace(dora, held=True)), (), 2),
    ):
        (step,) = fallen(office(ANA, *people, deputies=deputies), 1)
        assert isinstance(step, HandOver)
        assert expected == step.successor


def test_nobody_takes_over_where_another_manager_is_there() -> None:
    """Unless a deputy is named for it."""
    ben, cleo = somebody(2, Say.MANAGER), somebody(3)
    for deputies, expected in (((), 0), ((3,), 3)):
        (step,) = fallen(office(ANA, ben, cleo, deputies=deputies), 1)
        assert isinstance(step, HandOver)
        assert expected == step.successor


def test_where_nobody_can_take_over_the_manager_stays_and_a_person_is_asked() -> None:
    """Not a newcomer, not a bot, not one who declines, and not somebody under a measure."""
    for other in ({"band": Band.GOOD}, {"bot": True}, {"accepts": False}, {"held": True}, {"level": Say.MUTED}):
        (step,) = fallen(office(ANA, somebody(2, **other)), 1)
        assert isinstance(step, Stays)
        assert "person" in step.why


def test_a_room_s_creator_is_out_of_reach() -> None:
    """Who cannot be demoted stays, and it is said."""
    (step,) = fallen(office(msgspec.structs.replace(ANA, fixed=True), somebody(2)), 1)
    assert isinstance(step, Stays)
    assert "no way" in step.why


def test_two_managers_of_one_room_falling_at_once_leave_one_successor() -> None:
    """Neither counts on the other; the second falls only when the one who takes over has been promoted."""
    first, second = fallen(office(ANA, somebody(2, Say.MANAGER), somebody(3)), 1, 2)
    assert isinstance(first, HandOver)
    assert isinstance(second, HandOver)
    assert (3, 0) == (first.successor, second.successor)
    assert ("d101-r4-1",) == second.actions[0].after
    alone = fallen(office(ANA, somebody(2, Say.MANAGER)), 1, 2)
    assert [Stays, Stays] == [type(step) for step in alone]


def test_what_was_taken_comes_back_exactly_and_the_successor_steps_back_after_it() -> None:
    """The manager gets what they had, then the successor what they had."""
    (step,) = fallen(office(ANA, somebody(2)), 1)
    assert isinstance(step, HandOver)
    whose = {t.member: t for t in step.touched}
    now = office(
        somebody(1, touched=whose[1].action),
        somebody(2, Say.MANAGER, touched=whose[2].action, stands_for=whose[2].stands_for),
    )
    actions, back = give_back(now, 1, 101)
    assert [("@m1:x", Say.BEFORE), ("@m2:x", Say.BEFORE)] == levels(actions)
    assert ["d101-r4-2", "d101-r4-1"] == [a.undoes for a in actions]
    assert (actions[0].id,) == actions[1].after
    assert (1, 2) == back


def test_a_successor_who_falls_gets_no_office_back() -> None:
    """The office was never theirs: the next one stands for the first manager, and gives back to that one."""
    ben = somebody(2, Say.MANAGER, touched="d101-r4-1", stands_for=1)
    (step,) = fallen(office(somebody(1, held=True, touched="d101-r4-2"), ben, somebody(3)), 2)
    assert isinstance(step, HandOver)
    assert [("@m3:x", Say.MANAGER), ("@m2:x", Say.BEFORE)] == levels(step.actions)
    assert [(3, 1)] == [(t.member, t.stands_for) for t in step.touched]
    assert (2,) == step.back
    muted = fallen(office(somebody(1, held=True), ben, somebody(3)), 2, to=Say.MUTED)[0]
    assert isinstance(muted, HandOver)
    assert [("@m3:x", Say.MANAGER), ("@m2:x", Say.BEFORE), ("@m2:x", Say.MUTED)] == levels(muted.actions)


def test_only_a_manager_can_fall() -> None:
    """Anything else is a mistake of the caller."""
    with pytest.raises(ValueError, match="does not manage"):
        fallen(office(ANA, somebody(2)), 2)


@dataclass
class Garden:
    """A room on a platform: carries actions out, some of which it cannot, and never forgets what was before."""

    people: dict[int, Somebody]
    cannot: Collection[str] = ()
    start: dict[int, Say] = field(default_factory=dict)
    before: dict[str, Say] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.start = {m: p.level for m, p in self.people.items()}

    def managers(self) -> list[int]:
        """Who can manage, now."""
        return [m for m, p in self.people.items() if p.level is Say.MANAGER and not p.bot]

    def change(self, member: int, **more: object) -> None:
        """Know something else of somebody."""
        self.people[member] = msgspec.structs.replace(self.people[member], **more)

    def act(self, actions: Collection[Action], touched: dict[int, tuple[str, int]]) -> None:
        """Carry out actions in order; after each, somebody must be able to manage."""
        by_account = {p.account: m for m, p in self.people.items()}
        for a in actions:
            if a.do is not Do.LEVEL or a.account in self.cannot or not set(a.after) <= self.done:
                continue
            member = by_account[a.account]
            assert a.to is not None
            if a.to is not Say.BEFORE:
                self.before[a.id] = self.people[member].level
                id_, stands_for = touched.get(member, (self.people[member].touched or a.id, 0))
                self.change(member, level=a.to, touched=id_, stands_for=stands_for)
            else:
                self.change(member, level=self.before[a.undoes], touched="", stands_for=0)
            self.done.add(a.id)
            assert self.managers(), f"nobody can manage after {a}"


roles = st.lists(
    st.tuples(
        st.sampled_from([Say.MANAGER, Say.MEMBER, Say.MEMBER]),
        st.sampled_from([Band.TRUSTED, Band.TRUSTED, Band.TRUSTED, Band.GOOD, Band.SUSPENDED]),
        st.sampled_from([True, True, False]),
    ),
    min_size=1,
    max_size=6,
)
steps = st.lists(st.tuples(st.booleans(), st.sets(st.integers(1, 6), min_size=1, max_size=3)), max_size=12)


@settings(max_examples=300, deadline=None)
@given(roles, steps, st.sets(st.integers(2, 4), max_size=2), st.lists(st.integers(1, 6), max_size=2, unique=True))
def test_a_group_is_never_left_without_anyone_who_can_manage_it(
    who: list[tuple[Say, Band, bool]], course: list[tuple[bool, set[int]]], cannot: set[int], deputies: list[int]
) -> None:
    """In any order of falling and coming back, alone or together, also where the platform refuses an account."""
    people = {n: somebody(n, level, band=band, accepts=ok) for n, (level, band, ok) in enumerate(who, 1)}
    people[1] = msgspec.structs.replace(people[1], level=Say.MANAGER)
    garden = Garden(people, {f"@m{m}:x" for m in cannot})
    for number, (falls, members) in enumerate(course, 1):
        room = office(*garden.people.values(), deputies=tuple(d for d in deputies if d in people))
        if falls:
            down = [m for m in sorted(members & set(garden.managers())) if not garden.people[m].held]
            result = hand_over(room, [Falls(m, Say.MEMBER, 100 * number + m) for m in down])
            for step in result:
                if isinstance(step, HandOver):
                    garden.act(step.actions, {t.member: (t.action, t.stands_for) for t in step.touched})
            for m in down:
                garden.change(m, held=True)
        else:
            for m in sorted(m for m in members if m in garden.people and garden.people[m].held):
                garden.change(m, held=False)
                room = office(*garden.people.values())
                garden.act(give_back(room, m, 100 * number + m)[0], {})
        assert garden.managers()


@settings(max_examples=200, deadline=None)
@given(roles, st.lists(st.sets(st.integers(1, 6), min_size=1, max_size=3), max_size=5), st.permutations(range(1, 7)))
def test_when_all_are_back_everybody_has_exactly_what_they_had(
    who: list[tuple[Say, Band, bool]], falls: list[set[int]], order: list[int]
) -> None:
    """Whoever fell and whoever stood in, in whatever order they come back."""
    people = {n: somebody(n, level, band=band, accepts=ok) for n, (level, band, ok) in enumerate(who, 1)}
    garden = Garden({1: msgspec.structs.replace(people.pop(1), level=Say.MANAGER), **people})
    for number, members in enumerate(falls, 1):
        down = [m for m in sorted(members & set(garden.managers())) if not garden.people[m].held]
        for step in hand_over(office(*garden.people.values()), [Falls(m, Say.MEMBER, 100 * number + m) for m in down]):
            if isinstance(step, HandOver):
                garden.act(step.actions, {t.member: (t.action, t.stands_for) for t in step.touched})
        for m in down:
            garden.change(m, held=True)
    for m in order:
        if m in garden.people and garden.people[m].held:
            garden.change(m, held=False)
            garden.act(give_back(office(*garden.people.values()), m, 9000 + m)[0], {})
    assert garden.start == {m: p.level for m, p in garden.people.items()}
