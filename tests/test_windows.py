"""Windows over time: the kernels against the slow counts, over streams as bad as they come."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.features.kernels.windows import CountWindow, DistinctWindow
from slow_counts import SlowWindow, events_within

WITHIN = 50
STEPS = st.one_of(
    st.integers(0, 4),  # the usual: on and on, often at the same time
    st.integers(-20, 20),  # late by less than the look-back
    st.sampled_from([-WITHIN, -WITHIN + 1, WITHIN, WITHIN - 1, 2 * WITHIN]),  # at the very edges
    st.sampled_from([-3_600_000, 3_600_000, 10**12, -(10**12)]),  # a clock set back or forward, or a bogus time
)


@dataclass(frozen=True)
class Row:
    """One row of a stream: a step of the clock, and whether the clock stays there afterwards."""

    key: int
    value: int
    step: int
    stays: bool
    insert: bool
    read: bool


def often(share: int) -> st.SearchStrategy[bool]:
    """True ``share`` times in ten."""
    return st.integers(0, 9).map(lambda n: n < share)


ROWS = st.builds(Row, st.integers(0, 5), st.integers(0, 4), STEPS, often(8), often(8), often(8))
STREAMS = st.one_of(st.lists(ROWS, max_size=60), st.lists(ROWS, min_size=120, max_size=250))
CEILINGS = st.sampled_from([1, 3, 7, 40, 1000])


def timed(rows: list[Row]) -> list[int]:
    """The time of each row: a step that does not stay is one bogus time among right ones."""
    clock, times = 10**12, []
    for row in rows:
        times.append(clock + row.step)
        clock += row.step if row.stays else 0
    return times


def wandering(rows: list[Row]) -> list[Row]:
    """The same rows, but most keys fall silent as others come, and a few come back: what reclaiming is about."""
    return [row if row.value == 0 else replace(row, key=row.key + 3 * (i // 20)) for i, row in enumerate(rows)]


class Fast:
    """Either window, fed with rows; keys and values spread over 64 bits as the caller's hashes are."""

    def __init__(self, window: CountWindow | DistinctWindow) -> None:
        self.window = window

    def turn(self, rows: list[Row], times: list[int]) -> list[int]:
        """The counts of a batch."""
        keys, values = (
            np.array([(n + 1) * 0x9E3779B97F4A7C15 % 2**64 for n in column], np.uint64)
            for column in ([row.key for row in rows], [row.value for row in rows])
        )
        insert, read = (np.array(c, np.bool_) for c in ([r.insert for r in rows], [r.read for r in rows]))
        at = np.array(times, np.int64)
        if isinstance(self.window, CountWindow):
            return [int(n) for n in self.window.turn(keys, at, insert, read)]
        return [int(n) for n in self.window.turn(keys, values, at, insert, read)]


def slow_counts(slow: SlowWindow, rows: list[Row], times: list[int]) -> list[int]:
    """The counts by hand."""
    return [
        slow.turn(row.key, row.value, time, insert=row.insert, read=row.read)
        for row, time in zip(rows, times, strict=True)
    ]


Maker = Callable[..., CountWindow | DistinctWindow]
BOTH = pytest.mark.parametrize(("maker", "distinct"), [(CountWindow, False), (DistinctWindow, True)])


@BOTH
@settings(max_examples=200, deadline=None)
@given(
    rows=STREAMS,
    ceiling_rows=CEILINGS,
    cuts=st.lists(st.integers(0, 250), max_size=6),
    within=st.sampled_from([1, 7, WITHIN]),
)
def test_every_count_is_the_slow_count(
    maker: Maker, *, distinct: bool, rows: list[Row], ceiling_rows: int, cuts: list[int], within: int
) -> None:
    """Late rows, equal times, clocks set both ways, tiny ceilings, cuts and restarts: the count is the slow one."""
    rows = wandering(rows)
    times = timed(rows)
    slow = SlowWindow(within, ceiling_rows, distinct=distinct)
    expected = slow_counts(slow, rows, times)

    fast = Fast(maker(within, ceiling_rows=ceiling_rows))
    found = []
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for number, (start, end) in enumerate(itertools.pairwise(edges)):
        found += fast.turn(rows[start:end], times[start:end])
        if number % 2:
            snapshot = fast.window.dump()
            fast = Fast(maker(within, ceiling_rows=ceiling_rows))
            fast.window.load(snapshot)
            assert snapshot == fast.window.dump()

    assert expected == found
    assert (slow.cut, len(slow.said)) == (fast.window.cut, fast.window.rows)


@BOTH
@settings(max_examples=50, deadline=None)
@given(rows=STREAMS, per_key=st.sampled_from([1, 2, 5]))
def test_going_back_a_few_rows_only_counts_too_low(
    maker: Maker, *, distinct: bool, rows: list[Row], per_key: int
) -> None:
    """Where late rows make a count go back, the bound on how far makes it lower, never higher; in order it is exact."""
    times = timed(rows)
    expected = slow_counts(SlowWindow(WITHIN, 1000, distinct=distinct), rows, times)
    found = Fast(maker(WITHIN, per_key=per_key)).turn(rows, times)

    assert all(f <= e for f, e in zip(found, expected, strict=True))
    in_order = sorted(times)
    expected = slow_counts(SlowWindow(WITHIN, 1000, distinct=distinct), rows, in_order)
    assert expected == Fast(maker(WITHIN, per_key=per_key)).turn(rows, in_order)


@BOTH
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_over_a_long_stream_the_same_rows_are_held(maker: Maker, seed: int, *, distinct: bool) -> None:
    """As hundreds of keys come, fall silent and come back late, the kernel holds what the slow count holds."""
    n, batch = 3000, 25
    draw = np.random.default_rng(seed)
    late = np.where(draw.random(n) < 0.2, draw.integers(-3 * WITHIN, 3 * WITHIN, n), 0)
    times = (np.cumsum(np.where(draw.random(n) < 0.01, 2 * WITHIN, draw.integers(0, 3, n))) + late).tolist()
    keys, values = (draw.zipf(1.4, n) % 400).tolist(), draw.integers(0, 5, n).tolist()
    rows = [message(key, value=value) for key, value in zip(keys, values, strict=True)]
    slow, fast = SlowWindow(WITHIN, 300, distinct=distinct), Fast(maker(WITHIN, ceiling_rows=300))

    for start in range(0, n, batch):
        part = slice(start, start + batch)
        assert slow_counts(slow, rows[part], times[part]) == fast.turn(rows[part], times[part])
        assert (slow.cut, len(slow.said)) == (fast.window.cut, fast.window.rows)


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), min_size=1, max_size=200))
def test_in_order_a_count_is_what_one_would_say(steps: list[tuple[int, int]]) -> None:
    """Over events in order, the count is the number of the key's events in the look-back, whatever was reclaimed."""
    times = list(itertools.accumulate(step for _, step in steps))
    events = [(key, time) for (key, _), time in zip(steps, times, strict=True)]
    rows = [Row(key, 0, 0, stays=True, insert=True, read=True) for key, _ in events]

    expected = [events_within(events[: i + 1], key, time, WITHIN) for i, (key, time) in enumerate(events)]
    assert expected == Fast(CountWindow(WITHIN)).turn(rows, times)


def message(key: int, *, insert: bool = True, value: int = 0) -> Row:
    """One row that reads."""
    return Row(key, value, 0, stays=True, insert=insert, read=True)


def test_a_time_in_the_future_does_not_freeze_a_window() -> None:
    """After one bogus time a year ahead, the next events of the same key count from one again."""
    year = 365 * 86_400_000

    assert [1, 2, 1, 1, 2, 3] == Fast(CountWindow(30_000)).turn([message(1)] * 6, [0, 1, year, 2, 3, 4])


def test_a_clock_set_back_is_no_flood() -> None:
    """An hour that happens twice counts each time for itself."""
    hour = 3_600_000
    times = [hour, hour + 1000, 0, 1000, 2000]

    assert [1, 2, 1, 2, 3] == Fast(CountWindow(30_000)).turn([message(1)] * 5, times)


def test_reading_changes_nothing() -> None:
    """Reads far in the past and far in the future count nothing, and later counts are as without them."""
    rows = [message(1), message(1, insert=False), message(1, insert=False), message(1)]

    assert [1, 0, 0, 2] == Fast(CountWindow(WITHIN)).turn(rows, [100, 0, 10**9, 101])


def test_a_value_said_again_counts_once() -> None:
    """Two values said five times are two, and a value said again stays in the look-back from then on."""
    rows = [message(1, value=v) for v in (1, 2, 1, 1, 2, 3)]

    assert [1, 2, 2, 2, 2, 2] == Fast(DistinctWindow(WITHIN)).turn(rows, [0, 10, 20, 55, 60, 106])


def test_old_rows_are_forgotten() -> None:
    """Over many keys that each speak once, what is held follows the look-back, not the events."""
    window = CountWindow(WITHIN)
    n = 20_000
    keys = np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    yes = np.ones(n, np.bool_)
    window.turn(keys, np.arange(n), yes, yes)

    assert window.rows < 2 * WITHIN + 4 * 31


def test_a_late_event_is_kept_as_long_as_others() -> None:
    """A key silent for less than its look-back is held, however late its last event came."""
    others, late = [message(2)] * 31, message(1)
    fast = Fast(CountWindow(WITHIN))
    fast.turn([*others, late, *others, *others], [1000] * 31 + [910] + [1020] * 62)

    assert [1] == fast.turn([message(1, insert=False)], [950])


@BOTH
def test_many_keys_grow_and_go(maker: Maker, *, distinct: bool) -> None:
    """Growing to a hundred thousand keys and back loses and invents none."""
    n = 100_000
    keys = np.random.default_rng(1).integers(0, 2**64, n, dtype=np.uint64)
    yes, times = np.ones(n, np.bool_), np.arange(n, dtype=np.int64)
    window = maker(10 * n)

    def counts(times: npt.NDArray[np.int64]) -> set[int]:
        if isinstance(window, CountWindow):
            return set(window.turn(keys, times, yes, yes).tolist())
        return set(window.turn(keys, keys, times, yes, yes).tolist())

    assert [{1}, {1 if distinct else 2}] == [counts(times), counts(times + n)]
    assert 2 * n == window.rows
    assert {1} == counts(times + 100 * n)
    assert window.rows < n + 4 * 31


@BOTH
def test_a_snapshot_is_put_back_whole_or_not_at_all(maker: Maker, *, distinct: bool) -> None:
    """A damaged snapshot, or one of other settings, is refused with the reason, and what was held stays."""
    rows, times = [message(1), message(2)], [0, 1]
    fast = Fast(maker(WITHIN))
    fast.turn(rows, times)
    snapshot = fast.window.dump()
    other = bytearray(snapshot)
    other[40] ^= 1

    for bad, reason in ((bytes(other), "damaged"), (snapshot[:-1], "damaged"), (b"", "damaged")):
        with pytest.raises(ValueError, match=reason):
            fast.window.load(bad)
    with pytest.raises(ValueError, match="must be of this window"):
        fast.window.load(maker(WITHIN + 1).dump())
    with pytest.raises(ValueError, match="must be of this window"):
        fast.window.load((CountWindow if distinct else DistinctWindow)(WITHIN).dump())
    assert snapshot == fast.window.dump()


def test_columns_of_unequal_length_are_refused() -> None:
    """A column that is too short is an error, not a read past its end."""
    yes = np.ones(2, np.bool_)

    with pytest.raises(ValueError, match="2 rows"):
        CountWindow(WITHIN).turn(np.zeros(2, np.uint64), np.zeros(1, np.int64), yes, yes)


@pytest.mark.parametrize("setting", [{"within": 0}, {"ceiling_rows": 0}, {"per_key": 0}, {"ceiling_rows": 2**40}])
def test_a_setting_out_of_bounds_is_refused(setting: dict[str, int]) -> None:
    """An impossible setting is an error that names it."""
    with pytest.raises(ValueError, match=next(iter(setting))):
        CountWindow(**{"within": 1, **setting})
