"""Our own NDJSON: fast by blocks, exact by lines where something is wrong."""

import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.core.event import KINDS, ROLES, Event, Media
from reading import found

GOOD = b'{"id":"1","at":"2026-03-01T12:00:00Z","kind":"message","community":"c","room":"r","member":"ana","text":"tea"}'


def event(number: int, text: str = "milk first") -> Event:
    """A message, one second after the one before it."""
    at = f"2026-03-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"
    return Event(f"${number}", at, "message", "teahouse", "garden", "ana", text=text)


def written(path: Path, lines: list[bytes], end: bytes = b"\n") -> Path:
    """A file of these lines."""
    path.write_bytes(b"\n".join(lines) + end)
    return path


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
some = st.none() | texts
events = st.builds(
    Event,
    id=texts, at=st.datetimes().map(lambda t: t.isoformat() + "Z"), kind=st.sampled_from(KINDS), community=texts,
    room=texts, member=texts, name=some, role=st.none() | st.sampled_from(ROLES), text=some,
    mentions=st.none() | st.lists(texts, max_size=3), reply_to=some, target=some,
    media=st.none() | st.lists(st.builds(Media, texts, st.none() | st.integers(0, 2**40), some), max_size=2),
    account_created_at=some, messages_before=st.none() | st.integers(0, 10**6),
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(events, min_size=1, max_size=30))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, written_events: list[Event]) -> None:
    """Events written as NDJSON come back as they were, in the file's order, whatever their times say."""
    path = tmp_path_factory.mktemp("ndjson") / "events.ndjson"
    path.write_bytes(msgspec.json.Encoder().encode_lines(written_events))

    assert written_events == found(path).events


def test_long_files_come_in_small_chunks(tmp_path: Path) -> None:
    """A file of many blocks comes whole and in order, in chunks of at most 4,096 events."""
    expected = [event(n) for n in range(20_000)]
    path = tmp_path / "events.ndjson"
    path.write_bytes(msgspec.json.Encoder().encode_lines(expected))

    everything = found(path)

    assert expected == everything.events
    assert len(everything.chunks) > 4


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (GOOD[:-20], "the line is no JSON"),
        (GOOD.replace(b"tea", b"t\xffa"), "the line holds bytes that are not UTF-8"),
        (GOOD.replace(b'"kind":"message"', b'"kind":"tea"'), "invalid enum value 'tea' - at `$.kind`"),
        (GOOD.replace(b'"member":"ana",', b""), "object missing required field `member`"),
        (GOOD.replace(b'"1"', b"1"), "expected `str`, got `int` - at `$.id`"),
        (b"tea", "the line is no JSON"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_is_read(tmp_path: Path, bad: bytes, what: str) -> None:
    """A bad line is named by its number even far into a file with blank lines, and every other line is read."""
    lines = [GOOD] * 5000 + [b""] + [GOOD] * 10
    lines[5005] = bad
    everything = found(written(tmp_path / "events.ndjson", lines))

    assert [(5006, what)] == [(one.line, one.what) for one in everything.unread]
    assert len(everything.events) == 5009


def test_a_torn_last_line_is_called_so(tmp_path: Path) -> None:
    """A log that ends in the middle of a line is read up to there, and the line is named as torn."""
    everything = found(written(tmp_path / "events.ndjson", [GOOD, GOOD, GOOD[:40]], end=b""))

    assert len(everything.events) == 2
    assert [(3, "a torn last line: it ends in the middle")] == [(one.line, one.what) for one in everything.unread]


def test_a_last_line_without_its_newline_is_read(tmp_path: Path) -> None:
    """The newline behind the last event may be missing."""
    everything = found(written(tmp_path / "events.ndjson", [GOOD, GOOD], end=b""))

    assert (2, 0) == (len(everything.events), len(everything.unread))


def test_a_line_of_50_mb_is_left_out(tmp_path: Path) -> None:
    """A line over 16 MiB is left out and named; the lines around it are read, and later ones keep their numbers."""
    path = tmp_path / "events.ndjson"
    long = GOOD.replace(b"tea", b"tea " * 12_500_000)
    written(path, [GOOD, long, GOOD, b"{", GOOD])

    everything = found(path)

    assert len(everything.events) == 3
    named = [(one.line, one.what) for one in everything.unread]
    assert [(2, "the line is longer than 16 MiB and was left out"), (4, "the line is no JSON")] == named


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Some editors begin a file with a byte order mark; the first event is read all the same."""
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD + b"\r\n" + GOOD + b"\r\n")

    assert len(found(path).events) == 2


def test_many_bad_lines_cost_no_more_than_a_pass(tmp_path: Path) -> None:
    """A bad line in every block does not make reading start over for each of them."""
    lines = ([GOOD] * 4000 + [b"tea"]) * 20
    path = written(tmp_path / "events.ndjson", lines)

    start = time.process_time()
    everything = found(path)
    taken = time.process_time() - start

    assert [4001 * n for n in range(1, 21)] == [one.line for one in everything.unread]
    assert taken < 5
