"""What everybody may read about a community: its charter in plain words, how to appeal, and figures of nobody."""

import re
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from starlette.responses import Response

from comity.core.charter import APPEAL_TERM, BY_A_PERSON, Clause, State
from comity.core.charter_changes import plain
from comity.core.errors import ComityError
from comity.core.member_link import COMMAND
from comity.core.review import Precision
from comity.stores.charter_contract import ClauseActRow, VersionRow
from comity.stores.process_contract import Overview
from comity.web.site.context import Context
from comity.web.site.overview import lasted
from comity.web.site.shared import Site

LEAST: Final = 5  # of what is counted; what is rarer could tell who it was
DAYS: Final = 90
_CHANGES: Final = 20
_DAY: Final = 86_400_000
_MINUTE: Final = 60_000
_KEPT: Final[WeakKeyDictionary[Site, dict[int, tuple[int, Overview]]]] = WeakKeyDictionary()
_NAME: Final = re.compile(r"\{(\w+)\}")
_STEP: Final = 5  # percent that precision is rounded to: exact bounds would tell how many were wrong


class Told(NamedTuple):
    """A clause as everybody may read it. measures: those that a machine may impose for a while, alone: by a person."""

    clause: Clause
    sentence: str
    only_finds: bool
    measures: tuple[str, ...]
    by_a_person: tuple[str, ...]
    precision: str


class Count(NamedTuple):
    """A figure: the key of its name, and its text."""

    key: str
    text: str


async def community(context: Context) -> Response:
    """A community's public page; the same for everybody, whoever is signed in."""
    context.seen, context.secret, context.community = None, "", 0
    slug = context.request.path_params["slug"]
    number = next((n for n, name in context.site.communities.items() if name == slug), None)
    if number is None or context.site.office is None:
        return context.not_there()
    try:
        adopted = await context.office.charter(number)
    except ComityError:
        return context.not_there()
    judged = {p.clause_id: p for p in await context.office.precision(number)}
    figures = await _figures(context, number)
    versions, acts = await context.read(
        lambda store: (
            store.charters.versions(number, most=_CHANGES),
            store.charters.clause_acts(number, most=_CHANGES),
        )
    )
    charter = adopted.charter
    clauses = [
        told(context, clause, judged.get(clause.id), only_finds=clause.id in adopted.shadows)
        for clause in charter.clauses
        if clause.state is not State.DRAFT
    ]
    return context.render(
        "public.html",
        charter=charter,
        clauses=clauses,
        figures=counts(context, figures),
        row=adopted.row,
        log=log(versions, acts),
        zone=charter.zone,
        hours=f"{charter.longest.total_seconds() / 3600:g}",
        months=round(APPEAL_TERM.days / 30.5),
        command=COMMAND,
        days=DAYS,
        least=LEAST,
    )


async def _figures(context: Context, community: int) -> Overview:
    """The figures of the last ``DAYS``, worked out once a minute whoever asks."""
    kept = _KEPT.setdefault(context.site, {})
    at, found = kept.get(community, (0, None))
    if found is None or not 0 <= context.at - at < _MINUTE:
        last = context.at // _DAY
        since, until = (last - DAYS + 1) * _DAY, (last + 1) * _DAY
        found = await context.read(lambda store: store.process.overview([community], since, until))
        kept[community] = context.at, found
    return found


def told(context: Context, clause: Clause, p: Precision | None, *, only_finds: bool) -> Told:
    """A clause in plain words, without what its lists hold."""
    values = {name: plain(value) for name, value in clause.parameters.items()}
    sentence = _NAME.sub(lambda found: values.get(found[1]) or found[1].replace("_", " "), clause.sentence)
    bounds = precise(p)
    few = context.t("public few judged", least=LEAST)
    said = few if bounds is None else context.t("public precision", low=bounds[0], high=bounds[1])
    return Told(
        clause=clause,
        sentence=sentence,
        only_finds=only_finds or clause.state is State.SHADOW,
        measures=tuple(m for m in clause.measures if m not in BY_A_PERSON),
        by_a_person=tuple(m for m in clause.measures if m in BY_A_PERSON),
        precision=said,
    )


def precise(p: Precision | None) -> tuple[int, int] | None:
    """Between which percentages a clause is right, in steps of ``_STEP`` outward; None if too few were judged."""
    if p is None or p.right + p.wrong < LEAST:
        return None
    low = int(100 * p.low) // _STEP * _STEP
    high = -(-round(100 * p.high) // _STEP) * _STEP
    return low, min(100, high)


def counts(context: Context, found: Overview) -> list[Count]:
    """The figures of everybody; under ``LEAST`` only that it is less."""
    few = context.t("public few", least=LEAST)
    some = (
        ("public decided", found.decided),
        ("public reversed", found.reversed),
        ("public reports", found.inbound.get("report", 0)),
        ("public appeals", found.inbound.get("appeal", 0)),
    )
    told = [Count(key, f"{n:,}" if n >= LEAST else few) for key, n in some]
    for kind, median in (("report", found.report_median), ("appeal", found.appeal_median)):
        enough = found.handled.get(kind, 0) >= LEAST
        told.append(Count(f"public {kind} median", lasted(context, median) if enough else context.t("public unknown")))
    return told


def log(
    versions: list[VersionRow], acts: list[ClauseActRow]
) -> list[tuple[int, VersionRow | None, ClauseActRow | None]]:
    """What was changed, the last first: versions, and clauses that were sent to shadow or put back."""
    entries: list[tuple[int, VersionRow | None, ClauseActRow | None]] = [(v.at, v, None) for v in versions]
    entries += [(a.at, None, a) for a in acts]
    return sorted(entries, key=lambda entry: entry[0], reverse=True)[:_CHANGES]


PAGES: Final = {"c": community}
