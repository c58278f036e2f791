"""Features of files and classifiers, what features remember, and the columns they look at."""

import datetime as dt
import itertools
import random
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.core.event import Event, Media
from comity.engine import Engine
from comity.features import classifier, memory, presence
from comity.features.memory import UNKNOWN, Memory
from comity.features.presence import LastSpoke
from comity.features.registry import FEATURES, Plan
from feature_columns import batch_of, column, fires, message
from provoking_chats import charter, provoking
from slow_rules import seen

# Files.


def media(*files: Media) -> Event:
    """A message with files."""
    return message("tea", media=list(files))


def test_a_listed_file_is_found_by_its_hash() -> None:
    """MD5 and SHA-256 exactly, in any case; what has no hash that can be compared is unknown."""
    hashes = ["md5:" + "A" * 32, "sha256:" + "b" * 64]
    events = [
        media(Media("image/png", hash="MD5:" + "a" * 32)),
        media(Media("image/png"), Media("image/png", hash="sha256:" + "B" * 64)),
        media(Media("image/png", hash="md5:" + "b" * 32)),
        media(Media("image/png")),
        media(Media("image/png", hash="tea")),
        media(),
        message("tea"),
    ]

    assert [True, True, False, None, None, False, None] == column("media_hash_in", events, hashes=hashes, distance=31)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 90))
def test_a_picture_is_near_another_by_the_bits_that_differ(seed: int, distance: int) -> None:
    """PDQ hashes within the distance, and no others, whichever bits of the 256 differ."""
    draw = random.Random(seed)
    lists = [draw.getrandbits(256) for _ in range(3)]
    flips = [distance, distance + 1, 0, 256]
    seen_ones = []
    for flip in flips:
        bits = draw.choice(lists)
        for place in draw.sample(range(256), flip):
            bits ^= 1 << place
        seen_ones.append(bits)
    events = [media(Media("image/png", hash=f"pdq:{bits:064x}")) for bits in seen_ones]
    expected = [min((bits ^ other).bit_count() for other in lists) <= distance for bits in seen_ones]

    assert expected == column("media_hash_in", events, hashes=[f"PDQ:{b:064X}" for b in lists], distance=distance)


@pytest.mark.parametrize("hashes", [["md5:tea"], ["a" * 32], ["pdq:" + "0" * 63]])
def test_what_is_no_hash_is_refused(hashes: list[str]) -> None:
    """A list entry that could never be found is an error that names it; so is a distance at which all are near."""
    with pytest.raises(ValueError, match="is no hash"):
        FEATURES["media_hash_in"].build(Plan(0), hashes=hashes, distance=31)
    with pytest.raises(ValueError, match="is no distance"):
        FEATURES["media_hash_in"].build(Plan(0), hashes=[], distance=200)


def test_a_type_of_file_is_found_whatever_follows_it() -> None:
    """Types are compared in any case and without parameters; ``*`` stands for any characters."""
    events = [
        media(Media("Application/X-MSI; charset=binary")), media(Media("image/png"), Media("application/x-bat")),
        media(Media("application/xhtml+xml")), media(), message("tea"),
    ]  # fmt: skip

    assert [True, True, False, False, None] == column("media_type_in", events, types=["application/x-*"])
    assert [1, 2, 1, 0, None] == column("files", events)


# Classifiers.


def plug_in(monkeypatch: pytest.MonkeyPatch, scores: object) -> None:
    """Plug in a classifier as an installed package would."""
    point = EntryPoint(name="mine", group=classifier.GROUP, value="x:y")
    monkeypatch.setattr(EntryPoint, "load", lambda _self: scores)
    monkeypatch.setattr(
        classifier, "entry_points", lambda group, name: [point] if (group, name) == (point.group, point.name) else []
    )
    classifier._plugged_in.cache_clear()


def test_a_plug_in_gives_each_text_a_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """A score is known of a text that has one from 0 to 1; without a text or the plug-in it is unknown."""
    plug_in(monkeypatch, lambda texts: [{"tea": 0.9, "milk": 0.1, "odd": float("nan"), "far": 7}[t] for t in texts])
    events = [message(t) for t in ("tea", "milk", "odd", "far", "", None)]

    assert [0.9, 0.1, None, None, None, None] == column("score", events, name="mine")
    assert [None] * 6 == column("score", events, name="yours")
    assert [0] == fires("score('mine') >= 0.5", events)
    classifier._plugged_in.cache_clear()


def test_a_plug_in_that_miscounts_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores that cannot be told apart by text are nobody's."""
    plug_in(monkeypatch, lambda _texts: [0.5])
    with pytest.raises(ValueError, match="scores for 2 texts"):
        column("score", [message("tea"), message("milk")], name="mine")
    classifier._plugged_in.cache_clear()


# What features remember.


def test_a_memory_forgets_no_key_between_asking_and_answering(monkeypatch: pytest.MonkeyPatch) -> None:
    """However full it is, what a batch asked for is there once the batch put in what it did not find."""
    monkeypatch.setattr(memory, "_MOST", 64)
    held, draw = Memory(), np.random.default_rng(1)
    for _ in range(300):
        keys = draw.integers(0, 200, 12).astype(np.uint64)
        unknown = held.look_up(keys) == UNKNOWN
        if unknown.any():
            rows = held.firsts(keys, unknown)
            held.put(keys[rows], (keys[rows] * np.uint64(3)).astype(np.int64))
        answers = held.look_up(keys)

        assert [UNKNOWN if k == 0 else 3 * k for k in keys.tolist()] == answers.tolist()
        assert held._young.held + held._old.held <= 64 + 2 * 12


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sets(st.integers(1, 299), max_size=8))
def test_who_spoke_last_does_not_depend_on_batches(seed: int, cuts: set[int]) -> None:
    """Growing and leaving out happen at the same event however the log is cut, and after a restart."""
    draw = np.random.default_rng(seed)
    n, within = 300, 1000
    at = np.cumsum(draw.integers(0, 40, n)) + np.where(draw.random(n) < 0.1, draw.integers(-(10**7), 10**7, n), 0)
    speakers = draw.integers(1, 120, n).astype(np.uint64)
    mentioned = draw.integers(1, 120, n).astype(np.uint64)
    speaks = draw.random(n) < 0.9
    first_size = presence._FIRST_SIZE
    presence._FIRST_SIZE = 16
    try:
        whole = LastSpoke(within).turn(speakers, at, speaks, np.arange(n), mentioned)
        spoke, parts = LastSpoke(within), list[int]()
        for start, end in itertools.pairwise(sorted({0, n, *cuts})):
            part = slice(start, end)
            parts += spoke.turn(
                speakers[part], at[part], speaks[part], np.arange(end - start), mentioned[part]
            ).tolist()
            again = LastSpoke(within)
            again.load(spoke.dump())
            assert again.dump() == spoke.dump()
            spoke = again
    finally:
        presence._FIRST_SIZE = first_size

    assert whole.tolist() == parts


def test_one_bogus_time_makes_nobody_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who spoke a moment ago is known although somebody's clock ran years ahead as the table grew."""
    monkeypatch.setattr(presence, "_FIRST_SIZE", 16)
    speakers = np.arange(1, 60).astype(np.uint64)
    at = np.where(speakers == 5, 10**12, 10**7 + speakers.astype(np.int64))
    none, everyone = np.empty(0, np.int64), np.ones(len(speakers), np.bool_)
    spoke = LastSpoke(1000)
    spoke.turn(speakers, at, everyone, none, none.view(np.uint64))

    now = np.full(len(speakers), 10**7 + 100)
    since = spoke.turn(speakers, now, ~everyone, np.arange(len(speakers)), speakers)
    assert [0 if s == 5 else 10**7 + s for s in speakers.tolist()] == since.tolist()


# Columns.


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_an_event_is_put_together_again_as_it_was(seed: int, every: int) -> None:
    """What the columns of an event say is the event, but for what no rule can see."""
    events = [e for e in provoking(seed, 40) if e.at != "no time"]
    for start in range(0, len(events), every):
        part = events[start : start + every]
        for was, back in zip(part, batch_of(part).events, strict=True):
            before = was.messages_before
            assert back.messages_before == (before if before is not None and 0 <= before <= 2**53 else None)
            for field in ("id", "at", "kind", "community", "room", "member", "role", "target", "account_created_at"):
                assert getattr(was, field) == getattr(back, field)
            for field in ("text", "name"):
                assert (None if getattr(was, field) is None else seen(getattr(was, field))) == getattr(back, field)
            assert (None if was.mentions is None else [seen(m) for m in was.mentions]) == back.mentions
            assert was.media == back.media


def test_days_are_those_of_the_wall_clock() -> None:
    """A batch's day is the date in the charter's zone."""
    at = "2026-03-29T00:30:00+02:00"
    for zone, day in (("UTC", dt.date(2026, 3, 28)), ("Europe/Vienna", dt.date(2026, 3, 28))):
        batch = Engine(charter(time_zone=zone)).turn([message("tea", at=at)]).batch
        assert (day - dt.date(1970, 1, 1)).days == int(batch.days[0])
