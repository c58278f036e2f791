"""Reading exports in tests: everything at once, and short ways to write down what is expected."""

import zoneinfo
from pathlib import Path
from typing import NamedTuple

import pytest

from comity.adapters.exports import Chunk, Options, read, total_bytes
from comity.core.event import Event, Unread

EXPORTS = Path(__file__).parent / "data" / "exports"
UBUNTU = Path(__file__).parents[2] / "shared" / "data" / "irc-disentanglement" / "ubuntu"
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")

needs_ubuntu = pytest.mark.skipif(not UBUNTU.is_dir(), reason="the public Ubuntu logs do not lie beside the checkout")


class Found(NamedTuple):
    """All that was read."""

    events: list[Event]
    unread: list[Unread]
    chunks: list[Chunk]


def found(*paths: Path, options: Options | None = None) -> Found:
    """Read everything, and hold every reading to what is promised of all: chunk sizes, and bytes that add up."""
    chunks = list(read(paths, options or Options()))
    assert all(len(chunk.events) <= 4096 for chunk in chunks)
    assert all(chunk.read >= 0 for chunk in chunks)
    assert sum(chunk.read for chunk in chunks) == total_bytes(paths)
    return Found([e for c in chunks for e in c.events], [u for c in chunks for u in c.unread], chunks)


def line(event: Event) -> str:
    """An event on one line: time of day, room, kind unless a message, member, text."""
    words = [event.at[11:19], event.room, "" if event.kind == "message" else event.kind, event.member, event.text or ""]
    return " ".join(word for word in words if word)


def lines(*paths: Path, options: Options | None = None) -> list[str]:
    """Every event on one line; nothing may be left unread."""
    everything = found(*paths, options=options)
    assert not everything.unread
    return [line(event) for event in everything.events]


def by_id(events: list[Event]) -> dict[str, Event]:
    """Events by their last part of id, each id once."""
    named = {event.id: event for event in events}
    assert len(named) == len(events)
    return named
