"""Our own NDJSON: one event a line, as core.event says it. The fast path: whole blocks through one decoder."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import accumulate, pairwise
from typing import ClassVar

import msgspec

from comity.adapters.lines import Blocks, newlines
from comity.adapters.reader import MOST_EVENTS, Chunk, Head, Lines, Reader
from comity.core.event import Event, Unread, milliseconds

_BOM = b"\xef\xbb\xbf"
_EXPECTED = "one event as JSON on each line"
_END = b"\n" * 24  # behind the lines, as ``Lines`` says


class Ndjson(Reader):
    """One event as JSON on each line."""

    name: ClassVar = "ndjson"
    title: ClassVar = "Comity NDJSON"
    fills: ClassVar = frozenset(Event.__struct_fields__)
    kinds: ClassVar = frozenset(
        {"message", "edit", "redaction", "reaction", "join", "leave", "rename", "report", "role"}
    )

    _decoder: ClassVar = msgspec.json.Decoder(Event)

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
        """Decode by blocks; only a block with a bad line is gone through line by line."""
        for chunk in self._line_pieces(self.block):
            if chunk.lines is None:
                yield chunk
                continue
            data, unread = chunk.lines.data[: -len(_END)], list[Unread]()
            try:
                events = self._decoder.decode_lines(data)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                found, unread = chunk.lines.decode(_spans(data))
                events = [e for e in found if e is not None]
            while len(events) > MOST_EVENTS:
                yield Chunk(events[:MOST_EVENTS], [], 0)
                events = events[MOST_EVENTS:]
            yield Chunk(events, unread, chunk.read)

    def line_chunks(self) -> Iterator[Chunk]:
        """As ``chunks``, but with lines instead of events."""
        return self.to_the_end(self._line_pieces(self.block))

    def _line_pieces(self, size: int) -> Iterator[Chunk]:
        """Lines are counted only from the first bad one on: counting costs a sixth of decoding."""
        source = self.inputs[0]
        stream = source.open()
        blocks = Blocks(stream, size)
        counted = 0 if source.compressed else -1

        def before() -> int:
            nonlocal counted
            counted = newlines(source.open(), blocks.offset) if counted < 0 else counted
            return counted

        for view in blocks:
            data = bytes(view) if blocks.offset else bytes(view).removeprefix(_BOM)
            if view:
                lines = Lines(data + _END, partial(self._decode, data, before))
                yield self.chunk([], [], stream.consumed, lines)
            else:
                yield self.chunk([], [self.too_long(before() + 1)], stream.consumed)
            if counted >= 0:
                counted += data.count(b"\n") if view else 1

    def _decode(
        self, data: bytes, before: Callable[[], int], where: Sequence[tuple[int, int]]
    ) -> tuple[list[Event | None], list[Unread]]:
        """Some lines of a block: all at once, and one by one only if one of them is bad."""
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
            events = self._decoder.decode_lines(b"\n".join([data[start:end] for start, end in where]))
            if len(events) == len(where):
                return list(events), []
        found, unread, number, at = list[Event | None](), list[Unread](), before() + 1, 0
        for start, end in where:
            number += data.count(b"\n", at, start)
            at = start
            found.append(self._event(data[start:end], number, unread, torn=end == len(data)))
        return found, unread

    def _event(self, line: bytes, number: int, unread: list[Unread], *, torn: bool) -> Event | None:
        if not line.strip():
            return None
        try:
            return self._decoder.decode(line)
        except msgspec.ValidationError as error:
            unread.append(self.unread(_without_values(str(error)), _EXPECTED, line=number))
        except UnicodeDecodeError:
            unread.append(self.unread("the line holds bytes that are not UTF-8", "UTF-8", line=number))
        except msgspec.DecodeError:
            what = "a torn last line: it ends in the middle" if torn else "the line is no JSON"
            unread.append(self.unread(what, _EXPECTED, line=number))
        return None


def _spans(data: bytes) -> list[tuple[int, int]]:
    """Start and end of each line."""
    ends = [*accumulate((len(line) + 1 for line in data.split(b"\n")), initial=0)]
    return [(start, end - 1) for start, end in pairwise(ends)]


def _without_values(error: str) -> str:
    """The decoder's words for a wrong field. It quotes only what an enumeration was given, which is no message text."""
    return error[0].lower() + error[1:]
