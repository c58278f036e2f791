"""DiscordChatExporter's JSON: one file a channel or thread."""

import contextlib
import datetime as dt
import mimetypes
import re
from collections.abc import Iterator
from typing import ClassVar

import ijson
import msgspec

from comity.adapters.jsonstream import Feed, JsonReader, items
from comity.adapters.order import Later, edit, in_time_order
from comity.adapters.reader import HEAD, Head
from comity.adapters.stable import plausible
from comity.core.event import EPOCH, Event, Kind, Media, Unread, milliseconds, moment, rfc3339

_TIMES = re.compile(rb'"type":\s*"\w+",\s*"timestamp":\s*"([^"]+)"')
_DISCORD_EPOCH = 1_420_070_400_000
_KINDS: dict[str, Kind] = {
    "Default": "message",
    "Reply": "message",
    "20": "message",  # an answer to a slash command
    "23": "message",  # an answer to a context menu command
    "GuildMemberJoin": "join",
    "RecipientAdd": "join",
    "RecipientRemove": "leave",
}
_EXPECTED = "a message as DiscordChatExporter writes it"


class _User(msgspec.Struct, rename="camel"):
    id: str
    name: str = ""
    nickname: str | None = None
    is_bot: bool = False


class _Attachment(msgspec.Struct, rename="camel"):
    file_name: str = ""
    file_size_bytes: int | None = None


class _Sticker(msgspec.Struct):
    format: str = ""


class _Reference(msgspec.Struct, rename="camel"):
    message_id: str | None = None
    type: str = "Default"


class _Forwarded(msgspec.Struct):
    content: str = ""


class _Message(msgspec.Struct, rename="camel"):
    id: str
    type: str
    timestamp: dt.datetime
    author: _User
    content: str = ""
    timestamp_edited: dt.datetime | None = None
    attachments: list[_Attachment] = []
    stickers: list[_Sticker] = []
    mentions: list[_User] = []
    reference: _Reference | None = None
    forwarded_message: _Forwarded | None = None


class Discord(JsonReader):
    """A channel exported by DiscordChatExporter as JSON."""

    name: ClassVar = "discord"
    title: ClassVar = "DiscordChatExporter JSON"
    fills: ClassVar = frozenset(
        {
            "id", "at", "kind", "community", "room", "member", "name", "role", "text", "mentions", "reply_to", "target",
            "media", "account_created_at",
        }
    )  # fmt: skip
    kinds: ClassVar = frozenset({"message", "edit", "join", "leave"})

    @classmethod
    def recognises(cls, head: Head) -> bool:
        """Whether it is an object that names a guild and a channel."""
        return head.keys >= {"guild", "channel"}

    def starts(self) -> int | None:
        """Time of the first message, unless the file holds the newest first."""
        times = self._first_times()
        return times[0] if times and times == sorted(times) else None

    def _first_times(self) -> list[int]:
        found: list[int] = []
        for text in _TIMES.findall(self.inputs[0].head(HEAD)):
            try:
                found.append(milliseconds(text.decode()))
            except ValueError:
                continue
        return found

    def events(self, feed: Feed) -> Iterator[Event | Unread | None]:
        """Messages in time order, whichever way the exporter was told to write them."""
        times = self._first_times()
        messages = self._messages(feed)
        return messages if times == sorted(times) else in_time_order(messages)

    def _messages(self, feed: Feed) -> Iterator[Event | Unread]:
        guild, channel = self._place()
        later = Later()
        for item in items(feed, "messages.item", self.block):
            try:
                message = msgspec.convert(item, _Message, strict=False)
                at = _time(message.timestamp)
            except (msgspec.ValidationError, ValueError) as error:
                number = item.get("id") if isinstance(item, dict) else None
                where = f"message {number}: " if isinstance(number, str) else ""
                yield self.unread(f"{where}{error}", _EXPECTED)
                continue
            yield from later.due(at)
            for event in _events(message, at, guild, channel):
                yield event
                if message.timestamp_edited is not None and event.kind == "message":
                    edited = _time(message.timestamp_edited)
                    later.put(edited, edit(event, edited))
        yield from later.due()

    def _place(self) -> tuple[str, str]:
        """Guild and channel, which stand before the messages."""
        said = {"guild.id": "", "channel.id": ""}
        with contextlib.suppress(ijson.JSONError, UnicodeDecodeError):  # the head ends somewhere
            parsed = ijson.parse(self.inputs[0].head(HEAD))
            said.update((prefix, str(value)) for prefix, _, value in parsed if prefix in said)
        guild = said["guild.id"]
        if guild in {"", "0"}:  # direct messages
            guild = self.options.community or said["channel.id"]
        return guild, said["channel.id"]


def _events(message: _Message, at: int, guild: str, channel: str) -> Iterator[Event]:
    kind = _KINDS.get(message.type)
    if kind is None:
        return
    about = [message.author]
    if message.type.startswith("Recipient") and message.mentions:
        about = message.mentions
    for place, user in enumerate(about):
        number = f"discord:{message.id}.{place}" if place else f"discord:{message.id}"
        event = Event(number, rfc3339(moment(at)), kind, guild, channel, user.id, user.nickname or user.name or None)
        event.role = "bot" if user.is_bot else None
        event.account_created_at = _created(user.id)
        if kind == "message":
            _fill(event, message)
        yield event


def _fill(event: Event, message: _Message) -> None:
    event.text = message.content
    if message.forwarded_message is not None and message.forwarded_message.content:
        event.text = "\n".join(filter(None, [message.content, message.forwarded_message.content]))
    event.mentions = [user.id for user in message.mentions]
    if message.reference is not None and message.reference.message_id and message.type == "Reply":
        event.reply_to = f"discord:{message.reference.message_id}"
    media = [
        Media(mimetypes.guess_type(file.file_name)[0] or "application/octet-stream", file.file_size_bytes)
        for file in message.attachments
    ]
    media += [Media("image/gif" if one.format.lower() == "gif" else "image/png") for one in message.stickers]
    event.media = media or None


def _time(at: dt.datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("a time has no offset")
    return plausible((at - EPOCH) // dt.timedelta(milliseconds=1))


def _created(user: str) -> str | None:
    """When an account was made, from its snowflake (Discord API reference, "Snowflakes"); None if the id is none."""
    if not user.isdecimal() or int(user) >> 63:
        return None
    return rfc3339(moment((int(user) >> 22) + _DISCORD_EPOCH)) if int(user) >> 22 else None
