"""Decisions, statements, reports and appeals over the API."""

from typing import Annotated, Final

import msgspec

from comity.core.appeal import Appeal
from comity.core.case_file import Step
from comity.core.decision import MACHINE, Decision
from comity.core.errors import ComityError
from comity.core.report import Came, Report
from comity.core.statement import Statement, as_text
from comity.web.api.call import (
    Answer,
    Asked,
    Call,
    Deed,
    FromNumber,
    Line,
    Most,
    Number,
    Paged,
    missing,
    number_of,
    part_of,
)
from comity.web.api.queue import SOMEBODY
from comity.web.site.context import Context
from comity.web.site.readers import ReadingStore


class Beyond(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which part of a list by number, in order. beyond: only greater numbers; since: milliseconds since 1970."""

    beyond: Number = 0
    since: Number = 0
    most: Most = 50


class WholeDecision(msgspec.Struct, frozen=True):
    """A decision with its course."""

    decision: Decision
    course: tuple[Step, ...]


class Stated(msgspec.Struct, frozen=True):
    """A statement, and as the member reads it."""

    statement: Statement
    text: str


class NewReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A report in the name of a member.

    reporter: account on the platform or pseudonym, of a member that Comity knows; about: a link to a message, or a
    member's account or name, as somebody would paste it; room: the number of the message's room where the link does not
    say it; harm: of the published list, "" for none.
    """

    reporter: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    about: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    room: Number = 0
    harm: Line = ""
    text: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class Outcome(msgspec.Struct, frozen=True):
    """What came of a report. closed_at: milliseconds since 1970, None while it is open; reason: of the outcome."""

    number: int
    at: int
    came: Came
    closed_at: int | None
    reason: str


async def decisions(context: Context, asked: Asked) -> Answer:
    """All decisions, in order."""
    q, community = asked.query, context.community
    found = await context.read(
        lambda s: s.decisions.decisions(community=community, since=q.since or None, beyond=q.beyond, most=q.most + 1)
    )
    return Answer(part_of(found, q.most, lambda d: d.number))


async def decision(context: Context, _asked: Asked) -> Answer:
    """One decision, and what became of it."""
    found = await _decision(context)
    steps = await context.read(lambda store: store.decisions.course(found.number))
    return Answer(WholeDecision(found, tuple(Step(s.at, s.by, s.course, s.reason) for s in steps)))


async def statement(context: Context, _asked: Asked) -> Answer:
    """The statement of reasons that the member got."""
    found = await _decision(context)
    stated = await context.read(lambda store: store.decisions.statement(found.number))
    if stated is None:
        raise missing()
    return Answer(Stated(stated, as_text(stated)))


async def reports(context: Context, asked: Asked) -> Answer:
    """Reports, the last first."""
    q, community = asked.query, context.community
    found = await context.read(
        lambda s: s.process.reports(community=community, before=q.before or _END, most=q.most + 1)
    )
    return Answer(part_of(found, q.most, lambda r: r.number))


async def report(context: Context, _asked: Asked) -> Answer:
    """One report."""
    return Answer(await _report(context))


async def outcome(context: Context, _asked: Asked) -> Answer:
    """What came of a report, for whoever sent it in."""
    r = await _report(context)
    return Answer(Outcome(r.number, r.at, r.came, r.closed_at, r.reason))


async def make_report(context: Context, asked: Asked) -> Deed:
    """Send in a report; persons look at it, and it moves nobody's standing."""
    new: NewReport = asked.body
    community, name = context.community, new.reporter

    def ask(store: ReadingStore) -> int:
        if (number := store.access.member_called(community, name)) is not None:
            return number
        rows = store.process.members([community], text=name, most=50)
        return next((row.number for row in rows if row.account == name), 0)

    reporter = await context.read(ask)
    if not reporter:
        raise ComityError("the reporter is no member that Comity knows: name an account or a pseudonym")
    known = {number for number, _ in await context.office.rooms(community)}
    if new.room and new.room not in known:
        raise ComityError(f"there is no room {new.room} in this community")
    about = await context.office.pointed(community, new.about, room=new.room)
    if about.why is not None:
        raise ComityError(f"it cannot be told what is reported: {_WHY[about.why]}")
    return Deed(
        context.office.report(
            community, reporter, member=about.member, room=about.room, event=about.event, harm=new.harm, text=new.text
        )
    )


async def appeals(context: Context, asked: Asked) -> Answer:
    """Appeals, the last first. One is heard by a verdict on its item, ``appeal-12``."""
    q, community = asked.query, context.community
    found = await context.read(
        lambda s: s.process.appeals(community=community, before=q.before or _END, most=q.most + 1)
    )
    return Answer(part_of([_bare(a, context) for a in found], q.most, lambda a: a.number))


async def appeal(context: Context, _asked: Asked) -> Answer:
    """One appeal, with its evidence."""
    number = number_of(context)
    found = await context.read(lambda store: store.process.appeal(number))
    if found is None or found.community != context.community:
        raise missing()
    return Answer(_bare(found, context))


def _bare(appeal: Appeal, context: Context) -> Appeal:
    """Who heard it is told by role alone."""
    known = {MACHINE, "", context.who.name}
    return appeal if appeal.by in known else msgspec.structs.replace(appeal, by=SOMEBODY)


async def _decision(context: Context) -> Decision:
    number = number_of(context)
    found = await context.read(lambda store: store.decisions.decision(number))
    if found is None or found.community != context.community:
        raise missing()
    return found


async def _report(context: Context) -> Report:
    number = number_of(context)
    found = await context.read(lambda store: store.process.report(number))
    if found is None or found.community != context.community:
        raise missing()
    return found


_END: Final = 1 << 53
_WHY: Final = {
    "nothing": "nothing was named",
    "room": "it is in no room of this community",
    "where": "a message was named, and not where it is",
    "nobody": "no member is called so",
    "several": "more than one member is called so: name the account",
}
CALLS: Final = {
    "api-decisions": Call(decisions, "Decisions", "decisions", Paged[Decision], asks=Beyond),
    "api-decision": Call(decision, "A decision", "decisions", WholeDecision),
    "api-statement": Call(statement, "The statement of reasons of a decision", "decisions", Stated),
    "api-reports": Call(reports, "Reports", "reports", Paged[Report], asks=FromNumber),
    "api-report-make": Call(make_report, "Send in a report", "reports", Report, NewReport, status=201),
    "api-report": Call(report, "A report", "reports", Report),
    "api-outcome": Call(outcome, "What came of a report", "reports", Outcome),
    "api-appeals": Call(appeals, "Appeals", "appeals", Paged[Appeal], asks=FromNumber),
    "api-appeal": Call(appeal, "An appeal", "appeals", Appeal),
}
