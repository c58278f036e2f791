"""Members as the report shows them: standing, rights, curve, entries, and the sum that the standing is."""

from collections.abc import Sequence

import numpy as np

from comity.book import Book
from comity.core.event import moment, rfc3339
from comity.core.explanation import Line, grouped
from comity.core.harm import HARMS
from comity.core.interval import Ints
from comity.core.rights import Band, Right, missing, rights
from comity.core.standing import date_of
from comity.rules import built_in
from comity.stores.contract import FindingRow
from comity.web.curves import band_name, curves, intervals
from comity.web.report_data import CurvePoint, EntryRow, Person, SumLine

MOST_PEOPLE = 20_000  # beyond, those with findings and the most active are shown, and it is said
MOST_WITH_PAGES = 3_000  # members whose curve, entries and sum are drawn: those with the lowest standing
_NOT_LIVE = {"shadow": "a shadow clause finds, but does not count", "review": "for a person to look at; does not count"}


def people(book: Book) -> tuple[list[Person], int]:
    """Those who did anything, and how many of them are not shown."""
    shown = _shown(book)
    now = book.standings
    low, high = intervals(now.history[shown - 1], now.weight[shown - 1], book.charter.standing)
    with_pages = _with_pages(book, shown)
    drawn, pages = curves(book, with_pages), set(with_pages.tolist())
    found = [
        _person(book, m, (int(low[i]), int(high[i])), drawn.get(m, []), page=m in pages)
        for i, m in enumerate(shown.tolist())
    ]
    return found, len(book.active) - len(shown)


def rule_title(name: str) -> str:
    """A rule in words; a clause's own expression has none."""
    rule = built_in().get(name)
    return rule.title if rule is not None else name or "own rule"


def _shown(book: Book) -> Ints:
    if len(book.active) <= MOST_PEOPLE:
        return book.active
    messages = np.bincount(book.activity.member, book.activity.messages, minlength=book.members + 1)
    messages[book.with_findings] = np.inf
    chosen = book.active[np.argsort(-messages[book.active], kind="stable")[:MOST_PEOPLE]]
    return np.sort(chosen)


def _with_pages(book: Book, shown: Ints) -> Ints:
    with_findings = book.with_findings[np.isin(book.with_findings, shown)]
    if len(with_findings) <= MOST_WITH_PAGES:
        return with_findings
    order = np.argsort(book.standings.points[with_findings - 1], kind="stable")
    return np.sort(with_findings[order[:MOST_WITH_PAGES]])


def _person(book: Book, member: int, interval: tuple[int, int], curve: list[CurvePoint], *, page: bool) -> Person:
    row = book.store.member(member)
    band = book.band(member)
    newcomer = int(book.standings.active_days[member - 1]) < book.charter.standing.newcomer_days
    held = rights(band, newcomer=newcomer)
    entries, lines, lacking = _page(book, member) if page else ([], [], "")
    first, last, messages = book.span(member)
    return Person(
        pseudonym="" if row is None else row.pseudonym,
        name="" if row is None else (row.name or row.account or ""),
        first_day=date_of(first).isoformat(),
        last_day=date_of(last).isoformat(),
        active_days=book.active_days_ever(member),
        messages=messages,
        standing=int(book.standings.points[member - 1]),
        low=interval[0],
        high=interval[1],
        band=band_name(band, newcomer=newcomer),
        newcomer=newcomer,
        rights=sorted(str(r) for r in held),
        lost=sorted(str(r) for r in rights(Band.GOOD, newcomer=False) - held),
        missing=lacking,
        curve=curve,
        entries=entries,
        sum=lines,
    )


def _page(book: Book, member: int) -> tuple[list[EntryRow], list[SumLine], str]:
    told = book.explain(member)
    by_entry = {line.entry: line for line in told.lines if line.kind == "finding"}
    entries = [_entry(book, f, by_entry.get(f.number)) for f in book.store.findings(member)]
    activity, counted = book.remembered(member, book.today)
    lacking = (missing(r, book.band(member), told.standing, activity, counted) for r in Right)
    first = next((m for m in lacking if m is not None), None)
    lines = sum_lines(told.lines, told.start, told.standing.points)
    return entries, lines, "" if first is None else first.sentence()


def sum_lines(lines: Sequence[Line], start: int, total: int) -> list[SumLine]:
    """An explanation as the addition that a page shows; all in thousandths of a point."""
    shown = [_sum_line(line) for line in grouped(lines)]
    return [SumLine("every member's start", start, "start"), *shown, SumLine("standing", total, "total")]


def _sum_line(line: Line) -> SumLine:
    if line.kind == "activity":
        label = f"{_counted(line.days, 'active day')}, {_counted(line.messages, 'message')}"
        return SumLine(label, line.shown, "history")
    if line.kind == "finding" and line.day is not None:
        day = date_of(line.day)
        why = f" ({line.why})" if line.why else ""
        return SumLine(f"finding of {day.day} {day:%B} {day.year}, entry {line.entry}{why}", line.shown, "finding")
    if line.kind == "cap":
        return SumLine("what history counts beyond its limit", line.shown, "cap")
    return SumLine("standing is never below 0", line.shown, "floor")


def _counted(number: int, what: str) -> str:
    """``1 message``, ``2 messages``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _entry(book: Book, finding: FindingRow, line: Line | None) -> EntryRow:
    clause = book.clauses[finding.clause - 1]
    return EntryRow(
        number=finding.number,
        at=rfc3339(moment(finding.at)),
        clause=clause.id,
        rule=rule_title(clause.rule),
        harm=HARMS[clause.harm].title,
        severity=clause.severity,
        room=book.room(finding.room),
        event=finding.event,
        excerpt=finding.excerpt,
        figures=_figures(finding.figures),
        weight_today=0 if line is None else -line.shown,
        without_it=None if line is None else line.without,
        forgotten_on="" if line is None or line.forgotten is None else date_of(line.forgotten).isoformat(),
        counted=line is not None and not line.why,
        note=_note(book, finding, line),
    )


def _note(book: Book, finding: FindingRow, line: Line | None) -> str:
    state = book.clauses[finding.clause - 1].state
    if finding.reversed_by is not None:
        return f"taken back by entry {finding.reversed_by}, and without a trace"
    if state != "live":
        return _NOT_LIVE[state]
    if line is not None:
        return line.why
    return "dated later than today" if finding.day > book.today else "forgotten"


def _figures(text: str) -> str:
    """``{"count":11}`` as words."""
    return text.strip("{}").replace('"', "").replace(":", " ").replace(",", ", ").replace("_", " ")
