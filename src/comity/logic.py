"""Three-valued logic and comparisons on columns (Kleene 1938): true, false, unknown; a truth unknown is False."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from comity.features.columns import Batch, Column
from comity.features.pieces import Bools
from comity.features.registry import Evaluate

Operator = Callable[[Any, Any], npt.NDArray[Any]]


def _both(a: Bools | None, b: Bools | None) -> Bools | None:
    if a is None:
        return b
    return a if b is None else a & b


def _all(n: int, known: Bools | None) -> Bools:
    return np.ones(n, np.bool_) if known is None else known


def conjunction(parts: Sequence[Evaluate]) -> Evaluate:
    """``and``: false as soon as one part is known to be false, whatever the others are."""

    def evaluate(batch: Batch) -> Column:
        values, known = parts[0](batch)
        for part in parts[1:]:
            if known is None and not np.count_nonzero(values):
                break  # known to be false everywhere: the rest need not be looked at
            v, k = part(batch)
            if known is not None or k is not None:
                a, b = _all(len(batch), known), _all(len(batch), k)
                known = (a & b) | (a & ~values) | (b & ~v)
            values = values & v
        return Column(values, known)

    return evaluate


def disjunction(parts: Sequence[Evaluate]) -> Evaluate:
    """``or``: true as soon as one part is true, whatever the others are."""

    def evaluate(batch: Batch) -> Column:
        values, known = parts[0](batch)
        for part in parts[1:]:
            v, k = part(batch)
            values = values | v
            if known is not None or k is not None:
                known = (_all(len(batch), known) & _all(len(batch), k)) | values
        return Column(values, known)

    return evaluate


def negation(part: Evaluate) -> Evaluate:
    """``not``: what is unknown stays unknown."""

    def evaluate(batch: Batch) -> Column:
        values, known = part(batch)
        return Column(~values if known is None else ~values & known, known)

    return evaluate


def comparison(operator: Operator, left: Evaluate, right: Evaluate) -> Evaluate:
    """A comparison: unknown where a side is."""

    def evaluate(batch: Batch) -> Column:
        a, b = left(batch), right(batch)
        known = _both(a.known, b.known)
        values = operator(a.values, b.values)
        if values.ndim == 0:  # two constants
            values = np.full(len(batch), values)
        return Column(values if known is None else values & known, known)

    return evaluate


def arithmetic(operator: Operator, left: Evaluate, right: Evaluate) -> Evaluate:
    """A sum, difference, product or quotient in floating point: unknown where a side is, or where it has no value."""

    def evaluate(batch: Batch) -> Column:
        a, b = left(batch), right(batch)
        with np.errstate(all="ignore"):
            values = np.asarray(operator(a.values.astype(np.float64), b.values.astype(np.float64)))
        if values.ndim == 0:
            values = np.full(len(batch), values)
        known, finite = _both(a.known, b.known), np.isfinite(values)
        if not finite.all():
            values, known = np.where(finite, values, 0.0), finite if known is None else known & finite
        return Column(values, known)

    return evaluate


def constant(value: float | bool) -> Evaluate:  # noqa: FBT001  a constant is what it is
    """The same value for every event; of shape (), so that it costs nothing."""
    column = Column(np.asarray(value))
    return lambda _batch: column


def among(part: Evaluate, wanted: Sequence[int], dtype: npt.DTypeLike) -> Evaluate:
    """Whether a code or key is one of some."""
    values = np.array(sorted(wanted), dtype)

    def evaluate(batch: Batch) -> Column:
        column = part(batch)
        found = np.zeros(len(batch), np.bool_)
        for v in values:
            found |= column.values == v
        return Column(found if column.known is None else found & column.known, column.known)

    return evaluate
