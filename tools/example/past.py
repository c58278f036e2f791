"""The past of the example community: its chat, moved to end today, under the accounts and rooms it has here.

The same events fill the platform's rooms and, as NDJSON, the store: whoever comes finds members with weeks of standing.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from comity.adapters.matrix.power import with_level
from comity.adapters.matrix.rooms import LEVELS
from comity.cli.record_options import notice
from comity.core.event import Event, milliseconds, moment, rfc3339
from comity.core.retention import TERM
from example.authorise import Content
from example.rooms import Platform, Room

ROOMS: Final = {
    "garden": "Beds, seeds, weather and the kettle.",
    "attic": "Tea, recipes and everything that is neither.",
    "help": "Ask here, one question at a time.",
}
MANAGER, DEPUTY = "oliver", "mariam"
MANAGES: Final = 60  # the manager's level: above whom he may appoint, below Comity
_DAY: Final = dt.timedelta(days=1)


def read(chat: Path) -> list[Event]:
    """The chat as it stands in its file."""
    return [msgspec.json.decode(line, type=Event) for line in chat.read_bytes().splitlines()]


def moved(events: Sequence[Event], now: dt.datetime) -> list[Event]:
    """The same, moved by whole days: every event keeps its hour, and the last one is the last before ``now``."""
    by = (now - moment(milliseconds(events[-1].at))) // _DAY * _DAY

    def later(at: str | None) -> str | None:
        return at and rfc3339(moment(milliseconds(at)) + by)

    return [msgspec.structs.replace(e, at=later(e.at), account_created_at=later(e.account_created_at)) for e in events]


def names(events: Iterable[Event]) -> dict[str, str]:
    """The name that each member is shown by."""
    return {e.member: e.name or e.member for e in events}


def room_id(name: str, server: str) -> str:
    """The id of a room."""
    return f"!{name}:{server}"


def as_here(events: Iterable[Event], server: str) -> list[Event]:
    """The same with the ids that accounts, rooms and events have on the platform."""
    return [
        msgspec.structs.replace(
            e,
            id=_event_id(e.id),
            room=room_id(e.room[1:], server),
            member=f"@{e.member}:{server}",
            mentions=None if e.mentions is None else [f"@{m}:{server}" for m in e.mentions],
            reply_to=e.reply_to and _event_id(e.reply_to),
            target=e.target and (f"@{e.target}:{server}" if e.kind == "role" else _event_id(e.target)),
        )
        for e in events
    ]


def write(events: Sequence[Event], path: Path) -> None:
    """Write them for ``comity rate``."""
    path.write_bytes(b"".join(msgspec.json.encode(e) + b"\n" for e in events))


def charter_here(text: str, server: str) -> str:
    """The example's charter, where it names rooms and accounts, with their ids here."""
    for name in ROOMS:
        text = text.replace(f"'#{name}'", f"'{room_id(name, server)}'")
    return text.replace('"free-teapots-*"', f'"@free-teapots-*:{server}"')


def settle(platform: Platform, events: Sequence[Event], bot: str) -> dict[str, str]:
    """Make accounts and rooms, and have happen in them what happened; a token for each member.

    The bot has power in the rooms before it comes: it stands above the manager.
    """
    tokens = {member: platform.register(member, name) for member, name in names(events).items()}
    manager = platform.account(MANAGER)
    first = milliseconds(events[0].at) - 1
    for name, topic in ROOMS.items():
        body = {"preset": "public_chat", "room_alias_name": name, "name": f"#{name}", "topic": topic}
        room = platform.create(manager, body, at=first, room_id=room_id(name, platform.server))
        levels = dict(room.content(LEVELS))
        levels |= {"users": {bot: 100, manager: MANAGES}, "events": {**_object(levels, "events"), LEVELS: MANAGES}}
        platform.remember(room, manager, LEVELS, levels, first, key="")
        said = {"msgtype": "m.text", "body": notice(TERM)}
        platform.remember(room, manager, "m.room.message", said, first)
    for event, here in zip(events, as_here(events, platform.server), strict=True):
        if event.kind == "role":
            _appoint(platform, here)
        else:
            _happen(platform, platform.rooms[here.room], event.kind, here)
    return tokens


def desk(platform: Platform, bot: str) -> None:
    """The room in which those who manage give commands and are told what Comity did."""
    manager, deputy = platform.account(MANAGER), platform.account(DEPUTY)
    power = {"users": {manager: 100, deputy: 100, bot: 50}}
    body = {"preset": "private_chat", "room_alias_name": "desk", "name": "#desk", "invite": [deputy, bot]}
    room = platform.create(
        manager, {**body, "power_level_content_override": power}, room_id=room_id("desk", platform.server)
    )
    platform.join(room, deputy)


def regulars(events: Sequence[Event]) -> dict[str, str]:
    """Members who come again and again, not just once or for something else, and the names they are shown by."""
    days: defaultdict[str, set[str]] = defaultdict(set)
    for e in events:
        if e.kind == "message" and e.role != "bot":
            days[e.member].add(e.at[:10])
    return {member: name for member, name in names(events).items() if len(days[member]) > 1}


def _happen(platform: Platform, room: Room, kind: str, here: Event) -> None:
    """One event of the past. Who is not there and does something joins just before; reports are shown to nobody."""
    at, who, target = milliseconds(here.at), here.member, here.target or ""
    if kind == "leave":
        platform.remember(room, who, "m.room.member", {"membership": "leave"}, at, id_=here.id, key=who)
        return
    if room.membership(who) != "join":
        content = {"membership": "join", "displayname": platform.accounts[who]}
        platform.remember(room, who, "m.room.member", content, at, id_=here.id if kind == "join" else "", key=who)
    if kind == "message":
        platform.remember(room, who, "m.room.message", _message(here), at, id_=here.id)
    elif kind == "edit":
        about = {"m.relates_to": {"rel_type": "m.replace", "event_id": target}, "m.new_content": _message(here)}
        platform.remember(room, who, "m.room.message", {**_message(here), **about}, at, id_=here.id)
    elif kind == "reaction":
        about = {"m.relates_to": {"rel_type": "m.annotation", "event_id": target, "key": here.text or ""}}
        platform.remember(room, who, "m.reaction", about, at, id_=here.id)
    elif kind == "redaction":
        content = {"redacts": target, "reason": here.text or ""}
        platform.remember(room, who, "m.room.redaction", content, at, id_=here.id)


def _appoint(platform: Platform, here: Event) -> None:
    """Make somebody a manager, or take it back: of the whole community, though the export names one room."""
    level = 50 if here.role == "manager" else None
    for name in ROOMS:
        room = platform.rooms[room_id(name, platform.server)]
        content = with_level(room.content(LEVELS), {here.target or "": level})
        platform.remember(room, here.member, LEVELS, content, milliseconds(here.at), key="")


def _message(here: Event) -> Content:
    content: dict[str, object] = {"msgtype": "m.text", "body": here.text or ""}
    if here.mentions:
        content["m.mentions"] = {"user_ids": here.mentions}
    if here.reply_to:
        content["m.relates_to"] = {"m.in_reply_to": {"event_id": here.reply_to}}
    if here.media:
        content |= {"msgtype": "m.file", "filename": "file", "info": {"mimetype": here.media[0].type}}
    return content


def _object(content: Content, key: str) -> Content:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _event_id(id_: str) -> str:
    return f"${id_}"
