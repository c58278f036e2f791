"""DiscordChatExporter's JSON."""

import json
from pathlib import Path

from comity.core.event import Media
from reading import EXPORTS, by_id, found

DISCORD = EXPORTS / "discord"


def test_a_channel() -> None:
    """Joins, messages, replies and edits are told, in UTC; pins tell nothing."""
    everything = found(DISCORD)

    assert not everything.unread
    assert [
        ("2026-03-01T12:00:00.123Z", "join", "Ana Bell"),
        ("2026-03-01T12:01:00.000Z", "message", "Ana Bell"),
        ("2026-03-01T12:02:00.000Z", "message", "almanac"),
        ("2026-03-01T12:05:00.000Z", "edit", "Ana Bell"),
    ] == [(event.at, event.kind, event.name) for event in everything.events]


def test_what_a_message_says() -> None:
    """Guild and channel are community and room; mentions, replies, attachments, bots and the account's age are told."""
    events = by_id(found(DISCORD).events)
    asks, answers = events["discord:1477650000000000002"], events["discord:1477650000000000003"]

    assert ("817000000000000000", "817000000000000001") == (asks.community, asks.room)
    assert ["175928847299117999"] == asks.mentions
    assert [Media("image/png", 20480)] == asks.media
    assert ("bot", "discord:1477650000000000002") == (answers.role, answers.reply_to)
    assert "2016-04-30T11:18:25.796Z" == asks.account_created_at  # the example of Discord's own reference


def test_a_reversed_export_comes_in_time_order(tmp_path: Path) -> None:
    """The exporter can write the newest first; events come in time order all the same."""
    export = json.loads(next(DISCORD.iterdir()).read_bytes())
    export["messages"].reverse()
    path = tmp_path / "garden.json"
    path.write_text(json.dumps(export, indent=2))

    assert [event.id for event in found(DISCORD).events] == [event.id for event in found(path).events]


def test_one_bad_message_costs_only_itself(tmp_path: Path) -> None:
    """A message without an author is named by its number."""
    export = json.loads(next(DISCORD.iterdir()).read_bytes())
    del export["messages"][1]["author"]
    path = tmp_path / "garden.json"
    path.write_text(json.dumps(export, indent=2))

    everything = found(path)

    assert 2 == len(everything.events)
    assert ["message 1477650000000000002: Object missing required field `author`"] == [
        o.what for o in everything.unread
    ]
