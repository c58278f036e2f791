"""The record on every kind of store: what a file keeps of it, a database keeps too."""

from collections.abc import Callable
from pathlib import Path

from comity.core.retention import DAY
from comity.stores.record.places import Folder
from comity.stores.record.reading import Query, Reading
from comity.stores.record.record import Record
from comity.stores.record.verify import verify
from comity.stores.sql_store import SqlStore
from record_garden import GARDEN, KEEPER, MONDAY, ROOMS, a_chat


def test_every_store_keeps_a_record(reopen: Callable[[], SqlStore], tmp_path: Path) -> None:
    """Frames, links and rows: recorded, sealed, found, forgotten, verified, rotated, and destroyed at the end."""
    with reopen() as store:
        store.community(GARDEN)
        record = Record.open(store.record, Folder(tmp_path / "record"), KEEPER, MONDAY)
        for room in ROOMS:
            record.begin_room(GARDEN, room, 30, MONDAY)
        with store.write():
            record.append(a_chat(50))
        assert 50 == len(Reading(record.parts, MONDAY).find(Query(community=GARDEN)))
        record.tend(MONDAY + 3 * DAY, whole=True)
        assert verify(record.parts, deep=True).whole
        ana = store.record.pseudonyms(GARDEN, ["@ana:example.org"])["@ana:example.org"]
        assert 10 == record.forget(GARDEN, ana, MONDAY + 4 * DAY).left_out["forgotten"]
        assert 2 == record.rotate(KEEPER, MONDAY)
        assert 40 == len(Reading(record.parts, MONDAY).find(Query(community=GARDEN)))
        assert verify(record.parts, deep=True).whole
        record.tend(MONDAY + 60 * DAY)
        assert {} == record.parts.place.names()
