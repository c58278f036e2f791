"""``comity rate``: the main job."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from comity.adapters.exports import Options, formats, read, total_bytes
from comity.book import Book
from comity.cli.common import (
    charter_option,
    json_option,
    points,
    print_json,
    printable,
    progress,
    store_option,
    table,
    the_charter,
)
from comity.cli.findings_file import FindingsFile
from comity.core.event import Unread
from comity.core.harm import HARMS
from comity.core.standing import date_of
from comity.engine import Engine
from comity.replay import Rating, Summary
from comity.stores.contract import SourceRow
from comity.stores.sqlite import SqliteStore
from comity.web.fill import fill
from comity.web.report import write_report

_SHOWN = 10


@click.command(
    epilog="""\b
Examples:
  comity rate logs/                              all files of a folder, whatever their format
  comity rate result.json --report report.html   a Telegram export, with a report to look at
  comity rate '#garden.log' --time-zone Europe/Vienna --charter garden.toml
  comity rate export.zip --json > summary.json   for machines

A log that has grown can be rated again: what was counted is not counted twice.
Exit status: 0, or 2 if something could not be read (it is named, and the rest was rated), or 1."""
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@charter_option
@store_option
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the report (one HTML file).")
@click.option(
    "--findings", type=click.Path(path_type=Path, dir_okay=False), help="Write this run's findings as NDJSON."
)
@click.option("--format", "format_", type=click.Choice(sorted(formats())), help="Read as this format.")
@click.option("--time-zone", default="UTC", show_default=True, help="Of the clock in logs that do not tell.")
@click.option("--date-order", type=click.Choice(["dmy", "mdy", "ymd"]), help="Of dates in WhatsApp texts.")
@click.option("--community", help="Name of the community, for formats that do not tell.")
@json_option
@click.option("--quiet", is_flag=True, help="No progress, no tables.")
def rate(
    paths: tuple[Path, ...],
    charter_path: Path | None,
    store: Path,
    report: Path | None,
    findings: Path | None,
    format_: str | None,
    time_zone: str,
    date_order: str | None,
    community: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Rate a chat: read exports, find what breaks the charter, keep the ledger, and show everybody's standing.

    PATHS are files or folders: IRC logs, Telegram, Discord, WhatsApp, Slack and Matrix exports, NDJSON, plain, gzip or
    zstd. The format is seen from the content.
    """
    started = time.monotonic()
    charter, path = the_charter(charter_path, paths[0])
    options = Options(community=community, time_zone=_zone(time_zone), date_order=date_order, format=format_)  # type: ignore[arg-type]  # click holds it to the choices
    chunks = read(list(paths), options)
    store.parent.mkdir(parents=True, exist_ok=True)
    with SqliteStore.open(store, durable=False) as ledger, FindingsFile.open(findings) as file:
        engine = Engine(charter, seed=int.from_bytes(ledger.event_key[:8], "big"))
        if file is not None:
            file.use(engine)
        rating = Rating(engine, ledger, on_findings=None if file is None else file.write)
        run = ledger.start_run(charter.digest(), _now())
        with progress(total_bytes(list(paths)), quiet=quiet or as_json) as step:
            summary = rating.run(chunks, step)
        ledger.save_source(
            run,
            SourceRow(", ".join(map(str, paths)), 0, summary.events, sum(summary.findings.values()), summary.unread),
        )
        ledger.finish_run(run, _now())
        book = Book(ledger, charter)
        if report is not None:
            report.parent.mkdir(parents=True, exist_ok=True)
            write_report(fill(book, summary, charter_name=path.name), report)
        seconds = time.monotonic() - started
        if as_json:
            print_json(_for_machines(book, engine, summary, seconds, store, report))
        elif not quiet:
            _for_people(book, engine, summary, seconds, path)
    if not as_json:
        _tell_unread(summary.named, summary.unread)
        if report is not None:
            click.echo(f"The report: {report.resolve()}")
    if summary.unread:
        raise SystemExit(2)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.BadParameter(f"there is no time zone {name!r}; expected a name such as Europe/Vienna") from None


def _now() -> int:
    return round(datetime.now(UTC).timestamp() * 1000)


def _for_machines(
    book: Book, engine: Engine, summary: Summary, seconds: float, store: Path, report: Path | None
) -> dict[str, object]:
    by_rule: dict[str, int] = {}
    by_clause = {}
    for number, count in sorted(summary.findings.items()):
        clause = engine.clauses[number]
        by_clause[clause.id] = count
        by_rule[clause.rule or clause.id] = by_rule.get(clause.rule or clause.id, 0) + count
    counts = book.store.counts()
    head = book.store.head()
    return {
        "events": summary.events,
        "messages": summary.messages,
        "known_before": summary.twice,
        "members": counts.members,
        "rooms": counts.rooms,
        "findings": by_rule,
        "findings_by_clause": by_clause,
        "entries": counts.entries,
        "head": {"number": head.number, "seal": head.seal.hex()},
        "bands": _bands(book),
        "unread_lines": summary.unread,
        "unread": [{"path": u.path, "line": u.line, "what": u.what, "expected": u.expected} for u in summary.named],
        "slow_patterns": engine.slow_patterns,
        "first": None if summary.first is None else _iso(summary.first),
        "last": None if summary.last is None else _iso(summary.last),
        "charter": engine.charter.digest(),
        "store": str(store),
        "report": None if report is None else str(report),
        "seconds": round(seconds, 3),
    }


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat().replace("+00:00", "Z")


def _bands(book: Book) -> dict[str, int]:
    named: dict[str, int] = {}
    for member in book.with_findings.tolist():
        band = book.band(member).name.lower()
        named[band] = named.get(band, 0) + 1
    return dict(sorted(named.items()))


def _for_people(book: Book, engine: Engine, summary: Summary, seconds: float, charter: Path) -> None:
    counts = book.store.counts()
    again = f", {summary.twice:,} known from before" if summary.twice else ""
    click.echo(
        f"{summary.events:,} events ({summary.messages:,} messages{again}), {counts.members:,} members in the ledger, "
        f"by {charter.name}, in {seconds:.1f} s ({summary.events / max(seconds, 1e-9):,.0f} events/s)."
    )
    if summary.first is not None and summary.last is not None:
        first, last = (datetime.fromtimestamp(t / 1000, UTC).date() for t in (summary.first, summary.last))
        click.echo(f"From {first} to {last}.")
    rows = [
        [c.id, c.rule or "own", HARMS[c.harm].title, c.severity.name.lower(), _state(c.counts, str(c.state)), f"{n:,}"]
        for c, n in ((engine.clauses[k], v) for k, v in sorted(summary.findings.items()))
    ]
    if rows:
        table("What was found", ["clause", "rule", "harm", "severity", "state", "findings"], rows, right=(5,))
    else:
        click.echo("Nothing was found.")
    lowest = _lowest(book)
    if lowest:
        columns = ["member", "lowest", "on", "now", "90 % interval", "band", "findings"]
        table("Whose standing fell lowest", columns, lowest, right=(1, 3, 6))
        click.echo("Why: comity explain MEMBER")
    for pattern in engine.slow_patterns:
        click.echo(f"Slow: the pattern {pattern!r} is looked for message by message.", err=True)


def _state(counts: bool, state: str) -> str:
    return state if counts or state != "live" else "review"


def _lowest(book: Book) -> list[list[str]]:
    rows = []
    for member, (least, day) in sorted(book.lowest.items(), key=lambda m: (m[1], m[0]))[:_SHOWN]:
        row = book.store.member(member)
        now = book.explain(member).standing
        low, high = now.interval()
        name = "" if row is None else printable(row.name or row.account or row.pseudonym)
        found = f"{int((book.findings.member == member).sum()):,}"
        interval = f"{points(low)} to {points(high)}"
        rows.append([name, points(least), str(date_of(day)), points(now.points), interval, _band(book, member), found])
    return rows


def _band(book: Book, member: int) -> str:
    return book.band(member).name.lower().replace("_", " ")


def _tell_unread(named: Sequence[Unread], total: int) -> None:
    for unread in named[:_SHOWN]:
        where = f"{unread.path}:{unread.line}" if unread.line else unread.path
        click.echo(f"not read: {where}: {printable(unread.what)}; expected {unread.expected}", err=True)
    if total > _SHOWN:
        click.echo(f"not read: {total - min(_SHOWN, len(named)):,} more", err=True)
