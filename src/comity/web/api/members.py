"""Members over the API: nobody is looked at without a reason that they can read."""

from typing import Final

import msgspec

from comity.core.case_file import MemberFile
from comity.core.looking import Look
from comity.stores.contract import FindingRow
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
from comity.web.api.problems import ProblemError
from comity.web.api.queue import Why
from comity.web.site.context import Context
from comity.web.site.readers import ReadingStore

LOOKED: Final = 3_600_000  # milliseconds that a look holds
_END: Final = 1 << 53


class AskedMembers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which members. text: a part of account or name, or the start of a pseudonym; beyond: only greater numbers."""

    text: Line = ""
    beyond: Number = 0
    most: Most = 50


class MemberLine(msgspec.Struct, frozen=True):
    """A member, by pseudonym; an account or a name is never given out."""

    number: int
    pseudonym: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the ledger about a member. at: milliseconds since 1970; reversed_by: what took it back, or None."""

    entry: int
    at: int
    room: int
    clause: int
    clause_id: str
    event: str
    excerpt: str
    figures: str
    reversed_by: int | None


async def members(context: Context, asked: Asked) -> Answer:
    """Members by number."""
    q, community = asked.query, context.community
    rows = await context.read(lambda s: s.process.members([community], text=q.text, beyond=q.beyond, most=q.most + 1))
    return Answer(part_of([MemberLine(r.number, r.pseudonym) for r in rows], q.most, lambda m: m.number))


async def look(context: Context, asked: Asked) -> Deed:
    """Say why one looks; the member can read it. For an hour, member and findings can be read then."""
    member = await _member(context)
    return Deed(context.office.look(context.community, context.who, asked.body.reason, what="the API", member=member))


async def member(context: Context, _asked: Asked) -> Answer:
    """Standing with all it is made of, decisions, appeals, reports and looks; after one said why."""
    number = await _looked(context)
    file = await context.office.member(context.community, number)
    return Answer(msgspec.structs.replace(file, account=""))


async def findings(context: Context, asked: Asked) -> Answer:
    """What was found about a member, the last first; after one said why."""
    number, q = await _looked(context), asked.query

    def ask(store: ReadingStore) -> list[Finding]:
        rows = store.process.findings_of(number, before=q.before or _END, most=q.most + 1)
        clauses = store.clause_rows()
        return [_finding(row, clauses[row.clause - 1].id) for row in rows]

    return Answer(part_of(await context.read(ask), q.most, lambda f: f.entry))


async def looks(context: Context, asked: Asked) -> Answer:
    """Who looked at whom and why, the last first."""
    q, community = asked.query, context.community
    found = await context.read(lambda s: s.process.looks(community=community, before=q.before or _END, most=q.most + 1))
    return Answer(part_of(found, q.most, lambda look: look.number))


def _finding(row: FindingRow, clause_id: str) -> Finding:
    return Finding(
        entry=row.number,
        at=row.at,
        room=row.room,
        clause=row.clause,
        clause_id=clause_id,
        event=row.event,
        excerpt=row.excerpt,
        figures=row.figures,
        reversed_by=row.reversed_by,
    )


async def _member(context: Context) -> int:
    number = number_of(context, "member")
    row = await context.read(lambda store: store.member(number))
    if row is None or row.community != context.community:
        raise missing()
    return number


async def _looked(context: Context) -> int:
    """The member of the path, if whoever asks said a while ago why they look."""
    number, since, name = await _member(context), context.at - LOOKED, context.who.name
    last = await context.read(lambda store: store.process.looks(member=number, before=_END, most=50))
    if not any(look.by == name and look.at >= since for look in last):
        raise ProblemError(403, "say why you look first, and the member can read it: POST to .../looks")
    return number


CALLS: Final = {
    "api-members": Call(members, "Members", "members", Paged[MemberLine], asks=AskedMembers),
    "api-look": Call(look, "Say why one looks at a member", "members", Look, Why, status=201),
    "api-member": Call(member, "A member", "members", MemberFile),
    "api-findings": Call(findings, "Findings about a member", "members", Paged[Finding], asks=FromNumber),
    "api-looks": Call(looks, "Who looked at whom", "members", Paged[Look], asks=FromNumber),
}
