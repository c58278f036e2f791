"""A thin client of the Client-Server API, version 3: what Comity asks of a homeserver, and errors one can act on.

Source: Matrix specification v1.16, Client-Server API and Application Service API. Nothing here logs.
"""

import contextlib
from collections.abc import Awaitable, Mapping, Sequence
from typing import Final, Self, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from yarl import URL

from comity.core.errors import ComityError

Json = dict[str, object]
T = TypeVar("T")

PATIENCE: Final = 30.0
"""Seconds that one answer may take."""
MOST_BYTES: Final = 128 * 2**20
"""An answer beyond this is nonsense: the largest are first syncs, and we ask for small ones."""
_CONNECT: Final = 10.0
_LIMITED: Final = 429
_UNANSWERED: Final = 0
_SUCCESS: Final = range(200, 300)
_TOKEN: Final = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"})


class HomeserverError(ComityError):
    """The homeserver did not do what it was asked.

    status: of HTTP, 0 if no answer came; errcode: of Matrix, "" if none; error: the homeserver's own sentence, for
    people; retry_after: seconds it asks to wait, None if it does not say; again: whether trying later can help.
    """

    def __init__(
        self, doing: str, status: int, *, errcode: str = "", error: str = "", retry_after: float | None = None
    ) -> None:
        self.doing, self.status, self.errcode, self.error = doing, status, errcode, error
        self.retry_after = retry_after
        said = " ".join(part for part in (str(status or ""), errcode, error) if part)
        super().__init__(f"{doing}: {said}")

    @property
    def again(self) -> bool:
        """Not after a refusal; a wrong token can be put right by the operator, and nothing is lost until then."""
        return self.status in {_UNANSWERED, 408, _LIMITED} or self.status >= 500 or self.token_refused  # noqa: PLR2004

    @property
    def token_refused(self) -> bool:
        """Whether the token is not (or no more) known: a person must look."""
        return self.errcode in _TOKEN


def part(text: str) -> str:
    """One segment of a path, encoded whole: room ids have ``!`` and ``:``, event ids may have ``/`` and ``+``."""
    return quote(text, safe="")


class Homeserver:
    """One account on one homeserver, or one account of an application service.

    base_url: such as ``https://matrix.example.org``; token: of the account or the application service; as_user: the
    account to act as, only with the token of an application service; account: of the token, where it is known
    already. Use it as a context manager, or ``close`` it. Every method raises HomeserverError.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        as_user: str | None = None,
        *,
        account: str = "",
        patience: float = PATIENCE,
    ) -> None:
        self.base_url, self.as_user = base_url.rstrip("/"), as_user
        self._token, self._account, self._patience = token, as_user or account, patience
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections; a later request opens them anew."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
        *,
        patience: float | None = None,
    ) -> Json:
        """Ask for ``path`` (encoded already) and return the JSON object of the answer."""
        found = await self._asked(method, path, body, query, patience)
        if isinstance(found, dict):
            return found
        raise HomeserverError(f"{method} {path}", _UNANSWERED, error="an answer that is no JSON object")

    async def _asked(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        query: Mapping[str, str] | Sequence[tuple[str, str]] | None,
        patience: float | None,
    ) -> object:
        doing = f"{method} {path}"
        asked = [*(query.items() if isinstance(query, Mapping) else query or ())]
        asked += [("user_id", self.as_user)] if self.as_user else []
        url = URL(f"{self.base_url}{path}" + (f"?{urlencode(asked)}" if asked else ""), encoded=True)
        try:
            data = None if body is None else msgspec.json.encode(body)
        except UnicodeEncodeError as error:
            raise HomeserverError(doing, 400, errcode="M_NOT_JSON", error="half a surrogate pair in a text") from error
        limit = aiohttp.ClientTimeout(total=patience or self._patience, sock_connect=_CONNECT)
        try:
            async with self._opened().request(
                method,
                url,
                data=data,
                timeout=limit,
                allow_redirects=False,
                headers={"Content-Type": "application/json"} if data is not None else None,
            ) as answer:
                text = await _bounded(answer)
                status, headers = answer.status, answer.headers
        except TimeoutError:
            raise HomeserverError(doing, _UNANSWERED, error="no answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise HomeserverError(doing, _UNANSWERED, error=f"no answer ({type(error).__name__})") from error
        return _read(doing, status, text, headers)

    # Who we are

    async def account(self) -> str:
        """The account that requests are made as; asked once."""
        if not self._account:
            self._account = _string(await self.request("GET", "/_matrix/client/v3/account/whoami"), "user_id")
        return self._account

    async def register_bot(self, localpart: str) -> bool:
        """Make the application service an account of its own; False if it has it already."""
        body = {"type": "m.login.application_service", "username": localpart, "inhibit_login": True}
        try:
            await self.request("POST", "/_matrix/client/v3/register", body)
        except HomeserverError as error:
            if error.errcode == "M_USER_IN_USE":
                return False
            raise
        return True

    async def ping(self, service: str, transaction: str = "") -> None:
        """Have the homeserver call the application service now, and deliver what waits (MSC2659)."""
        body = {"transaction_id": transaction} if transaction else {}
        await self.request("POST", f"/_matrix/client/v1/appservice/{part(service)}/ping", body)

    async def account_data(self, kind: str) -> Json:
        """What we keep on the homeserver under ``kind``; empty if nothing."""
        return await _if_there(self.request("GET", await self._account_data(kind))) or {}

    async def put_account_data(self, kind: str, content: Json) -> None:
        """Keep ``content`` under ``kind`` instead of what was kept."""
        await self.request("PUT", await self._account_data(kind), content)

    # Rooms

    async def create_room(self, **body: object) -> str:
        """Make a room, with the fields of ``/createRoom``; return its id."""
        return _string(await self.request("POST", "/_matrix/client/v3/createRoom", body), "room_id")

    async def join(self, room: str, via: Sequence[str] = ()) -> str:
        """Join a room by id or alias, an id of other servers through one of ``via``; return its id."""
        # Servers before v1.12 of the specification know the older name only.
        query = [(name, server) for server in via for name in ("via", "server_name")]
        answer = await self._asked("POST", f"/_matrix/client/v3/join/{part(room)}", {}, query, None)
        return _string(answer if isinstance(answer, dict) else {}, "room_id")

    async def named(self, alias: str) -> str:
        """The id of the room that an alias names, "" if there is none."""
        found = await _if_there(self.request("GET", f"/_matrix/client/v3/directory/room/{part(alias)}"))
        return "" if found is None else _string(found, "room_id")

    async def leave(self, room: str, reason: str = "") -> None:
        """Leave a room, or turn an invitation down."""
        await self._membership(room, "leave", {}, reason)

    async def invite(self, room: str, account: str, reason: str = "") -> None:
        """Invite somebody."""
        await self._membership(room, "invite", {"user_id": account}, reason)

    async def kick(self, room: str, account: str, reason: str = "") -> None:
        """Remove somebody who may come back."""
        await self._membership(room, "kick", {"user_id": account}, reason)

    async def ban(self, room: str, account: str, reason: str = "") -> None:
        """Remove somebody who may not."""
        await self._membership(room, "ban", {"user_id": account}, reason)

    async def unban(self, room: str, account: str, reason: str = "") -> None:
        """Let somebody come back."""
        await self._membership(room, "unban", {"user_id": account}, reason)

    async def joined_rooms(self) -> list[str]:
        """The rooms we are in."""
        answer = await self.request("GET", "/_matrix/client/v3/joined_rooms")
        return _checked(answer, "joined_rooms", list[str])

    async def joined_members(self, room: str) -> dict[str, str | None]:
        """Who is in a room, each with the name shown there, None if there is none."""
        answer = await self.request("GET", f"{_room(room)}/joined_members")
        members = _checked(answer, "joined", dict[str, dict[str, object]])
        names = {account: profile.get("display_name") for account, profile in members.items()}
        return {account: name if isinstance(name, str) else None for account, name in names.items()}

    async def membership(self, room: str, account: str) -> str:
        """``join``, ``invite``, ``leave``, ``ban`` or ``knock``; "" for somebody who never had to do with the room."""
        content = await self.state(room, "m.room.member", account)
        found = (content or {}).get("membership")
        return found if isinstance(found, str) else ""

    # Events

    async def send(self, room: str, kind: str, content: Mapping[str, object], transaction: str) -> str:
        """Send an event; one transaction id gives one event. Return its id."""
        path = f"{_room(room)}/send/{part(kind)}/{part(transaction)}"
        return _string(await self.request("PUT", path, content), "event_id")

    async def redact(self, room: str, event: str, transaction: str, reason: str = "") -> str:
        """Take an event out of view; one transaction id gives one redaction. Return its id."""
        path = f"{_room(room)}/redact/{part(event)}/{part(transaction)}"
        return _string(await self.request("PUT", path, {"reason": reason} if reason else {}), "event_id")

    async def event(self, room: str, event: str) -> Json | None:
        """The event, None if there is none or we may not see it."""
        return await _if_there(self.request("GET", f"{_room(room)}/event/{part(event)}"))

    async def state(self, room: str, kind: str, key: str = "") -> Json | None:
        """The content of a state event, None if there is none."""
        return await _if_there(self.request("GET", _state(room, kind, key)))

    async def state_event(self, room: str, kind: str, key: str = "") -> Json | None:
        """The state event whole; from homeservers that give its content only, an event of nothing but content."""
        found = await _if_there(self.request("GET", _state(room, kind, key), query={"format": "event"}))
        return found if found is None or "event_id" in found else {"content": found}

    async def whole_state(self, room: str) -> list[Json]:
        """Every state event of a room."""
        path = f"{_room(room)}/state"
        found = await self._asked("GET", path, None, None, None)
        try:
            return msgspec.convert(found, list[Json])
        except msgspec.ValidationError:
            raise HomeserverError(f"GET {path}", _UNANSWERED, error="an answer that is no list of events") from None

    async def put_state(self, room: str, kind: str, content: Mapping[str, object], key: str = "") -> str:
        """Replace a state event; return the id of the new one."""
        return _string(await self.request("PUT", _state(room, kind, key), content), "event_id")

    async def sync(self, since: str = "", *, timeout: float = 30.0, filter: str = "") -> Json:  # noqa: A002, ASYNC109 - the specification's words
        """What happened since; the homeserver answers after ``timeout`` seconds at the latest."""
        query = {"timeout": str(int(timeout * 1000)), "set_presence": "offline"}
        query |= {name: value for name, value in (("since", since), ("filter", filter)) if value}
        return await self.request("GET", "/_matrix/client/v3/sync", query=query, patience=timeout + self._patience)

    async def messages(self, room: str, start: str, stop: str = "", *, limit: int = 100) -> tuple[list[Json], str]:
        """Events from ``start`` backwards, newest first, down to ``stop``; and where to go on, "" at the end."""
        query = {"dir": "b", "from": start, "limit": str(limit)} | ({"to": stop} if stop else {})
        answer = await self.request("GET", f"{_room(room)}/messages", query=query)
        end = answer.get("end")
        return _checked(answer, "chunk", list[Json]), end if isinstance(end, str) else ""

    async def fetch_event(self, event: str) -> Json | None:
        """The event as it was before it was redacted: Synapse, an administrator's token, some days only."""
        answer = await _if_there(self.request("GET", f"/_synapse/admin/v1/fetch_event/{part(event)}"))
        return None if answer is None else _checked(answer, "event", Json)

    async def _membership(self, room: str, what: str, body: Json, reason: str) -> None:
        await self.request("POST", f"{_room(room)}/{what}", body | ({"reason": reason} if reason else {}))

    async def _account_data(self, kind: str) -> str:
        return f"/_matrix/client/v3/user/{part(await self.account())}/account_data/{part(kind)}"

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"},
                connector=aiohttp.TCPConnector(limit=32),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    pieces, size = [], 0
    async for piece in answer.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > MOST_BYTES:
            raise ValueError(f"an answer of more than {MOST_BYTES} bytes")
    return b"".join(pieces)


def _read(doing: str, status: int, text: bytes, headers: Mapping[str, str]) -> object:
    """The JSON of an answer, an object or a list. Raises HomeserverError."""
    try:
        found: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if status in _SUCCESS:
        if isinstance(found, dict | list):
            return found
        raise HomeserverError(doing, _UNANSWERED, error="an answer that is no JSON object")
    said = found if isinstance(found, dict) else {}
    errcode, error = said.get("errcode"), said.get("error")
    if not isinstance(errcode, str) and status not in {_LIMITED, *range(500, 600)}:
        # A proxy's page, not the homeserver's word: whoever stands between us may be gone in a minute.
        raise HomeserverError(doing, _UNANSWERED, error=f"an answer with status {status} that Matrix does not know")
    raise HomeserverError(
        doing,
        status,
        errcode=errcode if isinstance(errcode, str) else "",
        error=error if isinstance(error, str) else "",
        retry_after=_retry_after(said, headers),
    )


def _retry_after(said: Json, headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: the header (since v1.10 of the specification) or the older field in milliseconds."""
    with contextlib.suppress(KeyError, ValueError):
        if (seconds := float(headers["Retry-After"])) >= 0:
            return seconds
    after = said.get("retry_after_ms")
    if isinstance(after, int | float) and not isinstance(after, bool) and after >= 0:
        return after / 1000
    return None


async def _if_there(asked: Awaitable[T]) -> T | None:
    """What was asked for, None where the homeserver says there is none."""
    try:
        return await asked
    except HomeserverError as error:
        if error.status == 404:  # noqa: PLR2004 - HTTP
            return None
        raise


def _room(room: str) -> str:
    return f"/_matrix/client/v3/rooms/{part(room)}"


def _state(room: str, kind: str, key: str) -> str:
    return f"{_room(room)}/state/{part(kind)}/{part(key)}"


def _checked(answer: Json, key: str, kind: type[T]) -> T:
    """One field of an answer, of the type that the specification promises."""
    try:
        return msgspec.convert(answer.get(key), kind)
    except msgspec.ValidationError as error:
        raise HomeserverError(f"reading {key!r}", _UNANSWERED, error=f"not what was promised: {error}") from error


def _string(answer: Json, key: str) -> str:
    return _checked(answer, key, str)
