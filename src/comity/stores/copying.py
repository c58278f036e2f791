"""Copying a whole store into an empty one, of whatever kind: moving, backing up and restoring are this."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from comity.core.errors import StoreError
from comity.core.ledger import Head
from comity.stores.sql import plain
from comity.stores.sql_store import SqlStore
from comity.stores.sqlite import SqliteStore
from comity.stores.sqlite_schema import Table, tables

_TOGETHER: Final = 2048  # rows read at a time


class Copied(NamedTuple):
    """What was copied. rows: of all tables; head: of the ledger, which is the same on both sides."""

    rows: int
    head: Head


def copy_store(source: SqlStore, target: SqlStore, progress: Callable[[int], None] | None = None) -> Copied:
    """Copy everything from one moment of a store into an empty one, in one transaction: all of it, or nothing.

    progress: told now and then how many rows are copied. Before it is kept, every table is read again and compared, and
    the chain is verified. Raises StoreError if the target is not empty, or anything did not arrive as it was.
    """
    with source.reading() as from_, target.write():
        db = target.db
        for table in tables():
            if table.name != "meta" and db.execute(f'SELECT 1 FROM "{table.name}" LIMIT 1').fetchone():  # noqa: S608 - our own names
                raise StoreError(f"{target.place} is not empty: name a place without a store; nothing was changed")
        db.execute("DELETE FROM meta")
        done = 0
        for table in tables():
            read = sha256()

            def rows(table: Table = table, read: Any = read) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401  a hash
                nonlocal done
                for some in _rows(source.db, table):
                    read.update(msgspec.msgpack.encode(some))
                    done += len(some)
                    yield from some
                    if progress:
                        progress(done)

            db.pour(table.name, table.columns, rows())
            arrived = sha256()
            for some in _rows(db, table):
                arrived.update(msgspec.msgpack.encode(some))
            if arrived.digest() != read.digest():
                raise StoreError(f"{target.place}: the table {table.name} did not arrive as it was; nothing was kept")
        head = Head(*from_.execute("SELECT head_number, head_seal FROM meta").fetchone())
        verdict = target.verify(noted=head)
        if not verdict.whole:
            raise StoreError(f"{source.place} is not whole, so nothing was kept: {verdict.what}")
    return Copied(done, head)


def back_up(source: SqlStore, file: Path, progress: Callable[[int], None] | None = None) -> Copied:
    """Copy one moment of a store, also one in use, into a new SQLite file that only its owner can read.

    The file is there whole, or not at all. Raises StoreError if there is one already, or it cannot be written.
    """
    if file.exists():
        raise StoreError(f"{file} is there already: name a new file")
    part = file.with_name(f"{file.name}.part")
    _remove(part)  # of a backup that was killed
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with SqliteStore.open(part, durable=True) as target:
            copied = copy_store(source, target, progress)
        part.replace(file)
    except OSError as error:
        raise StoreError(f"{file} cannot be written ({error.strerror}): look at the folder and the disk") from error
    finally:
        _remove(part)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return copied


def _rows(db: Any, table: Table) -> Iterator[list[tuple[Any, ...]]]:  # noqa: ANN401  of either kind
    listed, order = (", ".join(f'"{name}"' for name in names) for names in (table.columns, table.key))
    for some in db.stream(f'SELECT {listed} FROM "{table.name}" ORDER BY {order}', (), _TOGETHER):  # noqa: S608 - our own names
        yield [tuple(plain([v])[0] if isinstance(v, str) else v for v in row) for row in some]


def _remove(part: Path) -> None:
    for each in (part, *(part.with_name(part.name + end) for end in ("-wal", "-shm", ".lock"))):
        with suppress(OSError):
            each.unlink(missing_ok=True)
