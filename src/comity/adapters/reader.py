"""What readers of exports share: options in, chunks of events out, progress, names for what cannot be read."""

import functools
import itertools
import zoneinfo
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple, Self

import ijson

from comity.adapters.source import BrokenInputError, Input
from comity.core.event import Event, Unread

MOST_EVENTS = 4096
"""Events in a chunk."""
HEAD = 65_536
"""Bytes looked at to tell the format."""

DateOrder = Literal["dmy", "mdy", "ymd"]


@dataclass(frozen=True, slots=True)
class Options:
    """What a person can say about an export that the export does not say itself.

    community: name given to events of formats that have none (default: a name from the path); time_zone: of clocks
    without one; date_order: of dates in figures (default: told from the whole file); format: the reader to use,
    whatever the content looks like.
    """

    community: str | None = None
    time_zone: zoneinfo.ZoneInfo = field(default_factory=lambda: zoneinfo.ZoneInfo("UTC"))
    date_order: DateOrder | None = None
    format: str | None = None


class Lines(NamedTuple):
    """Whole lines of our own NDJSON, not looked at yet.

    data: the lines, and 24 newlines behind them; decode: the events of some lines, given by start and end, ascending,
    None where there is none; and what is wrong with those. Ask before the next chunk is read.
    """

    data: bytes
    decode: Callable[[Sequence[tuple[int, int]]], tuple[list[Event | None], list[Unread]]]


class Chunk(NamedTuple):
    """A piece of what was read. read: bytes of the input files used for it, compressed where they are.

    lines: where they were asked for, lines instead of events.
    """

    events: list[Event]
    unread: list[Unread]
    read: int
    lines: Lines | None = None


class Head:
    """The first bytes of an input, looked at in the ways that formats are told by."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.data = name, data

    @functools.cached_property
    def lines(self) -> list[str]:
        """Its whole lines that are not blank, at most 200."""
        text = self.data.removeprefix(b"\xef\xbb\xbf").decode(errors="replace")
        whole = text.split("\n")[:-1] if len(self.data) == HEAD else text.split("\n")
        return [line.rstrip("\r") for line in itertools.islice((w for w in whole if w.strip()), 200)]

    @functools.cached_property
    def keys(self) -> frozenset[str]:
        """Keys of the JSON object it starts with."""
        return self._keys("")

    @functools.cached_property
    def item_keys(self) -> frozenset[str]:
        """Keys of the first objects of the JSON array it starts with."""
        return self._keys("item")

    def _keys(self, under: str) -> frozenset[str]:
        if self.data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != (b"[" if under else b"{"):
            return frozenset()
        found: set[str] = set()
        try:
            for prefix, event, value in ijson.parse(self.data.removeprefix(b"\xef\xbb\xbf"), multiple_values=True):
                if event == "map_key" and prefix == under:
                    found.add(value)
        except (ijson.JSONError, UnicodeDecodeError):
            pass
        return frozenset(found)


class Reader(ABC):
    """Reads one input, or several that belong together, into events.

    name: for options and ids; title: for people; fills: the fields of an event that the format tells; kinds: the kinds
    it tells; block: bytes to read at once, smaller where many are read side by side.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    fills: ClassVar[frozenset[str]]
    kinds: ClassVar[frozenset[str]]

    def __init__(self, inputs: Sequence[Input], options: Options, block: int) -> None:
        self.inputs, self.options, self.block = list(inputs), options, block
        self.size = sum(one.size for one in self.inputs)
        self._reported, self._finished = 0, 0

    @classmethod
    @abstractmethod
    def recognises(cls, head: Head) -> bool:
        """Whether content that starts like this is of this format."""

    @classmethod
    def gather(cls, inputs: Sequence[Input], options: Options, block: int) -> tuple[list[Self], list[Input]]:
        """Take the inputs of one folder or zip that make sense only together; return readers of them and the rest."""
        del options, block
        return [], list(inputs)

    def starts(self) -> int | None:
        """Time of the first event in milliseconds since 1970, or None where only reading all would tell."""
        return None

    def chunks(self) -> Iterator[Chunk]:
        """Read everything, in chunks of at most MOST_EVENTS events. What cannot be read is named; nothing is raised."""
        yield from self.to_the_end(self.pieces())

    def to_the_end(self, pieces: Iterator[Chunk]) -> Iterator[Chunk]:
        """Name what broke a stream instead of raising it, and account for all of its bytes."""
        try:
            yield from pieces
        except BrokenInputError as error:
            yield self.chunk([], [self.unread(error.what, error.expected)])
        if self.size > self._reported:
            yield Chunk([], [], self.size - self._reported)
            self._reported = self.size

    @abstractmethod
    def pieces(self) -> Iterator[Chunk]:
        """As ``chunks``; BrokenInputError ends it."""

    def line_chunks(self) -> Iterator[Chunk]:
        """As ``chunks``, but with lines instead of events where the format is our own NDJSON."""
        return self.chunks()

    def chunk(
        self, events: list[Event], unread: list[Unread], consumed: int | None = None, lines: Lines | None = None
    ) -> Chunk:
        """Make a chunk. consumed: bytes used of the input now read."""
        position = max(self._reported, min(self.size, self._finished + (consumed or 0)))
        read, self._reported = position - self._reported, position
        return Chunk(events, unread, read, lines)

    def unread(self, what: str, expected: str, *, line: int = 0, of: Input | None = None) -> Unread:
        """Name something that could not be read."""
        return Unread((of or self.inputs[0]).shown, line, what, expected)

    def too_long(self, line: int) -> Unread:
        """Name a line that was left out for its length."""
        return self.unread("the line is longer than 16 MiB and was left out", "shorter lines", line=line)

    def not_utf8(self, line: int) -> Unread:
        """Name a line that held other bytes than UTF-8."""
        return self.unread("some bytes are not UTF-8; the line was read with U+FFFD for them", "UTF-8", line=line)

    @property
    def community(self) -> str:
        """The name given by options, or that of the folder or zip."""
        return self.options.community or folder(self.inputs[0])


class ItemReader(Reader):
    """A reader whose format is told one event at a time; this one puts them into chunks."""

    @abstractmethod
    def items(self) -> Iterator[Event | Unread | None]:
        """Events and what could not be read, in order; None to report progress only."""

    @property
    @abstractmethod
    def consumed(self) -> int:
        """Bytes used of the input now read."""

    def pieces(self) -> Iterator[Chunk]:
        """Collect items into chunks; what came before a break is kept."""
        events: list[Event] = []
        unread: list[Unread] = []
        most = min(MOST_EVENTS, max(64, self.block // 128))
        try:
            for item in self.items():
                if isinstance(item, Event):
                    events.append(item)
                elif item is not None:
                    unread.append(item)
                if item is None or len(events) + len(unread) >= most:
                    yield self.chunk(events, unread, self.consumed)
                    events, unread = [], []
        except BrokenInputError as error:
            unread.append(self.unread(error.what, error.expected))
        yield self.chunk(events, unread, self.consumed)


def folder(one: Input) -> str:
    """A name from the path: the folder an input lies in, or the zip."""
    inside = one.name.split("/")[:-1]
    if one.archive is not None:
        return inside[-1] if inside else one.path.stem
    return one.path.resolve().parent.name or "chat"
