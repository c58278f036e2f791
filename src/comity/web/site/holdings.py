"""Everything that is kept about a member, as JSON, written piece by piece; docs/your-page.md says what is what."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

import msgspec

from comity.core.decision import MACHINE
from comity.core.event import rfc3339
from comity.core.looking import Look
from comity.core.queue import Item, Kind, Query
from comity.runner.own import Own
from comity.web.site.context import Context
from comity.web.site.readers import ReadingStore

FORM: Final = 1  # the number of this form; another form has another number
_PAGE: Final = 200
_FIRST: Final = 1 << 60
_CASES: Final = (Kind.REPORT, Kind.PROPOSAL, Kind.FINDING)
# Rows of a page, and the key of the page behind it.
Page = tuple[Sequence[object], int | None]


async def written(context: Context, own: Own) -> AsyncIterator[bytes]:
    """The JSON text, in pieces; no more than one page of a list is held at a time."""
    community, member, at = context.community, context.member, context.at
    row = await context.read(lambda store: store.member(member))
    until = await context.read(lambda store: open_since(store, community, context.known.pseudonym, at))
    head = {
        "form": FORM,
        "made_at": rfc3339(context.now),
        "community": context.community_name,
        "charter": {"language": own.charter.language, "time_zone": own.charter.time_zone},
        "member": {
            "pseudonym": context.known.pseudonym,
            "account": row.account if row else None,
            "name": row.name if row else None,
        },
        "standing": own.summed,
        "curve": own.curve,
    }
    yield msgspec.json.encode(head).removesuffix(b"}")
    yield b',"rooms":' + msgspec.json.encode(dict(await context.office.rooms(community)))
    for name, ask in _lists(member, at, until).items():
        yield b',"' + name.encode() + b'":['
        async for piece in _rows(context, ask):
            yield piece
        yield b"]"
    yield b"}\n"


def open_since(store: ReadingStore, community: int, pseudonym: str, now: int) -> int:
    """Since when something about a member waits for a person; a moment ahead if nothing does.

    What was looked at and noted in an open case is shown once it is over: nobody is to learn from it who reported them.
    """
    query = Query(communities=(community,), kinds=_CASES, text=pseudonym)
    return min((waiting.at for waiting in store.process.items(query, now, most=1000)), default=now + 1)


def told(store: ReadingStore, looks: Sequence[Look], until: int, now: int) -> list[Look]:
    """The looks that the member may read: before something began to wait, and of no case that still does."""
    return [
        look for look in looks if look.at < until and not (look.case and store.process.item(Item.of(look.case), now))
    ]


async def _rows(context: Context, ask: Callable[[ReadingStore, int], Page]) -> AsyncIterator[bytes]:
    place: int | None = _FIRST
    comma = b""
    while place is not None:
        here = place
        rows, place = await context.read(lambda store: ask(store, here))  # noqa: B023  awaited within the turn
        for row in rows:
            yield comma + msgspec.json.encode(row)
            comma = b",\n"


def _lists(member: int, now: int, until: int) -> dict[str, Callable[[ReadingStore, int], Page]]:
    """What reads a page of each list before a number."""
    return {
        "activity": lambda s, _: ([a._asdict() for a in s.process.activity_of(member)], None),
        "findings": lambda s, before: _findings(s, member, before),
        "decisions": lambda s, before: _decisions(s, member, before),
        "appeals": lambda s, before: _own(s.process.appeals(member=member, before=before, most=_PAGE)),
        "reports": lambda s, before: _own(s.process.reports(reporter=member, before=before, most=_PAGE)),
        "reported": lambda s, before: _reported(s, member, before),
        "notes": lambda s, _: (_notes(s, member, until), None),
        "looks": lambda s, before: _looks(s, member, before, until, now),
        "sessions": lambda s, _: (
            [
                {"opened": x.opened, "used": x.used, "until": x.until, "how": x.how, "browser": x.label}
                for x in s.access.sessions(now, member=member)
            ],
            None,
        ),
    }


def _page(rows: Sequence[Any]) -> Page:
    return rows, rows[-1].number if len(rows) == _PAGE else None


def _by(name: str) -> str:
    """Who decided, as members are told: the machine, or a person; "" where nobody did yet."""
    return name if name in {"", MACHINE} else "person"


def _own(rows: Sequence[Any]) -> Page:
    return [msgspec.structs.replace(row, by=_by(row.by)) for row in rows], _page(rows)[1]


def _findings(store: ReadingStore, member: int, before: int) -> Page:
    rows, clauses = store.process.findings_of(member, before=before, most=_PAGE), store.clause_rows()
    found = [
        f._asdict() | {"clause": clauses[f.clause - 1]._asdict(), "figures": msgspec.Raw(f.figures.encode())}
        for f in rows
    ]
    return found, _page(rows)[1]


def _notes(store: ReadingStore, member: int, until: int) -> list[object]:
    return [{"at": n.at, "text": n.text} for n in store.process.notes(member=member) if n.at < until]


def _decisions(store: ReadingStore, member: int, before: int) -> Page:
    rows = store.process.decisions_of(member, before=before, most=_PAGE)
    found = [
        {
            "decision": msgspec.structs.replace(decision, by=_by(decision.by)),
            "statement": store.decisions.statement(decision.number),
            "course": [s._replace(by=_by(s.by))._asdict() for s in store.decisions.course(decision.number)],
        }
        for decision in rows
        if not decision.proposed
    ]
    return found, _page(rows)[1]


def _reported(store: ReadingStore, member: int, before: int) -> Page:
    """That they were reported, and what came of it; not by whom, nor in what words: that would tell who it was."""
    rows = store.process.reports(member=member, before=before, most=_PAGE)
    return [{"at": r.at, "harm": r.harm, "came": r.came} for r in rows], _page(rows)[1]


def _looks(store: ReadingStore, member: int, before: int, until: int, now: int) -> Page:
    rows = store.process.looks(member=member, before=before, most=_PAGE)
    return told(store, rows, until, now), _page(rows)[1]
