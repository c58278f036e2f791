"""The PostgreSQL store: what a newer format, a neighbour, a wrong password or a server that ends do to it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic import command

from comity.core.errors import StoreError
from comity.core.ledger import NO_ACTIVITY
from comity.stores import postgres_schema
from comity.stores.opening import open_store
from comity.stores.postgres import PostgresStore
from comity.stores.sqlite_schema import FORMAT, STEPS, tables
from commanding import run
from postgres_server import PostgresServer
from store_entries import MORNING, garden, post_activity, post_findings, some_findings


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    """The address of a database with nothing in it."""
    address = postgres.database()
    yield address
    postgres.drop(address)


@pytest.fixture
def address(postgres: PostgresServer) -> Iterator[str]:
    """The address of a closed store with 20 findings, 10 rows of activity, and a reversal."""
    found = postgres.store()
    with opened(found) as store:
        garden(store)
        post_findings(store, 20)
        store.reverse(4, "it was a quotation", "cleo", MORNING, after=post_activity(store, 10))
    yield found
    postgres.give_back(found)


def opened(address: str, *, read_only: bool = False) -> PostgresStore:
    """A store, not durable."""
    return PostgresStore.open(address, durable=False, read_only=read_only)


def run_sql(address: str, *statements: str) -> list[tuple[object, ...]]:
    """What the last of some statements gives, past us."""
    with closing(psycopg.connect(address, autocommit=True)) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_both_databases_have_the_same_tables(empty: str) -> None:
    """Every table and column of the one is in the other, in order; Alembic and the store agree how far it is."""
    opened(empty).close()
    found: dict[str, list[object]] = {}
    for table, column in run_sql(
        empty,
        "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables "
        "USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE' "
        "ORDER BY table_name, ordinal_position",
    ):
        found.setdefault(str(table), []).append(column)

    assert ["version_num"] == found.pop("alembic_version")
    assert {table.name: list(table.columns) for table in tables()} == found
    assert [(str(FORMAT),)] == run_sql(empty, "SELECT version_num FROM alembic_version")
    assert [(FORMAT,)] == run_sql(empty, "SELECT format FROM meta")


def test_an_older_store_is_brought_to_our_format(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries and all; to read it, it must have been opened for writing once."""
    upgrade = command.upgrade
    with monkeypatch.context() as before:
        before.setattr(command, "upgrade", lambda config, _: upgrade(config, "3"))
        before.setattr(postgres_schema, "FORMAT", 3)
        with opened(empty) as store:
            garden(store)
            head = post_findings(store, 3)
    with pytest.raises(StoreError, match=f"is of format 3: open it once for writing, then it is brought to {FORMAT}"):
        opened(empty, read_only=True)
    with opened(empty) as store:
        assert head == store.head()
        assert store.verify().whole
        assert [] == store.process.looks()


def test_steps_are_all_taken_or_none(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a step fails, the database stays empty, and the error says what the server said."""
    with monkeypatch.context() as broken:
        steps = (*STEPS[:3], "ALTER TABLE nowhere ADD COLUMN topic TEXT;\n")
        broken.setattr(postgres_schema, "STEPS", steps)
        with pytest.raises(StoreError, match='relation "nowhere" does not exist'):
            opened(empty)
    assert [] == run_sql(empty, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    with opened(empty) as store:
        assert store.verify().whole


def test_what_is_no_store_is_refused_untouched(postgres: PostgresServer, address: str, empty: str) -> None:
    """A newer format, another program's database, none, a wrong password, no server; no password is ever told."""
    run_sql(address, "UPDATE meta SET format = 99")
    with pytest.raises(StoreError, match=f"is of format 99, this Comity reads up to {FORMAT}: install a newer one"):
        opened(address)
    run_sql(address, f"UPDATE meta SET format = {FORMAT}")  # noqa: S608 - the test's own number
    with pytest.raises(StoreError, match="there is no store yet"):
        opened(empty, read_only=True)
    run_sql(empty, "CREATE TABLE recipe (name text)")
    with pytest.raises(StoreError, match="is the database of another program: name an empty one"):
        opened(empty)
    assert [("recipe",)] == run_sql(empty, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")

    wrong = postgres.address("postgres", password="hush")  # noqa: S106 - a wrong one
    nobody_listens = "postgresql://comity:hush@127.0.0.1:1/garden"
    for where, why in (
        (postgres.address("none"), "has no database of this name: create it first|cannot be reached"),
        (wrong, "refuses this user or password|cannot be reached"),
        (nobody_listens, "cannot be reached .*look whether it runs"),
        ("postgresql://comity:hush@[", "no address of a PostgreSQL database"),
    ):
        with pytest.raises(StoreError, match=why) as error:
            opened(where)
        assert "hush" not in str(error.value)


def test_a_second_writer_is_told_who_is_writing(address: str) -> None:
    """Readers may read meanwhile, and cannot write; the next writer comes when the first is done."""
    with opened(address) as store:
        with pytest.raises(StoreError, match=rf"is being written by process {os.getpid()} on .*: wait until"):
            opened(address)
        post_findings(store, 3, start=20)
        with opened(address, read_only=True) as reader:
            assert 34 == reader.head().number
            with pytest.raises(StoreError, match="opened for reading only"):
                post_findings(reader, 1)
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                reader.db.execute("DELETE FROM seen")
    with opened(address) as store:
        assert 34 == store.head().number


def test_the_lock_of_a_writer_that_is_killed_is_free_at_once(address: str) -> None:
    """Nobody has to look for a dead process, and what it had not committed is gone."""
    writing = (
        "import sys; sys.path[:0] = sys.argv[2].split(':')\n"
        "from comity.stores.opening import open_store\n"
        "from store_entries import post_findings\n"
        "store = open_store(sys.argv[1], durable=True)\n"
        "with store.write():\n"
        "    post_findings(store, 9, start=20)\n"
        "    print('posted', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    child_command = [sys.executable, "-c", writing, address, ":".join(sys.path)]
    with subprocess.Popen(child_command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert b"posted\n" == child.stdout.readline()
        child.kill()
    with opened(address) as store:
        assert 31 == store.head().number
        assert store.verify().whole


def test_a_reader_sees_one_moment(address: str) -> None:
    """What is committed while the chain is read does not look like an addition to it."""
    with opened(address) as store:
        post_findings(store, 6000)
        with opened(address, read_only=True) as reader:
            verdict = reader.verify(lambda _: post_findings(store, 1) and None)
            assert verdict.whole
            assert 6031 == verdict.entries
            assert 6031 < reader.head().number


def test_a_statement_that_failed_is_never_taken_for_kept(address: str) -> None:
    """PostgreSQL ends such a transaction without a word; nothing of it is there, and whoever wrote is told."""
    with opened(address) as store:

        def post() -> None:
            with store.write():
                post_findings(store, 1, start=20)
                with pytest.raises(psycopg.Error):
                    store.db.execute("UPDATE entry SET day = 1")

        with pytest.raises(StoreError, match="a part of this batch failed, so nothing of it was kept"):
            post()
        assert 31 == store.head().number
        post_findings(store, 1, start=20)
        assert 32 == store.head().number


@pytest.mark.parametrize(
    "statement",
    ["UPDATE entry SET day = 1", "DELETE FROM entry WHERE number = 3", "TRUNCATE entry", "TRUNCATE course CASCADE"],
)
def test_entries_and_decisions_can_be_neither_changed_nor_deleted(address: str, statement: str) -> None:
    """The database itself refuses, also to a person at a prompt."""
    with pytest.raises(psycopg.errors.IntegrityError, match=r"entries are final|what was decided stays"):
        run_sql(address, statement)


@pytest.mark.parametrize(
    ("statement", "number", "what"),
    [
        ("UPDATE entry SET excerpt = excerpt || '.' WHERE number = 8", 8, "was changed after it was sealed"),
        ("DELETE FROM entry WHERE number BETWEEN 5 AND 7", 5, "missing: entries 5 to 7"),
        ("UPDATE meta SET head_number = 30", 31, "added after the ledger's end"),
    ],
)
def test_whoever_gets_past_the_triggers_is_found(address: str, statement: str, number: int, what: str) -> None:
    """Verifying reads the same chain as in a file, and names the first entry that is wrong."""
    run_sql(address, "SET session_replication_role = replica", statement)
    with opened(address, read_only=True) as store:
        verdict = store.verify()
    assert number == verdict.number
    assert what in verdict.what


def test_a_server_that_ends_loses_nothing_that_was_acknowledged() -> None:
    """Whoever was writing is told to start again; with the server back, it goes on where it was."""
    server = PostgresServer()
    try:
        server.create()
        server.start()
        address = server.store()
        with open_store(address, durable=True) as store:
            garden(store)
            head = post_findings(store, 40)

            def post() -> None:
                with store.write():
                    store.post(some_findings(5, start=40), NO_ACTIVITY, after=head)
                    server.stop(signal.SIGQUIT)

            with pytest.raises(StoreError, match=r"connection to the server is gone, .*: start again"):
                post()
            with pytest.raises(StoreError, match="start again"):
                store.head()
        with pytest.raises(StoreError, match="cannot be reached"):
            open_store(address, durable=True)
        server.start()
        with open_store(address, durable=True) as store:
            assert head == store.head()
            assert store.verify().whole
            post_findings(store, 5, start=40)
    finally:
        server.remove()


def test_two_communities_can_share_a_database_in_schemas_of_their_own(empty: str) -> None:
    """Each has its own tables and its own lock."""
    run_sql(empty, "CREATE SCHEMA attic", "CREATE SCHEMA garden")
    one, other = (f"{empty}?options=-csearch_path%3D{name}" for name in ("attic", "garden"))
    with opened(one) as attic, opened(other) as here:
        garden(attic)
        assert 3 == attic.counts().members
        assert 0 == here.counts().members


def test_an_ordinary_user_who_owns_the_database_is_enough(postgres: PostgresServer) -> None:
    """To make the tables, to write, to forget, and to be told who is writing."""
    owned = postgres.database(owner="gardener")
    with opened(owned) as store:
        garden(store)
        post_findings(store, 3)
        assert store.forget_account(1, now=MORNING * 2)
        assert store.verify().whole
        with pytest.raises(StoreError, match=f"is being written by process {os.getpid()} on"):
            opened(owned)
    postgres.drop(owned)


def test_every_command_takes_an_address(empty: str, tmp_path: Path) -> None:
    """A chat is rated, explained, reversed and verified as in a file, and no password is printed."""
    garden_chat = Path(__file__).parents[1] / "examples" / "tea-garden" / "chat.ndjson"
    told = {
        str(place): [
            run("rate", garden_chat, "--store", place, "--json"),
            run("explain", "Salma", "--store", place, "--on", "2026-03-19", "--json"),
            run("reverse", "21", "--store", place, "--reason", "kindly meant", "--by", "Oliver"),
            run("explain", "Salma", "--store", place, "--on", "2026-03-19", "--json"),
            run("verify", "--store", place),
        ]
        for place in (tmp_path / "garden.sqlite", empty)
    }
    ours, theirs = told.values()
    assert [0] * 5 == [each.exit_code for each in theirs], [each.output for each in theirs]
    for key in ("events", "members", "findings", "entries", "bands"):
        assert json.loads(ours[0].stdout)[key] == json.loads(theirs[0].stdout)[key]
    for i in (1, 3):
        one, other = (json.loads(each[i].stdout) for each in (ours, theirs))
        assert one["standing"] == other["standing"]
    assert ours[2].stdout == theirs[2].stdout
    secret = empty.partition("@")[0].rpartition(":")[2]
    assert not any(secret in each.output for each in theirs)
