"""A connection to a store in PostgreSQL, with what ``sql.Db`` asks of every database."""

import os
import platform
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from typing import Any, Final

import psycopg
from psycopg import sql as quoting
from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.types.string import StrBinaryDumper, StrDumperUnknown

from comity.core.errors import StoreError
from comity.stores.sql import Values, plain

_PIECE: Final = re.compile(r"'[^']*'|\?|(?<![:\w]):([a-z_]+)|%")
_REWRITES: Final = re.compile(r"\s*(?:UPDATE|DELETE\s+FROM)\s+\"?(\w+)")
_WAIT: Final = {"connect_timeout": "10", "keepalives_idle": "30", "tcp_user_timeout": "60000"}
_FEW: Final = 8  # rows, below which a copy takes longer to begin than it saves
_BEGUN_AGAIN: Final = "start again, it goes on where it was"
# A commit that was under way may have been kept: whoever goes on looks at the head.
_GONE: Final = (
    "the connection to the server is gone, and with it what was being written, unless the server had just kept it: "
    f"{_BEGUN_AGAIN}"
)
# By SQLSTATE, the whole one or its class.
_ADVICE: Final = {
    "53100": f"the server's disk is full; nothing of this batch was kept: free some room and {_BEGUN_AGAIN}",
    "53": f"the server is out of memory or connections ({{error}}); nothing of this batch was kept: {_BEGUN_AGAIN}",
    "28": "the server refuses this user or password ({error}): look at the URL, and at PGPASSWORD or the .pgpass file",
    "3D000": "the server has no database of this name: create it first, in UTF-8 (createdb)",
    "42501": "this user may not do that ({error}): give the user the database (ALTER DATABASE ... OWNER TO ...)",
    "25006": "the server takes no writes; is it a standby? Name the first server",
    "25P02": "a part of this batch failed, so nothing of it was kept: make it again",
    "57": _GONE,
    "08": _GONE,
    "XX": "the server's files are damaged ({error}): restore a copy; verify says which entries can still be read",
}
_AWAY: Final = f"the server cannot be reached ({{error}}): look whether it runs and listens there, and {_BEGUN_AGAIN}"


def shown(url: str) -> str:
    """The address of a store as it may be printed: without a password. Raises StoreError if it is none."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:  # its words may quote the password
        raise StoreError(
            "this is no address of a PostgreSQL database: expected postgresql://USER@HOST/DATABASE"
        ) from None
    user = f"{parts['user']}@" if parts.get("user") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"postgresql://{user}{parts.get('host', '')}{port}/{parts.get('dbname', '')}"


class _Text(StrDumperUnknown):
    """Texts without NUL, which PostgreSQL cannot hold."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(plain((obj,))[0])


class _WholeText(StrBinaryDumper):
    """The same, as rows are copied."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(plain((obj,))[0])


class _Whole(Dumper):
    """Booleans are whole numbers in every store."""

    oid = psycopg.adapters.types["int2"].oid

    def dump(self, obj: bool) -> Buffer:  # noqa: FBT001 - psycopg's signature
        return b"1" if obj else b"0"


class _Sum(Loader):
    """A sum of whole numbers is one."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data))


@lru_cache(maxsize=1024)
def spoken(statement: str) -> bytes:
    """A statement with ``%s`` and ``%(name)s`` where ``?`` and ``:name`` stood."""

    def piece(found: re.Match[str]) -> str:
        text = found[0]
        if text == "?":
            return "%s"
        return f"%({found[1]})s" if found[1] else text.replace("%", "%%")

    return _PIECE.sub(piece, statement).encode()


@contextmanager
def told(place: str, *, away: str = _AWAY) -> Iterator[None]:
    """Turn PostgreSQL's errors into StoreError, with the place and what to do; without values, they may be private.

    away: what is said where there is no connection.
    """
    try:
        yield
    except psycopg.Error as error:
        state = error.sqlstate or ("" if isinstance(error, psycopg.OperationalError) else "?")
        said = error.diag.message_primary or str(error).partition("\n")[0]
        advice = _ADVICE.get(state) or _ADVICE.get(state[:2]) or (away if not state else "PostgreSQL says: {error}")
        raise StoreError(f"{place}: {advice.format(error=said)}") from error


class PostgresDb:
    """``Db`` over PostgreSQL. Raises psycopg's errors where the server cannot be reached, or refuses."""

    failure = psycopg.Error

    def __init__(self, url: str, *, durable: bool, read_only: bool) -> None:
        self.place, self.read_only = shown(url), read_only
        name = f"comity {os.getpid()} on {platform.node()}"
        conninfo = make_conninfo(url, **_WAIT | conninfo_to_dict(url) | {"application_name": name})
        self._connection = psycopg.connect(conninfo, autocommit=True, client_encoding="UTF8")
        self._changes, self._streams = 0, 0
        self._rewritten: set[str] = set()
        self._types: dict[str, dict[str, str]] = {}
        adapters = self._connection.adapters
        for type_, dumper in ((bool, _Whole), (str, _WholeText), (str, _Text)):
            adapters.register_dumper(type_, dumper)
        adapters.register_loader("numeric", _Sum)
        self.execute(f"SET synchronous_commit = {'on' if durable else 'off'}")
        self.execute(f"SET default_transaction_read_only = {'on' if read_only else 'off'}")
        self.execute("SET statement_timeout = 0")  # what the server is set to is meant for others
        self.execute("SET idle_in_transaction_session_timeout = 0")

    @property
    def in_transaction(self) -> bool:
        """See ``Db.in_transaction``."""
        return self._status not in {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}

    @property
    def _status(self) -> TransactionStatus:
        return self._connection.info.transaction_status

    @property
    def changes(self) -> int:
        """See ``Db.changes``: a statement that fails takes its transaction along."""
        return self._changes

    def told(self) -> AbstractContextManager[None]:
        """See ``Db.told``."""
        return told(self.place, away=_GONE)

    def begin(self) -> None:
        """See ``Db.begin``."""
        self._connection.execute("BEGIN")

    def begin_reading(self) -> None:
        """See ``Db.begin_reading``."""
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def commit(self) -> None:
        """See ``Db.commit``. PostgreSQL ends a transaction that failed without a word: that must not pass for kept."""
        if self._status is TransactionStatus.INERROR:
            raise psycopg.errors.InFailedSqlTransaction("a statement of this transaction failed")
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """See ``Db.rollback``."""
        with suppress(psycopg.Error):  # the first error says more; the server rolls back what it loses
            if self.in_transaction:
                self._connection.execute("ROLLBACK")

    def erase(self) -> bool:
        """See ``Db.erase``: what was overwritten lies in a table's file until it is written anew.

        The server's own log keeps it for as long as the server is set to keep that.
        """
        with suppress(psycopg.errors.LockNotAvailable):
            self._connection.execute("SET lock_timeout = '5s'")
            try:
                for table in sorted(self._rewritten):
                    self._connection.execute(quoting.SQL("VACUUM (FULL) {}").format(quoting.Identifier(table)))
                    self._rewritten.discard(table)
            finally:
                self._connection.execute("SET lock_timeout = 0")
        return not self._rewritten

    def clear(self, table: str, /) -> None:
        """See ``Db.clear``."""
        self._connection.execute(quoting.SQL("TRUNCATE {}").format(quoting.Identifier(table)))
        self._changes += 1

    def close(self) -> None:
        """See ``Db.close``."""
        with suppress(psycopg.Error):
            self._connection.close()

    def execute(self, sql: str, values: Values = (), /) -> psycopg.Cursor[Any]:
        """See ``Db.execute``."""
        if found := _REWRITES.match(sql):
            self._rewritten.add(found[1])
        try:
            cursor = self._connection.execute(spoken(sql), values)
        except psycopg.Error:
            self._changes += 1
            raise
        if not (cursor.statusmessage or "").startswith("SELECT"):
            self._changes += max(cursor.rowcount, 0)
        return cursor

    def executemany(self, sql: str, values: Iterable[Sequence[Any]], /) -> None:
        """See ``Db.executemany``."""
        some = list(values)
        if len(some) == 1:  # a pipeline for one costs twice as much
            self.execute(sql, some[0])
        elif some:
            if found := _REWRITES.match(sql):
                self._rewritten.add(found[1])
            self._changes += 1
            with self._connection.cursor() as cursor:
                cursor.executemany(spoken(sql), some)

    def stream(self, sql: str, values: Values, most: int, /) -> Iterator[list[Any]]:
        """See ``Db.stream``."""
        self._streams += 1
        with self._connection.cursor(name=f"stream_{self._streams}") as cursor:
            cursor.execute(spoken(sql), values)
            while rows := cursor.fetchmany(most):
                yield rows

    def append(self, names: str, kind: int, rows: Iterator[Sequence[Any]], width: int, count: int, /) -> None:
        """See ``Db.append``."""
        if count < _FEW:
            marks = ", ?" * width
            self.executemany(f"INSERT INTO entry (kind, {names}) VALUES ({kind}{marks})", rows)  # noqa: S608 - our own names
        else:
            self.pour("entry", ("kind", *names.split(", ")), ((kind, *row) for row in rows))

    def pour(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]], /) -> None:
        """See ``Db.pour``."""
        self._changes += 1
        copy = quoting.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            quoting.Identifier(table), quoting.SQL(", ").join(map(quoting.Identifier, names))
        )
        types = self._types_of(table)
        with self._connection.cursor() as cursor, cursor.copy(copy) as to:
            to.set_types([types[name] for name in names])
            for row in rows:
                to.write_row(row)

    def _types_of(self, table: str) -> dict[str, str]:
        """The types of a table's columns, by name, as a binary copy needs them."""
        if table not in self._types:
            rows = self._connection.execute(
                "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute "
                "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                (f'"{table}"',),
            )
            self._types[table] = {name: "int8" if type_ == "bigint" else type_ for name, type_ in rows}
        return self._types[table]

    def numbers(self, of: str, /) -> str:
        """See ``Db.numbers``."""
        return f"SELECT value::bigint FROM json_array_elements_text({of}::json)"  # noqa: S608 - our own names

    def texts(self, of: str, /) -> str:
        """See ``Db.texts``."""
        return f"SELECT value FROM json_array_elements_text({of}::json)"  # noqa: S608 - our own names

    def json_number(self, column: str, name: str, /) -> str:
        """See ``Db.json_number``."""
        return f"({column}::json ->> '{name}')::bigint"

    def by_index(self, _name: str, /) -> str:
        """See ``Db.by_index``: PostgreSQL finds it itself."""
        return ""

    def damaged(self, error: Exception, /) -> bool:
        """See ``Db.damaged``."""
        return isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith("XX")
