"""Matrix: Element's JSON export of a room, and lists of client events as files."""

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from comity.adapters.jsonstream import Feed, JsonReader, items
from comity.adapters.lines import text
from comity.adapters.matrix.normalise import EXPECTED, ClientEvent, translate, unread
from comity.adapters.order import in_time_order
from comity.adapters.reader import Head
from comity.adapters.stable import plausible
from comity.core.event import Event, Unread, moment, rfc3339


class MatrixExport(JsonReader):
    """Element's export, a list of client events, an answer of ``/messages``, or NDJSON of client events."""

    name: ClassVar = "matrix"
    title: ClassVar = "Matrix events (Element's JSON export, lists of client events)"
    fills: ClassVar = frozenset(
        {
            "id",
            "at",
            "kind",
            "community",
            "room",
            "member",
            "name",
            "role",
            "text",
            "mentions",
            "reply_to",
            "target",
            "media",
        }
    )
    kinds: ClassVar = frozenset({"message", "edit", "redaction", "reaction", "join", "leave", "rename", "role"})

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
                        yield self.unread("the line is no JSON", EXPECTED, line=number)
                    else:
                        yield from self._one(item, number)

    def _one(self, item: object, line: int) -> Iterator[Event | Unread]:
        try:
            source = msgspec.convert(item, ClientEvent)
            at = rfc3339(moment(plausible(source.origin_server_ts)))
        except (msgspec.ValidationError, ValueError) as error:
            yield unread(item, error, self.inputs[0].shown, line)
            return
        room = source.room_id or self.inputs[0].path.name.split(".")[0]
        yield from translate(source, self.community, room, at)


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
