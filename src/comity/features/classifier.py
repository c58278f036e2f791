"""Scores of classifiers that others plug in (entry points of the group ``comity.classifiers``).

A classifier is a callable: a list of texts in, a sequence of numbers from 0 to 1 out. Comity ships none. What rests on
a score is for a person to look at: a charter cannot let it act alone.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import entry_points

import numpy as np

from comity.features.columns import Batch, Column
from comity.features.registry import Evaluate, Parameter, Plan, Type, feature

GROUP = "comity.classifiers"
Classifier = Callable[[list[str]], Sequence[float]]


@cache
def _plugged_in(name: str) -> Classifier | None:
    for point in entry_points(group=GROUP, name=name):
        loaded: Classifier = point.load()
        return loaded
    return None


@feature(Type.NUMBER, first="name", name=Parameter(Type.TEXT))
def score(_plan: Plan, *, name: str) -> Evaluate:
    """Score of a plug-in classifier for the text, 0 to 1; unknown where it is missing or gives another figure."""
    classifier = _plugged_in(name)

    def evaluate(batch: Batch) -> Column:
        values, known = np.zeros(len(batch)), np.zeros(len(batch), np.bool_)
        rows = np.flatnonzero(batch.texts.ends > batch.texts.starts).tolist()
        if classifier is not None and rows:
            scores = np.asarray(classifier([batch.texts.string(i) for i in rows]), np.float64)
            if scores.shape != (len(rows),):
                raise ValueError(f"the classifier {name!r} gave {scores.shape} scores for {len(rows)} texts")
            known[rows] = (scores >= 0) & (scores <= 1)
            values[rows] = np.where(known[rows], scores, 0.0)
        return Column(values, known)

    return evaluate
