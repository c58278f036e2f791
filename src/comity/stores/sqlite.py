"""The store in one SQLite file: write-ahead log, one writer, one transaction a batch."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from comity.core import ledger
from comity.core.errors import LedgerMovedError, StoreError
from comity.core.ledger import ActivityColumns, ClauseRow, FindingColumns, Head, ReversalRow
from comity.stores import salts
from comity.stores import sqlite_read as read
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
from comity.stores.lock import WriterLock
from comity.stores.sql_access import SqlAccess
from comity.stores.sql_process import SqlProcess
from comity.stores.sql_record import SqlRecord
from comity.stores.sqlite_decisions import SqliteDecisions
from comity.stores.sqlite_excerpts import erase_excerpts
from comity.stores.sqlite_file import check_place, connect, told
from comity.stores.sqlite_journal import SqliteJournal
from comity.stores.sqlite_names import Names
from comity.stores.verify import verify

_ROWS: Final = 2048  # of a post, sealed and inserted at a time: they stay in the processor's cache
_TOGETHER: Final = 32  # rows in one INSERT
_INDEX_BEHIND: Final = 1_000_000  # findings that may be looked through for one member's


class SqliteStore:
    """A store in one SQLite file; ``contract.Store`` says what its methods promise. To be used by one thread."""

    def __init__(self, path: Path, db: sqlite3.Connection, lock: WriterLock | None) -> None:
        """Use ``open``."""
        self.path = path
        self._db = db
        self._lock = lock
        self._inside = self._half_done = self._erased = False
        self._names = Names(db, self.write)
        self.decisions = SqliteDecisions(path, db, self)
        self.journal = SqliteJournal(path, db, self.write)
        self.access = SqlAccess(db, self.write, partial(told, path))
        self.record = SqlRecord(db, self.write, partial(told, path), head=self.head, erased=self._erase)
        self.process = SqlProcess(db, self.write, partial(told, path), decisions=self.decisions, findings=self.findings)

    @classmethod
    def open(cls, path: Path | str, *, durable: bool, read_only: bool = False) -> Self:
        """Open the store at ``path``, new if there is none; only one process at a time can have it open for writing.

        durable: every commit is on the disk when it returns (live, where something was acknowledged); otherwise a power
        cut may lose the last whole commits, which a replay simply makes again. The end of the process loses none either
        way. Raises StoreError if that cannot be, saying what to do; what is refused is left as it was.
        """
        path = Path(path)
        check_place(path, read_only=read_only)
        lock = None if read_only else WriterLock(path).take()
        try:
            return cls(path, connect(path, durable=durable, read_only=read_only), lock)
        except BaseException:
            if lock:
                lock.release()
            raise

    def close(self) -> None:
        """Close the file and let the next writer in; what was not committed is gone."""
        with suppress(sqlite3.Error):  # a log that cannot be folded in now is folded in at the next opening
            self._db.close()
        if self._lock:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def event_key(self) -> bytes:
        """16 bytes, this store's own: to hash event ids with, so that nobody can make two ids that meet."""
        with told(self.path):
            key: bytes = self._db.execute("SELECT event_key FROM meta").fetchone()[0]
            return key

    @contextmanager
    def write(self) -> Iterator[None]:
        """One transaction; see ``contract.Store.write``."""
        if self._inside:
            changes = self._db.total_changes
            try:
                yield
            except BaseException:
                self._half_done |= self._db.total_changes != changes
                raise
            return
        if not self._lock:
            raise StoreError(f"{self.path} was opened for reading only: open it for writing")
        self._inside, self._half_done = True, False
        try:
            with told(self.path):
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._commit()
        except BaseException:
            self._names.forget()  # what was new in this transaction goes with it
            with suppress(sqlite3.Error):  # the first error says more; closing rolls back as well
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            raise
        finally:
            self._inside = False
        if self._erased:
            # The log still has the pages as they were: fold it in and cut it off, later if a reader needs it.
            with told(self.path):
                self._erased = bool(self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])

    def _erase(self) -> None:
        self._erased = True

    def _commit(self) -> None:
        if self._half_done:
            raise StoreError(f"{self.path}: a part of this batch failed, so nothing of it was kept: make it again")
        self._db.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One view of the store for several queries, whatever a writer does meanwhile."""
        with told(self.path):
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._db.execute("ROLLBACK")

    # Names: communities, members, rooms, clauses.

    def community(self, name: str) -> int:
        """See ``contract.Store.community``."""
        with told(self.path):
            return self._names.community(name)

    def members(self, community: int, accounts: Sequence[str], names: Sequence[str | None]) -> list[int]:
        """See ``contract.Store.members``."""
        with told(self.path):
            return self._names.members(community, accounts, names)

    def rename(self, members: Sequence[int], names: Sequence[str]) -> None:
        """See ``contract.Store.rename``."""
        with told(self.path), self.write():
            self._names.rename(members, names)

    def rooms(self, community: int, names: Sequence[str]) -> list[int]:
        """See ``contract.Store.rooms``."""
        with told(self.path):
            return self._names.rooms(community, names)

    def clauses(self, rows: Sequence[ClauseRow]) -> list[int]:
        """See ``contract.Store.clauses``."""
        with told(self.path):
            return [self._names.clause(row) for row in rows]

    def clause_rows(self) -> list[ClauseRow]:
        """See ``contract.Store.clause_rows``."""
        with told(self.path):
            return read.clause_rows(self._db)

    def room_names(self) -> dict[int, str]:
        """See ``contract.Store.room_names``."""
        with told(self.path):
            return read.room_names(self._db)

    def member(self, number: int) -> MemberRow | None:
        """See ``contract.Store.member``."""
        with told(self.path):
            return read.member(self._db, number)

    def members_named(self, text: str, *, most: int = 50) -> list[MemberRow]:
        """See ``contract.Store.members_named``."""
        with told(self.path):
            return read.members_named(self._db, text, most)

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
        with told(self.path):
            return read.head(self._db)

    def post(self, findings: FindingColumns, activity: ActivityColumns, *, after: Head) -> Head:
        """See ``contract.Store.post``."""
        with self.write():
            self._check_head(after)
            head = self._post_findings(findings, after)
            head = self._post_activity(activity, head)
            self._move_head(head)
            self._index(_INDEX_BEHIND)
        return head

    def _post_findings(self, findings: FindingColumns, head: Head) -> Head:
        count = ledger.rows(findings)
        if not count:
            return head
        members, clauses = self._names.member_ids(findings.member), self._names.clause_ids(findings.clause)
        rooms = self._db.execute("SELECT ifnull(max(number), 0) FROM room").fetchone()[0]
        if not 1 <= min(findings.room) <= max(findings.room) <= rooms:
            raise ValueError(f"there are rooms 1 to {rooms}, got {min(findings.room)} to {max(findings.room)}")
        for start in range(0, count, _ROWS):
            part = slice(start, start + _ROWS)
            columns = FindingColumns._make(column[part] for column in findings)
            drawn = salts.draw(len(columns.at))
            sealed = ledger.finding_bytes(head.number + 1, columns, members[part], clauses[part], drawn)
            head = self._append(
                "kind, number, at, day, member, room, clause, event, excerpt, figures, salt, seal",
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
            head = self._append("kind, number, member, day, messages, seal", ledger.ACTIVITY, sealed, columns, head)
        return head

    def _append(
        self, names: str, kind: int, entries: list[bytes], columns: Sequence[Sequence[object]], head: Head
    ) -> Head:
        seals = ledger.seals(head.seal, entries)
        numbers = range(head.number + 1, head.number + 1 + len(seals))
        # As bytes a seal would go through sqlite3's adapters, which takes as long as half of the row.
        rows = zip(numbers, *columns, map(bytearray, seals), strict=True)
        width = len(columns) + 2
        one = f"({kind}{', ?' * width})"
        insert = f"INSERT INTO entry ({names}) VALUES "  # noqa: S608 - our own names
        # Many rows a statement: sqlite3 takes a third longer for the same rows one by one.
        full = len(seals) // _TOGETHER
        flat = chain.from_iterable(islice(rows, full * _TOGETHER))
        self._db.executemany(insert + ", ".join([one] * _TOGETHER), zip(*[flat] * (width * _TOGETHER), strict=True))
        self._db.executemany(insert + one, rows)
        return Head(numbers[-1], seals[-1])

    def _check_head(self, after: Head) -> None:
        head = read.head(self._db)
        if head != after:
            raise LedgerMovedError(
                f"{self.path}: this was decided after entry {after.number}, the ledger is at entry {head.number}: "
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
            reversal = ReversalRow(at, number, reason, by)
            head = self._append(
                "kind, number, at, reverses, reason, by, seal",
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
        with self._reading() as db:
            return read.in_force(db, community, since)

    def findings(self, member: int) -> list[FindingRow]:
        """See ``contract.Store.findings``."""
        with told(self.path):
            return read.findings(self._db, member)

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
        with self._reading() as db:
            return read.counts(db)

    def verify(self, progress: Callable[[int], None] | None = None, *, noted: Head | None = None) -> Verdict:
        """See ``contract.Store.verify``."""
        done = 0

        def note(entries: int) -> None:
            nonlocal done
            done = entries
            if progress:
                progress(entries)

        with self._reading() as db:
            try:
                return verify(read.entries(db), read.known(db), read.head(db), note, noted=noted)
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorname", "").startswith("SQLITE_CORRUPT") or "UTF-8" in str(error):
                    return Verdict(done, done + 1, f"the file is damaged somewhere after entry {done}: restore a copy")
                raise

    # What lets a rating go on exactly where it was.

    def seen(self, hour: int) -> Hashes:
        """See ``contract.Store.seen``."""
        with told(self.path):
            rows = self._db.execute("SELECT ids FROM seen WHERE hour = ? ORDER BY rowid", (hour,))
            return np.frombuffer(b"".join(row[0] for row in rows), "<u8").astype(np.uint64)

    def add_seen(self, hours: Sequence[tuple[int, Hashes]]) -> None:
        """See ``contract.Store.add_seen``."""
        with self.write():
            self._db.executemany(
                "INSERT INTO seen VALUES (?, ?)",
                ((hour, ids.astype("<u8").tobytes()) for hour, ids in hours if len(ids)),
            )

    def window_states(self) -> dict[str, bytes]:
        """See ``contract.Store.window_states``."""
        with told(self.path):
            return dict(self._db.execute("SELECT name, state FROM window ORDER BY name").fetchall())

    def save_window_states(self, states: Mapping[str, bytes]) -> None:
        """See ``contract.Store.save_window_states``."""
        with self.write():
            self._db.executemany(
                "INSERT INTO window VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state",
                states.items(),
            )

    def start_run(self, charter: str, at: int) -> int:
        """See ``contract.Store.start_run``."""
        with self.write():
            number: int = self._db.execute(
                "INSERT INTO run (charter, started) VALUES (?, ?) RETURNING number", (charter, at)
            ).fetchone()[0]
        return number

    def save_source(self, run: int, source: SourceRow) -> None:
        """See ``contract.Store.save_source``."""
        with self.write():
            self._db.execute("INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?, ?, ?)", (run, *source))

    def finish_run(self, run: int, at: int) -> None:
        """See ``contract.Store.finish_run``."""
        with self.write():
            self._db.execute("UPDATE run SET finished = ? WHERE number = ?", (at, run))
            self._index(0)

    def runs(self) -> list[RunRow]:
        """See ``contract.Store.runs``."""
        with self._reading() as db:
            return read.runs(db)
