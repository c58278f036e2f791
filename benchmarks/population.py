"""A made-up community: who does what on which day, what of it is found, and what is found wrongly. Seeded.

Nobody here is real, and restricting somebody changes nothing of what they do: every scheme sees the same days. Counts
are matrices of shape (members, days), by severity of shape (3, members, days).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from comity.core.days import ActiveColumns, CountedColumns
from comity.core.harm import Severity

Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

DAYS: Final = 540
SHARES: Final = {
    "honest": 0.66,
    "brigaded": 0.04,
    "careless": 0.12,
    "abusive": 0.06,
    "bot": 0.03,
    "sleeper": 0.03,
    "launderer": 0.03,
    "reformed": 0.03,
}
KINDS: Final = (*SHARES, "launderer alone")
FOUND: Final = (0.60, 0.75, 0.90)  # of minor, serious, severe acts, by a rule
REPORTED: Final = 0.25  # of what no rule finds
WRONG: Final = (1 / 5_000, 1 / 50_000, 0.0)  # findings per harmless message
MIX: Final = {"abusive": (0.55, 0.38, 0.07), "bot": (0.70, 0.30, 0.0), "careless": (1.0, 0.0, 0.0)}


@dataclass(frozen=True)
class Population:
    """What everybody does and what is found of it; a "launderer alone" does a launderer's deeds without the chatter.

    kind: index into ``KINDS``, joined and left: days, of shape (members,); messages: own, all; acts: real misconduct;
    rule and reported: findings by how they began, right or wrong.
    """

    kind: Counts
    joined: Counts
    left: Counts
    messages: Counts
    acts: Counts
    rule: Counts
    reported: Counts

    def of(self, *names: str) -> Flags:
        """Who is of one of these kinds."""
        return np.isin(self.kind, [KINDS.index(name) for name in names])

    def activity(self) -> ActiveColumns:
        """Own messages as columns."""
        member, day = np.nonzero(self.messages)
        return ActiveColumns(member, day, self.messages[member, day])

    def findings(self) -> CountedColumns:
        """Findings as columns, each on a message of its own."""
        parts = []
        for reported, counts in ((False, self.rule), (True, self.reported)):
            severity, member, day = np.nonzero(counts)
            rows = np.repeat(np.arange(len(member)), counts[severity, member, day])
            codes = np.array(list(Severity))[severity]
            parts.append((member[rows], day[rows], codes[rows], np.full(len(rows), reported)))
        member, day, codes, reports = (np.concatenate(column) for column in zip(*parts, strict=True))
        return CountedColumns(member, day, codes, np.arange(len(member)), reports)


def make(seed: int, members: int = 3000) -> Population:
    """A population of about ``members``, and a "launderer alone" for every launderer."""
    rng = np.random.default_rng(seed)
    kind = np.repeat(np.arange(len(SHARES)), [round(members * share) for share in SHARES.values()])
    n, t = len(kind), np.arange(DAYS)

    def of(*names: str) -> Flags:
        return np.isin(kind, [KINDS.index(name) for name in names])

    joined = np.where(rng.random(n) < 0.4, 0, rng.integers(0, DAYS - 60, n))
    stay = 1 + rng.exponential(300, n).astype(np.int64)
    stay = np.where(
        of("honest", "careless") & (rng.random(n) < 0.35), 1, stay
    )  # many look in once and are not seen again
    stay = np.where(of("sleeper", "launderer", "reformed", "brigaded"), np.maximum(stay, 240), stay)
    stay = np.where(of("bot"), rng.integers(1, 4, n), stay)
    joined = np.where(of("sleeper", "launderer", "reformed", "brigaded"), rng.integers(0, DAYS - 300, n), joined)
    present = (t >= joined[:, None]) & (t < (joined + stay)[:, None])
    again = of("bot") & (rng.random(n) < 0.5)  # half of the bots come back for two days
    back = joined + rng.integers(20, 41, n)
    present |= again[:, None] & (t >= back[:, None]) & (t < (back + 2)[:, None])
    active = present & (
        (rng.random((n, DAYS)) < rng.beta(1.2, 2.5, n)[:, None]) | (t == joined[:, None]) | of("bot")[:, None]
    )
    rate = rng.lognormal(1.5, 1.0, n)
    messages = np.where(active, 1 + rng.poisson(rate[:, None], (n, DAYS)), 0)

    begins = joined + np.where(of("sleeper"), rng.integers(60, 151, n), 0)
    ends = np.where(of("reformed"), joined + rng.integers(30, 91, n), DAYS)
    often = np.select(
        [of("abusive", "sleeper", "launderer", "reformed"), of("careless"), of("bot")],
        [rng.beta(2, 5, n), rng.beta(1, 25, n), np.ones(n)],
        0.0,
    )
    bad = active & (t >= begins[:, None]) & (t < ends[:, None]) & (rng.random((n, DAYS)) < often[:, None])
    much = np.where(of("bot")[:, None], rng.integers(5, 60, (n, DAYS)), 1 + rng.poisson(1, (n, DAYS)))
    number = np.where(bad, np.where(of("careless")[:, None], 1, much), 0)
    mix = np.array([MIX.get(KINDS[k], MIX["abusive"]) for k in kind])
    acts = np.moveaxis(rng.multinomial(number, mix[:, None, :]), 2, 0).astype(np.int64)

    rule = rng.binomial(acts, np.array(FOUND)[:, None, None])
    reported = rng.binomial(acts - rule, REPORTED)
    rule += rng.binomial(messages, np.array(WRONG)[:, None, None])
    # A brigade: on five days in a row somebody reports two to six harmless messages; three of ten are wrongly upheld.
    first = joined + rng.integers(30, 200, n)
    brigade = of("brigaded")[:, None] & (t >= first[:, None]) & (t < (first + 5)[:, None])
    upheld = np.where(brigade, rng.binomial(rng.integers(2, 7, (n, DAYS)), 0.3), 0)
    reported[1] += (serious := rng.binomial(upheld, 0.3))
    reported[0] += upheld - serious

    launders = of("launderer")
    alone = tuple(counts[:, launders] for counts in (acts, rule, reported))
    deeds = alone[0].sum(axis=0)
    chatter = np.where(present[launders], rng.integers(100, 201, (launders.sum(), DAYS)), 0)
    messages = messages + acts.sum(axis=0)
    messages[launders] = deeds + chatter
    return Population(
        np.concatenate([kind, np.full(launders.sum(), KINDS.index("launderer alone"))]),
        np.concatenate([joined, joined[launders]]),
        np.concatenate([joined + stay, (joined + stay)[launders]]),
        np.concatenate([messages, deeds]),
        *(np.concatenate([all_, part], axis=1) for all_, part in zip((acts, rule, reported), alone, strict=True)),
    )
