"""Features over time: counts and distinct counts per identifier within a look-back, and mentions left unanswered.

Every count is made within a community, at the time of arrival of the event it is asked for, that event included.
"""

from collections.abc import Sequence

import numpy as np

from comity.core.event import KINDS
from comity.features.columns import Batch, Bools, Column, Hashes, texts
from comity.features.kernels.distinct import DistinctWindow
from comity.features.kernels.hashing import hash_spans, mix
from comity.features.kernels.windows import CountWindow
from comity.features.registry import Evaluate, Parameter, Plan, Type, feature

_MESSAGE = KINDS.index("message")


@feature(
    Type.NUMBER,
    carries=True,
    per=Parameter(Type.KEYS),
    within=Parameter(Type.DURATION),
    of=Parameter(Type.TRUTH, optional=True),
)
def count(
    plan: Plan, *, per: Sequence[Evaluate], within: int, signature: str, of: Evaluate | None = None
) -> Evaluate:
    """Number of messages (or of events for which ``of`` holds) with the same identifiers ``per`` within the look-back."""
    window = plan.carry(signature, CountWindow(within))

    def evaluate(batch: Batch) -> Column:
        keys, known = _keys(batch, per)
        insert, read = _insert(batch, of), np.ones(len(batch), np.bool_)
        if known is not None:
            insert, read = insert & known, known
        return Column(window.turn(keys, batch.at, insert, read), known)

    return evaluate


@feature(
    Type.NUMBER,
    carries=True,
    first="what",
    what=Parameter(Type.KEY),
    per=Parameter(Type.KEYS),
    within=Parameter(Type.DURATION),
    of=Parameter(Type.TRUTH, optional=True),
)
def distinct(
    plan: Plan, *, what: Evaluate, per: Sequence[Evaluate], within: int, signature: str, of: Evaluate | None = None
) -> Evaluate:
    """Number of different values of an identifier in messages (or events of ``of``) with the same ``per``."""
    window = plan.carry(signature, DistinctWindow(within))

    def evaluate(batch: Batch) -> Column:
        keys, known = _keys(batch, [*per, what])
        keys = _keys(batch, per)[0]
        insert, read = _insert(batch, of), np.ones(len(batch), np.bool_)
        if known is not None:
            insert, read = insert & known, known
        return Column(window.turn(keys, what(batch).values, batch.at, insert, read), known)

    return evaluate


@feature(Type.NUMBER, carries=True, within=Parameter(Type.DURATION))
def unanswered(plan: Plan, *, within: int, signature: str) -> Evaluate:
    """Most mentions of one other member within the look-back that this member made and that one never answered.

    An answer is a mention in return: it forgets what was counted before.
    """
    window = plan.carry(signature, CountWindow(within))

    def evaluate(batch: Batch) -> Column:
        out = np.zeros(len(batch), np.int64)
        mentions = batch.mentions
        rows = np.flatnonzero((mentions.values > 0) & (batch.kinds == _MESSAGE))
        pairs = [(i, m) for i in rows.tolist() for m in dict.fromkeys(batch.events[i].mentions or ())]
        if pairs:
            owner = np.array([i for i, _ in pairs], np.int64)
            t = texts([m for _, m in pairs])
            mentioned = hash_spans(t.buffer, t.starts, t.ends, np.uint64(plan.seed))
            author = batch.hashes("member").values[owner]
            community = batch.hashes("community").values[owner]
            # Two rows for each mention: the answer it may be (forget), then the mention it is (count).
            n = len(pairs)
            keys = np.empty(2 * n, np.uint64)
            keys[0::2] = mix(community, mix(mentioned, author))
            keys[1::2] = mix(community, mix(author, mentioned))
            second = np.zeros(2 * n, np.bool_)
            second[1::2] = author != mentioned
            first = np.zeros(2 * n, np.bool_)
            first[0::2] = author != mentioned
            counts = window.turn(keys, np.repeat(batch.at[owner], 2), second, second, first)
            np.maximum.at(out, owner, counts[1::2])
        return Column(out, mentions.known)

    return evaluate


def _insert(batch: Batch, of: Evaluate | None) -> Bools:
    if of is None:
        messages: Bools = batch.kinds == _MESSAGE
        return messages
    values: Bools = of(batch).values
    return values


def _keys(batch: Batch, per: Sequence[Evaluate]) -> tuple[Hashes, Bools | None]:
    """The identifiers within the community as one key, and where all of them are known."""
    keys: Hashes = batch.hashes("community").values
    known: Bools | None = None
    for part in per:
        column = part(batch)
        keys = mix(keys, column.values)
        if column.known is not None:
            known = column.known if known is None else known & column.known
    return keys, known
