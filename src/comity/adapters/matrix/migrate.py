"""Coming from Draupnir, Mjolnir or Meowlnir: their rooms, lists and protections, as a proposal to look at.

Nothing is carried over by itself. Rooms and lists are named; each protection becomes a clause in ``shadow``, which
finds and does not count, with a remark on where the two differ; and what has no counterpart is said. Formats: Draupnir
3 and Mjolnir keep rooms, lists and enabled protections in the bot's account data and settings in state events of the
management room; Meowlnir (2026) keeps everything in state events of the management room.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import msgspec

from comity.adapters.matrix.protections import (
    Clause,
    NoCounterpartError,
    Settings,
    draupnirs,
    line,
    meowlnirs,
    proposed,
    written,
)
from comity.core.event import Unread

PROTECTED: Final = "org.matrix.mjolnir.protected_rooms"
WATCHED: Final = "org.matrix.mjolnir.watched_lists"
ENABLED: Final = "org.matrix.mjolnir.enabled_protections"
SETTING: Final = "org.matrix.mjolnir.setting"
MEOWLNIR_PROTECTED: Final = "fi.mau.meowlnir.protected_rooms"
MEOWLNIR_WATCHED: Final = "fi.mau.meowlnir.watched_lists"
CLAUSE_OF_LISTS: Final = "lists-1"
"""The id of the proposed clause that adopts all lists."""
_LINK: Final = re.compile(r"https://matrix\.to/#/(?P<entity>[^/?]+)/?(?:\?(?P<query>.*))?")
_ROOM: Final = re.compile(r"[!#]\S+")


class Room(msgspec.Struct, frozen=True):
    """A room by its id or alias, and servers through which it can be joined."""

    id: str
    via: tuple[str, ...] = ()


class Follow(msgspec.Struct, frozen=True, kw_only=True):
    """A list to follow. apply: whether its entries had effect, or were only looked at."""

    room: Room
    name: str = ""
    shortcode: str = ""
    apply: bool = True


class Without(msgspec.Struct, frozen=True):
    """Something that has no counterpart here, and why, or what does its work instead."""

    what: str
    why: str


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. clauses: each with the name of the protection it came from."""

    bot: str
    rooms: tuple[Room, ...] = ()
    lists: tuple[Follow, ...] = ()
    clauses: tuple[tuple[str, Clause], ...] = ()
    without: tuple[Without, ...] = ()
    unread: tuple[Unread, ...] = ()

    def toml(self) -> str:
        """The clauses for a charter, all in shadow, and what has no counterpart as remarks."""
        head = (
            f"# Proposed from what {self.bot} was set to do. Every clause is in shadow: it finds, and does not count.\n"
        )
        parts = [head + "# Read each one, set its text in your own words, and only then make it live.\n"]
        if self.lists:
            bans = f"{self.bot} bans by itself. Here a mute ends by itself, and a ban is proposed to a person."
            named = [(f.name or f.room.id) + " (only looked at)" * (not f.apply) for f in self.lists]
            clause = proposed("lists", {}, [f"Lists: {', '.join(named)}.", bans])
            parts.append(written(clause, CLAUSE_OF_LISTS, f"the lists that {self.bot} followed"))
        parts += [written(c, f"{self.bot.lower()}-{n}", name) for n, (name, c) in enumerate(self.clauses, 1)]
        if self.without:
            parts.append("".join(f"# Not carried over: {line(w.what)}: {line(w.why)}\n" for w in self.without))
        return "\n".join(parts)

    def settings(self) -> str:
        """The rooms, as a remark, and the lists as settings."""
        parts = [f"# Proposed from what {self.bot} was set to do.\n"]
        if self.rooms:
            rooms = json.dumps([r.id for r in self.rooms], ensure_ascii=False)
            parts.append(f"# The rooms it looked after, for your [[community]]:\n# rooms = {rooms}\n")
        for follow in self.lists:
            of = [f"# {line(follow.name)}"] * bool(follow.name)
            of += ["[[list]]", f"room = {_quoted(follow.room.id)}"]
            of += [f"via = {json.dumps(follow.room.via, ensure_ascii=False)}"] * bool(follow.room.via)
            of += [f"clause = {_quoted(CLAUSE_OF_LISTS)}", f"apply = {str(follow.apply).lower()}"]
            parts.append("\n".join(of) + "\n")
        return "\n".join(parts)


def draupnir(
    account_data: Mapping[str, object],
    state: Iterable[object] = (),
    config: Mapping[str, object] | None = None,
) -> Migration:
    """What Draupnir or Mjolnir was set to do.

    account_data: of the bot's account, content by type (``GET /user/{id}/account_data/{type}``); state: events of the
    management room; config: its configuration file, parsed, for what stands there only (words, servers).
    """
    read = _Reading("Draupnir")
    rooms = [read.room(r, PROTECTED) for r in read.items(account_data.get(PROTECTED), "rooms", PROTECTED)]
    lists = [read.room(r, WATCHED) for r in read.items(account_data.get(WATCHED), "references", WATCHED)]
    settings = dict(_by_key(state, SETTING))
    own = config.get("protections") if isinstance(config, Mapping) else None
    for name in read.items(account_data.get(ENABLED), "enabled", ENABLED):
        if not isinstance(name, str):
            read.unread.append(Unread(ENABLED, 0, "a protection that is no text", "the name of a protection"))
            continue
        given = settings.get(name, {})
        read.protection(name, lambda n, s: draupnirs(n, s, own if isinstance(own, Mapping) else {}), given)
    return read.done(rooms, [Follow(room=r) for r in lists if r is not None])


def meowlnir(state: Iterable[object]) -> Migration:
    """What Meowlnir was set to do. state: events of its management room."""
    state = list(state)
    read = _Reading("Meowlnir")
    protected = dict(_by_key(state, MEOWLNIR_PROTECTED)).get("")
    watched = dict(_by_key(state, MEOWLNIR_WATCHED)).get("")
    rooms = [read.room(r, MEOWLNIR_PROTECTED) for r in read.items(protected, "rooms", MEOWLNIR_PROTECTED)]
    lists = []
    for entry in read.items(watched, "lists", MEOWLNIR_WATCHED):
        given = entry if isinstance(entry, dict) else {}
        if (room := read.room(given.get("room_id"), MEOWLNIR_WATCHED)) is not None:
            name, shortcode = (v if isinstance(v := given.get(k), str) else "" for k in ("name", "shortcode"))
            apply = given.get("dont_apply") is not True
            lists.append(Follow(room=room, name=name, shortcode=shortcode, apply=apply))
            read.extras(name or room.id, given)
    protections = protected.get("protections") if isinstance(protected, dict) else None
    if isinstance(protections, dict):
        for name, given in protections.items():
            read.protection(name, meowlnirs, given)
    if read.items(protected, "skip_acl", MEOWLNIR_PROTECTED):
        read.without.append(Without("skip_acl", "Comity writes no server ACLs, in no room"))
    return read.done(rooms, lists)


class _Reading:
    """What is gathered on the way."""

    def __init__(self, bot: str) -> None:
        self.bot = bot
        self.clauses: list[tuple[str, Clause]] = []
        self.without: list[Without] = []
        self.unread: list[Unread] = []

    def items(self, content: object, key: str, of: str) -> list[Any]:
        """The list in a content; empty where there is none."""
        if content is None or (isinstance(content, dict) and content.get(key) is None):
            return []
        found = content.get(key) if isinstance(content, dict) else None
        if not isinstance(found, list):
            self.unread.append(Unread(of, 0, f"{key} cannot be read", "a list"))
            return []
        return found

    def room(self, value: object, of: str) -> Room | None:
        """A room from its id, its alias, or a link to it."""
        text, via = value if isinstance(value, str) else "", ()
        if found := _LINK.fullmatch(text):
            text, via = unquote(found["entity"]), tuple(parse_qs(found["query"] or "").get("via", ()))
        if not _ROOM.fullmatch(text):
            self.unread.append(Unread(of, 0, "a room that cannot be read", "!id, #alias:server, or a matrix.to link"))
            return None
        return Room(text, via)

    def protection(self, name: str, clauses: Any, given: object) -> None:  # noqa: ANN401  one of two functions
        """The clauses of one protection, or why there are none."""
        settings = Settings(given if isinstance(given, dict) else {})
        try:
            self.clauses += [(name, c) for c in clauses(name, settings)]
        except NoCounterpartError as e:
            self.without.append(Without(name, str(e)))
        if not isinstance(given, dict):
            self.unread.append(Unread(name, 0, "settings that are no object", "an object; its defaults were taken"))
        self.unread += [Unread(name, 0, f"the setting {key} cannot be read", e) for key, e in settings.wrong]

    def extras(self, name: str, given: Mapping[str, Any]) -> None:
        """What Meowlnir can do with a list, and we do not."""
        if given.get("auto_suspend") is True:
            self.without.append(Without(f"auto_suspend of {name}", "Comity suspends no accounts of a server"))
        if given.get("auto_unban") is True:
            why = "an entry that is gone is shown in the preview; a ban that a person imposed, a person takes back"
            self.without.append(Without(f"auto_unban of {name}", why))

    def done(self, rooms: Iterable[Room | None], lists: Iterable[Follow]) -> Migration:
        """All of it, each room and list once."""
        return Migration(
            bot=self.bot,
            rooms=tuple({r.id: r for r in rooms if r is not None}.values()),
            lists=tuple({f.room.id: f for f in lists}.values()),
            clauses=tuple(self.clauses),
            without=tuple(self.without),
            unread=tuple(self.unread),
        )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _by_key(state: Iterable[object], kind: str) -> Iterable[tuple[str, object]]:
    """State key and content of the events of one type."""
    for event in state:
        if isinstance(event, dict) and event.get("type") == kind and isinstance(key := event.get("state_key", ""), str):
            yield key, event.get("content")
