"""Counts per key over a look-back, as a log: rows in the order of arrival, those of a key linked to one another.

A row is written once, behind the last, and goes with the oldest. So a key that speaks once costs a write and a look,
and nothing has to be taken apart when it falls silent. ``windows.CountWindow`` says what is counted. Of distinct
values, the row that holds a value at its latest time in the run is the one that counts.

Numba renews its cache by the file of the outer function alone: after a change of ``hashing.mixed``, touch this file.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.features.kernels.hashing import mixed

BLOCK = 31  # inserts whose median is the stream's clock; an odd number, so that the median is one of them
AHEAD, WARM_FROM = 64, 16_384  # rows that memory is fetched ahead for, and rows of the log from which on
NO_CLOCK = -(1 << 62)
uint64 = np.uint64

# Slots of ``state``, an int64 array. NEXT, OLDEST: numbers of rows, counted since the window began and never anew.
WITHIN, KEEP, CEILING, STEPS = 0, 1, 2, 3
NEXT, OLDEST, CUT, WARM = 4, 5, 6, 7
STATE_SIZE = 8

# latest: of its run so far. older, back, on and first are distances to other rows, 0 for none: in the same bucket; the
# key's row before it and after it in its run; the oldest in the look-back at its time. count: how many are in the
# look-back then, 0 if the run was not in order.
_ROW = [
    ("key", "<u8"),
    ("time", "<i8"),
    ("latest", "<i8"),
    ("older", "<u4"),
    ("back", "<u4"),
    ("on", "<u4"),
    ("first", "<u4"),
    ("count", "<u4"),
    ("run", "<u4"),  # the number of the run's first row, modulo 2^32
]
ROW = np.dtype(_ROW)
# pair: the key and its value, mixed; other: distance to an older row in the same bucket of pairs; holds: whether the
# value stands here at its latest time.
PAIR = np.dtype([*_ROW, ("pair", "<u8"), ("other", "<u4"), ("holds", "<u4")])

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Records = Any  # a structured array of ROW or PAIR; its size is a power of two, and row n stands at n modulo that
Whole = Any  # int or a numpy integer: the same once compiled


@njit(forceinline=True)
def _last_of(state: Ints, heads: Ints, rows: Records, key: Whole) -> Whole:
    """The number of the key's last row, -1 if there is none any more."""
    n = heads[np.int64(key & uint64(heads.size - 1))]
    while n >= state[OLDEST]:
        row = rows[n & (rows.size - 1)]
        if row.key == key:
            return n
        if row.older == 0:
            break
        n -= np.int64(row.older)
    return np.int64(-1)


@njit(forceinline=True)
def _holder(state: Ints, pairs: Ints, rows: Records, key: Whole, pair: Whole, run: Whole) -> Whole:
    """The number of the row that holds a value in a run, -1 if none does."""
    n = pairs[np.int64(pair & uint64(pairs.size - 1))]
    while n >= state[OLDEST]:
        row = rows[n & (rows.size - 1)]
        if row.pair == pair and row.key == key and row.run == run and row.holds:
            return n
        if row.other == 0:
            break
        n -= np.int64(row.other)
    return np.int64(-1)


@njit(forceinline=True)
def _worth(pairs: Ints | None, row: Any) -> Whole:  # noqa: ANN401 - a record
    return 1 if pairs is None else np.int64(row.holds)


@njit(forceinline=True)
def _walked(
    state: Ints, pairs: Ints | None, rows: Records, last: Whole, time: Whole, bound: Whole
) -> tuple[Whole, Whole]:
    """What counts of the run that ends at ``last`` in (bound, time]; and the oldest, or -1 if it was not in order."""
    count, n, oldest, steps, sound = np.int64(0), np.int64(last), np.int64(last), np.int64(0), True
    while n >= state[OLDEST] and steps < state[STEPS]:
        row = rows[n & (rows.size - 1)]
        if row.latest <= bound:  # and so is all that came before it
            break
        oldest = n
        sound &= row.time == row.latest
        if bound < row.time <= time:
            count += _worth(pairs, row)
        if row.back == 0:
            break
        n -= np.int64(row.back)
        steps += 1
    if not sound or steps == state[STEPS]:
        oldest = np.int64(-1)
    return count, oldest


@njit(forceinline=True)
def _counted(state: Ints, pairs: Ints | None, rows: Records, last: Whole, time: Whole) -> tuple[Whole, Whole]:
    """As ``_walked``, for a time in the look-back of the run's latest; in order, without walking."""
    row = rows[last & (rows.size - 1)]
    bound = max(row.latest, time) - state[WITHIN]
    first = last - np.int64(row.first)
    if row.count == 0 or time < row.latest or first < state[OLDEST]:
        return _walked(state, pairs, rows, last, time, bound)
    count = np.int64(row.count)
    while first <= last and rows[first & (rows.size - 1)].time <= bound:
        count -= _worth(pairs, rows[first & (rows.size - 1)])
        first = first + np.int64(rows[first & (rows.size - 1)].on) if first < last else last + 1
    return count, first


@njit(forceinline=True)
def _append(state: Ints, heads: Ints, pairs: Ints | None, rows: Records, key: Whole, value: Whole, time: Whole) -> None:
    """Put a row behind the last, and count."""
    n, last = state[NEXT], _last_of(state, heads, rows, key)
    latest, back, count, first, run = np.int64(time), np.int64(0), np.int64(1), np.int64(n), np.uint32(n)
    if last >= 0:
        before = rows[last & (rows.size - 1)]
        if abs(time - before.latest) < state[WITHIN]:
            back, latest, run = n - last, max(before.latest, time), before.run
            others, first = _counted(state, pairs, rows, last, time)
            count = others + 1
            if time < before.latest or first < 0:
                count = np.int64(0)  # not in order
            elif first > last:
                first = n
            before.on = back
    row = rows[n & (rows.size - 1)]
    if pairs is not None:
        pair = mixed(key, value)
        held = _holder(state, pairs, rows, key, pair, run)
        row.holds = 1
        if held >= 0:
            if rows[held & (rows.size - 1)].time >= time:
                row.holds = 0
            else:
                rows[held & (rows.size - 1)].holds = 0
            if count > 0 and held >= first:
                count -= 1
        place = np.int64(pair & uint64(pairs.size - 1))
        row.pair, row.other = pair, n - pairs[place] if pairs[place] >= state[OLDEST] else 0
        pairs[place] = n
    bucket = np.int64(key & uint64(heads.size - 1))
    row.key, row.time, row.latest, row.run = key, time, latest, run
    row.older = n - heads[bucket] if heads[bucket] >= state[OLDEST] else 0
    row.back, row.on, row.count = back, 0, count
    row.first = n - first if count > 0 else 0
    heads[bucket] = n
    state[NEXT] = n + 1


@njit(forceinline=True)
def _tell_time(state: Ints, rows: Records, clocks: Ints) -> None:
    """A block is full: its median is the clock, and blocks go that lie too far before it, or behind."""
    times = np.empty(BLOCK, np.int64)
    for i in range(BLOCK):
        time, at = rows[(state[NEXT] - BLOCK + i) & (rows.size - 1)].time, i
        while at > 0 and times[at - 1] > time:
            times[at] = times[at - 1]
            at -= 1
        times[at] = time
    block = state[NEXT] // BLOCK - 1
    clock = clocks[block & (clocks.size - 1)] = times[BLOCK // 2]
    oldest = state[OLDEST] // BLOCK
    # In order, no row of a block is later than the median of the next.
    while oldest + 1 < block and abs(clock - clocks[(oldest + 1) & (clocks.size - 1)]) >= state[KEEP]:
        oldest += 1
        state[OLDEST] = oldest * BLOCK


@njit(cache=True, nogil=True)
def turn(
    state: Ints,
    heads: Ints,
    pairs: Ints | None,
    rows: Records,
    clocks: Ints,
    begin: Whole,
    keys: Hashes,
    values: Hashes | None,
    times: Ints,
    insert: Flags,
    read: Flags,
    counts: Ints,
) -> Whole:
    """Let rows happen from ``begin`` on; write the count of each with ``read``. Returns where the log was full, or n.

    ``pairs`` and ``values`` are arrays for distinct values, and None where every row counts.
    """
    value = uint64(0)
    for i in range(begin, keys.size):
        if (i - begin) % AHEAD == 0 and rows.size > WARM_FROM:
            warm = np.int64(0)
            for k in range(i, min(i + AHEAD, keys.size)):
                warm += heads[np.int64(keys[k] & uint64(heads.size - 1))]
            state[WARM] = warm
        key, time = keys[i], times[i]
        if insert[i]:
            if state[NEXT] - state[OLDEST] == state[CEILING]:
                state[OLDEST] += 1
                state[CUT] += 1
            # A block that is not full yet stays whole until its median is taken.
            if state[NEXT] - min(state[OLDEST], state[NEXT] // BLOCK * BLOCK) == rows.size:
                return i
            if values is not None:
                value = values[i]
            _append(state, heads, pairs, rows, key, value, time)
            if read[i]:
                row = rows[(state[NEXT] - 1) & (rows.size - 1)]
                counts[i] = row.count
                if row.count == 0:
                    counts[i] = _walked(state, pairs, rows, state[NEXT] - 1, time, row.latest - state[WITHIN])[0]
            if state[NEXT] % BLOCK == 0:
                _tell_time(state, rows, clocks)
        elif read[i]:
            last = _last_of(state, heads, rows, key)
            if last >= 0 and abs(time - rows[last & (rows.size - 1)].latest) < state[WITHIN]:
                counts[i] = _counted(state, pairs, rows, last, time)[0]
    return keys.size


@njit(cache=True, nogil=True)
def link(state: Ints, heads: Ints, pairs: Ints | None, rows: Records) -> None:
    """Put all rows into empty buckets."""
    for n in range(state[OLDEST], state[NEXT]):
        row = rows[n & (rows.size - 1)]
        bucket = np.int64(row.key & uint64(heads.size - 1))
        row.older = n - heads[bucket] if heads[bucket] >= 0 else 0
        heads[bucket] = n
        if pairs is not None:
            place = np.int64(row.pair & uint64(pairs.size - 1))
            row.other = n - pairs[place] if pairs[place] >= 0 else 0
            pairs[place] = n
