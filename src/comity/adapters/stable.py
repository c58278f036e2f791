"""What logs without ids and zones need: ids that stay the same when a log is read again, and clocks made UTC."""

import datetime as dt
import hashlib
import zoneinfo

from comity.core.event import rfc3339

_MOST_KEPT = 65_536
_YEAR_10000 = 253_402_300_800_000
_NEVER = dt.datetime(1, 1, 2)  # noqa: DTZ001 - local times are naive here
SET_BACK = dt.timedelta(hours=1)
"""A clock that steps back by no more than this was set back; by more, it passed midnight."""


class StableIds:
    """Ids out of what happened: (room, time, member, kind, text) and how many equal ones came before.

    Reading a longer log, or another export of the same room, gives the same ids. 64 bits: among 10 million events of
    one room the chance that any two differ in content and share an id is about 3 in a million.
    """

    def __init__(self, prefix: str, room: str) -> None:
        self._prefix, self._base = prefix, hashlib.blake2b(room.encode(), digest_size=8)
        self._seen: dict[str, int] = {}
        self._latest = ""

    def __call__(self, at: str, member: str, kind: str, text: str) -> str:
        """Return the id. at: RFC 3339 in UTC, in one notation throughout."""
        digest = self._base.copy()
        digest.update(f"{at}\0{member}\0{kind}\0{text}".encode())
        name = f"{self._prefix}:{digest.hexdigest()}"
        if at > self._latest or len(self._seen) > _MOST_KEPT:
            self._latest = at
            self._seen.clear()
        ordinal = self._seen.get(name, 0)
        self._seen[name] = ordinal + 1
        return f"{name}-{ordinal}" if ordinal else name


def plausible(at: int) -> int:
    """Return milliseconds since 1970 as they are. Raises ValueError before 1970 and after 9999."""
    if not 0 <= at < _YEAR_10000:
        raise ValueError("there is no such time")
    return at


class Clock:
    """Local times of one log, in its order, to RFC 3339 in UTC.

    Where a clock was set back for winter and the hour comes twice, a step back tells the second from the first.
    """

    def __init__(self, zone: zoneinfo.ZoneInfo) -> None:
        self._zone, self._last, self._fold = zone, _NEVER, 0

    def utc(self, local: dt.datetime) -> str:
        """Return the UTC text of a naive local time. Raises OverflowError at the ends of the calendar."""
        if local < self._last and self._last - local <= SET_BACK:
            self._fold = 1
        elif local.date() != self._last.date():
            self._fold = 0
        self._last = local
        return rfc3339(local.replace(tzinfo=self._zone, fold=self._fold))
