"""Matrix: Element's JSON export of a room, and lists of client events as files."""

import re
import urllib.parse
from collections.abc import Iterator
from typing import ClassVar

import msgspec

from comity.adapters.jsonstream import Feed, JsonReader, items
from comity.adapters.lines import text
from comity.adapters.order import in_time_order
from comity.adapters.reader import Head
from comity.adapters.stable import plausible
from comity.core.event import Event, Media, Unread, moment, rfc3339

_PILL = re.compile(r"https://matrix\.to/#/(@[^\"'?/\s]+|%40[^\"'?/\s]+)")
_EXPECTED = "a client event of the Matrix specification"
_Content = dict[str, object]


class _Unsigned(msgspec.Struct):
    prev_content: _Content | None = None


class _ClientEvent(msgspec.Struct):
    """Client-Server API, section "Room event format"."""

    event_id: str
    type: str
    sender: str
    origin_server_ts: int
    content: _Content = {}
    room_id: str | None = None
    state_key: str | None = None
    redacts: str | None = None
    unsigned: _Unsigned | None = None
    prev_content: _Content | None = None


class MatrixExport(JsonReader):
    """Element's export, a list of client events, an answer of ``/messages``, or NDJSON of client events."""

    name: ClassVar = "matrix"
    title: ClassVar = "Matrix events (Element's JSON export, lists of client events)"
    fills: ClassVar = frozenset(
        {"id", "at", "kind", "community", "room", "member", "name", "text", "mentions", "reply_to", "target", "media"}
    )
    kinds: ClassVar = frozenset({"message", "edit", "redaction", "reaction", "join", "leave", "rename"})

    @classmethod
    def recognises(cls, head: Head) -> bool:
        """Whether it is Element's object, or has client events."""
        return _prefix(head) is not None

    def events(self, feed: Feed) -> Iterator[Event | Unread | None]:
        """Events in time order: lists are often newest first. Names are carried from joins to messages."""
        names: dict[tuple[str, str], str] = {}
        for item in in_time_order(self._all(feed)):
            if isinstance(item, Event):
                key = (item.room, item.member)
                if item.name is not None:
                    names[key] = item.name
                else:
                    item.name = names.get(key)
            yield item

    def _all(self, feed: Feed) -> Iterator[Event | Unread | None]:
        prefix = _prefix(Head("", self.inputs[0].head(65_536)))
        if prefix == "lines":
            yield from self._lines(feed)
            return
        for item in items(feed, prefix or "item", self.block):
            yield from self._one(item, 0)

    def _lines(self, feed: Feed) -> Iterator[Event | Unread | None]:
        for lines in text(feed.stream, self.block):
            yield from (self.not_utf8(line) for line in lines.damaged)
            if lines.too_long:
                yield self.too_long(lines.first)
            for number, line in enumerate(lines.lines, lines.first):
                if line.strip():
                    try:
                        item = msgspec.json.decode(line)
                    except msgspec.DecodeError:
                        yield self.unread("the line is no JSON", _EXPECTED, line=number)
                    else:
                        yield from self._one(item, number)

    def _one(self, item: object, line: int) -> Iterator[Event | Unread]:
        try:
            source = msgspec.convert(item, _ClientEvent)
            at = rfc3339(moment(plausible(source.origin_server_ts)))
        except (msgspec.ValidationError, ValueError) as error:
            number = item.get("event_id") if isinstance(item, dict) else None
            where = f"event {number}: " if isinstance(number, str) else ""
            yield self.unread(f"{where}{error}", _EXPECTED, line=line)
            return
        room = source.room_id or self.inputs[0].path.name.split(".")[0]
        event = Event(source.event_id, at, "message", self.community, room, source.sender)
        if _FILL.get(source.type, _nothing)(source, event):
            yield event


def _prefix(head: Head) -> str | None:
    """Where the events stand: an ijson prefix, ``lines``, or None if there are none."""
    marks = {"event_id", "origin_server_ts"}
    if head.keys >= {"room_name", "messages"} or head.keys >= {"exported_by", "messages"}:
        return "messages.item"
    if "chunk" in head.keys and b"origin_server_ts" in head.data:
        return "chunk.item"
    if head.item_keys & marks and "sender" in head.item_keys:
        return "item"
    return "lines" if head.keys >= {*marks, "sender"} else None


def _string(content: _Content, key: str) -> str | None:
    found = content.get(key)
    return found if isinstance(found, str) else None


def _object(content: _Content, key: str) -> _Content:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _nothing(source: _ClientEvent, event: Event) -> bool:
    """Power levels, topics, calls and the rest say nothing that an event has a kind for."""
    del source, event
    return False


def _message(source: _ClientEvent, event: Event) -> bool:
    """A message, or with m.replace an edit. One that was redacted or is encrypted is a message of unknown text."""
    relation = _object(source.content, "m.relates_to")
    content = source.content
    if _string(relation, "rel_type") == "m.replace":
        event.kind, event.target = "edit", _string(relation, "event_id")
        content = _object(source.content, "m.new_content") or source.content
    event.text = _string(content, "body")
    event.reply_to = _string(_object(relation, "m.in_reply_to"), "event_id")
    if event.reply_to and event.text and event.text.startswith("> "):
        event.text = _without_quote(event.text)
    event.mentions = _mentions(content)
    if "url" in content or "file" in content:
        about = _object(content, "info")
        size = about.get("size")
        kind = _string(about, "mimetype") or "application/octet-stream"
        event.media = [Media(kind, size if isinstance(size, int) else None)]
    return True


def _without_quote(body: str) -> str:
    """The reply without the fallback that clients used to put before it (rich replies, specification v1.1)."""
    lines = body.split("\n")
    while lines and lines[0].startswith("> "):
        lines.pop(0)
    return "\n".join(lines[1:] if lines and not lines[0] else lines)


def _mentions(content: _Content) -> list[str] | None:
    """m.mentions, else the pills of older clients; None where neither tells."""
    if "m.mentions" in content:
        users = _object(content, "m.mentions").get("user_ids")
        return [user for user in users if isinstance(user, str)] if isinstance(users, list) else []
    formatted = _string(content, "formatted_body")
    if formatted is None:
        return None
    formatted = re.sub(r"<mx-reply>.*?</mx-reply>", "", formatted, flags=re.DOTALL)
    return list(dict.fromkeys(urllib.parse.unquote(pill) for pill in _PILL.findall(formatted)))


def _encrypted(source: _ClientEvent, event: Event) -> bool:
    del source, event
    return True


def _redaction(source: _ClientEvent, event: Event) -> bool:
    event.kind = "redaction"
    event.target = source.redacts or _string(source.content, "redacts")
    event.text = _string(source.content, "reason")
    return True


def _reaction(source: _ClientEvent, event: Event) -> bool:
    relation = _object(source.content, "m.relates_to")
    event.kind, event.text, event.target = "reaction", _string(relation, "key"), _string(relation, "event_id")
    return event.target is not None


def _membership(source: _ClientEvent, event: Event) -> bool:
    """A join, a leave, or a new name; who is removed leaves."""
    before = source.prev_content or (source.unsigned.prev_content if source.unsigned else None) or {}
    was, now = _string(before, "membership"), _string(source.content, "membership")
    event.member = source.state_key or source.sender
    event.name = _string(source.content, "displayname")
    if now == "join" and was == "join":
        event.kind = "rename"
        return event.name != _string(before, "displayname")
    if now == "join":
        event.kind = "join"
        return True
    if now in {"leave", "ban"} and was in {"join", None}:
        event.kind, event.name = "leave", event.name or _string(before, "displayname")
        return True
    return False


_FILL = {
    "m.room.message": _message,
    "m.sticker": _message,
    "m.room.encrypted": _encrypted,
    "m.room.redaction": _redaction,
    "m.reaction": _reaction,
    "m.room.member": _membership,
}
