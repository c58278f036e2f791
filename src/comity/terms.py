"""Checked parts of expressions: each is worked out once for a batch, however many clauses ask for it."""

from dataclasses import dataclass, field
from typing import Any

from comity.features.columns import Batch, Column
from comity.features.registry import Evaluate, Plan, Type


@dataclass(frozen=True, slots=True)
class Term:
    """A checked part of an expression. value: a constant, else None and ``evaluate`` gives its column."""

    type: Type
    signature: str
    evaluate: Evaluate
    value: Any = None


@dataclass(slots=True)
class When:
    """A checked expression. figures: what it compares, by label; shown with a finding as the figures the rule saw."""

    signature: str
    evaluate: Evaluate
    figures: dict[str, Evaluate] = field(default_factory=dict)


class Terms:
    """The terms of one charter, by their signatures. every_batch: what keeps state and so has to see every batch."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._terms: dict[str, Term] = {}
        self.every_batch: list[Evaluate] = []
        self.carried: list[str] = []

    def share(self, term: Term, *, carries: bool = False) -> Term:
        """The term under whose signature an equal one may have been made before."""
        if term.signature in self._terms:
            return self._terms[term.signature]
        key, inner = object(), term.evaluate

        def evaluate(batch: Batch) -> Column:
            column = batch.memo.get(key)
            if column is None:
                column = batch.memo[key] = inner(batch)
            return column

        shared = Term(term.type, term.signature, evaluate, term.value)
        self._terms[term.signature] = shared
        if carries:
            self.every_batch.append(evaluate)
            self.carried.append(term.signature)
        return shared

    def known(self, signature: str) -> Term | None:
        """A term made before."""
        return self._terms.get(signature)
