"""Features over time: counts and distinct counts per identifier within a look-back, and mentions left unanswered.

Every count is made within a community, at the time of arrival of the event it is asked for, that event included.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit

from comity.core.event import KINDS
from comity.features.columns import Batch, Column, Hashes
from comity.features.kernels.hashing import hash_spans, mix
from comity.features.kernels.windows import CountWindow, DistinctWindow
from comity.features.pieces import Bools, Ints
from comity.features.presence import LastSpoke
from comity.features.registry import Evaluate, Parameter, Plan, Reach, Type, feature

_MESSAGE = KINDS.index("message")


@feature(
    Type.NUMBER,
    carries=True,
    per=Parameter(Type.KEYS),
    within=Parameter(Type.DURATION),
    of=Parameter(Type.TRUTH, optional=True),
)
def count(plan: Plan, *, per: Sequence[Evaluate], within: int, signature: str, of: Evaluate | None = None) -> Evaluate:
    """Number of messages (or of events of which ``of`` holds) of the same identifiers ``per`` within the look-back."""
    window = plan.carry(signature, CountWindow(within), Reach(within))

    def evaluate(batch: Batch) -> Column:
        insert, read = _insert(batch, of), plan.asked(signature, batch)
        if not np.count_nonzero(insert) and not (window.rows and np.count_nonzero(read)):
            return Column(np.zeros(len(batch), np.int64), _keys(batch, per)[1])
        keys, known = _keys(batch, per)
        if known is not None:
            insert, read = insert & known, read & known
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
    window = plan.carry(signature, DistinctWindow(within), Reach(within))

    def evaluate(batch: Batch) -> Column:
        keys, known = _keys(batch, [*per, what])
        keys = _keys(batch, per)[0]
        insert, read = _insert(batch, of), plan.asked(signature, batch)
        if known is not None:
            insert, read = insert & known, read & known
        return Column(window.turn(keys, what(batch).values, batch.at, insert, read), known)

    return evaluate


@feature(Type.NUMBER, carries=True, within=Parameter(Type.DURATION))
def unanswered(plan: Plan, *, within: int, signature: str) -> Evaluate:
    """Most mentions of one other member within the look-back since that one last said anything in the room.

    Whoever speaks in the room takes part, and may be answering: only mentions of somebody who is silent add up.
    """
    window = plan.carry(signature, CountWindow(within), Reach(within))
    spoke = plan.carry(f"{signature} last spoke", LastSpoke(within), Reach(within))

    def evaluate(batch: Batch) -> Column:
        out = np.zeros(len(batch), np.int64)
        mentions = batch.mentions
        messages = batch.kinds == _MESSAGE
        room = mix(batch.hashes("community").values, batch.hashes("room").values)
        speakers = mix(room, batch.hashes("member").values)
        owner, t = batch.mentioned
        who = hash_spans(t.buffer, t.starts, t.ends, np.uint64(plan.seed))
        kept = messages[owner]
        _first_of_event(owner, who, kept)
        owner, who = owner[kept], who[kept]
        mentioned = mix(room[owner], who)
        since = spoke.turn(speakers, batch.at, messages, owner, mentioned)
        if len(owner):
            # What was counted before the mentioned member spoke stands under another key, and so counts no more.
            keys = mix(mix(speakers[owner], mentioned), since.view(np.uint64))
            other = speakers[owner] != mentioned
            np.maximum.at(out, owner, window.turn(keys, batch.at[owner], other, other))
        return Column(out, mentions.known)

    return evaluate


@njit(cache=True, nogil=True)
def _first_of_event(owner: Ints, who: Hashes, first: Bools) -> None:
    """Whether a mention is the first of that member in its event: twice in one message is one mention."""
    start = 0
    for i in range(len(owner)):
        if owner[i] != owner[start]:
            start = i
        for k in range(start, i):
            if who[k] == who[i] and first[k]:
                first[i] = False
                break


def _insert(batch: Batch, of: Evaluate | None) -> Bools:
    if of is None:
        messages: Bools = batch.kinds == _MESSAGE
        return messages
    values: Bools = of(batch).values
    return values


def _keys(batch: Batch, per: Sequence[Evaluate]) -> tuple[Hashes, Bools | None]:
    """The identifiers within the community as one key, and where all of them are known; mixed once for a batch."""
    if not per:
        return batch.hashes("community").values, None
    made: tuple[Hashes, Bools | None] | None = batch.made.get(names := (_keys, *per))
    if made is None:
        keys, known = _keys(batch, per[:-1])
        column = per[-1](batch)
        if column.known is not None:
            known = column.known if known is None else known & column.known
        made = batch.made[names] = (mix(keys, column.values), known)
    return made
