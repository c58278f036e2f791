"""Where the staff arrives: what waits, what came in and was done, how long it took, and who did it."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup
from starlette.responses import Response

from comity.core.access import May
from comity.core.charter import State
from comity.stores.process_contract import Overview
from comity.web.site import charts
from comity.web.site.context import Context

SPANS: Final = (7, 28, 182)  # days
_BY_WEEK: Final = 60  # days from which bars are weeks
_DAY: Final = 86_400_000
_HOUR: Final = 3_600_000
_MINUTE: Final = 60_000
_EPOCH: Final = dt.date(1970, 1, 1)


class Bar(NamedTuple):
    """What came in and what was done on a day, or in a week."""

    label: str
    inbound: int
    handled: int


async def console(context: Context) -> Response:
    """To the community, if there is only one to look after; else a choice."""
    if len(context.communities) == 1:
        return context.go(context.url("overview", community=context.communities[0][0]))
    return context.render("communities.html")


async def overview(context: Context) -> Response:
    """A community's first page: its figures for those who may see them, and the way to all the rest."""
    if not context.may(May.FIGURES):
        return context.render("overview.html", figures=None)
    asked, community = context.asked("days"), context.community
    days = int(asked) if asked.isdecimal() and asked in map(str, SPANS) else SPANS[1]
    last = context.at // _DAY
    since, until = (last - days + 1) * _DAY, (last + 1) * _DAY
    found = await context.read(lambda store: store.process.overview([community], since, until))
    rows = bars(found, last - days + 1, last)
    return context.render(
        "overview.html",
        figures=found,
        days=days,
        spans=SPANS,
        bars=rows,
        drawn=_drawn(context, rows),
        people=sorted(found.by_person.items(), key=lambda pair: (-pair[1], pair[0])),
        report_median=lasted(context, found.report_median),
        appeal_median=lasted(context, found.appeal_median),
        shadows=await _shadows(context),
    )


def bars(found: Overview, first: int, last: int) -> list[Bar]:
    """A bar for each day, days since 1970 first to last, or for each week of seven days that ends with the last one."""
    inbound, handled = Counter[int](), Counter[int]()
    size = 7 if last - first >= _BY_WEEK else 1
    for day, came, done in found.by_day:
        place = (last - day) // size
        inbound[place] += came
        handled[place] += done
    places = range((last - first) // size, -1, -1)
    return [Bar(_date(max(first, last - (p + 1) * size + 1)), inbound[p], handled[p]) for p in places]


def _drawn(context: Context, rows: Sequence[Bar]) -> list[tuple[str, Markup]]:
    charted = []
    for key in ("inbound", "handled"):
        title = context.t(f"overview {key}")
        counts = [(row.label, getattr(row, key)) for row in rows]
        charted.append((title, charts.bars(counts, title)))
    return charted


def _date(day: int) -> str:
    return (_EPOCH + dt.timedelta(days=day)).isoformat()


def lasted(context: Context, milliseconds: int | None) -> str:
    """How long something took, in its two largest units; "" if it is not known."""
    if milliseconds is None:
        return ""
    if milliseconds >= 2 * _DAY:
        return context.t("lasted days", n=round(milliseconds / _DAY))
    if milliseconds >= _HOUR:
        return context.t("lasted hours", h=milliseconds // _HOUR, m=milliseconds % _HOUR // _MINUTE)
    return context.t("lasted minutes", n=max(1, milliseconds // _MINUTE))


async def _shadows(context: Context) -> list[tuple[str, str]]:
    """Clauses that only find now: id and text."""
    if context.site.office is None:
        return []
    adopted = await context.office.charter(context.community)
    return [(c.id, c.text) for c in adopted.charter.clauses if c.state is State.SHADOW or c.id in adopted.shadows]


PAGES: Final = {"console": console, "overview": overview}
