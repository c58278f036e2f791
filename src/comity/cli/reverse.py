"""``comity reverse``: an entry that falls leaves no trace in standing."""

import click

from comity.cli.common import now, store_option, the_ledger
from comity.core.errors import ComityError
from comity.core.ledger import Head
from comity.core.place import Place
from comity.stores.opening import open_store


@click.command(
    epilog="""\b
Example:
  comity reverse 1829 --reason "a paste that was asked for" --by olive"""
)
@click.argument("entry", type=click.IntRange(1, 2**62))
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--by", "who", required=True, help="Who decided so.")
@store_option
def reverse(*, entry: int, reason: str, who: str, store: Place) -> None:
    """Take back an entry of the ledger. Standing is summed afresh, as if its finding had never been."""
    for option, text in (("--reason", reason), ("--by", who)):
        if not text.strip() or not text.isprintable():
            raise click.UsageError(f"{option} says nothing that can be shown; expected a line of text")
    with open_store(the_ledger(store), durable=True) as ledger:
        done = ledger.reverse(entry, reason, who, now(), after=ledger.head())
    if not isinstance(done, Head):
        raise ComityError(f"entry {entry} cannot be taken back: {done.why}")
    click.echo(f"Entry {entry} is taken back by entry {done.number}.")
