"""Events into time order in bounded memory, for exports that hold room after room or the newest first."""

import contextlib
import heapq
import math
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

import msgspec

from comity.adapters.lines import Blocks
from comity.core.event import Event, Unread, milliseconds, moment, rfc3339

RUN = 100_000
"""Events sorted in memory at once; more go through a temporary file."""
_BLOCK = 65_536


def in_time_order(items: Iterable[Event | Unread | None]) -> Iterator[Event | Unread | None]:
    """Sort events by time, equal times in their order; what could not be read comes first, None now and then.

    An event whose time cannot be read stands at the time of the one before it.
    """
    run: list[tuple[int, Event]] = []
    runs: list[IO[bytes]] = []
    last, count = 0, 0
    try:
        for item in items:
            if not isinstance(item, Event):
                yield item
                continue
            with contextlib.suppress(ValueError):
                last = milliseconds(item.at)
            run.append((last, item))
            count += 1
            if not count % 4096:
                yield None
            if len(run) == RUN:
                runs.append(_spill(run))
                run = []
        run.sort(key=_key)
        yield from (event for _, event in heapq.merge(*map(_unspill, runs), run, key=_key))
    finally:
        for file in runs:
            file.close()


class Later:
    """Events that belong after others still to come, such as the edit that an export tells with its message."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Event]] = []
        self._count = 0

    def put(self, at: int, event: Event) -> None:
        """Hold an event until its time. at: milliseconds since 1970."""
        self._count += 1
        heapq.heappush(self._waiting, (at, self._count, event))

    def due(self, at: float = math.inf) -> Iterator[Event]:
        """Give out what belongs before ``at``, in time order."""
        while self._waiting and self._waiting[0][0] < at:
            yield heapq.heappop(self._waiting)[2]


def _key(entry: tuple[int, Event]) -> int:
    return entry[0]


def _spill(run: list[tuple[int, Event]]) -> IO[bytes]:
    run.sort(key=_key)
    file = tempfile.TemporaryFile(prefix="comity-")  # noqa: SIM115 - it lives as long as the merging
    encoder = msgspec.json.Encoder()
    file.writelines(encoder.encode_lines(run[at : at + 1000]) for at in range(0, len(run), 1000))
    file.seek(0)
    return file


def _unspill(file: IO[bytes]) -> Iterator[tuple[int, Event]]:
    decoder = msgspec.json.Decoder(tuple[int, Event])
    for view in Blocks(_Spilled(file), _BLOCK):
        yield from decoder.decode_lines(view)


class _Spilled:
    """A temporary file as a stream."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read, self.consumed, self._file = file.read, 0, file

    def readinto(self, view: memoryview, /) -> int:
        return self._file.readinto(view)  # type: ignore[attr-defined, no-any-return]


def edit(event: Event, at: int, *, by: str | None = None) -> Event:
    """That a message was edited, at milliseconds since 1970. by: who did it, if the export tells that it was another.

    An export keeps only the last text, and that stands with the message.
    """
    member = by or event.member
    same = member == event.member
    return Event(
        f"{event.id}/edit",
        rfc3339(moment(at)),
        "edit",
        event.community,
        event.room,
        member,
        event.name if same else None,
        event.role if same else None,
        target=event.id,
        account_created_at=event.account_created_at if same else None,
    )
