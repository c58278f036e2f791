"""The SQLite store: what a newer format, a neighbour, a missing right or a full disk do to it."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from comity.core.errors import StoreError
from comity.core.ledger import GENESIS
from comity.stores import sqlite_schema
from comity.stores.sqlite import SqliteStore
from comity.stores.sqlite_schema import FORMAT
from store_entries import filled, opened, post_findings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed store with 20 findings, 10 rows of activity, and a reversal."""
    return filled(tmp_path / "comity.sqlite")


def refused(path: Path, *, read_only: bool = False) -> str:
    """The message with which opening is refused; what lies there, and around it, stays as it was."""

    def around() -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in path.parent.iterdir() if each.is_file()}

    before = around()
    with pytest.raises(StoreError) as error:
        opened(path, read_only=read_only)
    assert before == around()
    return str(error.value)


def test_a_store_of_a_newer_format_is_refused_untouched(path: Path) -> None:
    """An older Comity cannot spoil it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE meta SET format = 99")

    assert f"{path} is of format 99, this Comity reads up to {FORMAT}: install a newer one" in refused(path)
    assert "format 99" in refused(path, read_only=True)


def test_a_reader_beside_takes_no_log_away(path: Path) -> None:
    """A process that writes and also reads keeps its locks: whoever looks in between does not end its log.

    Otherwise what is committed from then on is in a file that nobody finds again after a kill.
    """
    look = (
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); print(*db.execute('SELECT name FROM community')); "
        "db.close()"
    )

    def seen() -> str:
        return subprocess.run([sys.executable, "-c", look, path], capture_output=True, text=True, check=True).stdout

    with opened(path) as store:
        store.community("before")
        with opened(path, read_only=True):
            assert "before" in seen()
        store.community("after")
        assert "after" in seen()


def test_what_is_no_store_is_refused_untouched(tmp_path: Path) -> None:
    """Another file, another program's database, a directory, a place that does not exist."""
    letter, other = tmp_path / "letter.txt", tmp_path / "other.sqlite"
    letter.write_text("Dear Ana, the tea is ready. Yours, Ben", "utf-8")
    with closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE recipe (name TEXT)")

    assert "is no Comity store, or damaged: choose another file" in refused(letter)
    assert "is the database of another program" in refused(other)
    assert f"is a directory: name a file in it, such as {tmp_path / 'comity.sqlite'}" in refused(tmp_path)
    with pytest.raises(StoreError, match=r"there is no directory .*: create it first"):
        opened(tmp_path / "no" / "comity.sqlite")
    with pytest.raises(StoreError, match="there is no store yet"):
        opened(tmp_path / "none.sqlite", read_only=True)


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    """A name that somebody reserved is as good as none."""
    (tmp_path / "comity.sqlite").touch()
    with opened(tmp_path / "comity.sqlite") as store:
        assert GENESIS == store.head()


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that any user may look into; root may write whatever is read-only, so another user has to try."""
    directory = Path(tempfile.mkdtemp())  # tmp_path is closed to other users
    directory.chmod(0o755)
    yield directory
    directory.chmod(0o755)
    shutil.rmtree(directory)


OPENING = """
import os, sys
from comity.core.errors import StoreError
from comity.stores.sqlite import SqliteStore
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with SqliteStore.open(sys.argv[1], durable=True, read_only=len(sys.argv) > 2) as store:
        print(store.verify().entries)
except StoreError as error:
    print(error)
"""


def said_to_nobody(*arguments: str | Path) -> str:
    """What opening the store says to a user without rights."""
    command = [sys.executable, "-c", OPENING, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("what", ["file", "directory"])
def test_a_store_that_may_not_be_written_can_still_be_read(path: Path, open_directory: Path, what: str) -> None:
    """Opening it for writing says which right is missing."""
    there = open_directory / "comity.sqlite"
    shutil.copy(path, there)
    there.chmod(0o444 if what == "file" else 0o666)
    open_directory.chmod(0o777 if what == "file" else 0o555)

    assert "may not be written" in said_to_nobody(there)
    assert "31\n" == said_to_nobody(there, "read only")


def test_a_second_writer_is_told_who_is_writing(path: Path) -> None:
    """Readers may read meanwhile; the next writer comes when the first is done."""
    with opened(path) as store:
        with pytest.raises(StoreError, match=f"is being written by process {os.getpid()}: wait until it is done"):
            opened(path)
        post_findings(store, 3, start=20)
        with opened(path, read_only=True) as reader:
            assert 34 == reader.head().number
            assert reader.verify().whole
            with pytest.raises(StoreError, match="opened for reading only"):
                post_findings(reader, 1)
    with opened(path) as store:
        assert 34 == store.head().number
    assert [path] == list(path.parent.iterdir())


def test_a_reader_sees_one_moment(path: Path) -> None:
    """What is committed while the chain is read does not look like an addition to it."""
    with opened(path) as store:
        post_findings(store, 6000)
        with opened(path, read_only=True) as reader:
            verdict = reader.verify(lambda _: post_findings(store, 1) and None)
            assert verdict.whole
            assert 6031 == verdict.entries
            assert 6031 < reader.head().number


def test_a_full_disk_takes_nothing_that_was_there(path: Path) -> None:
    """The batch is rolled back as a whole; with room again, it goes on."""
    with opened(path) as store:
        head = store.head()
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages + 2}")

        def fill() -> None:
            with store.write():
                store.add_seen([(1, np.arange(4, dtype=np.uint64))])
                post_findings(store, 5000, start=20)

        with pytest.raises(StoreError, match=r"disk is full .*nothing of this batch was kept: free some room"):
            fill()
        assert head == store.head()
        assert 0 == len(store.seen(1))
        assert store.verify().whole
        store._db.execute("PRAGMA max_page_count = 1000000")
        fill()
        assert head.number + 5000 == store.head().number
        assert store.verify().whole


def test_a_forgotten_account_is_in_no_file_any_more(tmp_path: Path) -> None:
    """Neither account nor name can be read from the store's bytes, nor from its log."""
    path = tmp_path / "comity.sqlite"
    with opened(path) as store:
        here = store.community("garden")
        numbers = store.members(
            here, [f"@guest{n:04}:example.org" for n in range(2000)], [f"Guest {n:04}" for n in range(2000)]
        )

        def bytes_of_all() -> bytes:
            return b"".join(each.read_bytes() for each in tmp_path.iterdir())

        store.members(here, ["@guest1234:example.org"], ["Guesty 1234"])
        assert b"@guest1234" in bytes_of_all()
        store.forget_account(numbers[1234])
        for trace in (b"@guest1234", b"Guest 1234", b"Guesty 1234"):
            assert trace not in bytes_of_all()
        assert b"@guest1235" in bytes_of_all()


def test_a_store_of_the_first_format_takes_decisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store from before there were decisions keeps its ledger, and has room for them once opened for writing."""
    with monkeypatch.context() as before:
        before.setattr("comity.stores.sqlite_schema.STEPS", sqlite_schema.STEPS[:1])
        before.setattr("comity.stores.sqlite_schema.FORMAT", 1)
        before.setattr("comity.stores.sqlite_file.FORMAT", 1)
        old = filled(tmp_path / "old.sqlite")
    with pytest.raises(StoreError, match=f"is of format 1: open it once for writing, then it is brought to {FORMAT}"):
        opened(old, read_only=True)
    with opened(old) as store:
        assert store.verify().whole
        assert 31 == store.head().number
        assert 0 == store.decisions.last()
        assert [] == store.decisions.actions_due(0)


def test_steps_to_a_new_format_are_all_taken_or_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of an older format is brought to ours when opened, entries and all; where a step fails, it stays."""
    steps = (
        *sqlite_schema.STEPS,
        "CREATE TABLE note (text TEXT) STRICT;\n",
        "ALTER TABLE room ADD COLUMN topic TEXT;\n",
    )
    monkeypatch.setattr("comity.stores.sqlite_schema.FORMAT", FORMAT + 2)
    monkeypatch.setattr("comity.stores.sqlite_file.FORMAT", FORMAT + 2)
    monkeypatch.setattr(
        "comity.stores.sqlite_schema.STEPS", (*steps[:-1], "ALTER TABLE nowhere ADD COLUMN topic TEXT;\n")
    )
    with pytest.raises(StoreError, match="no such table: nowhere"):
        opened(path)
    with pytest.raises(StoreError, match=f"is of format {FORMAT}: open it once for writing"):
        opened(path, read_only=True)

    monkeypatch.setattr("comity.stores.sqlite_schema.STEPS", steps)
    with opened(path) as store:
        assert store.verify().whole
        assert 31 == store.head().number
        assert [] == store._db.execute("SELECT text FROM note").fetchall()
        assert FORMAT + 2 == store._db.execute("SELECT format FROM meta").fetchone()[0]


def test_a_durable_store_syncs_every_commit(path: Path) -> None:
    """What was acknowledged survives a power cut; a replay need not wait for that."""
    for durable, level in ((True, 2), (False, 1)):
        with SqliteStore.open(path, durable=durable) as store:
            assert level == store._db.execute("PRAGMA synchronous").fetchone()[0]
            assert "wal" == store._db.execute("PRAGMA journal_mode").fetchone()[0]


def test_two_stores_have_two_keys(tmp_path: Path) -> None:
    """Neither event hashes nor pseudonyms of one store say anything about another's."""
    found = []
    for name in ("one", "other"):
        with opened(tmp_path / name) as store:
            (number,) = store.members(store.community("garden"), ["ana"], [None])
            member = store.member(number)
            assert member
            found.append((store.event_key, member.pseudonym))
    (key, called), (other_key, otherwise_called) = found

    assert key != other_key
    assert 16 == len(key)
    assert called != otherwise_called
