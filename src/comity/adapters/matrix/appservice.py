"""The application service: the homeserver pushes what happens, again and again until we have it.

Source: Matrix specification v1.16, Application Service API. Transaction ids are no lasting keys (Synapse on SQLite
begins again at 1 after a restart), so nothing here looks at them: the same event twice is the store's to tell.
"""

import asyncio
import hmac
import json
import re
from collections.abc import Awaitable
from pathlib import Path
from typing import Final, Protocol

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from comity.adapters.matrix.client import Json

MOST_BYTES: Final = 32 * 2**20
"""A transaction has at most 100 events of at most 64 KiB each, and some that are gone the next moment."""


class Handler(Protocol):
    """What takes events as they came in, in order. When it returns they are kept for good, and are acknowledged.

    since: where to go on reading after these, to be kept in the same transaction; "" where the homeserver pushes.
    """

    def __call__(self, events: list[Json], since: str = "", /) -> Awaitable[None]:
        """Keep them, or raise: then they come again."""
        ...


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What a homeserver must know of us.

    server: the homeserver's name, the part of its accounts after the colon; url: where we listen; as_token: ours
    towards the homeserver; hs_token: the homeserver's towards us; localpart: of our account, and the beginning of
    those of single communities.
    """

    server: str
    url: str
    as_token: str
    hs_token: str
    id: str = "comity"
    localpart: str = "comity"

    def text(self) -> str:
        """The registration file. Only rooms where one of our accounts was invited are pushed: consent by invitation."""
        ours = f"@{re.escape(self.localpart)}(_.*)?:{re.escape(self.server)}"
        return (
            f"id: {json.dumps(self.id)}\n"
            f"url: {json.dumps(self.url)}\n"
            f"as_token: {json.dumps(self.as_token)}\n"
            f"hs_token: {json.dumps(self.hs_token)}\n"
            f"sender_localpart: {json.dumps(self.localpart)}\n"
            "rate_limited: false\n"
            "namespaces:\n"
            "  users:\n"
            "    - exclusive: true\n"
            f"      regex: {json.dumps(ours)}\n"
            "  rooms: []\n"
            "  aliases: []\n"
        )

    def write(self, path: Path) -> None:
        """Write the file, readable by its owner only: it holds both tokens. Raises FileExistsError if it is there."""
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(self.text(), "utf-8")


def routes(hs_token: str, handler: Handler, *, most_bytes: int = MOST_BYTES) -> list[BaseRoute]:
    """The routes of an application service, for whatever application serves them.

    An answer with 200 means that ``handler`` returned. Whatever it raises is an answer with 500, and the homeserver
    sends the same again.
    """
    service = _Service(hs_token.encode(), handler, most_bytes)
    found: list[BaseRoute] = []
    for prefix in ("/_matrix/app/v1", ""):  # the paths of old, without a prefix, are still tried by some
        found += [
            Mount(f"{prefix}/transactions", app=service.transaction),
            Route(f"{prefix}/users/{{account:path}}", service.nobody, methods=["GET"]),
            Route(f"{prefix}/rooms/{{alias:path}}", service.nobody, methods=["GET"]),
        ]
    return [*found, Route("/_matrix/app/v1/ping", service.ping, methods=["POST"])]


class _Service:
    def __init__(self, token: bytes, handler: Handler, most_bytes: int) -> None:
        self._token, self._handler, self._most_bytes = token, handler, most_bytes
        # A homeserver that has waited too long sends the same again while we still keep it: one after the other.
        self._one = asyncio.Lock()

    async def transaction(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a transaction; plain ASGI, because every event passes here, most of them alone."""
        await (await self._take(scope, receive))(scope, receive, send)

    async def _take(self, scope: Scope, receive: Receive) -> Response:
        if scope["method"] != "PUT":
            return _refusal(405, "M_UNRECOGNIZED", "A transaction is put.")
        if not self._known(scope):
            return _STRANGER
        body = await _body(receive, self._most_bytes)
        if body is None:
            return _refusal(413, "M_TOO_LARGE", f"A transaction may have {self._most_bytes} bytes.")
        events = events_of(body)
        if events is None:
            return _refusal(400, "M_NOT_JSON", "A transaction is a JSON object with a list of events.")
        if events:
            async with self._one:
                await self._handler(events)
        return _TAKEN

    async def ping(self, request: Request) -> Response:
        return _TAKEN if self._known(request.scope) else _STRANGER

    async def nobody(self, request: Request) -> Response:
        if not self._known(request.scope):
            return _STRANGER
        return _refusal(404, "M_NOT_FOUND", "Comity makes no accounts or rooms on request.")

    def _known(self, scope: Scope) -> bool:
        """By header, or as homeservers used to by query; compared in constant time."""
        header = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        kind, _, given = header.partition(b" ")
        if kind.lower() != b"bearer":
            query = QueryParams(scope["query_string"])
            given = query.get("access_token", "").encode("utf-8", "replace")
        return hmac.compare_digest(given, self._token)


def events_of(body: bytes) -> list[Json] | None:
    """The events of a transaction; None if it is none. What a strict reader refuses a lenient one may still read.

    A transaction that is refused comes again for ever, and everything behind it waits: a lone half of a surrogate pair
    in one message must not be the end of all hearing.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            found = json.loads(json.dumps(json.loads(body), ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
    events = found.get("events", []) if isinstance(found, dict) else None
    if not isinstance(events, list):
        return None
    return [event if isinstance(event, dict) else {} for event in events]  # an empty one is named as unread later on


async def _body(receive: Receive, most: int) -> bytes | None:
    """The whole body; None if it is too long, "" if whoever sent it has gone, and waits for no answer."""
    pieces, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        piece = message.get("body", b"")
        size += len(piece)
        if size > most:
            return None
        pieces.append(piece)
        more = message.get("more_body", False)
    return b"".join(pieces)


def _refusal(status: int, errcode: str, error: str) -> Response:
    return JSONResponse({"errcode": errcode, "error": error}, status_code=status)


_STRANGER: Final = _refusal(403, "M_FORBIDDEN", "The token is not the homeserver's (hs_token).")
_TAKEN: Final = JSONResponse({})
