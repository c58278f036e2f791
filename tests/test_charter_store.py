"""What every store promises about charters: versions are final, drafts are one's own, proposals are answered once."""

from collections.abc import Callable

import pytest

from comity.core.charter_changes import Change, What
from comity.core.errors import StoreError
from comity.stores.charter_contract import Came, VersionRow, Way
from comity.stores.sql_store import SqlStore
from store_entries import MORNING, garden

FIRST = VersionRow(1, 0, MORNING, "file", Way.FILE, "", "d1", "[charter]\n", ())


@pytest.fixture
def store(reopen: Callable[[], SqlStore]) -> SqlStore:
    """A store with a garden in it."""
    made = reopen()
    garden(made)
    return made


def test_versions_are_numbered_kept_and_final(store: SqlStore) -> None:
    """The last is the one that holds, each says from where it came, and none can be changed or taken away."""
    c = store.charters
    assert c.current(1) is None
    c.add_version(FIRST)
    change = Change(what=What.TEXT, clause_id="1.1", old="be kind", new="be kinder")
    second = c.add_version(
        FIRST._replace(by="olive", way=Way.PUBLISHED, reason="kinder", text="[charter] # 2\n", changes=(change,))
    )

    assert second.number == 2
    assert c.current(1) == second
    assert c.version(1, 2) == second
    assert (found := c.current(1, Way.FILE)) is not None
    assert found.number == 1
    assert [v.number for v in c.versions(1)] == [2, 1]
    assert [v.number for v in c.versions(1, before=2)] == [1]
    assert c.version(1, 3) is None
    for deed in ("UPDATE charter_version SET text = ''", "DELETE FROM charter_version"):
        with pytest.raises(StoreError), store.write():
            store._db.execute(deed)
    assert c.current(1) == second


def test_what_is_published_has_a_reason(store: SqlStore) -> None:
    """The database itself refuses a published version without one."""
    with pytest.raises(StoreError):
        store.charters.add_version(FIRST._replace(way=Way.PUBLISHED, by="olive"))
    assert store.charters.current(1) is None


def test_everybody_has_a_draft_of_their_own(store: SqlStore) -> None:
    """Saving replaces one's own draft and nobody else's."""
    c = store.charters
    c.save_draft(1, "olive", "one", 1, MORNING)
    c.save_draft(1, "mona", "other", 1, MORNING)
    c.save_draft(1, "olive", "two", 2, MORNING + 1)

    assert c.draft(1, "olive") == ("two", 2, MORNING + 1)
    assert c.draft(1, "mona") == ("other", 1, MORNING)
    assert c.drop_draft(1, "olive")
    assert not c.drop_draft(1, "olive")
    assert c.draft(1, "olive") is None
    assert c.draft(1, "mona") is not None


def test_a_proposal_is_answered_once(store: SqlStore) -> None:
    """Who answered and how stays; a second answer changes nothing."""
    c = store.charters
    number = c.add_proposal(1, "mona", "gentler", base=1, text="text", at=MORNING)
    assert (found := c.proposal(1, number)) is not None
    assert found.came is Came.OPEN
    assert c.close_proposal(1, number, Came.DECLINED, by="olive", answer="too gentle", at=MORNING + 1)
    assert not c.close_proposal(1, number, Came.PUBLISHED, by="olive", answer="", at=MORNING + 2)

    (row,) = c.proposals(1)
    assert (row.came, row.closed_at, row.closed_by, row.answer) == (
        Came.DECLINED,
        MORNING + 1,
        "olive",
        "too gentle",
    )
    assert c.proposals(1, before=number) == []
    assert c.proposal(2, number) is None  # of another community it is not there


def test_who_sent_a_clause_to_shadow_stays_known(store: SqlStore) -> None:
    """The last comes first, by clause or all of them."""
    c = store.charters
    c.add_clause_act(1, "1.1", "machine", "3 of 10 right", MORNING, shadow=True)
    c.add_clause_act(1, "1.2", "olive", "to try", MORNING, shadow=True)
    c.add_clause_act(1, "1.1", "olive", "mended", MORNING + 1, shadow=False)

    assert [(a.clause_id, a.shadow, a.by) for a in c.clause_acts(1)] == [
        ("1.1", False, "olive"),
        ("1.2", True, "olive"),
        ("1.1", True, "machine"),
    ]
    assert [a.reason for a in c.clause_acts(1, clause_id="1.1")] == ["mended", "3 of 10 right"]
    assert [a.shadow for a in c.clause_acts(1, most=1)] == [False]
