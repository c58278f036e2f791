"""The store in a PostgreSQL database: for communities that already run one, and for copies kept by the server."""

from typing import Final, Self

import psycopg
from psycopg.conninfo import make_conninfo

from comity.core.errors import StoreError
from comity.stores.postgres_db import PostgresDb, shown, told
from comity.stores.postgres_schema import MARK, migrate
from comity.stores.sql_read import only
from comity.stores.sql_store import SqlStore
from comity.stores.sqlite_schema import APPLICATION, FORMAT

_ENDED: Final = "2s"  # a process that was killed may hold the lock until its server has noticed


class PostgresStore(SqlStore):
    """A store in a PostgreSQL database; ``contract.Store`` says what its methods promise. To be used by one thread."""

    @classmethod
    def open(cls, url: str, *, durable: bool, read_only: bool = False, beside: bool = False) -> Self:
        """Open the store of a database, new if it is empty; only one process at a time can have it open for writing.

        url: as libpq reads it, ``postgresql://USER@HOST/DATABASE``; durable: every commit is on the server's disk when
        it returns; otherwise a power cut there may lose the last whole commits. The lock is the connection's: between
        us and the server there may be no pool that shares connections. Raises StoreError if that cannot be, saying what
        to do; what is refused is left as it was.
        """
        with told(shown(url)):
            db = PostgresDb(url, durable=durable, read_only=read_only)
        try:
            with db.told():
                if not read_only:
                    _take_lock(db, beside=beside)
                found = _format(db)
                if found < FORMAT:
                    migrate(make_conninfo(url), found)
            return cls(db)
        except BaseException:
            db.close()
            raise


def _take_lock(db: PostgresDb, *, beside: bool) -> None:
    """Take a lock of this database and schema; it ends with the connection, however that ends.

    beside: the one of whoever looks after the record while another writes the store.
    """
    schema = "(SELECT oid::bigint FROM pg_namespace WHERE nspname = current_schema())"
    lock = f"({APPLICATION + beside}::bigint << 32) + {schema}"
    db.execute(f"SET lock_timeout = '{_ENDED}'")
    try:
        db.execute(f"SELECT pg_advisory_lock({lock})")
    except psycopg.errors.LockNotAvailable:
        row = db.execute(
            "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' "  # noqa: S608 - our own numbers
            "AND granted AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            f"AND (classid::bigint << 32) + objid::bigint = {lock}"
        ).fetchone()
        holder = row[0].removeprefix("comity ") if row and row[0] else "of unknown number"
        what = f"the record of {db.place} is being looked after" if beside else f"{db.place} is being written"
        raise StoreError(
            f"{what} by process {holder}: wait until it is done, or end it; it can be read meanwhile"
        ) from None
    db.execute("SET lock_timeout = 0")


def _format(db: PostgresDb) -> int:
    """The format of the store that is there, 0 if nothing is. Raises StoreError if it cannot be ours, or read yet."""
    encoding = db.execute("SHOW server_encoding").fetchone()
    if encoding != ("UTF8",):
        raise StoreError(f"{db.place} is in {(encoding or '?')[0]}: create a database in UTF-8 (createdb -E UTF8)")
    row = db.execute("SELECT obj_description(to_regclass('meta'), 'pg_class')").fetchone()
    if row != (MARK,):
        other = db.execute("SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace LIMIT 1")
        if other.fetchone():
            raise StoreError(f"{db.place} is the database of another program: name an empty one")
        if db.read_only:
            raise StoreError(f"{db.place}: there is no store yet: rate a chat into it first")
        return 0
    found: int = only(db, "SELECT format FROM meta")[0]
    if found > FORMAT:
        raise StoreError(
            f"{db.place} is of format {found}, this Comity reads up to {FORMAT}: install a newer one; "
            "nothing was changed"
        )
    if db.read_only and found < FORMAT:
        raise StoreError(f"{db.place} is of format {found}: open it once for writing, then it is brought to {FORMAT}")
    return found
