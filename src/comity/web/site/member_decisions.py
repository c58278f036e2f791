"""What was decided about a member, whole; and their appeals: made, added to, taken back, followed."""

import datetime as dt
from collections.abc import Awaitable, Mapping
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from comity.core.appeal import LONGEST, Appeal, Heard, against_refusal
from comity.core.errors import ComityError, StoreError
from comity.core.report import Came, Report
from comity.core.statement import as_text
from comity.stores.process_contract import Medians
from comity.web.site.context import Context, Toast
from comity.web.site.member import not_carried_out, number, rooms
from comity.web.site.readers import ReadingStore
from comity.web.site.rulings import Ruling, of_decision, ruling
from comity.web.site.texts import LANGUAGES

PAGE: Final = 25
_LATELY: Final = dt.timedelta(days=180)  # in which the median times are taken


async def decisions(context: Context) -> Response:
    """Everything that was decided, the last first."""
    member, before, at = context.member, number(context.asked("before")), context.at

    def ask(store: ReadingStore) -> tuple[list[Ruling], str]:
        found: list[Ruling] = []
        place, more = before, ""
        # Proposals impose nothing and are not shown: a page is filled up from behind them.
        while len(found) < PAGE and (some := store.process.decisions_of(member, before=place, most=PAGE)):
            place = some[-1].number
            for decision in some:
                if len(found) < PAGE and (one := of_decision(store, decision, at)) is not None:
                    found.append(one)
        if found and store.process.decisions_of(member, before=found[-1].decision.number, most=1):
            more = f"before={found[-1].decision.number}"
        return found, more

    rows, more = await context.read(ask)
    return context.render(
        "me_decisions.html",
        rows=rows,
        more=more,
        first=before is None,
        zone=await zone(context),
        rooms=await rooms(context),
    )


async def decision(context: Context) -> Response:
    """One decision with its statement, whole, as it can be printed."""
    return await _decision(context)


async def _decision(context: Context, *, problem: str = "", text: str = "") -> Response:
    found = await _mine(context)
    if found is None:
        return context.not_there()
    places = await rooms(context)
    charter = (await context.office.charter(context.community)).charter
    terms = charter.due_process
    return context.render(
        "me_decision.html",
        400 if problem else 200,
        r=found,
        text=statement_text(found, context.language),
        not_carried=not_carried_out(found.decision, places, context.t("me some room")),
        zone=ZoneInfo(found.statement.time_zone),
        rooms=places,
        problem=problem,
        written=text,
        longest=LONGEST,
        days=terms.fast_appeal_days if found.fast else terms.appeal_days,
        medians=await medians(context),
    )


async def appeal_against(context: Context) -> Response:
    """Make an appeal against a decision."""
    found = await _mine(context)
    if found is None:
        return context.not_there()
    text = _text(context)
    if problem := _problem(context, text) or (context.t(f"me barred {found.barred}") if found.barred else ""):
        return await _decision(context, problem=problem, text=text)
    try:
        made: Appeal = await context.office.appeal(
            context.community, context.member, text, decision=found.decision.number
        )
    except StoreError:
        raise
    except ComityError as error:
        return await _decision(context, problem=str(error), text=text)
    return context.done(context.url("me-appeal", number=made.number), context.t("me appeal made"))


async def appeals(context: Context) -> Response:
    """All own appeals, the last first."""
    member, before = context.member, number(context.asked("before")) or 1 << 60
    rows = await context.read(lambda store: store.process.appeals(member=member, before=before, most=PAGE + 1))
    return context.render(
        "me_appeals.html",
        rows=rows[:PAGE],
        more=f"before={rows[PAGE - 1].number}" if len(rows) > PAGE else "",
        first=before == 1 << 60,
        zone=await zone(context),
        medians=await medians(context),
    )


async def appeal(context: Context) -> Response:
    """One appeal: how it stands, and what can still be done."""
    return await _appeal(context)


async def _appeal(context: Context, *, problem: str = "", text: str = "", sure: bool = True) -> Response:
    found = await _own_appeal(context)
    if found is None:
        return context.not_there()
    return context.render(
        "me_appeal.html",
        400 if problem or not sure else 200,
        a=found,
        zone=await zone(context),
        problem=problem,
        written=text,
        sure=sure,
        longest=LONGEST,
        medians=await medians(context),
        open=found.heard is Heard.OPEN,
    )


async def add(context: Context) -> Response:
    """Add to an open appeal."""
    found, text = await _own_appeal(context), _text(context)
    if found is None:
        return context.not_there()
    if problem := _problem(context, text):
        return await _appeal(context, problem=problem, text=text)
    return await _done(
        context, found, context.office.add_evidence(found.number, context.member, text), "me added", text
    )


async def withdraw(context: Context) -> Response:
    """Take an appeal back, if that was said twice."""
    found = await _own_appeal(context)
    if found is None:
        return context.not_there()
    if context.given("sure") != "yes":
        return await _appeal(context, sure=False)
    return await _done(context, found, context.office.withdraw(found.number, context.member), "me withdrawn")


async def appeal_refusal(context: Context) -> Response:
    """Make an appeal against the refusal of a report."""
    report, text = await own_report(context), _text(context)
    if report is None:
        return context.not_there()
    back = context.url("me-reported", number=report.number)
    problem = _problem(context, text)
    if not problem and against_refusal(report, context.member, context.at):
        problem = context.t("me barred late" if report.came is Came.REFUSED else "me barred not refused")
    if problem:
        return context.done(back, Toast(problem, good=False))
    try:
        made: Appeal = await context.office.appeal(context.community, context.member, text, report=report.number)
    except StoreError:
        raise
    except ComityError as error:
        return context.done(back, Toast(str(error), good=False))
    return context.done(context.url("me-appeal", number=made.number), context.t("me appeal made"))


async def own_report(context: Context) -> Report | None:
    """The report of the address, if whoever asks made it."""
    wanted, member = context.request.path_params["number"], context.member
    report = await context.read(lambda store: store.process.report(wanted))
    return report if report is not None and report.reporter == member else None


async def zone(context: Context) -> ZoneInfo:
    """The community's time zone."""
    found: ZoneInfo = (await context.office.charter(context.community)).charter.zone
    return found


async def medians(context: Context) -> Mapping[str, str]:
    """How long outcomes took lately, in words, by kind; "" where nothing was closed."""
    community, at = context.community, context.at
    since = at - round(_LATELY.total_seconds() * 1000)
    found: Medians = await context.read(lambda store: store.process.medians(community, since, at))
    return {kind: span(context, took) if took is not None else "" for kind, took in found._asdict().items()}


def span(context: Context, milliseconds: int) -> str:
    """A span of time in words, coarsely."""
    for unit, name in ((86_400_000, "days"), (3_600_000, "hours")):
        if milliseconds >= 2 * unit:
            return context.t(f"me {name}", n=round(milliseconds / unit))
    return context.t("me minutes", n=max(1, round(milliseconds / 60_000)))


def statement_text(r: Ruling, language: str) -> str:
    """A statement in the reader's language; clause and findings stay in the charter's."""
    known = language if language in LANGUAGES else r.statement.language
    return as_text(msgspec.structs.replace(r.statement, language=known))


async def _mine(context: Context) -> Ruling | None:
    wanted, member, at = context.request.path_params["number"], context.member, context.at
    return await context.read(lambda store: ruling(store, wanted, member, at))


async def _own_appeal(context: Context) -> Appeal | None:
    wanted, member = context.request.path_params["number"], context.member
    found = await context.read(lambda store: store.process.appeal(wanted))
    return found if found is not None and found.member == member else None


async def _done(context: Context, found: Appeal, deed: Awaitable[object], said: str, text: str = "") -> Response:
    try:
        await deed
    except StoreError:
        raise
    except ComityError as error:
        return await _appeal(context, problem=str(error), text=text)
    return context.done(context.url("me-appeal", number=found.number), context.t(said))


def _text(context: Context) -> str:
    return context.given("text", LONGEST + 1)


def _problem(context: Context, text: str) -> str:
    if not text:
        return context.t("me text missing")
    return context.t("me text long", most=LONGEST) if len(text) > LONGEST else ""


PAGES: Final = {
    "me-decisions": decisions,
    "me-decision": decision,
    "me-decision-appeal": appeal_against,
    "me-appeals": appeals,
    "me-appeal": appeal,
    "me-appeal-add": add,
    "me-appeal-withdraw": withdraw,
    "me-reported-appeal": appeal_refusal,
}
