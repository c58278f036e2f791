"""The record's tables in SQL that every store of ours runs; ``record_contract.RecordTables`` promises it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import msgspec

from comity.core.errors import StoreError
from comity.core.ids import pseudonym
from comity.core.ledger import Head
from comity.core.retention import Citation
from comity.stores.record_contract import FrameRow
from comity.stores.sql_access import Connection

_FOREVER: Final = 2**62
_SEVERAL: Final = 64  # frames read at a time
_REMEMBERED: Final = 200_000  # pseudonyms, to spare an HMAC for every event
_CITED: Final = """
SELECT community.name, entry.event, decision.course, statement.body,
  EXISTS (SELECT 1 FROM appeal WHERE appeal.decision = decision.number AND appeal.heard = 'open')
FROM rests_on
JOIN entry ON entry.number = rests_on.entry
JOIN decision ON decision.number = rests_on.decision
JOIN community ON community.number = decision.community
LEFT JOIN statement ON statement.decision = decision.number
WHERE entry.event IS NOT NULL
"""

Within = Callable[[], AbstractContextManager[None]]


class _Stated(msgspec.Struct):
    appeal_until: int


class SqlRecord:
    """The record's tables over a connection with ``?`` for parameters.

    write: the store's transaction; told: turns the database's errors into StoreError; head: of the ledger; erased: told
    when bytes must be in no file of the store after the transaction.
    """

    def __init__(
        self, db: Connection, write: Within, told: Within, *, head: Callable[[], Head], erased: Callable[[], None]
    ) -> None:
        self._db, self.write, self._told, self.head, self._erased = db, write, told, head, erased
        self._called: dict[tuple[bytes, str], str] = {}

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._told():
            return self._db.execute(sql, values).fetchall()

    def _do(self, sql: str, *values: object) -> int:
        with self.write():
            return self._db.execute(sql, values).rowcount

    def rows(self, kind: str) -> dict[str, bytes]:
        """See ``RecordTables.rows``."""
        found = self._all("SELECT name, body FROM record_row WHERE kind = ? ORDER BY name", kind)
        return {name: bytes(body) for name, body in found}

    def row(self, kind: str, name: str) -> bytes | None:
        """See ``RecordTables.row``."""
        found = self._all("SELECT body FROM record_row WHERE kind = ? AND name = ?", kind, name)
        return bytes(found[0][0]) if found else None

    def keep(self, kind: str, name: str, body: bytes) -> None:
        """See ``RecordTables.keep``."""
        insert = "INSERT INTO record_row VALUES (?, ?, ?) ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body"
        self._do(insert, kind, name, body)

    def drop(self, kind: str, names: Iterable[str]) -> None:
        """See ``RecordTables.drop``."""
        with self.write():
            for name in names:
                if self._do("DELETE FROM record_row WHERE kind = ? AND name = ?", kind, name):
                    self._erased()

    def add_frame(self, frame: FrameRow) -> None:
        """See ``RecordTables.add_frame``."""
        self._do("INSERT INTO record_frame VALUES (?, ?, ?, ?, ?)", *frame)

    def frames(self, *, beyond: int = 0) -> Iterator[FrameRow]:
        """See ``RecordTables.frames``."""
        while True:
            found = self._all(
                "SELECT number, events, key, body, seal FROM record_frame WHERE number > ? ORDER BY number LIMIT ?",
                beyond,
                _SEVERAL,
            )
            for number, events, key, body, seal in found:
                beyond = number
                yield FrameRow(number, events, key, bytes(body), bytes(seal))
            if len(found) < _SEVERAL:
                return

    def frames_size(self) -> tuple[int, int, int]:
        """See ``RecordTables.frames_size``."""
        ((frames, events, size),) = self._all(
            "SELECT count(*), coalesce(sum(events), 0), coalesce(sum(length(body)), 0) FROM record_frame"
        )
        return frames, int(events), int(size)

    def drop_frames(self, through: int) -> None:
        """See ``RecordTables.drop_frames``."""
        if self._do("DELETE FROM record_frame WHERE number <= ?", through):
            self._erased()

    def add_links(self, bodies: Sequence[bytes]) -> None:
        """See ``RecordTables.add_links``."""
        with self.write():
            ((last,),) = self._all("SELECT coalesce(max(number), 0) FROM record_link")
            for number, body in enumerate(bodies, last + 1):
                self._do("INSERT INTO record_link VALUES (?, ?)", number, body)

    def links(self) -> list[bytes]:
        """See ``RecordTables.links``."""
        found = self._all("SELECT number, body FROM record_link ORDER BY number")
        return [bytes(body) for _, body in found]

    def pseudonyms(self, community: str, accounts: Collection[str]) -> dict[str, str]:
        """See ``RecordTables.pseudonyms``."""
        if len(self._called) > _REMEMBERED:
            self._called.clear()
        found = self._all("SELECT key FROM community WHERE name = ?", community)
        if not found:
            raise StoreError(f"there is no community {community!r} in the store: nothing of it can be recorded")
        key, known, called = bytes(found[0][0]), self._called, dict[str, str]()
        for account in accounts:
            name = known.get((key, account))
            if name is None:
                name = known[key, account] = pseudonym(key, account)
            called[account] = name
        return called

    def accounts(self, community: str) -> dict[str, str]:
        """See ``RecordTables.accounts``."""
        return dict(
            self._all(
                "SELECT member.pseudonym, account.account FROM account JOIN member ON member.number = account.member "
                "JOIN community ON community.number = member.community WHERE community.name = ?",
                community,
            )
        )

    def citations(self) -> list[Citation]:
        """See ``RecordTables.citations``."""
        until: dict[tuple[str, str], int] = {}
        for community, event, course, body, appealed in self._all(_CITED):
            if course == "proposed" or appealed:
                end = _FOREVER
            elif body is None:
                continue
            else:
                end = msgspec.json.decode(body, type=_Stated).appeal_until
            key = community, event
            until[key] = max(end, until.get(key, end))
        return [Citation(*key, end) for key, end in until.items()]

    def seal_of(self, entry: int) -> bytes | None:
        """See ``RecordTables.seal_of``."""
        found = self._all("SELECT seal FROM entry WHERE number = ?", entry)
        return bytes(found[0][0]) if found else None
