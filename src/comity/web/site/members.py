"""Members as the staff sees them: searched, with standing and decisions; what they wrote only after saying why."""

from typing import Final

from markupsafe import Markup
from starlette.responses import Response

from comity.core.access import May
from comity.core.case_file import MemberFile
from comity.core.errors import ComityError
from comity.core.looking import Look
from comity.core.standing import date_of
from comity.stores.contract import MemberRow
from comity.web.site import charts
from comity.web.site.context import Context, Toast
from comity.web.site.readers import ReadingStore

LOOKS_FOR: Final = 15 * 60_000  # milliseconds that a look lasts
_PAGE: Final = 50
_LAST: Final = 2**62


async def members(context: Context) -> Response:
    """All members, searched by name, account or pseudonym."""
    community, search, beyond = context.community, context.asked("q"), context.asked("beyond", 15)
    start = int(beyond) if beyond.isdecimal() else 0
    rows = await context.read(
        lambda store: store.process.members([community], text=search, beyond=start, most=_PAGE + 1)
    )
    return context.render("members.html", rows=rows[:_PAGE], more=len(rows) > _PAGE, search=search, first=start == 0)


async def member(context: Context) -> Response:
    """One member: standing, measures, decisions; and for a quarter of an hour after a look, what they wrote."""
    return await _member(context)


async def _member(context: Context, problem: str = "") -> Response:
    number = int(context.request.path_params["number"])
    row = await _row(context, number)
    if row is None:
        return context.not_there()
    file = await context.office.member(context.community, number)
    look = await _look(context, number)
    rooms = await context.office.rooms(context.community)
    named = await context.read(lambda store: {room for room, _ in rooms if number in store.decisions.deputies(room)})
    return context.render(
        "member_file.html",
        400 if problem else 200,
        row=row,
        file=file,
        look=look,
        until=look.at + LOOKS_FOR if look else 0,
        curve=_curve(context, file),
        rooms=rooms,
        named=named,
        deputies=context.may(May.DECIDE),
        problem=problem,
    )


async def look(context: Context) -> Response:
    """Say why one looks at what a member wrote."""
    number, reason = int(context.request.path_params["number"]), context.given("reason", 500)
    if await _row(context, number) is None:
        return context.not_there()
    if not reason:
        return await _member(context, context.t("look why"))
    await context.office.look(context.community, context.who, reason, what=context.t("look at messages"), member=number)
    return context.go(context.url("member-file", number=number) + "#entries")


async def deputy(context: Context) -> Response:
    """Name a member as deputy in a room, or take the name back."""
    number, room = int(context.request.path_params["number"]), context.given("room", 15)
    named = context.given("do") == "name"
    back = context.url("member-file", number=number) + "#deputy"
    if not room.isdecimal():
        return context.not_there()
    try:
        done = await context.office.name_deputy(context.community, int(room), number, context.who, named=named)
    except ComityError:
        return context.not_there()
    key = ("deputy named" if named else "deputy taken") if done else "deputy same"
    undo = {"room": room, "do": "take" if named else "name"}
    return context.done(
        back, Toast(context.t(key), undo=context.url("deputy", number=number) if done else "", fields=undo)
    )


async def looks(context: Context) -> Response:
    """Who looked at what, and why."""
    community, before = context.community, context.asked("before", 15)
    start = int(before) if before.isdecimal() else _LAST

    def ask(store: ReadingStore) -> tuple[list[Look], dict[int, str]]:
        rows = list(store.process.looks(community=community, before=start, most=_PAGE + 1))
        found = {look.member: store.member(look.member) for look in rows if look.member}
        return rows, {number: row.pseudonym for number, row in found.items() if row}

    rows, names = await context.read(ask)
    return context.render("looks.html", rows=rows[:_PAGE], more=len(rows) > _PAGE, first=start == _LAST, names=names)


async def _row(context: Context, number: int) -> MemberRow | None:
    """A member of this community; of others nothing is said."""
    row = await context.read(lambda store: store.member(number))
    return row if row is not None and row.community == context.community else None


async def _look(context: Context, number: int) -> Look | None:
    """The last look of whoever asks at a member, while it lasts."""
    community, by, since = context.community, context.who.name, context.at - LOOKS_FOR
    rows = await context.read(
        lambda store: store.process.looks(community=community, member=number, before=_LAST, most=_PAGE)
    )
    return next((row for row in rows if row.by == by and row.at >= since), None)


def _curve(context: Context, file: MemberFile) -> Markup | None:
    if not file.curve:
        return None
    points = [charts.Point(date_of(p.day).isoformat(), p.points, p.low, p.high) for p in file.curve]
    return charts.curve(points, context.t("member curve"))


PAGES: Final = {"members": members, "member-file": member, "member-look": look, "deputy": deputy, "looks": looks}
