"""Numbers for communities, members, rooms and clauses in SQL that every store of ours runs, given once and kept."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import numpy as np

from comity.core.ids import KEY_BYTES, pseudonym
from comity.core.ledger import ID, ClauseRow, Ids, clause_digest
from comity.stores.sql import Db, following, plain

_ACCOUNTS_KEPT: Final = 200_000  # in memory, to spare looking them up for every batch


class Names:
    """What has a number, and the ids that entries are sealed with; write: the store's transaction."""

    def __init__(self, db: Db, write: Callable[[], AbstractContextManager[None]]) -> None:
        self._db, self._write = db, write
        self.forget()

    def forget(self) -> None:
        """Drop what is remembered of the tables: a transaction that is rolled back takes its rows along."""
        self._accounts: dict[tuple[int, str], tuple[int, str | None]] = {}
        self._rooms: dict[tuple[int, str], int] = {}
        self._members = _Ids("member", "SELECT pseudonym FROM member WHERE number >= ? ORDER BY number")
        self._clauses = _Ids("clause", "SELECT digest FROM clause WHERE number >= ? ORDER BY number")

    def community(self, name: str) -> int:
        """The community's number; a new one gets a key."""
        row = self._db.execute("SELECT number FROM community WHERE name = ?", (name,)).fetchone()
        if not row:
            with self._write():
                row = self._db.execute(
                    f"INSERT INTO community VALUES ({following('community')}, ?, ?) RETURNING number",  # noqa: S608 - our own names
                    (name, os.urandom(KEY_BYTES)),
                ).fetchone()
        number: int = row[0]
        return number

    def members(self, community: int, accounts: Sequence[str], names: Sequence[str | None]) -> list[int]:
        """The members' numbers. Raises ValueError for an unknown community, an empty account, or unequal lengths."""
        accounts = plain(accounts)
        if len(self._accounts) > _ACCOUNTS_KEPT:
            self._accounts.clear()
        latest: dict[str, str | None] = {}
        for account, name in zip(accounts, names, strict=True):
            if name is not None or account not in latest:
                latest[account] = None if name is None else plain((name,))[0]
        fresh = {
            account: name
            for account, name in latest.items()
            if not (kept := self._accounts.get((community, account))) or (name is not None and name != kept[1])
        }
        if fresh:
            with self._write():
                self._learn(community, fresh)
        return [self._accounts[community, account][0] for account in accounts]

    def rename(self, members: Sequence[int], names: Sequence[str]) -> None:
        """Keep these names; who has no account here keeps none."""
        self._accounts.clear()
        self._db.executemany("UPDATE account SET name = ? WHERE member = ?", zip(plain(names), members, strict=True))

    def _learn(self, community: int, fresh: dict[str, str | None]) -> None:
        row = self._db.execute("SELECT key FROM community WHERE number = ?", (community,)).fetchone()
        if not row:
            raise ValueError(f"there is no community {community}")
        last: int = self._db.execute("SELECT coalesce(max(number), 0) FROM member").fetchone()[0]
        new: list[tuple[int, int, str]] = []
        mapped: list[tuple[int, str, str | None]] = []
        learnt: dict[tuple[int, str], tuple[int, str | None]] = {}
        for account, name in fresh.items():
            called = pseudonym(row[0], account)
            found = self._db.execute(
                "SELECT number, account, name FROM member LEFT JOIN account ON member = number "
                "WHERE community = ? AND pseudonym = ?",
                (community, called),
            ).fetchone()
            if not found:
                found = last + len(new) + 1, None, None
                new.append((found[0], community, called))
            number, known, known_name = found
            now = known_name if name is None else name
            if known is None or now != known_name:
                mapped.append((number, account, now))
            learnt[community, account] = number, now
        self._db.executemany("INSERT INTO member VALUES (?, ?, ?)", new)
        self._db.executemany(
            "INSERT INTO account VALUES (?, ?, ?) ON CONFLICT (member) DO UPDATE SET name = excluded.name", mapped
        )
        self._accounts.update(learnt)

    def forget_account(self, member: int) -> bool:
        """Delete the member's account and name; False if there were none."""
        self._accounts.clear()
        return self._db.execute("DELETE FROM account WHERE member = ?", (member,)).rowcount > 0

    def rooms(self, community: int, names: Sequence[str]) -> list[int]:
        """The rooms' numbers."""
        names = plain(names)
        new = [name for name in dict.fromkeys(names) if (community, name) not in self._rooms]
        if new:
            found = self._db.execute("SELECT name, number FROM room WHERE community = ?", (community,))
            self._rooms.update(((community, name), number) for name, number in found)
        if new := [name for name in new if (community, name) not in self._rooms]:
            with self._write():
                for name in new:
                    self._rooms[community, name] = self._db.execute(
                        f"INSERT INTO room VALUES ({following('room')}, ?, ?) RETURNING number",  # noqa: S608 - our own names
                        (community, name),
                    ).fetchone()[0]
        return [self._rooms[community, name] for name in names]

    def clause(self, row: ClauseRow) -> int:
        """The clause's number."""
        row = ClauseRow._make(plain(row))
        digest = clause_digest(row)
        found = self._db.execute("SELECT number FROM clause WHERE digest = ?", (digest,)).fetchone()
        if not found:
            with self._write():
                found = self._db.execute(
                    f"INSERT INTO clause VALUES ({following('clause')}, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number",  # noqa: S608 - our own names
                    (*row, digest),
                ).fetchone()
        number: int = found[0]
        return number

    def member_ids(self, numbers: Sequence[int]) -> Ids:
        """The pseudonym of each member, shape (members,). Raises ValueError if there is no such member."""
        return self._members.of(self._db, numbers)

    def clause_ids(self, numbers: Sequence[int]) -> Ids:
        """The digest of each clause, shape (clauses,). Raises ValueError if there is no such clause."""
        return self._clauses.of(self._db, numbers)


class _Ids:
    """Ids by number, 16 bytes each: all there are, since looking them up one by one would cost more than an entry.

    query: the ids, as bytes or in hexadecimal, of numbers from the given one on, in order.
    """

    def __init__(self, what: str, query: str) -> None:
        self._what, self._query = what, query
        self._ids = np.zeros(1024, ID)
        self._end = 1

    def of(self, db: Db, numbers: Sequence[int]) -> Ids:
        wanted = np.asarray(numbers, np.int64)
        if len(wanted) and wanted.max() >= self._end:
            self._extend([_id(row[0]) for row in db.execute(self._query, (self._end,))])
        if len(wanted) and not 1 <= wanted.min() <= wanted.max() < self._end:
            raise ValueError(f"there are {self._what}s 1 to {self._end - 1}, got {wanted.min()} to {wanted.max()}")
        return self._ids[wanted]

    def _extend(self, new: Sequence[bytes]) -> None:
        end = self._end + len(new)
        if end > len(self._ids):
            self._ids = np.concatenate((self._ids, np.zeros(max(end, len(self._ids)), ID)))
        self._ids[self._end : end] = np.frombuffer(b"".join(new), ID)
        self._end = end


def _id(stored: str | bytes) -> bytes:
    return bytes.fromhex(stored) if isinstance(stored, str) else bytes(stored)
