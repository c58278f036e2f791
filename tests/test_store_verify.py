"""Verifying: whatever is done to the entries of a store, the first wrong one is named, and what was done."""
# ruff: noqa: S608 - every statement is this file's own

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from comity.core.errors import StoreError
from store_entries import MORNING, filled, garden, opened, post_findings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed store with 20 findings, 10 rows of activity, and a reversal."""
    return filled(tmp_path / "comity.sqlite")


def tampered(path: Path, *statements: str) -> tuple[int | None, str]:
    """What verifying says after somebody has written to the file by hand."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in ("DROP TRIGGER entry_is_final", "DROP TRIGGER entry_stays", *statements):
            db.execute(statement)
    with opened(path) as store:
        verdict = store.verify()
    assert not verdict.whole
    return verdict.number, verdict.what


COLUMNS = "kind, at, day, member, room, clause, event, excerpt, figures, salt, cover, messages, reverses, reason, by"
CHANGED = "entry {}, its member, or its clause was changed after it was sealed"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "2"),
        ("at", "at + 1"),
        ("day", "day + 1"),
        ("member", "3"),
        ("room", "1"),
        ("clause", "3 - clause"),
        ("event", "'$other'"),
        ("excerpt", "excerpt || '.'"),
        ("figures", "'{}'"),
        ("salt", "randomblob(16)"),
        ("salt", "NULL"),
        ("cover", "randomblob(32)"),
        ("messages", "1"),
        ("reverses", "1"),
        ("reason", "'none'"),
        ("by", "'ana'"),
    ],
)
@pytest.mark.parametrize("number", [8, 20])
def test_a_change_of_any_column_is_found(path: Path, column: str, value: str, number: int) -> None:
    """Verifying names the first entry that was changed, whatever was changed of it."""
    found = tampered(path, f"UPDATE entry SET {column} = {value} WHERE number = {number}")

    assert (number, CHANGED.format(number)) == found


@pytest.mark.parametrize("number", [1, 12, 31])
def test_a_changed_seal_is_found(path: Path, number: int) -> None:
    """It is told apart from a changed entry."""
    found = tampered(path, f"UPDATE entry SET seal = zeroblob(32) WHERE number = {number}")

    assert (number, f"the seal of entry {number} was changed, the entry was not") == found


@pytest.mark.parametrize(
    ("deleted", "number", "what"),
    [
        ("number = 9", 9, "missing: entry 9"),
        ("number BETWEEN 5 AND 7", 5, "missing: entries 5 to 7"),
        ("number = 1", 1, "missing: entry 1"),
        ("number > 29", 30, "missing at the end: entries 30 to 31"),
        ("number > 0", 1, "missing at the end: entries 1 to 31"),
    ],
)
def test_missing_entries_are_found(path: Path, deleted: str, number: int, what: str) -> None:
    """In the middle, at the beginning, and at the end."""
    assert (number, what) == tampered(path, f"DELETE FROM entry WHERE {deleted}")


def test_missing_entries_are_found_behind_new_numbers(path: Path) -> None:
    """Closing the gap does not hide it."""
    found = tampered(
        path,
        "DELETE FROM entry WHERE number IN (9, 10)",
        *(f"UPDATE entry SET number = {n - 2} WHERE number = {n}" for n in range(11, 32)),
    )

    assert (9, "missing: entries 9 to 10; the later ones were numbered anew") == found


@pytest.mark.parametrize(("at", "what"), [(-3, "added: entry -3"), (32, "added after the ledger's end: entry 32")])
def test_an_added_entry_is_found(path: Path, at: int, what: str) -> None:
    """Before the first and after the last."""
    found = tampered(
        path, f"INSERT INTO entry SELECT {at}, {COLUMNS}, seal FROM entry WHERE number = 7".replace("reverses", "NULL")
    )

    assert what == found[1]


def test_an_entry_added_in_between_is_found(path: Path) -> None:
    """Even if all later ones make room for it."""
    found = tampered(
        path,
        *(f"UPDATE entry SET number = {n + 1} WHERE number = {n}" for n in range(31, 14, -1)),
        f"INSERT INTO entry SELECT 15, {COLUMNS}, randomblob(32) FROM entry WHERE number = 3",
    )

    assert (15, "added: entry 15") == found


@pytest.mark.parametrize(("one", "other"), [(5, 6), (5, 19), (20, 21)])
@pytest.mark.parametrize("whole", [True, False])
def test_swapped_entries_are_found(path: Path, one: int, other: int, whole: bool) -> None:  # noqa: FBT001 - a parameter
    """With their seals or without."""
    what = COLUMNS.split(", ") + ["seal"] * whole
    listed = ", ".join(what)
    found = tampered(
        path,
        f"CREATE TEMP TABLE held AS SELECT number, {listed} FROM entry WHERE number IN ({one}, {other})",
        *(
            f"UPDATE entry SET ({listed}) = (SELECT {listed} FROM held WHERE number = {source}) WHERE number = {target}"
            for target, source in ((one, other), (other, one))
        ),
    )

    assert (one, f"swapped: entries {one} and {other}") == found


@pytest.mark.parametrize(
    ("statement", "number", "what"),
    [
        ("UPDATE member SET pseudonym = hex(randomblob(16)) WHERE number = 2", 2, CHANGED.format(2)),
        ("UPDATE clause SET severity = 'minor' WHERE number = 2", 5, CHANGED.format(5)),
        ("DELETE FROM clause WHERE number = 2", 5, "entry 5 names clause 2, which the store does not know"),
        ("DELETE FROM member WHERE number = 3", 3, "entry 3 names member 3, which the store does not know"),
        ("UPDATE meta SET head_seal = zeroblob(32)", 31, "the head's seal is not that of entry 31"),
        ("UPDATE meta SET head_number = 30", 31, "added after the ledger's end: entry 31"),
    ],
)
def test_a_change_of_what_entries_rest_on_is_found(path: Path, statement: str, number: int, what: str) -> None:
    """Whom and what an entry is about cannot be changed beside it."""
    assert (number, what) == tampered(path, "PRAGMA foreign_keys = OFF", statement)


@pytest.mark.parametrize(
    "changed",
    ["cover = randomblob(32)", "cover = NULL", "excerpt = 'tea'", "salt = randomblob(16)",
     "salt = randomblob(16), excerpt = 'tea', cover = NULL"],
)  # fmt: skip
def test_a_change_of_an_erased_excerpt_is_found(path: Path, changed: str) -> None:
    """Nothing can be put where something was erased, and who erased leaves the chain whole."""
    with opened(path) as store:
        assert 20 == store.erase_excerpts(now=MORNING + 60_000)
        assert store.verify().whole

    assert (8, CHANGED.format(8)) == tampered(path, f"UPDATE entry SET {changed} WHERE number = 8")


def test_entries_can_be_neither_changed_nor_deleted(path: Path) -> None:
    """The file itself refuses, also to a person at a prompt."""
    with closing(sqlite3.connect(path)) as db:
        for statement in (
            "UPDATE entry SET day = 1",
            "UPDATE entry SET excerpt = NULL, salt = NULL, cover = zeroblob(32), day = 1",
            "UPDATE entry SET excerpt = 'tea'",
            "DELETE FROM entry WHERE number = 3",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="entries are final"):
                db.execute(statement)


def test_a_damaged_file_is_told_from_a_tampered_one(tmp_path: Path) -> None:
    """Verifying says how far the entries are whole, and reading says what to do."""
    path = tmp_path / "comity.sqlite"
    with opened(path) as store:
        garden(store)
        post_findings(store, 8000)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size * 3 // 4)  # among the entries: the roots of tables come first
        file.write(b"\xff" * 65536)

    with opened(path) as store:
        verdict = store.verify()
        assert verdict.number == verdict.entries + 1
        assert "damaged" in verdict.what
        assert 0 < verdict.entries < 8000
        with pytest.raises(StoreError, match=r"damaged .*: restore a copy"):
            store.in_force()
