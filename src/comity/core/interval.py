"""How sure a standing is: quantiles of its Beta posterior. The only figures here that are no whole numbers.

They are shown, and hold back a person who would propose a removal; nothing is done by machine because of them.
"""

import numpy as np
import numpy.typing as npt

from comity.core.parameters import UNIT, Parameters

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def quantile(share: float, history: Ints, weight: Ints, days: Ints, parameters: Parameters) -> Floats:
    """The quantile ``share`` of p, 0 to 1: of Beta(α0 + B, n0 - α0 + A).

    history: A, weight: B, in thousandths · 2^-20; days: the prior's, n0; all and the result of shape (members,).
    """
    from scipy.special import betaincinv  # noqa: PLC0415 - its import takes longer than most commands, and few need it

    prior = parameters.prior_findings / 1000
    found: Floats = betaincinv(prior + weight / UNIT, days - prior + history / UNIT, share)
    return found


def interval(history: Ints, weight: Ints, days: Ints, parameters: Parameters) -> tuple[Ints, Ints]:
    """The 90 % interval of S as (low, high), in thousandths of a point, 0 to 100,000, rounded outwards; as above."""
    low = np.floor(100_000 - 500_000 * quantile(0.95, history, weight, days, parameters))
    high = np.ceil(100_000 - 500_000 * quantile(0.05, history, weight, days, parameters))
    return np.maximum(low, 0).astype(np.int64), np.maximum(high, 0).astype(np.int64)


def removal_may_be_proposed(history: Ints, weight: Ints, days: Ints, parameters: Parameters) -> Flags:
    """Whom a person may propose to remove: even the 5 % quantile of p is above ``parameters.removal``; as above."""
    # That quantile lies below the mean (each side of the mean holds at least 1/e of a log-concave Beta, and under one
    # finding it leans to the right), so only members with a mean above the line need it.
    harm, line = parameters.prior_findings / 1000 + weight / UNIT, parameters.removal / 1000
    found = harm / (days + (history + weight) / UNIT) > line
    if found.any():
        found[found] = quantile(0.05, history[found], weight[found], days[found], parameters) > line
    return found
