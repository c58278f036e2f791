"""``comity explain``: what a member's standing is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from comity.book import Book
from comity.cli.common import EPOCH, charter_option, json_option, store_option, the_charter, the_ledger, today
from comity.cli.printing import counted, points, print_json, printable, signed, table
from comity.core.charter import Charter
from comity.core.explanation import Explanation, Line, grouped
from comity.core.ledger import ClauseRow
from comity.core.place import Place
from comity.core.rights import Band, Right, missing, rights
from comity.core.standing import date_of
from comity.stores.contract import FindingRow, MemberRow, Store
from comity.stores.opening import open_store

_MOST_MEMBERS = 1_000_000  # looked through for one of exactly this name
_EVIDENCE = 60  # characters of an excerpt in a table


@click.command(
    epilog="""\b
Examples:
  comity explain ana
  comity explain ana --days                 every active day as a line of its own
  comity explain ana --on 2026-06-01        as it would be on that day if nothing new happens
  comity explain ana --json"""
)
@click.argument("member")
@store_option
@charter_option
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day; without it, the last day of the log.")
@click.option("--days", is_flag=True, help="Show every active day.")
@json_option
def explain(
    *, member: str, store: Place, charter_path: Path | None, on: datetime | None, days: bool, as_json: bool
) -> None:
    """Say what MEMBER's standing is made of: the lines add up exactly. MEMBER is an account, a name or a pseudonym."""
    the_ledger(store)
    charter, _ = the_charter(charter_path, store if isinstance(store, Path) else None)
    with open_store(store, durable=False, read_only=True) as ledger:
        told = _told(ledger, charter, _find(ledger, member), None if on is None else (on.date() - EPOCH).days)
        if (runs := ledger.runs()) and runs[-1].charter != charter.digest():
            click.echo("note: the last rating was by another charter than this one; name it with --charter", err=True)
    if as_json:
        print_json(_for_machines(told))
    else:
        _for_people(told, days=days)


@dataclass(frozen=True, slots=True)
class _Told:
    """Everything there is to say of a member on a day."""

    row: MemberRow
    day: int
    standing: Explanation
    band: Band
    held: list[str]
    lacking: list[str]
    entries: dict[int, FindingRow]
    clauses: Sequence[ClauseRow]


def _told(ledger: Store, charter: Charter, row: MemberRow, on: int | None) -> _Told:
    book = Book(ledger, charter, communities=[row.community], not_after=today(charter))
    day = book.today if on is None else on
    explained, band = book.explain(row.number, day), book.band(row.number, day)
    now, (activity, findings) = explained.standing, book.remembered(row.number, day)
    lacking = [m.sentence() for r in Right if (m := missing(r, band, now, activity, findings)) is not None]
    held = sorted(str(r) for r in rights(band, newcomer=now.newcomer))
    entries = {f.number: f for f in ledger.findings(row.number)}
    return _Told(row, day, explained, band, held, lacking, entries, book.clauses)


def _find(ledger: Store, text: str) -> MemberRow:
    found = ledger.members_named(text, most=_MOST_MEMBERS)
    exact = [m for m in found if text in (m.account, m.name, m.pseudonym)]
    if len(exact) == 1:
        return exact[0]
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.UsageError(f"there is no member {printable(text)!r}; expected an account, a name or a pseudonym")
    several = exact or found
    some = ", ".join(f"{printable(m.name or m.account or '?')} ({m.pseudonym[:8]})" for m in several[:8])
    more = f" and {len(several) - 8:,} more" if len(several) > 8 else ""  # noqa: PLR2004  as many as are shown
    raise click.UsageError(f"{len(several):,} members are named so: {some}{more}; name one by its pseudonym")


def _for_machines(told: _Told) -> dict[str, object]:
    now = told.standing.standing
    return {
        "pseudonym": told.row.pseudonym,
        "name": told.row.name,
        "day": date_of(told.day).isoformat(),
        "standing": now.points,
        "interval": list(now.interval()),
        "band": told.band.name.lower(),
        "newcomer": now.newcomer,
        "rights": told.held,
        "missing": told.lacking,
        "start": told.standing.start,
        "denominator": str(told.standing.denominator),
        "lines": [_line(line, told) for line in told.standing.lines],
        "unit": "thousandths of a point; numerators over the denominator are points, exactly",
    }


def _line(line: Line, told: _Told) -> dict[str, object]:
    out: dict[str, object] = {"kind": line.kind, "numerator": str(line.numerator), "points": line.shown}
    if line.day is not None:
        out["day"] = date_of(line.day).isoformat()
    if line.kind == "activity":
        out |= {"days": line.days, "messages": line.messages}
    if line.entry is not None:
        entry = told.entries[line.entry]
        clause = told.clauses[entry.clause - 1]
        out |= {"entry": entry.number, "event": entry.event, "excerpt": entry.excerpt, "figures": entry.figures}
        out |= {"clause": clause.id, "rule": clause.rule, "why": line.why, "without": line.without}
        out["severity"] = None if line.severity is None else line.severity.name.lower()
    if line.forgotten is not None:
        out["forgotten"] = date_of(line.forgotten).isoformat()
    return out


def _for_people(told: _Told, *, days: bool) -> None:
    now, row = told.standing.standing, told.row
    low, high = now.interval()
    band = told.band.name.lower().replace("_", " ") + (", newcomer" if now.newcomer else "")
    click.echo(
        f"{printable(row.name or row.account or row.pseudonym)} ({row.pseudonym[:8]}) on {date_of(told.day)}: "
        f"standing {points(now.points)}, 90 % interval {points(low)} to {points(high)}, {band}."
    )
    lines = told.standing.lines if days else grouped(told.standing.lines)
    rows = [
        ["start", "", "", signed(told.standing.start), ""],
        *(_row(line, told) for line in lines),
        ["standing", "", "", signed(now.points), ""],
    ]
    table("What it is made of", ["", "what", "evidence", "points", "without it"], rows, right=(3, 4))
    in_force = [f for f in told.entries.values() if f.reversed_by is None]
    if shadow := [f for f in in_force if told.clauses[f.clause - 1].state != "live"]:
        click.echo(f"{counted(len(shadow), 'finding')} of shadow clauses or for review: not counted.")
    if taken := [f"entry {f.number}" for f in told.entries.values() if f.reversed_by is not None]:
        click.echo(f"Taken back, and without a trace: {', '.join(taken)}.")
    click.echo(f"May: {', '.join(told.held) or 'nothing'}.")
    for sentence in told.lacking:
        click.echo(sentence)


def _row(line: Line, told: _Told) -> list[str]:
    if line.kind == "finding" and line.entry is not None:
        entry = told.entries[line.entry]
        clause = told.clauses[entry.clause - 1]
        what = f"clause {clause.id}, {clause.rule or 'own rule'}" + (f"; {line.why}" if line.why else "")
        without = "" if line.without is None else points(line.without)
        day = "" if line.day is None else str(date_of(line.day))
        evidence = printable(entry.excerpt.strip())[:_EVIDENCE]
        return [f"entry {entry.number}", f"{day} {what}", evidence, signed(line.shown), without]
    if line.kind == "activity":
        label = counted(line.days, "active day") if line.day is None else str(date_of(line.day))
        return ["history", f"{label}, {counted(line.messages, 'message')}", "", signed(line.shown), ""]
    words = {"cap": "history counts to a limit", "floor": "standing is never below 0"}
    return [line.kind, words[line.kind], "", signed(line.shown), ""]
