"""What every store promises the record: frames, links, rows, and what decisions cite."""

from collections.abc import Callable

import pytest

from comity.core.errors import StoreError
from comity.stores.record_contract import FrameRow
from comity.stores.sql_store import SqlStore
from store_decisions import a_decision, add
from store_entries import garden, post_findings


def test_frames_come_back_in_order_and_go_from_the_files(
    reopen: Callable[[], SqlStore], all_bytes: Callable[[], bytes]
) -> None:
    """Also those of more than one page, with their bytes; what is dropped can be read nowhere any more."""
    frames = [FrameRow(n, 3, "key", b"sealed tea %03d" % n * 10, bytes(32)) for n in range(1, 131)]
    store = reopen()
    with store.write():
        for frame in frames:
            store.record.add_frame(frame)
    store = reopen()

    assert frames == list(store.record.frames())
    assert frames[100:] == list(store.record.frames(beyond=100))
    assert (130, 390, 130 * 140) == store.record.frames_size()
    assert b"sealed tea 099" in all_bytes()
    with store.write():
        store.record.drop_frames(100)
    assert frames[100:] == list(store.record.frames())
    assert b"sealed tea 099" not in all_bytes()
    assert b"sealed tea 101" in all_bytes()


def test_links_stay_and_rows_are_replaced_and_dropped(reopen: Callable[[], SqlStore]) -> None:
    """The chain can be neither changed nor shortened; rows are by kind and name."""
    store = reopen()
    store.record.add_links([b"one", b"two"])
    store.record.add_links([b"three"])
    for name in ("b", "a"):
        store.record.keep("segment", name, b"old")
    store.record.keep("segment", "a", b"new")
    store.record.keep("room", "a", b"other")

    store = reopen()
    assert [b"one", b"two", b"three"] == store.record.links()
    for statement in ("UPDATE record_link SET number = number + 10", "DELETE FROM record_link"):
        with pytest.raises(StoreError), store.write():
            store.db.execute(statement)
    assert {"a": b"new", "b": b"old"} == store.record.rows("segment")
    store.record.drop("segment", ["a", "b"])
    assert {} == store.record.rows("segment")
    assert b"other" == store.record.row("room", "a")


def test_what_decisions_rest_on_is_cited_until_nobody_can_appeal(reopen: Callable[[], SqlStore]) -> None:
    """A statement's term is the citation's."""
    store = reopen()
    here = garden(store)
    add(store, a_decision(1, post_findings(store, 6).number, findings=(1, 4)))
    statement = store.decisions.statement(1)
    assert statement

    found = {(c.event, c.until) for c in store.record.citations()}
    assert {("$event-0", statement.appeal_until), ("$event-3", statement.appeal_until)} == found
    assert 32 == len(store.record.seal_of(1) or b"")
    assert 3 == len(store.record.accounts("!garden:example.org")) == len(here.members)
