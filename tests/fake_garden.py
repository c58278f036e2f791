"""A false homeserver with rooms: what Comity asks of one, in memory, and as unwell as a test wants it."""

import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from fake_homeserver import Asked, FakeHomeserver, says

BOT = "@comity:garden.example"
Said = dict[str, Any]
Sick = Callable[[Asked], Awaitable[web.StreamResponse] | None]


class Garden:
    """Rooms with members, levels and messages. sick: asked first with each request; None lets it be answered well.

    deeds: transaction ids by what was done with them, for whoever looks for a deed done twice.
    """

    def __init__(self, server: FakeHomeserver, rooms: list[str], managers: list[str], members: list[str]) -> None:
        self.server, self.rooms, self.members = server, rooms, [BOT, *managers, *members]
        self.levels = {room: {"users": {BOT: 100, **dict.fromkeys(managers, 50)}} for room in rooms}
        self.redacted: dict[str, str] = {}
        self.deeds: defaultdict[str, set[str]] = defaultdict(set)
        self.sent: list[tuple[str, str]] = []
        self.sick: Sick = lambda _asked: None
        self._numbers = itertools.count(1)
        self._done: dict[str, str] = {}
        server.answers = [self.answer]

    async def answer(self, asked: Asked) -> web.StreamResponse:
        """Answer one request."""
        unwell = self.sick(asked)
        if unwell is not None:
            return await unwell
        found = self._answered(asked)
        body, status = found if isinstance(found, tuple) else (found, 200)
        return await says(body, status)(asked)

    def _answered(self, asked: Asked) -> Said | tuple[Said, int]:  # noqa: C901, PLR0911, PLR0912 - a line for each thing that is asked
        words, method = asked.words, asked.method
        missing = ({"errcode": "M_NOT_FOUND", "error": "not found"}, 404)
        match method, words[3:] if words[:1] == ["_matrix"] else words:
            case "POST", ["register"]:
                return {"errcode": "M_USER_IN_USE", "error": "taken"}, 400
            case "POST", ["join", room]:
                return {"room_id": room} if room in self.rooms else missing
            case "GET", ["joined_rooms"]:
                return {"joined_rooms": self.rooms}
            case "POST", ["createRoom"]:
                return {"room_id": f"!direct{next(self._numbers)}"}
            case "GET", ["user", *_]:
                return missing
            case "GET", ["rooms", _, "joined_members"]:
                return {"joined": {account: {} for account in self.members}}
            case "GET", ["rooms", _, "messages"]:
                return {"chunk": []}
            case "GET", ["rooms", room, "state", "m.room.power_levels", *_]:
                return self._state(room)
            case "GET", ["rooms", _, "state", "m.room.create", *_]:
                return {"sender": self.members[1], "content": {"room_version": "11"}, "event_id": "$create"}
            case "GET", ["rooms", _, "state", "m.room.member", *_]:
                return {"membership": "join"}
            case "GET", ["rooms", *_, "state", _, _] | ["rooms", _, "state", _]:
                return missing
            case "GET", ["rooms", _, "event", event]:
                unsigned = {"redacted_because": {"event_id": self.redacted[event]}} if event in self.redacted else {}
                return {"event_id": event, "content": {}, "unsigned": unsigned}
            case "PUT", ["rooms", _, "redact", event, transaction]:
                self.deeds[f"redact {event}"].add(transaction)
                return {"event_id": self.redacted.setdefault(event, f"$redaction-{next(self._numbers)}")}
            case "PUT", ["rooms", room, "send", _, transaction]:
                return {"event_id": self._send(room, transaction, asked.body)}
            case "PUT", ["rooms", room, "state", "m.room.power_levels", *_]:
                self.levels[room] = asked.body  # type: ignore[assignment]
                return {"event_id": f"$levels-{next(self._numbers)}"}
        return {}

    def _state(self, room: str) -> Said:
        return {"event_id": "$levels", "sender": BOT, "content": self.levels[room], "unsigned": {}}

    def _send(self, room: str, transaction: str, body: object) -> str:
        if transaction not in self._done:
            self._done[transaction] = f"$sent-{next(self._numbers)}"
            text = body.get("body", "") if isinstance(body, dict) else ""
            self.sent.append((room, text))
        return self._done[transaction]


def message(number: int, room: str, sender: str, text: str, at: int, **more: object) -> Said:
    """A message as a homeserver pushes it. at: milliseconds since 1970."""
    return {
        "event_id": f"$event-{number}",
        "type": "m.room.message",
        "sender": sender,
        "room_id": room,
        "origin_server_ts": at,
        "content": {"msgtype": "m.text", "body": text},
        **more,
    }


def slowly(seconds: float) -> Awaitable[web.StreamResponse]:
    """An answer that takes its time, and then is a failure."""

    async def answer() -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.Response(status=500, body=json.dumps({"errcode": "M_UNKNOWN", "error": "slow"}).encode())

    return answer()
