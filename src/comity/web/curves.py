"""Curves of many members at once: standing with its interval and band, at the days that show its shape."""

from collections.abc import Callable, Mapping

import numpy as np

from comity.book import Book
from comity.core.interval import Ints
from comity.core.rights import Band, step, with_trust
from comity.core.standing import date_of
from comity.web.report_data import CurvePoint

_POINTS = 48  # of a curve, besides the days of findings


def band_name(band: Band, *, newcomer: bool) -> str:
    """A band as the report names it; a newcomer in good standing is a newcomer."""
    return "newcomer" if newcomer and band >= Band.GOOD else band.name.lower()


def curves(book: Book, members: Ints) -> Mapping[int, list[CurvePoint]]:
    """Curves of members with findings, by number.

    From a week before the first counted finding to the day on which the last is forgotten, or today: the days on which
    something was found, the days before them, and others evenly.
    """
    who, folded = book.folded.having_findings()
    wanted = np.isin(who + 1, members)
    if not wanted.any():
        return {}
    days = {int(m): np.unique(folded.found_day[folded.found_member == i]) for i, m in enumerate(who) if wanted[i]}
    plan: dict[int, list[int]] = {}
    for place in np.flatnonzero(wanted).tolist():
        found = days[int(who[place])]
        first = max(int(found[0]) - 7, book.first or 0)
        last = min(int(found[-1]) + book.charter.standing.forgotten, book.today)
        stride = max(1, (last - first) // _POINTS)
        shown = {*range(first, last + 1, stride), last, *found.tolist(), *(found - 1).tolist()}
        for day in shown:
            if first <= day <= last:
                plan.setdefault(day, []).append(place)
    out: dict[int, list[CurvePoint]] = {int(m) + 1: [] for m in who[wanted]}
    level = np.full(len(who), Band.GOOD, np.int8)
    parameters = book.charter.standing
    quiet_until = _quiet_until(folded.found_day, parameters.forgotten)
    for day in range(int(folded.found_day.min()) - 7, max(plan) + 1):
        places = plan.get(day)
        if places is None and quiet_until(day):
            continue
        now = folded.at(day)
        level = step(level, now.points, parameters)
        if places is None:
            continue
        bands = with_trust(level, now.points, now.active_days, parameters)
        low, high = now.interval()
        newcomers = now.newcomer
        for p in places:
            name = band_name(Band(int(bands[p])), newcomer=bool(newcomers[p]))
            point = CurvePoint(date_of(day).isoformat(), int(now.points[p]), int(low[p]), int(high[p]), name)  # type: ignore[arg-type]
            out[int(who[p]) + 1].append(point)
    return out


def _quiet_until(found_day: Ints, forgotten: int) -> Callable[[int], bool]:
    """Whether no finding is remembered on a day, so that every band is already where it heals to."""
    days = np.unique(found_day)

    def quiet(day: int) -> bool:
        before = int(np.searchsorted(days, day, side="right"))
        return before == 0 or day - int(days[before - 1]) > forgotten + 1

    return quiet
