"""From decisions to actions and back."""

import re
from collections.abc import Sequence

import msgspec
import pytest

from comity.core.action import Action, Do, Say
from comity.core.actions_of import begin, hold, tell
from comity.core.carried import Room
from comity.core.charter import Measure
from comity.core.decision import Course, Decision, Enforced, Place
from comity.core.giving_back import end
from comity.core.handover import Office, Somebody
from comity.core.harm import Severity
from comity.core.rights import Band
from deciding import HOUR, START

ANA, BEN, CLEO = 1, 2, 3


def imposed(measure: Measure, number: int = 7, member: int = ANA, **more: object) -> Decision:
    """A person's decision, in force."""
    d = Decision(
        number=number, at=START, community=1, member=member, measure=measure, clause=1, clause_id="1", by="dora",
        clause_text="Tea.", severity=Severity.SERIOUS, findings=(1,), head=1, until=START + HOUR, provisional=False,
    )  # fmt: skip
    return msgspec.structs.replace(d, **more)


def room(*people: Somebody, number: int = 4, cannot: dict[Measure, str] | None = None) -> Room:
    """A room with three members, all trusted, unless given."""
    whole = people or (who(ANA), who(BEN), who(CLEO))
    return Room(office=Office(number=number, room=f"!room{number}", people=whole), cannot=cannot or {})


def who(member: int, level: Say = Say.MEMBER, **more: object) -> Somebody:
    """A member."""
    found = Somebody(member=member, account=f"@m{member}:x", level=level, points=90_000, band=Band.TRUSTED)
    return msgspec.structs.replace(found, **more)


def brief(actions: Sequence[Action]) -> list[tuple[str, str, str]]:
    """What is done, to whom or what, and to which level."""
    return [(str(a.do), a.account or a.event, str(a.to or "")) for a in actions if a.do is not Do.TELL]


def test_each_measure_asks_for_its_actions_where_it_holds() -> None:
    """In its room or in all of them, with ids that follow from decision, room and step alone."""
    rooms = [room(), room(number=5)]
    for measure, per_room in (
        (Measure.MUTE, [("level", "@m1:x", "muted")]),
        (Measure.REMOVE, [("remove", "@m1:x", "")]),
        (Measure.BAN, [("ban", "@m1:x", "")]),
        (Measure.WARN, []),
        (Measure.SLOW, []),
        (Measure.NO_LINKS, []),
        (Measure.SUSPEND, []),
    ):
        assert per_room * 2 == brief(begin([imposed(measure)], rooms, {}, {}).actions)
        assert per_room == brief(begin([imposed(measure, room=5)], rooms, {}, {}).actions)
        again = begin([imposed(measure)], rooms, {}, {}).actions
        assert [a.id for a in again] == [a.id for a in begin([imposed(measure)], rooms, {}, {}).actions]
        assert len({a.id for a in again}) == len(again)


def test_a_hide_asks_for_each_message_in_its_room_first_of_all() -> None:
    """What others must not see goes first; the reason stands with each."""
    hide = imposed(Measure.HIDE, hides=(Place(4, "$a"), Place(4, "$b"), Place(5, "$c")))
    begun = begin([imposed(Measure.MUTE, 6), hide], [room(), room(number=5)], {}, {7: "Hidden."})
    assert [("hide", "$a", ""), ("hide", "$b", ""), ("hide", "$c", "")] == brief(begun.actions)[:3]
    assert {"Hidden."} == {a.reason for a in begun.actions if a.do is Do.HIDE}
    assert ["d7-r4-h1", "d7-r4-h2", "d7-r5-h1"] == [a.id for a in begun.actions if a.do is Do.HIDE]


@pytest.mark.parametrize("over", [{"dry_run": True}, {"course": Course.PROPOSED, "measure": Measure.BAN}], ids=str)
def test_a_dry_run_and_a_proposal_do_nothing(over: dict[str, object]) -> None:
    """Neither when they begin nor when they end."""
    decision = imposed(**({"measure": Measure.MUTE} | over))  # type: ignore[arg-type]
    assert () == begin([decision], [room()], {}, {}).actions
    assert () == end(decision, [room(who(ANA, touched="d7-r4-2"))], [], undone=True, reason="").actions


def test_what_the_platform_cannot_do_is_noted_and_not_asked() -> None:
    """With the reason; the other rooms are not spared."""
    rooms = [room(cannot={Measure.MUTE: "we have too little say here"}), room(number=5)]
    begun = begin([imposed(Measure.MUTE)], rooms, {}, {})
    assert (Enforced(4, done=False, why="we have too little say here"),) == begun.enforced[7]
    assert ["!room5"] == [a.room for a in begun.actions]


def test_a_manager_who_is_muted_suspended_or_banned_hands_over_first() -> None:
    """The successor before, a ban after; where nobody can take over, a person is asked and nothing is done."""
    for measure, last in (
        (Measure.SUSPEND, [("level", "@m1:x", "member")]),
        (Measure.MUTE, [("level", "@m1:x", "muted")]),
        (Measure.REVOKE, [("level", "@m1:x", "member")]),
        (Measure.BAN, [("level", "@m1:x", "member"), ("ban", "@m1:x", "")]),
    ):
        begun = begin([imposed(measure)], [room(who(ANA, Say.MANAGER), who(BEN))], {}, {})
        assert [("level", "@m2:x", "manager"), *last] == brief(begun.actions)
        assert all(a.after for a in begun.actions[1:])
        alone = begin([imposed(measure)], [room(who(ANA, Say.MANAGER))], {}, {})
        assert () == alone.actions
        assert [(4, ANA)] == [(number, stays.member) for number, stays in alone.asks]
        assert [False] == [e.done for e in alone.enforced[7]]


def test_two_managers_falling_in_one_turn_are_seen_together() -> None:
    """Two decisions of one turn count on a third member, not on each other."""
    both = [imposed(Measure.SUSPEND, 7, ANA), imposed(Measure.SUSPEND, 8, BEN)]
    managers = (who(ANA, Say.MANAGER), who(BEN, Say.MANAGER))
    begun = begin(both, [room(*managers, who(CLEO))], {}, {})
    assert ("level", "@m3:x", "manager") == brief(begun.actions)[0]
    assert all(a.after for a in begun.actions[1:])
    assert 2 == len(begin(both, [room(*managers)], {}, {}).asks)


def test_what_other_measures_still_hold_down_stays_down() -> None:
    """Of a suspension and a mute, whichever ends first gives back only what the other leaves."""
    mute, suspension = imposed(Measure.MUTE, 7), imposed(Measure.SUSPEND, 8)
    down = room(who(ANA, Say.MUTED, touched="d8-r4-2"), who(BEN))
    assert [] == brief(end(suspension, [down], [mute], undone=False, reason="").actions)
    first = end(mute, [down], [suspension], undone=False, reason="")
    assert [("level", "@m1:x", "member")] == brief(first.actions)
    assert () == first.back
    last = end(suspension, [down], [], undone=False, reason="")
    assert [("level", "@m1:x", "before")] == brief(last.actions)
    assert ["d8-r4-2"] == [a.undoes for a in last.actions]
    assert ((4, ANA),) == last.back


def test_a_suspension_of_somebody_muted_does_not_unmute() -> None:
    """The graver say holds."""
    begun = begin([imposed(Measure.SUSPEND, 8)], [room(who(ANA, Say.MUTED))], {ANA: [imposed(Measure.MUTE)]}, {})
    assert () == begun.actions


def test_what_was_never_changed_is_not_given_back() -> None:
    """A manager who stayed, or a mute that could not be done, ends without an action."""
    assert () == end(imposed(Measure.SUSPEND), [room(who(ANA, Say.MANAGER))], [], undone=False, reason="").actions


def test_what_cannot_be_undone_is_said() -> None:
    """A hidden message stays hidden, and the reversal says so; a ban is lifted, a removal needs nothing."""
    undone = end(imposed(Measure.HIDE, hides=(Place(4, "$a"),)), [room()], [], undone=True, reason="")
    assert () == undone.actions
    assert "no way to bring" in undone.enforced[7][0].why
    lifted = end(imposed(Measure.BAN), [room(who(BEN))], [], undone=True, reason="", account="@m1:x")
    assert [("unban", "@m1:x", "")] == brief(lifted.actions)
    assert () == end(imposed(Measure.REMOVE), [room()], [], undone=True, reason="").actions


def test_a_revocation_comes_back_only_when_reversed() -> None:
    """It is no measure for a time."""
    revoked, down = imposed(Measure.REVOKE), room(who(ANA, touched="d7-r4-2"))
    assert () == end(revoked, [down], [], undone=False, reason="").actions
    assert [("level", "@m1:x", "before")] == brief(end(revoked, [down], [], undone=True, reason="").actions)


def test_a_ban_keeps_out_who_has_left() -> None:
    """Who is not there cannot be removed or muted, and can be kept from coming back."""
    empty = [room(who(BEN))]
    for measure, expected in ((Measure.BAN, [("ban", "@m1:x", "")]), (Measure.REMOVE, []), (Measure.MUTE, [])):
        assert expected == brief(begin([imposed(measure)], empty, {}, {}, absent={ANA: "@m1:x"}).actions)


def test_a_member_is_told_once_a_turn() -> None:
    """All that was decided in one message, in order of the decisions."""
    told = tell("@m1:x", {8: "You cannot write.", 7: "What you wrote is hidden."})
    assert told is not None
    assert ("d7-t", "What you wrote is hidden.\n\nYou cannot write.") == (told.id, told.text)
    assert tell("@m1:x", {}) is None


def test_a_message_that_breaks_what_is_in_force_is_hidden_once() -> None:
    """Its action has one id for that message in that room, so a second look asks for nothing new."""
    first, again = (hold("$a/b+c", "!tea", 7, "Hidden: slow mode.") for _ in range(2))
    assert first == again
    assert (Do.HIDE, "$a/b+c", 7) == (first.do, first.event, first.decision)
    assert 3 == len({first.id, hold("$a/b+c", "!attic", 7, "").id, hold("$other", "!tea", 7, "").id})
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", first.id)
