"""What the parts of due process in SQL have in common: a connection, a transaction, and rows that come back."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any, Protocol

from comity.stores.contract import FindingRow
from comity.stores.decisions_contract import Decisions
from comity.stores.sql_access import Connection, Rows

Within = Callable[[], AbstractContextManager[None]]


class Findings(Protocol):
    """A member's findings in order, or the last so many of them before an entry's number."""

    def __call__(self, member: int, *, before: int | None = None, most: int | None = None) -> list[FindingRow]:
        """Read them."""
        ...


class Page:
    """Which part of a list by number: beyond one in order, or the last first before one."""

    def __init__(self, beyond: int, before: int | None) -> None:
        self.where = "number > ?" if before is None else "number < ?"
        self.value = beyond if before is None else before
        self.order = "number" if before is None else "number DESC"


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
        findings: Findings,
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
