"""What standing is made of, in memory: the ledger's entries in force of one community, and what came since."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np

from comity.core.case import Rated, rated
from comity.core.charter import SEVERITIES, State
from comity.core.explanation import Explanation, explain
from comity.core.ledger import REPORTED, ActivityColumns, ClauseRow
from comity.core.parameters import Parameters
from comity.core.standing import Counted
from comity.features.pieces import Ints
from comity.stores.contract import Store

_ALL: Final = 1 << 62


class _Mine(NamedTuple):
    """A finding of a member that counts. house: whether its clause is a community's own taste."""

    counted: Counted
    house: bool


class Counting:
    """Everybody's activity and counted findings.

    day: today, in the charter's time zone; what is forgotten by then is not read. What is counted here and not posted
    yet is handed out by ``take_unposted``.
    """

    def __init__(self, store: Store, community: int, parameters: Parameters, day: int) -> None:
        self._parameters = parameters
        activity, findings = store.in_force(community, since=day - parameters.forgotten - parameters.quiet_days)
        order = np.argsort(activity.member, kind="stable")
        self._members, self._days, self._messages = (
            column[order] for column in (activity.member, activity.day, activity.messages)
        )
        self._since: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
        self._unposted: defaultdict[tuple[int, int], int] = defaultdict(int)
        self._findings: defaultdict[int, list[_Mine]] = defaultdict(list)
        self._beside: defaultdict[int, set[int]] = defaultdict(set)
        clauses = store.clause_rows()
        columns = (findings.number, findings.day, findings.member, findings.clause, findings.message)
        for number, on, member, clause, message in zip(*(c.tolist() for c in columns), strict=True):
            row = clauses[clause - 1]
            if row.state in {State.LIVE, REPORTED}:
                self._findings[member].append(_mine(number, on, row, message))
            elif row.state == "review":
                self._beside[member].add(number)

    def wrote(self, members: Ints, days: Ints) -> None:
        """Count own messages; both of shape (messages,)."""
        for (member, day), count in Counter(zip(members.tolist(), days.tolist(), strict=True)).items():
            self._since[member][day] += count
            self._unposted[member, day] += count

    def take_unposted(self) -> ActivityColumns:
        """What was counted and is not in the ledger yet; from now on it is taken to be there."""
        pairs = sorted(self._unposted)
        columns = ActivityColumns([m for m, _ in pairs], [d for _, d in pairs], [self._unposted[p] for p in pairs])
        self._unposted.clear()
        return columns

    def forget_unposted(self) -> None:
        """What was counted is in the ledger: it was read from there, and is counted once."""
        for (member, day), messages in self._unposted.items():
            self._since[member][day] -= messages
        self._unposted.clear()

    def found(self, member: int, counted: Counted, *, house: bool) -> None:
        """Count a finding that is in the ledger now."""
        self._findings[member].append(_Mine(counted, house))

    def found_beside(self, member: int, entry: int) -> None:
        """Know a finding that decisions can rest on, and that standing does not count."""
        self._beside[member].add(entry)

    def take_back(self, member: int, entries: Collection[int]) -> None:
        """Count findings no longer."""
        self._beside[member].difference_update(entries)
        self._findings[member] = [f for f in self._findings[member] if f.counted.entry not in entries]

    def activity(self, member: int) -> dict[int, int]:
        """Own messages of a member by day."""
        low, high = np.searchsorted(self._members, [member, member + 1])
        by_day: dict[int, int] = defaultdict(int, self._since.get(member, {}))
        for day, messages in zip(self._days[low:high].tolist(), self._messages[low:high].tolist(), strict=True):
            by_day[day] += messages
        return by_day

    def rated(self, member: int, day: int, *, most: int = _ALL) -> Rated:
        """Standing and bands of a member on a day, by the entries up to the number ``most``."""
        mine = [f for f in self._findings.get(member, ()) if f.counted.entry <= most]
        house = [f.counted.entry for f in mine if f.house]
        return rated(self.activity(member), [f.counted for f in mine], house, day, parameters=self._parameters)

    def explain(self, member: int, day: int) -> Explanation:
        """Every line a member's standing is made of."""
        mine = [f.counted for f in self._findings.get(member, ())]
        return explain(self.activity(member), mine, day, parameters=self._parameters)

    def counted(self, member: int) -> list[Counted]:
        """The findings of a member that count."""
        return [f.counted for f in self._findings.get(member, ())]

    def house(self, member: int) -> list[int]:
        """The entries of those under house clauses."""
        return [f.counted.entry for f in self._findings.get(member, ()) if f.house]

    def entries(self, member: int) -> set[int]:
        """The findings of a member that are in force and that decisions can rest on."""
        return {f.counted.entry for f in self._findings.get(member, ())} | self._beside.get(member, set())

    def newcomer(self, member: int, day: int) -> bool:
        """Whether a member is new here still; as ``Standing.newcomer``, without the sums."""
        if not self._parameters.newcomer_days:
            return False
        days = self.activity(member)
        active = sum(0 <= day - d < self._parameters.forgotten for d in days)
        return active < self._parameters.newcomer_days

    def regulars(self, day: int) -> Iterable[int]:
        """Members with so many active days that they may be trusted, those with the most first."""
        recent = (day - self._parameters.forgotten < self._days) & (self._days <= day)
        pairs = {*zip(self._members[recent].tolist(), self._days[recent].tolist(), strict=True)}
        pairs |= {(m, d) for m, days in self._since.items() for d in days if 0 <= day - d < self._parameters.forgotten}
        active: Mapping[int, int] = _count(m for m, _ in pairs)
        enough = [m for m, days in active.items() if days >= self._parameters.trusted_days]
        return sorted(enough, key=lambda m: (-active[m], m))


def _mine(number: int, day: int, row: ClauseRow, message: int) -> _Mine:
    counted = Counted(number, day, SEVERITIES[row.severity], message, row.state == REPORTED)
    return _Mine(counted, row.harm == "house")


def _count(members: Iterable[int]) -> dict[int, int]:
    found: dict[int, int] = defaultdict(int)
    for member in members:
        found[member] += 1
    return found
