"""``comity charter compare``: who would be treated differently by another charter, before anybody is."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click
import msgspec

from comity.adapters.exports import Options, read, total_bytes
from comity.charter_file import load_charter
from comity.cli.common import Step, json_option, make_folder, progress, store_option, today, told_in_json
from comity.cli.compare_record import Asked, prepared
from comity.cli.compared import for_machines, for_people, told
from comity.cli.inputs import Inputs, clean, status, tell_left_out, unread_json
from comity.cli.printing import print_json, printable
from comity.cli.record_options import folder_option, key_option, settings_option, where
from comity.compare import compare as compared
from comity.core.charter import Charter
from comity.core.place import Place
from comity.stores.sqlite import SqliteStore
from comity.web.fill import fill
from comity.web.report import write_report


@click.command(
    epilog="""\b
Examples:
  comity charter compare charter.toml draft.toml logs/ --report compare.html
  comity charter compare charter.toml draft.toml --record --settings comity.toml

\b
Over the record it works on all cores. Stopped, it goes on where it was when it is run again: finished weeks are kept
beside the ledger for a week, locked by the record's key, without anything that was said.
Exit status: 0; 2 if something could not be read (it is named, and the rest was compared); 1 for any other error;
130 if it was stopped."""
)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.argument("logs", nargs=-1, type=click.Path(path_type=Path))
@click.option("--report", type=click.Path(path_type=Path), help="Write the report with the comparison.")
@click.option(
    "--beside",
    type=click.Path(path_type=Path),
    help="The file beside which both charters' lists are looked for, instead of each beside its own.",
)
@click.option("--steps", is_flag=True, help="Write how far it is as lines of JSON to standard error.")
@click.option("--record", is_flag=True, help="Compare over the record instead of logs.")
@store_option
@folder_option
@key_option
@settings_option
@click.option("--community", help="Whose record; needed where there are several.")
@click.option("--days", type=click.IntRange(1), help="Only the weeks of so many last days; without it, all.")
@click.option(
    "--workers", type=click.IntRange(0), default=0, help="Processes; as many as there are cores if not given."
)
@click.option("--finished", type=click.Path(path_type=Path), help="Keep finished weeks in this folder.")
@json_option
def compare(
    *,
    old: Path,
    new: Path,
    logs: tuple[Path, ...],
    report: Path | None,
    beside: Path | None,
    steps: bool,
    record: bool,
    as_json: bool,
    store: Place,
    folder: str | None,
    key_at: str | None,
    settings_path: Path | None,
    **asked: Any,  # noqa: ANN401  as ``Asked`` has it
) -> None:
    """Rate LOGS, or the record, by the charters OLD and NEW, and show who would be treated differently, and why."""
    if record == bool(logs):
        raise click.UsageError("name LOGS to compare over, or --record")
    before, after = (load_charter(path, beside) for path in (old, new))
    names = clean(old.name), clean(new.name)
    if not record:
        _over_logs(before, after, names, logs, own=(old, new, report), report=report, steps=steps, as_json=as_json)
        return
    if report is not None:
        raise click.UsageError("the report shows what was said: over the record, it cannot be written")
    with prepared(Asked(where=where(settings_path, store, folder, key_at), **asked)) as comparison:
        with _telling(comparison.total, steps=steps, as_json=as_json) as step:
            differences, events = comparison.compare(before, after, step)
        judged, told_ = comparison.judged(before, after), told(*names, differences)
    if as_json:
        rest = {"unread_lines": 0, "unread": []}
        print_json({"events": events, "summary": told_.summary, **for_machines(differences, judged), **rest})
    else:
        for_people(told_, differences, judged)


def _over_logs(
    before: Charter,
    after: Charter,
    names: tuple[str, str],
    logs: tuple[Path, ...],
    *,
    own: tuple[Path | None, ...],
    report: Path | None,
    steps: bool,
    as_json: bool,
) -> None:
    inputs = Inputs(logs, read(logs, Options(), lines=True), own=own)
    with (
        _telling(total_bytes(logs), steps=steps, as_json=as_json) as step,
        compared(
            before,
            after,
            inputs,
            open_store=lambda path: SqliteStore.open(path, durable=False),
            progress=step,
            not_after=today(after),
        ) as (differences, summary, book),
    ):
        comparison = told(*names, differences)
        if report is not None:
            make_folder(report)
            title = f"{comparison.old_name} and {comparison.new_name}"
            # The page itself says how many there are, and of which charters.
            shown = msgspec.structs.replace(comparison, summary=comparison.summary[1:])
            write_report(fill(book, summary, charter_name=names[1], comparison=shown, title=title), report)
    if as_json:
        unread = {"unread_lines": summary.unread, "unread": unread_json(summary.named)}
        print_json({"events": summary.events, "summary": comparison.summary, **for_machines(differences, {}), **unread})
    else:
        for_people(comparison, differences, {})
        tell_left_out(summary, inputs.beside)
        if report is not None:
            click.echo(f"The report: {printable(str(report.resolve()))}")
    if left_out := status(summary, inputs):
        raise SystemExit(left_out)


def _telling(total: int, *, steps: bool, as_json: bool) -> AbstractContextManager[Step]:
    return told_in_json(total) if steps else progress(total, quiet=as_json)
