"""Asked before anybody sees it: the callbacks of ``synapse-http-antispam``, which hold messages, joins, invitations.

Source: synapse-http-antispam 0.5.1. It takes every answer but a 2xx for a refusal, so whatever goes wrong with us is
answered with 200: a fault of ours holds nobody's message.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from comity.adapters.matrix.client import Json

DEADLINE: Final = 1.0
"""Seconds that a verdict may take; somebody waits for their message to be sent."""
MOST_BYTES: Final = 2**20


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked.

    callback: by its name in Synapse; account: who does it; room: where; event: the client event, where there is one;
    invitee: whom they invite; invited: whether they were, when they join.
    """

    callback: str
    account: str = ""
    room: str = ""
    event: Json | None = None
    invitee: str = ""
    invited: bool = False


Verdict = Callable[[Asked], Awaitable[str]]
"""Returns "" to let it through, or the one sentence that whoever tried it will read."""


def routes(
    authorization: str,
    verdict: Verdict,
    *,
    prefix: str = "/antispam",
    deadline: float = DEADLINE,
    failed: Callable[[str], None] = lambda _why: None,
) -> list[Route]:
    """The routes that the module asks, below ``prefix``.

    authorization: the module's token; deadline: seconds; failed: told why something was let through unasked.
    """
    service = _Antispam(authorization.encode(), verdict, deadline, failed)
    return [
        Route(f"{prefix}/ping", service.ping, methods=["POST"]),
        Route(f"{prefix}/{{callback}}", service.asked, methods=["POST"]),
    ]


class _Antispam:
    def __init__(self, token: bytes, verdict: Verdict, deadline: float, failed: Callable[[str], None]) -> None:
        self._token, self._verdict, self._deadline, self._failed = token, verdict, deadline, failed

    async def ping(self, request: Request) -> Response:
        """The module asks once at start, until it is answered; with a wrong token it says so in Synapse's log."""
        if not self._known(request):
            return JSONResponse({"errcode": "M_FORBIDDEN", "error": "Wrong token."}, status_code=403)
        try:
            body = msgspec.json.decode(await _body(request))
        except (msgspec.DecodeError, ValueError, ClientDisconnect):
            body = None
        return JSONResponse({"id": body.get("id") if isinstance(body, dict) else None, "status": "ok"})

    async def asked(self, request: Request) -> Response:
        """Whatever is not a verdict lets it through."""
        callback = request.path_params["callback"]
        if not self._known(request):
            self._failed("wrong token")
            return JSONResponse({})
        try:
            asked = read(callback, await _body(request))
        except (msgspec.MsgspecError, ValueError, RecursionError, ClientDisconnect):
            self._failed("unreadable")
            return JSONResponse({})
        try:
            async with asyncio.timeout(self._deadline):
                sentence = await self._verdict(asked)
        except TimeoutError:
            self._failed("too slow")
            return JSONResponse({})
        except Exception as error:  # noqa: BLE001 - a fault of ours, whatever it is, holds nobody's message
            self._failed(type(error).__name__)
            return JSONResponse({})
        if not sentence:
            return JSONResponse({})
        return JSONResponse({"errcode": "M_FORBIDDEN", "error": sentence}, status_code=403)

    def _known(self, request: Request) -> bool:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token)


class _Body(msgspec.Struct):
    """The fields of all callbacks; each has some of them."""

    event: Json | None = None
    user: str = ""
    user_id: str = ""
    inviter: str = ""
    invitee: str = ""
    room: str = ""
    room_id: str = ""
    is_invited: bool = False


def read(callback: str, body: bytes) -> Asked:
    """What a callback asks. Raises msgspec.MsgspecError if it is not as the module writes it."""
    found = msgspec.json.decode(body, type=_Body)
    event = found.event or {}
    sender, room = event.get("sender"), event.get("room_id")
    return Asked(
        callback=callback,
        account=found.user or found.user_id or found.inviter or (sender if isinstance(sender, str) else ""),
        room=found.room or found.room_id or (room if isinstance(room, str) else ""),
        event=found.event,
        invitee=found.invitee,
        invited=found.is_invited,
    )


async def _body(request: Request) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
    return b"".join(pieces)
