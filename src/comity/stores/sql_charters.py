"""Charters in SQL that every store of ours runs; ``charter_contract.Charters`` says what the methods promise."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import msgspec

from comity.core.charter_changes import Change
from comity.core.decision import MACHINE
from comity.stores.api_contract import Happened
from comity.stores.charter_contract import Came, ClauseActRow, DraftRow, ProposalRow, VersionRow, Way
from comity.stores.sql_access import Connection
from comity.stores.sql_api import happened

_LAST: Final = 2**62
_VERSION: Final = "SELECT community, number, at, by, way, reason, digest, text, changes FROM charter_version"
_PROPOSAL: Final = (
    "SELECT number, community, at, by, note, base, text, came, closed_at, closed_by, answer FROM charter_proposal"
)


class SqlCharters:
    """Over a connection. write: the store's transaction; told: turns the database's errors into StoreError."""

    def __init__(
        self,
        db: Connection,
        write: Callable[[], AbstractContextManager[None]],
        told: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._db, self._write, self._told = db, write, told

    # Versions.

    def current(self, community: int, way: Way | None = None) -> VersionRow | None:
        """See ``ChartersReads.current``."""
        sql = f"{_VERSION} WHERE community = ? AND (? = '' OR way = ?) ORDER BY number DESC LIMIT 1"
        rows = self._all(sql, community, str(way or ""), str(way or ""))
        return _version(rows[0]) if rows else None

    def version(self, community: int, number: int) -> VersionRow | None:
        """See ``ChartersReads.version``."""
        rows = self._all(f"{_VERSION} WHERE community = ? AND number = ?", community, number)
        return _version(rows[0]) if rows else None

    def versions(self, community: int, *, before: int | None = None, most: int = 50) -> list[VersionRow]:
        """See ``ChartersReads.versions``."""
        sql = f"{_VERSION} WHERE community = ? AND number < ? ORDER BY number DESC LIMIT ?"
        return [_version(row) for row in self._all(sql, community, _LAST if before is None else before, most)]

    def add_version(self, row: VersionRow) -> VersionRow:
        """See ``Charters.add_version``."""
        with self._write():
            last = self.current(row.community)
            made = row._replace(number=1 + (last.number if last else 0))
            changes = msgspec.json.encode(made.changes).decode()
            self._run(
                "INSERT INTO charter_version (community, number, at, by, way, reason, digest, text, changes) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(made.community, made.number, made.at, made.by, str(made.way), made.reason, made.digest, made.text),
                changes,
            )
        return made

    # Drafts and proposals.

    def draft(self, community: int, by: str) -> DraftRow | None:
        """See ``ChartersReads.draft``."""
        rows = self._all("SELECT text, base, at FROM charter_draft WHERE community = ? AND by = ?", community, by)
        return DraftRow._make(rows[0]) if rows else None

    def save_draft(self, community: int, by: str, text: str, base: int, at: int) -> None:
        """See ``Charters.save_draft``."""
        with self._write():
            self._run(
                "INSERT INTO charter_draft (community, by, base, at, text) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (community, by) DO UPDATE SET "
                "base = excluded.base, at = excluded.at, text = excluded.text",
                *(community, by, base, at, text),
            )

    def drop_draft(self, community: int, by: str) -> bool:
        """See ``Charters.drop_draft``."""
        with self._write():
            return self._run("DELETE FROM charter_draft WHERE community = ? AND by = ?", community, by) > 0

    def proposal(self, community: int, number: int) -> ProposalRow | None:
        """See ``ChartersReads.proposal``."""
        rows = self._all(f"{_PROPOSAL} WHERE community = ? AND number = ?", community, number)
        return _proposal(rows[0]) if rows else None

    def proposals(self, community: int, *, before: int | None = None, most: int = 50) -> list[ProposalRow]:
        """See ``ChartersReads.proposals``."""
        sql = f"{_PROPOSAL} WHERE community = ? AND number < ? ORDER BY number DESC LIMIT ?"
        return [_proposal(row) for row in self._all(sql, community, _LAST if before is None else before, most)]

    def add_proposal(self, community: int, by: str, note: str, *, base: int, text: str, at: int) -> int:
        """See ``Charters.add_proposal``."""
        with self._write():
            rows = self._all(
                "INSERT INTO charter_proposal (community, at, by, note, base, text, came, closed_by, answer) "
                "VALUES (?, ?, ?, ?, ?, ?, 'open', '', '') RETURNING number",
                *(community, at, by, note, base, text),
            )
            return int(rows[0][0])

    def close_proposal(self, community: int, number: int, came: Came, *, by: str, answer: str, at: int) -> bool:
        """See ``Charters.close_proposal``."""
        with self._write():
            changed = self._run(
                "UPDATE charter_proposal SET came = ?, closed_at = ?, closed_by = ?, answer = ? "
                "WHERE community = ? AND number = ? AND came = 'open'",
                *(str(came), at, by, answer, community, number),
            )
            return changed > 0

    # Clauses in shadow.

    def clause_acts(
        self, community: int, *, clause_id: str = "", before: int | None = None, most: int = 50
    ) -> list[ClauseActRow]:
        """See ``ChartersReads.clause_acts``."""
        rows = self._all(
            "SELECT number, at, community, clause_id, shadow, by, reason FROM clause_act "
            "WHERE community = ? AND (? = '' OR clause_id = ?) AND number < ? ORDER BY number DESC LIMIT ?",
            *(community, clause_id, clause_id, _LAST if before is None else before, most),
        )
        return [ClauseActRow._make(row)._replace(shadow=bool(row[4])) for row in rows]

    def add_clause_act(self, community: int, clause_id: str, by: str, reason: str, at: int, *, shadow: bool) -> None:
        """See ``Charters.add_clause_act``."""
        with self._write():
            self._run(
                "INSERT INTO clause_act (at, community, clause_id, shadow, by, reason) VALUES (?, ?, ?, ?, ?, ?)",
                *(at, community, clause_id, int(shadow), by, reason),
            )
            if shadow:
                told: dict[str, object] = {"clause": clause_id, "automatic": by == MACHINE}
                happened(self._db, Happened.SHADOW, community, at, told)

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._told():
            return list(self._db.execute(sql, values).fetchall())

    def _run(self, sql: str, *values: object) -> int:
        with self._told():
            return self._db.execute(sql, values).rowcount


def _version(row: Sequence[Any]) -> VersionRow:
    changes = msgspec.json.decode(row[8], type=tuple[Change, ...])
    return VersionRow._make(row)._replace(way=Way(row[4]), changes=changes)


def _proposal(row: Sequence[Any]) -> ProposalRow:
    return ProposalRow._make(row)._replace(came=Came(row[7]))
