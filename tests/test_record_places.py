"""Where segments lie: a folder, or a bucket; what is put is there whole, and an address that is none is told."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from comity.core.errors import StoreError
from comity.core.retention import DAY
from comity.stores.record.places import Bucket, Folder, Place, place
from comity.stores.record.record import Record
from comity.stores.record.verify import verify
from comity.stores.sqlite import SqliteStore
from homeserver import free_port
from record_garden import GARDEN, KEEPER, MONDAY, ROOMS, a_chat
from s3_server import CALLER, REGION, s3_server


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3 server with one bucket, called ``record``."""
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as address:
        httpx.put(f"{address}/record").raise_for_status()
        yield address


@pytest.fixture(params=["folder", "bucket"])
def somewhere(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A folder, or a bucket over HTTP."""
    if request.param == "folder":
        yield Folder(tmp_path / "record")
        return
    for name, value in CALLER.items():
        monkeypatch.setenv(name, value)
    bucket = place(f"s3://record/{tmp_path.name}?endpoint={request.getfixturevalue('s3')}&region={REGION}")
    assert isinstance(bucket, Bucket)
    yield bucket
    for name in bucket.names():
        bucket.delete(name)


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


def test_a_bucket_that_is_not_there_is_told(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name, when something is to be put there, and none is made instead; so is a server that is not there."""
    for name, value in CALLER.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreError, match=r"nowhere/garden/tea.parquet: .*NO_SUCH_BUCKET"):
        place(f"s3://nowhere/garden?endpoint={s3}&region={REGION}").put("tea.parquet", b"milk first")
    assert 404 == httpx.head(f"{s3}/nowhere").status_code
    with pytest.raises(StoreError, match="look at the place, and start again"):
        place(f"s3://record/garden?endpoint=http://127.0.0.1:{free_port()}&region={REGION}").names()


def test_a_file_in_a_bucket_is_there_whole_or_not_at_all(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of several megabytes, which goes in parts, is read again from anywhere; written anew it is the new one."""
    for name, value in CALLER.items():
        monkeypatch.setenv(name, value)
    bucket = place(f"s3://record/large?endpoint={s3}&region={REGION}")
    data = bytes(range(256)) * 50_000
    bucket.put("large.parquet", b"an older one")
    bucket.put("large.parquet", data)

    assert {"large.parquet": len(data)} == bucket.names()
    with bucket.open("large.parquet") as file:
        file.seek(11_000_001)
        assert data[11_000_001:11_000_101] == file.read(100)


@pytest.mark.parametrize("where", ["s3://", "s3://bucket/prefix?colour=green"])
def test_an_address_that_is_none_is_told(where: str) -> None:
    """With what was expected."""
    with pytest.raises(StoreError, match="expected s3://BUCKET/PREFIX"):
        place(where)


def test_an_address_says_where_a_bucket_is() -> None:
    """The bucket, the prefix, and a server of one's own."""
    assert "s3://bucket/some/prefix" == str(place("s3://bucket/some/prefix/?endpoint=http://127.0.0.1:9&region=here"))
