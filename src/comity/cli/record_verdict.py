"""What verifying a record showed, as it is told."""

import click

from comity.cli.printing import counted, printable
from comity.stores.record.verify import RecordVerdict


def tell(verdict: RecordVerdict, where: str) -> None:
    """Say whether a record is whole, and if not, each place where it is not. where: its segments lie."""
    if verdict.whole:
        click.echo(
            f"The record in {printable(where)} is whole: {counted(verdict.segments, 'segment')}, "
            f"{verdict.size / 1_000_000:,.1f} MB, {counted(verdict.frames, 'frame')}, {counted(verdict.links, 'link')}."
        )
        return
    faults = "\n".join(f"  {printable(fault)}" for fault in verdict.faults)
    click.echo(f"The record in {printable(where)} is NOT whole:\n{faults}", err=True)
