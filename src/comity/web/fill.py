"""Fills the report from the book."""

import datetime as dt
from collections import Counter

import numpy as np

from comity.bands import Days, bands_on
from comity.book import Book
from comity.core.event import rfc3339
from comity.core.harm import HARMS
from comity.core.interval import Ints
from comity.core.rights import Band, with_trust
from comity.core.standing import date_of
from comity.replay import Summary
from comity.web.people import people, rule_title
from comity.web.report_data import BandDay, BandLine, ClauseRow, Comparison, Day, HarmCount, Report

MOST_DAYS = 400  # that the bands over time are drawn at
_MOST_SPAN = 20_000  # days a log can plausibly span; a clock gone wrong in one line must not stretch the charts


def fill(
    book: Book,
    summary: Summary,
    *,
    charter_name: str,
    community: str = "",
    comparison: Comparison | None = None,
    title: str = "",
) -> Report:
    """The report of a book. summary: of the run that led to it; community: its name, if it is not the charter's."""
    community = community or book.charter.community
    shown, left_out = people(book)
    p = book.charter.standing
    days = book.days[book.days >= book.today - _MOST_SPAN]
    return Report(
        title=title or f"Standing in {community}",
        community=community,
        charter_name=charter_name,
        time_zone=book.charter.time_zone,
        first=_noon(book, int(days[0])) if len(days) else "",
        last=_noon(book, int(days[-1])) if len(days) else "",
        events=summary.events + summary.twice,
        messages=int(book.activity.messages.sum()),
        members=len(book.active),
        rooms=len(summary.rooms),
        unread=summary.unread,
        days=_days(book, days),
        harms=_harms(book),
        clauses=_clauses(book),
        bands=_bands(book, days),
        people=shown,
        people_left_out=left_out,
        comparison=comparison,
        band_lines=(
            BandLine(1000 * p.suspended, "management"),
            BandLine(1000 * p.no_links, "links and media"),
            BandLine(1000 * p.muted, "speaking"),
        ),
    )


def _noon(book: Book, day: int) -> str:
    """A time that is of this day in the charter's time zone."""
    return rfc3339(dt.datetime.combine(date_of(day), dt.time(12), book.charter.zone))


def _days(book: Book, days: Ints) -> list[Day]:
    if not len(days):
        return []
    activity, findings = (np.flatnonzero(np.isin(c.day, days)) for c in (book.activity, book.findings))
    place = np.searchsorted(days, book.activity.day[activity])
    messages = np.bincount(place, book.activity.messages[activity], minlength=len(days))
    pairs = np.unique(np.stack([place, book.activity.member[activity]]), axis=1)
    members = np.bincount(pairs[0], minlength=len(days))
    found: list[Counter[str]] = [Counter() for _ in days]
    places = np.searchsorted(days, book.findings.day[findings]).tolist()
    for (at, clause), n in Counter(zip(places, book.findings.clause[findings].tolist(), strict=True)).items():
        found[at][book.clauses[clause - 1].harm] += n
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
                rule=rule_title(clause.rule),
                harm=HARMS[clause.harm].title,
                severity=clause.severity.name.lower(),
                state="live" if clause.counts else "shadow",
                findings=int(which.sum()),
                members=len(np.unique(book.findings.member[which])),
            )
        )
    return rows


def _bands(book: Book, days: Ints) -> list[BandDay]:
    if not len(days):
        return []
    first, last = int(days[0]), int(days[-1])
    shown = {*range(first, last + 1, max(1, (last - first) // MOST_DAYS)), last}
    who, folded = book.folded.having_findings()
    p, standings = book.charter.standing, Days(book.folded)
    rows = []
    for day, _, level in bands_on(shown, folded):
        everybody = standings.at(day)
        bands = np.full(book.members, Band.GOOD, np.int8)
        bands[who] = np.minimum(level, Band.GOOD)
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
