"""What changes while somebody looks: server-sent events that say which topic moved, and never what it says."""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final, NamedTuple

from starlette.responses import Response, StreamingResponse

from comity.web.site import render, sessions
from comity.web.site.context import Context

KEPT: Final = 2000  # events that can be resumed from
HEARTBEAT: Final = 15.0  # seconds
_LOOK: Final = 1.0  # seconds between two looks whether the process is to end
_MOST: Final = 500  # streams at once


class Moved(NamedTuple):
    """Something changed. topic: such as ``queue``; about: which of them, such as an item's key, "" for any."""

    number: int
    community: int
    topic: str
    about: str


class Live:
    """Where changes are said and heard; of one loop. stopping: whether the process is to end."""

    def __init__(self, stopping: Callable[[], bool] = lambda: False) -> None:
        self.stopping = stopping
        self.streams = 0
        self._mark = secrets.token_hex(4)  # numbers of another process mean nothing here
        self._kept: deque[Moved] = deque(maxlen=KEPT)
        self._number = 0
        self._woken = asyncio.Event()

    def publish(self, community: int, topic: str, about: str = "") -> None:
        """Say that something changed in a community; whoever may see it reads it anew by itself."""
        if not topic.isidentifier() or any(c in about for c in "\r\n"):
            raise ValueError(f"a topic is one word and what it is about one line, got {topic!r} and {about!r}")
        self._number += 1
        self._kept.append(Moved(self._number, community, topic, about))
        self._woken.set()
        self._woken = asyncio.Event()

    @property
    def last(self) -> str:
        """The id of the last event."""
        return f"{self._mark}-{self._number}"

    def since(self, last: str) -> list[Moved] | None:
        """What came after the event with this id; None if that is not known any more."""
        mark, _, number = last.partition("-")
        if mark != self._mark or not number.isdecimal() or not 0 <= int(number) <= self._number:
            return None
        if int(number) < self._number - len(self._kept):
            return None
        return [moved for moved in self._kept if moved.number > int(number)]

    def told(self, moved: Moved) -> str:
        """As it goes over the wire (HTML, section 9.2)."""
        return f"id: {self._mark}-{moved.number}\nevent: {moved.topic}\ndata: {moved.about}\n\n"

    async def wait(self, seconds: float) -> None:
        """Until something changes, and no longer than this."""
        woken = self._woken
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            pass


async def stream(context: Context) -> Response:
    """The page ``/console/live``: what changes where whoever asks is something, from ``Last-Event-ID`` on."""
    live = context.site.live
    if live.streams >= _MOST:
        return context.sorry("too often", 503, seconds=int(HEARTBEAT))
    headers = {**render.HEADERS, "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(context, live), media_type="text/event-stream", headers=headers)


async def _events(context: Context, live: Live) -> AsyncIterator[str]:
    live.streams += 1
    try:
        last = context.request.headers.get("last-event-id", "")
        yield "retry: 3000\n\n"
        if live.since(last) is None:
            if last:
                yield "event: anew\ndata:\n\n"  # too much was missed: what is shown is to be read again
            last = live.last
            yield f"id: {last}\nevent: hello\ndata:\n\n"
        quiet, communities = 0.0, frozenset(context.known.roles)
        while not live.stopping():
            for moved in live.since(last) or []:
                last, quiet = f"{last.partition('-')[0]}-{moved.number}", 0.0
                if moved.community in communities:
                    yield live.told(moved)
            await live.wait(_LOOK)
            quiet += _LOOK
            if quiet >= HEARTBEAT:
                # Who was signed out meanwhile hears no more, and roles may have changed.
                secret, at = context.secret, sessions.millis(context.site.now())
                seen = await context.read(lambda store: sessions.seen(store.access, secret, at))  # noqa: B023  awaited
                if seen is None:
                    return
                quiet, communities = 0.0, frozenset(seen.roles)
                yield ": still here\n\n"
    finally:
        live.streams -= 1
