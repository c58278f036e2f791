"""What the commands of the record share: where it lies, by which key it is read, and whom a name means."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import click

from comity.cli.common import now, the_ledger
from comity.cli.printing import printable
from comity.core.action import Action, Do
from comity.core.errors import ComityError
from comity.core.place import Place, is_address
from comity.settings import Settings
from comity.settings_file import load_settings
from comity.stores.contract import MemberRow
from comity.stores.opening import open_store
from comity.stores.record.keys import Keeper, KeeperError, keeper
from comity.stores.record.places import place
from comity.stores.record.record import Record
from comity.stores.sql_store import SqlStore

_FOLDER: Final = ".record"  # beside the store, where nothing else is named
_FINISHED: Final = ".finished"  # the same
_WHERE: Final = "where"
_STOPPED: Final = "What is said here is kept no longer. What was kept is destroyed when its term is over."

key_option = click.option(
    "--key",
    "key_at",
    envvar="COMITY_RECORD_KEY_AT",
    metavar="WHERE",
    help="The key that wraps the others: file:PATH or env:NAME (also from COMITY_RECORD_KEY_AT).",
)
folder_option = click.option(
    "--folder",
    envvar="COMITY_RECORD_FOLDER",
    metavar="WHERE",
    help="Where segments lie: a folder or s3://BUCKET/PREFIX?endpoint=...; remembered by the store.",
)


settings_option = click.option(
    "--settings",
    "settings_path",
    type=click.Path(path_type=Path),
    help="The settings of `comity serve`, which name store, folder and key: instead of those options.",
)


class Where(NamedTuple):
    """Where a store and its record are, and by which key that is read."""

    store: Place
    folder: str | None
    key_at: str | None


def where(settings_path: Path | None, store: Place, folder: str | None, key_at: str | None) -> Where:
    """What settings name, if they are named; else what options do. Raises ComityError if they ask for no record."""
    if settings_path is None:
        return Where(store, folder, key_at)
    settings = load_settings(settings_path)
    if settings.record is None:
        raise ComityError(f"{settings_path} asks for no record: it has no [record]")
    return Where(settings.store, settings.record.folder, settings.record.key)


def finished_beside(store: Place) -> Path | None:
    """Where a replay of the record keeps finished weeks; nowhere beside a database."""
    return None if is_address(store) else Path(f"{store}{_FINISHED}")


class NoKeeper:
    """For what needs no key; whatever does says so."""

    id = ""

    def wrap(self, secret: bytes, about: bytes) -> bytes:
        """Raises KeeperError."""
        raise self._error(secret, about)

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """Raises KeeperError."""
        raise self._error(wrapped, about)

    def _error(self, _body: bytes, about: bytes) -> KeeperError:
        return KeeperError(f"the key of {about.decode()} is wrapped: name the record's key with --key")


def the_keeper(key_at: str | None) -> Keeper:
    """The key that a command was given. Raises click.UsageError without one."""
    if not key_at:
        raise click.UsageError("this needs the record's key: name it with --key; `comity record key` makes one")
    return keeper(key_at)


@contextmanager
def the_record(
    store: Place,
    folder: str | None,
    keeper: Keeper | None,
    *,
    read_only: bool = False,
    begin: bool = False,
    beside: bool = False,
) -> Iterator[tuple[SqlStore, Record]]:
    """The record of a store that is there.

    begin: make one where there is none; beside: also while another process writes the store, to change nothing but the
    record. Raises ComityError if there is no record.
    """
    with open_store(the_ledger(store), durable=True, read_only=read_only, beside=beside) as ledger:
        noted = ledger.record.row("head", _WHERE)
        if noted is None and not begin:
            raise ComityError(f"{store} has no record yet: begin with `comity record room`")
        where = folder or (noted.decode() if noted else _beside(store))
        at = place(where)
        if keeper is None:
            yield ledger, Record(ledger.record, at, NoKeeper())
            return
        if read_only:
            yield ledger, Record(ledger.record, at, keeper)
            return
        record = Record.open(ledger.record, at, keeper, now())
        if noted is None or where != noted.decode():
            ledger.record.keep("head", _WHERE, where.encode())
        yield ledger, record


def record_in(ledger: SqlStore, folder: str | None) -> Record | None:
    """The record of an open store, for what needs no key; None if it has none, and none was named.

    folder: where its segments lie, if it is not where the store says. Raises ComityError if there is none to be there.
    """
    noted = ledger.record.row("head", _WHERE)
    if noted is None:
        if folder:
            raise ComityError(f"{ledger.place} has no record yet: none can be in {folder}")
        return None
    return Record(ledger.record, place(folder or noted.decode()), NoKeeper())


def _beside(store: Place) -> str:
    if is_address(store):
        raise click.UsageError("name --folder: a database has no place beside it")
    return str(Path(str(store) + _FOLDER).absolute())


def begin_rooms(settings: Settings, store: SqlStore) -> Record:
    """The record that settings ask for; each room is told what is kept from now on, and for how long."""
    if settings.record is None:
        raise ValueError("these settings ask for no record")
    at, asked = now(), settings.record
    record = Record.open(store.record, place(asked.folder), keeper(asked.key), at)
    before = record.parts.rows.rooms()
    wanted = {(r.community, r.room): r.days for r in asked.rooms}
    with store.write():
        store.record.keep("head", _WHERE, asked.folder.encode())
        for (community, room), days in wanted.items():
            store.community(community)
            known = before.get((community, room))
            if known is None or known.until is not None or known.days != days:
                record.begin_room(community, room, days, at)
                told = Action(id=_told_by(room, days, at), do=Do.SAY, room=room, text=notice(days))
                store.decisions.queue([told], at=at)
        for (community, room), known in before.items():
            if known.until is None and (community, room) not in wanted:
                record.end_room(community, room, at)
                told = Action(id=_told_by(room, 0, at), do=Do.SAY, room=room, text=_STOPPED)
                store.decisions.queue([told], at=at)
    return record


def _told_by(room: str, days: int, at: int) -> str:
    return f"record-{sha256(room.encode()).hexdigest()[:16]}-{days}-{at}"


def notice(days: int) -> str:
    """What a room is told before it is recorded."""
    return (
        f"What is said here is kept from now on, encrypted, until the week it was said in is {days} days old; longer "
        "only while an appeal may be about it. Nobody reads it without a case or a stated reason, and whoever looks is "
        "written down. What you take back is gone. You can have a copy of what you said, and have it erased."
    )


def the_member(store: SqlStore, community: str, who: str) -> MemberRow:
    """The one member of a community that an account, a name or the beginning of a pseudonym means."""
    number = store.community(community)
    found = [m for m in store.members_named(who) if m.community == number]
    exact = [m for m in found if who in {m.account, m.pseudonym}]
    if len(exact or found) != 1:
        names = ", ".join(printable(m.account or m.pseudonym) for m in found[:5])
        raise click.UsageError(f"{printable(who)!r} means {len(found)} members{': ' + names if names else ''}")
    return (exact or found)[0]
