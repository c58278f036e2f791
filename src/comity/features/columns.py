"""A batch of events as columns: each is made when a rule first looks at it, and once."""

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, cast, overload

import numpy as np
import numpy.typing as npt

from comity.core.event import KINDS, ROLES, Event, Kind, Media, Role
from comity.features.kernels.hashing import hash_spans, split
from comity.features.pieces import MOST_MESSAGES, Bools, Ints, Piece, joined
from comity.features.times import NOT_A_TIME, Calendar, parse_spans

Bytes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]

_SKEW = 3_600_000  # milliseconds by which two clocks may differ
_GIVING_A_ROLE = KINDS.index("role")


class Column(NamedTuple):
    """Values of shape (events,), and where they are known; None: everywhere. A truth is False where it is unknown."""

    values: npt.NDArray[Any]
    known: Bools | None = None


class Texts(NamedTuple):
    """Strings in one buffer of UTF-8: string i is buffer[starts[i]:ends[i]], and a NUL parts it from the next."""

    joined: bytes
    buffer: Bytes
    starts: Ints
    ends: Ints

    def string(self, i: int) -> str:
        """One of the strings."""
        return self.joined[self.starts[i] : self.ends[i]].decode()

    def some(self, rows: Ints) -> list[str]:
        """Some of the strings, in half the time that it takes one by one."""
        whole, at = self.joined, zip(self.starts[rows].tolist(), self.ends[rows].tolist(), strict=True)
        return [whole[start:end].decode() for start, end in at]


def texts(strings: Sequence[str]) -> Texts:
    """Join strings, as ``pieces.joined`` does."""
    return spans(joined(strings), len(strings))


def spans(whole: bytes, count: int) -> Texts:
    """Find ``count`` strings joined by NUL. Raises ValueError if there are not so many."""
    buffer = np.frombuffer(whole, np.uint8)
    if count == 1 and 0 not in whole:
        return Texts(whole, buffer, np.zeros(1, np.int64), np.array([len(whole)], np.int64))
    found = split(buffer, 0, count)
    if found is None:
        raise ValueError(f"{whole.count(0) + 1} strings where {count} were joined")
    return Texts(whole, buffer, *found)


def hash_text(text: str, seed: int) -> int:
    """The hash of one string: equal to what a column of it holds."""
    t = texts([text])
    return int(hash_spans(t.buffer, t.starts, t.ends, np.uint64(seed))[0])


class Batch:
    """Events in the order of their arrival, as columns of shape (events,).

    seed: of the hashes of identifiers, so that what is carried between batches tells nobody's name. Build it with
    ``batch``, which leaves out events whose time cannot be read. memo: what expressions have worked out so far, each
    under its own key, so that clauses that ask the same thing share one answer, and two charters none; made: what
    features made of the whole batch, by their own keys.
    """

    def __init__(self, pieces: Sequence[Piece], calendar: Calendar, seed: int) -> None:
        self._pieces, self.calendar, self.seed = pieces, calendar, seed
        self._n = sum(p.n for p in pieces)
        self.memo: dict[object, Column] = {}
        self.made: dict[Hashable, Any] = {}
        self._texts: dict[str, tuple[Texts, Bools | None]] = {}
        self._hashes: dict[str, Column] = {}

    def __len__(self) -> int:
        return self._n

    @cached_property
    def at(self) -> Ints:
        """Milliseconds since 1970; NOT_A_TIME where the text is no time."""
        return parse_spans(*self.strings("at")[0])

    @cached_property
    def days(self) -> Ints:
        """Days since 1970-01-01 on the charter's wall clock."""
        return self.calendar.days(self.at)

    @cached_property
    def kinds(self) -> npt.NDArray[np.int8]:
        """Positions in ``KINDS``."""
        return _together([p.kinds for p in self._pieces])

    @cached_property
    def roles(self) -> Column:
        """Positions in ``ROLES`` of who did it; unknown where the platform does not say."""
        # In an event that gives a role, the role is the one given, and not the giver's.
        values = np.where(self.kinds == _GIVING_A_ROLE, np.int8(-1), self._given_roles)
        return Column(values, _known(values >= 0))

    @cached_property
    def _given_roles(self) -> npt.NDArray[np.int8]:
        return _together([p.roles for p in self._pieces])

    @property
    def texts(self) -> Texts:
        """What was said; empty where nothing was. See ``text_known``."""
        return self.strings("text")[0]

    @property
    def text_known(self) -> Bools | None:
        """Where there is a text."""
        return self.strings("text")[1]

    @cached_property
    def mentions(self) -> Column:
        """Numbers of members mentioned."""
        values = _together([p.mentions for p in self._pieces])
        if len(values) and values.min() < 0:
            return Column(np.maximum(values, 0), values >= 0)
        return Column(values)

    @cached_property
    def mentioned(self) -> tuple[Ints, Texts]:
        """The event of each mention, ascending, and who is mentioned, both of shape (mentions,)."""
        counts = self.mentions.values
        owners = np.repeat(np.arange(self._n), counts)
        mentioned = [p.mentioned for p in self._pieces if p.mentions.max(initial=0) > 0]
        return owners, spans(b"\0".join(mentioned), len(owners))

    @cached_property
    def messages_before(self) -> Column:
        """Messages of the member before this event; unknown where it is no number from 0 to ``MOST_MESSAGES``."""
        values = _together([p.messages_before for p in self._pieces])
        known = values.view(np.uint64) <= MOST_MESSAGES
        return Column(values) if known.all() else Column(np.where(known, values, 0), known)

    @cached_property
    def account_age(self) -> Column:
        """Milliseconds between the account's making and the event; unknown if it was made an hour later, or more."""
        created, known = self.strings("account_created_at")
        if known is not None and not known.any():
            return Column(np.zeros(self._n, np.int64), known)
        values = parse_spans(*created)
        known = (values != NOT_A_TIME) & (values - self.at < _SKEW)
        return Column(np.where(known, self.at - values, 0), _known(known))

    @cached_property
    def media(self) -> dict[int, tuple[Media, ...]]:
        """Files by event, of the events that have some."""
        found, first = {}, 0
        for piece in self._pieces:
            found.update({first + i: m for i, m in piece.media.items()})
            first += piece.n
        return found

    @cached_property
    def media_known(self) -> Bools | None:
        """Where the platform says whether there are files."""
        return _known_together([(p.n, p.media_known) for p in self._pieces])

    def strings(self, field: str) -> tuple[Texts, Bools | None]:
        """A field of strings (``pieces.STRINGS``), empty where there is none, and where there is one."""
        if field not in self._texts:
            columns = [p.strings[field] for p in self._pieces]
            whole = columns[0].joined if len(columns) == 1 else b"\0".join([c.joined for c in columns])
            known = _known_together([(p.n, c.known) for p, c in zip(self._pieces, columns, strict=True)])
            self._texts[field] = spans(whole, self._n), known
        return self._texts[field]

    def string(self, field: str, i: int) -> str:
        """A field of one event; empty where there is none."""
        return self.strings(field)[0].string(i)

    def hashes(self, field: str) -> Column:
        """Hashes of a field of strings, of shape (events,)."""
        if field not in self._hashes:
            t, known = self.strings(field)
            self._hashes[field] = Column(hash_spans(t.buffer, t.starts, t.ends, np.uint64(self.seed)), known)
        return self._hashes[field]

    @property
    def events(self) -> "Events":
        """The events themselves, each put together again when it is asked for."""
        return Events(self)

    def event(self, i: int) -> Event:
        """One event, as it was."""
        before = int(self.messages_before.values[i])
        owners, mentioned = self.mentioned
        low, high = np.searchsorted(owners, [i, i + 1])
        role = self._given_roles[i]
        return Event(
            id=self.string("id", i),
            at=self.string("at", i),
            kind=cast("Kind", KINDS[self.kinds[i]]),
            community=self.string("community", i),
            room=self.string("room", i),
            member=self.string("member", i),
            name=self._maybe("name", i),
            role=cast("Role", ROLES[role]) if role >= 0 else None,
            text=self._maybe("text", i),
            mentions=[mentioned.string(k) for k in range(low, high)] if _is_known(self.mentions.known, i) else None,
            reply_to=self._maybe("reply_to", i),
            target=self._maybe("target", i),
            media=list(self.media.get(i, ())) if _is_known(self.media_known, i) else None,
            account_created_at=self._maybe("account_created_at", i),
            messages_before=before if _is_known(self.messages_before.known, i) else None,
        )

    def _maybe(self, field: str, i: int) -> str | None:
        return self.string(field, i) if _is_known(self.strings(field)[1], i) else None


class Events(Sequence[Event]):
    """The events of a batch."""

    def __init__(self, of: Batch) -> None:
        self._of = of

    def __len__(self) -> int:
        return len(self._of)

    @overload
    def __getitem__(self, i: int) -> Event: ...
    @overload
    def __getitem__(self, i: slice) -> list[Event]: ...
    def __getitem__(self, i: int | slice) -> Event | list[Event]:
        if isinstance(i, slice):
            return [self._of.event(k) for k in range(*i.indices(len(self)))]
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        return self._of.event(int(i) % len(self))


def batch(pieces: Sequence[Piece], calendar: Calendar, seed: int = 0) -> tuple[Batch, list[Event]]:
    """Make a batch of pieces; second, the events left out because their ``at`` is no RFC 3339 time."""
    made = Batch(pieces, calendar, seed)
    bad = made.at == NOT_A_TIME
    if not bad.any():
        return made, []
    return only(made, ~bad), [made.event(i) for i in np.flatnonzero(bad).tolist()]


def only(of: Batch, rows: Bools) -> Batch:
    """A batch of some of the events of another."""
    return Batch([Piece([of.event(i) for i in np.flatnonzero(rows).tolist()])], of.calendar, of.seed)


def _together(columns: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _known_together(columns: list[tuple[int, Bools | None]]) -> Bools | None:
    if len(columns) == 1:
        return columns[0][1]
    if all(known is None for _, known in columns):
        return None
    return np.concatenate([np.ones(n, np.bool_) if known is None else known for n, known in columns])


def _known(known: Bools) -> Bools | None:
    return None if known.all() else known


def _is_known(known: Bools | None, i: int) -> bool:
    return known is None or bool(known[i])
