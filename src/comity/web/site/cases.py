"""One case: what was found and why, what a verdict would do and say, and the verdict."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
from markupsafe import Markup
from starlette.responses import Response

from comity.core.access import May
from comity.core.case_file import CaseFile, Decided, Step, Told
from comity.core.charter import Measure
from comity.core.decision import MACHINE
from comity.core.errors import ComityError, StoreError
from comity.core.queue import Item, Kind, Waiting
from comity.core.standing import date_of
from comity.core.templates import Template
from comity.core.verdicts import Escalate, Note, endless, name_of
from comity.stores.decisions_contract import StepRow
from comity.web.site import charts, queue
from comity.web.site.context import Context
from comity.web.site.readers import ReadingStore
from comity.web.site.render import exact
from comity.web.site.verdict_form import LASTS, AmissError, begun, verdict_of

_VERSION: Final = 100  # characters
_TABLE_EVERY: Final = 30  # days between two rows of the curve as text


class Trouble(NamedTuple):
    """Why a verdict was not taken. moved: what happened since one looked, in sentences."""

    why: str
    moved: tuple[str, ...] = ()
    status: int = 409


class Reason(NamedTuple):
    """A template, begun for this case."""

    name: str
    language: str
    text: str


async def case(context: Context) -> Response:
    """Everything about an item; whoever can decide it has it open from now on."""
    item = await _item(context)
    if item is None:
        return await _over(context)
    return await _case(context, item)


async def _case(
    context: Context, item: Item, *, trouble: Trouble | None = None, told: Sequence[Told] | None = None
) -> Response:
    file = await _file(context, item)
    if file is None:
        return await _over(context)
    kept = "" if file.barred else await _keep(context, item)
    if not file.barred and not kept:
        file = msgspec.structs.replace(file, item=msgspec.structs.replace(file.item, locked_by=context.who.name))
    names = not _blind_names(item)
    return context.render(
        "case.html",
        trouble.status if trouble else 200,
        file=file,
        item=file.item,
        taken=kept,
        mine=not file.barred and not kept,
        trouble=trouble,
        told=told,
        curve=_curve(context, file),
        every=_every(file),
        dates=_dates(file),
        reasons=await _reasons(context, file),
        lasts=tuple(LASTS),
        measures=tuple(Measure),
        endless=endless,
        alike=[] if file.blind else await _alike(context, item),
        by=lambda name: _by(context, name, names=names),
        given=context.given,
        seen=context.at,
    )


async def decide(context: Context) -> Response:
    """Give a verdict on the item as it was seen."""
    item = await _item(context)
    file = await _file(context, item) if item else None
    if item is None or file is None:
        return await _over(context)
    try:
        verdict = verdict_of(context, file.item, _end(file))
    except AmissError as amiss:
        why = context.t(amiss.key, **amiss.values)
        return await _case(context, item, trouble=Trouble(why, status=400))
    version = context.given("version", _VERSION)
    try:
        if file.version == version:
            await context.office.preview(
                item, verdict, context.who
            )  # what cannot be done is said now, not in ten seconds
        intent = await context.office.decide(item, verdict, context.who, version)
    except StoreError:
        raise
    except ComityError as error:
        moved = _moved(context, file, version) if file.version != version else ()
        return await _case(context, item, trouble=Trouble(str(error), moved))
    context.site.live.publish(context.community, "queue", item.key)
    name = name_of(verdict)
    said = context.t(f"said {name}", item=context.t(f"kind {item.kind}"), number=item.number)
    here = context.url("case", item=item.key) if isinstance(verdict, Note) else context.url("queue")
    once = isinstance(verdict, Note | Escalate)
    return context.done(here, said if once else queue.undoing(context, said, [intent.number], item.key))


async def preview(context: Context) -> Response:
    """What the verdict would say; a part of the page, or without script the whole page."""
    item = await _item(context)
    file = await _file(context, item) if item else None
    if item is None or file is None:
        return await _over(context)
    told: list[Told] = []
    why = ""
    try:
        verdict = verdict_of(context, file.item, _end(file))
        told = await context.office.preview(item, verdict, context.who)
    except AmissError as amiss:
        why = context.t(amiss.key, **amiss.values)
    except StoreError:
        raise
    except ComityError as error:
        why = str(error)
    if context.partial:
        return context.render("case_preview.html", told=told, why=why, file=file)
    return await _case(context, item, told=told, trouble=Trouble(why, status=400) if why else None)


async def lock(context: Context) -> Response:
    """Have it open still; says who has it, if it is somebody else."""
    item = await _item(context)
    if item is None:
        return await _over(context)
    file = await _file(context, item)
    why = file.barred if file else ""
    return context.render("case_lock.html", taken=why or await _keep(context, item))


async def release(context: Context) -> Response:
    """Give it back."""
    item = await _item(context)
    if item is None:
        return await _over(context)
    await context.office.release(item, context.who)
    context.site.live.publish(context.community, "queue", item.key)
    return context.done(context.url("queue"), context.t("released"))


async def skip(context: Context) -> Response:
    """Pass it over, with a reason."""
    item = await _item(context)
    if item is None:
        return await _over(context)
    try:
        await context.office.skip(item, context.who, context.given("reason", 500))
    except StoreError:
        raise
    except ComityError:
        return await _case(context, item, trouble=Trouble(context.t("reason missing"), status=400))
    context.site.live.publish(context.community, "queue", item.key)
    return context.done(context.url("queue"), context.t("skipped"))


async def _item(context: Context) -> Item | None:
    """The item of the address, if it is of this community and for whoever asks; None else, whatever the reason."""
    try:
        item = Item.of(context.request.path_params["item"])
    except ValueError:
        return None

    def ask(store: ReadingStore) -> bool:
        row = store.process.item(item, context.at) if item.number < 1 << 53 else None
        return row is not None and row.community == context.community and queue.role_allows(context, row)

    return item if await context.read(ask) else None


async def _file(context: Context, item: Item) -> CaseFile | None:
    try:
        return await context.office.case(item, context.who)
    except StoreError:
        raise
    except ComityError:
        return None


async def _keep(context: Context, item: Item) -> str:
    """Have an item for oneself; who has it, if it is somebody else, or "" ."""
    before = await context.read(lambda store: store.process.item(item, context.at))
    try:
        await context.office.lock(item, context.who)
    except StoreError:
        raise
    except ComityError as error:
        return str(error)
    if before is not None and before.locked_by != context.who.name:
        context.site.live.publish(context.community, "queue", item.key)
    return ""


async def _over(context: Context) -> Response:
    """It does not wait: the same whether it never did or is not theirs; of one that was theirs, what became of it."""
    try:
        item = Item.of(context.request.path_params["item"])
    except ValueError:
        item = None
    line = ""
    if item and item.kind in {Kind.PROPOSAL, Kind.PROVISIONAL} and context.may(May.DECIDE) and item.number < 1 << 53:

        def ask(store: ReadingStore) -> tuple[int, Sequence[StepRow]]:
            decision = store.decisions.decision(item.number)
            return decision.community if decision else 0, store.decisions.course(item.number)

        community, steps = await context.read(ask)
        if community == context.community and len(steps) > 1:
            line = _step(context, steps[-1], item.number, names=True)
    return context.render("case_over.html", 404, line=line)


def _step(context: Context, step: Step | StepRow, number: int, *, names: bool) -> str:
    """A step of a decision in a sentence."""
    return context.t(
        "moved decision",
        number=number,
        course=context.t(f"course {step.course}"),
        by=_by(context, step.by, names=names),
        at=exact(step.at, context.language),
        reason=step.reason,
    )


def _end(file: CaseFile) -> int | None:
    """The end that a measure has now."""
    return file.decision.decision.until if file.decision else None


def _blind_names(item: Item) -> bool:
    """Whether names of those who decided are left out: of an appeal, who decided is told by role alone."""
    return item.kind in {Kind.APPEAL, Kind.SAMPLE}


def _by(context: Context, name: str, *, names: bool) -> str:
    if name == MACHINE:
        return context.t("by machine")
    return name if names or name == context.who.name else context.t("by somebody")


def _moved(context: Context, file: CaseFile, version: str) -> tuple[str, ...]:
    """What happened since somebody looked, from the version they saw."""
    seen = context.given("seen", 15)
    since = int(seen) if seen.isdecimal() else context.at
    found = []
    decided: Sequence[Decided] = [*([file.decision] if file.decision else []), *file.before]
    steps: list[tuple[Step, Decided]] = [(step, d) for d in decided for step in d.steps if step.at >= since]
    for step, of in sorted(steps, key=lambda pair: pair[0].at):
        found.append(_step(context, step, of.decision.number, names=not _blind_names(file.item.item)))
    before, after = version.split("."), file.version.split(".")
    if len(before) == len(after) == 4:  # noqa: PLR2004  state, steps, last finding, findings taken back
        found += [context.t("moved found")] * (before[2] != after[2])
        found += [context.t("moved back")] * (before[3] != after[3])
    return tuple(found) or (context.t("moved"),)


async def _alike(context: Context, item: Item) -> list[str]:
    """Other items of the same turn and clause that nobody has open, as far as they can be decided together."""
    found = await context.office.alike(item)
    free = [w for w in found if w.locked_by in {"", context.who.name} and queue.role_allows(context, w)]
    return [w.item.key for w in free[: queue.MOST - 1]]


def _curve(context: Context, file: CaseFile) -> Markup | None:
    """The member's standing over the last 180 days."""
    if not file.curve or file.standing is None:
        return None
    points = [charts.Point(date_of(p.day).isoformat(), p.points, p.low, p.high) for p in file.curve]
    title = context.t("case curve", days=len(points))
    lines = [
        (context.t("standing line", name=context.t(f"band {band.name.lower()}"), at=at // 1000), at)
        for band, at in file.begins
    ]
    return charts.curve(points, title, lines)


def _every(file: CaseFile) -> list[Any]:
    """Days of the curve for those who read it: each month, and the last."""
    days = list(file.curve)
    return [p for n, p in enumerate(days) if n % _TABLE_EVERY == 0 or n == len(days) - 1]


def _dates(file: CaseFile) -> dict[int, str]:
    """The date of every day that the page names."""
    lines = file.standing.lines if file.standing else ()
    days = {p.day for p in file.curve}
    days |= {line.day for line in lines if line.day is not None}
    days |= {line.forgotten for line in lines if line.forgotten is not None}
    days |= {m.on for m in (file.standing.missing if file.standing else ()) if m.on is not None}
    return {day: date_of(day).isoformat() for day in days}


async def _reasons(context: Context, file: CaseFile) -> list[Reason]:
    """Templates with what is known of this case in them."""
    community = context.community
    found: Sequence[Template] = await context.read(lambda store: store.process.templates(community))
    values = _values(context, file)
    return [Reason(t.name, t.language, begun(t, values)) for t in found]


def _values(context: Context, file: CaseFile) -> dict[str, str]:
    waiting: Waiting = file.item
    excerpt = next((shown.excerpt for shown in file.evidence if shown.excerpt), "")
    room = next((shown.room for shown in file.evidence if shown.room), "")
    until = file.decision.decision.until if file.decision else None
    measure = file.decision.decision.measure if file.decision else waiting.measure
    return {
        "member": waiting.pseudonym,
        "room": room,
        "clause": waiting.clause_id,
        "measure": context.t(f"one {measure}") if measure else "",
        "until": exact(until, context.language) if until else "",
        "excerpt": excerpt,
    }


PAGES: Final = {
    "case": case,
    "case-decide": decide,
    "case-preview": preview,
    "case-lock": lock,
    "case-release": release,
    "case-skip": skip,
}
