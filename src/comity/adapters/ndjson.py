"""Our own NDJSON: one event a line, as core.event says it. The fast path: whole blocks through one decoder."""

import json
from collections.abc import Iterator
from typing import ClassVar

import msgspec

from comity.adapters.lines import Blocks, newlines
from comity.adapters.reader import MOST_EVENTS, Chunk, Head, Reader
from comity.core.event import Event, Unread, milliseconds

_BOM = b"\xef\xbb\xbf"
_EXPECTED = "one event as JSON on each line"


class Ndjson(Reader):
    """One event as JSON on each line."""

    name: ClassVar = "ndjson"
    title: ClassVar = "Comity NDJSON"
    fills: ClassVar = frozenset(Event.__struct_fields__)
    kinds: ClassVar = frozenset(
        {"message", "edit", "redaction", "reaction", "join", "leave", "rename", "report", "role"}
    )

    @classmethod
    def recognises(cls, head: Head) -> bool:
        """Whether a line among the first is an object with the fields that every event has."""
        for line in head.lines[:20]:
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict) and found.keys() >= {"at", "kind"} and found.keys() & {"member", "room"}:
                return True
        return False

    def starts(self) -> int | None:
        """Time of the first line that can be read, as far as the head goes."""
        for line in Head("", self.inputs[0].head(65_536)).lines:
            try:
                return milliseconds(msgspec.json.decode(line, type=Event).at)
            except (msgspec.MsgspecError, ValueError):
                continue
        return None

    def pieces(self) -> Iterator[Chunk]:
        """Decode by blocks; only a block with a bad line is gone through line by line.

        Lines are counted only from the first bad one on: counting costs a sixth of decoding.
        """
        source = self.inputs[0]
        stream = source.open()
        decoder = msgspec.json.Decoder(Event)
        blocks = Blocks(stream, self.block)
        counted = 0 if source.compressed else -1
        for view in blocks:
            block = view[len(_BOM) :] if not blocks.offset and view[: len(_BOM)] == _BOM else view
            unread: list[Unread] = []
            try:
                events = decoder.decode_lines(block)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                counted = newlines(source.open(), blocks.offset) if counted < 0 else counted
                events = self._line_by_line(bytes(block), counted + 1, decoder, unread)
            if not view:
                counted = newlines(source.open(), blocks.offset) if counted < 0 else counted
                unread.append(self.too_long(counted + 1))
            if counted >= 0:
                counted += bytes(view).count(b"\n") if view else 1
            while len(events) > MOST_EVENTS:
                yield self.chunk(events[:MOST_EVENTS], [])
                events = events[MOST_EVENTS:]
            yield self.chunk(events, unread, stream.consumed)

    def _line_by_line(
        self, block: bytes, first: int, decoder: msgspec.json.Decoder[Event], unread: list[Unread]
    ) -> list[Event]:
        events = []
        lines = block.split(b"\n")
        for number, line in enumerate(lines, first):
            if not line.strip():
                continue
            try:
                events.append(decoder.decode(line))
            except msgspec.ValidationError as error:
                unread.append(self.unread(_without_values(str(error)), _EXPECTED, line=number))
            except UnicodeDecodeError:
                unread.append(self.unread("the line holds bytes that are not UTF-8", "UTF-8", line=number))
            except msgspec.DecodeError:
                torn = number == first + len(lines) - 1
                what = "a torn last line: it ends in the middle" if torn else "the line is no JSON"
                unread.append(self.unread(what, _EXPECTED, line=number))
        return events


def _without_values(error: str) -> str:
    """The decoder's words for a wrong field. It quotes only what an enumeration was given, which is no message text."""
    return error[0].lower() + error[1:]
