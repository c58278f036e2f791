"""WhatsApp's text export of a chat, from Android and iOS, plain or inside the zip it makes."""

import contextlib
import datetime as dt
import re
from collections.abc import Iterator
from typing import ClassVar

from comity.adapters.lines import text
from comity.adapters.reader import DateOrder, Head, ItemReader
from comity.adapters.source import BrokenInputError, Stream
from comity.adapters.stable import Clock, StableIds
from comity.adapters.whatsapp_lines import Beginning, Evidence, beginning, content, date, told
from comity.core.event import Event, Unread, milliseconds

_BLOCK = 131_072
_TITLE = re.compile(r"(?:WhatsApp Chat (?:with|-) )?(.+?)(?: \(\d+\))?")
_DATE_LENGTH = 12
_LONGEST = 1_000_000
"""Characters of one message; WhatsApp lets 65,536 through. What is longer is cut here, and named."""


class WhatsApp(ItemReader):
    """One chat as text."""

    name: ClassVar = "whatsapp"
    title: ClassVar = "WhatsApp text"
    fills: ClassVar = frozenset(
        {"id", "at", "kind", "community", "room", "member", "name", "text", "mentions", "media"}
    )
    kinds: ClassVar = frozenset({"message", "join", "leave"})
    _stream: Stream | None = None
    _order: DateOrder | None = None

    @classmethod
    def recognises(cls, head: Head) -> bool:
        """Whether two of the first lines, or the only one, begin as a message does."""
        found = sum(beginning(line) is not None for line in head.lines)
        return found >= min(2, len(head.lines))

    @property
    def consumed(self) -> int:
        """Bytes used so far."""
        return self._stream.consumed if self._stream else 0

    @property
    def room(self) -> str:
        """The chat's name, as the file's or the zip's name has it."""
        first = self.inputs[0]
        name = first.name.rsplit("/", 1)[-1]
        name = re.sub(r"(\.(txt|gz|zst))+$", "", name)
        if name == "_chat":
            name = first.path.stem if first.archive else first.path.resolve().parent.name
        found = _TITLE.fullmatch(name)
        return found[1] if found else name

    @property
    def community(self) -> str:
        """The name given by options, or the chat's."""
        return self.options.community or self.room

    @property
    def order(self) -> DateOrder:
        """The order of dates: given by options, or told from the whole file in a first pass."""
        if self._order is None:
            self._order = self.options.date_order or self._told_order()
        return self._order

    def _told_order(self) -> DateOrder:
        evidence = Evidence()
        last = ""
        with contextlib.suppress(BrokenInputError):  # what was read is evidence; the reading itself names the break
            for lines in text(self.inputs[0].open(), min(self.block, _BLOCK)):
                for line in lines.lines:
                    if line[:_DATE_LENGTH] != last and (start := beginning(line)) is not None:
                        last = line[:_DATE_LENGTH]
                        evidence.add(line, start)
        return evidence.order()

    def starts(self) -> int | None:
        """Time of the first message."""
        head = Head("", self.inputs[0].head(65_536))
        for line in head.lines:
            start = beginning(line)
            day = date(start.date, self.order) if start else None
            if start and day:
                with contextlib.suppress(OverflowError):
                    return milliseconds(Clock(self.options.time_zone).utc(dt.datetime.combine(day, start.time)))
        return None

    def items(self) -> Iterator[Event | Unread]:
        """Messages with their further lines, in the file's order."""
        chat = _Chat(self)
        self._stream = self.inputs[0].open()
        broken: BrokenInputError | None = None
        try:
            for lines in text(self._stream, min(self.block, _BLOCK)):
                yield from (self.not_utf8(number) for number in lines.damaged)
                if lines.too_long:
                    yield self.too_long(lines.first)
                for number, line in enumerate(lines.lines, lines.first):
                    yield from chat.line(line, number)
        except BrokenInputError as error:
            broken = error
        yield from chat.end()
        if broken is not None:
            raise broken


class _Chat:
    """The chat being read, and the message that may still go on."""

    def __init__(self, reader: WhatsApp) -> None:
        self._reader, self._order, self._room = reader, reader.order, reader.room
        self._community = reader.community
        self._clock = Clock(reader.options.time_zone)
        self._ids = StableIds("whatsapp", self._room)
        self._start: Beginning | None = None
        self._number, self._size, self._more = 0, 0, list[str]()

    def line(self, line: str, number: int) -> Iterator[Event | Unread]:
        """Take in a line; give out the message before it when it begins another."""
        if (start := beginning(line)) is not None:
            yield from self.end()
            self._start, self._number, self._size, self._more = start, number, 0, []
        elif self._start is not None:
            self._size += len(line) + 1
            if self._size <= _LONGEST:
                self._more.append(line)
            elif self._size - len(line) - 1 <= _LONGEST:
                what = "a message goes on for more than a million characters and was cut here"
                yield self._reader.unread(what, "messages of a usual size", line=number)
        elif line.strip():
            yield self._reader.unread("no message has begun yet", "a date and time first", line=number)

    def end(self) -> Iterator[Event | Unread]:
        """What the message that has come to its end tells."""
        if self._start is None:
            return
        start, self._start = self._start, None
        at = self._at(start)
        if at is None:
            what = f"there is no such date in the order {self._order}"
            yield self._reader.unread(what, "one order of dates throughout", line=self._number)
            return
        said = told(start.rest, self._more)
        if said is None:
            return
        for member in said.members:
            event = Event("", at, said.kind, self._community, self._room, member, member)
            if said.kind == "message":
                event.text, event.media, event.mentions = content(said.text or "")
            event.id = self._ids(at, member, said.kind, said.text or "")
            yield event

    def _at(self, start: Beginning) -> str | None:
        day = date(start.date, self._order)
        try:
            return self._clock.utc(dt.datetime.combine(day, start.time)) if day else None
        except OverflowError:
            return None
