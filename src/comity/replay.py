"""Replay: the same turn as live, over files. What comes of it is kept in one transaction every so many events.

Whatever was kept survives kill -9, and rating again goes on from there: events counted before are known by their ids
and not counted twice, and the carried window state is the one of the last commit.
"""

import ctypes
import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from comity.core.event import KINDS, Event, Unread
from comity.core.ledger import NO_ACTIVITY, NO_FINDINGS, ActivityColumns
from comity.engine import Engine, Turn
from comity.features.columns import Batch, only
from comity.features.kernels.aggregate import Tally
from comity.features.kernels.hashing import mix
from comity.features.kernels.seen import SeenHours
from comity.features.lines import Lines
from comity.features.lines import piece as from_lines
from comity.features.memory import UNKNOWN, Memory
from comity.features.pieces import Ints, Piece
from comity.stores.contract import SourceRow, Store
from comity.turns import Numbers, States, clause_numbers, finding_columns

BATCH = 16_384  # events a turn: enough that what a turn costs is spread thin, few enough to stay in the cache
COMMIT = 262_144  # events a transaction
MOST_UNREAD = 1_000  # that are named one by one; beyond, they are counted
_MESSAGE = KINDS.index("message")


class Chunk(Protocol):
    """Some events as a reader gives them."""

    @property
    def events(self) -> list[Event]:
        """Read, in order."""

    @property
    def lines(self) -> Lines | None:
        """Or lines, where they were not looked at yet."""

    @property
    def unread(self) -> list[Unread]:
        """What could not be read there."""

    @property
    def read(self) -> int:
        """Bytes of the input this took."""


class Pieced(NamedTuple):
    """Some events that are columns already, each of them once. read: bytes of the input this took."""

    piece: Piece
    read: int


@dataclass(slots=True)
class Summary:
    """What a run came to.

    events, messages: new ones; twice: events known from before; communities, rooms: those that any event was of, new or
    known, by number, communities by name too; unread: how many, named: the first of them; first, last: milliseconds
    since 1970, of new events.
    """

    events: int = 0
    messages: int = 0
    twice: int = 0
    communities: dict[str, int] = field(default_factory=dict)
    rooms: set[int] = field(default_factory=set)
    findings: Counter[int] = field(default_factory=Counter)
    unread: int = 0
    named: list[Unread] = field(default_factory=list)
    first: int | None = None
    last: int | None = None

    def leave_out(self, unread: Sequence[Unread]) -> None:
        """Note what could not be read."""
        self.unread += len(unread)
        self.named.extend(unread[: max(MOST_UNREAD - len(self.named), 0)])


class Rating:
    """One run of a charter over events, into a store.

    source: the number of the run in the store and what is read, noted with every transaction; on_findings: told of each
    turn, before it is committed; once: no event comes twice, as in the record, and none is remembered. anew: the counts
    over time that go on from nothing, because the charter rated by last did not have them; empty where there was no
    rating before.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        *,
        source: tuple[int, str] | None = None,
        on_findings: Callable[[Turn, list[str]], None] | None = None,
        once: bool = False,
    ) -> None:
        self._once = once
        self._engine, self._store, self._on_findings, self._source = engine, store, on_findings, source
        self._seen, self._tally, self._numbers, self._met = SeenHours(store.seen), Tally(), Numbers(store), Memory()
        self._read = 0
        self._clauses = clause_numbers(engine, store)
        self._head = store.head()
        self.summary = Summary()
        self._states = States(engine, store.window_states())
        self.anew = self._states.anew

    def run(self, chunks: Iterable[Chunk | Pieced], progress: Callable[[int, int], None] | None = None) -> Summary:
        """Rate everything; progress: told the bytes read and the events rated since it was told last."""
        run([self], chunks, progress)
        return self.summary

    def write(self) -> AbstractContextManager[None]:
        """A transaction of its store."""
        return self._store.write()

    def take(self, pieces: Sequence[Piece], read: int) -> None:
        """Rate pieces of events, of so many bytes, within a transaction; ``settle`` before it ends."""
        self._read += read
        if not pieces:
            return
        batch, unreadable = self._engine.columns(pieces)
        self.summary.leave_out([_no_time(e) for e in unreadable])
        self._meet(batch)
        batch = self._new_only(batch)
        turn = Turn(batch, self._engine.find(batch), unreadable)
        if len(batch):
            self._count(turn)

    def settle(self) -> None:
        """Post what adds up over a transaction: activity, names, seen events, window states, how far the source is."""
        members, days, messages = self._tally.take()[:3]
        if len(members):
            activity = ActivityColumns(members.astype(np.int64).tolist(), days.tolist(), messages.tolist())
            self._head = self._store.post(NO_FINDINGS, activity, after=self._head)
        self._numbers.keep_names()
        self._store.add_seen(self._seen.take_new())
        self._store.save_window_states(self._states.dump())
        if self._source is not None:
            run, path = self._source
            done = self.summary
            row = SourceRow(path, self._read, done.events, sum(done.findings.values()), done.unread)
            self._store.save_source(run, row)

    def _meet(self, batch: Batch) -> None:
        """Know the communities and rooms that events are of, also events known from before."""
        if len(batch) == 0:
            return
        keys = mix(batch.hashes("community").values, batch.hashes("room").values)
        unknown = self._met.look_up(keys) == UNKNOWN
        if unknown.any():
            rows = self._met.firsts(keys, unknown)
            self._met.put(keys[rows], rows)
            self.summary.rooms.update(self._numbers.rooms(batch, rows))
            for name in dict.fromkeys(batch.string("community", i) for i in rows.tolist()):
                self.summary.communities[name] = self._numbers.community(name)

    def _new_only(self, batch: Batch) -> Batch:
        if len(batch) == 0 or self._once:
            return batch
        # An id is unique on its platform; two exports that were numbered from 1 on are of two communities.
        ids = mix(batch.hashes("community").values, batch.hashes("id").values)
        new = self._seen.turn(ids, batch.at)
        if new.all():
            return batch
        self.summary.twice += int(len(new) - new.sum())
        return only(batch, new)

    def _count(self, turn: Turn) -> None:
        batch, summary = turn.batch, self.summary
        members = self._numbers.members(batch)
        messages = batch.kinds == _MESSAGE
        whole = bool(messages.all())
        who, when = (members, batch.days) if whole else (members[messages], batch.days[messages])
        self._tally.add(who.astype(np.uint64), when.astype(np.int32), np.ones(len(who), np.int64))
        summary.events += len(batch)
        summary.messages += len(who)
        low, high = int(batch.at.min()), int(batch.at.max())
        summary.first = low if summary.first is None else min(low, summary.first)
        summary.last = high if summary.last is None else max(high, summary.last)
        if len(turn.findings):
            self._post(turn, members)

    def _post(self, turn: Turn, members: Ints) -> None:
        figures, rooms = self._engine.figures(turn), self._numbers.rooms(turn.batch, turn.findings.rows)
        findings = finding_columns(turn, figures, members, rooms, self._clauses)
        self._head = self._store.post(findings, NO_ACTIVITY, after=self._head)
        self.summary.findings.update(turn.findings.clauses.tolist())
        if self._on_findings is not None:
            self._on_findings(turn, figures)


def run(
    ratings: Sequence[Rating],
    chunks: Iterable[Chunk | Pieced],
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Rate the same events by one or more ratings in one reading; what cannot be read is told to the last of them.

    progress: told the bytes read and the events rated since it was told last.
    """
    source = batches(chunks, ratings[-1].summary)
    going = True
    with uncollected():
        while going:
            going = _transaction(ratings, source, progress)
            gc.collect()
            _give_back()


def _transaction(
    ratings: Sequence[Rating],
    source: Iterator[tuple[list[Piece], int]],
    progress: Callable[[int, int], None] | None,
) -> bool:
    """One transaction of each rating's store; whether there is more to do."""
    with ExitStack() as stack:
        for rating in ratings:
            stack.enter_context(rating.write())
        done = 0
        for pieces, read in source:
            for rating in ratings:
                rating.take(pieces, read)
            events = sum(p.n for p in pieces)
            done += events
            if progress is not None:
                progress(read, events)
            if done >= COMMIT:
                break
        for rating in ratings:
            rating.settle()
    return done >= COMMIT


def _give_back() -> None:
    """Give freed memory back to the system: glibc keeps it, 160 MB after 16 million events. Nothing where it is not."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


@contextmanager
def uncollected() -> Iterator[None]:
    """Within, Python looks for no circles: events hold none, and looking costs a third of the time of a replay."""
    was_on = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_on:
            gc.enable()


def batches(chunks: Iterable[Chunk | Pieced], summary: Summary) -> Iterator[tuple[list[Piece], int]]:
    """Chunks as pieces, put together to batches of about ``BATCH`` events, with the bytes read."""
    pieces: list[Piece] = []
    events = read = 0
    for chunk in chunks:
        read += chunk.read
        if isinstance(chunk, Pieced):
            yield [*pieces, chunk.piece], read
            pieces, events, read = [], 0, 0
            continue
        summary.leave_out(chunk.unread)
        if chunk.lines is not None:
            piece, unread = from_lines(chunk.lines)
            summary.leave_out(unread)
        else:
            piece = Piece(chunk.events)
        if piece.n:
            pieces.append(piece)
            events += piece.n
        if events >= BATCH:
            yield pieces, read
            pieces, events, read = [], 0, 0
    if pieces or read:
        yield pieces, read


def _no_time(event: Event) -> Unread:
    return Unread(event.id, 0, f"the event's time {event.at!r} cannot be read", "RFC 3339 such as 2026-03-01T12:00:00Z")
