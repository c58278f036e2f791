"""Which store a place names, and what is said of it."""

from pathlib import Path

from comity.core.place import Place, is_address
from comity.stores.sql_store import SqlStore
from comity.stores.sqlite import SqliteStore
from comity.stores.sqlite_file import check_place as check_file


def open_store(place: Place, *, durable: bool, read_only: bool = False, beside: bool = False) -> SqlStore:
    """Open the store at a place, as ``SqliteStore.open`` and ``PostgresStore.open`` have it."""
    if isinstance(place, str) and is_address(place):
        from comity.stores.postgres import PostgresStore  # noqa: PLC0415  slow to import, and few need it

        return PostgresStore.open(place, durable=durable, read_only=read_only, beside=beside)
    return SqliteStore.open(place, durable=durable, read_only=read_only, beside=beside)


def named(place: Place) -> str:
    """A place as it may be printed: an address without its password. Raises StoreError if it is none."""
    if isinstance(place, str) and is_address(place):
        from comity.stores.postgres_db import shown  # noqa: PLC0415  the same

        return shown(place)
    return str(place)


def check_place(place: Place, *, read_only: bool) -> None:
    """Raise StoreError if no store can be at a place, without touching what is there, and without asking a server."""
    if is_address(place):
        named(place)
    else:
        check_file(Path(place), read_only=read_only)
