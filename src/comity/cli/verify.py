"""``comity verify``: the chain of the ledger, and the record where there is one."""

import re
from pathlib import Path

import click

from comity.cli.common import json_option, store_option, the_ledger
from comity.cli.printing import counted, print_json, printable
from comity.cli.record_options import folder_option, record_in, settings_option
from comity.cli.record_verdict import tell
from comity.core.ledger import Head
from comity.core.place import Place
from comity.settings_file import load_settings
from comity.stores.contract import Verdict
from comity.stores.opening import open_store
from comity.stores.record.verify import verify as verify_record


@click.command(
    epilog="""\b
Examples:
  comity verify
  comity verify --store garden.sqlite --noted 1829:9f2c...   against a head that you kept elsewhere
  comity verify --settings comity.toml                       what `comity serve` keeps

It needs no key. `comity record verify` checks the record alone, also against its own head, and event by event.

Exit status: 0 if all of it is whole, 1 if not."""
)
@store_option
@click.option("--noted", help="A head kept elsewhere, NUMBER:SEAL, as this command prints it.")
@folder_option
@settings_option
@json_option
def verify(*, store: Place, noted: str | None, folder: str | None, settings_path: Path | None, as_json: bool) -> None:
    """Check that no entry of the ledger, and nothing of its record, was changed, removed, added or swapped."""
    head = None if noted is None else _head(noted)
    if settings_path is not None:
        settings = load_settings(settings_path)
        store, folder = settings.store, settings.record.folder if settings.record else folder
    with open_store(the_ledger(store), durable=False, read_only=True) as ledger:
        verdict, now = ledger.verify(noted=head), ledger.head()
        record = record_in(ledger, folder)
        of_record = None if record is None else verify_record(record.parts)
    whole = verdict.whole and (of_record is None or of_record.whole)
    shown, where = f"{now.number}:{now.seal.hex()}", str(record.parts.place) if record else ""
    if as_json:
        told = None if of_record is None else of_record._asdict() | {"whole": of_record.whole, "where": where}
        entries, what = verdict.entries, verdict.what
        found = {"whole": whole, "entries": entries, "entry": verdict.number, "what": what, "head": shown}
        print_json(found | {"record": told})
    else:
        _tell(verdict, shown)
        if of_record is not None:
            tell(of_record, where)
    if not whole:
        raise SystemExit(1)


def _tell(verdict: Verdict, shown: str) -> None:
    if not verdict.whole:
        click.echo(f"The ledger is NOT whole. {verdict.what}", err=True)
        return
    click.echo(f"The ledger is whole: {counted(verdict.entries, 'entry', 'entries')}, each sealed to the one before.")
    click.echo(f"Head: {shown}")
    click.echo("Keep the head elsewhere: who can write the file could seal it anew, and only a noted head tells.")


def _head(noted: str) -> Head:
    number, _, seal = noted.partition(":")
    if not (number.isdecimal() and number.isascii() and re.fullmatch("[0-9a-fA-F]{64}", seal)):
        raise click.UsageError(f"{printable(noted)!r} is no head; expected NUMBER:SEAL as this command prints it")
    return Head(int(number), bytes.fromhex(seal))
