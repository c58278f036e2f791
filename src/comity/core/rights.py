"""Rights, and the bands of standing that carry them."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from comity.core.interval import Flags, Ints
from comity.core.parameters import DEFAULT, Parameters
from comity.core.standing import Counted, Standing, active, date_of, day_reaching
from comity.core.standings import Folded, fold_one

Bands = npt.NDArray[np.int8]


class Right(StrEnum):
    """What a member may do in a room."""

    SPEAK = "speak"
    LINKS = "links"
    MEDIA = "media"
    INVITE = "invite"
    MANAGE = "manage"
    MENTION_EVERYONE = "mention everyone"
    WRITE_NOTES = "write notes"


class Band(IntEnum):
    """A range of standing, fewest rights first. "Manage" is the right to be appointed, not the office."""

    MUTED = 0
    NO_LINKS = 1
    SUSPENDED = 2
    GOOD = 3
    TRUSTED = 4

    @property
    def slow(self) -> bool:
        """Whether slow mode holds for the member."""
        return self in {Band.NO_LINKS, Band.SUSPENDED}


_SUSPENDED = frozenset({Right.SPEAK, Right.LINKS, Right.MEDIA})
_GOOD = _SUSPENDED | {Right.INVITE, Right.MANAGE}
RIGHTS: Final[Mapping[Band, frozenset[Right]]] = MappingProxyType(
    {
        Band.MUTED: frozenset(),
        Band.NO_LINKS: frozenset({Right.SPEAK}),
        Band.SUSPENDED: _SUSPENDED,
        Band.GOOD: _GOOD,
        Band.TRUSTED: _GOOD | {Right.MENTION_EVERYONE, Right.WRITE_NOTES},
    }
)
NEWCOMER: Final = frozenset({Right.LINKS, Right.MEDIA})  # what a newcomer does not have yet, whatever the band


def rights(band: Band, *, newcomer: bool) -> frozenset[Right]:
    """What a member of a band may do."""
    return RIGHTS[band] - NEWCOMER if newcomer else RIGHTS[band]


def band_after(before: Band, now: Standing) -> Band:
    """The band of a standing, after another: down as soon as a line is crossed, up only ``margin`` points above it.

    Evaluating twice changes nothing. A member nobody has rated yet was ``Band.GOOD`` before.
    """
    p = now.parameters
    down, up = _level(now.points, p), _level(now.points - 1000 * p.margin, p)
    level = min(down, max(min(before, Band.GOOD), up))
    if level == Band.GOOD and now.points >= 1000 * p.trusted and now.active_days >= p.trusted_days:
        return Band.TRUSTED
    return Band(level)


def bands_over(
    folded: Folded, first: int, last: int, *, verified: Flags | None = None, before: Bands | None = None
) -> Iterator[tuple[int, Bands]]:
    """The band of every member at the end of each day from ``first`` to ``last``, as (day, bands of shape (members,)).

    before: bands the day before, ``Band.GOOD`` if not given: then begin where no finding is remembered. Only members
    with findings are stepped; who has none stands at or above the start, which is above every line. Memory: some
    columns of ``members``.
    """
    level = np.minimum(np.full(folded.members, Band.GOOD, np.int8) if before is None else before, Band.GOOD)
    for day in range(first, last + 1):
        now = folded.at(day, verified=verified)
        level = step(level, now.points, folded.parameters)
        yield day, with_trust(level, now.points, now.active_days, folded.parameters)


def step(before: Bands, points: Ints, parameters: Parameters) -> Bands:
    """``band_after`` for many members, all arrays of shape (members,), but without trust: at most ``Band.GOOD``."""
    lines = 1000 * np.array([parameters.muted, parameters.no_links, parameters.suspended])
    down = np.searchsorted(lines, points, side="right")
    up = np.searchsorted(lines, points - 1000 * parameters.margin, side="right")
    return np.minimum(down, np.maximum(np.minimum(before, Band.GOOD), up)).astype(np.int8)


def with_trust(bands: Bands, points: Ints, active_days: Ints, parameters: Parameters) -> Bands:
    """``bands`` with ``Band.TRUSTED`` for those in good standing who have earned it; all of shape (members,)."""
    trusted = (bands == Band.GOOD) & (points >= 1000 * parameters.trusted) & (active_days >= parameters.trusted_days)
    return np.where(trusted, np.int8(Band.TRUSTED), bands)


class Point(msgspec.Struct, frozen=True):
    """A day of a member's curve: S and its 90 % interval in thousandths of a point, and the day's band."""

    day: int
    points: int
    low: int
    high: int
    band: Band


def curve(
    activity: Mapping[int, int] | Iterable[tuple[int, int]],
    findings: Sequence[Counted],
    first: int,
    last: int,
    *,
    verified: bool = False,
    parameters: Parameters = DEFAULT,
) -> list[Point]:
    """A member's standing and band on each day ``first`` to ``last``, the band followed from the first finding on."""
    folded = fold_one(active(activity), findings, parameters)
    begin = min([first, *(f.day for f in findings)])
    level = np.array([Band.GOOD], np.int8)
    points = []
    for day in range(begin, last + 1):
        now = folded.at(day, verified=np.array([verified]))
        level = step(level, now.points, parameters)
        if day >= first:
            (low,), (high,) = now.interval()
            band = with_trust(level, now.points, now.active_days, parameters)
            points.append(Point(day, int(now.points[0]), int(low), int(high), Band(int(band[0]))))
    return points


class Missing(msgspec.Struct, frozen=True):
    """What a member lacks for a right.

    right; points and needed: standing and the standing at which the right comes, in thousandths of a point, needed is 0
    if the standing suffices; active_days: how many more it takes, 0 if none; on: the day the points suffice if nothing
    new happens, None if they do, or if time alone does not bring them.
    """

    right: Right
    points: int
    needed: int
    active_days: int
    on: int | None

    def sentence(self) -> str:
        """For the member, with a full stop."""
        parts = []
        if self.needed:
            parts.append(f"a standing of {_shown(self.needed)} (yours is {_shown(self.points)})")
        if self.active_days:
            parts.append(f"{self.active_days} more active {'day' if self.active_days == 1 else 'days'}")
        text = f"The right to {_TO[self.right]} needs {' and '.join(parts)}."
        if self.on is not None:
            text += f" Without anything new your standing is there again on {_date(date_of(self.on))}."
        return text


_TO = {
    Right.SPEAK: "speak",
    Right.LINKS: "post links",
    Right.MEDIA: "post media",
    Right.INVITE: "invite",
    Right.MANAGE: "manage",
    Right.MENTION_EVERYONE: "mention everyone",
    Right.WRITE_NOTES: "write notes",
}


def missing(
    right: Right,
    band: Band,
    now: Standing,
    activity: Mapping[int, int] | Iterable[tuple[int, int]],
    findings: Sequence[Counted],
) -> Missing | None:
    """What a member of ``band`` with standing ``now`` lacks for a right, or None if the right is there.

    activity and findings: those the standing was made of.
    """
    if right in rights(band, newcomer=now.newcomer):
        return None
    p = now.parameters
    least = next(b for b in Band if right in RIGHTS[b])
    line = {Band.NO_LINKS: p.muted, Band.SUSPENDED: p.no_links, Band.GOOD: p.suspended}.get(least, p.trusted)
    barrier = line + p.margin if min(band, Band.GOOD) < min(least, Band.GOOD) else line
    if least == Band.TRUSTED:
        barrier = max(p.trusted, p.suspended + p.margin if band < Band.GOOD else 0)
    days = max(
        p.newcomer_days - now.active_days if now.newcomer and right in NEWCOMER else 0,
        p.trusted_days - now.active_days if least == Band.TRUSTED else 0,
        0,
    )
    if band >= least or now.points >= 1000 * barrier:
        return Missing(right, now.points, 0, days, None)
    on = day_reaching(1000 * barrier, activity, findings, now.day, verified=now.verified, parameters=p)
    return Missing(right, now.points, 1000 * barrier, days, on)


def _level(points: int, parameters: Parameters) -> int:
    lines = (parameters.muted, parameters.no_links, parameters.suspended)
    return sum(points >= 1000 * line for line in lines)


def _shown(points: int) -> str:
    """Thousandths as points with one decimal, rounded down, so that no line seems reached that is not."""
    return f"{points // 1000}" if points % 1000 == 0 else f"{points // 1000}.{points % 1000 // 100}"


def _date(date: dt.date) -> str:
    return f"{date.day} {date:%B %Y}"
