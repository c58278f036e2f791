"""Fills the report from the book."""

from collections import Counter

import numpy as np

from comity.book import Book
from comity.core.event import moment, rfc3339
from comity.core.explanation import Line, grouped
from comity.core.harm import HARMS
from comity.core.interval import Ints
from comity.core.interval import interval as intervals
from comity.core.rights import Band, Right, missing, rights, step, with_trust
from comity.core.standing import date_of
from comity.replay import Summary
from comity.stores.contract import FindingRow
from comity.web.curves import band_name, curves
from comity.web.report_data import (
    BandDay,
    BandLine,
    ClauseRow,
    Comparison,
    CurvePoint,
    Day,
    EntryRow,
    HarmCount,
    Person,
    Report,
    SumLine,
)

MOST_PEOPLE = 20_000  # beyond, those with findings and the most active are shown, and it is said
MOST_WITH_PAGES = 3_000  # members whose curve, entries and sum are drawn: those with the lowest standing
MOST_DAYS = 400  # that the bands over time are drawn at
_MOST_SPAN = 20_000  # days a log can plausibly span; a clock gone wrong in one line must not cost a minute
_WORDS = {"cap": "what history counts beyond its limit", "floor": "standing is never below 0"}


def fill(
    book: Book, summary: Summary, *, charter_name: str, comparison: Comparison | None = None, title: str = ""
) -> Report:
    """The report of a book. summary: of the run that led to it."""
    community = book.charter.community
    shown, left_out = _people_shown(book)
    low, high = _intervals(book, shown)
    with_pages = _with_pages(book, shown)
    drawn = curves(book, with_pages)
    pages = set(with_pages.tolist())
    people = [
        _person(book, m, (int(low[i]), int(high[i])), drawn.get(m, []), page=m in pages)
        for i, m in enumerate(shown.tolist())
    ]
    counts = book.store.counts()
    p = book.charter.standing
    first, last = (t if t is None else rfc3339(moment(t)) for t in (summary.first, summary.last))
    if first is None and book.first is not None:  # everything was known from before
        first, last = f"{date_of(book.first)}T00:00:00.000Z", f"{date_of(book.today)}T23:59:59.999Z"
    return Report(
        title=title or f"Standing in {community}",
        community=community,
        charter_name=charter_name,
        time_zone=book.charter.time_zone,
        first=first or "",
        last=last or "",
        events=summary.events,
        messages=int(book.activity.messages.sum()),
        members=counts.members,
        rooms=counts.rooms,
        unread=summary.unread,
        days=_days(book),
        harms=_harms(book),
        clauses=_clauses(book),
        bands=_bands(book),
        people=people,
        people_left_out=left_out,
        comparison=comparison,
        band_lines=(
            BandLine(1000 * p.suspended, "management"),
            BandLine(1000 * p.no_links, "links and media"),
            BandLine(1000 * p.muted, "speaking"),
        ),
    )


def _people_shown(book: Book) -> tuple[Ints, int]:
    """Numbers of the members shown, and how many are not; of those who did anything."""
    active = np.unique(np.concatenate([book.activity.member, book.findings.member]))
    if len(active) <= MOST_PEOPLE:
        return active, 0
    messages = np.bincount(book.activity.member, book.activity.messages, minlength=book.members + 1)
    messages[book.with_findings] = np.inf
    chosen = active[np.argsort(-messages[active], kind="stable")[:MOST_PEOPLE]]
    return np.sort(chosen), len(active) - len(chosen)


def _with_pages(book: Book, shown: Ints) -> Ints:
    with_findings = book.with_findings[np.isin(book.with_findings, shown)]
    if len(with_findings) <= MOST_WITH_PAGES:
        return with_findings
    order = np.argsort(book.standings.points[with_findings - 1], kind="stable")
    return np.sort(with_findings[order[:MOST_WITH_PAGES]])


def _intervals(book: Book, members: Ints) -> tuple[Ints, Ints]:
    now, at = book.standings, members - 1
    # Many members have the very same figures: each pair is worked out once.
    pairs, where = np.unique(np.stack([now.history[at], now.weight[at]]), axis=1, return_inverse=True)
    days = np.full(pairs.shape[1], book.charter.standing.prior)
    low, high = intervals(pairs[0], pairs[1], days, book.charter.standing)
    return low[where.ravel()], high[where.ravel()]


def _person(book: Book, member: int, interval: tuple[int, int], curve: list[CurvePoint], *, page: bool) -> Person:
    row = book.store.member(member)
    band = book.band(member)
    days = int(book.standings.active_days[member - 1])
    newcomer = days < book.charter.standing.newcomer_days
    held = rights(band, newcomer=newcomer)
    by_day = book.activity_of(member) if page else {}
    nothing: tuple[list[EntryRow], list[SumLine], str] = ([], [], "")
    entries, lines, lacking = _page(book, member) if page else nothing
    first, last, messages = book.span(member)
    return Person(
        pseudonym="" if row is None else row.pseudonym,
        name="" if row is None else (row.name or row.account or ""),
        first_day=date_of(first).isoformat(),
        last_day=date_of(last).isoformat(),
        active_days=len(by_day) if page else book.active_days_ever(member),
        messages=messages,
        standing=int(book.standings.points[member - 1]),
        low=interval[0],
        high=interval[1],
        band=band_name(band, newcomer=newcomer),  # type: ignore[arg-type]  # one of the words
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
    lines = [SumLine("every member's start", told.start, "start")]
    lines += [_sum_line(line) for line in grouped(told.lines)]
    lines.append(SumLine("standing", told.standing.points, "total"))
    activity, counted, band = book.activity_of(member), book.counted_of(member), book.band(member)
    lacking = (missing(r, band, told.standing, activity, counted) for r in Right)
    first = next((m for m in lacking if m is not None), None)
    return entries, lines, "" if first is None else first.sentence()


def _sum_line(line: Line) -> SumLine:
    if line.kind == "activity":
        return SumLine(f"{line.days} active days, {line.messages:,} messages", line.shown, "history")
    if line.kind == "finding" and line.day is not None:
        day = date_of(line.day)
        why = f" ({line.why})" if line.why else ""
        return SumLine(f"finding of {day.day} {day:%B %Y}, entry {line.entry}{why}", line.shown, "finding")
    return SumLine(_WORDS[line.kind], line.shown, "cap" if line.kind == "cap" else "floor")


def _entry(book: Book, finding: FindingRow, line: Line | None) -> EntryRow:
    clause = book.clauses[finding.clause - 1]
    note = ""
    if finding.reversed_by is not None:
        note = f"taken back by entry {finding.reversed_by}, and without a trace"
    elif clause.state != "live":
        note = "a shadow clause finds, but does not count" if clause.state == "shadow" else "for a person to look at"
    elif line is not None and line.why:
        note = line.why
    elif line is None:
        note = "forgotten"
    return EntryRow(
        number=finding.number,
        at=rfc3339(moment(finding.at)),
        clause=clause.id,
        rule=clause.rule or "own rule",
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
        note=note,
    )


def _figures(text: str) -> str:
    """``{"count":11}`` as words."""
    return text.strip("{}").replace('"', "").replace(":", " ").replace(",", ", ").replace("_", " ")


def _days(book: Book) -> list[Day]:
    days = np.unique(np.concatenate([book.activity.day, book.findings.day]))
    if not len(days):
        return []
    messages = np.bincount(np.searchsorted(days, book.activity.day), book.activity.messages, minlength=len(days))
    pairs = np.unique(np.stack([book.activity.day, book.activity.member]), axis=1)
    members = np.bincount(np.searchsorted(days, pairs[0]), minlength=len(days))
    found: list[Counter[str]] = [Counter() for _ in days]
    harms = [c.harm for c in book.clauses]
    place = np.searchsorted(days, book.findings.day)
    for (at, clause), n in Counter(zip(place.tolist(), book.findings.clause.tolist(), strict=True)).items():
        found[at][harms[clause - 1]] += n
    return [
        Day(date_of(int(d)).isoformat(), int(messages[i]), int(members[i]), dict(found[i])) for i, d in enumerate(days)
    ]


def _harms(book: Book) -> list[HarmCount]:
    counts: Counter[str] = Counter()
    for clause, n in Counter(book.findings.clause.tolist()).items():
        counts[book.clauses[clause - 1].harm] += n
    return [HarmCount(h, HARMS[h].title, n) for h, n in counts.most_common()]


def _clauses(book: Book) -> list[ClauseRow]:
    rows = []
    for clause in book.charter.clauses:
        if clause.state == "draft":
            continue
        numbers = [i for i, c in enumerate(book.clauses, 1) if c.id == clause.id and c.rule == clause.rule]
        which = np.isin(book.findings.clause, numbers)
        rows.append(
            ClauseRow(
                id=clause.id,
                text=clause.text,
                rule=clause.rule or "own rule",
                harm=HARMS[clause.harm].title,
                severity=clause.severity.name.lower(),
                state="live" if clause.counts else "shadow",
                findings=int(which.sum()),
                members=len(np.unique(book.findings.member[which])),
            )
        )
    return rows


def _bands(book: Book) -> list[BandDay]:
    if book.first is None:
        return []
    first = max(book.first, book.today - _MOST_SPAN)
    stride = max(1, (book.today - first) // MOST_DAYS)
    shown = {*range(first, book.today + 1, stride), book.today}
    who, folded = book.folded.having_findings()
    level = np.full(len(who), Band.GOOD, np.int8)
    p = book.charter.standing
    begin = min(first, int(folded.found_day.min())) if len(who) else first
    rows = []
    for day in range(begin, book.today + 1):
        if len(who):
            now = folded.at(day)
            level = step(level, now.points, p)
        if day not in shown:
            continue
        everybody = book.folded.at(day)
        bands = np.full(book.members, Band.GOOD, np.int8)
        bands[who] = level
        bands = with_trust(bands, everybody.points, everybody.active_days, p)
        here = everybody.active_days > 0
        newcomer = here & everybody.newcomer & (bands >= Band.GOOD)
        rest = np.bincount(bands[here & ~newcomer], minlength=len(Band))
        rows.append(
            BandDay(
                day=date_of(day).isoformat(),
                newcomer=int(newcomer.sum()),
                trusted=int(rest[Band.TRUSTED]),
                good=int(rest[Band.GOOD]),
                suspended=int(rest[Band.SUSPENDED]),
                no_links=int(rest[Band.NO_LINKS]),
                muted=int(rest[Band.MUTED]),
            )
        )
    return rows
