"""The last turns of a live process, and its notes, in a SQLite store; ``live_contract.Journal`` promises it."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from comity.stores.live_contract import TurnRow
from comity.stores.sqlite_file import told


class SqliteJournal:
    """The journal of a store at ``path``; write: the store's transaction."""

    def __init__(self, path: Path, db: sqlite3.Connection, write: Callable[[], AbstractContextManager[None]]) -> None:
        self._path, self._db, self._write = path, db, write

    def add(self, turn: TurnRow) -> None:
        """See ``Journal.add``."""
        with self._write():
            self._db.execute("INSERT INTO turn (posted, events) VALUES (?, ?)", turn)

    def turns(self) -> list[TurnRow]:
        """See ``Journal.turns``."""
        with told(self._path):
            rows = self._db.execute("SELECT posted, events FROM turn ORDER BY number").fetchall()
        return [TurnRow(bool(posted), events) for posted, events in rows]

    def clear(self) -> None:
        """See ``Journal.clear``."""
        with self._write():
            self._db.execute("DELETE FROM turn")

    def note(self, name: str, value: bytes) -> None:
        """See ``Journal.note``."""
        with self._write():
            if value:
                self._db.execute("INSERT OR REPLACE INTO noted VALUES (?, ?)", (name, value))
            else:
                self._db.execute("DELETE FROM noted WHERE name = ?", (name,))

    def noted(self, name: str) -> bytes:
        """See ``Journal.noted``."""
        with told(self._path):
            row = self._db.execute("SELECT value FROM noted WHERE name = ?", (name,)).fetchone()
        return bytes(row[0]) if row else b""
