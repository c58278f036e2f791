"""Standing of all members at once, in numpy columns; bit for bit what ``standing.standing`` says of each.

No sum can overflow: by ``parameters.BOUNDS`` A is at most 730 days · 1000 · 2^20 < 2^40 before its cap; B at most 730
days · 3 severities · 100 · (1000 + 1000·63) · 2^20 < 2^54, so that 5·B < 2^57; and where S > 0, 4·B < n0 + A, so that N
< 2^42 and 100,000·N < 2^59.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from comity.core.days import ActiveColumns, CountedColumns, fold_activity, fold_counted, starts_of
from comity.core.interval import Flags, Ints, interval, removal_may_be_proposed
from comity.core.parameters import DEFAULT, SHIFT, UNIT, Parameters
from comity.core.standing import Counted, Standing
from comity.core.tables import left


class Standings(msgspec.Struct, frozen=True):
    """Standing of every member on a day; arrays of shape (members,).

    history: A after its cap, uncapped: before, weight: B (thousandths · 2^-20); active_days: within memory; points: S
    in thousandths of a point, rounded down; verified: whose prior is the longer one.
    """

    day: int
    history: Ints
    uncapped: Ints
    weight: Ints
    active_days: Ints
    points: Ints
    verified: Flags
    parameters: Parameters

    @property
    def newcomer(self) -> Flags:
        """Who is still new here; verified members never are."""
        return ~self.verified & (self.active_days < self.parameters.newcomer_days)

    def interval(self) -> tuple[Ints, Ints]:
        """The 90 % interval of S, (low, high), each of shape (members,), in thousandths of a point, 0 to 100,000."""
        return interval(self.history, self.weight, self._days, self.parameters)

    def removal_may_be_proposed(self) -> Flags:
        """Whom a person may propose to remove; of shape (members,)."""
        return removal_may_be_proposed(self.history, self.weight, self._days, self.parameters)

    def of(self, member: int) -> Standing:
        """One member's."""
        return Standing(
            self.day,
            int(self.history[member]),
            int(self.uncapped[member]),
            int(self.weight[member]),
            int(self.active_days[member]),
            bool(self.verified[member]),
            self.parameters,
        )

    @property
    def _days(self) -> Ints:
        return np.where(self.verified, self.parameters.prior_verified, self.parameters.prior)


class Folded(msgspec.Struct, frozen=True):
    """Columns summed to one row for each (member, day), sorted so; what ``at`` needs for any day.

    members: how many; active_member, active_day, exposure: shape (active days,), thousandths; found_member, found_day,
    found_weight: shape (days with findings,), thousandths.
    """

    members: int
    parameters: Parameters
    active_member: Ints
    active_day: Ints
    exposure: Ints
    found_member: Ints
    found_day: Ints
    found_weight: Ints

    def at(self, day: int, *, verified: Flags | None = None) -> Standings:
        """Standing of every member on a day; what is later than it has not happened yet. verified: shape (members,)."""
        p = self.parameters
        checked = np.zeros(self.members, dtype=np.bool_) if verified is None else verified
        decay = left(p.half_life, p.forgotten)
        fading = _left_of(day - self.active_day, decay)
        uncapped = _by_member(self.active_member, self.exposure * fading, self.members)
        active_days = _by_member(self.active_member, (fading > 0).astype(np.int64), self.members)
        weight = _by_member(self.found_member, self.found_weight * _left_of(day - self.found_day, decay), self.members)
        history = np.minimum(uncapped, p.cap * UNIT)
        points = _points(
            history, weight, np.where(checked, p.prior_verified, p.prior) * UNIT, p.prior_findings << SHIFT
        )
        return Standings(day, history, uncapped, weight, active_days, points, checked, p)

    def having_findings(self) -> tuple[Ints, "Folded"]:
        """The members with any finding, (n,), and a fold of those n alone, numbered from 0 in that order."""
        who = np.unique(self.found_member)
        keep = np.isin(self.active_member, who)
        return who, msgspec.structs.replace(
            self,
            members=len(who),
            active_member=np.searchsorted(who, self.active_member[keep]),
            active_day=self.active_day[keep],
            exposure=self.exposure[keep],
            found_member=np.searchsorted(who, self.found_member),
        )


def fold(
    activity: ActiveColumns, findings: CountedColumns, *, members: int, parameters: Parameters = DEFAULT
) -> Folded:
    """Sum columns to one row for each (member, day).

    findings: all of the ledger, not only the remembered ones, for an early one can quieten a later. Raises ValueError
    if a member is not in 0 to members - 1, a count is negative, a severity is none, or columns differ in length.
    """
    for columns in (activity, findings):
        if len({len(column) for column in columns}) != 1:
            raise ValueError("every column must have the same number of rows")
        if len(columns.member) and not 0 <= columns.member.min() <= columns.member.max() < members:
            raise ValueError(
                f"members must be 0 to {members - 1}, got {columns.member.min()} to {columns.member.max()}"
            )
    return Folded(
        members, parameters, *fold_activity(activity, parameters), *fold_counted(findings, members, parameters)
    )


def fold_one(activity: Mapping[int, int], findings: Sequence[Counted], parameters: Parameters = DEFAULT) -> Folded:
    """One member as a fold of one. activity: own messages by day; findings: those in force. Errors as for ``fold``."""

    def column(values: Iterable[int]) -> Ints:
        return np.fromiter(values, dtype=np.int64)

    return fold(
        ActiveColumns(column(0 for _ in activity), column(activity), column(activity.values())),
        CountedColumns(
            column(0 for _ in findings),
            column(f.day for f in findings),
            column(f.severity for f in findings),
            column(f.message for f in findings),
            column(f.reported for f in findings).astype(np.bool_),
        ),
        members=1,
        parameters=parameters,
    )


def standings(
    activity: ActiveColumns,
    findings: CountedColumns,
    day: int,
    *,
    members: int,
    verified: Flags | None = None,
    parameters: Parameters = DEFAULT,
) -> Standings:
    """Standing of members 0 to ``members`` - 1 on a day; see ``fold`` for the columns and errors."""
    return fold(activity, findings, members=members, parameters=parameters).at(day, verified=verified)


def _points(history: Ints, weight: Ints, days: Ints, prior: int) -> Ints:
    """floor(1000 · max(0, 100 - 500·p)); see the module for why nothing overflows."""
    harm, total = prior + weight, days + history + weight
    above = 5 * harm < total
    harm, total = np.where(above, harm, 0), np.where(above, total, 1)
    return np.where(above, (100_000 * total - 500_000 * harm) // total, 0)


def _left_of(age: Ints, decay: Ints) -> Ints:
    end = len(decay) - 1
    return decay[np.where((age < 0) | (age > end), end, age)]


def _by_member(member: Ints, values: Ints, members: int) -> Ints:
    """Sums of values by member, in shape (members,); rows sorted by member."""
    total = np.zeros(members, dtype=np.int64)
    if len(member):
        starts = starts_of(member)
        total[member[starts]] = np.add.reduceat(values, starts)
    return total
