"""Recording live: settings that ask for it, a room that is told, and events kept with their turn or not at all."""

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from comity.cli.record_options import begin_rooms
from comity.core.action import Do
from comity.settings import Recorded, Recording, Settings
from comity.settings_file import SettingsError, parse_settings
from comity.stores.record.keys import new_key_file
from comity.stores.record.reading import Query, Reading
from comity.stores.sqlite import SqliteStore
from record_garden import MONDAY, a_chat

TEXT = """
[matrix]
homeserver = "http://127.0.0.1:8008"
user = "@comity:example.org"
as_token = "one-token"
hs_token = "another-token"

[[community]]
id = "garden"

[record]
folder = "said"
key = "file:record.key"

[[record.room]]
room = "!lawn:example.org"
days = 30
"""


def test_settings_say_what_is_recorded(tmp_path: Path) -> None:
    """Paths are meant beside the settings; without the table nothing is recorded."""
    settings = parse_settings(TEXT, tmp_path / "comity.toml", {})

    assert settings.record == Recording(
        folder=str(tmp_path / "said"),
        key=f"file:{tmp_path / 'record.key'}",
        rooms=(Recorded(room="!lawn:example.org", community="garden", days=30),),
    )
    assert parse_settings(TEXT.partition("[record]")[0], tmp_path / "comity.toml", {}).record is None


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        ('key = "file:record.key"', "", "the record needs a key"),
        ("days = 30", "days = 400", "400 is no term"),
        ("!lawn", "#lawn", "is no room's id"),
        ("days = 30", 'community = "attic"', "there is no community 'attic'"),
    ],
)
def test_settings_that_are_wrong_are_told(tmp_path: Path, wrong: str, right: str, message: str) -> None:
    """With the place, and what was expected."""
    with pytest.raises(SettingsError, match=message):
        parse_settings(TEXT.replace(wrong, right), tmp_path / "comity.toml", {})


def test_a_room_is_told_before_it_is_recorded(tmp_path: Path) -> None:
    """Once, with the term; again when the term is another, and when it ends."""
    new_key_file(tmp_path / "record.key")
    settings = parse_settings(TEXT, tmp_path / "comity.toml", {})
    with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
        for each in (settings, settings, _with(settings, days=60), _with(settings)):
            begin_rooms(each, store)
        later = int(dt.datetime.now(dt.UTC).timestamp() * 1000) + 60_000
        said = [a.text for a in store.decisions.actions_due(later) if a.do is Do.SAY]
        queued = store._db.execute("SELECT body FROM action ORDER BY place").fetchall()
    texts = [msgspec.json.decode(body)["text"] for (body,) in queued]

    assert "30 days" in texts[0]
    assert "60 days" in texts[1]
    assert "kept no longer" in texts[2]
    assert 3 == len(texts)
    assert said


def test_what_is_recorded_is_kept_with_its_turn_or_not_at_all(tmp_path: Path) -> None:
    """A turn that fails leaves no event behind."""
    new_key_file(tmp_path / "record.key")
    settings = parse_settings(TEXT, tmp_path / "comity.toml", {})
    chat = [msgspec.structs.replace(e, community="garden", room="!lawn:example.org") for e in a_chat(4)]
    with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
        record = begin_rooms(settings, store)

        def fail() -> None:
            with store.write():
                assert 2 == record.append(chat[:2])
                raise RuntimeError("undo")

        with pytest.raises(RuntimeError, match="undo"):
            fail()
        with store.write():
            record.append(chat[2:])
        found = Reading(record.parts, MONDAY).find(Query(community="garden"))
    assert ["$event-2", "$event-3"] == [e.id for e in found]


def _with(settings: Settings, *, days: int = 0) -> Settings:
    assert settings.record
    rooms = tuple(msgspec.structs.replace(r, days=days) for r in settings.record.rooms) if days else ()
    return msgspec.structs.replace(settings, record=msgspec.structs.replace(settings.record, rooms=rooms))
