"""Sheet and book: entries, or a store's ledger, under a charter, and everybody's standing in them. Decides nothing."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from comity.bands import bands_on
from comity.core.charter import SEVERITIES, Charter, State
from comity.core.days import ActiveColumns, CountedColumns
from comity.core.explanation import Explanation, explain
from comity.core.harm import Severity
from comity.core.interval import Ints
from comity.core.ledger import REPORTED, ClauseRow
from comity.core.rights import Band
from comity.core.standing import Counted
from comity.core.standings import Folded, Standings, fold, fold_one
from comity.stores.contract import ActivityInForce, FindingsInForce, Store

_UNSEEN: Final = 100_001  # above every standing
Order = tuple[Ints, Ints]


class Sheet:
    """Standing of every member by entries that are in force.

    clauses: the one with number n at n - 1; members: how many there are, numbered from 1 on; charter: its figures of
    standing; not_after: the last day that can be today, for a clock gone wrong in one line must not make everybody a
    century older (where all is later, it is this machine's clock that is wrong).

    A finding stays as it was decided: it counts with the severity of its clause on that day, if that clause was live
    then. A charter that changes later changes what is found from then on, and how standing is summed, but no finding;
    what a new charter would have found in the past is asked of ``compare``, which decides nothing.
    """

    def __init__(
        self,
        charter: Charter,
        in_force: tuple[ActivityInForce, FindingsInForce],
        *,
        clauses: Sequence[ClauseRow],
        members: int,
        not_after: int | None = None,
    ) -> None:
        self.charter, self.clauses, self.members, self._not_after = charter, clauses, members, not_after
        self.activity, self.findings = in_force
        counts = np.array([False, *(c.state in {State.LIVE, REPORTED} for c in self.clauses)])
        reported = np.array([False, *(c.state == REPORTED for c in self.clauses)])
        severity = np.array([0, *(SEVERITIES[c.severity] for c in self.clauses)], np.int64)
        self.counted = counts[self.findings.clause]
        self.severity: Ints = severity[self.findings.clause]
        self.reported = reported[self.findings.clause]

    @cached_property
    def days(self) -> Ints:
        """The days up to today on which anything happened, ascending."""
        days = np.unique(np.concatenate([self.activity.day, self.findings.day]))
        past = days if self._not_after is None else days[days <= self._not_after]
        return past if len(past) else days

    @cached_property
    def later(self) -> int | None:
        """The last day on which something claims to have happened, if that is after today."""
        last = max((int(c.max()) for c in (self.activity.day, self.findings.day) if len(c)), default=0)
        return last if last > self.today else None

    @property
    def first(self) -> int | None:
        """The first day on which anything happened, None if nothing ever did."""
        return int(self.days[0]) if len(self.days) else None

    @property
    def today(self) -> int:
        """The last day on which anything happened: the day that standing is asked for."""
        return int(self.days[-1]) if len(self.days) else 0

    @cached_property
    def active(self) -> Ints:
        """Numbers of the members who wrote, or of whom something was found, ascending."""
        return np.unique(np.concatenate([self.activity.member, self.findings.member]))

    @cached_property
    def folded(self) -> Folded:
        """Everybody's days."""
        which = self.counted
        return fold(
            ActiveColumns(self.activity.member - 1, self.activity.day, self.activity.messages),
            CountedColumns(
                self.findings.member[which] - 1,
                self.findings.day[which],
                self.severity[which],
                self.findings.message[which],
                self.reported[which],
            ),
            members=self.members,
            parameters=self.charter.standing,
        )

    @cached_property
    def standings(self) -> Standings:
        """Everybody's standing today, member n at n - 1."""
        return self.folded.at(self.today)

    @cached_property
    def with_findings(self) -> Ints:
        """Numbers of members with any finding in force, counted or not, ascending."""
        return np.unique(self.findings.member)

    @cached_property
    def bands(self) -> Mapping[int, Band]:
        """Bands today of members with counted findings, followed from their first on; others stand at their start."""
        who, folded = self.folded.having_findings()
        if not len(who):
            return {}
        ((_, _, last),) = bands_on([self.today], folded)
        return {int(m) + 1: Band(int(b)) for m, b in zip(who, last, strict=True)}

    @cached_property
    def lowest(self) -> Mapping[int, tuple[int, int]]:
        """For members with counted findings, the lowest standing they ever had, in thousandths of a point, and its day.

        Standing falls only on a day of a finding, so those days are all that need to be looked at.
        """
        who, folded = self.folded.having_findings()
        points, days = np.full(len(who), _UNSEEN, np.int64), np.zeros(len(who), np.int64)
        for day in np.unique(folded.found_day[folded.found_day <= self.today]).tolist():
            here = np.unique(folded.found_member[folded.found_day == day])
            now = folded.at(day).points[here]
            lower = now < points[here]
            points[here[lower]], days[here[lower]] = now[lower], day
        rows = zip(who, points, days, strict=True)
        return {int(m) + 1: (int(p), int(d)) for m, p, d in rows if p < _UNSEEN}

    def band(self, member: int, day: int | None = None) -> Band:
        """The band of a member on a day, or today."""
        if day is not None and day != self.today:
            folded = fold_one(self.activity_of(member), self.counted_of(member), self.charter.standing)
            ((_, _, (band,)),) = bands_on([day], folded)
            return Band(int(band))
        if member in self.bands:
            return self.bands[member]
        days = int(self.standings.active_days[member - 1])
        p = self.charter.standing
        trusted = days >= p.trusted_days and int(self.standings.points[member - 1]) >= 1000 * p.trusted
        return Band.TRUSTED if trusted else Band.GOOD

    def activity_of(self, member: int) -> dict[int, int]:
        """Own messages of a member by day."""
        rows = _of(member, self._activity_order)
        by_day: dict[int, int] = defaultdict(int)
        for day, messages in zip(self.activity.day[rows].tolist(), self.activity.messages[rows].tolist(), strict=True):
            by_day[day] += messages
        return dict(by_day)

    def counted_of(self, member: int) -> list[Counted]:
        """Findings of a member that count."""
        rows, f = _of(member, self._findings_order), self.findings
        rows = rows[self.counted[rows]]
        columns = (f.number, f.day, self.severity, f.message, self.reported)
        table = zip(*(column[rows].tolist() for column in columns), strict=True)
        return [
            Counted(number, day, Severity(severity), message, began) for number, day, severity, message, began in table
        ]

    def explain(self, member: int, day: int | None = None) -> Explanation:
        """Every line a member's standing is made of."""
        on = self.today if day is None else day
        activity, counted = self.remembered(member, on)
        return explain(activity, counted, on, parameters=self.charter.standing)

    def remembered(self, member: int, day: int) -> tuple[dict[int, int], list[Counted]]:
        """Own messages by day, and findings that count, of a member, as far as they are not forgotten on a day.

        Nothing else moves standing on that day or later: what began with a report depends on some days before its own.
        """
        first = day - self.charter.standing.forgotten + 1
        activity = {d: n for d, n in self.activity_of(member).items() if d >= first}
        return activity, [f for f in self.counted_of(member) if f.day >= first - self.charter.standing.quiet_days]

    @cached_property
    def _spans(self) -> tuple[Ints, Ints, Ints, Ints]:
        """First and last day, messages, and active days of each member, by number."""
        big = np.iinfo(np.int64).max
        first, last = np.full(self.members + 1, big), np.full(self.members + 1, -big)
        for column in (self.activity, self.findings):
            np.minimum.at(first, column.member, column.day)
            np.maximum.at(last, column.member, column.day)
        messages = np.zeros(self.members + 1, np.int64)
        np.add.at(messages, self.activity.member, self.activity.messages)
        pairs = np.unique(np.stack([self.activity.member, self.activity.day]), axis=1)
        return first, last, messages, np.bincount(pairs[0], minlength=self.members + 1)

    def span(self, member: int) -> tuple[int, int, int]:
        """First and last day of a member, and all own messages."""
        first, last, messages, _ = self._spans
        return int(first[member]), int(last[member]), int(messages[member])

    def active_days_ever(self, member: int) -> int:
        """Days on which a member wrote, also those that are forgotten."""
        return int(self._spans[3][member])

    @cached_property
    def _activity_order(self) -> Order:
        return _order(self.activity.member)

    @cached_property
    def _findings_order(self) -> Order:
        return _order(self.findings.member)


class Book(Sheet):
    """Standing of every member of a store's communities.

    store: what the ledger is read from, once; communities: numbers of those to look at, all if not given; charter and
    not_after: as in a ``Sheet``. Members go by their numbers in the store.
    """

    def __init__(
        self, store: Store, charter: Charter, *, communities: Collection[int] = (), not_after: int | None = None
    ) -> None:
        in_force, clauses = _in_force(store, communities), store.clause_rows()
        super().__init__(charter, in_force, clauses=clauses, members=store.counts().members, not_after=not_after)
        self.store = store

    def room(self, number: int) -> str:
        """The platform's name of a room."""
        return self._rooms.get(number, "")

    @cached_property
    def _rooms(self) -> dict[int, str]:
        return self.store.room_names()


def _order(members: Ints) -> Order:
    """Rows by member, in their order, and the members sorted so."""
    rows = np.argsort(members, kind="stable")
    return rows, members[rows]


def _of(member: int, order: Order) -> Ints:
    """The rows of one member."""
    rows, members = order
    low, high = np.searchsorted(members, [member, member + 1])
    return rows[low:high]


def _in_force(store: Store, communities: Collection[int]) -> tuple[ActivityInForce, FindingsInForce]:
    if not communities:
        return store.in_force()
    parts = [store.in_force(number) for number in sorted(set(communities))]
    activity, findings = (
        [np.concatenate(column) for column in zip(*some, strict=True)] for some in zip(*parts, strict=True)
    )
    return ActivityInForce(*activity), FindingsInForce(*findings)
