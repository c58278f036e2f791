"""Ways to rate members and to restrict them, over one population: ours, and five that others use or propose.

Each gives a rating (higher is worse) and who is restricted at the end of each day, both of shape (members, days).
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from comity.core.parameters import DEFAULT, UNIT
from comity.core.rights import Band, step
from comity.core.standings import fold
from population import DAYS, Counts, Flags, Population

Floats = npt.NDArray[np.float64]


class Rated(NamedTuple):
    """What a scheme says: rating, higher is worse; restricted: may not post freely."""

    rating: Floats
    restricted: Flags


def comity(people: Population, line: Band = Band.NO_LINKS) -> Rated:
    """Standing from ``comity.core``; restricted is a band without links and media, or the one asked for."""
    members = len(people.kind)
    folded = fold(people.activity(), people.findings(), members=members)
    rating, restricted = np.empty((members, DAYS)), np.empty((members, DAYS), dtype=np.bool_)
    band = np.full(members, Band.GOOD, np.int8)
    prior, days = DEFAULT.prior_findings / 1000 * UNIT, DEFAULT.prior * UNIT
    for day in range(DAYS):
        now = folded.at(day)
        band = step(band, now.points, DEFAULT)
        restricted[:, day] = band <= line
        rating[:, day] = (prior + now.weight) / (days + now.history + now.weight)
    return Rated(rating, restricted)


def slowed(people: Population) -> Rated:
    """As ``comity``, but slow mode and suspended management (S below 70) count as restricted too."""
    return comity(people, Band.SUSPENDED)


def three_strikes(people: Population) -> Rated:
    """Restricted while three findings of any severity lie within 90 days."""
    strikes = _within(_number(people), 90)
    return Rated(strikes.astype(np.float64), strikes >= 3)


def trust_level(people: Population) -> Rated:
    """Levels like Discourse's; findings rank before the level.

    Up with active days: 2, 15, and 50 of the last 100, the highest only with at most 5 findings in 100 days. Restricted
    are more than 2 findings at level 0, and more than 5 above it; Discourse itself silences only newcomers without a
    person.
    """
    active = people.messages > 0
    ever, lately, findings = active.cumsum(axis=1), _within(active.astype(np.int64), 100), _within(_number(people), 100)
    level = (ever >= 2) + (ever >= 15) + ((lately >= 50) & (findings <= 5)).astype(np.int64)
    rating = (10 * findings - level).astype(np.float64)
    return Rated(rating, findings > np.where(level == 0, 2, 5))


def ewma(people: Population) -> Rated:
    """Weights 1, 3, 6 of all findings, half forgotten in 30 days; restricted from 3, where ours are without history."""
    left, rating = 0.5 ** (1 / 30), np.empty(people.messages.shape)
    weight, total = _weight(people), np.zeros(len(people.kind))
    for day in range(DAYS):
        total = total * left + weight[:, day]
        rating[:, day] = total
    return Rated(rating, rating >= 3)


def karma(people: Population) -> Rated:
    """A point for ten messages, five off for a finding's unit of weight, nothing forgotten; restricted below -10."""
    points = (people.messages / 10 - 5 * _weight(people)).cumsum(axis=1)
    return Rated(-points, points < -10)


def message_trials(people: Population) -> Rated:
    """The same Beta rating and line as ours, but every message is a trial, as reputation systems for trade count."""
    left, rating = 0.5 ** (1 / 30), np.empty(people.messages.shape)
    weight, harm, harmless = _weight(people), np.zeros(len(people.kind)), np.zeros(len(people.kind))
    for day in range(DAYS):
        harm, harmless = harm * left + weight[:, day], harmless * left + people.messages[:, day]
        rating[:, day] = (0.3 + harm) / (30 + harmless + harm)
    return Rated(rating, rating > 0.1)


SCHEMES: Final[Mapping[str, Callable[[Population], Rated]]] = {
    "Comity": comity,
    "three strikes": three_strikes,
    "trust level": trust_level,
    "EWMA": ewma,
    "karma": karma,
    "every message a trial": message_trials,
}


def _number(people: Population) -> Counts:
    found: Counts = (people.rule + people.reported).sum(axis=0)
    return found


def _weight(people: Population) -> Counts:
    found: Counts = np.tensordot(np.array([1, 3, 6]), people.rule + people.reported, axes=1)
    return found


def _within(counts: Counts, days: int) -> Counts:
    """Sums over the last ``days`` days, today among them."""
    total = counts.cumsum(axis=1)
    total[:, days:] -= total[:, :-days].copy()
    return total
