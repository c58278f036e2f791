"""How often each clause is right, as a page: judged, right, wrong, the interval, the floor, and what only finds."""

from typing import Final, NamedTuple

from markupsafe import Markup
from starlette.responses import Response

from comity.core.charter import Clause, State
from comity.core.review import Precision
from comity.stores.charter_contract import ClauseActRow
from comity.web.site.charter import adopts
from comity.web.site.context import Context

_WIDE: Final = 200
_HIGH: Final = 24


class Row(NamedTuple):
    """A clause. only_finds: it was sent to shadow; act: the last time anybody did or undid that."""

    clause: Clause
    precision: Precision
    only_finds: bool
    act: ClauseActRow | None
    drawn: Markup


async def precision(context: Context) -> Response:
    """All clauses, in the charter's order."""
    found = await context.office.precision(context.community)
    adopted = await context.office.charter(context.community)
    community = context.community
    acts = await context.read(lambda store: store.charters.clause_acts(community, most=500))
    last: dict[str, ClauseActRow] = {}
    for act in acts:
        last.setdefault(act.clause_id, act)
    clauses = {c.id: c for c in adopted.charter.clauses}
    terms = adopted.charter.due_process
    rows = [
        Row(
            clauses[p.clause_id],
            p,
            p.clause_id in adopted.shadows,
            last.get(p.clause_id),
            drawn(context, p, terms.precision_floor),
        )
        for p in found
        if p.clause_id in clauses
    ]
    rows.sort(key=lambda row: not row.only_finds)
    return context.render(
        "precision.html",
        rows=rows,
        floor=terms.precision_floor / 10,
        least=terms.least_judged,
        adopts=adopts(context),
        live=State.LIVE,
    )


def drawn(context: Context, p: Precision, floor: int) -> Markup:
    """The interval as a bar, with a line at the floor (thousandths); "" where nothing is judged."""
    judged = p.right + p.wrong
    if not judged:
        return Markup("")
    title = context.t(
        "precision told", mean=percent(p.mean), low=percent(p.low), high=percent(p.high), floor=f"{floor / 10:g}"
    )
    return Markup(
        '<svg class="precision" viewBox="0 0 {wide} {high}" role="img" aria-label="{title}">'
        '<rect class="rail" x="0" y="10" width="{wide}" height="4" rx="2"/>'
        '<rect class="range{under}" x="{low:.1f}" y="7" width="{range:.1f}" height="10" rx="3"/>'
        '<rect class="dot{under}" x="{mean:.1f}" y="3" width="4" height="18" rx="2"/>'
        '<path class="floor" d="M{floor:.1f} 0V{high}"/></svg>'
    ).format(
        wide=_WIDE,
        high=_HIGH,
        title=title,
        under=" under" if p.under else "",
        low=_WIDE * p.low,
        range=_WIDE * (p.high - p.low),
        mean=_WIDE * p.mean - 2,
        floor=_WIDE * floor / 1000,
    )


def percent(share: float) -> str:
    """A share of 1 in percent, rounded."""
    return f"{100 * share:.0f}"


PAGES: Final = {"precision": precision}
