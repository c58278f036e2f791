"""The part of the Client-Server API that Comity speaks, over the platform's rooms.

Source: Matrix specification v1.16, Client-Server API and Application Service API. What is not here answers as the
specification has it for what a homeserver does not know: 404, M_UNRECOGNIZED. There is no ``/sync``: members look at
the platform's own pages, and Comity is pushed to.
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

import aiohttp
from aiohttp import web

from example.authorise import Event
from example.push import Pusher
from example.rooms import Platform, RefusedError, Room

_CLIENT: Final = "/_matrix/client/"
_REPORTS: Final = "/_synapse/admin/v1/event_reports"
_MOST_PAGE: Final = 1000
_MOST_BYTES: Final = 65_536  # of an event
Body = dict[str, object]


class Api:
    """Answers requests.

    service: the token of the application service; namespace: which accounts are its own; admin: the token of a server
    administrator, who is told what members report and nothing else.
    """

    def __init__(
        self, platform: Platform, pusher: Pusher, *, service: str, bot: str, namespace: str, admin: str
    ) -> None:
        self._platform, self._pusher, self._service, self._bot = platform, pusher, service, bot
        self._admin = admin
        self._namespace = re.compile(namespace)

    def routes(self) -> list[web.RouteDef]:
        """One route for all of it: room ids and event ids stand in paths encoded, and are taken apart here."""
        return [web.route("*", "/_matrix/{rest:.*}", self.answer), web.route("*", "/_synapse/{rest:.*}", self.answer)]

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request; a refusal has a code and a sentence."""
        try:
            return web.json_response(await self._answered(request, await _body(request)))
        except RefusedError as error:
            return web.json_response({"errcode": error.errcode, "error": str(error)}, status=error.status)

    async def _answered(self, request: web.Request, body: Body) -> object:  # noqa: C901, PLR0911, PLR0912 - a line for each thing asked
        words = [unquote(word) for word in request.raw_path.partition("?")[0].split("/")[1:]]
        method = request.method
        if (method, request.path) == ("GET", _REPORTS):
            return self._reports(request)
        if not request.path.startswith(_CLIENT):
            raise _unknown()
        if (method, words[2:]) == ("GET", ["versions"]):
            return {"versions": ["v1.11", "v1.16"]}
        account = self._known(request)
        match method, words[3:]:
            case "GET", ["account", "whoami"]:
                return {"user_id": account}
            case "POST", ["register"]:
                return self._register(request, body)
            case "POST", ["appservice", _, "ping"]:
                return await self._ping(body)
            case "GET", ["joined_rooms"]:
                return {"joined_rooms": [room.id for room in self._platform.rooms_of(account)]}
            case "POST", ["createRoom"]:
                return {"room_id": self._platform.create(account, body).id}
            case "POST", ["join", named] | ["rooms", named, "join"]:
                room = self._platform.room(named)
                self._platform.join(room, account)
                return {"room_id": room.id}
            case "GET", ["directory", "room", alias]:
                return {"room_id": self._platform.room(alias).id, "servers": [self._platform.server]}
            case "PUT", ["profile", whose, "displayname"] if whose == account:
                self._platform.rename(account, str(body.get("displayname") or account))
                return {}
            case _, ["user", whose, "account_data", kind] if whose == account:
                return self._account_data(method, account, kind, body)
            case _, ["rooms", room_id, *rest]:
                room = self._platform.room(room_id)
                if method == "GET":
                    return self._of_room(room, account, rest, request.query)
                return self._in_room(method, room, account, rest, body)
        raise _unknown()

    def _in_room(self, method: str, room: Room, account: str, rest: list[str], body: Body) -> object:
        """What is done in a room, or else asked of it."""
        platform, reason = self._platform, str(body.get("reason") or "")
        match method, rest:
            case "POST", [("invite" | "kick" | "ban" | "unban") as what]:
                do: Callable[..., None] = getattr(platform, what)
                do(room, account, str(body.get("user_id") or ""), reason=reason)
                return {}
            case "POST", ["leave"]:
                platform.leave(room, account, reason)
                return {}
            case "POST", ["report", target]:
                platform.report(room, account, target, reason)
                return {}
            case "PUT", ["send", kind, transaction]:
                return {"event_id": platform.send(room, account, kind, body, transaction)}
            case "PUT", ["redact", target, transaction]:
                return {"event_id": platform.redact(room, account, target, transaction, reason)}
            case "PUT", ["state", kind, *key]:
                return {"event_id": platform.put_state(room, account, kind, body, "".join(key))}
        raise _unknown()

    def _of_room(self, room: Room, account: str, rest: list[str], query: Mapping[str, str]) -> object:
        """What is asked of a room, by those who are in it."""
        if room.membership(account) != "join":
            raise RefusedError(403, "M_FORBIDDEN", f"{account} is not in the room.")
        match rest:
            case ["joined_members"]:
                return {"joined": {who: {"display_name": room.name_of(who)} for who in room.joined()}}
            case ["state"]:
                return list(room.state.values())
            case ["state", kind, *key]:
                event = _there(room.state.get((kind, "".join(key))))
                return event if query.get("format") == "event" else event["content"]
            case ["event", target]:
                return _there(room.by_id.get(target))
            case ["messages"]:
                return _page(room, query)
        raise _unknown()

    def _known(self, request: web.Request) -> str:
        """Whose request it is; the application service acts as any of its own accounts."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise RefusedError(401, "M_MISSING_TOKEN", "An access token is missing.")
        if token == self._service:
            account = request.query.get("user_id") or self._bot
            if not self._namespace.fullmatch(account):
                raise RefusedError(403, "M_EXCLUSIVE", f"{account} is none of the application service's accounts.")
            return account
        if token not in self._platform.tokens:
            raise RefusedError(401, "M_UNKNOWN_TOKEN", "Nobody has this access token.")
        return self._platform.tokens[token]

    def _reports(self, request: web.Request) -> Body:
        """What members reported, the last first (Synapse, admin API, "Event reports")."""
        if request.headers.get("Authorization") != f"Bearer {self._admin}":
            raise RefusedError(403, "M_FORBIDDEN", "This is for administrators of the server.")
        start, most = (_place(request.query.get(name, ""), 0) for name in ("from", "limit"))
        some = self._platform.reports[::-1][start : start + most]
        told = [
            {
                "id": r.number,
                "received_ts": r.at,
                "room_id": r.room,
                "event_id": r.event,
                "user_id": r.by,
                "sender": r.sender,
                "reason": r.reason,
            }
            for r in some
        ]
        return {"event_reports": told, "total": len(self._platform.reports)}

    def _register(self, request: web.Request, body: Body) -> Body:
        name = str(body.get("username") or "")
        ours = request.headers.get("Authorization", "").endswith(f" {self._service}")
        if body.get("type") != "m.login.application_service" or not ours:
            raise RefusedError(403, "M_FORBIDDEN", "Accounts are made by application services only.")
        if not self._namespace.fullmatch(self._platform.account(name)):
            raise RefusedError(400, "M_EXCLUSIVE", f"{name} is no name for an account of this application service.")
        self._platform.register(name, name.capitalize())
        return {"user_id": self._platform.account(name)}

    async def _ping(self, body: Body) -> Body:
        began = asyncio.get_running_loop().time()
        try:
            status = await self._pusher.ping(str(body.get("transaction_id") or ""))
        except aiohttp.ClientError as error:
            raise RefusedError(502, "M_CONNECTION_FAILED", f"It does not answer ({type(error).__name__}).") from error
        if status != web.HTTPOk.status_code:
            raise RefusedError(502, "M_BAD_STATUS", f"It answered with {status}.")
        return {"duration_ms": int(1000 * (asyncio.get_running_loop().time() - began))}

    def _account_data(self, method: str, account: str, kind: str, body: Body) -> Body:
        if method == "PUT":
            self._platform.account_data[account, kind] = body
            return {}
        found = self._platform.account_data.get((account, kind))
        if method != "GET" or found is None:
            raise RefusedError(404, "M_NOT_FOUND", f"Nothing is kept under {kind}.")
        return found


async def _body(request: web.Request) -> Body:
    """The body of a request, {} if it has none. Raises RefusedError."""
    raw = await request.read()
    if len(raw) > _MOST_BYTES:
        raise RefusedError(413, "M_TOO_LARGE", f"An event has at most {_MOST_BYTES} bytes.")
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        raise RefusedError(400, "M_NOT_JSON", "The body is no JSON.") from None
    if not isinstance(body, dict):
        raise RefusedError(400, "M_BAD_JSON", "The body is no JSON object.")
    return body


def _page(room: Room, query: Mapping[str, str]) -> Body:
    """Events backwards from a place. A token is how many events stand before the place."""
    if query.get("dir") != "b":
        raise RefusedError(400, "M_INVALID_PARAM", "Here one reads backwards only: dir=b.")
    start, stop = _place(query.get("from", ""), len(room.events)), _place(query.get("to", ""), 0)
    limit = query.get("limit", "10")
    end = max(stop, start - min(int(limit) if limit.isdecimal() else 10, _MOST_PAGE), 0)
    chunk: list[Event] = room.events[end:start][::-1]
    return {"start": str(start), "chunk": chunk, **({"end": str(end)} if end > stop else {})}


def _place(token: str, otherwise: int) -> int:
    if not token:
        return otherwise
    if not token.isdecimal():
        raise RefusedError(400, "M_INVALID_PARAM", f"{token!r} is no token of this server.")
    return int(token)


def _there(event: Event | None) -> Event:
    if event is None:
        raise RefusedError(404, "M_NOT_FOUND", "There is no such event.")
    return event


def _unknown() -> RefusedError:
    return RefusedError(404, "M_UNRECOGNIZED", "This server does not know this request.")
