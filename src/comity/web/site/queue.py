"""The queue: everything that waits for a person, in several views; and many items decided at once."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from starlette.responses import Response

from comity.core.access import May
from comity.core.errors import ComityError, StoreError
from comity.core.queue import After, Item, Kind, Query, Waiting, may_decide
from comity.core.verdicts import name_of
from comity.stores.process_contract import Intent, Stage
from comity.web.site.context import Context, Toast
from comity.web.site.readers import ReadingStore
from comity.web.site.verdict_form import AmissError, choices, together_of

PAGE: Final = 50
_NUMBER: Final = 1 << 53  # what is larger is no number of anything
MOST: Final = 200  # items that are decided at once
_LOOKED: Final = 1000  # findings of a member among which the excerpt is looked for
_LATELY: Final = 60_000  # milliseconds: verdicts of one's own that are shown
# Groups of harms to look at alone: what begins their names.
GROUPS: Final = ("child_safety", "violence", "danger", "harassment", "adult", "spam", "tos", "house")


class View(NamedTuple):
    """One of the queues. may: who has it."""

    name: str
    kinds: tuple[Kind, ...] = ()
    may: May = May.DECIDE
    escalated: bool | None = None
    mine: bool = False


# For moderators all of them; whoever is neutral has those that are theirs.
VIEWS: Final = (
    View("all"),
    View("proposals", (Kind.PROPOSAL,)),
    View("provisional", (Kind.PROVISIONAL,)),
    View("reports", (Kind.REPORT,)),
    View("findings", (Kind.FINDING,)),
    View("appeals", (Kind.APPEAL,), May.HEAR),
    View("samples", (Kind.SAMPLE,), May.SECOND),
    View("escalated", may=May.HEAR, escalated=True),
    View("mine", may=May.HEAR, mine=True),
)


class Shown(NamedTuple):
    """A page of a view. next: where the next begins, "" at the end; mine: own verdicts of the last minute."""

    rows: list[Waiting]
    next: str
    counts: dict[str, int]
    mine: list[Intent]


async def queue(context: Context) -> Response:
    """What waits."""
    views = [view for view in VIEWS if context.may(view.may)]
    asked = context.asked("view")
    view = next((v for v in views if v.name == asked), views[0])
    harm = next((group for group in GROUPS if group == context.asked("harm")), "")
    oldest, search = context.asked("order") == "age", context.asked("q").replace("\0", "")
    query = _query(context, view, harm=harm, text=search, oldest=oldest)
    after = _after(context.asked("after"))
    shown = await context.read(lambda store: _shown(store, context, query, after))
    keep = {"view": view.name, "harm": harm, "order": "age" if oldest else ""}
    return context.render(
        "queue.html",
        views=views,
        view=view,
        harm=harm,
        groups=GROUPS,
        oldest=oldest,
        search=search,
        rows=shown.rows,
        counts=shown.counts,
        mine=shown.mine,
        next=shown.next,
        first=after is None,
        keep={k: v for k, v in keep.items() if v},
    )


def _query(context: Context, view: View, *, harm: str = "", text: str = "", oldest: bool = False) -> Query:
    return Query(
        communities=(context.community,),
        kinds=view.kinds,
        harm=harm,
        text=text,
        escalated=view.escalated,
        locked_by=context.who.name if view.mine else "",
        oldest=oldest,
    )


def _shown(store: ReadingStore, context: Context, query: Query, after: After | None) -> Shown:
    process, now = store.process, context.at
    rows = process.items(query, now, after=after, most=PAGE + 1)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    here = process.overview((context.community,), now, now)
    mine = [i for i in process.intents(context.who.name, most=30) if _fresh(i, context)]
    return Shown(
        [row for row in rows[:PAGE] if offered(store, context, row)],
        After(last.rank, last.at, last.item).key if last else "",
        here.waiting,
        mine,
    )


def _fresh(intent: Intent, context: Context) -> bool:
    """Whether somebody wants to see a verdict of theirs: it can be taken back, or it could not be carried out."""
    if intent.community != context.community:
        return False
    if intent.state is Stage.WAITING:
        return True
    return intent.state is Stage.REFUSED and context.at - (intent.over_at or 0) < 10 * _LATELY


def role_allows(context: Context, row: Waiting) -> bool:
    """Whether an item is for whoever asks, as far as their role goes."""
    return may_decide(context.roles, row.item.kind, escalated=row.escalated)


def offered(store: ReadingStore, context: Context, row: Waiting) -> bool:
    """Whether an item is for whoever asks: by role, and not where they decided in the case before."""
    if not role_allows(context, row):
        return False
    who = context.who
    if who.member and row.member == who.member:
        return False
    names = {who.name}
    if who.member and (known := store.access.member_is(who.member)):
        names.add(known[1])
    if row.item.kind is Kind.APPEAL:
        return not names & store.process.deciders(row.item.number)
    if row.item.kind is Kind.SAMPLE:
        sample = store.process.sample(row.item.number)
        steps = store.decisions.course(sample.decision) if sample else ()
        return not names & {step.by for step in steps}
    return True


# Many at once.


async def together(context: Context) -> Response:
    """Decide what is alike at once: with a reason, after one has seen it."""
    items = _items(context)
    if context.request.method == "POST":
        return await _decide(context, items)
    return await _together(context, items)


async def _together(
    context: Context, items: Sequence[Item], *, amiss: str = "", outcome: Sequence[tuple[str, str]] = ()
) -> Response:
    """The page that shows what would be decided together."""

    def ask(store: ReadingStore) -> list[tuple[Waiting, str, str]]:
        found = []
        for item in items:
            row = store.process.item(item, context.at)
            if row and row.community == context.community and offered(store, context, row):
                found.append((row, store.process.version(item), _excerpt(store, row)))
        return found

    rows = await context.read(ask)
    kinds = {row.item.kind for row, _, _ in rows}
    return context.render(
        "queue_together.html",
        400 if amiss else 200,
        rows=rows,
        verdicts=[name_of(v) for v in choices(kinds)],
        clauses={row.clause_id for row, _, _ in rows},
        amiss=amiss,
        outcome=outcome,
        chosen=context.given("verdict", 20),
        reason=context.given("reason"),
    )


async def _decide(context: Context, items: Sequence[Item]) -> Response:
    here = [i for i in items if await _theirs(context, i)]
    versions = {item: context.given(f"version-{item.key}", 100) for item in here}
    try:
        verdict = together_of(context, {item.kind for item in here})
    except AmissError as amiss:
        return await _together(context, items, amiss=context.t(amiss.key, **amiss.values))
    came = await context.office.decide_all(versions, verdict, context.who)
    for item in came:
        context.site.live.publish(context.community, "queue", item.key)
    given = [came_of.number for came_of in came.values() if isinstance(came_of, Intent)]
    failed = [(item.key, why) for item, why in came.items() if isinstance(why, str)]
    said = context.t("together done", n=len(given), verdict=context.t(f"verdict {name_of(verdict)}"))
    waiting = [number for number in given if number]
    undo = undoing(context, said, waiting) if waiting else Toast(said)
    if failed:
        context.site.toast(context.key, undo)
        return await _together(context, [Item.of(key) for key, _ in failed], outcome=failed)
    return context.done(context.url("queue"), undo)


async def undo(context: Context) -> Response:
    """Take back one's own verdicts, while that is possible."""
    numbers = [int(n) for n in context.given("intents", 4000).split(",") if n.isdecimal()]
    back, why = 0, ""
    for number in numbers[:MOST]:
        try:
            await context.office.undo(number, context.who)
        except StoreError:
            raise
        except ComityError as error:
            why = str(error)
        else:
            back += 1
    context.site.live.publish(context.community, "queue")
    to = context.given("back", 100)
    here = context.url("case", item=to) if back and _is_item(to) else context.url("queue")
    if back:
        return context.done(here, context.t("undone", n=back))
    return context.done(here, Toast(context.t("undone none", why=why), good=False))


def undoing(context: Context, said: str, intents: Sequence[int], back: str = "") -> Toast:
    """A toast with which verdicts can be taken back. back: the item to return to."""
    fields = {"intents": ",".join(map(str, intents)), "back": back}
    return Toast(said, undo=context.url("undo"), fields=fields, seconds=10)


async def _theirs(context: Context, item: Item) -> bool:
    def ask(store: ReadingStore) -> bool:
        row = store.process.item(item, context.at)
        return row is not None and row.community == context.community and offered(store, context, row)

    return await context.read(ask)


def _excerpt(store: ReadingStore, row: Waiting) -> str:
    """What it is about, in the member's own words, as far as it is kept."""
    item, process = row.item, store.process
    if item.kind in {Kind.PROPOSAL, Kind.PROVISIONAL}:
        decision = store.decisions.decision(item.number)
        wanted = set(decision.findings) if decision else set()
    elif item.kind is Kind.FINDING:
        wanted = {item.number}
    else:
        report = process.report(item.number) if item.kind is Kind.REPORT else None
        return report.text if report else ""
    rows = process.findings_of(row.member, most=_LOOKED)
    return next((f.excerpt for f in rows if f.number in wanted and f.excerpt), "")


def _items(context: Context) -> list[Item]:
    """The items of the form or the address, each once."""
    source = context.form if context.request.method == "POST" else context.request.query_params
    keys = [key for key in source.getlist("item") if isinstance(key, str) and _is_item(key)]
    return [Item.of(key) for key in dict.fromkeys(keys)][:MOST]


def _is_item(key: str) -> bool:
    try:
        return Item.of(key).number < _NUMBER
    except ValueError:
        return False


def _after(key: str) -> After | None:
    try:
        found = After.of(key)
    except ValueError:
        return None
    return found if max(abs(found.rank), abs(found.at), found.item.number) < _NUMBER else None


PAGES: Final = {"queue": queue, "together": together, "undo": undo}
