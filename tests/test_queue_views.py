"""What of the queue somebody sees: only what they have open, in order of age, and what their role lets them decide."""

from collections.abc import Callable

import msgspec
import pytest

from comity.core.access import Role
from comity.core.charter import Measure
from comity.core.decision import Course
from comity.core.queue import LOCKED_FOR, After, Item, Kind, Query, may_decide
from comity.core.report import voice
from comity.stores.sql_store import SqlStore
from store_decisions import a_decision, add
from store_entries import MORNING, garden, post_findings
from test_process_store import a_report

ALL = Query(communities=(1,))


@pytest.fixture
def store(reopen: Callable[[], SqlStore]) -> SqlStore:
    """A garden with a proposal to ban, an older provisional mute, and a report."""
    made = reopen()
    garden(made)
    head = post_findings(made, 6)
    add(
        made,
        a_decision(1, head.number, course=Course.PROPOSED, measure=Measure.BAN, at=MORNING + 2),
        a_decision(2, head.number, findings=(1, 4), at=MORNING + 1),
    )
    made.process.add_report(a_report(at=MORNING, rank=0))
    return made


def keys(store: SqlStore, query: Query) -> list[str]:
    """The items that wait."""
    return [w.item.key for w in store.process.items(query, MORNING + 10)]


def test_one_sees_what_one_has_open(store: SqlStore) -> None:
    """Only that, and only for as long as the lock holds."""
    mine = msgspec.structs.replace(ALL, locked_by="olive")
    store.process.lock(Item(Kind.REPORT, 1), "olive", MORNING)
    store.process.lock(Item(Kind.PROVISIONAL, 2), "mona", MORNING)

    assert ["report-1"] == keys(store, mine)
    assert [] == store.process.items(mine, MORNING + LOCKED_FOR)


def test_the_oldest_first_whatever_the_rank_and_page_by_page(store: SqlStore) -> None:
    """Age alone counts, and the pages together are the whole."""
    oldest = msgspec.structs.replace(ALL, oldest=True)
    assert ["report-1", "provisional-2", "proposal-1"] == keys(store, oldest)

    seen: list[str] = []
    after: After | None = None
    while page := store.process.items(oldest, MORNING + 10, after=after, most=1):
        seen += [w.item.key for w in page]
        after = After(page[-1].rank, page[-1].at, page[-1].item)
    assert seen == keys(store, oldest)


def test_the_stamp_is_another_once_something_waits_or_waits_no_more(store: SqlStore) -> None:
    """A new report, a lock and a renewed lock are seen; reading moves nothing."""
    stamps = [store.process.stamp(), store.process.stamp()]
    store.process.add_report(a_report(event="$other"))
    stamps.append(store.process.stamp())
    store.process.lock(Item(Kind.REPORT, 1), "olive", MORNING)
    stamps.append(store.process.stamp())
    store.process.lock(Item(Kind.REPORT, 1), "olive", MORNING + 1)
    stamps.append(store.process.stamp())

    assert stamps[0] == stamps[1]
    assert 4 == len(set(stamps))


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        (Role.MODERATOR, set(Kind)),
        (Role.NEUTRAL, {Kind.APPEAL, Kind.SAMPLE}),
        (Role.OPERATOR, set()),
        (Role.AUDITOR, set()),
        (Role.MEMBER, set()),
    ],
)
def test_roles_decide_what_is_theirs(role: Role, kinds: set[Kind]) -> None:
    """Moderators all, neutrals appeals and second looks and what was handed on to them, others nothing."""
    assert kinds == {kind for kind in Kind if may_decide({role}, kind)}
    handed_on = {kind for kind in Kind if may_decide({role}, kind, escalated=True)}
    assert handed_on == (set(Kind) if role is Role.NEUTRAL else kinds)


def test_how_far_a_reporter_is_trusted_has_an_interval() -> None:
    """It is wide where little is known, and narrows around the mean."""
    new, known = voice(["ana"], 0, 0), voice(["ana"], 30, 10)

    assert new.mean == 0.5
    assert 0 < new.low < 0.2
    assert 0.8 < new.high < 1
    assert known.low < known.mean == 32 / 44 < known.high
    assert known.high - known.low < new.high - new.low
