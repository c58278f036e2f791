"""``comity reverse``: an entry that falls leaves no trace in standing."""

from datetime import UTC, datetime
from pathlib import Path

import click

from comity.cli.common import store_option
from comity.core.ledger import Head
from comity.stores.sqlite import SqliteStore


@click.command(
    epilog="""\b
Example:
  comity reverse 1829 --reason "a paste that was asked for" --by olive"""
)
@click.argument("entry", type=click.IntRange(min=1))
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--by", "who", required=True, help="Who decided so.")
@store_option
def reverse(entry: int, reason: str, who: str, store: Path) -> None:
    """Take back an entry of the ledger. Standing is summed afresh, as if its finding had never been."""
    if not store.exists():
        raise click.UsageError(f"there is no ledger at {store}; name it with --store")
    with SqliteStore.open(store, durable=True) as ledger:
        now = round(datetime.now(UTC).timestamp() * 1000)
        done = ledger.reverse(entry, reason, who, now, after=ledger.head())
    if not isinstance(done, Head):
        click.echo(f"comity: entry {entry} cannot be taken back: {done.why}", err=True)
        raise SystemExit(1)
    click.echo(f"Entry {entry} is taken back by entry {done.number}.")
