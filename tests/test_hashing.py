"""Hashes and spans: the published figures, and the plain ways to say the same."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.features.kernels.hashing import hash_spans, mix, split
from slow_counts import xxh64


def hashes(texts: list[bytes], seed: int = 0) -> list[int]:
    """The hash of each text, joined without anything between."""
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
    return [int(h) for h in hash_spans(np.frombuffer(b"".join(texts), np.uint8), starts, ends, seed)]


def test_the_hash_is_the_published_one() -> None:
    """The figures of XXH64's own documentation, so that what is stored can be made again elsewhere."""
    assert [0xEF46DB3751D8E999, 0xD24EC4F1A98C6E5B, 0x44BC2CF5AD770999, 0xFBCEA83C8A378BF1] == hashes(
        [b"", b"a", b"abc", b"Nobody inspects the spammish repetition"]
    )


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.binary(max_size=100), min_size=1, max_size=8), seed=st.integers(0, 2**64 - 1))
def test_every_hash_is_the_slow_one(texts: list[bytes], seed: int) -> None:
    """At every length, place and seed the hash is the one by hand; no byte beside a span matters."""
    assert [xxh64(text, seed) for text in texts] == hashes(texts, seed)


def test_another_process_hashes_the_same() -> None:
    """What one process stores another finds."""
    code = (
        "import numpy as np; from comity.features.kernels.hashing import hash_spans;"
        "b = np.frombuffer(b'milk first', np.uint8);"
        "print(int(hash_spans(b, np.zeros(1, np.int64), np.array([10]), 7)[0]))"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert hashes([b"milk first"], 7) == [int(printed)]


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (0, 4), (2, 1), (2**62, 2**62 + 1)])
def test_a_span_outside_its_buffer_is_refused(start: int, end: int) -> None:
    """A wrong span is an error, not a read of somebody else's memory."""
    with pytest.raises(ValueError, match="3 bytes"):
        hash_spans(np.zeros(3, np.uint8), np.array([start]), np.array([end]), 0)


@settings(max_examples=300, deadline=None)
@given(
    texts=st.lists(st.binary(max_size=20), max_size=30),
    separator=st.sampled_from([0, 1, 10, 127, 128, 255]),
    more=st.integers(-2, 2),
)
def test_spans_are_what_python_splits(texts: list[bytes], separator: int, more: int) -> None:
    """Joined strings come apart as Python splits them; another number of strings than expected is told by None."""
    mark = bytes([separator])
    joined = mark.join(texts)
    pieces = joined.split(mark) if joined or len(texts) == 1 else []
    count = max(len(pieces) + more, 0)
    spans = split(np.frombuffer(joined, np.uint8), separator, count)

    if count != len(pieces):
        # An empty buffer is both no string and one empty string.
        assert spans is None or not joined
    else:
        assert spans is not None
        assert pieces == [joined[start:end] for start, end in zip(*spans, strict=True)]


def test_no_strings_and_one_empty_string_both_fit_an_empty_buffer() -> None:
    """Joined, both are nothing at all; the number expected tells them apart, and two never fit."""
    nothing = np.zeros(0, np.uint8)

    assert [0, 1] == [len(spans[0]) for n in (0, 1) if (spans := split(nothing, 0, n)) is not None]
    assert split(nothing, 0, 2) is None
    assert split(np.ones(3, np.uint8), 0, 0) is None


def test_mixing_keeps_order_and_spreads() -> None:
    """(a, b) and (b, a) are different keys; a million pairs of small numbers share none, and half the bits change."""
    a, b = (grid.ravel().astype(np.uint64) for grid in np.meshgrid(np.arange(1000), np.arange(1000)))
    mixed = mix(a, b)
    changed = np.bitwise_count(mixed[:-1] ^ mixed[1:]).mean()

    assert 1_000_000 == len(np.unique(mixed))
    assert 999_000 == np.count_nonzero(mixed != mix(b, a))
    assert 31.5 < changed < 32.5
