"""Many readers as one stream in time order: lazily, and without touching what needs no merging."""

import heapq
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from comity.adapters.reader import MOST_EVENTS, Chunk, Reader
from comity.core.event import Event, Unread, milliseconds


def merge(readers: Sequence[Reader]) -> Iterator[Chunk]:
    """Give out the readers' chunks in time order across them; each reader's own order is kept.

    A reader is opened when the time reaches its start; one that cannot tell its start is opened at once. While one
    alone is open, its chunks pass through as they are. Ties go in the order of ``readers``.
    """
    waiting = [(_start(reader), number) for number, reader in enumerate(readers)]
    heapq.heapify(waiting)
    lanes: list[tuple[float, int, _Lane]] = []
    out = _Out()
    while waiting or lanes:
        while waiting and (not lanes or waiting[0][:2] <= lanes[0][:2]):
            _, number = heapq.heappop(waiting)
            _enter(lanes, number, _Lane(readers[number].chunks()), out)
        if len(out.events) >= MOST_EVENTS or (len(lanes) <= 1 and out.holds):
            yield out.take()
        if len(lanes) == 1:
            _, number, lane = lanes.pop()
            until = waiting[0] if waiting else (math.inf, number)
            yield from lane.alone(until[0] if until[1] > number else math.nextafter(until[0], -math.inf))
            if lane.left:
                heapq.heappush(lanes, (lane.key, number, lane))
        elif lanes:
            _, number, lane = heapq.heappop(lanes)
            limit, other = min(lanes[0][:2], waiting[0]) if waiting else lanes[0][:2]
            out.add(lane.upto(limit, inclusive=number < other, most=MOST_EVENTS - len(out.events)))
            _enter(lanes, number, lane, out)
    if out.holds:
        yield out.take()


def _start(reader: Reader) -> float:
    start = reader.starts()
    return -math.inf if start is None else start


def _enter(lanes: list[tuple[float, int, "_Lane"]], number: int, lane: "_Lane", out: "_Out") -> None:
    """Put a lane with events back in its place; leave one that has ended."""
    while not lane.left:
        chunk = lane.load()
        if chunk is None:
            return
        out.unread += chunk.unread
        out.read += chunk.read
    heapq.heappush(lanes, (lane.key, number, lane))


class _Out:
    """What is gathered for the next chunk."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.unread: list[Unread] = []
        self.read = 0

    @property
    def holds(self) -> bool:
        return bool(self.events or self.unread or self.read)

    def add(self, events: list[Event]) -> None:
        self.events += events

    def take(self) -> Chunk:
        chunk = Chunk(self.events, self.unread, self.read)
        self.__init__()  # type: ignore[misc]
        return chunk


class _Lane:
    """One open reader: the chunk at hand, where in it we are, and for each event a key that never falls.

    Keys are made only for chunks that are cut; of others the first and the last event's are enough.
    """

    def __init__(self, chunks: Iterator[Chunk]) -> None:
        self._chunks = chunks
        self._events: list[Event] = []
        self._keys: list[float] = []
        self._at, self._last = 0, -math.inf

    @property
    def left(self) -> int:
        """Events at hand."""
        return len(self._events) - self._at

    @property
    def key(self) -> float:
        """Time of the next event."""
        return self._keys[self._at] if self._keys else _time(self._events[self._at], self._last)

    def load(self) -> Chunk | None:
        """Take in the next chunk; its events are kept here, the rest is the caller's."""
        chunk = next(self._chunks, None)
        if chunk is not None:
            self._hold(chunk.events)
        return chunk

    def _hold(self, events: list[Event]) -> None:
        self._events, self._at, self._keys = events, 0, []

    def upto(self, limit: float, *, inclusive: bool, most: int) -> list[Event]:
        """Take the events at hand up to ``limit``, at least one, at most ``most``."""
        if not self._keys:
            for event in self._events:
                self._last = _time(event, self._last)
                self._keys.append(self._last)
        end = (bisect_right if inclusive else bisect_left)(self._keys, limit, lo=self._at)
        start, self._at = self._at, min(max(end, self._at + 1), self._at + max(1, most))
        return self._events[start : self._at]

    def alone(self, until: float) -> Iterator[Chunk]:
        """Pass chunks through up to ``until``; a chunk that goes beyond is cut there, and its rest held."""
        unread: list[Unread] = []
        read = 0
        while True:
            if not self.left:
                chunk = self.load()
                if chunk is None:
                    return
                unread, read = chunk.unread, chunk.read
            events = self._events
            if self._keys or (until < math.inf and events and _time(events[-1], self._last) > until):
                yield Chunk([] if self.key > until else self.upto(until, inclusive=True, most=self.left), unread, read)
                if self.left:
                    return
            else:
                if until < math.inf and events:
                    self._last = _time(events[-1], self._last)
                self._hold([])
                yield Chunk(events, unread, read)
            unread, read = [], 0


def _time(event: Event, before: float) -> float:
    """The event's time, or that of the one before it if it is earlier or cannot be read: order within a file stays."""
    try:
        return max(before, milliseconds(event.at))
    except ValueError:
        return before
