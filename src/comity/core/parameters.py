"""The figures of standing a charter may set, all whole numbers, with their defaults and bounds."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

SHIFT: Final = 20  # weights are in thousandths · 2^-20
UNIT: Final = 1000 << SHIFT  # one minor finding of today, one full active day of today

# The bounds keep every sum of a member below 2^63: standings.py states the proof.
BOUNDS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "minor": (1, 100),
        "serious": (1, 100),
        "severe": (1, 100),
        "doubling": (0, 1000),
        "full_day": (1, 1000),
        "half_life": (1, 365),
        "forgotten": (1, 730),
        "cap": (0, 1000),
        "prior_findings": (100, 10_000),
        "prior": (5, 1000),
        "prior_verified": (5, 1000),
        "suspended": (1, 99),
        "no_links": (1, 99),
        "muted": (1, 99),
        "margin": (0, 20),
        "trusted": (1, 99),
        "trusted_days": (1, 180),
        "newcomer_days": (0, 30),
        "quiet_days": (0, 30),
        "removal": (1, 999),
    }
)


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of standing in one community; ValueError where one is out of ``BOUNDS`` or contradicts another.

    minor, serious, severe: weight of the day's first finding of that severity; doubling: thousandths of a weight added
    each time that day's findings of the severity double; full_day: messages that make a day of full exposure;
    half_life: days until half is forgotten; forgotten: age in days from which nothing is left; cap: full days that
    history can weigh at most; prior_findings: thousandths, prior and prior_verified: days, what a member starts with;
    suspended, no_links, muted: points under which that band holds; margin: points above its line at which a band is
    left; trusted: points, trusted_days: active days from which a member is trusted; newcomer_days: active days from
    which a member is no newcomer; quiet_days: days after a counted finding in which reports add nothing of the same
    severity or less; removal: thousandths that the 5 % quantile of p must exceed before anybody may propose to remove
    the member.
    """

    minor: int = 1
    serious: int = 3
    severe: int = 6
    doubling: int = 250
    full_day: int = 20
    half_life: int = 30
    forgotten: int = 180
    cap: int = 10
    prior_findings: int = 300
    prior: int = 30
    prior_verified: int = 35
    suspended: int = 70
    no_links: int = 50
    muted: int = 25
    margin: int = 3
    trusted: int = 85
    trusted_days: int = 10
    newcomer_days: int = 3
    quiet_days: int = 7
    removal: int = 100

    def __post_init__(self) -> None:
        for name, (least, most) in BOUNDS.items():
            if not least <= (value := getattr(self, name)) <= most:
                raise ValueError(f"standing.{name} must be {least} to {most}, got {value}")
        if not self.minor <= self.serious <= self.severe:
            raise ValueError("standing: a graver severity must not weigh less: minor <= serious <= severe")
        if not self.muted < self.no_links < self.suspended < self.trusted:
            raise ValueError("standing: the lines must rise: muted < no_links < suspended < trusted")
        if self.prior > self.prior_verified:
            raise ValueError("standing: prior_verified must not be less than prior")
        if (heals_to := self.start(verified=False)) < 1000 * max(self.suspended + self.margin, self.trusted):
            raise ValueError(
                f"standing: a member starts at {heals_to / 1000:.3f} points, too low ever to leave a band "
                "or be trusted; expected at least suspended + margin, and trusted"
            )

    def days(self, *, verified: bool) -> int:
        """The prior's days, n0."""
        return self.prior_verified if verified else self.prior

    def start(self, *, verified: bool) -> int:
        """Standing without any history, in thousandths of a point, rounded down: 95.000 by default."""
        n0 = 1000 * self.days(verified=verified)
        return max(0, (100_000 * n0 - 500_000 * self.prior_findings) // n0)

    def weight(self, severity: int) -> int:
        """The weight of a severity's code 1, 3, or 6 (``harm.Severity``)."""
        return {1: self.minor, 3: self.serious, 6: self.severe}[severity]


DEFAULT: Final = Parameters()
