"""Pushing what happens to an application service, in order, again and again until it has been taken.

Source: Matrix specification v1.16, Application Service API, "Pushing events" and MSC2659 (ping).
"""

import asyncio
import contextlib
import itertools
from collections import deque
from typing import Final

import aiohttp
import msgspec

from example.authorise import Event
from example.rooms import Platform, Room

MOST: Final = 100  # events of a transaction
_LONGEST_PAUSE: Final = 5.0  # seconds between two tries
_PATIENCE: Final = 20.0


class Pusher:
    """Pushes events of the rooms that the service's account is in or invited to, and of nothing else.

    bot: that account; url: where the service listens; token: the homeserver's own (hs_token).
    """

    def __init__(self, platform: Platform, bot: str, url: str, token: str) -> None:
        self._bot, self._url, self._token = bot, url.rstrip("/"), token
        self._queue: deque[Event] = deque()
        self._more = asyncio.Event()
        self._hurry = asyncio.Event()
        self._numbers = itertools.count(1)
        platform.watchers.append(self._see)

    async def run(self) -> None:
        """Push, as long as it goes on."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=_PATIENCE)) as session:
            while True:
                await self._more.wait()
                some = list(itertools.islice(self._queue, MOST))
                await self._deliver(session, some)
                for _ in some:
                    self._queue.popleft()
                if not self._queue:
                    self._more.clear()

    async def ping(self, transaction: str) -> int:
        """Call the service now, and deliver what waits; the status it answered with. Raises aiohttp.ClientError."""
        headers = {"Authorization": f"Bearer {self._token}"}
        body = {"transaction_id": transaction} if transaction else {}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{self._url}/_matrix/app/v1/ping", json=body) as answer,
        ):
            self._hurry.set()
            return answer.status

    def _see(self, room: Room, event: Event) -> None:
        if room.membership(self._bot) in {"join", "invite"} or event.get("state_key") == self._bot:
            self._queue.append(dict(event))
            self._more.set()

    async def _deliver(self, session: aiohttp.ClientSession, events: list[Event]) -> None:
        """Push some events under one number until they are taken."""
        address = f"{self._url}/_matrix/app/v1/transactions/{next(self._numbers)}"
        body, pause = msgspec.json.encode({"events": events}), 0.1
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.put(address, data=body) as answer:
                    if answer.ok:
                        return
            self._hurry.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hurry.wait()
            pause = min(_LONGEST_PAUSE, 2 * pause)
