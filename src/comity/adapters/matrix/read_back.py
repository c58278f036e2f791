"""What did not come by itself: a room's events read back from the newest on, down to where they were seen.

A poll leaves out what is too much for it; and what Synapse has taken on for an application service but not yet put
into its database ends with its process. Whoever reads back now and then misses neither: the store knows what it has.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from comity.adapters.matrix.client import Homeserver, Json

MOST: Final = 100_000
"""Events that are read back in one room at most: half an hour of reading, some days of a busy room."""


class ReadBack(NamedTuple):
    """Client events, oldest first. whole: whether nothing between them and what was seen is left out."""

    events: list[Json]
    whole: bool


def never(_event_id: str) -> bool:
    """Nothing was seen yet."""
    return False


async def read_back(
    homeserver: Homeserver,
    room: str,
    *,
    start: str = "",
    stop: str = "",
    seen: Callable[[str], bool] = never,
    page: int = 100,
    most: int = MOST,
) -> ReadBack:
    """Events of a room before ``start`` ("": now): down to ``stop``, to one that was seen, or to where we came in.

    start, stop: tokens of ``/sync`` or ``/messages``; seen: asked by event id; most: events at most, ``page`` in one
    request. What was said before we came was not said to us. Raises HomeserverError.
    """
    account = await homeserver.account()
    found: list[Json] = []
    while len(found) < most:
        events, start = await homeserver.messages(room, start, stop, limit=min(page, most - len(found)))
        for event in events:
            if seen(str(event.get("event_id"))):
                return ReadBack(found[::-1], whole=True)
            found.append({**event, "room_id": room})
            if enters(event, account):
                return ReadBack(found[::-1], whole=True)
        if not events or not start:
            return ReadBack(found[::-1], whole=True)
    return ReadBack(found[::-1], whole=False)


def enters(event: Json, account: str) -> bool:
    """Whether an account comes into the room by this event, and does not just change its name there."""
    if event.get("type") != "m.room.member" or event.get("state_key") != account:
        return False
    before = _object(_object(event, "unsigned"), "prev_content") or _object(event, "prev_content")
    return _object(event, "content").get("membership") == "join" and before.get("membership") != "join"


def _object(content: Json, key: str) -> Json:
    found = content.get(key)
    return found if isinstance(found, dict) else {}
