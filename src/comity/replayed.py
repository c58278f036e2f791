"""What charters find in a stretch of the record: a week at a time, as columns without a word of what was said."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
import pyarrow as pa

from comity.book import Sheet
from comity.core.charter import Charter
from comity.core.event import KINDS, ROLES
from comity.core.retention import start_of
from comity.engine import Engine, Findings
from comity.features.columns import Batch
from comity.features.kernels.aggregate import Tally
from comity.features.kernels.hashing import mix
from comity.features.memory import Memory
from comity.features.patterns import PatternSet
from comity.features.pieces import Ints
from comity.replay import Pieced, uncollected
from comity.replay_record import chunks
from comity.stores.contract import ActivityInForce, FindingsInForce
from comity.turns import clause_row

_MESSAGE = KINDS.index("message")
_MANAGER = ROLES[ROLES.index("manager")]


class Version(NamedTuple):
    """A week as it may be read. digest: while it is the same, so is all that is read up to the week's end."""

    week: int
    events: int
    digest: str


class Weeks(Protocol):
    """A record that is open. seed: of the hashes of identifiers; accounts: by pseudonym, where they are known."""

    @property
    def seed(self) -> int: ...  # noqa: D102  the class says it

    @property
    def accounts(self) -> Mapping[str, str]: ...  # noqa: D102  the same

    def versions(self) -> Sequence[Version]:
        """The weeks there are, in order."""

    def tables(self, first: int, last: int) -> Iterator[pa.Table]:
        """All events of these weeks and those between, a table for each week that there is, in order."""

    def names_of(self, role: str, before: int) -> pa.Table:
        """One event for each name that each member bore in a role before a time, milliseconds since 1970."""


class Source(Protocol):
    """A record, to be opened in whichever process; it can be pickled, and holds no secret."""

    def open(self) -> AbstractContextManager[Weeks]:
        """Open it, for as long as the context lasts."""


class Found(msgspec.Struct, frozen=True, array_like=True):
    """What a charter finds in a week. members: community and pseudonym; the columns are bytes of 64-bit numbers.

    activity: member (a position in ``members``), day, messages; findings: at, day, member, clause (a position in the
    engine's), event (equal where it is the same one).
    """

    events: int
    members: list[tuple[str, str]]
    activity: tuple[bytes, ...]
    findings: tuple[bytes, ...]


class Done(NamedTuple):
    """A week is done under a charter, which goes by its position."""

    charter: int
    week: int
    found: Found


class Run(NamedTuple):
    """Weeks that follow one another, to be rated under charters (positions) by one worker."""

    charters: tuple[int, ...]
    weeks: tuple[Version, ...]

    @property
    def size(self) -> int:
        """How much work it is: events, for each charter."""
        return len(self.charters) * sum(v.events for v in self.weeks)


class Work:
    """Rating runs of a record that is open, one after the other; what is made for a charter is made once."""

    def __init__(self, weeks: Weeks, charters: Sequence[Charter]) -> None:
        self._weeks, self._charters = weeks, charters
        self._patterns = PatternSet()
        self._engines: dict[int, tuple[Engine, dict[str, bytes]]] = {}

    def rate(self, run: Run) -> Iterator[int | Done]:
        """Rate a run; gives how many events more were rated, and each week under each charter when it is done.

        Every count over time is as though all events before the run had been rated as well, since a count looks back
        for a fixed time only, and the record is in the order of its times.
        """
        weeks = self._weeks
        raters = [_Rater(number, self._engine(number)) for number in run.charters]
        members = _Members({account: name for name, account in weeks.accounts.items()})
        with uncollected():
            for chunk in _before(weeks, run.weeks[0].week, raters):
                for _ in _turn(raters, chunk, None):
                    pass
            tables = weeks.tables(run.weeks[0].week, run.weeks[-1].week)
            for version, table in zip(run.weeks, tables, strict=True):
                for chunk in chunks([table], weeks.accounts):
                    yield from _turn(raters, chunk, members)
                for rater in raters:
                    yield Done(rater.number, version.week, rater.take(members))

    def _engine(self, number: int) -> Engine:
        """The engine of a charter, which has seen nothing."""
        if number not in self._engines:
            engine = Engine(self._charters[number], seed=self._weeks.seed, patterns=self._patterns)
            self._engines[number] = engine, engine.dump()
        engine, nothing = self._engines[number]
        engine.load(nothing)
        return engine


class Rated:
    """What a charter finds in all weeks, put together. members: community and pseudonym, number n at n - 1."""

    def __init__(self, engine: Engine, weeks: Sequence[Found]) -> None:
        self.charter = engine.charter
        self.events = sum(f.events for f in weeks)
        self._clauses = [clause_row(engine, c) for c in engine.clauses]
        numbers: dict[tuple[str, str], int] = {}
        activity, findings, before = [], [], 0
        for found in weeks:
            number = np.array([numbers.setdefault(m, len(numbers) + 1) for m in found.members], np.int64)
            member, day, messages = map(_ints, found.activity)
            activity.append((number[member], day, messages))
            at, day, member, clause, event = map(_ints, found.findings)
            same = np.unique(event, return_index=True, return_inverse=True)
            first = same[1][same[2]] if len(event) else event
            findings.append((at, day, number[member], np.zeros_like(at), clause + 1, first + before + 1))
            before += len(at)
        self.members = list(numbers)
        rows = [_together(columns) for columns in zip(*activity, strict=True)] or [_NONE] * 3
        self.findings = FindingsInForce(
            np.arange(1, before + 1), *([_together(columns) for columns in zip(*findings, strict=True)] or [_NONE] * 6)
        )
        self.activity = ActivityInForce(np.arange(before + 1, before + 1 + len(rows[0])), *rows)

    def sheet(self, not_after: int | None = None) -> Sheet:
        """Everybody's standing by it; not_after: see ``Sheet``."""
        in_force = self.activity, self.findings
        return Sheet(self.charter, in_force, clauses=self._clauses, members=len(self.members), not_after=not_after)


class _Members:
    """Numbers of members, from 0 on. called: their pseudonyms, by account."""

    def __init__(self, called: Mapping[str, str]) -> None:
        self._called, self._known, self._numbers = called, Memory(), dict[tuple[str, str], int]()
        self.all: list[tuple[str, str]] = []

    def of(self, batch: Batch) -> Ints:
        keys = mix(batch.hashes("community").values, batch.hashes("member").values)
        return self._known.find(keys, lambda rows: [self._number(batch, i) for i in rows.tolist()])

    def _number(self, batch: Batch, row: int) -> int:
        account = batch.string("member", row)
        who = batch.string("community", row), self._called.get(account, account)
        if who not in self._numbers:
            self._numbers[who] = len(self.all)
            self.all.append(who)
        return self._numbers[who]


@dataclass(slots=True)
class _Rater:
    """A charter at work, and what it found since it was last taken."""

    number: int
    engine: Engine
    tally: Tally
    found: list[tuple[Ints, ...]]
    events: int

    def __init__(self, number: int, engine: Engine) -> None:
        self.number, self.engine, self.tally, self.found, self.events = number, engine, Tally(), [], 0

    def add(self, batch: Batch, findings: Findings, members: Ints) -> None:
        messages = batch.kinds == _MESSAGE
        who, days = members[messages].astype(np.uint64), batch.days[messages].astype(np.int32)
        self.tally.add(who, days)
        rows = findings.rows
        if len(rows):
            self.found.append((batch.at[rows], batch.days[rows], members[rows], findings.clauses, rows + self.events))
        self.events += len(batch)

    def take(self, members: _Members) -> Found:
        who, days, messages = self.tally.take()[:3]
        columns = [_together(some) for some in zip(*self.found, strict=True)] or [_NONE] * 5
        present, where = np.unique(np.concatenate([who.astype(np.int64), columns[2]]), return_inverse=True)
        columns[2] = where[len(who) :]
        found = Found(
            self.events,
            [members.all[i] for i in present.tolist()],
            tuple(_bytes(c) for c in (where[: len(who)], days, messages)),
            tuple(map(_bytes, columns)),
        )
        self.found, self.events = [], 0
        return found


def _before(weeks: Weeks, first: int, raters: Sequence[_Rater]) -> Iterator[Pieced]:
    """What has to be seen before the first week of a run, in order."""
    reaches = [rater.engine.plan.reach for rater in raters]
    backs = [start_of(first) if r.back is None else r.back for r in reaches]
    since = start_of(first) - max(backs, default=0) - 1
    if any(r.names for r in reaches):
        yield from chunks([weeks.names_of(_MANAGER, since)], weeks.accounts)
    versions = [v.week for v in weeks.versions() if start_of(v.week + 1) > since and v.week < first]
    if versions:
        for table in weeks.tables(versions[0], versions[-1]):
            yield from chunks([table.filter(pa.array(table.column("at").to_numpy() >= since))], weeks.accounts)


def _turn(raters: Sequence[_Rater], chunk: Pieced, members: _Members | None) -> Iterator[int]:
    """A piece under each charter; those that share a clock share its columns. members: None before the run begins."""
    batches: dict[str, Batch] = {}
    for rater in raters:
        zone = rater.engine.charter.time_zone
        if zone not in batches:
            batches[zone] = rater.engine.columns([chunk.piece])[0]
        batch = batches[zone]
        findings = rater.engine.find(batch)
        if members is not None and len(batch):
            rater.add(batch, findings, members.of(batch))
            yield len(batch)


_NONE = np.empty(0, np.int64)


def _together(columns: Sequence[Any]) -> Ints:
    return np.concatenate(columns).astype(np.int64) if columns else _NONE


def _bytes(column: Any) -> bytes:  # noqa: ANN401  any numbers
    return np.ascontiguousarray(column, "<i8").tobytes()


def _ints(column: bytes) -> Ints:
    return np.frombuffer(column, "<i8").astype(np.int64)
