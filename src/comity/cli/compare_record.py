"""Two charters over the record: on all cores, to be stopped and gone on with, by the accounts of those still known."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from comity.cli.common import Step, now, today
from comity.cli.compared import Judged
from comity.cli.printing import printable
from comity.cli.record_options import Where, finished_beside, the_keeper, the_record
from comity.cli.recorded_weeks import RecordedWeeks, RecordSource
from comity.compare import Difference, Named, Naming, differing
from comity.core.charter import Charter
from comity.core.retention import DAY
from comity.core.review import precision
from comity.replayed import Rated
from comity.replayer import Replayer
from comity.stores.record.finished import FinishedWeeks
from comity.stores.record.reading import Reading
from comity.stores.record.record import Record
from comity.stores.sql_store import SqlStore

_CHARTERS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a command was told: which record, what of it, and how. days: how many of the last; None for all."""

    where: Where
    community: str | None
    days: int | None
    workers: int
    finished: Path | None


class Prepared:
    """A comparison that can begin. total: events, for each charter, of the weeks that are looked at."""

    def __init__(
        self, asked: Asked, source: RecordSource, weeks: RecordedWeeks, judged: dict[str, tuple[int, int]]
    ) -> None:
        self._asked, self._source, self._judged = asked, source, judged
        self._accounts, self._known, self._versions = weeks.accounts, weeks.known, weeks.versions()
        self.total = _CHARTERS * sum(v.events for v in self._versions)

    def compare(self, old: Charter, new: Charter, step: Step) -> tuple[list[Difference], int]:
        """Who would be treated differently, and how many events were rated."""
        replayer = Replayer(self._source, workers=self._asked.workers, finished=self._finished(), progress=_each(step))
        before, after = replayer.rate([old, new], self._versions)
        last = today(new)
        sheets = [(rated.sheet(last), self._naming(rated)) for rated in (before, after)]
        return differing(*sheets), after.events

    def judged(self, *charters: Charter) -> Judged:
        """How often clauses of the charters were right, of those that were judged."""
        found = {}
        for charter in charters:
            for clause in charter.clauses:
                if sum(counts := self._judged.get(clause.id, (0, 0))):
                    found[clause.id] = precision(clause.id, clause.rule, *counts, charter.due_process)
        return found

    def _naming(self, rated: Rated) -> Naming:
        def naming(member: int) -> Named:
            community, pseudonym = rated.members[member - 1]
            return Named((community, pseudonym), pseudonym, self._accounts.get(pseudonym, ""))

        return naming

    def _finished(self) -> FinishedWeeks | None:
        folder = self._asked.finished or finished_beside(self._source.store)
        return None if folder is None else self._source.finished(folder)


@contextmanager
def prepared(asked: Asked) -> Iterator[Prepared]:
    """Open the record and see what there is of it."""
    store, folder, key_at = asked.where
    with the_record(store, folder, the_keeper(key_at), read_only=True) as (ledger, kept):
        community, at = _community(asked.community, kept), now()
        since = 0 if asked.days is None else at - asked.days * DAY
        through = kept.parts.tail.last()[0]
        source = RecordSource(store, folder, key_at or "", community, at, through, since)
        weeks = RecordedWeeks(ledger, Reading(kept.parts, at, through=through), community, since)
        yield Prepared(asked, source, weeks, _judged(ledger, community))


def _community(named: str | None, record: Record) -> str:
    there = sorted({community for community, _ in record.parts.rows.rooms()})
    if named in there:
        return str(named)
    if named is not None or len(there) != 1:
        names = ", ".join(map(printable, there)) or "none"
        raise click.UsageError(f"name the --community whose record is meant: {names}")
    return there[0]


def _judged(ledger: SqlStore, community: str) -> dict[str, tuple[int, int]]:
    return {j.clause_id: (j.correct, j.wrong) for j in ledger.process.judged(ledger.community(community))}


def _each(step: Step) -> Step:
    """Tell what is done under any charter, and of the events only so many as there are."""
    done = 0

    def told(more: int, _rated: int) -> None:
        nonlocal done
        before, done = done // _CHARTERS, done + more
        step(more, done // _CHARTERS - before)

    return told
