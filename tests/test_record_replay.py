"""Replay of the record: what a charter finds in it is what it finds in the events themselves."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from comity.core.event import Event, milliseconds
from comity.engine import Engine
from comity.features.pieces import Piece
from comity.replay_record import chunks
from comity.rules import built_in
from comity.stores.record.reading import Reading
from provoking_chats import listening, provoking
from record_garden import Here

Found = list[tuple[str, str]]


def found_in(engine: Engine, pieces: Sequence[Piece]) -> Found:
    """Ids of events and the figures of what is found about them, piece by piece."""
    found: Found = []
    for piece in pieces:
        columns, _ = engine.columns([piece])
        from comity.engine import Turn  # noqa: PLC0415 - beside its one use

        turn = Turn(columns, engine.find(columns), [])
        ids = [columns.string("id", row) for row in turn.findings.rows.tolist()]
        found += list(zip(ids, engine.figures(turn), strict=True))
    return found


def in_time(events: Sequence[Event]) -> list[Event]:
    """Events that have a time, by it; those of one millisecond as they came."""
    return sorted((e for e in events if e.at != "no time"), key=lambda e: milliseconds(e.at))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Event], list[Piece], list[Piece]]:
    """A provoking chat, and how it comes back from frames, and from segments."""
    chat = provoking(7, 3000)
    with Here.open(tmp_path_factory.mktemp("replay")) as here:
        accounts: dict[str, str] = {}
        for community in ("tea", "coffee"):
            number = here.store.community(community)
            here.store.members(number, sorted({e.member for e in chat if e.community == community}), [None] * 8)
            for room in ("#garden", "#attic", "#cellar"):
                here.record.begin_room(community, room, 366, 0)
            accounts |= here.store.record.accounts(community)
        now = milliseconds("2026-05-02T00:00:00Z")
        here.say(chat[:1000])
        here.say(chat[1000:], a_turn=500)
        frames = [c.piece for c in chunks(Reading(here.record.parts, now).weeks(), accounts)]
        here.record.tend(now, whole=True)
        segments = [c.piece for c in chunks(Reading(here.record.parts, now).weeks(), accounts)]
        assert here.verify().whole
    return chat, frames, segments


@pytest.mark.parametrize("rule", sorted(built_in()))
def test_a_rule_finds_the_same_in_the_record(rule: str, recorded: tuple[list[Event], list[Piece], list[Piece]]) -> None:
    """Every built-in rule, row for row with its figures, whether what is read is sealed or not."""
    chat, frames, segments = recorded
    expected = found_in(Engine(listening(rule)), [Piece(in_time(chat))])

    assert expected == found_in(Engine(listening(rule)), frames)
    assert expected == found_in(Engine(listening(rule)), segments)


def test_every_event_comes_back(recorded: tuple[list[Event], list[Piece], list[Piece]], tmp_path: Path) -> None:
    """None is lost, none comes twice."""
    chat, frames, segments = recorded

    assert not list(tmp_path.iterdir())
    for pieces in (frames, segments):
        assert sum(p.n for p in pieces) == len(in_time(chat))
        ids = b"\0".join(p.strings["id"].joined for p in pieces).decode().split("\0")
        assert [e.id for e in in_time(chat)] == ids
