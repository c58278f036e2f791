"""What is to be left of rows of the record, worked out for those rows alone that anything could end."""

from collections import Counter
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.core.retention import Fate, Keeping, Said, week_of
from comity.stores.record.shape import BARED, SAID, Bools, bared, saids

OVER: Final = "term"  # reasons, as links count them
FORGOTTEN: Final = "forgotten"


class Left(NamedTuple):
    """What is left of rows.

    beyond: kept only because an appeal may be about them; holds: names of those that keep more; left_out: how many are
    gone, by reason; bare: how many lost what was said in them now.
    """

    rows: pa.Table
    beyond: list[Said]
    holds: set[str]
    left_out: Counter[str]
    bare: int


def left_of(rows: pa.Table, keeping: Keeping, now: int) -> Left:
    """What is left of rows at a time, milliseconds since 1970: as ``Keeping.fate`` says of each."""
    some = np.flatnonzero(_could_end(rows, keeping, now))
    beyond: list[Said] = []
    holds: set[str] = set()
    gone, bare = np.zeros(rows.num_rows, np.bool_), np.zeros(rows.num_rows, np.bool_)
    left_out: Counter[str] = Counter()
    for i, said in zip(some.tolist(), saids(rows.take(some).select(SAID)), strict=True):
        due = keeping.due(said, now)
        if due is Fate.KEPT:
            continue
        if keeping.is_cited(said, now):
            beyond.append(said)
        elif names := keeping.holding(said, now):
            holds.update(names)
        elif due is Fate.GONE:
            gone[i] = True
            is_over = keeping.over(said.community, said.room, week_of(said.at), now)
            left_out[OVER if is_over else FORGOTTEN] += 1
        else:
            bare[i] = True
    bare &= _says_something(rows)
    if bare.any():
        rows = bared(rows, bare)
    if gone.any():
        rows = rows.filter(pa.array(~gone))
    return Left(rows, beyond, holds, left_out, int(bare.sum()))


def _says_something(rows: pa.Table) -> Bools:
    found = np.zeros(rows.num_rows, np.bool_)
    for name in BARED:
        column = rows.column(name)
        found |= (pc.not_equal(column, "") if name == "mentioned" else pc.is_valid(column)).to_numpy()
    return found


def _could_end(rows: pa.Table, keeping: Keeping, now: int) -> Bools:
    """Rows that a term, a redaction or a wish to be forgotten could be about; perhaps more, never less."""
    found = np.zeros(rows.num_rows, np.bool_)
    members = {member for _, member in keeping.forgotten} | set(keeping.taken_back.values())
    if members:
        found |= pc.is_in(rows.column("member"), pa.array(sorted(members))).to_numpy()
    if rows.num_rows:
        # The term of every room counts from the end of a week: each (room, week) is asked for once.
        weeks = week_of(rows.column("at").to_numpy())
        pairs = rows.select(["community", "room"]).append_column("week", pa.array(weeks))
        names = pairs.group_by(["community", "room", "week"]).aggregate([])
        over = [
            (room, week)
            for community, room, week in zip(*(names.column(i).to_pylist() for i in range(3)), strict=True)
            if keeping.over(community, room, week, now)
        ]
        if over:
            of_room = pc.is_in(rows.column("room"), pa.array(sorted({room for room, _ in over}))).to_numpy()
            found |= of_room & np.isin(weeks, sorted({week for _, week in over}))
    return found
