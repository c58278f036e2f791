"""How often a clause is right: from appeals, confirmations and blind second looks, with an interval. Pure.

Source: Beta posterior with a uniform prior, Beta(1 + right, 1 + wrong); its 5 % and 95 % quantiles.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from hashlib import blake2b

import msgspec

from comity.core.due_process import DueProcess


class Source(IntEnum):
    """Who judged, by how much it says: an appeal's outcome stands above a blind look, that above one who decided."""

    DECIDER = 1
    SAMPLE = 2
    APPEAL = 3


class Precision(msgspec.Struct, frozen=True, kw_only=True):
    """How often a clause is right. right, wrong: findings judged so since it last began to count.

    mean, low, high: 0 to 1, the 90 % interval; under: it is sure to be under its floor; dropped_at: since when it only
    finds because of that, None if it does not.
    """

    clause_id: str
    rule: str
    right: int
    wrong: int
    mean: float
    low: float
    high: float
    under: bool
    dropped_at: int | None = None


def precision(
    clause_id: str, rule: str, right: int, wrong: int, terms: DueProcess, *, dropped_at: int | None = None
) -> Precision:
    """The precision of a clause. Raises ValueError if a count is negative."""
    if right < 0 or wrong < 0:
        raise ValueError(f"counts must be >= 0, got {right} and {wrong}")
    from scipy.special import betaincinv  # noqa: PLC0415 - its import takes longer than most commands, and few need it

    low, high = (float(betaincinv(1 + right, 1 + wrong, share)) for share in (0.05, 0.95))
    under = right + wrong >= terms.least_judged and 1000 * high < terms.precision_floor
    return Precision(
        clause_id=clause_id,
        rule=rule,
        right=right,
        wrong=wrong,
        mean=(1 + right) / (2 + right + wrong),
        low=low,
        high=high,
        under=under,
        dropped_at=dropped_at,
    )


def draw(candidates: Iterable[int], seed: bytes, sampled: int) -> Sequence[int]:
    """The decisions that somebody looks at again: each by itself, with a chance of ``sampled`` thousandths.

    seed: whoever knows it knows what will be drawn; keep it to oneself. In ascending order.
    """
    line = sampled * 2**64 // 1000
    return [n for n in sorted(set(candidates)) if _drawn(seed, n) < line]


def _drawn(seed: bytes, number: int) -> int:
    return int.from_bytes(blake2b(number.to_bytes(8, "big"), key=seed[:64], digest_size=8).digest(), "big")
