"""A member's own page: where they stand and why, what they may do, and what each entry weighs."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from starlette.responses import Response

from comity.core.decision import EVERYWHERE, Decision
from comity.core.explanation import WHY, Line
from comity.core.ledger import ClauseRow
from comity.core.rights import Missing, Point, Right
from comity.core.standing import date_of
from comity.core.statement import shown
from comity.core.verdicts import endless
from comity.runner.own import Own
from comity.stores.contract import FindingRow
from comity.web.site import charts
from comity.web.site.context import Context
from comity.web.site.readers import ReadingStore
from comity.web.site.rulings import Ruling, ruling

PAGE: Final = 25
_WHY: Final = {sentence: key for key, sentence in WHY.items()}
_COUNTED: Final = frozenset({"live", "reported"})  # states of clauses whose findings count until they are forgotten
_STEPS: Final = 30  # days between two lines of the curve's table


class Lacking(NamedTuple):
    """A right that is not there, and what it takes. day: when the points are there again, "" if time is not enough."""

    right: Right
    sentence: str
    day: str


class Shown(NamedTuple):
    """One entry. state: key of the text that says what becomes of it; line: what it weighs, None where it does not."""

    row: FindingRow
    clause: ClauseRow
    sentence: str
    room: str
    state: str
    line: Line | None
    without: int | None
    forgotten: str


async def me(context: Context) -> Response:
    """Where the member stands, what they may do, what holds now."""
    own: Own = await context.office.own(context.community, context.member)
    member, at = context.member, context.at
    numbers = [d.number for d in own.in_force if not endless(d.measure)]  # what is over with the deed holds nothing

    def ask(store: ReadingStore) -> list[Ruling]:
        return [found for n in numbers if (found := ruling(store, n, member, at)) is not None]

    rulings = await context.read(ask)
    return context.render(
        "me.html",
        own=own,
        zone=own.charter.zone,
        pseudonym=context.known.pseudonym[:8],
        drawn=_drawn(context, own),
        steps=[_said(context, p) for p in _turns(own.curve)],
        lacking=[_lacking(context, m) for m in own.summed.missing],
        rulings=rulings,
        fast=next((r for r in rulings if r.fast and r.may_appeal), None),
        rooms=await rooms(context),
    )


async def entries(context: Context) -> Response:
    """Each entry in plain words, the last first."""
    own: Own = await context.office.own(context.community, context.member)
    member, before = context.member, number(context.asked("before"))

    def ask(store: ReadingStore) -> tuple[list[FindingRow], list[ClauseRow]]:
        return store.process.findings_of(member, before=before, most=PAGE + 1), store.clause_rows()

    rows, clauses = await context.read(ask)
    page = rows[:PAGE]
    without = await own.without([row.number for row in page])
    places = await rooms(context)
    return context.render(
        "me_entries.html",
        own=own,
        zone=own.charter.zone,
        rows=[
            _shown(
                context,
                own,
                row,
                clauses[row.clause - 1],
                room=places.get(row.room, context.t("me some room")),
                without=without.get(row.number),
            )
            for row in page
        ],
        more=f"before={page[-1].number}" if len(rows) > PAGE else "",
        first=before is None,
    )


async def rooms(context: Context) -> dict[int, str]:
    """What members call the rooms of their community, by number."""
    return {EVERYWHERE: context.t("me everywhere"), **dict(await context.office.rooms(context.community))}


def number(text: str) -> int | None:
    """A number of an address; None if it is none that a store has."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None  # noqa: PLR2004  64 bits


def day_told(context: Context, day: int) -> str:
    """A day in words."""
    date = date_of(day)
    return context.t("date", day=date.day, month=context.t("months").split()[date.month - 1], year=date.year)


def _drawn(context: Context, own: Own) -> object:
    p = own.charter.standing
    lines = [
        (context.t("me line suspended"), 1000 * p.suspended),
        (context.t("me line links"), 1000 * p.no_links),
        (context.t("me line muted"), 1000 * p.muted),
    ]
    points = [charts.Point(day_told(context, c.day), c.points, c.low, c.high) for c in own.curve]
    return charts.curve(points, context.t("me curve title", days=len(points)), lines)


def _turns(curve: tuple[Point, ...]) -> list[Point]:
    """The days of a curve that tell it in words: one a month, and each on which the band is another."""
    kept = []
    for place, point in enumerate(curve):
        last = place == len(curve) - 1
        turned = place > 0 and point.band is not curve[place - 1].band
        if last or turned or place % _STEPS == 0:
            kept.append(point)
    return kept[::-1]


def _said(context: Context, point: Point) -> tuple[str, Point]:
    return day_told(context, point.day), point


def _lacking(context: Context, lack: Missing) -> Lacking:
    parts = []
    if lack.needed:
        parts.append(context.t("me needs points", needed=shown(lack.needed), points=shown(lack.points)))
    if lack.active_days:
        key = "me needs day" if lack.active_days == 1 else "me needs days"
        parts.append(context.t(key, days=lack.active_days))
    if not parts:  # the standing would do: a measure holds it, or nothing but a day is missing
        parts.append(context.t("me needs end"))
    sentence = context.t("me needs", what=context.t("me and").join(parts))
    return Lacking(lack.right, sentence, day_told(context, lack.on) if lack.on is not None else "")


def _shown(context: Context, own: Own, row: FindingRow, clause: ClauseRow, *, room: str, without: int | None) -> Shown:
    adopted = next((c for c in own.charter.clauses if c.id == clause.id), None)
    line = own.lines.get(row.number)
    if row.reversed_by is not None:
        state, line = "reversed", None
    elif line is None:
        state = "forgotten" if clause.state in _COUNTED else "beside"
    elif line.why:
        state = _WHY[line.why]
    else:
        state = "counts"
    forgotten = day_told(context, line.forgotten) if line and line.forgotten is not None else ""
    return Shown(
        row,
        clause,
        adopted.said if adopted else clause.text,
        room,
        f"me entry {state}",
        line,
        without,
        forgotten,
    )


def not_carried_out(decision: Decision, places: Mapping[int, str], some: str) -> list[tuple[str, str]]:
    """Where a decision was not carried out, and why. some: what a room is called that has no name any more."""
    return [(places.get(e.room, some), e.why) for e in decision.enforced if not e.done and e.why]


PAGES: Final = {"me": me, "me-entries": entries}
