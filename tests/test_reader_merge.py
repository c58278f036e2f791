"""Many files, one stream in time order."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.adapters import order
from comity.adapters.exports import Options, read
from comity.adapters.order import in_time_order
from comity.core.event import Event, moment, rfc3339
from reading import found

NOON = 1_772_366_400_000


def event(number: int, at: int, room: str = "garden") -> Event:
    """A message so many milliseconds after noon."""
    return Event(f"{room}{number}", rfc3339(moment(NOON + at)), "message", "teahouse", room, "ana")


def files(folder: Path, *rooms: Sequence[int]) -> list[Path]:
    """One file a room, with messages at these milliseconds after noon."""
    paths = []
    for number, times in enumerate(rooms):
        path = folder / f"{number:03}.ndjson"
        events = [event(n, at, f"room{number}-") for n, at in enumerate(times)]
        path.write_bytes(msgspec.json.Encoder().encode_lines(events))
        paths.append(path)
    return paths


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=40).map(sorted), min_size=1, max_size=6))
def test_files_that_overlap_come_in_time_order(
    tmp_path_factory: pytest.TempPathFactory, rooms: list[list[int]]
) -> None:
    """Sorted files merge into one sorted stream; equal times keep the order of the files."""
    paths = files(tmp_path_factory.mktemp("merge"), *rooms)

    everything = found(*paths)

    expected = sorted((at, number, n) for number, times in enumerate(rooms) for n, at in enumerate(times))
    assert [f"room{number}-{n}" for _, number, n in expected] == [one.id for one in everything.events]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=40), min_size=1, max_size=4))
def test_a_file_keeps_its_own_order(tmp_path_factory: pytest.TempPathFactory, rooms: list[list[int]]) -> None:
    """Where a file's clock runs backwards its order stays as it is, and nothing is lost or doubled."""
    everything = found(*files(tmp_path_factory.mktemp("merge"), *rooms))

    assert sum(map(len, rooms)) == len(everything.events)
    for number, times in enumerate(rooms):
        mine = [one.id for one in everything.events if one.room == f"room{number}-"]
        assert [f"room{number}-{n}" for n in range(len(times))] == mine


def test_long_files_that_overlap(tmp_path: Path) -> None:
    """Files of many blocks merge exactly, and chunks stay small."""
    rooms = [range(n, 200_000, 20 + n) for n in range(5)]

    everything = found(*files(tmp_path, *rooms))

    times = [one.at for one in everything.events]
    assert times == sorted(times)
    assert sum(map(len, rooms)) == len(times)


def test_a_later_file_is_opened_only_when_its_time_comes(tmp_path: Path) -> None:
    """Files that follow one another are read one after the other, not all at once."""
    first, second = files(tmp_path, range(50_000), range(60_000, 70_000))
    chunks = read([second, first], Options())
    early = list(itertools.islice(chunks, 3))
    second.unlink()  # planned, but not yet opened for reading

    rest = list(chunks)

    assert {"room0-"} == {one.room for chunk in early for one in chunk.events}
    assert 50_000 == sum(len(chunk.events) for chunk in [*early, *rest])
    assert ["it cannot be opened: No such file or directory"] == [one.what for chunk in rest for one in chunk.unread]


def test_sorting_through_a_temporary_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """More events than fit in memory are sorted all the same; equal times keep their order."""
    monkeypatch.setattr(order, "RUN", 100)
    events = [event(n, (n * 7919) % 503) for n in range(2_050)]

    found_order = [one for one in in_time_order(events) if isinstance(one, Event)]

    assert sorted(events, key=lambda one: one.at) == found_order
