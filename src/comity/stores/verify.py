"""Reading a whole chain of entries again and naming the first that is not as it was sealed; for every store."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain, islice
from typing import Final, NamedTuple

import numpy as np

from comity.core import ledger
from comity.core.ledger import GENESIS, Entries, Head, Ids
from comity.stores.contract import Verdict


class Row(NamedTuple):
    """One stored entry, with numbers for member and clause, 0 or "" for what its kind does not have, and its seal.

    salt: of a finding whose excerpt is kept; cover: of one whose excerpt was erased; else None.
    """

    number: int
    kind: int
    at: int
    day: int
    member: int
    room: int
    clause: int
    messages: int
    reverses: int
    event: str
    excerpt: str
    figures: str
    reason: str
    by: str
    salt: bytes | None
    cover: bytes | None
    seal: bytes


Rows = Sequence[tuple[object, ...]]
_NO_COVER: Final = bytes(ledger.COVER.itemsize)
_LOOK_AHEAD: Final = 100_000  # rows among which an entry out of its place is looked for


class Known(NamedTuple):
    """Ids by number, shape (highest number + 1,), 16 zero bytes at 0 and wherever there is no such member or clause."""

    members: Ids
    clauses: Ids


def verify(
    batches: Iterable[Rows],
    known: Known,
    head: Head,
    progress: Callable[[int], None] | None = None,
    *,
    noted: Head | None = None,
) -> Verdict:
    """Whether the entries are those that were sealed, and the first that is not.

    batches: all rows in order of their numbers, each in the order of ``Row``, cut anywhere; head: the one the store
    keeps; noted: one that was kept elsewhere.
    """
    last = GENESIS
    batches = iter(batches)
    for rows in batches:
        wanted = range(last.number + 1, last.number + 1 + len(rows))
        columns = list(zip(*rows, strict=True))
        bodies = _bodies(columns, known)
        if (
            bodies is None
            or list(columns[0]) != list(wanted)
            or (found := ledger.seals(last.seal, bodies)) != list(columns[-1])
        ):
            return _fault(last, map(Row._make, chain(rows, *batches)), known, head)
        if noted and noted.number in wanted and found[noted.number - wanted.start] != noted.seal:
            return Verdict(
                noted.number - 1, noted.number, f"entry {noted.number} or one before it was changed and all sealed anew"
            )
        last = Head(wanted[-1], found[-1])
        if progress:
            progress(last.number)
    return _ending(last, head, noted)


def _ending(last: Head, head: Head, noted: Head | None) -> Verdict:
    end = max(head, noted or head)
    if last.number < end.number:
        lost = _spell(last.number + 1, end.number)
        return Verdict(last.number, last.number + 1, f"missing at the end: {lost}")
    if last.number > head.number:
        return Verdict(head.number, head.number + 1, f"added after the ledger's end: entry {head.number + 1}")
    if last != head:
        return Verdict(last.number, last.number, f"the head's seal is not that of entry {last.number}")
    return Verdict(last.number, None, "")


def _fault(last: Head, rows: Iterator[Row], known: Known, head: Head) -> Verdict:
    """Find the first wrong row, and from what follows it, what was done."""
    for row in rows:
        if row.number != last.number + 1 or row.seal != _seal(row, last, known):
            fault = _Fault(last, row, list(islice(rows, _LOOK_AHEAD)), known, head)
            return Verdict(last.number, last.number + 1, fault.sentence())
        last = Head(row.number, row.seal)
    raise AssertionError("a fault that no row has")


class _Fault(NamedTuple):
    """The first row that does not follow from ``last``, and what stands after it."""

    last: Head
    row: Row
    following: list[Row]
    known: Known
    head: Head

    def sentence(self) -> str:
        looks = (self._numbered, self._referring, self._resealed, self._moved, self._renumbered)
        known_deeds = (what for look in looks if (what := look()))
        return next(known_deeds, f"entry {self._number}, its member, or its clause was changed after it was sealed")

    @property
    def _number(self) -> int:
        return self.last.number + 1

    def _numbered(self) -> str:
        if self.row.number > self._number:
            return f"missing: {_spell(self._number, self.row.number - 1)}"
        if self.row.number < self._number:
            return f"added: {_spell(self.row.number, self.row.number)}"
        if self._number > self.head.number:
            return f"added after the ledger's end: {_spell(self._number, self._number)}"
        return ""

    def _referring(self) -> str:
        named = ("member", self.known.members, self.row.member), ("clause", self.known.clauses, self.row.clause)
        for what, ids, number in named:
            if number and (not 0 < number < len(ids) or ids[number] == ledger.NOBODY[0]):
                return f"entry {self._number} names {what} {number}, which the store does not know"
        return ""

    def _resealed(self) -> str:
        due = _seal(self.row, self.last, self.known)
        if due and self._follows(Head(self._number, due)):
            return f"the seal of entry {self._number} was changed, the entry was not"
        return ""

    def _moved(self) -> str:
        if not self.following:
            return ""
        columns = list(zip(*self.following, strict=True))
        bodies = _bodies([[self._number] * len(self.following), *columns[1:]], self.known)
        before = self.row.seal
        for at, (other, body) in enumerate(zip(self.following, bodies or (), strict=bool(bodies)), self._number + 1):
            fitting = sha256(self.last.seal + body).digest()
            if fitting in {other.seal, self.row.seal}:
                previous = Head(at - 1, fitting if at == self._number + 1 else before)
                if _seal(self.row, previous, self.known) in {other.seal, self.row.seal}:
                    return f"swapped: entries {self._number} and {at}"
                return f"added: {_spell(self._number, at - 1)}"
            before = other.seal
        return ""

    def _renumbered(self) -> str:
        if not self.following or len(self.following) == _LOOK_AHEAD:
            return ""
        lost = self.head.number - self.following[-1].number
        if lost > 0 and self._follows(Head(self._number + lost, self.row.seal)):
            return f"missing: {_spell(self._number, self._number + lost - 1)}; the later ones were numbered anew"
        return ""

    def _follows(self, head: Head) -> bool:
        """Whether what stands after the row was sealed after ``head``."""
        if not self.following:
            return head == self.head
        return _seal(self.following[0], head, self.known) == self.following[0].seal


def _seal(row: Row, last: Head, known: Known) -> bytes | None:
    """The seal the row would have after ``last``; None if it cannot be an entry at all."""
    bodies = _bodies([[value] for value in row._replace(number=last.number + 1)], known)
    return sha256(last.seal + bodies[0]).digest() if bodies else None


def _bodies(columns: Sequence[Sequence[object]], known: Known) -> list[bytes] | None:
    try:
        number, kind, at, day, member, room, clause, messages, reverses, event, excerpt, *texts = columns[:-3]
        salt, cover = columns[-3:-1]
        members, clauses = np.asarray(member, np.int64), np.asarray(clause, np.int64)
        if min(members.min(), clauses.min()) < 0:
            return None
        ids = known.members[members], known.clauses[clauses]
        covers = np.frombuffer(b"".join(map(_cover, kind, excerpt, salt, cover)), ledger.COVER)
        plain = (number, kind, at, day, ids[0], room, ids[1], messages, reverses, covers, event, *texts)
        return ledger.canonical(Entries._make(plain))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _cover(kind: object, excerpt: object, salt: object, cover: object) -> bytes:
    """What stands for the excerpt of a row. Raises ValueError or TypeError if the row holds what no row can hold."""
    if kind == ledger.FINDING and isinstance(salt, bytes) and isinstance(excerpt, str) and cover is None:
        return ledger.cover(salt, excerpt)
    if excerpt or salt is not None:
        raise ValueError("an excerpt without its salt, or a salt where no excerpt is")
    if kind != ledger.FINDING and cover is None:
        return _NO_COVER
    if kind == ledger.FINDING and isinstance(cover, bytes) and len(cover) == len(_NO_COVER):
        return cover
    raise ValueError("a finding has either a salt or a cover, and nothing else has any")


def _spell(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first} to {last}"
