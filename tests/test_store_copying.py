"""Moving, backing up and restoring a store: everything arrives, verified, or nothing does."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from comity.core.errors import StoreError
from comity.core.place import Place
from comity.stores.copying import back_up, copy_store
from comity.stores.opening import open_store
from comity.stores.sql_store import SqlStore
from comity.stores.sqlite_schema import tables
from commanding import run
from postgres_server import PostgresServer
from store_decisions import a_decision, add, muting
from store_entries import MORNING, filled, garden, post_activity, post_findings


def fill(store: SqlStore) -> None:
    """Something in most tables, with a text that not every database can hold."""
    garden(store)
    post_findings(store, 3000)
    store.reverse(4, "it was a quotation", "cleo", MORNING, after=post_activity(store, 10))
    add(store, a_decision(1, store.head().number), carried=muting(1))
    store.journal.note("since", b"\0\1")
    store.save_window_states({"flood": b"\0state"})
    store.decisions.name_deputy(1, 2, "a\0b", MORNING)
    store.finish_run(store.start_run("c0ffee", MORNING), MORNING)


def everything(store: SqlStore) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, with U+FFFD for NUL, as every store may have it."""

    def bare(value: object) -> object:
        return value.replace("\0", "\ufffd") if isinstance(value, str) else value

    with store.reading() as db:
        return {
            table.name: sorted(
                (tuple(map(bare, row)) for row in db.execute(f'SELECT * FROM "{table.name}"')),  # noqa: S608 - our own names
                key=repr,
            )
            for table in tables()
        }


@pytest.fixture
def other(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty place of the other kind."""
    server: PostgresServer = request.getfixturevalue("postgres")
    if kind == "postgresql":
        yield tmp_path / "other.sqlite"
    else:
        address = server.store()
        yield address
        server.give_back(address)


def test_a_moved_store_is_the_same_store(reopen: Callable[[], SqlStore], other: Place) -> None:
    """Every table, the head and the key come over; what is posted then goes on with the same numbers and chain."""
    source = reopen()
    fill(source)
    with open_store(other, durable=True) as target:
        copied = copy_store(source, target)
        assert everything(source) == everything(target)
        assert source.head() == target.head() == copied.head
        assert source.event_key == target.event_key
        assert target.verify().whole
        assert garden(source) == garden(target)
        assert "a\ufffdb" == target.db.execute("SELECT by FROM deputy").fetchone()[0]
        assert [4] == target.members(1, ["@dora:example.org"], [None])
        post_findings(target, 5, start=3000)
        add(target, a_decision(2, target.head().number))
        assert target.verify().whole


def test_a_place_that_is_not_empty_is_refused_and_left_as_it_was(
    reopen: Callable[[], SqlStore], tmp_path: Path
) -> None:
    """A second move, or a move to the wrong place, overwrites nothing."""
    source = reopen()
    fill(source)
    with open_store(filled(tmp_path / "taken.sqlite"), durable=False) as target:
        before = everything(target)
        with pytest.raises(StoreError, match="is not empty: name a place without a store"):
            copy_store(source, target)
        assert before == everything(target)


def test_a_changed_ledger_does_not_move(reopen: Callable[[], SqlStore], tmp_path: Path) -> None:
    """What is not whole is told where, and nothing of it is kept elsewhere."""
    source = reopen()
    fill(source)
    source.db.execute("UPDATE member SET pseudonym = '00112233445566778899aabbccddeeff' WHERE number = 2")
    with open_store(tmp_path / "target.sqlite", durable=False) as target:
        with pytest.raises(StoreError, match="is not whole, so nothing was kept: entry 2"):
            copy_store(source, target)
        assert 0 == target.head().number
        assert 0 == sum(target.counts())


KILLED = """
import os, signal, sys
from pathlib import Path
from comity.stores.copying import copy_store
from comity.stores.opening import open_store

def half(rows):
    if rows > 2500:
        os.kill(os.getpid(), signal.SIGKILL)

place = lambda text: text if text.startswith("postgresql") else Path(text)
with open_store(place(sys.argv[1]), durable=True) as source, open_store(place(sys.argv[2]), durable=True) as target:
    copy_store(source, target, half)
"""


def test_a_move_that_is_killed_half_way_leaves_an_empty_place(
    reopen: Callable[[], SqlStore], place: Place, other: Place
) -> None:
    """And can be made again, with the same outcome; the store that it was from is as it was."""
    store = reopen()
    fill(store)
    before = everything(store)
    store.close()
    moving = subprocess.run([sys.executable, "-c", KILLED, str(place), str(other)], check=False)
    assert moving.returncode == -signal.SIGKILL

    with open_store(other, durable=True) as target:
        assert 0 == sum(target.counts())
        source = reopen()
        assert before == everything(source)
        copy_store(source, target)
        assert before == everything(target)


def test_a_backup_is_one_moment_of_a_store_in_use(reopen: Callable[[], SqlStore], place: Place, tmp_path: Path) -> None:
    """What is committed while it is made is not in it, nor torn; it can be read by nobody else."""
    store, file = reopen(), tmp_path / "backup.sqlite"
    fill(store)
    head, goes_on = store.head(), iter(range(3000, 4000, 10))

    def meanwhile(_rows: int) -> None:
        if (start := next(goes_on, None)) is not None:
            post_findings(store, 10, start=start)

    with open_store(place, durable=False, read_only=True) as beside:
        back_up(beside, file, meanwhile)
    assert head.number < store.head().number
    assert 0o600 == file.stat().st_mode & 0o777
    with open_store(file, durable=False, read_only=True) as kept:
        assert head == kept.head()
        assert kept.verify().whole
    with (
        open_store(place, durable=False, read_only=True) as beside,
        pytest.raises(StoreError, match="is there already"),
    ):
        back_up(beside, file)
    left = {each.name for each in tmp_path.iterdir()}
    assert not [name for name in left if name.startswith("backup") and name != file.name]


def test_the_commands_move_back_up_and_restore(
    reopen: Callable[[], SqlStore], place: Place, other: Place, tmp_path: Path
) -> None:
    """Each says what was copied and the head, and no password; the stores are equal."""
    store = reopen()
    fill(store)
    before, head = everything(store), store.head()
    file = tmp_path / "backups" / "garden.sqlite"
    told = run("store", "backup", "--store", place, file)
    assert told.exit_code == 0, told.stderr
    assert f"{head.number}:{head.seal.hex()}" in told.stdout
    assert run("store", "backup", "--store", place, file).exit_code == 1
    refused = run("store", "move", place, other)
    assert "is being written by process" in refused.stderr
    store.close()

    moved = run("store", "move", place, other)
    assert moved.exit_code == 0, moved.stderr
    assert "@127.0.0.1" in moved.stdout
    again = run("store", "restore", file, other)
    assert "is not empty" in again.stderr
    restored = run("store", "restore", file, tmp_path / "restored.sqlite")
    assert restored.exit_code == 0, restored.stderr
    verified = run("verify", "--store", other)
    assert verified.stdout.count(head.seal.hex()) == 1
    for address in (place, other):
        if isinstance(address, str):
            secret = address.partition("@")[0].rpartition(":")[2]
            assert not any(secret in r.output for r in (told, refused, moved, again, restored, verified))
    for each in (other, file, tmp_path / "restored.sqlite"):
        with open_store(each, durable=False, read_only=True) as found:
            assert before == everything(found)


def test_postgres_own_tools_back_up_and_restore_it_too(postgres: PostgresServer) -> None:
    """A dump of pg_dump brings back the same store, its triggers and numbers included."""
    address, empty = postgres.database(), postgres.database()
    with open_store(address, durable=True) as store:
        fill(store)
        before = everything(store)
    dump = postgres.folder / "dump"
    postgres.run("pg_dump", "--format=custom", f"--file={dump}", address)
    postgres.run("pg_restore", "--exit-on-error", f"--dbname={empty}", dump)
    with open_store(empty, durable=True) as store:
        assert before == everything(store)
        assert store.verify().whole
        with pytest.raises(psycopg.Error, match="entries are final"):
            store.db.execute("DELETE FROM entry WHERE number = 3")
        post_findings(store, 3, start=3000)
        assert store.verify().whole
    for each in (address, empty):
        postgres.drop(each)
    dump.unlink()
