"""Reports from the web: what, where, under which clause; and what came of one's own."""

from typing import Final

from starlette.responses import Response

from comity.core.appeal import LONGEST as LONGEST_APPEAL
from comity.core.appeal import Heard, against_refusal
from comity.core.charter import Charter, Clause, State
from comity.core.errors import ComityError, StoreError
from comity.core.report import Report
from comity.runner.pointing import Pointed
from comity.runner.reporting import LONGEST
from comity.web.site.context import Context
from comity.web.site.member import number, rooms
from comity.web.site.member_decisions import medians, own_report
from comity.web.site.readers import ReadingStore

PAGE: Final = 25
_NONE: Final = 1 << 60
_WHAT: Final = 500  # characters of a link or name


async def reports(context: Context) -> Response:
    """The form, and below it what was reported before, the last first."""
    return await _reports(context)


async def _reports(context: Context, *, wrong: str = "", problem: str = "") -> Response:
    member, before = context.member, number(context.asked("before")) or _NONE
    rows = await context.read(lambda store: store.process.reports(reporter=member, before=before, most=PAGE + 1))
    charter = await _charter(context)
    return context.render(
        "me_report.html",
        400 if problem else 200,
        rows=rows[:PAGE],
        more=f"before={rows[PAGE - 1].number}" if len(rows) > PAGE else "",
        first=before == _NONE,
        clauses=_clauses(charter),
        spoken=charter.language,
        places=await context.office.rooms(context.community),
        rooms=await rooms(context),
        zone=charter.zone,
        wrong=wrong,
        problem=problem,
        longest=LONGEST,
        medians=await medians(context),
        given={name: context.given(name, LONGEST) for name in ("what", "room", "clause", "text")},
    )


async def send(context: Context) -> Response:
    """Take a report in; its page is the receipt."""
    charter, known = await _charter(context), dict(await context.office.rooms(context.community))
    room = number(context.given("room")) or 0
    clause = next((c for c in _clauses(charter) if c.id == context.given("clause", _WHAT)), None)
    text = context.given("text", LONGEST + 1)
    if room and room not in known:
        room = 0
    if len(text) > LONGEST:
        return await _reports(context, wrong="text", problem=context.t("me text long", most=LONGEST))
    meant: Pointed = await context.office.pointed(context.community, context.given("what", _WHAT), room=room)
    if meant.why is not None:
        return await _reports(context, wrong="what", problem=context.t(f"me point {meant.why}"))
    if meant.member == context.member:
        return await _reports(context, wrong="what", problem=context.t("me point self"))
    # A report names a harm and no clause: which clause was meant stands in front of what was written.
    named = f"({context.t('me clause', id=clause.id)}) " if clause else ""
    try:
        made: Report = await context.office.report(
            context.community,
            context.member,
            member=meant.member,
            room=meant.room,
            event=meant.event,
            harm=clause.harm if clause else "",
            text=f"{named}{text}"[:LONGEST],
        )
    except StoreError:
        raise
    except ComityError:
        return await _reports(context, wrong="what", problem=context.t("me point again"))
    return context.done(context.url("me-reported", number=made.number), context.t("me report made"))


async def reported(context: Context) -> Response:
    """One report of one's own: the receipt, and what came of it."""
    report = await own_report(context)
    if report is None:
        return context.not_there()
    wanted, member = report.number, context.member

    def ask(store: ReadingStore) -> list[int]:
        mine = store.process.appeals(member=member, report=wanted)
        return [a.number for a in mine if a.heard is not Heard.WITHDRAWN]

    appeals = await context.read(ask)
    charter = await _charter(context)
    return context.render(
        "me_reported.html",
        r=report,
        appeals=appeals,
        may_appeal=not appeals and not against_refusal(report, member, context.at),
        rooms=await rooms(context),
        zone=charter.zone,
        longest=LONGEST_APPEAL,
        days=charter.due_process.appeal_days,
        medians=await medians(context),
    )


async def _charter(context: Context) -> Charter:
    found: Charter = (await context.office.charter(context.community)).charter
    return found


def _clauses(charter: Charter) -> list[Clause]:
    return [clause for clause in charter.clauses if clause.state is not State.DRAFT]


PAGES: Final = {"me-report": reports, "me-report-send": send, "me-reported": reported}
