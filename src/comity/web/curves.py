"""Curves of many members at once: standing with its interval and band, at the days that show its shape."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from comity.bands import bands_on
from comity.book import Book
from comity.core.interval import Ints, interval
from comity.core.parameters import Parameters
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
    parts = []
    for day, now, bands in bands_on(plan, folded):
        at = np.array(plan[day])
        columns = (who[at] + 1, now.points[at], bands[at], now.newcomer[at], now.history[at], now.weight[at])
        parts.append(np.stack([np.full(len(at), day), *columns]).astype(np.int64))
    days, numbers, points, levels, new, history, weight = np.concatenate(parts, axis=1)
    low, high = intervals(history, weight, book.charter.standing)
    out: dict[int, list[CurvePoint]] = {int(m) + 1: [] for m in who[wanted]}
    rows = zip(*(c.tolist() for c in (numbers, days, points, low, high, levels, new)), strict=True)
    for number, day, at_points, at_low, at_high, level, newcomer in rows:
        name = band_name(Band(level), newcomer=bool(newcomer))
        out[number].append(CurvePoint(date_of(day).isoformat(), at_points, at_low, at_high, name))
    return out


def intervals(history: Ints, weight: Ints, parameters: Parameters) -> tuple[Ints, Ints]:
    """``interval`` of members who are not verified, each pair of figures, of which many have the same, worked out once.

    All of shape (rows,).
    """
    pairs, where = np.unique(np.stack([history, weight]), axis=1, return_inverse=True)
    low, high = interval(pairs[0], pairs[1], np.full(pairs.shape[1], parameters.prior), parameters)
    return low[where.ravel()], high[where.ravel()]
