"""``comity rate``: the main job."""

import time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from comity.adapters.exports import Options, formats, read, total_bytes
from comity.adapters.reader import DateOrder
from comity.book import Book
from comity.cli.common import (
    DEFAULT_CHARTER,
    charter_option,
    json_option,
    make_folder,
    now,
    progress,
    store_option,
    the_charter,
    today,
)
from comity.cli.findings_file import FindingsFile
from comity.cli.inputs import Inputs, clean, status, tell_left_out
from comity.cli.outcome import Outcome, for_machines, for_people
from comity.cli.printing import print_json, printable
from comity.core.place import Place
from comity.engine import Engine
from comity.replay import Rating
from comity.stores.opening import open_store
from comity.web.fill import fill
from comity.web.report import write_report


@click.command(
    epilog="""\b
Examples:
  comity rate logs/                              all files of a folder, whatever their format
  comity rate result.json --report report.html   a Telegram export, with a report to look at
  comity rate '#garden.log' --time-zone Europe/Vienna --charter garden.toml
  comity rate export.zip --json > summary.json   for machines

\b
A log that has grown can be rated again: what was counted is not counted twice.
Exit status: 0; 2 if something could not be read (it is named, and the rest was rated);
1 for any other error, 130 if it was stopped: what was committed until then is kept."""
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@charter_option
@store_option
@click.option("--report", type=click.Path(path_type=Path), help="Write the report (one HTML file).")
@click.option("--findings", type=click.Path(path_type=Path), help="Write this run's findings as NDJSON.")
@click.option("--format", "format_", type=click.Choice(sorted(formats())), help="Read as this format.")
@click.option("--time-zone", default="UTC", show_default=True, help="Of the clock in logs that do not tell.")
@click.option("--date-order", type=click.Choice(["dmy", "mdy", "ymd"]), help="Of dates in WhatsApp texts.")
@click.option("--community", help="Name of the community, for formats that do not tell.")
@json_option
@click.option("--quiet", is_flag=True, help="No progress, no tables.")
def rate(
    *,
    paths: tuple[Path, ...],
    charter_path: Path | None,
    store: Place,
    report: Path | None,
    findings: Path | None,
    format_: str | None,
    time_zone: str,
    date_order: DateOrder | None,
    community: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Rate a chat: read exports, find what breaks the charter, keep the ledger, and show everybody's standing.

    PATHS are files or folders: IRC logs, Telegram, Discord, WhatsApp, Slack and Matrix exports, or NDJSON, plain, gzip
    or zstd. The format is seen from the content.
    """
    started = time.monotonic()
    charter, path = the_charter(charter_path, paths[0])
    options = Options(community=community, time_zone=_zone(time_zone), date_order=date_order, format=format_)
    file = store if isinstance(store, Path) else None
    inputs = Inputs(paths, read(paths, options, lines=True), own=(path, file, report, findings))
    if file is not None:
        make_folder(file)
    with open_store(store, durable=False) as ledger:
        engine = Engine(charter, seed=int.from_bytes(ledger.event_key[:8], "big"))
        run = ledger.start_run(charter.digest(), now())
        with (
            progress(total_bytes(paths), quiet=quiet or as_json) as step,
            FindingsFile.open(findings, engine) as found,
        ):
            source = (run, ", ".join(map(clean, paths)))
            rating = Rating(engine, ledger, source=source, on_findings=None if found is None else found.write)
            summary = rating.run(inputs, step)
        ledger.finish_run(run, now())
        book = Book(ledger, charter, communities=summary.communities.values(), not_after=today(charter))
        if report is not None:
            make_folder(report)
            # The default charter is nobody's own: the community goes by the name that the export gives it.
            names = list(summary.communities)
            name = names[0] if path == DEFAULT_CHARTER and len(names) == 1 else charter.community
            write_report(fill(book, summary, charter_name=clean(path.name), community=clean(name)), report)
        outcome = Outcome(book, engine, summary, time.monotonic() - started)
        if as_json:
            print_json(for_machines(outcome, inputs.beside, store=store, report=report))
        elif not quiet:
            for_people(outcome, path, rating.anew)
    if not as_json:
        tell_left_out(summary, inputs.beside)
        if report is not None and not quiet:
            click.echo(f"The report: {printable(str(report.resolve()))}")
    if left_out := status(summary, inputs):
        raise SystemExit(left_out)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.BadParameter(f"there is no time zone {name!r}; expected a name such as Europe/Vienna") from None
