"""The tables behind standing: logarithms and powers of two, exact, so that no platform rounds otherwise."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from comity.core.interval import Ints
from comity.core.parameters import DEFAULT, SHIFT


@lru_cache(maxsize=64)
def exposures(full_day: int) -> Ints:
    """Exposure of a day with n messages, shape (full_day + 1,): floor(1000·log2(1 + n)/log2(1 + full_day))."""
    return _frozen([_largest_power(1 + full_day, (1 + n) ** 1000, most=1000) for n in range(full_day + 1)])


@lru_cache(maxsize=64)
def left(half_life: int, forgotten: int) -> Ints:
    """What is left of a weight after k days, shape (forgotten + 1,): round(2^20 · 2^(-k/half_life)), at the end 0."""
    return _frozen([*(_halved(k, half_life) for k in range(forgotten)), 0])


def spread(findings: int, doubling: int = DEFAULT.doubling) -> int:
    """floor(doubling · log2 findings), exactly, in thousandths: what a day's further findings (>= 1 in all) add."""
    return int((findings**doubling).bit_length()) - 1


def _largest_power(base: int, bound: int, *, most: int) -> int:
    """The largest m <= most with base**m <= bound."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if base**middle <= bound else (low, middle - 1)
    return low


def _halved(k: int, half_life: int) -> int:
    """round(2^20 · 2^(-k/h)): the largest m with m - 1/2 <= that, by (2m - 1)^h <= 2^(21h - k)."""
    if (SHIFT + 1) * half_life < k:
        return 0
    bound = 1 << ((SHIFT + 1) * half_life - k)
    low, high = 0, 1 << SHIFT
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if (2 * middle - 1) ** half_life <= bound else (low, middle - 1)
    return low


def _frozen(values: Sequence[int]) -> Ints:
    table = np.array(values, dtype=np.int64)
    table.flags.writeable = False
    return table
