"""Matrix: Element's export and lists of client events."""

import json
from pathlib import Path

import pytest

from comity.core.event import Media
from reading import EXPORTS, by_id, found

MATRIX = EXPORTS / "matrix"


@pytest.mark.parametrize("name", ["element.json", "list.json", "messages.json", "events.ndjson"])
def test_every_form_tells_the_same(name: str) -> None:
    """Element's export, a list, an answer of /messages (newest first) and NDJSON give the same events in time order."""
    everything = found(MATRIX / name)

    assert not everything.unread
    assert [
        ("$join", "join", "@ana:garden.example", "Ana Bell"),
        ("$asks", "message", "@ana:garden.example", "Ana Bell"),
        ("$answers", "message", "@rosa:garden.example", None),
        ("$edits", "edit", "@rosa:garden.example", None),
        ("$reacts", "reaction", "@ana:garden.example", "Ana Bell"),
        ("$image", "message", "@ana:garden.example", "Ana Bell"),
        ("$rename", "rename", "@ana:garden.example", "Ana B."),
        ("$levels/@ana:garden.example", "role", "@rosa:garden.example", None),
        ("$redacts", "redaction", "@rosa:garden.example", None),
        ("$removed", "leave", "@ana:garden.example", "Ana B."),
    ] == [(event.id, event.kind, event.member, event.name) for event in everything.events]


def test_what_events_say() -> None:
    """Mentions from m.mentions, else from pills; quotes of replies are left out; edits carry their new text."""
    events = by_id(found(MATRIX / "element.json").events)

    assert ["@rosa:garden.example"] == events["$asks"].mentions
    assert ("I have", ["@bo:garden.example"], "$asks") == (
        events["$answers"].text, events["$answers"].mentions, events["$answers"].reply_to,
    )  # fmt: skip
    assert ("I have beans", "$answers") == (events["$edits"].text, events["$edits"].target)
    assert ("🌱", "$answers") == (events["$reacts"].text, events["$reacts"].target)
    assert [Media("image/png", 20480)] == events["$image"].media
    assert events["$image"].mentions is None  # nothing tells
    assert "$image" == events["$redacts"].target
    appointed = events["$levels/@ana:garden.example"]
    assert ("@ana:garden.example", "manager") == (appointed.target, appointed.role)


def test_encrypted_and_redacted_messages_have_no_text(tmp_path: Path) -> None:
    """That somebody wrote is told even where the text is not there; unknown is not empty."""
    base = {"sender": "@ana:garden.example", "room_id": "!garden:garden.example", "origin_server_ts": 1_772_366_400_000}
    path = tmp_path / "events.json"
    path.write_text(
        json.dumps(
            [
                {
                    **base,
                    "event_id": "$1",
                    "type": "m.room.encrypted",
                    "content": {"algorithm": "m.megolm.v1.aes-sha2"},
                },
                {**base, "event_id": "$2", "type": "m.room.message", "content": {}},
            ]
        )
    )

    assert [("message", None), ("message", None)] == [(event.kind, event.text) for event in found(path).events]


def test_one_bad_event_costs_only_itself(tmp_path: Path) -> None:
    """An event without a time and a line that is no JSON are named by their lines."""
    lines = (MATRIX / "events.ndjson").read_text().splitlines()
    lines[2] = lines[2].replace('"origin_server_ts"', '"when"')
    lines[4] = lines[4][:30]
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join(lines))

    everything = found(path)

    assert 8 == len(everything.events)
    assert [3, 5] == [one.line for one in everything.unread]
