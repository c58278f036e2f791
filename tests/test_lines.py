"""Lines of NDJSON read by the kernel: the columns are those of the events that the JSON library reads."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.adapters.exports import Options, read
from comity.core.event import KINDS, ROLES, Event, Unread
from comity.features.lines import piece
from comity.features.pieces import MOST_MESSAGES, STRINGS, Piece
from comity.replay import Summary, batches

DECODER = msgspec.json.Decoder(Event)
TEXTS = st.one_of(
    st.text(st.sampled_from('ab Z0"\\/\n\t\x7f{}[],:é漢\U0001f375\u2028'), max_size=30),
    st.text(st.sampled_from("abcdefgh"), max_size=30),
)
MAYBE = st.none() | TEXTS
EVENTS = st.fixed_dictionaries(
    {
        "id": TEXTS,
        "at": st.sampled_from(["2026-03-01T12:00:00Z", "2026-03-01T12:00:00.123+01:00"]),
        "kind": st.sampled_from(KINDS),
        "community": TEXTS,
        "room": TEXTS,
        "member": TEXTS,
    },
    optional={
        "name": MAYBE,
        "role": st.none() | st.sampled_from(ROLES),
        "text": MAYBE,
        "mentions": st.none() | st.lists(TEXTS, max_size=3),
        "reply_to": MAYBE,
        "target": MAYBE,
        "media": st.none() | st.lists(st.just({"type": "image/png", "size": 3}), max_size=2),
        "account_created_at": MAYBE,
        "messages_before": st.none() | st.sampled_from([0, 7, 10**17, 10**18, 2**53, -1]),
        "later": st.integers(0, 3),
    },
)
NO_EVENTS = (
    b"{}",
    b"[]",
    b"  ",
    b"{",
    b'{"id":"torn',
    b'{"id":"a","id":"b"}',
    b'{"id":1}',
    b'\xff\xfe{"id":"a"}',
    b'{"id":"a","at":"2026-03-01T12:00:00Z","kind":"shout","community":"c","room":"r","member":"m"}',
    b'{"id":"a","at":"2026-03-01T12:00:00Z","kind":"message","community":"c","room":"r","member":"m",}',
    b'{"id":"a","at":"2026-03-01T12:00:00Z","kind":"message","community":"c","room":"r","member":"m"} x',
    b'{"id":"a","at":"2026-03-01T12:00:00Z","kind":"message","community":"c","room":"r","member":"m","text":"\xff"}',
    b'{"id":"a","at":"2026-03-01T12:00:00Z","kind":"message","community":"c","room":"r","member":null}',
    b'{"id":"a","at":"2026-03-01T12:00:00Z","kind":"message","community":"c","room":"r","member":"m","mentions":["a",]}',
    b'{"id":"a","at":"2026-03-01T12:00Z","kind":"message","community":"c","room":"r","member":"m","messages_before":07}',
)


class Block:
    """Lines, and the JSON library to read those that the kernel leaves."""

    def __init__(self, data: bytes) -> None:
        self.data, self.asked = data, 0

    def decode(self, where: Sequence[tuple[int, int]]) -> tuple[list[Event | None], list[Unread]]:
        """One by one."""
        self.asked += len(where)
        return [decoded(self.data[start:end]) for start, end in where], []


def decoded(line: bytes) -> Event | None:
    """What the JSON library says of a line."""
    try:
        return DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def same(found: Piece, expected: Piece) -> None:
    """Whether two pieces hold the same."""
    assert found.n == expected.n
    assert found.kinds.tolist() == expected.kinds.tolist()
    assert found.roles.tolist() == expected.roles.tolist()
    assert found.mentions.tolist() == expected.mentions.tolist()
    assert found.mentioned == expected.mentioned
    assert sound(found) == sound(expected)
    assert found.media == expected.media
    for field in STRINGS:
        assert found.strings[field].joined == expected.strings[field].joined, field
        assert flags(found.strings[field].known, found.n) == flags(expected.strings[field].known, found.n), field
    assert flags(found.media_known, found.n) == flags(expected.media_known, found.n)


def sound(of: Piece) -> list[int]:
    """Messages before, -1 where it is no number that counts."""
    return [n if 0 <= n <= MOST_MESSAGES else -1 for n in of.messages_before.tolist()]


def flags(known: object, n: int) -> list[bool]:
    """Where something is known."""
    return [True] * n if known is None else np.asarray(known).tolist()


@settings(max_examples=300, deadline=None)
@given(
    lines=st.lists(st.one_of(EVENTS, EVENTS, st.sampled_from(NO_EVENTS)), max_size=12),
    spaced=st.booleans(),
    escaped=st.booleans(),
    end=st.sampled_from([b"", b"\n", b"\r\n"]),
)
def test_the_columns_are_those_of_the_events(
    lines: list[dict[str, object] | bytes], *, spaced: bool, escaped: bool, end: bytes
) -> None:
    """Whatever stands in the lines, with or without spaces and escapes, the columns are as if each was decoded."""
    separators = (", ", ": ") if spaced else (",", ":")
    written = [
        line
        if isinstance(line, bytes)
        else json.dumps(line, separators=separators, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
        for line in lines
    ]
    data = b"\n".join(written) + end
    events = [e for line in data.split(b"\n") if (e := decoded(line)) is not None]

    same(piece(Block(data))[0], Piece(events))


@settings(max_examples=300, deadline=None)
@given(event=EVENTS, seed=st.integers(0, 10_000))
def test_a_damaged_line_is_read_as_the_json_library_reads_it(event: dict[str, object], seed: int) -> None:
    """One byte lost, doubled or changed anywhere in a line gives what the JSON library makes of it, or nothing."""
    chance = random.Random(seed)
    line = bytearray(json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass"))
    at = chance.randrange(len(line))
    change = chance.choice([b"", bytes([line[at]] * 2), bytes([chance.randrange(11, 256)])])
    line[at : at + 1] = change
    expected = decoded(bytes(line))

    same(piece(Block(bytes(line)))[0], Piece([] if expected is None else [expected]))


def test_plain_lines_need_no_object() -> None:
    """Lines without escapes are read by the kernel alone; one with an escape is all that is left to the library."""
    event = {"id": "a", "at": "2026-03-01T12:00:00Z", "kind": "message", "community": "c", "room": "r", "member": "m"}
    plain = [json.dumps(event | {"text": f"cup {n} of tea", "mentions": ["bo"]}) for n in range(100)]
    block = Block("\n".join([*plain, json.dumps(event | {"text": 'she said "tea"'})]).encode())

    assert 101 == piece(block)[0].n
    assert block.asked == 1


def test_many_short_lines_are_all_seen() -> None:
    """Lines shorter than any event has are each left to the library, however many there are."""
    block = Block(b"{}\n" * 5000)

    assert 0 == piece(block)[0].n
    assert block.asked == 5000


@pytest.mark.parametrize("size", [16_384, 500_000])
def test_a_file_is_the_same_by_lines_and_by_events(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with blank, torn and foreign lines gives the same columns and the same complaints either way."""
    monkeypatch.setattr("comity.adapters.detect._MOST_BLOCK", size)
    chance = random.Random(5)
    lines = []
    for n in range(2000):
        at = f"2026-03-01T12:{n // 60 % 60:02}:{n % 60:02}Z"
        event = {
            "id": f"e{n}",
            "at": at,
            "kind": "message",
            "community": "tea",
            "room": "#garden",
            "member": f"m{n % 7}",
        }
        text = chance.choice(["milk first", 'a "quoted" cup', "Schwarzer Tee für alle", "two\nlines"])
        line = json.dumps(event | {"text": text}, ensure_ascii=chance.random() < 0.5).encode()
        lines.append(chance.choice([line, line, line, line, b"", b"no json", line[:-1], line + b"\xff"]))
    path = tmp_path / "log.ndjson"
    path.write_bytes(b"\xef\xbb\xbf" + lines[0].join([b"", b"\n"]) + b"\n".join(lines[1:]))

    def taken(*, lines: bool) -> tuple[list[str], list[Unread]]:
        summary, out = Summary(), list[str]()
        for pieces, _ in batches(read([path], Options(), lines=lines), summary):
            for each in pieces:
                out += [each.strings[f].joined.decode() for f in STRINGS]
        return "\0".join(out).split("\0"), summary.named

    by_lines, by_events = taken(lines=True), taken(lines=False)
    assert by_events[1] == by_lines[1]
    assert sorted(by_events[0]) == sorted(by_lines[0])
    assert any("torn" in unread.what or "no JSON" in unread.what for unread in by_lines[1])
