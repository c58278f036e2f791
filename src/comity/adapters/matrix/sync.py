"""The bot that asks: long polls, for communities that do not run their homeserver. What a poll leaves out is fetched.

Source: Matrix specification v1.16, Client-Server API, "Syncing". After a while away a poll has the last events of each
room only, and says so by ``limited``; the rest is read back through ``/messages`` down to what was seen last.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from comity.adapters.matrix.appservice import Handler
from comity.adapters.matrix.client import Homeserver, HomeserverError, Json
from comity.adapters.matrix.invitations import Invitation, answer
from comity.adapters.matrix.read_back import enters, read_back

POLL: Final = 30.0
"""Seconds that the homeserver may keep a poll open."""
LONGEST_PAUSE: Final = 60.0
"""Seconds between tries at most while the homeserver does not answer."""


def _filter(limit: int) -> str:
    wanted: Json = {
        "presence": {"types": []},
        "account_data": {"types": []},
        "room": {
            "timeline": {"limit": limit},
            "state": {"lazy_load_members": True},
            "ephemeral": {"types": []},
            "account_data": {"types": []},
        },
    }
    return json.dumps(wanted, separators=(",", ":"))


_FIRST: Final = _filter(1)


async def nothing_noted(_problem: str) -> None:
    """Note a problem nowhere."""


class Sync:
    """Reads what happens in the rooms of an account, from ``since`` on.

    handler: takes what came, and the ``since`` that goes with it; when it returns both are kept; since: the last one
    that was kept, "" at the very first: then reading begins now, for what was said before was not said to us; allowed:
    whose invitations are accepted; noted: told in a sentence what went wrong and is tried again, and what was left out;
    poll: seconds that one may take; page: events of a room that one answer has at most.
    """

    def __init__(
        self,
        homeserver: Homeserver,
        handler: Handler,
        since: str = "",
        *,
        allowed: Callable[[str], bool],
        noted: Callable[[str], Awaitable[None]] = nothing_noted,
        poll: float = POLL,
        page: int = 100,
    ) -> None:
        self._homeserver, self._handler, self._allowed, self._noted = homeserver, handler, allowed, noted
        self.since, self._poll, self._page = since, poll, page
        self._last: dict[str, str] = {}

    async def run(self) -> None:
        """Read on until cancelled. Raises HomeserverError only if the token is refused: a person must look."""
        failures = 0
        while True:
            try:
                await self.step()
            except HomeserverError as error:
                if error.token_refused:
                    raise
                failures += 1
                pause = max(error.retry_after or 0.0, min(LONGEST_PAUSE, 2.0 ** min(failures, 10) / 2))
                await self._noted(f"{error}; trying again in {pause:.0f} seconds")
                await asyncio.sleep(pause)
            else:
                failures = 0

    async def step(self) -> None:
        """One poll, and all that belongs to it. Whatever is raised, ``since`` stands where it stood."""
        first = not self.since
        found = await self._homeserver.sync(
            self.since, timeout=0.0 if first else self._poll, filter=_FIRST if first else _filter(self._page)
        )
        since = found.get("next_batch")
        if not isinstance(since, str) or not since:
            raise HomeserverError("syncing", 0, error="an answer without next_batch")
        rooms = _object(found, "rooms")
        account = await self._homeserver.account()
        events: list[Json] = []
        for kind in ("join", "leave"):
            for room, there in _objects(rooms, kind):
                events += [] if first else await self._timeline(room, _object(there, "timeline"), account)
        # Before since moves on: an invitation is told of once, and joining a room twice is joining it once.
        await answer(self._homeserver, _invitations(rooms, account), self._allowed)
        if events or since != self.since:
            await self._handler(events, since)
        self.since = since
        for event in events:
            self._last[str(event["room_id"])] = str(event.get("event_id"))

    async def _timeline(self, room: str, timeline: Json, account: str) -> list[Json]:
        """Everything since the last poll, oldest first; of a room we came into just now, from there on."""
        events = [{**event, "room_id": room} for event in _list(timeline.get("events")) if isinstance(event, dict)]
        start = timeline.get("prev_batch")
        if timeline.get("limited") is True and isinstance(start, str) and _entered(events, account) is None:
            last = self._last.get(room)
            missed = await read_back(
                self._homeserver, room, start=start, stop=self.since, seen=lambda event: event == last, page=self._page
            )
            if not missed.whole:
                await self._noted(
                    f"Too much was missed in {room}: only the last {len(missed.events)} events were read."
                )
            events = [*missed.events, *events]
        entered = _entered(events, account)
        return events if entered is None else events[entered:]


def _entered(events: list[Json], account: str) -> int | None:
    """Where in these events we came into the room last, None if not in these."""
    return next((i for i in range(len(events) - 1, -1, -1) if enters(events[i], account)), None)


def _invitations(rooms: Json, account: str) -> Iterator[Invitation]:
    for room, there in _objects(rooms, "invite"):
        for event in _list(_object(there, "invite_state").get("events")):
            if isinstance(event, dict) and event.get("type") == "m.room.member" and event.get("state_key") == account:
                yield Invitation(room, str(event.get("sender")))


def _object(content: Json, key: str) -> Json:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _objects(content: Json, key: str) -> Iterator[tuple[str, Json]]:
    for name, found in _object(content, key).items():
        if isinstance(found, dict):
            yield name, found


def _list(found: object) -> list[object]:
    return found if isinstance(found, list) else []
