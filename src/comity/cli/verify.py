"""``comity verify``: the chain of the ledger."""

import re

import click

from comity.cli.common import json_option, store_option, the_ledger
from comity.cli.printing import counted, print_json, printable
from comity.core.ledger import Head
from comity.core.place import Place
from comity.stores.opening import open_store


@click.command(
    epilog="""\b
Examples:
  comity verify
  comity verify --store garden.sqlite --noted 1829:9f2c...   against a head that you kept elsewhere

Exit status: 0 if the ledger is whole, 1 if not."""
)
@store_option
@click.option("--noted", help="A head kept elsewhere, NUMBER:SEAL, as this command prints it.")
@json_option
def verify(*, store: Place, noted: str | None, as_json: bool) -> None:
    """Check that no entry of the ledger was changed, removed, added or swapped."""
    head = None if noted is None else _head(noted)
    with open_store(the_ledger(store), durable=False, read_only=True) as ledger:
        verdict, now = ledger.verify(noted=head), ledger.head()
    shown = f"{now.number}:{now.seal.hex()}"
    if as_json:
        whole, entries, what = verdict.whole, verdict.entries, verdict.what
        print_json({"whole": whole, "entries": entries, "entry": verdict.number, "what": what, "head": shown})
    elif verdict.whole:
        click.echo(
            f"The ledger is whole: {counted(verdict.entries, 'entry', 'entries')}, each sealed to the one before."
        )
        click.echo(f"Head: {shown}")
        click.echo("Keep the head elsewhere: who can write the file could seal it anew, and only a noted head tells.")
    else:
        click.echo(f"The ledger is NOT whole. {verdict.what}", err=True)
    if not verdict.whole:
        raise SystemExit(1)


def _head(noted: str) -> Head:
    number, _, seal = noted.partition(":")
    if not (number.isdecimal() and number.isascii() and re.fullmatch("[0-9a-fA-F]{64}", seal)):
        raise click.UsageError(f"{printable(noted)!r} is no head; expected NUMBER:SEAL as this command prints it")
    return Head(int(number), bytes.fromhex(seal))
