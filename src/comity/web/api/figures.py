"""Communities, their figures, charters and templates over the API."""

from typing import Annotated, Final

import msgspec

from comity.charter_file import parse_charter
from comity.core.charter_changes import Change, changes
from comity.core.review import Precision
from comity.core.templates import Template
from comity.stores.charter_contract import VersionRow, Way
from comity.web.api.call import (
    NOTHING,
    Answer,
    Asked,
    Call,
    Deed,
    FromNumber,
    Number,
    Paged,
    missing,
    number_of,
    part_of,
)
from comity.web.api.problems import ProblemError
from comity.web.site.context import Context

_DAY: Final = 86_400_000
_END: Final = 1 << 53


class CommunityLine(msgspec.Struct, frozen=True):
    """A community that the token is good in."""

    number: int
    name: str


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A span of time in milliseconds since 1970; until 0 for now, since 0 for 28 days before that; 400 days at most."""

    since: Number = 0
    until: Number = 0


class ByDay(msgspec.Struct, frozen=True):
    """A day since 1970 in UTC: what came in, and what persons did."""

    day: int
    inbound: int
    handled: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a span of time, and what waits now, by kind.

    reversed: decisions that should not have been, of ``decided``; medians: milliseconds to the outcome, None for none.
    """

    since: int
    until: int
    waiting: dict[str, int]
    inbound: dict[str, int]
    handled: dict[str, int]
    decided: int
    reversed: int
    by_person: dict[str, int]
    by_day: tuple[ByDay, ...]
    report_median: int | None
    appeal_median: int | None


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the charter. at: milliseconds since 1970; by: a pseudonym, "file" for the file; text: as TOML."""

    number: int
    at: int
    by: str
    way: Way
    reason: str
    digest: str
    changes: tuple[Change, ...]
    text: str = ""


class CharterNow(msgspec.Struct, frozen=True):
    """The charter that holds. version: 0 where it was given without its file; shadows: clauses that only find now."""

    version: int
    digest: str
    text: str
    shadows: tuple[str, ...]


class CharterText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A charter as TOML."""

    text: Annotated[str, msgspec.Meta(max_length=500_000)]


class Checked(msgspec.Struct, frozen=True):
    """A charter without mistakes: what it changes of the one that holds."""

    digest: str
    changes: tuple[Change, ...]


class NewTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template of reasons; one of the same name and language is replaced."""

    name: Annotated[str, msgspec.Meta(max_length=40)]
    language: Annotated[str, msgspec.Meta(max_length=40)]
    text: Annotated[str, msgspec.Meta(max_length=2000)]
    required: tuple[str, ...] = ()


async def communities(context: Context, _asked: Asked) -> Answer:
    """Where the token is good."""
    return Answer((CommunityLine(context.community, context.community_name),))


async def overview(context: Context, asked: Asked) -> Answer:
    """The figures of a span of time."""
    until = asked.query.until or context.at
    since = asked.query.since or max(0, until - 28 * _DAY)
    if not since <= until <= since + 400 * _DAY:
        raise ProblemError(400, "a span ends after it begins, and 400 days later at most")
    community = context.community
    found = await context.read(lambda store: store.process.overview((community,), since, until))
    values = found._asdict() | {"by_day": tuple(ByDay(*day) for day in found.by_day)}
    return Answer(Figures(since=since, until=until, **values))


async def precision(context: Context, _asked: Asked) -> Answer:
    """How often each clause is right, with a 90 % interval."""
    return Answer(tuple(await context.office.precision(context.community)))


async def charter(context: Context, _asked: Asked) -> Answer:
    """The charter that holds; its ETag is its digest."""
    now = await context.office.charter(context.community)
    digest, row = now.charter.digest(), now.row
    value = CharterNow(row.number if row else 0, digest, row.text if row else "", tuple(sorted(now.shadows)))
    return Answer(value, f"{digest}-{len(now.shadows)}" if not now.shadows else "")


async def check(context: Context, asked: Asked) -> Answer:
    """Read a charter; its mistakes come as problem 422, each with line, column and what was expected."""
    now = await context.office.charter(context.community)
    given = parse_charter(asked.body.text)
    return Answer(Checked(given.digest(), changes(now.charter, given)))


async def versions(context: Context, asked: Asked) -> Answer:
    """Versions, the last first, without their texts."""
    q, community = asked.query, context.community
    found = await context.read(lambda s: s.charters.versions(community, before=q.before or _END, most=q.most + 1))
    return Answer(part_of([_version(row, "") for row in found], q.most, lambda v: v.number))


async def version(context: Context, _asked: Asked) -> Answer:
    """One version, with its text."""
    community, number = context.community, number_of(context)
    found = await context.read(lambda store: store.charters.version(community, number))
    if found is None:
        raise missing()
    return Answer(_version(found, found.text))


async def templates(context: Context, _asked: Asked) -> Answer:
    """Templates of reasons."""
    community = context.community
    return Answer(tuple(await context.read(lambda store: store.process.templates(community))))


async def save_template(context: Context, asked: Asked) -> Deed:
    """Keep a template; its mistakes are named."""
    new = asked.body
    template = Template(new.name, new.language, new.text, new.required)
    return Deed(context.office.save_template(context.community, template, context.who))


def _version(row: VersionRow, text: str) -> Version:
    return Version(
        number=row.number,
        at=row.at,
        by=row.by,
        way=row.way,
        reason=row.reason,
        digest=row.digest,
        changes=row.changes,
        text=text,
    )


CALLS: Final = {
    "api-communities": Call(communities, "Communities", "community", tuple[CommunityLine, ...]),
    "api-overview": Call(overview, "The overview's figures", "community", Figures, asks=Span),
    "api-precision": Call(precision, "How often clauses are right", "community", tuple[Precision, ...]),
    "api-charter": Call(charter, "The charter that holds", "charter", CharterNow),
    "api-charter-check": Call(check, "Check a charter", "charter", Checked, CharterText),
    "api-versions": Call(versions, "Versions of the charter", "charter", Paged[Version], asks=FromNumber),
    "api-version": Call(version, "A version of the charter", "charter", Version),
    "api-templates": Call(templates, "Templates of reasons", "templates", tuple[Template, ...]),
    "api-template-save": Call(save_template, "Keep a template", "templates", NOTHING, NewTemplate, status=204),
}
