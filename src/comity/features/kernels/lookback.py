"""What both windows share: keys, their rows in time order, and who was touched last, in arrays that Numba walks.

Everything compiled stands in this one file, because Numba renews its cache by the file of the outer function alone.

Memory is reserved for the ceiling and touched only as it fills, so nothing is ever copied to grow. The table of keys
grows one bucket at a time (Litwin 1980, "Linear hashing: a new tool for file and table addressing"), so no event pays
for others.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

BLOCK = 31  # inserts whose median is the stream's clock; an odd number, so that the median is one of them
NONE = -1
uint64 = np.uint64  # Numba makes a float of an unsigned and a signed integer: each constant says which it is

# Slots of ``state``, an int64 array: the settings, then the pools, then the clock.
WITHIN, KEEP, PER_KEY, CEILING = 0, 1, 2, 3
KEYS, KEY_TOP, KEY_FREE = 4, 5, 6
ROWS, ROW_TOP, ROW_FREE = 7, 8, 9
FRESHEST, STALEST, CUT = 10, 11, 12
KEY_TABLE, PAIR_TABLE = 13, 15  # two slots each: a power of two, and the number of buckets, between it and its double
CLOCK, BLOCKS, FILLED, TIMES = 17, 18, 19, 20
WARM = TIMES + BLOCK
STATE_SIZE = WARM + 1
FIRST_BUCKETS = 64
LOOKS = 2  # keys looked at for reclaiming at each insert; more than one, so that reclaiming outruns growth
WARM_FROM, AHEAD = 20_000, 128  # keys from which memory is fetched ahead, and rows it is fetched ahead for

# One cache line a key. latest: its clock; touched: the stream's clock then; block: the number of the block then.
KEY = np.dtype(
    [
        ("key", np.uint64),
        ("latest", np.int64),
        ("touched", np.int64),
        ("block", np.int64),
        ("next", np.int32),
        ("fresher", np.int32),
        ("staler", np.int32),
        ("oldest", np.int32),
        ("newest", np.int32),
        ("size", np.int32),
        ("unused", np.int64),
    ]
)
ROW = np.dtype([("time", np.int64), ("older", np.int32), ("newer", np.int32)])
# key: the key and its value, mixed; owner: where the key stands.
PAIR = np.dtype(
    [
        ("key", np.uint64),
        ("time", np.int64),
        ("older", np.int32),
        ("newer", np.int32),
        ("next", np.int32),
        ("owner", np.int32),
    ]
)

Ints = NDArray[np.int64]
Slots = NDArray[np.int32]
Hashes = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Records = Any  # a structured array of KEY, ROW or PAIR
Whole = Any  # int or a numpy integer: the same once compiled


def reserve(count: int, dtype: np.dtype[Any]) -> Any:  # noqa: ANN401 - a structured array has no narrower type
    """An array of ``count`` entries at a multiple of 64 bytes; its pages cost memory only once they are written."""
    raw = np.empty(count * dtype.itemsize + 64, np.uint8)
    skip = -raw.ctypes.data % 64
    return raw[skip : skip + count * dtype.itemsize].view(dtype)


def new_state(within: int, grace: int, per_key: int, ceiling: int) -> Ints:
    """The state of a window that has seen nothing, of shape (STATE_SIZE,)."""
    state = np.zeros(STATE_SIZE, np.int64)
    state[WITHIN], state[KEEP], state[PER_KEY], state[CEILING] = within, within + grace, per_key, ceiling
    state[[KEY_FREE, ROW_FREE, FRESHEST, STALEST]] = NONE
    state[[KEY_TABLE, KEY_TABLE + 1, PAIR_TABLE, PAIR_TABLE + 1]] = FIRST_BUCKETS
    return state


@njit(forceinline=True)
def _pair_of(key: Whole, value: Whole) -> Whole:
    """One hash for a key and a value; for one key, different values never share it (every step can be undone)."""
    h = uint64(key) + uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> uint64(27))) ^ uint64(value)
    h = (h ^ (h >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> uint64(27))) * uint64(0x94D049BB133111EB)
    return h ^ (h >> uint64(31))


# The table: buckets of chained records, for keys and for pairs alike.


@njit(forceinline=True)
def _bucket(state: Ints, table: Whole, key: Whole) -> Whole:
    low = state[table]
    found = np.int64(key & uint64(2 * low - 1))
    return found if found < state[table + 1] else found - low


@njit(forceinline=True)
def _find(state: Ints, heads: Slots, held: Records, key: Whole) -> Whole:
    at = np.int64(heads[_bucket(state, KEY_TABLE, key)])
    while at >= 0 and held[at].key != key:
        at = np.int64(held[at].next)
    return at


@njit(forceinline=True)
def _find_pair(state: Ints, pairs: Slots, rows: Records, pair: Whole, owner: Whole) -> Whole:
    at = np.int64(pairs[_bucket(state, PAIR_TABLE, pair)])
    while at >= 0 and not (rows[at].key == pair and rows[at].owner == owner):
        at = np.int64(rows[at].next)
    return at


@njit(forceinline=True)
def _link(state: Ints, table: Whole, heads: Slots, records: Records, at: Whole, live: Whole) -> None:
    """Put a record into its bucket, then split one bucket if there are fewer than two for each live record."""
    home = _bucket(state, table, records[at].key)
    records[at].next = heads[home]
    heads[home] = at
    low, count = state[table], state[table + 1]
    if 2 * live <= count or count >= heads.size:
        return
    stay, move, each = np.int64(NONE), np.int64(NONE), np.int64(heads[count - low])
    while each >= 0:
        following = np.int64(records[each].next)
        if records[each].key & uint64(low):
            records[each].next = move
            move = each
        else:
            records[each].next = stay
            stay = each
        each = following
    heads[count - low], heads[count] = stay, move
    state[table + 1] = count + 1
    if count + 1 == 2 * low:
        state[table] = 2 * low


@njit(forceinline=True)
def _unlink(state: Ints, table: Whole, heads: Slots, records: Records, at: Whole) -> None:
    home = _bucket(state, table, records[at].key)
    each = np.int64(heads[home])
    if each == at:
        heads[home] = records[at].next
        return
    while records[each].next != at:
        each = np.int64(records[each].next)
    records[each].next = records[at].next


# The order of touching: a list from the freshest key to the stalest.


@njit(forceinline=True)
def _take_out(state: Ints, held: Records, at: Whole) -> None:
    fresher, staler = np.int64(held[at].fresher), np.int64(held[at].staler)
    if fresher >= 0:
        held[fresher].staler = staler
    else:
        state[FRESHEST] = staler
    if staler >= 0:
        held[staler].fresher = fresher
    else:
        state[STALEST] = fresher


@njit(forceinline=True)
def _put_first(state: Ints, held: Records, at: Whole) -> None:
    first = state[FRESHEST]
    held[at].fresher, held[at].staler = NONE, first
    if first >= 0:
        held[first].fresher = at
    else:
        state[STALEST] = at
    state[FRESHEST] = at


# A key and its rows: a list in time order, ties in the order of arrival.


@njit(forceinline=True)
def _new_key(state: Ints, heads: Slots, held: Records, key: Whole) -> Whole:
    at = state[KEY_FREE]
    if at >= 0:
        state[KEY_FREE] = held[at].next
    else:
        at = state[KEY_TOP]
        state[KEY_TOP] += 1
    held[at].key, held[at].size, held[at].oldest, held[at].newest = key, 0, NONE, NONE
    state[KEYS] += 1
    _link(state, KEY_TABLE, heads, held, at, state[KEYS])
    _put_first(state, held, at)
    return at


@njit(forceinline=True)
def _new_row(state: Ints, rows: Records) -> Whole:
    row = state[ROW_FREE]
    if row >= 0:
        state[ROW_FREE] = rows[row].newer
    else:
        row = state[ROW_TOP]
        state[ROW_TOP] += 1
    state[ROWS] += 1
    return row


@njit(forceinline=True)
def _enlist(held: Records, rows: Records, at: Whole, row: Whole, time: Whole) -> None:
    """Put a row into its key's list, after all that are not later."""
    older, newer = np.int64(held[at].newest), np.int64(NONE)
    while older >= 0 and rows[older].time > time:
        older, newer = np.int64(rows[older].older), older
    rows[row].time, rows[row].older, rows[row].newer = time, older, newer
    if older >= 0:
        rows[older].newer = row
    else:
        held[at].oldest = row
    if newer >= 0:
        rows[newer].older = row
    else:
        held[at].newest = row
    held[at].size += 1


@njit(forceinline=True)
def _delist(held: Records, rows: Records, at: Whole, row: Whole) -> None:
    older, newer = np.int64(rows[row].older), np.int64(rows[row].newer)
    if older >= 0:
        rows[older].newer = newer
    else:
        held[at].oldest = newer
    if newer >= 0:
        rows[newer].older = older
    else:
        held[at].newest = older
    held[at].size -= 1


@njit(forceinline=True)
def _drop_oldest(state: Ints, held: Records, rows: Records, pairs: Slots | None, at: Whole) -> None:
    row = np.int64(held[at].oldest)
    if pairs is not None:
        _unlink(state, PAIR_TABLE, pairs, rows, row)
    _delist(held, rows, at, row)
    rows[row].newer = state[ROW_FREE]
    state[ROW_FREE] = row
    state[ROWS] -= 1


@njit(forceinline=True)
def _drop_rows(state: Ints, held: Records, rows: Records, pairs: Slots | None, at: Whole) -> None:
    """Free all rows of a key; in one step, unless each has to leave the table of pairs."""
    if held[at].size == 0:
        return
    if pairs is not None:
        row = np.int64(held[at].oldest)
        while row >= 0:
            _unlink(state, PAIR_TABLE, pairs, rows, row)
            row = np.int64(rows[row].newer)
    rows[held[at].newest].newer = state[ROW_FREE]
    state[ROW_FREE] = held[at].oldest
    state[ROWS] -= held[at].size
    held[at].size, held[at].oldest, held[at].newest = 0, NONE, NONE


@njit(forceinline=True)
def _forget(state: Ints, heads: Slots, held: Records, rows: Records, pairs: Slots | None, at: Whole) -> None:
    _drop_rows(state, held, rows, pairs, at)
    _take_out(state, held, at)
    _unlink(state, KEY_TABLE, heads, held, at)
    held[at].next = state[KEY_FREE]
    state[KEY_FREE] = at
    state[KEYS] -= 1


# What a row does: store, count, and let the clock go on.


@njit(forceinline=True)
def _renew(state: Ints, held: Records, rows: Records, pairs: Slots | None, at: Whole, time: Whole) -> None:
    """Touch a key, and forget what is no longer in its look-back: all of it where the clock was set back that far."""
    if state[FRESHEST] != at:
        _take_out(state, held, at)
        _put_first(state, held, at)
    latest, within = held[at].latest, state[WITHIN]
    if time <= latest - within or time >= latest + within:
        _drop_rows(state, held, rows, pairs, at)
        held[at].latest = time
    elif time > latest:
        while rows[held[at].oldest].time <= time - within:
            _drop_oldest(state, held, rows, pairs, at)
        held[at].latest = time


@njit(forceinline=True)
def _store(
    state: Ints,
    heads: Slots,
    held: Records,
    rows: Records,
    pairs: Slots | None,
    at: Whole,
    key: Whole,
    pair: Whole,
    time: Whole,
) -> Whole:
    """Insert one row under its key, standing at ``at`` or NONE; return where the key stands then."""
    if at < 0:
        at = _new_key(state, heads, held, key)
        held[at].latest = time
    else:
        _renew(state, held, rows, pairs, at, time)
    held[at].touched = max(time, state[CLOCK]) if state[BLOCKS] > 0 else time
    held[at].block = state[BLOCKS]
    if pairs is not None:
        row = _find_pair(state, pairs, rows, pair, at)
        if row >= 0:
            if rows[row].time < time:
                _delist(held, rows, at, row)
                _enlist(held, rows, at, row, time)
            return at
    if held[at].size == state[PER_KEY]:
        if time < rows[held[at].oldest].time:
            return at
        _drop_oldest(state, held, rows, pairs, at)
    if state[ROWS] == state[CEILING]:
        # Never the key itself: it stands first, and alone it would have met its own ceiling.
        _forget(state, heads, held, rows, pairs, state[STALEST])
        state[CUT] += 1
    row = _new_row(state, rows)
    _enlist(held, rows, at, row, time)
    if pairs is not None:
        rows[row].key, rows[row].owner = pair, at
        _link(state, PAIR_TABLE, pairs, rows, row, state[ROWS])
    return at


@njit(forceinline=True)
def _count(state: Ints, held: Records, rows: Records, at: Whole, time: Whole) -> Whole:
    """How many rows of a key are in the look-back of ``time`` and not later; changes nothing."""
    latest, within = held[at].latest, state[WITHIN]
    if time <= latest - within or time >= latest + within:
        return 0
    left = np.int64(held[at].size)
    if time < latest:
        row = np.int64(held[at].newest)
        while row >= 0 and rows[row].time > time:
            left -= 1
            row = np.int64(rows[row].older)
    else:
        row = np.int64(held[at].oldest)
        while rows[row].time <= time - within:
            left -= 1
            row = np.int64(rows[row].newer)
    return left


@njit(forceinline=True)
def _tell_time(state: Ints, time: Whole) -> None:
    """Sort an inserted time into the block under way; the median of a full block is the stream's clock."""
    slot = TIMES + state[FILLED]
    while slot > TIMES and state[slot - 1] > time:
        state[slot] = state[slot - 1]
        slot -= 1
    state[slot] = time
    state[FILLED] += 1
    if state[FILLED] == BLOCK:
        state[CLOCK] = state[TIMES + BLOCK // 2]
        state[BLOCKS] += 1
        state[FILLED] = 0


@njit(forceinline=True)
def _reclaim(state: Ints, heads: Slots, held: Records, rows: Records, pairs: Slots | None) -> None:
    """Forget the stalest keys, a few at a time, once a block after them says that their look-back has passed."""
    for _ in range(LOOKS):
        at = state[STALEST]
        if at == state[FRESHEST] or held[at].block >= state[BLOCKS] - 1:
            return
        if abs(state[CLOCK] - held[at].touched) < state[KEEP]:
            return
        _forget(state, heads, held, rows, pairs, at)


@njit(forceinline=True)
def _fetch_split(state: Ints, table: Whole, heads: Slots, records: Records, found: Ints) -> Whole:
    """Touch the buckets that inserts of as many rows as ``found`` has would split."""
    warm = np.int64(0)
    first = state[table + 1] - state[table]
    size = min(found.size, state[table] - first)
    for i in range(size):
        found[i] = heads[first + i]
    for i in range(size):
        if found[i] >= 0:
            warm += np.int64(records[found[i]].next)
    return warm


@njit(forceinline=True)
def _fetch_pairs(state: Ints, pairs: Slots, rows: Records, keys: Hashes, values: Hashes, found: Ints) -> Whole:
    """Touch the rows of the pairs to come."""
    warm = _fetch_split(state, PAIR_TABLE, pairs, rows, found)
    for i in range(keys.size):
        found[i] = pairs[_bucket(state, PAIR_TABLE, _pair_of(keys[i], values[i]))]
    for i in range(keys.size):
        if found[i] >= 0:
            warm += rows[found[i]].time
    return warm


@njit(forceinline=True)
def _fetch_ahead(
    state: Ints, heads: Slots, held: Records, rows: Records, pairs: Slots | None, keys: Hashes, values: Hashes | None
) -> None:
    """Touch what the coming rows will need: loads that do not wait for one another. Changes no figure that counts."""
    found = np.empty(keys.size, np.int64)
    warm = _fetch_split(state, KEY_TABLE, heads, held, found)
    for i in range(keys.size):
        found[i] = heads[_bucket(state, KEY_TABLE, keys[i])]
    for i in range(keys.size):
        if found[i] >= 0:
            record = held[found[i]]
            warm += np.int64(record.oldest)
            if record.fresher >= 0:
                warm += np.int64(held[record.fresher].size)
            if record.staler >= 0:
                warm += np.int64(held[record.staler].size)
            if record.size > 0:
                warm += rows[record.oldest].time + rows[record.newest].time
    if pairs is not None and values is not None:
        warm += _fetch_pairs(state, pairs, rows, keys, values, found)
    state[WARM] = warm


@njit(cache=True)
def turn(
    state: Ints,
    heads: Slots,
    held: Records,
    rows: Records,
    pairs: Slots | None,
    keys: Hashes,
    values: Hashes | None,
    times: Ints,
    insert: Flags,
    read: Flags,
    clear: Flags,
    counts: Ints,
) -> None:
    """Let rows happen in their order; write the count of each row with ``read``. ``clear`` is empty or of shape (n,).

    ``pairs`` and ``values`` are arrays for distinct values, and None where every row counts.
    """
    clears = clear.size > 0
    pair = uint64(0)
    for i in range(keys.size):
        if i % AHEAD == 0 and state[KEYS] > WARM_FROM and keys.size > 1:
            some = values[i : i + AHEAD] if values is not None else None
            _fetch_ahead(state, heads, held, rows, pairs, keys[i : i + AHEAD], some)
        key, time = keys[i], times[i]
        at = _find(state, heads, held, key)
        if clears and clear[i] and at >= 0:
            _forget(state, heads, held, rows, pairs, at)
            at = NONE
        if insert[i]:
            if values is not None:
                pair = _pair_of(key, values[i])
            at = _store(state, heads, held, rows, pairs, at, key, pair, time)
        if read[i] and at >= 0:
            counts[i] = _count(state, held, rows, at, time)
        if insert[i]:
            _tell_time(state, time)
            _reclaim(state, heads, held, rows, pairs)


@njit(cache=True)
def gather(
    state: Ints,
    held: Records,
    rows: Records,
    keys: Records,
    times: Ints,
    pairs: Hashes | None,
) -> None:
    """Copy all keys, the stalest first, and their rows, the oldest first, into arrays of exactly their number."""
    at, row, done = state[STALEST], np.int64(NONE), 0
    for i in range(keys.size):
        keys[i] = held[at]
        row = np.int64(held[at].oldest)
        while row >= 0:
            times[done] = rows[row].time
            if pairs is not None:
                pairs[done] = rows[row].key
            done += 1
            row = np.int64(rows[row].newer)
        at = np.int64(held[at].fresher)


@njit(cache=True)
def scatter(
    state: Ints,
    heads: Slots,
    held: Records,
    rows: Records,
    table: Slots | None,
    keys: Records,
    times: Ints,
    pairs: Hashes | None,
) -> None:
    """Put back what ``gather`` copied, into an empty window."""
    done = 0
    for i in range(keys.size):
        at = _new_key(state, heads, held, keys[i].key)
        held[at].latest, held[at].touched, held[at].block = keys[i].latest, keys[i].touched, keys[i].block
        for _ in range(keys[i].size):
            row = _new_row(state, rows)
            _enlist(held, rows, at, row, times[done])
            if table is not None and pairs is not None:
                rows[row].key, rows[row].owner = pairs[done], at
                _link(state, PAIR_TABLE, table, rows, row, state[ROWS])
            done += 1
