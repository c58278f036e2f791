"""What members do while it lives: scenes of the example chat, which leave something to decide; then quiet talk."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from comity.core.event import Event
from example.past import DEPUTY, MANAGER, ROOMS, room_id
from example.rooms import Platform, RefusedError, Room

Told = Callable[[str], None]
_AFTERWARDS: Final = 12  # messages of quiet talk after the scenes
_HERE: Final = frozenset({"message", "join"})
# Scenes of the example chat: from which event to which.
FLOOD: Final = ("tea-00102", "tea-00117")
SCAM: Final = ("tea-00182", "tea-00182")
STRANGER: Final = "silver-ladle"  # who says it here, and joins for it: nobody who was here before
CALL: Final = ("tea-00742", "tea-00742")
RAID: Final = ("2026-03-26", 30, 9)  # its day; how many of those who join, and of their first words
REPORTS: Final = (
    ("hanna", "a silver teapot for everybody, from an account that is two hours old"),
    ("tomasz", "a scam, I think"),
)


class Players:
    """Has members of the example do what they do in its chat.

    events: the chat as it stands in its file; taken: members who are left to whoever visits, as quiet talk goes; pace:
    seconds between two messages of a scene; told: hears what comes now, in a sentence.
    """

    def __init__(
        self, platform: Platform, events: Sequence[Event], *, taken: Collection[str], pace: float, told: Told
    ) -> None:
        self._platform, self._events, self._pace, self._told = platform, events, pace, told
        self._taken = taken

    async def play(self) -> None:
        """Every scene once: a flood, a scam, a call, a manager who loses management to the deputy, a raid."""
        self._told("Oliver names Mariam as the one who takes over if he cannot manage.")
        for name in ROOMS:
            self.write(
                MANAGER, "desk", f"!comity deputy #{name}:{self._platform.server} {self._platform.account(DEPUTY)}"
            )
        await self._rest(4)
        self._told("Bruno tells of a kettle, in far too many messages.")
        await self._scene(self._between(*FLOOD))
        self._told("A stranger links to a scam; two members report it.")
        (offer,) = self._between(*SCAM)
        self._platform.register(STRANGER, "Silver Ladle")
        self._report("garden", self.write(STRANGER, "garden", offer.text or ""))
        await self._rest(8)
        self._told("Salma means well, and calls nine members at once.")
        await self._scene(self._between(*CALL))
        await self._rest(8)
        self._told("Strangers come in a crowd.")
        await self._scene(self._crowd(), pace=self._pace / 4)
        await self._rest(8)
        self._told("Somebody else has Oliver's account, who manages the group: Mariam takes over.")
        self.write(MANAGER, "garden", offer.text or "")
        await self._rest(12)
        self._told("The others go on with their day.")
        for event in self._quiet()[:_AFTERWARDS]:
            await self._rest(2)
            self._say(event)

    async def talk(self, every: float) -> None:
        """Quiet talk without an end: whatever nobody minded, in the order in which it was said."""
        while True:
            for event in self._quiet()[_AFTERWARDS:]:
                await asyncio.sleep(every)
                self._say(event)

    def write(self, who: str, room: str, text: str) -> str:
        """Write as a member, who joins for it; the message's id, "" if it was refused: that is what was decided."""
        platform, account = self._platform, self._platform.account(who)
        place = self._place(room)
        try:
            platform.join(place, account)
            return platform.send(place, account, "m.room.message", message(platform, text))
        except RefusedError:
            return ""

    def _say(self, event: Event) -> None:
        if event.member not in self._taken:
            self.write(event.member, event.room[1:], event.text or "")

    async def _scene(self, events: Iterable[Event], pace: float | None = None) -> None:
        for event in events:
            if event.kind == "join":
                self._platform.join(self._place(event.room[1:]), self._platform.account(event.member))
            else:
                self.write(event.member, event.room[1:], event.text or "")
            await asyncio.sleep(self._pace if pace is None else pace)

    async def _rest(self, messages: float) -> None:
        await asyncio.sleep(self._pace * messages)

    def _between(self, first: str, last: str) -> list[Event]:
        return [e for e in self._events if first <= e.id <= last and e.kind in _HERE]

    def _crowd(self) -> list[Event]:
        day, joining, speaking = RAID
        there = [e for e in self._events if e.at.startswith(day) and e.kind in _HERE]
        joins = [e for e in there if e.kind == "join"][:joining]
        came = {e.member for e in joins}
        return [*joins, *[e for e in there if e.kind == "message" and e.member in came][:speaking]]

    def _report(self, room: str, event: str) -> None:
        """Two members report a message."""
        for who, why in REPORTS:
            self._platform.report(self._place(room), self._platform.account(who), event, why)

    def _place(self, room: str) -> Room:
        return self._platform.room(room_id(room, self._platform.server))

    def _quiet(self) -> list[Event]:
        """Messages of members who never broke the charter, that call nobody and send nothing."""
        day = RAID[0]
        return [
            e
            for e in self._events
            if e.kind == "message" and e.text and not e.media and e.member not in _LOUD and not e.at.startswith(day)
        ]


_LOUD: Final = frozenset(
    {
        "almanac",
        "salma",
        "barnaby",
        "corin",
        "cressida",
        "sorrel",
        "marta",
        "tock",
        "minty",
        "oliver-garden",
        "leafline",
    }
    | {"wobble", "free-teapots-77", "goldleaf", "oliver"}
)


def message(platform: Platform, text: str) -> dict[str, object]:
    """What a message says, with whom it calls by @name."""
    content: dict[str, object] = {"msgtype": "m.text", "body": text}
    called = {word.rstrip(".,!?:;").casefold() for word in text.split() if word.startswith("@")}
    named = [a for a, name in platform.accounts.items() if {f"@{name.casefold()}", a.partition(":")[0]} & called]
    return content | ({"m.mentions": {"user_ids": named}} if named else {})
