"""Where segments lie: a folder, or a bucket; what is put is there whole, and an address that is none is told."""

from pathlib import Path

import pytest
from pyarrow import fs

from comity.core.errors import StoreError
from comity.core.retention import DAY
from comity.stores.record.places import Bucket, Folder, Place, place
from comity.stores.record.record import Record
from comity.stores.record.verify import verify
from comity.stores.sqlite import SqliteStore
from record_garden import GARDEN, KEEPER, MONDAY, ROOMS, a_chat


@pytest.fixture(params=["folder", "bucket"])
def somewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A folder; and what reads and writes buckets, over a file system of this machine."""
    if request.param == "folder":
        return Folder(tmp_path / "record")
    (tmp_path / "bucket").mkdir()
    return Bucket(fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), "bucket")


def test_a_file_is_there_until_it_is_deleted(somewhere: Place) -> None:
    """With its size; and neither a file that is not there nor its deletion twice is a surprise."""
    somewhere.put("tea.parquet", b"milk first")

    assert {"tea.parquet": 10} == somewhere.names()
    with somewhere.open("tea.parquet") as file:
        assert b"milk first" == file.read()
    somewhere.delete("tea.parquet")
    somewhere.delete("tea.parquet")
    assert {} == somewhere.names()
    with pytest.raises(StoreError, match=r"tea.parquet is missing: restore a copy"):
        somewhere.open("tea.parquet")


def test_a_record_lives_there(somewhere: Place, tmp_path: Path) -> None:
    """Sealed, read, verified, changed and destroyed."""
    with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
        store.community(GARDEN)
        record = Record.open(store.record, somewhere, KEEPER, MONDAY)
        for room in ROOMS:
            record.begin_room(GARDEN, room, 30, MONDAY)
        with store.write():
            record.append(a_chat(50))
        record.tend(MONDAY + 3 * DAY, whole=True)
        assert 50 == record.status(MONDAY).events
        assert verify(record.parts, deep=True).whole
        ana = store.record.pseudonyms(GARDEN, ["@ana:example.org"])["@ana:example.org"]
        assert 10 == record.forget(GARDEN, ana, MONDAY + 4 * DAY).left_out["forgotten"]
        assert verify(record.parts, deep=True).whole
        record.tend(MONDAY + 60 * DAY)
        assert {} == somewhere.names()


@pytest.mark.parametrize("where", ["s3://", "s3://bucket/prefix?colour=green"])
def test_an_address_that_is_none_is_told(where: str) -> None:
    """With what was expected."""
    with pytest.raises(StoreError, match="expected s3://BUCKET/PREFIX"):
        place(where)


def test_an_address_says_where_a_bucket_is() -> None:
    """The bucket, the prefix, and a server of one's own."""
    assert "s3://bucket/some/prefix" == str(place("s3://bucket/some/prefix/?endpoint=http://127.0.0.1:9&region=here"))
