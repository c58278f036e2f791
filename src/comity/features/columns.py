"""A batch of events as columns: each is made when a rule first looks at it, and once."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from comity.core.event import KINDS, ROLES, Event
from comity.features.kernels.hashing import hash_spans, split
from comity.features.times import NOT_A_TIME, Calendar, parse_times

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

_GIVING_A_ROLE = KINDS.index("role")
_KIND = {name: code for code, name in enumerate(KINDS)}
_ROLE: dict[str | None, int] = {None: -1, **{name: code for code, name in enumerate(ROLES)}}


class Column(NamedTuple):
    """Values of shape (events,), and where they are known; None: everywhere. A truth is False where it is unknown."""

    values: npt.NDArray[Any]
    known: Bools | None = None

    def only(self, rows: Ints) -> "Column":
        """The same column at some rows."""
        return Column(self.values[rows], None if self.known is None else self.known[rows])


class Texts(NamedTuple):
    """Strings in one buffer of UTF-8: string i is buffer[starts[i]:ends[i]], followed by a NUL unless it is the last."""

    joined: bytes
    buffer: Bytes
    starts: Ints
    ends: Ints


def texts(strings: Sequence[str]) -> Texts:
    """Join strings; a NUL inside one becomes U+FFFD, so that no string can pass for two."""
    joined = "\0".join(strings).encode("utf-8", "replace")
    buffer = np.frombuffer(joined, np.uint8)
    spans = split(buffer, 0, len(strings))
    if spans is None:
        return texts([s.replace("\0", "\ufffd") for s in strings])
    return Texts(joined, buffer, *spans)


def hash_text(text: str, seed: int) -> int:
    """The hash of one string: equal to what a column of it holds."""
    t = texts([text])
    return int(hash_spans(t.buffer, t.starts, t.ends, np.uint64(seed))[0])


class Batch:
    """Events in the order of their arrival, as columns of shape (events,).

    seed: of the hashes of identifiers, so that what is carried between batches tells nobody's name. Build it with
    ``batch``, which leaves out events whose time cannot be read. memo: what expressions have worked out so far, by
    the number of their node, so that clauses that ask the same thing share one answer.
    """

    def __init__(self, events: Sequence[Event], at: Ints, calendar: Calendar, seed: int) -> None:
        self.events, self.at, self.calendar, self.seed = events, at, calendar, seed
        self.memo: dict[int, Column] = {}
        self._hashes: dict[str, Column] = {}

    def __len__(self) -> int:
        return len(self.events)

    @cached_property
    def days(self) -> Ints:
        """Days since 1970-01-01 on the charter's wall clock."""
        return self.calendar.days(self.at)

    @cached_property
    def kinds(self) -> npt.NDArray[np.int8]:
        """Positions in ``KINDS``."""
        column = [e.kind for e in self.events]
        if column.count("message") == len(column):
            return np.zeros(len(column), np.int8)
        return np.fromiter(map(_KIND.__getitem__, column), np.int8, len(column))

    @cached_property
    def roles(self) -> Column:
        """Positions in ``ROLES`` of who did it; unknown where the platform does not say."""
        column = [e.role for e in self.events]
        if column.count("member") == len(column):
            return Column(np.zeros(len(column), np.int8))
        values = np.fromiter(map(_ROLE.__getitem__, column), np.int8, len(column))
        values[self.kinds == _GIVING_A_ROLE] = -1  # there the role is the one given, and not the giver's
        return Column(values, _known(values >= 0))

    @cached_property
    def texts(self) -> Texts:
        """What was said; empty where nothing was. See ``text_known``."""
        return self._text[0]

    @cached_property
    def text_known(self) -> Bools | None:
        """Where there is a text."""
        return self._text[1]

    @cached_property
    def _text(self) -> tuple[Texts, Bools | None]:
        return self._strings("text")

    @cached_property
    def mentions(self) -> Column:
        """Numbers of members mentioned."""
        column = [e.mentions for e in self.events]
        try:  # asking each one whether it is None costs more than the lengths
            return Column(np.fromiter(map(len, cast("list[list[str]]", column)), np.int64, len(column)))
        except TypeError:
            values = np.array([-1 if m is None else len(m) for m in column], np.int64)
            return Column(np.maximum(values, 0), _known(values >= 0))

    @cached_property
    def messages_before(self) -> Column:
        """Messages of the member before this event."""
        return _numbers([e.messages_before for e in self.events])

    @cached_property
    def account_age(self) -> Column:
        """Milliseconds between the account's making and the event."""
        column = [e.account_created_at for e in self.events]
        try:
            values = parse_times(cast("list[str]", column))
        except TypeError:
            given = np.array([i for i, c in enumerate(column) if c is not None], np.int64)
            values = np.full(len(column), NOT_A_TIME, np.int64)
            if len(given):
                values[given] = parse_times([cast("str", column[i]) for i in given])
        known = values != NOT_A_TIME
        return Column(np.where(known, self.at - values, 0), _known(known))

    def hashes(self, field: str) -> Column:
        """Hashes of a field of strings (id, community, room, member, name, reply_to, target), of shape (events,)."""
        if field not in self._hashes:
            t, known = self._strings(field)
            self._hashes[field] = Column(hash_spans(t.buffer, t.starts, t.ends, np.uint64(self.seed)), known)
        return self._hashes[field]

    def _strings(self, field: str) -> tuple[Texts, Bools | None]:
        column = _TAKE[field](self.events)
        try:
            return texts(cast("list[str]", column)), None
        except TypeError:
            known = np.array([s is not None for s in column])
            return texts(["" if s is None else s for s in column]), known


_TAKE: dict[str, Callable[[Sequence[Event]], list[str | None]]] = {
    # An attribute read in a comprehension is twice as fast as one by getattr, and this is the hot path.
    "id": lambda events: [e.id for e in events],
    "community": lambda events: [e.community for e in events],
    "room": lambda events: [e.room for e in events],
    "member": lambda events: [e.member for e in events],
    "name": lambda events: [e.name for e in events],
    "text": lambda events: [e.text for e in events],
    "reply_to": lambda events: [e.reply_to for e in events],
    "target": lambda events: [e.target for e in events],
}


def batch(events: Sequence[Event], calendar: Calendar, seed: int = 0) -> tuple[Batch, list[Event]]:
    """Make columns of events; second, the events left out because their ``at`` is no RFC 3339 time."""
    at = parse_times([e.at for e in events])
    bad = at == NOT_A_TIME
    if not bad.any():
        return Batch(events, at, calendar, seed), []
    sound = [e for e, b in zip(events, bad, strict=True) if not b]
    return Batch(sound, at[~bad], calendar, seed), [e for e, b in zip(events, bad, strict=True) if b]


def _known(known: Bools) -> Bools | None:
    return None if known.all() else known


def _numbers(column: list[int | None]) -> Column:
    try:
        return Column(np.array(column, np.int64))
    except TypeError:
        known = np.array([v is not None for v in column])
        return Column(np.array([0 if v is None else v for v in column], np.int64), known)
