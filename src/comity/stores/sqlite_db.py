"""A connection to a store in SQLite, with what ``Db`` asks of every database."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from comity.core.errors import StoreError
from comity.stores.sql import Values

_TOGETHER: Final = 32  # rows in one INSERT
_ADVICE: Final = {
    "SQLITE_FULL": "the disk is full (or the file's limit reached); nothing of this batch was kept: free some room and "
    "start again, it goes on where it was",
    "SQLITE_IOERR": "the disk refused ({error}); nothing of this batch was kept: look at the disk and its limits, and "
    "start again, it goes on where it was",
    "SQLITE_READONLY": "it may not be written: give yourself the right (chmod u+w), or open it for reading",
    "SQLITE_BUSY": "another program holds it locked: close that one, and start again",
    "SQLITE_LOCKED": "another part of this program holds it locked: start again",
    "SQLITE_CORRUPT": "the file is damaged ({error}): restore a copy; verify says which entries can still be read",
    "SQLITE_NOTADB": "it is no Comity store, or damaged: choose another file, or restore a copy",
    "SQLITE_CANTOPEN": "it cannot be opened: look whether the directory exists and you may write there",
}


@contextmanager
def told(path: Path | str) -> Iterator[None]:
    """Turn SQLite's errors into StoreError, with the file and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        advice = next((text for code, text in _ADVICE.items() if name.startswith(code)), "SQLite says: {error}")
        raise StoreError(f"{path}: {advice.format(error=error)}") from error


class SqliteDb(sqlite3.Connection):
    """``Db`` over SQLite. place: the file's path; read_only: whether it was opened so."""

    place = ""
    read_only = False
    failure = sqlite3.DatabaseError

    @property
    def changes(self) -> int:
        """See ``Db.changes``: a statement that fails is undone alone."""
        return self.total_changes

    def told(self) -> AbstractContextManager[None]:
        """See ``Db.told``."""
        return told(self.place)

    def begin(self) -> None:
        """See ``Db.begin``."""
        self.execute("BEGIN IMMEDIATE")

    def begin_reading(self) -> None:
        """See ``Db.begin_reading``."""
        self.execute("BEGIN")

    def commit(self) -> None:
        """See ``Db.commit``."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """See ``Db.rollback``."""
        with suppress(sqlite3.Error):  # the first error says more; closing rolls back as well
            if self.in_transaction:
                self.execute("ROLLBACK")

    def erase(self) -> bool:
        """See ``Db.erase``: the log still has the pages as they were, so fold it in and cut it off."""
        return not self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]

    def clear(self, table: str, /) -> None:
        """See ``Db.clear``: what is deleted is overwritten."""
        self.execute(f'DELETE FROM "{table}"')  # noqa: S608 - our own names

    def close(self) -> None:
        """See ``Db.close``."""
        with suppress(sqlite3.Error):  # a log that cannot be folded in now is folded in at the next opening
            super().close()

    def stream(self, sql: str, values: Values, most: int, /) -> Iterator[list[Any]]:
        """See ``Db.stream``."""
        cursor = self.execute(sql, values)
        while rows := cursor.fetchmany(most):
            yield rows

    def append(self, names: str, kind: int, rows: Iterator[Sequence[Any]], width: int, count: int, /) -> None:
        """See ``Db.append``. Many rows a statement: sqlite3 takes a third longer for the same rows one by one."""
        one = f"({kind}{', ?' * width})"
        insert = f"INSERT INTO entry (kind, {names}) VALUES "  # noqa: S608 - our own names
        together, several = insert + ", ".join([one] * _TOGETHER), width * _TOGETHER
        flat = chain.from_iterable(islice(rows, count // _TOGETHER * _TOGETHER))
        self.executemany(together, zip(*[flat] * several, strict=True))
        self.executemany(insert + one, rows)

    def pour(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        """See ``Db.pour``."""
        listed, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
        self.executemany(f'INSERT INTO "{table}" ({listed}) VALUES ({marks})', rows)  # noqa: S608 - our own names

    def numbers(self, of: str, /) -> str:
        """See ``Db.numbers``."""
        return f"SELECT value FROM json_each({of})"  # noqa: S608 - our own names

    texts = numbers

    def json_number(self, column: str, name: str, /) -> str:
        """See ``Db.json_number``."""
        return f"json_extract({column}, '$.{name}')"

    def by_index(self, name: str, /) -> str:
        """See ``Db.by_index``."""
        return f"INDEXED BY {name}"

    def damaged(self, error: Exception, /) -> bool:
        """See ``Db.damaged``."""
        return getattr(error, "sqlite_errorname", "").startswith("SQLITE_CORRUPT") or "UTF-8" in str(error)
