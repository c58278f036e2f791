"""Standing of one member in one community: what the entries in force amount to on a day, in whole numbers.

p = (α0 + B) / (n0 + A + B) is the mean of a Beta posterior over "the next active day brings harm"; shown is S = 100 -
500·p, never below 0. A is what is left of the member's active days (capped), B of the findings that count. Reports are
no input, and nothing but time takes weight from a finding. Source of the form: Jøsang & Ismail 2002, "The Beta
Reputation System". This file is the plain version for one member, exact and obvious; standings.py does the same for all
members at once and must agree bit for bit.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, Literal

import msgspec
import numpy as np

from comity.core.harm import Severity
from comity.core.interval import Ints, interval, removal_may_be_proposed
from comity.core.parameters import DEFAULT, SHIFT, UNIT, Parameters
from comity.core.tables import exposures, left, spread

_EPOCH: Final = dt.date(1970, 1, 1).toordinal()


class Counted(msgspec.Struct, frozen=True):
    """One finding in the ledger that is in force.

    entry: its number in the ledger; day: days since 1970 in the charter's time zone; severity: its clause's; message:
    number of the event it is about, one number for several rules that found the same event; reported: it began with a
    report.
    """

    entry: int
    day: int
    severity: Severity
    message: int
    reported: bool = False


class Share(msgspec.Struct, frozen=True):
    """What one finding weighs on its own day, before forgetting.

    finding: which; of: findings of its severity that count that day, 0 if this one weighs nothing; place: from 0 among
    them, by message number; why: why it weighs nothing, or None.
    """

    finding: Counted
    of: int
    place: int
    why: Literal["same message", "after another"] | None = None


class Standing(msgspec.Struct, frozen=True):
    """Standing of a member on a day.

    day: days since 1970; history: A, at most ``parameters.cap``; uncapped: A before the cap; weight: B (all three in
    thousandths · 2^-20); active_days: within memory, not capped; verified: whether the longer prior holds; parameters:
    the charter's.
    """

    day: int
    history: int
    uncapped: int
    weight: int
    active_days: int
    verified: bool
    parameters: Parameters

    @property
    def harm(self) -> Fraction:
        """The rating p, exactly, over 0 and up to 1."""
        prior = self.parameters.prior_findings << SHIFT
        return Fraction(prior + self.weight, self.total)

    @property
    def total(self) -> int:
        """N = n0 + A + B, in thousandths · 2^-20."""
        return self.parameters.days(verified=self.verified) * UNIT + self.history + self.weight

    @property
    def exact(self) -> Fraction:
        """S in points, exactly, 0 to 100."""
        return max(Fraction(0), 100 - 500 * self.harm)

    @property
    def points(self) -> int:
        """S in thousandths of a point, rounded down: 95 points are 95000."""
        # What ``exact`` says, in whole numbers: a fraction would first be cut down to its smallest terms.
        harm, total = (self.parameters.prior_findings << SHIFT) + self.weight, self.total
        return (100_000 * total - 500_000 * harm) // total if 5 * harm < total else 0

    @property
    def newcomer(self) -> bool:
        """Whether the member is still new here; a verified member never is."""
        return not self.verified and self.active_days < self.parameters.newcomer_days

    def interval(self) -> tuple[int, int]:
        """The 90 % interval of S, (low, high), in thousandths of a point."""
        (low,), (high,) = interval(*self._columns, self.parameters)
        return int(low), int(high)

    def removal_may_be_proposed(self) -> bool:
        """Whether a person may propose to remove the member: even the kindest reading (5 % quantile of p) is bad."""
        return bool(removal_may_be_proposed(*self._columns, self.parameters)[0])

    @property
    def _columns(self) -> tuple[Ints, Ints, Ints]:
        days = self.parameters.days(verified=self.verified)
        return np.array([self.history]), np.array([self.weight]), np.array([days])


def day_of(at: dt.datetime, zone: dt.tzinfo) -> int:
    """The day since 1970 a moment falls on in the charter's time zone. Raises ValueError if the time is naive."""
    if at.tzinfo is None:
        raise ValueError(f"a time needs a time zone, got {at.isoformat()}")
    return at.astimezone(zone).date().toordinal() - _EPOCH


def date_of(day: int) -> dt.date:
    """The date of a day counted from 1970-01-01."""
    return dt.date.fromordinal(_EPOCH + day)


def shares(findings: Iterable[Counted], parameters: Parameters = DEFAULT) -> list[Share]:
    """Which findings weigh something, sorted by day, message, and entry; the same for every order they come in.

    Of several findings on one message only the heaviest counts. A finding that began with a report, and is not severe,
    weighs nothing if a finding at least as grave counted on one of the ``quiet_days`` before: many complaints about one
    bad day are one bad day. (At least as grave, so that nobody buys a week's peace with something minor.)
    """
    by_day: dict[int, dict[int, list[Counted]]] = {}
    for finding in findings:
        by_day.setdefault(finding.day, {}).setdefault(finding.message, []).append(finding)
    found: list[Share] = []
    last = dict.fromkeys(Severity, -(1 << 60))  # the last day on which one at least as grave counted
    for day, messages in sorted(by_day.items()):
        counting: dict[Severity, list[Counted]] = {severity: [] for severity in Severity}
        for _, on_one in sorted(messages.items()):
            heaviest_first = sorted(on_one, key=lambda f: (-f.severity, f.reported, f.entry))
            quiet = [_is_quiet(f, day - last[f.severity], parameters) for f in heaviest_first]
            counts = quiet.index(False) if False in quiet else None
            for at, finding in enumerate(heaviest_first):
                if at == counts:
                    counting[finding.severity].append(finding)
                else:
                    found.append(Share(finding, 0, 0, "after another" if quiet[at] else "same message"))
        for severity, same in counting.items():
            found += [Share(finding, len(same), place) for place, finding in enumerate(same)]
            if same:
                last |= {lesser: day for lesser in Severity if lesser <= severity}
    return sorted(found, key=lambda s: (s.finding.day, s.finding.message, s.finding.entry))


def day_weight(severity: int, findings: int, parameters: Parameters = DEFAULT) -> int:
    """Weight of one day's findings of a severity, in thousandths: w·(1000 + spread); 0 for none."""
    return parameters.weight(severity) * (1000 + spread(findings, parameters.doubling)) if findings else 0


def standing(
    activity: Mapping[int, int] | Iterable[tuple[int, int]],
    findings: Sequence[Counted],
    day: int,
    *,
    verified: bool = False,
    parameters: Parameters = DEFAULT,
) -> Standing:
    """Standing of one member on a day.

    activity: own messages, >= 0, by day, or (day, messages) pairs of which several may name one day; findings: those in
    force, all of the ledger and not only the remembered ones; what is later than ``day`` has not happened yet. Raises
    ValueError on negative counts.
    """
    return standing_of(active(activity), weights(findings, parameters), day, verified=verified, parameters=parameters)


def weights(findings: Iterable[Counted], parameters: Parameters = DEFAULT) -> list[tuple[int, int]]:
    """What findings weigh before anything is forgotten, as (day, thousandths): each day's of a severity together."""
    return [
        (share.finding.day, day_weight(share.finding.severity, share.of, parameters))
        for share in shares(findings, parameters)
        if share.of and share.place == 0
    ]


def standing_of(
    by_day: Mapping[int, int],
    weighed: Iterable[tuple[int, int]],
    day: int,
    *,
    verified: bool = False,
    parameters: Parameters = DEFAULT,
) -> Standing:
    """``standing`` by what ``active`` and ``weights`` give: for whoever asks for many days and sums them up once."""
    decay, exposure = left(parameters.half_life, parameters.forgotten), exposures(parameters.full_day)
    uncapped = active_days = weight = 0
    for active_day, messages in by_day.items():
        if (fading := _left_of(day - active_day, decay)) and messages:
            uncapped += int(exposure[min(messages, parameters.full_day)]) * fading
            active_days += 1
    for on, heavy in weighed:
        weight += heavy * _left_of(day - on, decay)
    history = min(uncapped, parameters.cap * UNIT)
    return Standing(day, history, uncapped, weight, active_days, verified, parameters)


def without(
    entry: int,
    activity: Mapping[int, int] | Iterable[tuple[int, int]],
    findings: Sequence[Counted],
    day: int,
    *,
    verified: bool = False,
    parameters: Parameters = DEFAULT,
) -> Standing:
    """Standing as if one entry had never been, by summing the others. Raises KeyError if there is no such entry."""
    others = [f for f in findings if f.entry != entry]
    if len(others) == len(findings):
        raise KeyError(f"no finding with entry {entry} is in force")
    return standing(activity, others, day, verified=verified, parameters=parameters)


def day_reaching(
    points: int,
    activity: Mapping[int, int] | Iterable[tuple[int, int]],
    findings: Sequence[Counted],
    day: int,
    *,
    verified: bool = False,
    parameters: Parameters = DEFAULT,
) -> int | None:
    """The first day from ``day`` on with at least ``points`` (thousandths) if nothing new happens; None if never."""
    so_far = {d: n for d, n in active(activity).items() if d <= day}
    known = weights((f for f in findings if f.day <= day), parameters)
    for later in range(day, day + parameters.forgotten + 1):
        if standing_of(so_far, known, later, verified=verified, parameters=parameters).points >= points:
            return later
    return None


def active(activity: Mapping[int, int] | Iterable[tuple[int, int]]) -> dict[int, int]:
    """Messages by day, parts of one day added up, in order of days. Raises ValueError if a count is negative."""
    total: dict[int, int] = {}
    for day, messages in activity.items() if isinstance(activity, Mapping) else activity:
        if messages < 0:
            raise ValueError(f"messages must be >= 0, got {messages} on day {day}")
        total[day] = total.get(day, 0) + messages
    return dict(sorted(total.items()))


def _is_quiet(finding: Counted, days_since: int, parameters: Parameters) -> bool:
    return finding.reported and finding.severity < Severity.SEVERE and days_since <= parameters.quiet_days


def _left_of(age: int, decay: Ints) -> int:
    return int(decay[age]) if 0 <= age < len(decay) else 0
