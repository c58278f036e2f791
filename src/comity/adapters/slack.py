"""Slack's workspace export: ``users.json``, ``channels.json``, a folder for each channel, a JSON file for each day."""

import datetime as dt
import html
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Self

import msgspec

from comity.adapters.jsonstream import Feed, JsonReader, items
from comity.adapters.order import Later, edit
from comity.adapters.reader import Head, Options, folder
from comity.adapters.source import BrokenInputError, Input
from comity.adapters.stable import plausible
from comity.core.event import Event, Kind, Media, Role, Unread, moment, rfc3339

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)\.json")
_ROOMS = ("channels.json", "groups.json", "mpims.json", "dms.json")
_TITLE = re.compile(r" Slack export .*$")
_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_KINDS: dict[str, Kind] = {
    "channel_join": "join", "group_join": "join", "channel_leave": "leave", "group_leave": "leave",
    "bot_message": "message", "me_message": "message", "file_share": "message", "thread_broadcast": "message",
    "file_comment": "message", "message_changed": "edit", "message_deleted": "redaction",
}  # fmt: skip
_EXPECTED = "a message as Slack exports it"


class _Profile(msgspec.Struct):
    display_name: str | None = None
    real_name: str | None = None


class _User(msgspec.Struct):
    id: str
    name: str = ""
    is_bot: bool = False
    is_admin: bool = False
    is_owner: bool = False
    profile: _Profile | None = None

    @property
    def shown(self) -> str:
        profile = self.profile or _Profile()
        return profile.display_name or profile.real_name or self.name

    @property
    def role(self) -> Role:
        return "bot" if self.is_bot else "manager" if self.is_admin or self.is_owner else "member"


class _Room(msgspec.Struct):
    id: str
    name: str = ""


class _File(msgspec.Struct):
    mimetype: str | None = None
    size: int | None = None


class _Edited(msgspec.Struct):
    ts: str
    user: str | None = None


class _Message(msgspec.Struct):
    ts: str
    type: str = "message"
    subtype: str | None = None
    user: str | None = None
    bot_id: str | None = None
    username: str | None = None
    text: str | None = None
    thread_ts: str | None = None
    deleted_ts: str | None = None
    edited: _Edited | None = None
    files: list[_File] | None = None
    message: "_Message | None" = None
    previous_message: "_Message | None" = None


class _Workspace:
    """Users and rooms of one export, read when first asked for and shared by its channels."""

    def __init__(self, lists: Sequence[Input], block: int) -> None:
        self._lists, self._block = lists, block
        self._users: dict[str, _User] = {}
        self._rooms: dict[str, str] = {}
        self._loaded = False
        self.unread: list[Unread] = []
        """What could not be read of the lists; whoever reads first passes it on and empties it."""

    def load(self) -> tuple[dict[str, _User], dict[str, str]]:
        """Return users by id and room ids by folder name; what a list does not tell is missing."""
        if not self._loaded:
            self._loaded = True
            for one in self._lists:
                try:
                    for item in items(Feed(one.open()), "item", self._block):
                        self._take(one, item)
                except BrokenInputError as error:
                    self.unread.append(Unread(one.shown, 0, error.what, error.expected))
        return self._users, self._rooms

    def _take(self, source: Input, item: object) -> None:
        try:
            if source.name.endswith("users.json"):
                user = msgspec.convert(item, _User, strict=False)
                self._users[user.id] = user
            else:
                room = msgspec.convert(item, _Room)
                self._rooms[room.name or room.id] = room.id
        except msgspec.ValidationError as error:
            self.unread.append(Unread(source.shown, 0, str(error), "a list of users and channels as Slack exports it"))


class Slack(JsonReader):
    """One channel of a Slack export: its day files in order."""

    name: ClassVar = "slack"
    title: ClassVar = "Slack export"
    fills: ClassVar = frozenset(
        {
            "id", "at", "kind", "community", "room", "member", "name", "role", "text", "mentions", "reply_to", "target",
            "media",
        }
    )  # fmt: skip
    kinds: ClassVar = frozenset({"message", "edit", "redaction", "join", "leave"})
    _workspace: _Workspace | None = None
    _root: str | None = None

    @classmethod
    def recognises(cls, head: Head) -> bool:
        """Whether it is one day of one channel, on its own."""
        return head.item_keys >= {"ts", "type"} and bool(head.item_keys & {"text", "user", "subtype"})

    @classmethod
    def gather(cls, inputs: Sequence[Input], options: Options, block: int) -> tuple[list[Self], list[Input]]:
        """Take every export whose lists lie in one folder: one reader for each channel."""
        readers: list[Self] = []
        left = list(inputs)
        names = {one.name for one in inputs}
        for users in [one for one in inputs if one.name.rsplit("/", 1)[-1] == "users.json"]:
            root = users.name.removesuffix("users.json")
            lists = [one for one in inputs if one.name in {f"{root}{rooms}" for rooms in _ROOMS}]
            if not lists:
                continue
            workspace = _Workspace([users, *lists], block)
            channels: dict[str, list[Input]] = {}
            for one in inputs:
                channel, _, day = one.name.removeprefix(root).rpartition("/")
                if one.name.startswith(root) and channel and "/" not in channel and _DAY.fullmatch(day):
                    channels.setdefault(channel, []).append(one)
            for days in channels.values():
                reader = cls(days, options, block)
                reader._workspace, reader._root = workspace, root
                readers.append(reader)
            taken = {id(one) for days in channels.values() for one in days}
            about = {name for name in names if name.startswith(root) and "/" not in name.removeprefix(root)}
            left = [
                one for one in left if id(one) not in taken and not (one.name in about and one.name.endswith(".json"))
            ]
        return readers, left

    def starts(self) -> int | None:
        """The first day's beginning, by the first file's name."""
        found = _DAY.search(self.inputs[0].name)
        return (
            int(dt.datetime.fromisoformat(found[0][:10]).replace(tzinfo=dt.UTC).timestamp() * 1000) if found else None
        )

    @property
    def community(self) -> str:
        """The name given by options, or the workspace's as the export's own name has it."""
        first = self.inputs[0]
        if self.options.community:
            return self.options.community
        above = (self._root or "").rstrip("/").rpartition("/")[2]
        if not above:
            above = first.path.stem if first.archive else first.path.resolve().parents[1].name
        return _TITLE.sub("", above)

    def items(self) -> Iterator[Event | Unread | None]:
        """Events of all days; a day that breaks off ends only itself."""
        self._later = Later()
        for day in self.inputs:
            self._day = day
            yield from self.read_one(day)
            self._finished += day.size
            self._feed = None
        yield from self._later.due()

    def events(self, feed: Feed) -> Iterator[Event | Unread]:
        """Messages of one day."""
        users, rooms = self._workspace.load() if self._workspace else ({}, {})
        if self._workspace:
            yield from self._workspace.unread
            self._workspace.unread.clear()
        channel = folder(self._day)
        room = rooms.get(channel, channel)
        community = self.community
        for item in items(feed, "item", self.block):
            try:
                message = msgspec.convert(item, _Message, strict=False)
                at = _time(message.ts)
                edited = _time(message.edited.ts) if message.edited else None
            except (msgspec.ValidationError, ValueError) as error:
                yield self.unread(str(error), _EXPECTED, of=self._day)
                continue
            kind = _KINDS.get(message.subtype) if message.subtype else "message"
            if message.type != "message" or kind is None:
                continue
            yield from self._later.due(at)
            event = _event(message, kind, at, community=community, room=room, users=users)
            yield event
            if edited is not None and kind == "message":
                self._later.put(edited, edit(event, edited, by=message.edited.user if message.edited else None))


def _event(message: _Message, kind: Kind, at: int, *, community: str, room: str, users: dict[str, _User]) -> Event:
    about = message.message or message.previous_message or message
    member = about.user or about.bot_id or "unknown"
    user = users.get(member)
    event = Event(f"slack:{room}/{message.ts}", rfc3339(moment(at)), kind, community, room, member)
    event.name = user.shown if user else about.username
    event.role = user.role if user else "bot" if about.bot_id and not about.user else None
    if kind in {"message", "edit"}:
        event.text, event.mentions = _plain(about.text or "", users)
        media = [Media(one.mimetype or "application/octet-stream", one.size) for one in about.files or []]
        event.media = media or None
    if kind == "message" and message.thread_ts and message.thread_ts != message.ts:
        event.reply_to = f"slack:{room}/{message.thread_ts}"
    if kind == "edit" and message.message:
        event.target = f"slack:{room}/{message.message.ts}"
    if kind == "redaction":
        deleted = message.deleted_ts or (message.previous_message.ts if message.previous_message else None)
        event.target = f"slack:{room}/{deleted}" if deleted else None
    return event


def _plain(text: str, users: dict[str, _User]) -> tuple[str, list[str]]:
    """The text as read, and who is mentioned. Slack writes <@U1>, <#C1|tea>, <!here>, <https://tea.example|tea>."""
    mentions: list[str] = []

    def read(found: re.Match[str]) -> str:
        target, label = found[1], found[2]
        if target.startswith("@"):
            if target[1:] not in mentions:
                mentions.append(target[1:])
            user = users.get(target[1:])
            return "@" + (label or (user.shown if user else target[1:]))
        if target.startswith("#"):
            return "#" + (label or target[1:])
        if target.startswith("!"):
            return label or "@" + target[1:].split("^")[0]
        return target if not label or label == target else f"{label} ({target})"

    return html.unescape(_LINK.sub(read, text)), mentions


def _time(ts: str) -> int:
    """Milliseconds since 1970 of Slack's ``1767261600.000200``."""
    seconds, _, micro = ts.partition(".")
    return plausible(int(seconds) * 1000 + int((micro or "0")[:3].ljust(3, "0")))
