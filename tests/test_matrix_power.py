"""Power levels: who can do what, what a change looks like, and that nothing else changes with it."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.adapters.matrix.power import (
    MOST_BYTES,
    Levels,
    can,
    created,
    enforceable,
    merged,
    own_level,
    too_large,
    with_level,
)
from comity.core.action import Do, Say
from comity.core.charter import Measure

BOT, ANA, BO, CLEO = (f"@{name}:garden.example" for name in ("comity", "ana", "bo", "cleo"))
ELEVEN = created(ANA, {"room_version": "11"})
TWELVE = created(ANA, {"room_version": "12", "additional_creators": [BO, 7]})

_levels = st.dictionaries(st.sampled_from([BOT, ANA, BO, CLEO]), st.integers(-100, 100))
_events = st.dictionaries(st.sampled_from(["m.room.message", "m.room.topic"]), st.integers(-10, 100))
_contents = st.fixed_dictionaries(
    {}, optional={"users": _levels, "events": _events, "ban": st.integers(0, 100), "users_default": st.integers(-5, 5)}
)


@settings(max_examples=200)
@given(_contents, st.sampled_from([ANA, BO]), st.none() | st.integers(-100, 100))
def test_a_change_is_exact_and_can_be_taken_back(content: dict[str, Any], account: str, level: int | None) -> None:
    """The account has the level, nothing else differs, and giving back what it had gives back the content itself."""
    changed = with_level(content, {account: level})
    restored = with_level(changed, {account: own_level(content, account)})

    assert level == own_level(changed, account)
    assert {**content, "users": None} == {**changed, "users": None}
    assert {**content, "users": content.get("users", {})} == {**restored, "users": restored.get("users", {})}


@settings(max_examples=200)
@given(_contents, _contents, st.sampled_from([BO, CLEO]), st.integers(-100, 100))
def test_two_writers_who_change_different_things_both_have_their_way(
    base: dict[str, Any], theirs: dict[str, Any], account: str, level: int
) -> None:
    """Merged with ours, theirs stands but for the one level that is ours; where nothing changed nothing is merged."""
    ours = with_level(base, {account: level})
    both = with_level(merged(base, theirs, ours), {account: level})

    assert base == merged(base, base, base)
    assert theirs == merged(base, theirs, base)
    assert level == own_level(both, account)
    for key in ("events", "ban", "users_default"):
        assert theirs.get(key) == both.get(key)
    for other in {BOT, ANA, BO, CLEO} - {account}:
        assert own_level(theirs, other) == own_level(both, other)


@pytest.mark.parametrize(
    ("content", "creation", "expected"),
    [
        ({"users": {ANA: 100}}, ELEVEN, [100, 0]),
        ({"users": {ANA: "100"}, "users_default": "5"}, ELEVEN, [100, 5]),
        ({"users": {}}, TWELVE, [math.inf, math.inf]),
        ({"users": []}, ELEVEN, [0, 0]),
        (None, ELEVEN, [100, 0]),
        (None, created(BO, {"creator": ANA, "room_version": "10"}), [100, 0]),
    ],
)
def test_levels_are_what_the_room_says(content: Any, creation: Any, expected: list[float]) -> None:  # noqa: ANN401 - JSON
    """Own level, else the default; creators of version 12 above all; without an event the creator has 100."""
    levels = Levels(content, creation)

    assert expected == [levels.level_of(ANA), levels.level_of(BO)]


def test_what_a_say_means_is_a_number_of_this_room() -> None:
    """Muted is below everything one can write with, and below zero; a manager has what managing takes here."""
    room = Levels(
        {"events_default": 0, "events": {"m.reaction": -3}, "kick": 40, "ban": 60, "state_default": 70}, ELEVEN
    )

    assert (-4, None, 70) == (room.number(Say.MUTED), room.number(Say.MEMBER), room.number(Say.MANAGER))
    assert -1 == Levels({"events_default": 50, "events": {"m.reaction": 50, "m.room.message": 25}}, None).number(
        Say.MUTED
    )
    with pytest.raises(ValueError, match="before"):
        room.number(Say.BEFORE)


def test_a_say_is_read_back_from_a_level() -> None:
    """What a say gives is what is read of it, and creators of version 12 manage."""
    room = Levels({"users": {ANA: 50, BO: -1}}, ELEVEN)

    assert [Say.MANAGER, Say.MUTED, Say.MEMBER] == [room.say_of(one) for one in (ANA, BO, CLEO)]
    assert Say.MANAGER == Levels({}, TWELVE).say_of(BO)


def test_who_manages_a_room() -> None:
    """Whoever can remove and ban; creators of version 12 without a level; but not everybody where everybody can."""
    assert {ANA, BO} == Levels({"users": {ANA: 100, BO: 50, CLEO: 49}}, ELEVEN).managers()
    assert {ANA, BO} == Levels({"users": {CLEO: 1}}, TWELVE).managers()
    assert set() == Levels({"users": {CLEO: 0}, "ban": 0, "kick": 0}, ELEVEN).managers()


@pytest.mark.parametrize(
    ("do", "content", "says"),
    [
        (Do.LEVEL, {"users": {BOT: 100}}, None),
        (Do.LEVEL, {"users": {BOT: 50}, "events": {"m.room.power_levels": 100}}, "needs power level 100 and has 50"),
        (Do.LEVEL, {"users": {BOT: 100, BO: 100}}, f"Lower {BO} below 100, or raise {BOT} above 100"),
        (Do.BAN, {"users": {BOT: 60}, "ban": 70}, "To ban in this room"),
        (Do.BAN, {"users": {BOT: 70}, "ban": 70}, None),
        (Do.REMOVE, {"users": {BOT: 50, BO: 51}}, "takes more than the other has"),
        (Do.UNBAN, {"users": {BOT: 50}, "kick": 60}, "To lift bans"),
        (Do.HIDE, {"users": {BOT: 49}}, "To hide messages of others"),
        (Do.HIDE, {"users": {BOT: 50, BO: 100}}, None),
        (Do.SAY, {"users": {BOT: 0}, "events_default": 10}, "To write"),
        (Do.TELL, {}, None),
    ],
)
def test_what_cannot_be_done_says_how_to_mend_it(do: Do, content: dict[str, Any], says: str | None) -> None:
    """One or two sentences with the levels that there are and those that it takes."""
    why = can(Levels(content, ELEVEN), BOT, do, BO, to=-1)

    assert why is None if says is None else says in str(why)


def test_nobody_is_given_a_level_that_cannot_be_taken_back() -> None:
    """A manager's level must be below the bot's own."""
    room = Levels({"users": {BOT: 50}}, ELEVEN)

    assert "raise @comity:garden.example above 50" in str(can(room, BOT, Do.LEVEL, BO, to=room.number(Say.MANAGER)))


def test_size_has_a_bound() -> None:
    """Pitfall 6: what fits is written, what does not is refused with a way out."""
    assert too_large({"users": {BO: -1}}) is None
    assert "Ban instead" in str(too_large({"users": {"@" + "a" * MOST_BYTES: -1}}))


def test_a_room_without_permission_says_so_for_each_measure() -> None:
    """Only a warning needs none; whoever stands above the bot is named with a reason, and creators with a note."""
    room = enforceable(Levels({"users": {BOT: 0, CLEO: 50}}, TWELVE), BOT, encrypted=True)

    assert {Measure.WARN} == {measure for measure, why in room.measures.items() if not why}
    assert {ANA, BO, CLEO} == set(room.out_of_reach)
    assert "room version 12 nobody can act on a creator" in room.out_of_reach[ANA]
    assert 2 == len(room.notes)
