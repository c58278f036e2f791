"""Big JSON one object at a time: ijson over a feed that mends what is not UTF-8 and bounds what one object takes."""

import codecs
from abc import abstractmethod
from collections.abc import Iterator

import ijson

from comity.adapters.reader import ItemReader
from comity.adapters.source import BrokenInputError, Input, Stream
from comity.core.event import Event, Unread

MOST_BETWEEN = 64 * 2**20
"""Bytes between the ends of two objects. A message that size is none; the limit bounds the memory it can take."""


class Feed:
    """A stream as ijson reads it. line: newlines read so far plus 1; damaged: lines with bytes that are not UTF-8."""

    def __init__(self, stream: Stream) -> None:
        self.stream, self.line, self.damaged = stream, 1, list[int]()
        self._since, self._start = 0, True
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")

    def read(self, size: int) -> bytes:
        """Return about ``size`` bytes of valid UTF-8. Raises BrokenInputError past MOST_BETWEEN."""
        if not size:
            return b""
        data = self.stream.read(size)
        self._since += len(data)
        if self._since > MOST_BETWEEN:
            raise BrokenInputError(f"one object is larger than {MOST_BETWEEN >> 20} MiB", "messages of a usual size")
        try:
            text = self._decoder.decode(data, not data)
        except UnicodeDecodeError as error:
            self.damaged.append(self.line + error.object[: error.start].count(b"\n"))
            self._decoder.errors = "replace"
            text = self._decoder.decode(data, not data)
            self._decoder.errors = "strict"
        self.line += text.count("\n")
        if self._start and data:
            text, self._start = text.removeprefix("\ufeff"), False
        encoded = text.encode()
        return encoded or (self.read(size) if data else b"")

    def mark(self) -> None:
        """An object was complete."""
        self._since = 0


def items(feed: Feed, prefix: str, block: int) -> Iterator[object]:
    """Yield the objects at ``prefix``. Raises BrokenInputError where the JSON breaks off, after those before it."""
    count = 0
    try:
        for item in ijson.items(feed, prefix, use_float=True, buf_size=min(65_536, block)):
            count += 1
            feed.mark()
            yield item
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise _broken(count, error) from error


def parts(feed: Feed, prefixes: frozenset[str], block: int) -> Iterator[tuple[str, object]]:
    """Yield (prefix, value) for every value at one of ``prefixes``, in their order. Slower than ``items``."""
    count, wanted, builder = 0, "", None
    try:
        for prefix, event, value in ijson.parse(feed, use_float=True, buf_size=min(65_536, block)):
            if builder is not None:
                builder.event(event, value)
                if prefix == wanted and event in {"end_map", "end_array"}:
                    count += 1
                    feed.mark()
                    yield wanted, builder.value
                    builder = None
            elif prefix in prefixes:
                if event in {"start_map", "start_array"}:
                    wanted, builder = prefix, ijson.ObjectBuilder()
                    builder.event(event, value)
                elif event != "map_key" and not event.startswith("end_"):
                    yield prefix, value
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise _broken(count, error) from error


def _broken(count: int, error: Exception) -> BrokenInputError:
    """The parser's own words quote the text, so ours are used."""
    early = "Incomplete" in type(error).__name__ and "premature" in str(error).lower()
    what = "ends too early" if early else "breaks off"
    return BrokenInputError(f"the JSON {what} after {count:,} messages", "a whole JSON file")


class JsonReader(ItemReader):
    """A reader of JSON files: opens one after the other and names the lines that were not UTF-8."""

    _feed: Feed | None = None

    @property
    def consumed(self) -> int:
        """Bytes used of the input now read."""
        return self._feed.stream.consumed if self._feed else 0

    @abstractmethod
    def events(self, feed: Feed) -> Iterator[Event | Unread | None]:
        """What the input behind ``feed`` says."""

    def items(self) -> Iterator[Event | Unread | None]:
        """Events of all inputs."""
        yield from self.read_one(self.inputs[0])

    def read_one(self, source: Input) -> Iterator[Event | Unread | None]:
        """Events of one input. A break in it is named, and ends only this one."""
        named = 0
        try:
            self._feed = feed = Feed(source.open())
            for item in self.events(feed):
                yield from (self.not_utf8(line) for line in feed.damaged[named:])
                named = len(feed.damaged)
                yield item
        except BrokenInputError as error:
            yield from (self.not_utf8(line) for line in (self._feed.damaged[named:] if self._feed else []))
            yield self.unread(error.what, error.expected, of=source)
        else:
            yield from (self.not_utf8(line) for line in feed.damaged[named:])
