"""What came twice is removed, exactly, whatever is in memory."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.core.errors import StoreError
from comity.features.kernels.seen import SeenHours
from slow_counts import HOUR, SlowSeen

Hashes = npt.NDArray[np.uint64]
ROWS = st.lists(st.tuples(st.integers(0, 12), st.integers(-3, 3), st.integers(0, HOUR - 1)), max_size=80)


class Store:
    """Holds the ids of hours, as a store does."""

    def __init__(self) -> None:
        self.ids: dict[int, list[int]] = {}
        self.asked: list[int] = []

    def load(self, hour: int) -> Hashes:
        """The ids of one hour."""
        self.asked.append(hour)
        return np.array(self.ids.get(hour, []), np.uint64)

    def append(self, taken: list[tuple[int, Hashes]]) -> None:
        """Keep what is new."""
        for hour, ids in taken:
            self.ids.setdefault(hour, []).extend(ids.tolist())


def columns(rows: list[tuple[int, int, int]]) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Ids, 0 among them, and times around 1970."""
    ids = np.array([n * 0x9E3779B97F4A7C15 % 2**64 for n, _, _ in rows], np.uint64)
    return ids, np.array([hour * HOUR + ms for _, hour, ms in rows], np.int64)


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, cuts=st.lists(st.integers(0, 80), max_size=5), most=st.integers(1, 4), restart=st.booleans())
def test_an_event_is_new_once(rows: list[tuple[int, int, int]], cuts: list[int], most: int, *, restart: bool) -> None:
    """With few hours in memory, batches cut anywhere and restarts, each id is new once in its hour, and stored once."""
    ids, times = columns(rows)
    slow, store = SlowSeen(), Store()
    expected = [slow.turn(int(n), int(t)) for n, t in zip(ids, times, strict=True)]

    seen = SeenHours(store.load, most_hours=most)
    found: list[bool] = []
    for start, end in itertools.pairwise(sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})):
        found += seen.turn(ids[start:end], times[start:end]).tolist()
        store.append(seen.take_new())
        assert len(seen.hours) <= most
        if restart:
            seen = SeenHours(store.load, most_hours=most)

    assert expected == found
    assert dict(slow.new) == store.ids


def test_new_ids_are_never_dropped_before_they_are_taken() -> None:
    """A batch over more hours than memory holds keeps them all until the store has been told."""
    store = Store()
    seen = SeenHours(store.load, most_hours=1)
    ids, times = columns([(1, hour, 0) for hour in (2, 0, 1)])

    assert [True] * 3 == seen.turn(ids, times).tolist()
    assert [False] * 3 == seen.turn(ids, times).tolist()
    assert [0, 1, 2] == [hour for hour, _ in seen.take_new()]
    assert [] == seen.take_new()
    assert [0, 1, 2] == sorted(store.asked)
    assert 1 == len(seen.hours)


def test_a_store_that_fails_loses_nothing() -> None:
    """If an hour cannot be loaded, no row of the batch counts as seen; tried again, all are new."""
    failures = ["disk full"]

    def load(hour: int) -> Hashes:
        if hour == 1 and failures:
            raise StoreError(failures.pop())
        return np.zeros(0, np.uint64)

    seen = SeenHours(load)
    ids, times = columns([(1, 0, 0), (2, 1, 0)])
    with pytest.raises(StoreError):
        seen.turn(ids, times)
    assert [True, True] == seen.turn(ids, times).tolist()


def test_after_a_failed_transaction_the_batch_is_new_again() -> None:
    """What was handed out but never stored is forgotten, and comes again."""
    seen = SeenHours(Store().load)
    ids, times = columns([(1, 0, 0)])
    seen.turn(ids, times)
    seen.take_new()
    seen.forget()

    assert [True] == seen.turn(ids, times).tolist()


def test_a_busy_hour_grows() -> None:
    """A hundred thousand ids, each said twice: half are new."""
    ids = np.random.default_rng(1).integers(0, 2**64, 100_000, dtype=np.uint64)
    twice = np.repeat(ids, 2)
    seen = SeenHours(Store().load)
    new = np.concatenate([seen.turn(part, np.zeros(part.size, np.int64)) for part in np.array_split(twice, 7)])

    assert [True, False] * 100_000 == new.tolist()
    [(hour, taken)] = seen.take_new()
    assert 0 == hour
    assert np.array_equal(ids, taken)
