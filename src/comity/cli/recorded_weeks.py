"""The record as what a replay reads: opened anew in each worker, by where it is and never by a key."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from comity.cli.record_options import the_keeper, the_record
from comity.core.place import Place
from comity.core.retention import end_of, start_of, week_of
from comity.replayed import Version
from comity.stores.record.finished import FinishedWeeks
from comity.stores.record.reading import Reading
from comity.stores.sql_store import SqlStore


class RecordedWeeks:
    """Fulfils ``replayed.Weeks``. since: milliseconds since 1970, of the oldest whole week that is read."""

    def __init__(self, store: SqlStore, reading: Reading, community: str, since: int) -> None:
        self._store, self._reading, self._community, self._since = store, reading, community, since
        self.seed = int.from_bytes(store.event_key[:8], "big")
        self.accounts: Mapping[str, str] = store.record.accounts(community)

    def versions(self) -> list[Version]:
        """See ``replayed.Weeks``; the events of a week may be of several communities, its digest is for this one."""
        about = repr((self._community, week_of(self._since))).encode()
        return [
            Version(v.week, v.events, sha256(about + v.digest.encode()).hexdigest())
            for v in self._reading.versions()
            if end_of(v.week) > self._since
        ]

    @property
    def known(self) -> str:
        """A digest of the accounts that are known."""
        return sha256(repr(sorted(self.accounts.items())).encode()).hexdigest()

    def tables(self, first: int, last: int) -> Iterator[pa.Table]:
        """See ``replayed.Weeks``."""
        for table in self._reading.weeks(since=start_of(first), until=start_of(last)):
            yield self._ours(table)

    def names_of(self, role: str, before: int) -> pa.Table:
        """See ``replayed.Weeks``."""
        first = start_of(week_of(self._since))
        return self._ours(self._reading.names_of(role, since=first, before=before))

    def _ours(self, table: pa.Table) -> pa.Table:
        whose = pc.equal(table.column("community").cast(pa.string()), self._community)
        return table if pc.all(whose).as_py() in {True, None} else table.filter(whose)


@dataclass(frozen=True, slots=True)
class RecordSource:
    """Fulfils ``replayed.Source``: one community of a record.

    store, folder, key_at: as commands are told; now: the time it is read at; through: the last frame that is read;
    since: as in ``RecordedWeeks``; times are milliseconds since 1970.
    """

    store: Place
    folder: str | None
    key_at: str
    community: str
    now: int
    through: int
    since: int = 0

    @contextmanager
    def open(self) -> Iterator[RecordedWeeks]:
        """See ``replayed.Source``."""
        with the_record(self.store, self.folder, the_keeper(self.key_at), read_only=True) as (store, kept):
            yield RecordedWeeks(store, Reading(kept.parts, self.now, through=self.through), self.community, self.since)

    def finished(self, folder: Path) -> FinishedWeeks:
        """Where finished weeks are kept."""
        return FinishedWeeks(folder, the_keeper(self.key_at), self.now)
