"""Opening the file of a SQLite store, and saying what to do when it cannot be."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from comity.core import ledger
from comity.core.errors import StoreError
from comity.stores.sql_read import only
from comity.stores.sqlite_db import SqliteDb, told
from comity.stores.sqlite_schema import APPLICATION, FORMAT, migrate

_CACHE: Final = "PRAGMA cache_size = -32768"  # 32 MiB
_PAGE: Final = 16384  # of 4, 8, 16, and 32 KiB the quickest for entries


def check_place(path: Path, *, read_only: bool) -> None:
    """Raise StoreError if no store can be at ``path``, before anything there is touched."""
    if path.is_dir():
        raise StoreError(f"{path} is a directory: name a file in it, such as {path / 'comity.sqlite'}")
    if not path.parent.is_dir():
        raise StoreError(f"{path}: there is no directory {path.parent}: create it first")
    if not path.exists():
        if read_only:
            raise StoreError(f"{path}: there is no store yet: rate a chat into it first")
    else:
        if not os.access(path, os.R_OK):
            raise StoreError(f"{path} cannot be read: give yourself the right to")
        # Through SQLite, never by a file handle of our own: closing one drops every lock that this process has on the
        # store (POSIX advisory locks), and the next process that closes it takes away the log we write to. And only
        # where no log is: with one, the file alone may be half of what was folded in when a writer's time was over.
        if not path.with_name(path.name + "-wal").exists():
            alone = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            with told(path), closing(sqlite3.connect(alone, uri=True)) as db:
                db.execute("PRAGMA schema_version")
        if not read_only and not os.access(path, os.W_OK):
            raise StoreError(f"{path} may not be written: give yourself the right (chmod u+w), or open it for reading")
    if not read_only and not os.access(path.parent, os.W_OK):
        raise StoreError(f"{path.parent} may not be written: the store keeps its log and lock there, beside the file")


def connect(path: Path, *, durable: bool, read_only: bool) -> SqliteDb:
    """A connection to the store at ``path``, created or brought to our format unless it is only read.

    durable: a commit is on the disk when it returns; otherwise the last ones may be lost with the power, whole ones
    only, and never by the process's end. Raises StoreError; a file that is refused is left as it was.
    """
    with told(path):
        db = sqlite3.connect(
            _address(path, read_only=read_only), uri=True, isolation_level=None, timeout=5, factory=SqliteDb
        )
        db.place, db.read_only = str(path), read_only
        try:
            found = _format(db, path, read_only=read_only)
            _prepare(db, durable=durable, read_only=read_only)
            if found < FORMAT:
                migrate(db, found)
        except BaseException:
            db.close()
            raise
        return db


def _address(path: Path, *, read_only: bool) -> str:
    address = path.absolute().as_uri()
    if os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK)):
        # Also to read: a connection that may not write leaves the files of SQLite's log lying about.
        return address + ("?mode=rw" if read_only else "?mode=rwc")
    # A closed store in a directory where SQLite may not create its log can be read only as a file that never changes.
    still = not path.with_name(path.name + "-wal").exists()
    return address + ("?mode=ro&immutable=1" if still else "?mode=ro")


def _format(db: SqliteDb, path: Path, *, read_only: bool) -> int:
    found = _said_format(db, path)
    if found > FORMAT:
        raise StoreError(
            f"{path} is of format {found}, this Comity reads up to {FORMAT}: install a newer one; nothing was changed"
        )
    if read_only and found < FORMAT:
        raise StoreError(f"{path} is of format {found}: open it once for writing, then it is brought to {FORMAT}")
    return found


def _said_format(db: SqliteDb, path: Path) -> int:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        if db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise StoreError(f"{path} is the database of another program: choose another file")
        return 0
    found: int = only(db, "SELECT format FROM meta")[0]
    return found


def _prepare(db: SqliteDb, *, durable: bool, read_only: bool) -> None:
    db.create_function("cover_of", 2, ledger.cover, deterministic=True)
    if read_only:
        db.execute(_CACHE)
        db.execute("PRAGMA query_only = ON")
        return
    db.execute(f"PRAGMA page_size = {_PAGE}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(_CACHE)  # after the size of a page: SQLite makes a number of pages of it, and keeps that
    db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    db.execute("PRAGMA secure_delete = ON")  # a forgotten account is overwritten, not only unlinked
    db.execute("PRAGMA foreign_keys = ON")
