"""What is kept about a member: who looked at it, all of it to take along, and how to be forgotten."""

from typing import Final

from starlette.responses import Response, StreamingResponse

from comity.core.looking import Look
from comity.core.member_link import COMMAND
from comity.core.verdicts import endless
from comity.runner.own import Own
from comity.web.site import render
from comity.web.site.context import Context
from comity.web.site.holdings import open_since, told, written
from comity.web.site.member import number, rooms
from comity.web.site.member_decisions import zone
from comity.web.site.readers import ReadingStore
from comity.web.site.rulings import Ruling, ruling

PAGE: Final = 25


async def looks(context: Context) -> Response:
    """Who looked at the member, and why; the last first. What belongs to a case is there once that is over."""
    member, before, at = context.member, number(context.asked("before")) or 1 << 60, context.at
    community, pseudonym = context.community, context.known.pseudonym

    def ask(store: ReadingStore) -> tuple[list[Look], list[Look]]:
        rows = store.process.looks(member=member, before=before, most=PAGE + 1)
        return rows, told(store, rows[:PAGE], open_since(store, community, pseudonym, at), at)

    rows, shown = await context.read(ask)
    return context.render(
        "me_looks.html",
        rows=shown,
        more=f"before={rows[PAGE - 1].number}" if len(rows) > PAGE else "",
        first=before == 1 << 60,
        zone=await zone(context),
        rooms=await rooms(context),
    )


async def data(context: Context) -> Response:
    """What is kept, why and how long."""
    member = context.member
    row = await context.read(lambda store: store.member(member))
    return context.render("me_data.html", row=row, pseudonym=context.known.pseudonym)


async def download(context: Context) -> Response:
    """All of it, as a file."""
    own: Own = await context.office.own(context.community, context.member)
    name = f"comity-{context.known.pseudonym[:8]}-{context.now:%Y-%m-%d}.json"
    headers = {**render.HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(written(context, own), media_type="application/json", headers=headers)


async def forget(context: Context) -> Response:
    """What would be erased and what would stay; asked a first time."""
    return await _forget(context, sure=False)


async def forget_now(context: Context) -> Response:
    """Asked a second time; then it is done."""
    if context.given("sure") != "yes":
        return await _forget(context, sure=True)
    await context.office.forget(context.community, context.member)
    response = context.sorry("me forgotten", 200, command=COMMAND)
    context.site.cookies.drop(response, "me")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


async def _forget(context: Context, *, sure: bool) -> Response:
    own: Own = await context.office.own(context.community, context.member)
    member, at = context.member, context.at

    def ask(store: ReadingStore) -> tuple[list[Ruling], int | None]:
        lasting = [d for d in own.in_force if not endless(d.measure)]
        holding = [r for d in lasting if (r := ruling(store, d.number, member, at)) is not None]
        last = [
            s.appeal_until
            for d in store.process.decisions_of(member, most=PAGE)
            if (s := store.decisions.statement(d.number)) is not None and s.appeal_until > at
        ]
        return holding, max(last, default=None)

    holding, cited_until = await context.read(ask)
    return context.render(
        "me_forget.html",
        sure=sure,
        holding=holding,
        cited_until=cited_until,
        zone=own.charter.zone,
        pseudonym=context.known.pseudonym,
        rooms=await rooms(context),
    )


PAGES: Final = {
    "me-looks": looks,
    "me-data": data,
    "me-download": download,
    "me-forget": forget,
    "me-forget-now": forget_now,
}
