"""The store in SQL, whatever database it runs on: one writer, one transaction a batch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

import numpy as np

from comity.core import ledger
from comity.core.errors import LedgerMovedError, StoreError
from comity.core.ledger import ActivityColumns, ClauseRow, FindingColumns, Head, ReversalRow
from comity.stores import salts
from comity.stores import sql_read as read
from comity.stores.contract import (
    ActivityInForce,
    Counts,
    FindingRow,
    FindingsInForce,
    Hashes,
    MemberRow,
    Refusal,
    RunRow,
    SourceRow,
    Verdict,
)
from comity.stores.sql import Db, following, plain
from comity.stores.sql_access import SqlAccess
from comity.stores.sql_api import SqlApi
from comity.stores.sql_charters import SqlCharters
from comity.stores.sql_decisions import SqlDecisions
from comity.stores.sql_excerpts import erase_excerpts
from comity.stores.sql_journal import SqlJournal
from comity.stores.sql_names import Names
from comity.stores.sql_process import SqlProcess
from comity.stores.sql_record import SqlRecord
from comity.stores.verify import verify

_ROWS: Final = 2048  # of a post, sealed and inserted at a time: they stay in the processor's cache
_INDEX_BEHIND: Final = 1_000_000  # entries that may be looked through for one member's findings
_INDEX_BEHIND_LIVE: Final = 50_000  # the same where few are posted at a time: somebody waits for pages then
_FEW: Final = 1000  # findings in one post


class SqlStore:
    """A store over a connection; ``contract.Store`` says what its methods promise. To be used by one thread."""

    def __init__(self, db: Db) -> None:
        """Use ``open`` of one of its kinds."""
        self._db = db
        self._inside = self._half_done = self._erased = False
        self._names = Names(db, self.write)
        self.decisions = SqlDecisions(db, self)
        self.journal = SqlJournal(db, self.write)
        self.access = SqlAccess(db, self.write, db.told)
        self.charters = SqlCharters(db, self.write, db.told)
        self.api = SqlApi(db, self.write, db.told)
        self.record = SqlRecord(db, self.write, db.told, head=self.head, erased=self._erase)
        self.process = SqlProcess(db, self.write, db.told, decisions=self.decisions, findings=self.findings)

    @property
    def db(self) -> Db:
        """Its connection."""
        return self._db

    @property
    def place(self) -> str:
        """Where it is, as it may be shown."""
        return self._db.place

    def close(self) -> None:
        """Close it and let the next writer in; what was not committed is gone."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def event_key(self) -> bytes:
        """16 bytes, this store's own: to hash event ids with, so that nobody can make two ids that meet."""
        with self._db.told():
            return bytes(self._db.execute("SELECT event_key FROM meta").fetchone()[0])

    @contextmanager
    def write(self) -> Iterator[None]:
        """One transaction; see ``contract.Store.write``."""
        if self._inside:
            changes = self._db.changes
            try:
                yield
            except BaseException:
                self._half_done |= self._db.changes != changes
                raise
            return
        if self._db.read_only:
            raise StoreError(f"{self.place} was opened for reading only: open it for writing")
        self._inside, self._half_done = True, False
        try:
            with self._db.told():
                self._db.begin()
                yield
                self._commit()
        except BaseException:
            self._names.forget()  # what was new in this transaction goes with it
            self._db.rollback()
            raise
        finally:
            self._inside = False
        if self._erased:
            with self._db.told():
                self._erased = not self._db.erase()

    def _commit(self) -> None:
        if self._half_done:
            raise StoreError(f"{self.place}: a part of this batch failed, so nothing of it was kept: make it again")
        self._db.commit()

    @contextmanager
    def reading(self) -> Iterator[Db]:
        """One view of the store for several queries, whatever a writer does meanwhile."""
        with self._db.told():
            if self._db.in_transaction:
                yield self._db
                return
            self._db.begin_reading()
            try:
                yield self._db
            finally:
                self._db.rollback()

    def _erase(self) -> None:
        self._erased = True

    # Names: communities, members, rooms, clauses.

    def community(self, name: str) -> int:
        """See ``contract.Store.community``."""
        with self._db.told():
            return self._names.community(name)

    def members(self, community: int, accounts: Sequence[str], names: Sequence[str | None]) -> list[int]:
        """See ``contract.Store.members``."""
        with self._db.told():
            return self._names.members(community, accounts, names)

    def rename(self, members: Sequence[int], names: Sequence[str]) -> None:
        """See ``contract.Store.rename``."""
        with self._db.told(), self.write():
            self._names.rename(members, names)

    def rooms(self, community: int, names: Sequence[str]) -> list[int]:
        """See ``contract.Store.rooms``."""
        with self._db.told():
            return self._names.rooms(community, names)

    def clauses(self, rows: Sequence[ClauseRow]) -> list[int]:
        """See ``contract.Store.clauses``."""
        with self._db.told():
            return [self._names.clause(row) for row in rows]

    def clause_rows(self) -> list[ClauseRow]:
        """See ``contract.Store.clause_rows``."""
        with self._db.told():
            return read.clause_rows(self._db)

    def room_names(self) -> dict[int, str]:
        """See ``contract.Store.room_names``."""
        with self._db.told():
            return read.room_names(self._db)

    def member(self, number: int) -> MemberRow | None:
        """See ``contract.Store.member``."""
        with self._db.told():
            return read.member(self._db, number)

    def members_named(self, text: str, *, most: int = 50) -> list[MemberRow]:
        """See ``contract.Store.members_named``."""
        with self.reading() as db:
            return read.members_named(db, text, most)

    def author(self, community: int, event: str, *, lately: int) -> int:
        """The number of the member in whose event something was found, 0 if nothing was in the last so many entries."""
        with self._db.told():
            return read.author(self._db, community, event, lately)

    def member_called(self, community: int, pseudonym: str) -> int:
        """The number of the member with a pseudonym, 0 if there is none."""
        with self._db.told():
            return read.member_called(self._db, community, pseudonym)

    def forget_account(self, member: int, *, now: int | None = None) -> bool:
        """See ``contract.Store.forget_account``."""
        with self.write():
            self.decisions.forget(member)
            gone = self._names.forget_account(member)
            self._erased |= gone
            if now is not None:
                self.erase_excerpts(now=now, member=member)
        return gone

    def erase_excerpts(self, *, now: int, before: int | None = None, member: int | None = None) -> int:
        """See ``contract.Store.erase_excerpts``."""
        with self.write():
            self._index(0)
            erased = erase_excerpts(self._db, now, now if before is None else before, member)
            self._erased |= erased > 0
        return erased

    # The ledger.

    def head(self) -> Head:
        """See ``contract.Store.head``."""
        with self._db.told():
            return read.head(self._db)

    def post(self, findings: FindingColumns, activity: ActivityColumns, *, after: Head) -> Head:
        """See ``contract.Store.post``."""
        with self.write():
            self._check_head(after)
            head = self._post_findings(findings, after)
            head = self._post_activity(activity, head)
            self._move_head(head)
            few = len(findings.at) <= _FEW
            self._index(_INDEX_BEHIND_LIVE if few else _INDEX_BEHIND)
        return head

    def _post_findings(self, findings: FindingColumns, head: Head) -> Head:
        count = ledger.rows(findings)
        if not count:
            return head
        members, clauses = self._names.member_ids(findings.member), self._names.clause_ids(findings.clause)
        rooms = self._db.execute("SELECT coalesce(max(number), 0) FROM room").fetchone()[0]
        if not 1 <= min(findings.room) <= max(findings.room) <= rooms:
            raise ValueError(f"there are rooms 1 to {rooms}, got {min(findings.room)} to {max(findings.room)}")
        for start in range(0, count, _ROWS):
            part = slice(start, start + _ROWS)
            columns = FindingColumns._make(column[part] for column in findings)
            columns = columns._replace(event=plain(columns.event), excerpt=plain(columns.excerpt))
            drawn = salts.draw(len(columns.at))
            sealed = ledger.finding_bytes(head.number + 1, columns, members[part], clauses[part], drawn)
            head = self._append(
                "number, at, day, member, room, clause, event, excerpt, figures, salt, seal",
                ledger.FINDING,
                sealed,
                (*columns, list(map(bytearray, drawn))),
                head,
            )
        return head

    def _post_activity(self, activity: ActivityColumns, head: Head) -> Head:
        count = ledger.rows(activity)
        if not count:
            return head
        if min(activity.messages) < 1:
            raise ValueError(f"messages must be >= 1, got {min(activity.messages)}")
        members = self._names.member_ids(activity.member)
        for start in range(0, count, _ROWS):
            part = slice(start, start + _ROWS)
            columns = ActivityColumns._make(column[part] for column in activity)
            sealed = ledger.activity_bytes(head.number + 1, columns, members[part])
            head = self._append("number, member, day, messages, seal", ledger.ACTIVITY, sealed, columns, head)
        return head

    def _append(
        self, names: str, kind: int, entries: list[bytes], columns: Sequence[Sequence[object]], head: Head
    ) -> Head:
        seals = ledger.seals(head.seal, entries)
        numbers = range(head.number + 1, head.number + 1 + len(seals))
        # As bytes a seal would go through sqlite3's adapters, which takes as long as half of the row.
        rows = zip(numbers, *columns, map(bytearray, seals), strict=True)
        self._db.append(names, kind, rows, len(columns) + 2, len(seals))
        return Head(numbers[-1], seals[-1])

    def _check_head(self, after: Head) -> None:
        head = read.head(self._db)
        if head != after:
            raise LedgerMovedError(
                f"{self.place}: this was decided after entry {after.number}, the ledger is at entry {head.number}: "
                "decide again, then post"
            )

    def _move_head(self, head: Head) -> None:
        self._db.execute("UPDATE meta SET head_number = ?, head_seal = ?", head)

    def reverse(self, number: int, reason: str, by: str, at: int, *, after: Head) -> Head | Refusal:
        """See ``contract.Store.reverse``."""
        if not reason.strip() or not by.strip():
            raise ValueError("a reversal says why and by whom, got an empty reason or name")
        with self.write():
            self._check_head(after)
            row = self._db.execute("SELECT kind FROM entry WHERE number = ?", (number,)).fetchone()
            if not row:
                return Refusal(f"there is no entry {number}: the last one is {after.number}")
            if row[0] == ledger.REVERSAL:
                return Refusal(f"entry {number} is itself a reversal, and those are final")
            done = self._db.execute("SELECT number FROM entry WHERE reverses = ?", (number,)).fetchone()
            if done:
                return Refusal(f"entry {number} was already reversed by entry {done[0]}")
            reversal = ReversalRow(at, number, *plain((reason, by)))
            head = self._append(
                "number, at, reverses, reason, by, seal",
                ledger.REVERSAL,
                [ledger.reversal_bytes(after.number + 1, reversal)],
                [[value] for value in reversal],
                after,
            )
            self._move_head(head)
        return head

    def in_force(
        self, community: int | None = None, *, since: int | None = None
    ) -> tuple[ActivityInForce, FindingsInForce]:
        """See ``contract.Store.in_force``."""
        with self.reading() as db:
            return read.in_force(db, community, since)

    def findings(self, member: int, *, before: int | None = None, most: int | None = None) -> list[FindingRow]:
        """See ``contract.Store.findings``; before, most: only the last so many before an entry's number."""
        with self._db.told():
            return read.findings(self._db, member, before=before, most=most)

    def _index(self, behind: int) -> None:
        """Bring ``finding_of`` up to the head if it is more than ``behind`` entries behind."""
        head, indexed = self._db.execute("SELECT head_number, indexed FROM meta").fetchone()
        if head - indexed > behind:
            self._db.execute(
                "INSERT INTO finding_of SELECT member, number FROM entry WHERE number > ? AND kind = ? ORDER BY 1, 2",
                (indexed, ledger.FINDING),
            )
            self._db.execute("UPDATE meta SET indexed = head_number")

    def counts(self) -> Counts:
        """See ``contract.Store.counts``."""
        with self.reading() as db:
            return read.counts(db)

    def verify(self, progress: Callable[[int], None] | None = None, *, noted: Head | None = None) -> Verdict:
        """See ``contract.Store.verify``."""
        done = 0

        def note(entries: int) -> None:
            nonlocal done
            done = entries
            if progress:
                progress(entries)

        with self.reading() as db:
            try:
                return verify(read.entries(db), read.known(db), read.head(db), note, noted=noted)
            except self._db.failure as error:
                if self._db.damaged(error):
                    return Verdict(done, done + 1, f"the store is damaged somewhere after entry {done}: restore a copy")
                raise

    # What lets a rating go on exactly where it was.

    def seen(self, hour: int) -> Hashes:
        """See ``contract.Store.seen``."""
        with self._db.told():
            rows = self._db.execute("SELECT ids FROM seen WHERE hour = ? ORDER BY number", (hour,))
            return np.frombuffer(b"".join(row[0] for row in rows), "<u8").astype(np.uint64)

    def add_seen(self, hours: Sequence[tuple[int, Hashes]]) -> None:
        """See ``contract.Store.add_seen``."""
        with self.write():
            self._db.executemany(
                f"INSERT INTO seen VALUES ({following('seen')}, ?, ?)",  # noqa: S608 - our own names
                ((hour, ids.astype("<u8").tobytes()) for hour, ids in hours if len(ids)),
            )

    def window_states(self) -> dict[str, bytes]:
        """See ``contract.Store.window_states``."""
        with self._db.told():
            return dict(self._db.execute('SELECT name, state FROM "window" ORDER BY name').fetchall())

    def save_window_states(self, states: Mapping[str, bytes]) -> None:
        """See ``contract.Store.save_window_states``."""
        with self.write():
            self._db.executemany(
                'INSERT INTO "window" VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state',
                states.items(),
            )

    def start_run(self, charter: str, at: int) -> int:
        """See ``contract.Store.start_run``."""
        with self.write():
            number: int = self._db.execute(
                f"INSERT INTO run VALUES ({following('run')}, ?, ?, NULL) RETURNING number",  # noqa: S608 - our own names
                (charter, at),
            ).fetchone()[0]
        return number

    def save_source(self, run: int, source: SourceRow) -> None:
        """See ``contract.Store.save_source``."""
        with self.write():
            self._db.execute(
                "INSERT INTO source VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (run, path) DO UPDATE SET "
                "position = excluded.position, events = excluded.events, findings = excluded.findings, "
                "unread = excluded.unread",
                (run, *source),
            )

    def finish_run(self, run: int, at: int) -> None:
        """See ``contract.Store.finish_run``."""
        with self.write():
            self._db.execute("UPDATE run SET finished = ? WHERE number = ?", (at, run))
            self._index(0)

    def runs(self) -> list[RunRow]:
        """See ``contract.Store.runs``."""
        with self.reading() as db:
            return read.runs(db)
