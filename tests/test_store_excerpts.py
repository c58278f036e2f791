"""Excerpts: kept while something rests on them, then erased without breaking the chain."""

from collections.abc import Callable

import msgspec
import pytest

from comity.core.action import Action, Came, Do, Outcome
from comity.core.charter import APPEAL_TERM
from comity.core.decision import Course
from comity.stores.sql_store import SqlStore
from store_decisions import a_decision, add, muting
from store_entries import MORNING, garden, post_findings

TERM = int(APPEAL_TERM.total_seconds()) * 1000
WRITTEN = "and no sugar in cup {}, s'il vous plaît 🫖"


@pytest.fixture
def store(reopen: Callable[[], SqlStore]) -> SqlStore:
    """A store with findings 1 to 9, of Ana 1, 4 and 7."""
    store = reopen()
    garden(store)
    post_findings(store, 9)
    return store


def kept(store: SqlStore, member: int) -> list[int]:
    """Numbers of a member's findings that still say what was written."""
    return [row.number for row in store.findings(member) if row.excerpt]


def test_erasing_excerpts_leaves_findings_and_chain_as_they_were(store: SqlStore) -> None:
    """All but the text is as before, the head too; what came later keeps its excerpt."""
    before, head = store.findings(2), store.head()

    assert 6 == store.erase_excerpts(now=MORNING + 60_000, before=MORNING + 6000)
    assert [row._replace(excerpt="") for row in before if row.number < 7] == store.findings(2)[:2]
    assert [[7], [8], [9]] == [kept(store, n) for n in (1, 2, 3)]
    assert head == store.head()
    assert store.verify().whole
    assert 0 == store.erase_excerpts(now=MORNING + 60_000, before=MORNING + 6000)


def test_nothing_is_written_of_an_erased_excerpt_in_any_file(store: SqlStore, all_bytes: Callable[[], bytes]) -> None:
    """Neither text nor salt can be read from the store's bytes or its log."""
    salts = [row[0] for row in store._db.execute("SELECT salt FROM entry WHERE number < 7")]
    assert 6 == len({salt for salt in salts if len(salt) == 16})
    store.erase_excerpts(now=MORNING + 60_000, before=MORNING + 6000)

    everything = all_bytes()
    assert not any(WRITTEN.format(n).encode() in everything for n in range(6))
    assert not any(salt in everything for salt in salts)
    assert WRITTEN.format(6).encode() in everything


def test_what_can_be_appealed_keeps_its_excerpts(store: SqlStore) -> None:
    """Forgetting a member spares what their appeal would be about, until nobody can appeal any more."""
    told = Action(id="d1-t", do=Do.TELL, decision=1, account="@ben:example.org", text="about free teapots")
    carried = msgspec.structs.replace(muting(1), actions=(*muting(1).actions, told))
    add(store, a_decision(1, 9), a_decision(2, 9, course=Course.PROPOSED, findings=(4,)), carried=carried)
    store.decisions.note_outcome("d1-t", Outcome(Came.DONE), MORNING)

    assert store.forget_account(1, now=MORNING + 60_000)
    assert [1, 4] == kept(store, 1)
    assert [2, 5, 8] == kept(store, 2)
    store.erase_excerpts(now=MORNING + TERM - 1)
    assert [1, 4] == kept(store, 1)
    store.erase_excerpts(now=MORNING + TERM)
    assert [4] == kept(store, 1)  # the proposal still waits
    statement = store.decisions.statement(1)
    assert statement
    assert [""] == [fact.excerpt for fact in statement.facts]
    assert "a link to a trap" == statement.facts[0].sentence
    texts = [row[0] for row in store._db.execute("SELECT body FROM action")]
    assert not any("teapots" in text for text in texts)
    assert store.verify().whole
