"""The queue over the API: what waits, a case, and the verdict on it."""

from typing import Annotated, Final

import msgspec

from comity.core.case_file import CaseFile, Decided, Step, Told
from comity.core.decision import MACHINE
from comity.core.queue import After, Item, Kind, Query, Waiting, may_decide
from comity.core.verdicts import Verdict
from comity.stores.process_contract import Intent
from comity.web.api.call import (
    NOTHING,
    Answer,
    Asked,
    Call,
    Deed,
    Line,
    Most,
    Paged,
    Reason,
    missing,
    number_of,
    part_of,
)
from comity.web.api.problems import ProblemError
from comity.web.site.context import Context
from comity.web.site.readers import ReadingStore

SOMEBODY: Final = "somebody"  # who decided what is to be heard, or looked at again
_MOST: Final = 1 << 53  # greater numbers are no item's


class AskedQueue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which part of the queue. text: a clause's id, the start of a pseudonym, or an item's key; after: ``next``."""

    kind: Kind | msgspec.UnsetType = msgspec.UNSET
    harm: Line = ""
    text: Line = ""
    escalated: bool | msgspec.UnsetType = msgspec.UNSET
    oldest: bool = False
    after: Line = ""
    most: Most = 50


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why something is done."""

    reason: Reason


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A verdict on a case as it was seen. version: of the case, unless the header ``If-Match`` says it."""

    verdict: Verdict
    version: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A verdict that is not given yet."""

    verdict: Verdict


async def queue(context: Context, asked: Asked) -> Answer:
    """What waits, the most urgent first; a part may hold fewer than ``most`` where some are not yours to decide."""
    q: AskedQueue = asked.query
    query = Query(
        communities=(context.community,),
        kinds=() if q.kind is msgspec.UNSET else (q.kind,),
        harm=q.harm,
        text=q.text,
        escalated=None if q.escalated is msgspec.UNSET else q.escalated,
        oldest=q.oldest,
    )
    try:
        after = After.of(q.after) if q.after else None
    except ValueError:
        raise ProblemError(400, "after is the next of a part before") from None
    if after and max(after.rank, after.at, after.item.number) >= _MOST:
        raise ProblemError(400, "after is the next of a part before")
    now, most = context.at, q.most
    rows = await context.read(lambda store: store.process.items(query, now, after=after, most=most + 1))
    part = part_of(rows, most, lambda last: After(last.rank, last.at, last.item).key)
    return Answer(Paged(tuple(row for row in part.items if _theirs(context, row)), part.next))


async def case(context: Context, _asked: Asked) -> Answer:
    """Everything about an item; its ETag is the version that a verdict names."""
    file = await context.office.case(await _item(context), context.who)
    return Answer(without_names(file, context.who.name), file.version)


async def lock(context: Context, _asked: Asked) -> Deed:
    """Have an item for oneself for ten minutes."""
    return Deed(context.office.lock(await _item(context), context.who))


async def release(context: Context, _asked: Asked) -> Deed:
    """Give an item back."""
    return Deed(context.office.release(await _item(context), context.who))


async def skip(context: Context, asked: Asked) -> Deed:
    """Pass an item over, and say why."""
    return Deed(context.office.skip(await _item(context), context.who, asked.body.reason))


async def decide(context: Context, asked: Asked) -> Deed:
    """Give a verdict; ten seconds long it can be taken back."""
    item, given = await _item(context), asked.body
    version = given.version or asked.match
    if not version:
        raise ProblemError(428, "name the version of the case that you saw: If-Match, or version")
    if (await context.read(lambda store: store.process.version(item))) != version:
        raise ProblemError(412, "something was decided or found since you looked: look again")
    return Deed(context.office.decide(item, given.verdict, context.who, version))


async def preview(context: Context, asked: Asked) -> Answer:
    """What a verdict would say to those it concerns; nothing is changed."""
    told = await context.office.preview(await _item(context), asked.body.verdict, context.who)
    return Answer(tuple(told))


async def verdicts(context: Context, _asked: Asked) -> Answer:
    """One's own last verdicts, and what came of them."""
    name, community = context.who.name, context.community
    found = await context.read(lambda store: store.process.intents(name, most=50))
    return Answer(tuple(intent for intent in found if intent.community == community))


async def verdict(context: Context, _asked: Asked) -> Answer:
    """One verdict of one's own."""
    return Answer(await _intent(context))


async def undo(context: Context, _asked: Asked) -> Deed:
    """Take back one's own verdict, before it is carried out."""
    intent = await _intent(context)
    return Deed(context.office.undo(intent.number, context.who))


def without_names(file: CaseFile, own: str) -> CaseFile:
    """The case as who looks may see it: of an appeal or a sample, who decided before is told by role alone."""
    if file.item.item.kind not in {Kind.APPEAL, Kind.SAMPLE}:
        return file

    def shown(name: str) -> str:
        return name if name in {MACHINE, own, ""} else SOMEBODY

    def bare(decided: Decided) -> Decided:
        decision = msgspec.structs.replace(decided.decision, by=shown(decided.decision.by))
        steps = tuple(Step(s.at, shown(s.by), s.course, s.reason) for s in decided.steps)
        return msgspec.structs.replace(decided, decision=decision, steps=steps)

    return msgspec.structs.replace(
        file,
        decision=bare(file.decision) if file.decision else None,
        before=tuple(map(bare, file.before)),
        reports=tuple(msgspec.structs.replace(r, by=shown(r.by)) for r in file.reports),
    )


def _theirs(context: Context, row: Waiting) -> bool:
    return may_decide(context.roles, row.item.kind, escalated=row.escalated)


async def _item(context: Context) -> Item:
    """The item of the path, if it waits here and is theirs."""
    try:
        item = Item.of(context.request.path_params["item"])
    except ValueError:
        raise missing() from None
    now = context.at

    def ask(store: ReadingStore) -> Waiting | None:
        return store.process.item(item, now) if item.number < _MOST else None

    row = await context.read(ask)
    if row is None or row.community != context.community or not _theirs(context, row):
        raise missing()
    return item


async def _intent(context: Context) -> Intent:
    number = number_of(context)
    found = await context.read(lambda store: store.process.intent(number))
    if found is None or found.community != context.community or found.by.name != context.who.name:
        raise missing()
    return found


_TAG: Final = "queue"
CALLS: Final = {
    "api-queue": Call(queue, "What waits", _TAG, Paged[Waiting], asks=AskedQueue),
    "api-case": Call(case, "A case", _TAG, CaseFile),
    "api-lock": Call(lock, "Have an item for oneself", _TAG, NOTHING, status=204),
    "api-release": Call(release, "Give an item back", _TAG, NOTHING, status=204),
    "api-skip": Call(skip, "Pass an item over", _TAG, NOTHING, Why, status=204),
    "api-decide": Call(decide, "Give a verdict", _TAG, Intent, Given, status=202, match=True),
    "api-preview": Call(preview, "What a verdict would say", _TAG, tuple[Told, ...], Asking),
    "api-verdicts": Call(verdicts, "One's own verdicts", "verdicts", tuple[Intent, ...]),
    "api-verdict": Call(verdict, "A verdict of one's own", "verdicts", Intent),
    "api-undo": Call(undo, "Take a verdict back", "verdicts", NOTHING, status=204),
}
