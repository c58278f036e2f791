"""``comity explain``: what a member's standing is made of."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from comity.book import Book
from comity.cli.common import (
    charter_option,
    json_option,
    points,
    print_json,
    printable,
    signed,
    store_option,
    table,
    the_charter,
)
from comity.core.explanation import Line, grouped
from comity.core.rights import Right, missing, rights
from comity.core.standing import date_of
from comity.stores.contract import FindingRow, MemberRow
from comity.stores.sqlite import SqliteStore

_EPOCH = date(1970, 1, 1)


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
    member: str,
    store: Path,
    charter_path: Path | None,
    on: Any,  # noqa: ANN401  click gives a datetime or None
    days: bool,
    as_json: bool,
) -> None:
    """Say what MEMBER's standing is made of: the lines add up exactly. MEMBER is an account, a name or a pseudonym."""
    if not store.exists():
        raise click.UsageError(f"there is no ledger at {store}; rate a chat first, or name it with --store")
    charter, _ = the_charter(charter_path, store)
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        row = _find(ledger, member)
        book = Book(ledger, charter)
        day = book.today if on is None else (on.date() - _EPOCH).days
        told = book.explain(row.number, day)
        entries = {f.number: f for f in ledger.findings(row.number)}
        clauses = ledger.clause_rows()
    now = told.standing
    low, high = now.interval()
    band = book.band(row.number)
    held = sorted(str(r) for r in rights(band, newcomer=now.newcomer))
    lacking = [
        m.sentence()
        for right in Right
        if (m := missing(right, band, now, book.activity_of(row.number), book.counted_of(row.number))) is not None
    ]
    lines = told.lines if days else grouped(told.lines)
    if as_json:
        print_json(
            {
                "pseudonym": row.pseudonym,
                "name": row.name,
                "day": date_of(day).isoformat(),
                "standing": now.points,
                "interval": [low, high],
                "band": band.name.lower(),
                "newcomer": now.newcomer,
                "rights": held,
                "missing": lacking,
                "start": told.start,
                "denominator": str(told.denominator),
                "lines": [_line_json(line, entries) for line in told.lines],
                "unit": "thousandths of a point; numerators over the denominator are points, exactly",
            }
        )
        return
    shown = printable(row.name or row.account or row.pseudonym)
    newcomer = ", newcomer" if now.newcomer else ""
    named = band.name.lower().replace("_", " ") + newcomer
    click.echo(
        f"{shown} ({row.pseudonym[:8]}) on {date_of(day)}: standing {points(now.points)}, "
        f"90 % interval {points(low)} to {points(high)}, {named}."
    )
    ids, names = [c.id for c in clauses], [c.rule for c in clauses]
    rows = [["start", "", "", signed(told.start), ""]]
    rows += [_row(line, entries, ids, names) for line in lines]
    rows.append(["standing", "", "", signed(now.points), ""])
    table("What it is made of", ["", "what", "evidence", "points", "without it"], rows, right=(3, 4))
    shadow = [f for f in entries.values() if f.reversed_by is None and clauses[f.clause - 1].state != "live"]
    if shadow:
        click.echo(f"{len(shadow)} more findings of shadow clauses do not count.")
    taken = [f for f in entries.values() if f.reversed_by is not None]
    if taken:
        click.echo("Taken back, and without a trace: " + ", ".join(f"entry {f.number}" for f in taken))
    click.echo(f"May: {', '.join(held) or 'nothing'}.")
    for sentence in lacking:
        click.echo(sentence)


def _find(ledger: SqliteStore, text: str) -> MemberRow:
    found = ledger.members_named(text)
    exact = [m for m in found if text in (m.account, m.name, m.pseudonym)]
    if len(exact) == 1:
        return exact[0]
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.BadParameter(f"there is no member {text!r}; expected an account, a name or a pseudonym")
    some = ", ".join(f"{printable(m.name or m.account or '?')} ({m.pseudonym[:8]})" for m in (exact or found)[:8])
    raise click.BadParameter(f"{len(exact or found)} members are named so: {some}; name one by its pseudonym")


def _row(line: Line, entries: dict[int, FindingRow], ids: list[str], names: list[str]) -> list[str]:
    if line.kind == "finding" and line.entry is not None:
        entry = entries[line.entry]
        clause = entry.clause - 1
        what = f"clause {ids[clause]}, {names[clause] or 'own rule'}" + (f"; {line.why}" if line.why else "")
        without = "" if line.without is None else points(line.without)
        day = "" if line.day is None else str(date_of(line.day))
        return [f"entry {entry.number}", f"{day} {what}", printable(entry.excerpt)[:60], signed(line.shown), without]
    if line.kind == "activity":
        label = f"{line.days} active days" if line.day is None else str(date_of(line.day))
        return ["history", f"{label}, {line.messages:,} messages", "", signed(line.shown), ""]
    words = {"cap": "history counts to a limit", "floor": "standing is never below 0"}
    return [line.kind, words[line.kind], "", signed(line.shown), ""]


def _line_json(line: Line, entries: dict[int, FindingRow]) -> dict[str, object]:
    out: dict[str, object] = {"kind": line.kind, "numerator": str(line.numerator), "points": line.shown}
    if line.day is not None:
        out["day"] = date_of(line.day).isoformat()
    if line.kind == "activity":
        out |= {"days": line.days, "messages": line.messages}
    if line.entry is not None:
        entry = entries[line.entry]
        out |= {"entry": entry.number, "event": entry.event, "excerpt": entry.excerpt, "figures": entry.figures}
        out |= {
            "severity": line.severity.name.lower() if line.severity else None,
            "why": line.why,
            "without": line.without,
        }
    if line.forgotten is not None:
        out["forgotten"] = date_of(line.forgotten).isoformat()
    return out
