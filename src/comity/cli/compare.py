"""``comity charter compare``: who would be treated differently by another charter, before anybody is."""

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from comity.adapters.exports import Options, read, total_bytes
from comity.charter_file import load_charter
from comity.cli.common import json_option, make_folder, progress, today, told_in_json
from comity.cli.inputs import Inputs, clean, status, tell_left_out, unread_json
from comity.cli.printing import counted, points, print_json, printable, table
from comity.compare import Difference, Treatment
from comity.compare import compare as compared
from comity.stores.sqlite import SqliteStore
from comity.web.curves import band_name
from comity.web.fill import fill
from comity.web.report import write_report
from comity.web.report_data import Comparison, ComparisonRow

_SHOWN = 20


@click.command(
    epilog="""\b
Example:
  comity charter compare charter.toml draft.toml logs/ --report compare.html

\b
Exit status: 0; 2 if something could not be read (it is named, and the rest was compared); 1 for any other error."""
)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--report", type=click.Path(path_type=Path), help="Write the report with the comparison.")
@click.option(
    "--beside",
    type=click.Path(path_type=Path),
    help="The file beside which both charters' lists are looked for, instead of each beside its own.",
)
@click.option("--steps", is_flag=True, help="Write how far it is as lines of JSON to standard error.")
@json_option
def compare(
    *,
    old: Path,
    new: Path,
    logs: tuple[Path, ...],
    report: Path | None,
    beside: Path | None,
    steps: bool,
    as_json: bool,
) -> None:
    """Rate LOGS by the charters OLD and NEW, and show who would be treated differently, and why. Nothing is kept."""
    before, after = (load_charter(path, beside) for path in (old, new))
    inputs = Inputs(logs, read(logs, Options(), lines=True), own=(old, new, report))
    total = total_bytes(logs)
    with (
        told_in_json(total) if steps else progress(total, quiet=as_json) as step,
        compared(
            before,
            after,
            inputs,
            open_store=lambda path: SqliteStore.open(path, durable=False),
            progress=step,
            not_after=today(after),
        ) as (differences, summary, book),
    ):
        comparison = _told(clean(old.name), clean(new.name), differences)
        if report is not None:
            make_folder(report)
            title = f"{comparison.old_name} and {comparison.new_name}"
            # The page itself says how many there are, and of which charters.
            shown = msgspec.structs.replace(comparison, summary=comparison.summary[1:])
            write_report(fill(book, summary, charter_name=clean(new.name), comparison=shown, title=title), report)
    if as_json:
        rows = [_json(d) for d in differences]
        unread = {"unread_lines": summary.unread, "unread": unread_json(summary.named)}
        print_json({"events": summary.events, "summary": comparison.summary, "members": rows, **unread})
    else:
        _for_people(comparison, differences)
        tell_left_out(summary, inputs.beside)
        if report is not None:
            click.echo(f"The report: {printable(str(report.resolve()))}")
    if left_out := status(summary, inputs):
        raise SystemExit(left_out)


def _told(old: str, new: str, differences: list[Difference]) -> Comparison:
    losing = sum(bool(d.losses) for d in differences)
    gaining = sum(bool(d.gains) for d in differences)
    who = counted(len(differences), "member") if differences else "No member"
    summary = [f"{who} would be treated differently under {new} than under {old}."]
    if losing or gaining:
        summary.append(
            f"{losing:,} would have lost a right that they kept; {gaining:,} would have kept one that they lost."
        )
    elif differences:
        summary.append("Nobody would have lost or kept a right because of it.")
    rows = [
        ComparisonRow(
            pseudonym=d.pseudonym,
            name=d.name,
            old_standing=d.old.lowest,
            new_standing=d.new.lowest,
            old_band=band_name(d.old.band, newcomer=False),
            new_band=band_name(d.new.band, newcomer=False),
            gains=[str(r) for r in d.gains],
            losses=[str(r) for r in d.losses],
            why=list(d.why),
        )
        for d in differences
    ]
    return Comparison(old, new, rows, summary)


def _json(d: Difference) -> dict[str, object]:
    return {
        "name": d.name,
        "pseudonym": d.pseudonym,
        "old": _treatment(d.old),
        "new": _treatment(d.new),
        "gains": [str(r) for r in d.gains],
        "losses": [str(r) for r in d.losses],
        "why": list(d.why),
    }


def _treatment(treatment: Treatment) -> dict[str, object]:
    return {"lowest": treatment.lowest, "band": treatment.band.name.lower(), "findings": dict(treatment.found)}


def _for_people(comparison: Comparison, differences: Sequence[Difference]) -> None:
    for sentence in comparison.summary:
        click.echo(printable(sentence))
    rows = [
        [
            printable(d.name),
            f"{points(d.old.lowest)} → {points(d.new.lowest)}",
            f"{_band(d.old)} → {_band(d.new)}",
            "; ".join(map(printable, d.why)),
        ]
        for d in differences[:_SHOWN]
    ]
    if rows:
        table("Who would be treated differently", ["member", "lowest standing", "band then", "why"], rows)
    if len(differences) > _SHOWN:
        click.echo(f"{len(differences) - _SHOWN:,} more: use --json or --report to see all.")


def _band(treatment: Treatment) -> str:
    return treatment.band.name.lower().replace("_", " ")
