"""A look at rooms without looking after them: what can be carried out in each, and how to mend it."""

import asyncio
from typing import NamedTuple

from comity.adapters.matrix.client import Homeserver, HomeserverError
from comity.adapters.matrix.power import Enforceable
from comity.adapters.matrix.rooms import enforceable_in
from comity.core.errors import ComityError
from comity.settings import Mode, Settings


class Seen(NamedTuple):
    """A room our account is in. label: as people call it; can: what can be carried out; why: it could not be told."""

    room: str
    label: str
    can: Enforceable | None
    why: str = ""


def homeserver_of(settings: Settings) -> Homeserver:
    """The homeserver of the settings, as their account."""
    matrix = settings.matrix
    as_user = matrix.user if matrix.mode is Mode.APPSERVICE else None
    return Homeserver(matrix.homeserver, matrix.token.reveal(), as_user, account=matrix.user)


def look(settings: Settings) -> list[Seen]:
    """All rooms our account is in; changes nothing. Raises ComityError if the homeserver does not answer."""
    return asyncio.run(_look(settings))


async def _look(settings: Settings) -> list[Seen]:
    async with homeserver_of(settings) as homeserver:
        try:
            joined = sorted(await homeserver.joined_rooms())
        except HomeserverError as error:
            raise ComityError(f"the homeserver does not answer as it should: {error}") from None
        return [await _seen(homeserver, room) for room in joined]


async def _seen(homeserver: Homeserver, room: str) -> Seen:
    try:
        alias = (await homeserver.state(room, "m.room.canonical_alias") or {}).get("alias")
        name = (await homeserver.state(room, "m.room.name") or {}).get("name")
        label = next((x for x in (alias, name) if isinstance(x, str) and x.strip()), room)
        return Seen(room, label, await enforceable_in(homeserver, room))
    except HomeserverError as error:
        return Seen(room, room, None, str(error))
