"""``comity rooms``: what can be enforced where, and how to mend what cannot."""

from pathlib import Path

import click

from comity.cli.printing import counted, printable
from comity.settings_file import load_settings


@click.command(
    epilog="""\b
Examples:
  comity rooms
  comity rooms --settings /etc/comity/comity.toml"""
)
@click.option(
    "--settings",
    "path",
    type=click.Path(path_type=Path),
    default=Path("comity.toml"),
    show_default=True,
    help="The settings' file.",
)
def rooms(*, path: Path) -> None:
    """Say of each room Comity is in what can be carried out there, and why not what cannot. Changes nothing."""
    from comity.runner.looking import look  # noqa: PLC0415  only where a homeserver is asked

    found = look(load_settings(path))
    click.echo(f"{counted(len(found), 'room')}.")
    for seen in found:
        name = printable(seen.label) if seen.label == seen.room else f"{printable(seen.label)} ({seen.room})"
        if seen.can is None:
            click.echo(f"{name}: it cannot be told: {printable(seen.why)}")
            continue
        by_why: dict[str, list[str]] = {}
        for measure, why in seen.can.measures.items():
            if why:
                by_why.setdefault(why, []).append(measure.replace("_", " "))
        click.echo(f"{name}: {'everything can be carried out' if not by_why else 'not everything can be carried out'}.")
        for why, measures in by_why.items():
            click.echo(f"  not {', '.join(measures)}: {printable(why)}")
        for account, why in seen.can.out_of_reach.items():
            click.echo(f"  out of reach, {printable(account)}: {printable(why)}")
        for note in seen.can.notes:
            click.echo(f"  {printable(note)}")
