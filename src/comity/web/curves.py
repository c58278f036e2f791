"""Curves of many members at once: standing with its interval and band, at the days that show its shape."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from comity.bands import bands_on
from comity.book import Book
from comity.core.interval import Ints
from comity.core.rights import Band
from comity.core.standing import date_of
from comity.web import report_data
from comity.web.report_data import CurvePoint

_POINTS = 48  # of a curve, besides the days of findings


_NAMES: Final[Mapping[Band, report_data.Band]] = {
    Band.MUTED: "muted",
    Band.NO_LINKS: "no_links",
    Band.SUSPENDED: "suspended",
    Band.GOOD: "good",
    Band.TRUSTED: "trusted",
}


def band_name(band: Band, *, newcomer: bool) -> report_data.Band:
    """A band as the report names it; a newcomer in good standing is a newcomer."""
    return "newcomer" if newcomer and band >= Band.GOOD else _NAMES[band]


def curves(book: Book, members: Ints) -> Mapping[int, list[CurvePoint]]:
    """Curves of members with findings, by number.

    From a week before the first counted finding to the day on which the last is forgotten, or today: the days on which
    something was found, the days before them, and others evenly.
    """
    who, folded = book.folded.having_findings()
    wanted = np.isin(who + 1, members)
    if not wanted.any():
        return {}
    starts = np.searchsorted(folded.found_member, np.arange(len(who) + 1))
    plan: dict[int, list[int]] = {}
    for place in np.flatnonzero(wanted).tolist():
        found = folded.found_day[starts[place] : starts[place + 1]]
        first = max(int(found[0]) - 7, book.first or 0)
        last = min(int(found[-1]) + book.charter.standing.forgotten, book.today)
        stride = max(1, (last - first) // _POINTS)
        shown = {*range(first, last + 1, stride), last, *found.tolist(), *(found - 1).tolist()}
        for day in shown:
            if first <= day <= last:
                plan.setdefault(day, []).append(place)
    out: dict[int, list[CurvePoint]] = {int(m) + 1: [] for m in who[wanted]}
    for day, now, bands in bands_on(plan, folded):
        low, high = now.interval()
        newcomers, iso = now.newcomer, date_of(day).isoformat()
        for p in plan[day]:
            name = band_name(Band(int(bands[p])), newcomer=bool(newcomers[p]))
            out[int(who[p]) + 1].append(CurvePoint(iso, int(now.points[p]), int(low[p]), int(high[p]), name))
    return out
