"""The platform itself: accounts, and rooms with what happened in them, in memory. Nothing here knows of HTTP."""

import asyncio
import itertools
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from example.authorise import Content, Event, content_of, may_redact, membership, pruned, refusal

VERSION: Final = "11"
_PRESETS: Final = {  # join_rule, history_visibility, guest_access
    "public_chat": ("public", "shared", "forbidden"),
    "private_chat": ("invite", "shared", "can_join"),
    "trusted_private_chat": ("invite", "shared", "can_join"),
}


class RefusedError(Exception):
    """The platform does not do it. status: of HTTP; errcode: of Matrix; the message is a sentence."""

    def __init__(self, status: int, errcode: str, why: str) -> None:
        self.status, self.errcode = status, errcode
        super().__init__(why)


class Reported(NamedTuple):
    """A report of a message. number: from 1; at: when, milliseconds since 1970; sender: whose message it is."""

    number: int
    at: int
    room: str
    event: str
    sender: str
    by: str
    reason: str


@dataclass(slots=True)
class Room:
    """A room. events: in order; state: the newest event of each type and key; done: event ids by transaction."""

    id: str
    events: list[Event] = field(default_factory=list)
    by_id: dict[str, Event] = field(default_factory=dict)
    state: dict[tuple[str, str], Event] = field(default_factory=dict)
    done: dict[tuple[str, str], str] = field(default_factory=dict)

    def content(self, kind: str, key: str = "") -> Content:
        """The content of a state event, empty if there is none."""
        return content_of(self.state.get((kind, key)))

    def membership(self, account: str) -> str:
        """What somebody is here."""
        return membership(self.state, account)

    def joined(self) -> list[str]:
        """Who is here, in the order in which they were first heard of."""
        return [key for kind, key in self.state if kind == "m.room.member" and self.membership(key) == "join"]

    def name_of(self, account: str) -> str:
        """The name that somebody is shown by here."""
        return str(self.content("m.room.member", account).get("displayname") or account)


class Platform:
    """All accounts and rooms. server: what account names end in; now: the clock, milliseconds since 1970.

    watchers are called with each event when it has happened; ``version`` grows with every change, and ``changed``
    waits for the next one.
    """

    def __init__(self, server: str, now: Callable[[], int]) -> None:
        self.server, self.now = server, now
        self.accounts: dict[str, str] = {}  # the name each is shown by
        self.tokens: dict[str, str] = {}
        self.rooms: dict[str, Room] = {}
        self.aliases: dict[str, str] = {}
        self.account_data: dict[tuple[str, str], dict[str, object]] = {}
        self.reports: list[Reported] = []
        self.watchers: list[Callable[[Room, Event], None]] = []
        self.version = 0
        self._numbers = itertools.count(1)
        self._waiting = asyncio.Event()

    # Accounts.

    def account(self, localpart: str) -> str:
        """The whole name of an account."""
        return f"@{localpart}:{self.server}"

    def register(self, localpart: str, name: str = "") -> str:
        """A new account; an access token. Raises RefusedError if the name is taken."""
        account = self.account(localpart)
        if account in self.accounts:
            raise RefusedError(400, "M_USER_IN_USE", f"{account} is taken.")
        self.accounts[account] = name or localpart
        token = secrets.token_urlsafe(24)
        self.tokens[token] = account
        return token

    # Rooms.

    def room(self, named: str) -> Room:
        """A room by id or alias. Raises RefusedError if there is none."""
        room = self.rooms.get(self.aliases.get(named, named))
        if room is None:
            raise RefusedError(404, "M_NOT_FOUND", f"There is no room {named}.")
        return room

    def rooms_of(self, account: str, *states: str) -> list[Room]:
        """The rooms somebody has joined, or is otherwise connected to."""
        wanted = states or ("join",)
        return [room for room in self.rooms.values() if room.membership(account) in wanted]

    def create(self, creator: str, body: Mapping[str, object], *, at: int | None = None, room_id: str = "") -> Room:
        """Make a room from the fields of ``/createRoom``. Raises RefusedError."""
        version = body.get("room_version", VERSION)
        if version != VERSION:
            raise RefusedError(400, "M_UNSUPPORTED_ROOM_VERSION", f"Rooms here have version {VERSION}.")
        preset = str(body.get("preset") or ("public_chat" if body.get("visibility") == "public" else "private_chat"))
        if preset not in _PRESETS:
            raise RefusedError(400, "M_BAD_JSON", f"There is no preset {preset}.")
        invited = _texts(body.get("invite"))
        room = Room(room_id or f"!{secrets.token_urlsafe(12)}:{self.server}")
        self.rooms[room.id] = room
        try:
            for kind, content in _beginning(self, creator, preset, invited, body):
                key = creator if kind == "m.room.member" else ""
                self._add(room, creator, kind, content, key=key, at=at)
        except RefusedError:
            del self.rooms[room.id]
            raise
        if isinstance(alias := body.get("room_alias_name"), str):
            self.aliases[f"#{alias}:{self.server}"] = room.id
        for account in invited:
            self.invite(room, creator, account, direct=bool(body.get("is_direct")))
        return room

    # Events.

    def send(self, room: Room, sender: str, kind: str, content: Content, transaction: str = "") -> str:
        """Send a message event; one transaction gives one event. Returns its id. Raises RefusedError."""
        return self._once(room, sender, transaction, lambda: self._add(room, sender, kind, content))

    def put_state(self, room: Room, sender: str, kind: str, content: Content, key: str = "") -> str:
        """Replace a state event; setting what is set already changes nothing. Returns its id. Raises RefusedError."""
        before = room.state.get((kind, key))
        if before is not None and before["content"] == content and before["sender"] == sender:
            return str(before["event_id"])
        return str(self._add(room, sender, kind, content, key=key)["event_id"])

    def redact(self, room: Room, sender: str, target: str, transaction: str = "", reason: str = "") -> str:
        """Take an event out of view, for everybody and at once. Returns the redaction's id. Raises RefusedError."""
        if target not in room.by_id:
            raise RefusedError(404, "M_NOT_FOUND", f"There is no event {target} here.")
        content = {"redacts": target, **({"reason": reason} if reason else {})}
        return self._once(room, sender, transaction, lambda: self._add(room, sender, "m.room.redaction", content))

    # Who is where.

    def join(self, room: Room, account: str) -> None:
        """Join, under the account's own name."""
        if room.membership(account) != "join":
            content = {"membership": "join", "displayname": self.accounts.get(account, account)}
            self._add(room, account, "m.room.member", content, key=account)

    def invite(self, room: Room, sender: str, account: str, *, direct: bool = False, reason: str = "") -> None:
        """Invite somebody; direct: to a room for two."""
        more = {"is_direct": True} if direct else {}
        self._member(room, sender, account, "invite", reason, **more)

    def leave(self, room: Room, account: str, reason: str = "") -> None:
        """Leave, or turn an invitation down."""
        if room.membership(account) not in {"leave", ""}:
            self._member(room, account, account, "leave", reason)

    def kick(self, room: Room, sender: str, account: str, reason: str = "") -> None:
        """Remove somebody who may come back."""
        if room.membership(account) not in {"join", "invite"}:
            raise RefusedError(403, "M_FORBIDDEN", f"{account} is not in the room.")
        self._member(room, sender, account, "leave", reason)

    def ban(self, room: Room, sender: str, account: str, reason: str = "") -> None:
        """Remove somebody who may not."""
        self._member(room, sender, account, "ban", reason)

    def unban(self, room: Room, sender: str, account: str, reason: str = "") -> None:
        """Let somebody come back."""
        if room.membership(account) != "ban":
            raise RefusedError(403, "M_FORBIDDEN", f"{account} is not banned.")
        self._member(room, sender, account, "leave", reason)

    def rename(self, account: str, name: str) -> None:
        """Show somebody by another name, in every room they are in."""
        self.accounts[account] = name
        for room in self.rooms_of(account):
            self._add(room, account, "m.room.member", {"membership": "join", "displayname": name}, key=account)

    def report(self, room: Room, account: str, target: str, reason: str) -> None:
        """Keep what a member reports. Raises RefusedError unless it is a message of a room they are in."""
        if room.membership(account) != "join" or target not in room.by_id:
            raise RefusedError(404, "M_NOT_FOUND", "There is no such message, or you are not in its room.")
        sender = str(room.by_id[target]["sender"])
        number, at = len(self.reports) + 1, self.now()
        self.reports.append(Reported(number, at, room.id, target, sender, account, reason))

    # What happened before anybody looked.

    def remember(
        self, room: Room, sender: str, kind: str, content: Content, at: int, *, id_: str = "", key: str | None = None
    ) -> None:
        """Keep something of the past, as it was. Raises RefusedError for what could not have been."""
        self._add(room, sender, kind, content, key=key, at=at, id_=id_)

    async def changed(self, version: int, within: float) -> int:
        """Wait until there is a newer version than this, or until it takes too long; the version there is."""
        if self.version <= version:
            try:
                async with asyncio.timeout(within):
                    while self.version <= version:
                        await self._waiting.wait()
            except TimeoutError:
                pass
        return self.version

    def _member(self, room: Room, sender: str, account: str, to: str, reason: str, **more: object) -> None:
        content: dict[str, object] = {"membership": to, **({"reason": reason} if reason else {}), **more}
        if name := self.accounts.get(account):
            content["displayname"] = name
        self._add(room, sender, "m.room.member", content, key=account)

    def _once(self, room: Room, sender: str, transaction: str, do: Callable[[], Event]) -> str:
        done = room.done.get((sender, transaction)) if transaction else None
        if done is None:
            done = str(do()["event_id"])
            if transaction:
                room.done[sender, transaction] = done
        return done

    def _add(
        self,
        room: Room,
        sender: str,
        kind: str,
        content: Content,
        *,
        key: str | None = None,
        at: int | None = None,
        id_: str = "",
    ) -> Event:
        event: Event = {
            "event_id": id_ or f"${secrets.token_urlsafe(32)}",
            "type": kind,
            "room_id": room.id,
            "sender": sender,
            "origin_server_ts": self.now() if at is None else at,
            "content": dict(content),
            "unsigned": {},
        }
        if key is not None:
            event["state_key"] = key
        target = room.by_id.get(str(content.get("redacts"))) if kind == "m.room.redaction" else None
        why = refusal(room.state, event) or (may_redact(room.state, sender, target) if target else None)
        if why:
            raise RefusedError(403, "M_FORBIDDEN", why)
        if key is not None:
            self._replace(room, event, key)
        if target is not None:
            target["content"] = pruned(target)
            target["unsigned"] = {"redacted_because": event, **_object(target["unsigned"])}  # the first one stays
        room.events.append(event)
        room.by_id[str(event["event_id"])] = event
        self.version += 1
        self._waiting.set()
        self._waiting = asyncio.Event()
        for told in self.watchers:
            told(room, event)
        return event

    def _replace(self, room: Room, event: Event, key: str) -> None:
        kind = str(event["type"])
        before = room.state.get((kind, key))
        if before is not None:
            event["unsigned"] = {
                "prev_content": before["content"],
                "prev_sender": before["sender"],
                "replaces_state": before["event_id"],
            }
        room.state[kind, key] = event


def _beginning(
    platform: Platform, creator: str, preset: str, invited: Sequence[str], body: Mapping[str, object]
) -> Iterator[tuple[str, Content]]:
    """The first events of a room, in order."""
    rule, history, guests = _PRESETS[preset]
    yield "m.room.create", {"room_version": VERSION, **_object(body.get("creation_content"))}
    yield "m.room.member", {"membership": "join", "displayname": platform.accounts.get(creator, creator)}
    equals = invited if preset == "trusted_private_chat" else ()
    levels: dict[str, object] = {
        "users": dict.fromkeys((creator, *equals), 100),
        "users_default": 0,
        "events": {
            "m.room.name": 50,
            "m.room.power_levels": 100,
            "m.room.history_visibility": 100,
            "m.room.canonical_alias": 50,
            "m.room.avatar": 50,
            "m.room.tombstone": 100,
            "m.room.server_acl": 100,
            "m.room.encryption": 100,
        },
        "events_default": 0,
        "state_default": 50,
        "ban": 50,
        "kick": 50,
        "redact": 50,
        "invite": 0 if rule == "invite" else 50,
        "historical": 100,
    }
    yield "m.room.power_levels", levels | _object(body.get("power_level_content_override"))
    if isinstance(alias := body.get("room_alias_name"), str):
        yield "m.room.canonical_alias", {"alias": f"#{alias}:{platform.server}"}
    yield "m.room.join_rules", {"join_rule": rule}
    yield "m.room.history_visibility", {"history_visibility": history}
    yield "m.room.guest_access", {"guest_access": guests}
    for field_, kind in (("name", "m.room.name"), ("topic", "m.room.topic")):
        if isinstance(text := body.get(field_), str) and text:
            yield kind, {field_: text}


def _texts(found: object) -> list[str]:
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _object(found: object) -> dict[str, object]:
    return found if isinstance(found, dict) else {}
