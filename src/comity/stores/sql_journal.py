"""The last turns of a live process, and its notes, in SQL; ``live_contract.Journal`` promises it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from comity.stores.live_contract import TurnRow
from comity.stores.sql import Db, following


class SqlJournal:
    """The journal of a store; write: the store's transaction."""

    def __init__(self, db: Db, write: Callable[[], AbstractContextManager[None]]) -> None:
        self._db, self._write = db, write

    def add(self, turn: TurnRow) -> None:
        """See ``Journal.add``."""
        with self._write():
            self._db.execute(
                f"INSERT INTO turn VALUES ({following('turn')}, ?, ?)",  # noqa: S608 - our own names
                turn,
            )

    def turns(self) -> list[TurnRow]:
        """See ``Journal.turns``."""
        with self._db.told():
            rows = self._db.execute("SELECT posted, events FROM turn ORDER BY number").fetchall()
        return [TurnRow(bool(posted), events) for posted, events in rows]

    def clear(self) -> None:
        """See ``Journal.clear``."""
        with self._write():
            self._db.clear("turn")

    def note(self, name: str, value: bytes) -> None:
        """See ``Journal.note``."""
        with self._write():
            if value:
                self._db.execute(
                    "INSERT INTO noted VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    (name, value),
                )
            else:
                self._db.execute("DELETE FROM noted WHERE name = ?", (name,))

    def noted(self, name: str) -> bytes:
        """See ``Journal.noted``."""
        with self._db.told():
            row = self._db.execute("SELECT value FROM noted WHERE name = ?", (name,)).fetchone()
        return bytes(row[0]) if row else b""
