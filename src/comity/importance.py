"""What another charter would change, in order of importance: which rights, for how many, and by which clause."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from comity.compare import Difference
from comity.core.rights import Right


class ByRight(NamedTuple):
    """A right, and how many members would lose it, or keep it instead of losing it."""

    right: Right
    losing: int
    gaining: int


class ByClause(NamedTuple):
    """A clause, and what changes by it.

    losing, gaining: members of whom it finds another number of things, and who would lose or keep a right; more, fewer:
    members it would find something of at all, or no longer; findings: how many more there would be, over all members.
    """

    clause_id: str
    losing: int
    gaining: int
    more: int
    fewer: int
    findings: int


def by_right(differences: Iterable[Difference]) -> list[ByRight]:
    """Rights that anybody would lose or keep, those of most members first."""
    losing: Counter[Right] = Counter()
    gaining: Counter[Right] = Counter()
    for difference in differences:
        losing.update(difference.losses)
        gaining.update(difference.gains)
    rows = [ByRight(right, losing[right], gaining[right]) for right in Right if losing[right] or gaining[right]]
    return sorted(rows, key=lambda row: (row.losing + row.gaining, row.losing), reverse=True)


def by_clause(differences: Sequence[Difference]) -> list[ByClause]:
    """Clauses that find otherwise: by how many rights are at stake, then by members, then by findings."""
    losing: Counter[str] = Counter()
    gaining: Counter[str] = Counter()
    more: Counter[str] = Counter()
    fewer: Counter[str] = Counter()
    findings: Counter[str] = Counter()
    changed = set()
    for difference in differences:
        was, now = difference.old.found, difference.new.found
        for clause in {*was, *now}:
            if was[clause] == now[clause]:
                continue
            changed.add(clause)
            findings[clause] += now[clause] - was[clause]
            more[clause] += not was[clause]
            fewer[clause] += not now[clause]
            losing[clause] += bool(difference.losses)
            gaining[clause] += bool(difference.gains)
    rows = [ByClause(c, losing[c], gaining[c], more[c], fewer[c], findings[c]) for c in sorted(changed)]
    return sorted(rows, key=lambda r: (r.losing + r.gaining, r.more + r.fewer, abs(r.findings)), reverse=True)
