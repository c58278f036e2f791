"""Charters over the record, on all cores: the same as one pass, since a worker first sees what its weeks rest on.

docs/decisions/replay-by-weeks.md says why the work is cut by time.
"""

import os
import re
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final, NamedTuple, Protocol

import msgspec

from comity import __version__
from comity.core.charter import Charter
from comity.core.errors import ComityError
from comity.engine import Engine
from comity.features.patterns import PatternSet
from comity.language import rests_on_a_score
from comity.replayed import Done, Found, Rated, Run, Source, Version, Work

_A_WORKER: Final = 1_000_000  # events, summed over the charters, that are worth starting one for
_FORMAT: Final = 1  # of what is kept
_BY_ACCOUNT: Final = re.compile(
    r"\bmember_in\b|\b(?:member|target)\s*(?:[=!]=|(?:not\s+)?in\b)|==\s*(?:member|target)\b"
)
_DECODER: Final = msgspec.msgpack.Decoder(Found)
Progress = Callable[[int, int], None]  # told events done and events rated since it was told last


class ReplayError(ComityError):
    """The record cannot be replayed now; the text says what to do."""


class Finished(Protocol):
    """Weeks that were finished before, by name, kept from one replay to the next."""

    def get(self, name: str) -> bytes | None:
        """What was kept under a name, None if there is nothing, or nothing whole."""

    def keep(self, name: str, body: bytes) -> None:
        """Keep it whole, or not at all."""


class Replayer:
    """Rates a record by charters.

    source: the record; workers: processes, 1 for none but this one, 0 for as many as there are cores where there is
    enough to do; finished: what is kept there is used again; accounts: a digest of those that are known, on which rules
    about accounts depend; progress: told how far it is. It can be stopped at any moment: weeks that are finished stay
    so.
    """

    def __init__(
        self,
        source: Source,
        *,
        workers: int = 0,
        finished: Finished | None = None,
        accounts: str = "",
        progress: Progress = lambda _done, _rated: None,
    ) -> None:
        self._source, self._workers, self._finished, self._progress = source, workers, finished, progress
        self._accounts = accounts

    def rate(self, charters: Sequence[Charter], versions: Sequence[Version]) -> list[Rated]:
        """What each charter finds in these weeks: all there are, as ``Weeks.versions`` gives them.

        Raises ReplayError if the record was changed meanwhile, or a worker was killed.
        """
        engines = [Engine(charter, patterns=PatternSet()) for charter in charters]  # which scan nothing here
        names = [_names(charter, versions, self._accounts) for charter in charters]
        found = [self._known(name) for name in names]
        self._progress(sum(f.events for known in found for f in known.values()), 0)
        missing = [{v.week for v in versions if v.week not in known} for known in found]
        # Who looks back for ever sees all weeks in one run.
        endless = [i for i, e in enumerate(engines) if missing[i] and e.plan.reach.back is None]
        runs = [Run((i,), tuple(versions)) for i in endless]
        for i in endless:
            missing[i] = set()
        work = sum(r.size for r in runs) + sum(v.events for v in versions for weeks in missing if v.week in weeks)
        hands = self._workers or max(1, min(_cores(), work // _A_WORKER))
        runs += _runs(versions, missing, hands)  # more would each read again what came before
        for done in self._run(charters, runs, min(hands, len(runs))):
            found[done.charter][done.week] = done.found
            name = names[done.charter].get(done.week)
            if name is not None and self._finished is not None:
                self._finished.keep(name, msgspec.msgpack.encode(done.found))
        return [Rated(e, [f[v.week] for v in versions]) for e, f in zip(engines, found, strict=True)]

    def _known(self, names: dict[int, str]) -> dict[int, Found]:
        known = {}
        for week, name in names.items() if self._finished is not None else ():
            body = self._finished.get(name) if self._finished is not None else None
            if body is not None:
                known[week] = _DECODER.decode(body)
        return known

    def _run(self, charters: Sequence[Charter], runs: Sequence[Run], hands: int) -> Iterator[Done]:
        told = _elsewhere(self._source, charters, runs, hands) if hands > 1 else self._here(charters, runs)
        for each in told:
            if isinstance(each, Done):
                yield each
            else:
                self._progress(each, each)

    def _here(self, charters: Sequence[Charter], runs: Sequence[Run]) -> Iterator[int | Done]:
        if runs:
            with self._source.open() as weeks:
                work = Work(weeks, charters)
                for run in runs:
                    yield from work.rate(run)


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _names(charter: Charter, versions: Sequence[Version], accounts: str) -> dict[int, str]:
    """What each week is kept under: whatever moves a finding is in it, and no figure of standing or measure.

    What a classifier says is another program's word, and is asked for again each time.
    """
    looks = [c for c in charter.clauses if c.state != "draft"]
    if any(rests_on_a_score(c.when) for c in looks):
        return {}
    known = accounts if any(_BY_ACCOUNT.search(c.when) for c in looks) else ""
    form = (_FORMAT, __version__, charter.time_zone, [(c.when, dict(c.parameters)) for c in looks], known)
    of = blake2b(msgspec.json.encode(form, order="sorted"), digest_size=16).hexdigest()
    return {v.week: blake2b(f"{of}{v.week}{v.digest}".encode(), digest_size=16).hexdigest() for v in versions}


def _runs(versions: Sequence[Version], missing: Sequence[set[int]], pieces: int) -> list[Run]:
    """Cut what is missing into runs of weeks that follow one another, of about one size; the largest come first."""
    of = [tuple(i for i, weeks in enumerate(missing) if v.week in weeks) for v in versions]
    whole = sum(len(some) * v.events for some, v in zip(of, versions, strict=True))
    runs: list[tuple[tuple[int, ...], list[Version]]] = []
    size = done = 0
    for some, version in zip(of, versions, strict=True):
        here = len(some) * version.events
        # A run ends where the next share of the whole begins, taken at the middle of a week.
        ended = (done + here / 2) * pieces // max(whole, 1) > (done - size) * pieces // max(whole, 1) and size
        if runs and runs[-1][0] == some and not ended:
            runs[-1][1].append(version)
            size += here
        else:
            runs.append((some, [version]))
            size = here
        done += here
    made = [Run(some, tuple(weeks)) for some, weeks in runs if some]
    return sorted(made, key=lambda run: run.size, reverse=True)


class _Over(NamedTuple):
    """A run is over; or why it cannot be."""

    why: str = ""


def _elsewhere(source: Source, charters: Sequence[Charter], runs: Sequence[Run], workers: int) -> Iterator[int | Done]:
    """Have workers rate runs; what they tell, as it comes."""
    waiting = deque(runs)
    with _working(source, charters, workers) as connections:
        for connection in connections:
            connection.send(waiting.popleft())
        busy = dict.fromkeys(connections)
        while busy:
            ready = wait(list(busy))
            for connection in [c for c in busy if c in ready]:
                told = _told(connection)
                if not isinstance(told, _Over):
                    yield told
                elif told.why:
                    raise ReplayError(told.why)
                elif waiting:
                    connection.send(waiting.popleft())
                else:
                    busy.pop(connection)


def _told(connection: Connection) -> "int | Done | _Over":
    try:
        told: int | Done | _Over = connection.recv()
    except (EOFError, OSError) as error:
        why = "a worker ended before its work: run it again, with fewer --workers if memory is short"
        raise ReplayError(why) from error
    return told


@contextmanager
def _working(source: Source, charters: Sequence[Charter], workers: int) -> Iterator[list[Connection]]:
    """Processes that wait for runs; however this ends, they end with it."""
    context = get_context("spawn")  # a copy of this process would share the store's connections
    processes: list[SpawnProcess] = []
    connections: list[Connection] = []
    try:
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, source, charters), daemon=True)
            process.start()
            theirs.close()
            processes.append(process)
            connections.append(ours)
        yield connections
    finally:
        _end(processes, connections)


def _end(processes: Iterable[SpawnProcess], connections: Iterable[Connection]) -> None:
    for connection in connections:
        connection.close()
    for process in processes:
        process.terminate()
        process.join()


def _work(connection: Connection, source: Source, charters: Sequence[Charter]) -> None:
    """What a worker does, until nobody listens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever began this ends it
    try:
        with source.open() as weeks:
            there, work = {v.week: v for v in weeks.versions()}, Work(weeks, charters)
            while True:
                run: Run = connection.recv()
                if any(there.get(v.week) != v for v in run.weeks):
                    raise ReplayError("the record was sealed or changed meanwhile: run it again; what is done is kept")
                for told in work.rate(run):
                    connection.send(told)
                connection.send(_Over())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except ComityError as error:
        connection.send(_Over(str(error)))
