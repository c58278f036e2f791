"""The record of the example: its rooms are recorded from their first day on, and were told so by who manages them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from comity.core.event import Event, milliseconds
from comity.core.retention import TERM
from comity.settings_file import load_settings
from comity.stores.record.keys import keeper, new_key_file
from comity.stores.record.places import place
from comity.stores.record.record import Record
from comity.stores.sqlite import SqliteStore
from example.past import ROOMS, room_id

_KEY: Final = "record.key"
_TABLE: Final = """
[record]
folder = "record"
key = "file:{key}"
"""
_ROOM: Final = """
[[record.room]]
room = "{room}"
days = {days}
"""


def asked_for(server: str) -> str:
    """The part of the settings that asks for it."""
    rooms = (_ROOM.format(room=room_id(name, server), days=TERM) for name in ROOMS)
    return _TABLE.format(key=_KEY) + "".join(rooms)


def record_past(settings_file: Path, events: Sequence[Event]) -> None:
    """Make a key, and record what happened so far, as if Comity had been there."""
    new_key_file(settings_file.with_name(_KEY))
    settings = load_settings(settings_file)
    if settings.record is None:
        raise RuntimeError("these settings ask for no record")
    begun = milliseconds(events[0].at)
    with SqliteStore.open(settings.store, durable=True) as store:
        record = Record.open(store.record, place(settings.record.folder), keeper(settings.record.key), begun)
        with store.write():
            for each in settings.record.rooms:
                record.begin_room(each.community, each.room, each.days, begun)
            record.append(events)
