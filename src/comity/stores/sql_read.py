"""What is read from a store in SQL; nothing here changes it."""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import numpy as np

from comity.core.errors import StoreError
from comity.core.ledger import ACTIVITY, FINDING, ID, REVERSAL, ClauseRow, Head, Ids, Ints, clause_digest
from comity.stores.contract import ActivityInForce, Counts, FindingRow, FindingsInForce, MemberRow, RunRow, SourceRow
from comity.stores.sql import Db
from comity.stores.verify import Known, Rows

_CHUNK: Final = 2048  # rows that stay in the processor's cache: half again as quick as 16,384
_ALWAYS: Final = -(2**31)
_FOR_EVER: Final = 2**62
_TOGETHER: Final = 16_384  # rows made into columns at a time
_HELD: Final = "AND number NOT IN (SELECT reverses FROM entry WHERE reverses IS NOT NULL)"
_MEMBER: Final = """
SELECT member.number, member.community, member.pseudonym, account.account, account.name
FROM member LEFT JOIN account ON account.member = member.number
"""


def only(db: Db, query: str) -> tuple[Any, ...]:
    """The one row of a query. Raises StoreError if there is none."""
    row: tuple[Any, ...] | None = db.execute(query).fetchone()
    if row is None:
        raise StoreError(f"{db.place}: the file is damaged (a row that every store has is missing): restore a copy")
    return row


def head(db: Db) -> Head:
    """The head that the store keeps."""
    number, seal = only(db, "SELECT head_number, head_seal FROM meta")
    return Head(number, bytes(seal))


def in_force(db: Db, community: int | None, since: int | None) -> tuple[ActivityInForce, FindingsInForce]:
    """Activity and findings nobody took back."""
    of_whom = "" if community is None else "AND member IN (SELECT number FROM member WHERE community = :community)"
    which = f"FROM entry WHERE kind = :kind AND day >= :since {_HELD} {of_whom} ORDER BY number"
    bound = {"community": community, "since": _ALWAYS if since is None else since}
    rows = db.stream(f"SELECT number, member, day, messages {which}", bound | {"kind": ACTIVITY}, _TOGETHER)
    activity = ActivityInForce._make(_columns(rows, 4))
    found = db.stream(
        f"SELECT number, at, day, member, room, clause, event {which}", bound | {"kind": FINDING}, _TOGETHER
    )
    # Events go by Python's own keyed hash of 64 bits: for a million ids, a table of them would take 150 MB.
    *columns, events = _columns(([(*row[:6], hash(row[6])) for row in rows] for rows in found), 7)
    _, first, which_one = np.unique(events, return_index=True, return_inverse=True)
    return activity, FindingsInForce._make([*columns, columns[0][first[which_one]]])


def _columns(batches: Iterator[list[tuple[int, ...]]], width: int) -> list[Ints]:
    """Rows as ``width`` columns; besides them, no more is held at a time than one column and some rows."""
    parts: list[list[Ints]] = [[] for _ in range(width)]
    for some in batches:
        table = np.fromiter(chain.from_iterable(some), np.int64, len(some) * width).reshape(-1, width)
        for part, column in zip(parts, table.T, strict=True):
            part.append(column.copy())
    columns = []
    for part in parts:
        columns.append(np.concatenate(part) if part else np.empty(0, np.int64))
        part.clear()
    return columns


def findings(db: Db, member: int, *, before: int | None = None, most: int | None = None) -> list[FindingRow]:
    """A member's findings in order: by the index as far as it goes, from there on by looking.

    before, most: only the last so many before an entry's number.
    """
    rows = db.execute(
        """
        SELECT entry.number, entry.at, entry.day, entry.room, entry.clause, entry.event, coalesce(entry.excerpt, ''),
               entry.figures, reversal.number
        FROM entry LEFT JOIN entry AS reversal ON reversal.reverses = entry.number
        WHERE entry.number IN (
          SELECT number FROM finding_of WHERE member = :member AND number < :before
          UNION ALL
          SELECT number FROM entry WHERE number > (SELECT indexed FROM meta) AND kind = :finding AND member = :member
          AND number < :before
          ORDER BY number DESC LIMIT :most
        )
        ORDER BY entry.number
        """,
        {
            "member": member,
            "finding": FINDING,
            "before": _FOR_EVER if before is None else before,
            "most": _FOR_EVER if most is None else most,
        },
    )
    return [FindingRow._make(row) for row in rows]


def member(db: Db, number: int) -> MemberRow | None:
    """The member with this number."""
    row = db.execute(_MEMBER + "WHERE member.number = ?", (number,)).fetchone()
    return MemberRow._make(row) if row else None


def author(db: Db, community: int, event: str, lately: int) -> int:
    """The number of the member in whose event something was found, 0 if nothing was in the last so many entries."""
    row = db.execute(
        "SELECT entry.member FROM entry JOIN member ON member.number = entry.member WHERE entry.kind = ? "
        "AND entry.number > (SELECT head_number FROM meta) - ? AND entry.event = ? AND member.community = ? LIMIT 1",
        (FINDING, lately, event, community),
    ).fetchone()
    return int(row[0]) if row else 0


def member_called(db: Db, community: int, pseudonym: str) -> int:
    """The number of the member with a pseudonym, 0 if there is none."""
    row = db.execute(
        "SELECT number FROM member WHERE community = ? AND pseudonym = ?", (community, pseudonym)
    ).fetchone()
    return int(row[0]) if row else 0


def members_named(db: Db, text: str, most: int) -> list[MemberRow]:
    """Members by a part of account or name in whatever case, or the start of the pseudonym."""
    folded, found = text.casefold(), list[MemberRow]()
    for rows in db.stream(_MEMBER + "ORDER BY member.number", (), _TOGETHER):
        for row in map(MemberRow._make, rows):
            called = ((row.account or "").casefold(), (row.name or "").casefold())
            if any(folded in name for name in called if name) or row.pseudonym.startswith(folded):
                found.append(row)
                if len(found) == most:
                    return found
    return found


def clause_rows(db: Db) -> list[ClauseRow]:
    """All clauses in order of their numbers."""
    rows = db.execute("SELECT charter, id, rule, harm, severity, state, text, measures FROM clause ORDER BY number")
    return [ClauseRow._make(row) for row in rows]


def room_names(db: Db) -> dict[int, str]:
    """Names of all rooms by number."""
    return dict(db.execute("SELECT number, name FROM room"))


def runs(db: Db) -> list[RunRow]:
    """All runs in order, with their sources by path."""
    sources: dict[int, list[SourceRow]] = {}
    for run, *source in db.execute("SELECT run, path, position, events, findings, unread FROM source ORDER BY path"):
        sources.setdefault(run, []).append(SourceRow._make(source))
    rows = db.execute("SELECT number, charter, started, finished FROM run ORDER BY number")
    return [RunRow._make([*row, tuple(sources.get(row[0], ()))]) for row in rows]


def counts(db: Db) -> Counts:
    """How much there is of everything."""
    of = dict(db.execute("SELECT kind, count(*) FROM entry GROUP BY kind").fetchall())
    kinds = [of.get(kind, 0) for kind in (FINDING, ACTIVITY, REVERSAL)]
    tables = db.execute(
        "SELECT (SELECT count(*) FROM member), (SELECT count(*) FROM account), (SELECT count(*) FROM room), "
        "(SELECT count(*) FROM clause)"
    ).fetchone()
    return Counts(sum(kinds), *kinds, *tables)


def entries(db: Db) -> Iterator[Rows]:
    """All entries in order of their numbers, in the order of ``verify.Row``."""
    yield from db.stream(
        """
        SELECT number, kind, coalesce(at, 0), coalesce(day, 0), coalesce(member, 0), coalesce(room, 0),
               coalesce(clause, 0), coalesce(messages, 0), coalesce(reverses, 0), coalesce(event, ''),
               coalesce(excerpt, ''), coalesce(figures, ''),
               coalesce(reason, ''), coalesce(by, ''), salt, cover, seal
        FROM entry ORDER BY number
        """,
        (),
        _CHUNK,
    )


def known(db: Db) -> Known:
    """Ids of the members and clauses there are; those of clauses from what stands in their rows today."""
    members = _by_number(
        (number, bytes.fromhex(name)) for number, name in db.execute("SELECT number, pseudonym FROM member")
    )
    clauses = (
        (number, clause_digest(ClauseRow._make(row)))
        for number, *row in db.execute(
            "SELECT number, charter, id, rule, harm, severity, state, text, measures FROM clause"
        )
    )
    return Known(members, _by_number(clauses))


def _by_number(rows: Iterator[tuple[int, bytes]]) -> Ids:
    found = dict(rows)
    ids = np.zeros(max(found, default=0) + 1, ID)
    if found:
        ids[np.fromiter(found, np.int64)] = np.frombuffer(b"".join(found.values()), ID)
    return ids
