"""The ledger: what an entry is, its canonical bytes, and the seal that chains it to all entries before it.

Entries are final. A mistake is taken back by a second entry, and standing is summed afresh from what is in force.
The seal of entry n is SHA-256(seal of entry n-1 || canonical bytes of entry n), 32 zero bytes standing before entry 1.
The canonical bytes name the member by pseudonym and the clause by the digest of its row, so that neither can be changed
behind the ledger's back, and they cover every column of the entry:

    number u64 | kind u8 | at i64 | day i32 | member 16 bytes | room u32 | clause 16 bytes | messages u64 |
    reverses u64 | cover 32 bytes | lengths u32 x 4 | event | figures | reason | by

all whole numbers big-endian, lengths in code points, texts in UTF-8, what a kind does not have as zeros or empty. The
cover of a finding stands for its excerpt: SHA-256(salt of 16 random bytes || excerpt in UTF-8). Once salt and excerpt
are erased, the cover alone is kept; it tells nothing about what was written, and the chain stays whole.
"""

from collections.abc import Iterable, Sequence, Sized
from hashlib import sha256
from itertools import repeat
from operator import add
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.void]  # of 16 bytes each
Ints = npt.NDArray[np.int64]

FINDING: Final = 1
ACTIVITY: Final = 2
REVERSAL: Final = 3
KINDS: Final = {FINDING: "finding", ACTIVITY: "activity", REVERSAL: "reversal"}
ID: Final = np.dtype("V16")
COVER: Final = np.dtype("V32")
SALT_BYTES: Final = 16
# The state of a clause's row whose findings began with a report; they count, as live ones do.
REPORTED: Final = "reported"
NOBODY: Final = np.zeros(1, ID)

_HEADER: Final = np.dtype(
    [
        ("number", ">u8"),
        ("kind", "u1"),
        ("at", ">i8"),
        ("day", ">i4"),
        ("member", ID),
        ("room", ">u4"),
        ("clause", ID),
        ("messages", ">u8"),
        ("reverses", ">u8"),
        ("cover", COVER),
        ("lengths", ">u4", 4),
    ]
)
_WHOLE: Final = f"V{_HEADER.itemsize}"
_BOUNDS: Final = {
    "number": (1, 2**62),
    "kind": (FINDING, REVERSAL),
    "at": (-(2**62), 2**62),
    "day": (-(2**31), 2**31 - 1),
    "room": (0, 2**32 - 1),
    "messages": (0, 2**62),
    "reverses": (0, 2**62),
}


class Head(NamedTuple):
    """The ledger's version: the number of its last entry, and that entry's seal of 32 bytes."""

    number: int
    seal: bytes


GENESIS: Final = Head(0, bytes(32))


class FindingColumns(NamedTuple):
    """Findings to post, counted or shadow, one a row; all of one length.

    at: milliseconds since 1970; day: days since 1970 in the charter's time zone; member, room, clause: their numbers in
    the store; event: its id; excerpt: what the member wrote, as far as it is kept; figures: compact JSON of the figures
    that the rule saw.
    """

    at: Sequence[int]
    day: Sequence[int]
    member: Sequence[int]
    room: Sequence[int]
    clause: Sequence[int]
    event: Sequence[str]
    excerpt: Sequence[str]
    figures: Sequence[str]


class ActivityColumns(NamedTuple):
    """Own messages to post, one (member, day) a row; all of one length.

    Messages of one member and day may come in several rows and commits: exposure is made of their sum.
    member: number in the store; day: days since 1970 in the charter's time zone; messages: >= 1, how many more.
    """

    member: Sequence[int]
    day: Sequence[int]
    messages: Sequence[int]


NO_FINDINGS: Final = FindingColumns([], [], [], [], [], [], [], [])
NO_ACTIVITY: Final = ActivityColumns([], [], [])


def rows(columns: Iterable[Sized]) -> int:
    """How many rows columns have. Raises ValueError if they are not all of one length."""
    lengths = set(map(len, columns))
    if len(lengths) > 1:
        raise ValueError(f"columns must have one length, got {sorted(lengths)}")
    return lengths.pop()


class ReversalRow(NamedTuple):
    """One entry taken back. at: milliseconds since 1970; reverses: its number; reason: why; by: who decided so."""

    at: int
    reverses: int
    reason: str
    by: str


class ClauseRow(NamedTuple):
    """A clause as it stood when something was found under it.

    charter: digest of the charter it stands in; id: its id there; rule, harm: names; severity: minor, serious, severe;
    state: shadow, live, review or reported; text: what members read; measures: their names, separated by blanks.
    """

    charter: str
    id: str
    rule: str
    harm: str
    severity: str
    state: str
    text: str
    measures: str


def clause_digest(clause: ClauseRow) -> bytes:
    """The first 16 bytes of SHA-256 over the clause's fields as a JSON list: what entries name it by."""
    return sha256(msgspec.json.encode(list(clause))).digest()[:16]


class Entries(NamedTuple):
    """Entries of any kind as whole columns; what a kind does not have is 0, 16 zero bytes, or empty.

    All of shape (entries,); member and clause by id of 16 bytes, cover of 32 bytes, the rest as in the columns above.
    """

    number: Sequence[int]
    kind: Sequence[int]
    at: Sequence[int]
    day: Sequence[int]
    member: Ids
    room: Sequence[int]
    clause: Ids
    messages: Sequence[int]
    reverses: Sequence[int]
    cover: npt.NDArray[np.void]
    event: Sequence[str]
    figures: Sequence[str]
    reason: Sequence[str]
    by: Sequence[str]


def cover(salt: bytes, excerpt: str) -> bytes:
    """What stands for an excerpt in its entry's seal, 32 bytes.

    Raises ValueError if the salt has another length than 16: the excerpt's beginning could pass for a part of it.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, got {len(salt)}")
    return sha256(salt + excerpt.encode()).digest()


def finding_bytes(
    first: int, findings: FindingColumns, members: Ids, clauses: Ids, salts: Sequence[bytes]
) -> list[bytes]:
    """Canonical bytes of findings numbered from ``first`` on; members, clauses: an id for each, shape (findings,).

    salts: 16 random bytes for each, drawn anew and used once: whoever knows an erased excerpt's salt can try guesses.

    Raises ValueError if columns differ in length or a figure is out of bounds, UnicodeEncodeError for a lone surrogate.
    """
    header = _header(first, FINDING, rows(findings), members)
    for name in ("at", "day", "room"):
        _fill(header, name, getattr(findings, name))
    header["clause"] = clauses
    if set(map(len, salts)) - {SALT_BYTES}:
        raise ValueError(f"every salt has {SALT_BYTES} bytes")
    covers = [sha256(salt + text.encode()).digest() for salt, text in zip(salts, findings.excerpt, strict=True)]
    header["cover"] = np.frombuffer(b"".join(covers), COVER)
    return _joined(header, (findings.event, findings.figures))


def activity_bytes(first: int, activity: ActivityColumns, members: Ids) -> list[bytes]:
    """Canonical bytes of activity numbered from ``first`` on; members: an id for each row. Raises as above."""
    header = _header(first, ACTIVITY, rows(activity), members)
    _fill(header, "day", activity.day)
    _fill(header, "messages", activity.messages)
    return _joined(header, ())


def reversal_bytes(number: int, reversal: ReversalRow) -> bytes:
    """Canonical bytes of the reversal with this number. Raises as above."""
    header = _header(number, REVERSAL, 1, NOBODY)
    _fill(header, "at", [reversal.at])
    _fill(header, "reverses", [reversal.reverses])
    return _joined(header, ([""], [""], [reversal.reason], [reversal.by]))[0]


def canonical(entries: Entries) -> list[bytes]:
    """Canonical bytes of entries of any kind, as they stand in a store. Raises as above."""
    header = np.zeros(rows(entries), _HEADER)
    for name in _BOUNDS:
        _fill(header, name, getattr(entries, name))
    header["member"], header["clause"], header["cover"] = entries.member, entries.clause, entries.cover
    return _joined(header, entries[10:])


def seals(before: bytes, entries: Iterable[bytes]) -> list[bytes]:
    """The seals of entries (canonical bytes, in order), the first chained to the seal ``before`` it."""
    found = []
    seal = before
    for entry in entries:
        seal = sha256(seal + entry).digest()
        found.append(seal)
    return found


def _header(first: int, kind: int, count: int, members: Ids) -> npt.NDArray[np.void]:
    header = np.zeros(count, _HEADER)
    header["number"] = np.arange(first, first + count)
    header["kind"] = kind
    header["member"] = members
    return header


def _fill(header: npt.NDArray[np.void], name: str, column: Sequence[int]) -> None:
    values = np.asarray(column, np.int64)
    least, most = _BOUNDS[name]
    if len(values) and not least <= values.min() <= values.max() <= most:
        raise ValueError(f"{name} must be {least} to {most}, got {values.min()} to {values.max()}")
    header[name] = values


def _joined(header: npt.NDArray[np.void], texts: Sequence[Sequence[str]]) -> list[bytes]:
    for i, column in enumerate(texts):
        header["lengths"][:, i] = np.fromiter(map(len, column), np.int64, len(column))
    fixed: list[bytes] = header.view(_WHOLE).tolist()
    bodies: Iterable[bytes] = map(str.encode, map("".join, zip(*texts, strict=True))) if texts else repeat(b"")
    return list(map(add, fixed, bodies))
