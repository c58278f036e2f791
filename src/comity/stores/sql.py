"""The connection that the SQL of every store runs on: the shape of ``sqlite3``'s, with what databases say differently.

What runs on it is portable: ``?`` or ``:name`` for values, ``ON CONFLICT``, ``coalesce``, ``RETURNING``; booleans are
whole numbers; texts hold no NUL. A first column that is a whole number and the primary key is given, where it is left
out, the number after the highest there is: without gaps, on every database.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Values = Sequence[Any] | Mapping[str, Any]
_NO_TEXT = "\ufffd"


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:  # noqa: ANN401  a row of whatever was asked for
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """All that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Those that are left, one after the other."""


class Db(Protocol):
    """A connection to a store's database; its errors are the database's own but within ``told``."""

    @property
    def place(self) -> str:
        """Where the store is, as it may be shown: without a password."""

    @property
    def read_only(self) -> bool:
        """Whether nothing may be written through it."""

    @property
    def in_transaction(self) -> bool:
        """Whether one is open, also one that has failed."""

    @property
    def failure(self) -> type[Exception]:
        """The class of the database's own errors."""

    @property
    def changes(self) -> int:
        """Grows with every row that is changed, and with every statement whose failure takes the transaction along."""

    def told(self) -> AbstractContextManager[None]:
        """Turns the database's errors into StoreError, with the place and what to do."""

    def begin(self) -> None:
        """Begin a transaction that writes."""

    def begin_reading(self) -> None:
        """Begin one that sees one moment of the store."""

    def commit(self) -> None:
        """Keep what was done. Raises the database's error if any of it cannot be kept."""

    def rollback(self) -> None:
        """Undo what was done, if a transaction is open."""

    def erase(self) -> bool:
        """See to it that what was deleted is in none of the database's files; False if that must be tried again."""

    def clear(self, table: str, /) -> None:
        """Delete all rows of a table, so that they can be read in no file after the commit."""

    def close(self) -> None:
        """Close it; what was not committed is gone."""

    def execute(self, sql: str, values: Values = ..., /) -> Rows:
        """Run one statement."""

    def executemany(self, sql: str, values: Iterable[Sequence[Any]], /) -> object:
        """Run one statement for each row of values."""

    def stream(self, sql: str, values: Values, most: int, /) -> Iterator[list[Any]]:
        """Rows of a query, at most so many at a time in memory; within a transaction."""

    def append(self, names: str, kind: int, rows: Iterator[Sequence[Any]], width: int, count: int, /) -> None:
        """Append entries the quickest way there is.

        names: of the columns after kind; width: how many those are; count: of the rows.
        """

    def pour(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        """Insert whole rows of a table the quickest way there is."""

    def numbers(self, of: str, /) -> str:
        """A query of the whole numbers in a JSON list, itself a placeholder."""

    def texts(self, of: str, /) -> str:
        """A query of the texts in a JSON list, itself a placeholder."""

    def json_number(self, column: str, name: str, /) -> str:
        """The whole number of this name in a column's JSON object."""

    def by_index(self, name: str, /) -> str:
        """What stands behind a table to have it looked up by this index, where a database must be told."""

    def damaged(self, error: Exception, /) -> bool:
        """Whether an error means that the store's bytes are not what was written."""


def plain(texts: Sequence[str]) -> Sequence[str]:
    """Texts with U+FFFD for NUL: not every database can hold that, and a store must be the same on all."""
    if "\0" not in "".join(texts):
        return texts
    return [text.replace("\0", _NO_TEXT) for text in texts]


def following(table: str, key: str = "number") -> str:
    """As a value: the number after the highest in a table. There is one writer, so nobody comes between."""
    return f"(SELECT coalesce(max({key}), 0) + 1 FROM {table})"  # noqa: S608 - our own names
