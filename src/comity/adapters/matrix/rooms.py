"""What there is to know of a room before anything happens in it: levels, names, and what can be enforced."""

from typing import NamedTuple

from comity.adapters.matrix.client import Homeserver, Json
from comity.adapters.matrix.normalise import Known
from comity.adapters.matrix.power import Created, Enforceable, Levels, created, enforceable

LEVELS = "m.room.power_levels"


class RoomLevels(NamedTuple):
    """A room's levels. content: of m.room.power_levels, {} if there is none; event: the whole event, {} likewise."""

    room: str
    levels: Levels
    content: Json
    event: Json


async def creation(homeserver: Homeserver, room: str) -> Created | None:
    """How a room began, which never changes; None if we may not see it. Raises HomeserverError."""
    event = await homeserver.state_event(room, "m.room.create")
    if event is None:
        return None
    sender, content = event.get("sender"), event.get("content")
    return created(sender if isinstance(sender, str) else "", content if isinstance(content, dict) else {})


async def levels_of(homeserver: Homeserver, room: str, began: Created | None) -> RoomLevels:
    """The levels of a room as they are now. Raises HomeserverError."""
    event = await homeserver.state_event(room, LEVELS)
    content = event.get("content") if event is not None else None
    if event is None or not isinstance(content, dict):
        return RoomLevels(room, Levels(None, began), {}, {})
    return RoomLevels(room, Levels(content, began), content, event)


async def learn(homeserver: Homeserver, room: str, known: Known) -> None:
    """Learn a room's names and levels, so that messages carry them from the first on. Raises HomeserverError."""
    names = await homeserver.joined_members(room)
    known.names.update({(room, account): name for account, name in names.items() if name is not None})
    known.levels[room] = (await levels_of(homeserver, room, await creation(homeserver, room))).levels


async def enforceable_in(homeserver: Homeserver, room: str) -> Enforceable:
    """What can be carried out in a room, and why not what cannot. Raises HomeserverError, if we are not in it too."""
    there = await levels_of(homeserver, room, await creation(homeserver, room))
    encrypted = await homeserver.state(room, "m.room.encryption") is not None
    return enforceable(there.levels, await homeserver.account(), encrypted=encrypted)
