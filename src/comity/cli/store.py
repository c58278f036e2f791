"""``comity store``: move a store to another place or database, back it up, and restore it."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from comity.cli.common import make_folder, store_option, store_place, the_ledger
from comity.cli.printing import counted, printable
from comity.core.place import Place
from comity.stores.contract import Counts
from comity.stores.copying import Copied, back_up, copy_store
from comity.stores.opening import named, open_store
from comity.stores.sql_store import SqlStore

_EVERY = 50_000  # rows between two words about how far it is
_TOGETHER = 2048  # rows that may come between two tellings


@click.group(
    epilog="""\b
Examples:
  comity store backup --store comity.sqlite /backups/comity-2026-05-21.sqlite
  comity store restore /backups/comity-2026-05-21.sqlite postgresql://comity@localhost/comity
  comity store move comity.sqlite postgresql://comity@localhost/comity

A password is best kept out of addresses: libpq reads it from PGPASSWORD or from ~/.pgpass."""
)
def store() -> None:
    """Move a store, back it up, and restore it: everything in it, verified on arrival."""


@store.command()
@click.argument("from_", metavar="FROM", type=store_place)
@click.argument("to", metavar="TO", type=store_place)
def move(*, from_: Place, to: Place) -> None:
    """Copy the store FROM into the empty place TO, whole or not at all.

    Nobody may write FROM meanwhile, so stop Comity first. FROM stays as it is; name TO in the settings, and delete FROM
    once you are sure.
    """
    with open_store(the_ledger(from_), durable=True) as source:  # for writing: nobody else may go on with it
        counts, done = _into(to, lambda target: copy_store(source, target, _progress))
    _tell(named(from_), named(to), counts, done)
    click.echo(f"Use it from now on: --store {printable(named(to))}, and store in the settings.")


@store.command()
@store_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(*, store: Place, file: Path) -> None:
    """Copy one moment of a store into a new FILE, also while Comity runs.

    FILE is a store in SQLite, whatever kind it was taken from. It holds keys and accounts: keep it as safe as the
    store.
    """
    make_folder(file)
    with open_store(the_ledger(store), durable=False, read_only=True) as source:
        done = back_up(source, file, _progress)
    _clear()
    with open_store(file, durable=False, read_only=True) as kept:
        counts = kept.counts()
    _tell(named(store), str(file), counts, done)


@store.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("to", metavar="TO", type=store_place)
def restore(*, file: Path, to: Place) -> None:
    """Copy the backup FILE into the empty place TO, whole or not at all."""
    with open_store(file, durable=False, read_only=True) as source:
        counts, done = _into(to, lambda target: copy_store(source, target, _progress))
    _tell(str(file), named(to), counts, done)
    click.echo("What happened since the backup is not in it; what was carried out since may be carried out again.")


def _into(to: Place, copy: Callable[[SqlStore], Copied]) -> tuple[Counts, Copied]:
    if isinstance(to, Path):
        make_folder(to)
    with open_store(to, durable=True) as target:
        done = copy(target)
        _clear()
        return target.counts(), done


def _tell(from_: str, to: str, counts: Counts, done: Copied) -> None:
    click.echo(
        f"{printable(from_)} is copied to {printable(to)}: {counted(done.rows, 'row')}, among them "
        f"{counted(counts.entries, 'entry', 'entries')} and {counted(counts.members, 'member')}."
    )
    click.echo(
        f"It was read again and compared, and the chain is whole. Head: {done.head.number}:{done.head.seal.hex()}"
    )


def _progress(rows: int) -> None:
    if rows % _EVERY < _TOGETHER and sys.stderr.isatty():
        click.echo(f"\r{counted(rows, 'row')} copied", nl=False, err=True)


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
