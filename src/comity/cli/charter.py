"""``comity charter``: write, check and compare charters."""

from datetime import timedelta
from pathlib import Path

import click

from comity.adapters.exports import Options, read, total_bytes
from comity.charter_file import load_charter
from comity.cli.common import DEFAULT_CHARTER, json_option, points, print_json, printable, progress, table
from comity.compare import Difference, compare
from comity.core.charter import BY_A_PERSON
from comity.core.rights import Band
from comity.engine import Engine
from comity.stores.sqlite import SqliteStore
from comity.web.fill import fill
from comity.web.report import write_report
from comity.web.report_data import Comparison, ComparisonRow

_SHOWN = 20


@click.group()
def charter() -> None:
    """Write, check and compare charters."""


@charter.command(
    epilog="""\b
Example:
  comity charter init garden.toml --community "Tea garden" """
)
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default=Path("charter.toml"))
@click.option("--community", help="Its name.")
def init(path: Path, community: str | None) -> None:
    """Write a charter to begin with, in plain words. It never overwrites one."""
    text = DEFAULT_CHARTER.read_text("utf-8")
    if community is not None:
        quoted = community.replace("\\", "\\\\").replace('"', '\\"')
        if not quoted.isprintable():
            raise click.BadParameter("the community's name has control characters in it")
        text = text.replace('community = "Our community"', f'community = "{quoted}"')
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(f"{path} exists already; name another file, or remove it first") from None
    except OSError as e:
        raise click.UsageError(f"{path} cannot be written: {e.strerror}") from e
    click.echo(f"{path} is written. Change what you like, then: comity charter check {path}")


@charter.command(
    epilog="""\b
Example:
  comity charter check garden.toml

Exit status: 0 if the charter can be adopted, 1 if not: then each mistake stands there with file, line and column."""
)
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def check(path: Path, as_json: bool) -> None:
    """Check a charter: words, types, bounds, and what no charter can do."""
    found = load_charter(path)
    engine = Engine(found)
    if as_json:
        clauses = [{"id": c.id, "rule": c.rule, "harm": c.harm, "state": str(c.state)} for c in found.clauses]
        print_json({"digest": found.digest(), "clauses": clauses, "slow_patterns": engine.slow_patterns})
        return
    states = ", ".join(
        f"{n} {state}" for state in ("live", "shadow", "draft") if (n := sum(c.state == state for c in found.clauses))
    )
    hours = found.longest // timedelta(hours=1)
    click.echo(f"{path}: {len(found.clauses)} clauses ({states}); automatic measures last {hours} hours at most.")
    for clause in found.clauses:
        if by_hand := [m for m in clause.measures if m in BY_A_PERSON]:
            click.echo(f"Clause {clause.id}: {', '.join(by_hand)} only ever by a person.")
    for pattern in engine.slow_patterns:
        click.echo(f"Slow: the pattern {pattern!r} is looked for message by message.")
    click.echo(f"Digest: {found.digest()}")


@charter.command(
    "compare",
    epilog="""\b
Example:
  comity charter compare charter.toml draft.toml logs/ --report compare.html""",
)
@click.argument("old", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("new", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the report with the comparison.")
@json_option
def compare_(old: Path, new: Path, logs: tuple[Path, ...], report: Path | None, as_json: bool) -> None:
    """Rate LOGS by the charters OLD and NEW, and show who would be treated differently, and why. Nothing is kept."""
    before, after = load_charter(old), load_charter(new)
    chunks = read(list(logs), Options())
    with (
        progress(total_bytes(list(logs)), quiet=as_json) as step,
        compare(
            before, after, chunks, open_store=lambda path: SqliteStore.open(path, durable=False), progress=step
        ) as (differences, summary, book),
    ):
        comparison = _told(old, new, differences)
        if report is not None:
            made = fill(book, summary, charter_name=new.name, comparison=comparison, title=f"{old.name} and {new.name}")
            write_report(made, report)
    if as_json:
        print_json(
            {"events": summary.events, "summary": comparison.summary, "members": [_json(d) for d in differences]}
        )
        return
    for sentence in comparison.summary:
        click.echo(sentence)
    rows = [
        [
            printable(d.name),
            f"{points(d.old.lowest)} → {points(d.new.lowest)}",
            f"{_name(d.old.band)} → {_name(d.new.band)}",
            "; ".join(d.why),
        ]
        for d in differences[:_SHOWN]
    ]
    if rows:
        table("Who would be treated differently", ["member", "lowest standing", "band then", "why"], rows)
    if len(differences) > _SHOWN:
        click.echo(f"{len(differences) - _SHOWN:,} more: use --json or --report to see all.")
    if report is not None:
        click.echo(f"The report: {report.resolve()}")


def _told(old: Path, new: Path, differences: list[Difference]) -> Comparison:
    losing = sum(bool(d.losses) for d in differences)
    gaining = sum(bool(d.gains) for d in differences)
    summary = [f"{len(differences):,} members would be treated differently under {new.name} than under {old.name}."]
    if differences:
        summary.append(f"{losing:,} would have lost a right that they kept, and {gaining:,} kept one that they lost.")
    rows = [
        ComparisonRow(
            pseudonym=d.pseudonym,
            name=d.name,
            old_standing=d.old.lowest,
            new_standing=d.new.lowest,
            old_band=d.old.band.name.lower(),  # type: ignore[arg-type]  # one of the words
            new_band=d.new.band.name.lower(),  # type: ignore[arg-type]  # one of the words
            gains=[str(r) for r in d.gains],
            losses=[str(r) for r in d.losses],
            why=list(d.why),
        )
        for d in differences
    ]
    return Comparison(old.name, new.name, rows, summary)


def _json(d: Difference) -> dict[str, object]:
    return {
        "name": d.name,
        "old": {"lowest": d.old.lowest, "band": d.old.band.name.lower(), "findings": dict(d.old.found)},
        "new": {"lowest": d.new.lowest, "band": d.new.band.name.lower(), "findings": dict(d.new.found)},
        "gains": [str(r) for r in d.gains],
        "losses": [str(r) for r in d.losses],
        "why": list(d.why),
    }


def _name(band: Band) -> str:
    return band.name.lower().replace("_", " ")
