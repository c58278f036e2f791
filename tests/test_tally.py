"""Sums per key and day."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.features.kernels.aggregate import Tally

ROWS = st.lists(
    st.tuples(st.integers(0, 2**64 - 1) | st.integers(0, 3), st.integers(-2, 2), st.integers(-5, 5)), max_size=300
)


@settings(max_examples=200, deadline=None)
@given(commits=st.lists(ROWS, max_size=3), size=st.integers(1, 100))
def test_sums_are_those_by_hand(commits: list[list[tuple[int, int, int]]], size: int) -> None:
    """In batches of any size, and take after take, the sums are Python's, sorted, each with the row that began it."""
    tally = Tally()
    for rows in commits:
        expected, first = Counter[tuple[int, int]](), dict[tuple[int, int], int]()
        for i, (key, day, amount) in enumerate(rows):
            expected[key, day] += amount
            first.setdefault((key, day), i)
        for start in range(0, len(rows), size):
            keys, days, amounts = zip(*rows[start : start + size], strict=True)
            tally.add(np.array(keys, np.uint64), np.array(days, np.int32), np.array(amounts, np.int64))
        keys_taken, days_taken, sums, first_rows = (column.tolist() for column in tally.take())

        pairs = list(zip(keys_taken, days_taken, strict=True))
        assert sorted(expected) == pairs
        assert [expected[pair] for pair in pairs] == sums
        assert [first[pair] for pair in pairs] == first_rows


def test_without_amounts_each_row_is_one() -> None:
    """Rows alone are counted."""
    tally = Tally()
    tally.add(np.array([7, 7, 3], np.uint64), np.array([1, 1, 1], np.int32))

    assert ([3, 7], [1, 1], [1, 2], [2, 0]) == tuple(column.tolist() for column in tally.take())


def test_columns_of_unequal_length_are_refused() -> None:
    """A column that is too short is an error, and nothing is added."""
    tally = Tally()
    with pytest.raises(ValueError, match="2 rows"):
        tally.add(np.zeros(2, np.uint64), np.zeros(1, np.int32))

    assert 0 == len(tally.take().keys)
