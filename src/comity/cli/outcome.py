"""What ``comity rate`` says in the end, for machines and for people."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from comity.book import Book
from comity.cli.inputs import clean, unread_json
from comity.cli.printing import counted, points, printable, table
from comity.core.charter import Clause
from comity.core.event import Unread, moment, rfc3339
from comity.core.harm import HARMS
from comity.core.place import Place
from comity.core.standing import date_of
from comity.engine import Engine
from comity.replay import Summary
from comity.stores.opening import named

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run. book: of the communities that the run was about; seconds: that it took."""

    book: Book
    engine: Engine
    summary: Summary
    seconds: float

    @property
    def found(self) -> list[tuple[Clause, int]]:
        """Clauses that found something, and how much."""
        return [(self.engine.clauses[k], n) for k, n in sorted(self.summary.findings.items())]


def for_machines(outcome: Outcome, beside: Sequence[Unread], *, store: Place, report: Path | None) -> dict[str, object]:
    """One object. events, messages and findings are this run's new ones; members, rooms and entries the ledger's."""
    summary, book = outcome.summary, outcome.book
    by_rule: Counter[str] = Counter()
    for clause, count in outcome.found:
        by_rule[clause.rule or clause.id] += count
    counts, head = book.store.counts(), book.store.head()
    return {
        "events": summary.events,
        "messages": summary.messages,
        "known_before": summary.twice,
        "members": counts.members,
        "rooms": counts.rooms,
        "findings": by_rule,
        "findings_by_clause": {clause.id: count for clause, count in outcome.found},
        "entries": counts.entries,
        "head": {"number": head.number, "seal": head.seal.hex()},
        "bands": dict(sorted(Counter(book.band(m).name.lower() for m in book.with_findings.tolist()).items())),
        "unread_lines": summary.unread,
        "unread": unread_json(summary.named),
        "passed_over": [clean(u.path) for u in beside],
        "slow_patterns": outcome.engine.slow_patterns,
        "first": None if summary.first is None else rfc3339(moment(summary.first)),
        "last": None if summary.last is None else rfc3339(moment(summary.last)),
        "today": date_of(book.today).isoformat() if len(book.days) else None,
        "charter": outcome.engine.charter.digest(),
        "store": clean(named(store)),
        "report": None if report is None else clean(report),
        "seconds": round(outcome.seconds, 3),
    }


def for_people(outcome: Outcome, charter: Path, anew: Sequence[str]) -> None:
    """What was read, what was found, and whose standing fell lowest."""
    summary, book = outcome.summary, outcome.book
    speed = summary.events / max(outcome.seconds, 1e-9)
    click.echo(
        f"{counted(summary.events, 'new event')}, {counted(summary.messages, 'message')} among them, "
        f"by {printable(charter.name)} in {outcome.seconds:.1f} s ({speed:,.0f} events/s)."
    )
    if summary.twice:
        click.echo(f"Known from before and not counted again: {counted(summary.twice, 'event')}.")
    if summary.first is not None and summary.last is not None:
        first, last = (moment(t).date() for t in (summary.first, summary.last))
        click.echo(f"From {first} to {last}.")
    counts = book.store.counts()
    click.echo(
        f"The ledger holds {counted(counts.members, 'member')}, {counted(counts.rooms, 'room')} and "
        f"{counted(counts.findings, 'finding')}."
    )
    if anew:
        click.echo("The charter has changed since the last rating: what it counts over time, it counts from here on.")
    if book.later is not None:
        last, today = date_of(book.later), date_of(book.today)
        click.echo(
            f"Some events are dated up to {last}: standing is that of {today}, and they do not count until then."
        )
    _findings(outcome)
    _lowest(book)
    for pattern in outcome.engine.slow_patterns:
        click.echo(f"Slow: the pattern {printable(pattern)!r} is looked for message by message.", err=True)


def _findings(outcome: Outcome) -> None:
    rows = [
        [c.id, c.rule or "own", HARMS[c.harm].title, c.severity.name.lower(), _state(c), f"{n:,}"]
        for c, n in outcome.found
    ]
    if rows:
        table("What was found", ["clause", "rule", "harm", "severity", "state", "findings"], rows, right=(5,))
    else:
        click.echo("Nothing new was found." if outcome.summary.twice else "Nothing was found.")


def _state(clause: Clause) -> str:
    return "review" if clause.state == "live" and not clause.counts else str(clause.state)


def _lowest(book: Book) -> None:
    rows = []
    for member, (least, day) in sorted(book.lowest.items(), key=lambda m: (m[1], m[0]))[:_SHOWN]:
        row = book.store.member(member)
        now = book.standings.of(member - 1)
        name = "" if row is None else printable(row.name or row.account or row.pseudonym)
        interval = " to ".join(points(p) for p in now.interval())
        found = f"{int((book.findings.member == member).sum()):,}"
        band = book.band(member).name.lower().replace("_", " ")
        rows.append([name, points(least), str(date_of(day)), points(now.points), interval, band, found])
    if rows:
        columns = ["member", "lowest", "on", "now", "90 % interval", "band", "findings"]
        table("Whose standing fell lowest", columns, rows, right=(1, 3, 6))
        click.echo("Why: comity explain MEMBER")
