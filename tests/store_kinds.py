"""Every kind of store, for the tests of what all of them promise."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from comity.stores.opening import open_store
from comity.stores.sql_store import SqlStore
from postgres_server import PostgresServer

# By name, whether every commit waits for the disk.
KINDS = {"sqlite": False, "postgresql": True}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The name of a kind of store."""
    name: str = request.param
    return name


@pytest.fixture
def place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """Where a store is that nothing was written to yet."""
    if kind != "postgresql":
        yield tmp_path / "comity.sqlite"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    if "all_bytes" in request.fixturenames:  # one that no other test has left its bytes in
        address = server.database()
        yield address
        server.drop(address)
    else:
        address = server.store()
        yield address
        server.give_back(address)


@pytest.fixture
def reopen(kind: str, place: Path | str) -> Iterator[Callable[[], SqlStore]]:
    """Opens the store, a second time after closing it."""
    stores: list[SqlStore] = []

    def opened() -> SqlStore:
        if stores:
            stores.pop().close()
        stores.append(open_store(place, durable=KINDS[kind]))
        return stores[0]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def all_bytes(place: Path | str, request: pytest.FixtureRequest) -> Callable[[], bytes]:
    """All bytes of the store's files; of a PostgreSQL those of its tables, for its log is the server's own."""
    if isinstance(place, Path):
        return lambda: b"".join(each.read_bytes() for each in place.parent.glob(f"{place.name}*"))
    server: PostgresServer = request.getfixturevalue("postgres")
    return lambda: server.bytes_of(place)
