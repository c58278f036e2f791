"""What changes while somebody looks: server-sent events that say which topic moved, and never what it says."""

import asyncio
import secrets
from collections import deque
from typing import Final, NamedTuple

KEPT: Final = 2000  # events that can be resumed from


class Moved(NamedTuple):
    """Something changed. topic: such as ``queue``; about: which of them, such as an item's key, "" for any."""

    number: int
    community: int
    topic: str
    about: str


class Live:
    """Where changes are said and heard; of one loop."""

    def __init__(self) -> None:
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
