"""Messages that are hidden for what is in force already."""

import msgspec
import pytest

from comity.core.charter import Measure
from comity.core.decision import Course, Decision
from comity.core.harm import Severity
from comity.core.held import SLOW_PAUSE, Reason, Sent, held, rights_left
from comity.core.rights import NEWCOMER, Band, Right, rights
from deciding import HOUR, START

NOW = START + HOUR


def imposed(measure: Measure, **more: object) -> Decision:
    """A decision in force."""
    d = Decision(
        number=7, at=START, community=1, member=1, measure=measure, clause=1, clause_id="1", clause_text="Tea.",
        severity=Severity.SERIOUS, findings=(1,), head=1, until=START + 72 * HOUR,
    )  # fmt: skip
    return msgspec.structs.replace(d, **more)


def sent(**more: object) -> Sent:
    """A plain message in room 4."""
    return msgspec.structs.replace(Sent(at=NOW, room=4, kind="message"), **more)


def test_who_is_muted_writes_nothing_even_where_the_platform_cannot_mute() -> None:
    """Messages, edits and reactions are hidden with the decision's number; leaving is nobody's business."""
    mute = [imposed(Measure.MUTE)]
    for kind in ("message", "edit", "reaction"):
        assert Reason(Measure.MUTE, 7) == held(sent(kind=kind), mute)
    assert held(sent(kind="leave"), mute) is None


def test_links_and_media_are_held_and_words_are_not() -> None:
    """Under no_links, in links, captions and edits alike."""
    no_links = [imposed(Measure.NO_LINKS)]
    for what in ({"links": True}, {"media": True}, {"kind": "edit", "links": True}):
        assert Reason(Measure.NO_LINKS, 7) == held(sent(**what), no_links)
    assert held(sent(), no_links) is None


def test_slow_mode_lets_one_message_a_minute_through() -> None:
    """Counted from the last message that stood; edits and reactions are free."""
    slow = [imposed(Measure.SLOW)]
    assert Reason(Measure.SLOW, 7) == held(sent(before=NOW - SLOW_PAUSE + 1), slow)
    assert held(sent(before=NOW - SLOW_PAUSE), slow) is None
    assert held(sent(), slow) is None
    assert held(sent(kind="edit", before=NOW - 1), slow) is None


def test_a_newcomer_waits_with_links_and_media_whatever_the_standing() -> None:
    """The charter itself says so, with no decision; managers and those who are not governed do not wait."""
    assert Reason(Measure.NO_LINKS, 0) == held(sent(links=True, newcomer=True), [])
    assert held(sent(newcomer=True), []) is None
    for who in ({"manager": True}, {"exempt": True}):
        assert held(sent(links=True, newcomer=True, **who), []) is None


@pytest.mark.parametrize(
    "over",
    [
        {"until": NOW},
        {"course": Course.REVERSED},
        {"course": Course.ENDED},
        {"course": Course.PROPOSED},
        {"dry_run": True},
        {"room": 5},
        {"at": NOW + 1},
    ],
    ids=str,
)
def test_what_is_not_in_force_holds_nothing(over: dict[str, object]) -> None:
    """Ended, reversed, only proposed, a dry run, elsewhere, or not yet: neither messages are held nor rights lost."""
    mute = [imposed(Measure.MUTE, **over)]
    assert held(sent(), mute) is None
    assert rights(Band.GOOD, newcomer=False) == rights_left(Band.MUTED, 4, NOW, mute, newcomer=False)


def test_only_a_decision_takes_a_right() -> None:
    """A low figure alone takes none; each measure takes what it says, and what it took is back when it is over."""
    full = rights(Band.GOOD, newcomer=False)
    assert full == rights_left(Band.MUTED, 4, NOW, [], newcomer=False)
    assert full - NEWCOMER == rights_left(Band.GOOD, 4, NOW, [], newcomer=True)
    for measure, lost in (
        (Measure.SUSPEND, {Right.MANAGE, Right.INVITE}),
        (Measure.NO_LINKS, set(NEWCOMER)),
        (Measure.MUTE, set(full)),
        (Measure.WARN, set()),
        (Measure.SLOW, set()),
    ):
        taken = [imposed(measure)]
        assert full - lost == rights_left(Band.GOOD, 4, NOW, taken, newcomer=False)
        assert full == rights_left(Band.GOOD, 4, NOW + 72 * HOUR, taken, newcomer=False)
