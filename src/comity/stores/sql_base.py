"""What the parts of due process in SQL have in common: a connection, a transaction, and rows that come back."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any

from comity.stores.contract import FindingRow
from comity.stores.decisions_contract import Decisions
from comity.stores.sql_access import Connection, Rows

Within = Callable[[], AbstractContextManager[None]]


class Sql:
    """Statements over a connection, with ``?`` for parameters.

    write: the store's transaction; told: turns the database's errors into StoreError; decisions, findings: the store's.
    """

    def __init__(
        self,
        db: Connection,
        write: Within,
        told: Within,
        *,
        decisions: Decisions,
        findings: Callable[[int], list[FindingRow]],
    ) -> None:
        self._db, self._write, self._told = db, write, told
        self._decisions, self._findings = decisions, findings

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._told():
            return list(self._db.execute(sql, values).fetchall())

    def _one(self, sql: str, *values: object) -> Any:  # noqa: ANN401 - a row of whatever was asked for
        with self._told():
            return self._db.execute(sql, values).fetchone()

    def _figure(self, sql: str, *values: object) -> int:
        return int(self._one(sql, *values)[0])

    def _run(self, sql: str, *values: object) -> Rows:
        """Change something; within ``write()``."""
        with self._told():
            return self._db.execute(sql, values)


def marks(values: Collection[object]) -> str:
    """As many question marks as there are values, in brackets. Raises ValueError if there are none."""
    if not values:
        raise ValueError("there must be a value to look for")
    return f"({', '.join('?' * len(values))})"
