"""What a member's own pages show of standing: taken down in the loop, summed up beside it, and kept while it holds."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from comity.core.case import Rated, rated
from comity.core.case_file import Summed
from comity.core.charter import Charter
from comity.core.decision import EVERYWHERE, Decision
from comity.core.event import moment
from comity.core.explanation import Explanation, Line, explain, grouped, withouts
from comity.core.held import rights_left
from comity.core.rights import Missing, Point, Right, curve, missing
from comity.core.standing import Counted
from comity.runner.realm import Realm

CURVE: Final = 180  # days
_KEPT: Final = 64  # members whose sums are kept


class Taken(NamedTuple):
    """What a member's standing is made of, as it was when asked for. day: today; house: entries, as ``rated``."""

    activity: Mapping[int, int]
    findings: Sequence[Counted]
    house: Collection[int]
    day: int
    charter: Charter
    in_force: Sequence[Decision]


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """A member's standing for their own pages.

    day: today, in the charter's time zone; lines: of each finding that standing remembers, by entry; summed: with what
    all findings and all active days weigh together in its lines; in_force: decisions that hold now; told, taken: what
    it was made of; left_out: what standing would be without an entry, thousandths.
    """

    day: int
    charter: Charter
    summed: Summed
    curve: tuple[Point, ...]
    lines: Mapping[int, Line]
    in_force: tuple[Decision, ...]
    told: Explanation
    taken: Taken
    left_out: Callable[[int], int]

    async def without(self, entries: Collection[int]) -> dict[int, int]:
        """What standing would be without each of these findings, thousandths; those not counted are left out."""
        return await asyncio.to_thread(self._without, entries)

    def _without(self, entries: Collection[int]) -> dict[int, int]:
        return {entry: self.left_out(entry) for entry in entries if entry in self.lines}


class Owns:
    """Sums up. What was summed is kept until anything it is made of changes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], Own] = OrderedDict()

    async def of(self, realm: Realm, member: int, now: int) -> Own:
        """A member's standing now; the sums are made in another thread, of what is taken down here. now: ms."""
        taken = take(realm, member, now)
        key = realm.number, member
        kept = self._kept.get(key)
        if kept is None or not _same(kept.taken, taken):
            kept = await asyncio.to_thread(_own, taken, now)
            self._kept[key] = kept
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return kept


def take(realm: Realm, member: int, now: int) -> Taken:
    """Take down what a member's standing is made of."""
    counting = realm.counting
    in_force = [d for d in realm.in_force.get(member, ()) if d.holds(now)]
    return Taken(
        counting.activity(member),
        counting.counted(member),
        counting.house(member),
        realm.day(moment(now)),
        realm.charter,
        in_force,
    )


def summed_up(taken: Taken, told: Explanation, now: Rated, at: int, lines: Sequence[Line]) -> Summed:
    """A standing with what the member may do, and what is lacking for the rest. at: milliseconds since 1970."""
    low, high = told.standing.interval()
    newcomer = told.standing.newcomer
    has = rights_left(now.firm, EVERYWHERE, at, taken.in_force, newcomer=newcomer)
    lacking = (missing(r, now.firm, told.standing, taken.activity, taken.findings) for r in Right if r not in has)
    return Summed(
        points=told.standing.points,
        low=low,
        high=high,
        start=told.start,
        band=now.band,
        newcomer=newcomer,
        lines=tuple(lines),
        rights=tuple(right for right in Right if right in has),
        missing=tuple(m for m in lacking if isinstance(m, Missing)),
    )


def _same(one: Taken, other: Taken) -> bool:
    """Whether nothing changed; charters are compared by being the same, since one in force is never changed."""
    return one.charter is other.charter and one._replace(charter=other.charter) == other


def _own(taken: Taken, at: int) -> Own:
    parameters = taken.charter.standing
    told = explain(taken.activity, taken.findings, taken.day, parameters=parameters, each=False)
    now = rated(taken.activity, taken.findings, taken.house, taken.day, parameters=parameters)
    points = curve(taken.activity, taken.findings, taken.day - CURVE + 1, taken.day, parameters=parameters)
    return Own(
        day=taken.day,
        charter=taken.charter,
        summed=summed_up(taken, told, now, at, _together(told.lines)),
        curve=tuple(points),
        lines={line.entry: line for line in told.lines if line.entry is not None},
        in_force=tuple(taken.in_force),
        told=told,
        taken=taken,
        left_out=withouts(told.standing, taken.activity, taken.findings),
    )


def _together(lines: Sequence[Line]) -> list[Line]:
    """The lines with all findings as one, and all active days as one; sums stay. ``days``: how many there are."""
    findings = [line for line in lines if line.kind == "finding"]
    rest = list(grouped(line for line in lines if line.kind != "finding"))
    if not findings:
        return rest
    all_ = msgspec.structs.replace(
        findings[0],
        numerator=sum(f.numerator for f in findings),
        weight=sum(f.weight for f in findings),
        shown=sum(f.shown for f in findings),
        days=len(findings),
        day=None,
        entry=None,
        severity=None,
        why="",
    )
    return [all_, *rest]
