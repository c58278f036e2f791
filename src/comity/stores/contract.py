"""What every store promises, whatever it is made of: one contract, one test for all."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from comity.core.ledger import ActivityColumns, ClauseRow, FindingColumns, Head, Ints

Hashes = npt.NDArray[np.uint64]


class Refusal(NamedTuple):
    """Something the ledger will not do, and why: a sentence for the one who asked."""

    why: str


class ActivityInForce(NamedTuple):
    """Own messages that count; arrays of shape (entries,). number: of the entry; the rest as posted."""

    number: Ints
    member: Ints
    day: Ints
    messages: Ints


class FindingsInForce(NamedTuple):
    """Findings that nobody took back, counted and shadow; arrays of shape (entries,).

    number: of the entry; at: milliseconds since 1970; day: days since 1970; member, room, clause: their numbers;
    message: number of the first entry among these about the same event, so that one event has one number.
    """

    number: Ints
    at: Ints
    day: Ints
    member: Ints
    room: Ints
    clause: Ints
    message: Ints


class FindingRow(NamedTuple):
    """One finding of a member. reversed_by: number of the reversal that took it back, None while it is in force."""

    number: int
    at: int
    day: int
    room: int
    clause: int
    event: str
    excerpt: str
    figures: str
    reversed_by: int | None


class ActivityRow(NamedTuple):
    """Own messages of one member on a day, as one entry has them."""

    number: int
    day: int
    messages: int


class MemberRow(NamedTuple):
    """A member; account and name are None once the account is forgotten, name also where the platform has none."""

    number: int
    community: int
    pseudonym: str
    account: str | None
    name: str | None


class SourceRow(NamedTuple):
    """How far one source of a run was read. position: where to go on, in the source's own measure; rest: counts."""

    path: str
    position: int
    events: int
    findings: int
    unread: int


class RunRow(NamedTuple):
    """One rating. started, finished: milliseconds since 1970, finished None while it is not; charter: its digest."""

    number: int
    charter: str
    started: int
    finished: int | None
    sources: tuple[SourceRow, ...]


class Verdict(NamedTuple):
    """What reading the whole chain showed.

    entries: how many were read and found whole before any fault; number: the first entry that is not as it was sealed,
    None if all are; what: a sentence, empty if all is well.
    """

    entries: int
    number: int | None
    what: str

    @property
    def whole(self) -> bool:
        """Nothing is changed, missing, added, or swapped."""
        return self.number is None


class Counts(NamedTuple):
    """How much a store holds; entries = findings + activity + reversals."""

    entries: int
    findings: int
    activity: int
    reversals: int
    members: int
    accounts: int
    rooms: int
    clauses: int


class Store(Protocol):
    """Everything of one ``with write()`` is kept, or nothing; what was kept survives kill -9 at any moment.

    Numbers of members, rooms, clauses and entries are given from 1 on without gaps and never again to another. Every
    method that changes something opens its own ``write()`` where none is open. Texts are kept with U+FFFD for NUL.
    Raises StoreError wherever the store cannot be read or written; its text says what to do.
    """

    def write(self) -> AbstractContextManager[None]:
        """One transaction: committed at its end, rolled back on any error; inner ones join the outermost."""

    def head(self) -> Head:
        """The last entry's number and seal: the ledger's version."""

    def community(self, name: str) -> int:
        """The number of the community with the platform's identifier ``name``, new with a key of its own."""

    def members(self, community: int, accounts: Sequence[str], names: Sequence[str | None]) -> list[int]:
        """The number of each account's member, new where needed; a name that is not None is the one kept from now on.

        Both of one length; one account may stand there many times, and then its last name is kept.
        """

    def rename(self, members: Sequence[int], names: Sequence[str]) -> None:
        """Keep another name of each member; nothing changes for one whose account is forgotten."""

    def rooms(self, community: int, names: Sequence[str]) -> list[int]:
        """The number of each room, by the platform's identifiers; new where needed."""

    def clauses(self, rows: Sequence[ClauseRow]) -> list[int]:
        """The number of each clause; a row that differs anywhere is another clause."""

    def clause_rows(self) -> list[ClauseRow]:
        """All clauses; the one with number n stands at n - 1."""

    def room_names(self) -> dict[int, str]:
        """The platform's name of each room, by number."""

    def post(self, findings: FindingColumns, activity: ActivityColumns, *, after: Head) -> Head:
        """Append entries, findings first, numbered from ``after.number + 1`` on as they stand; return the new head.

        Raises LedgerMovedError if the head is not ``after``: decide again, then post. Raises ValueError if columns
        differ in length, or name a member, room, or clause that the store does not know. Nothing is posted then.
        """

    def reverse(self, number: int, reason: str, by: str, at: int, *, after: Head) -> Head | Refusal:
        """Take back the entry with this number; return the new head, or why it cannot be taken back.

        reason, by: why and by whom, neither empty; at: milliseconds since 1970. A reversal cannot be taken back, nor
        anything twice. Raises LedgerMovedError as ``post`` does.
        """

    def in_force(
        self, community: int | None = None, *, since: int | None = None
    ) -> tuple[ActivityInForce, FindingsInForce]:
        """Everything that nobody took back, in order, of one community or all, from the day ``since`` on or always."""

    def findings(self, member: int) -> list[FindingRow]:
        """All findings of a member, also those taken back, in order."""

    def member(self, number: int) -> MemberRow | None:
        """The member with this number."""

    def members_named(self, text: str, *, most: int = 50) -> list[MemberRow]:
        """Members whose account or name contains the text, in whatever case, or whose pseudonym begins with it."""

    def forget_account(self, member: int, *, now: int | None = None) -> bool:
        """Erase account and name of a member from the store's files; pseudonym, entries and chain stay whole.

        now: milliseconds since 1970; if given, the member's excerpts go as well, as ``erase_excerpts`` has it. False if
        there was no account. If the account speaks again it is the same member, and mapped again.
        """

    def erase_excerpts(self, *, now: int, before: int | None = None, member: int | None = None) -> int:
        """Erase what members wrote from findings made before a time, with the salt; return how many lost theirs.

        now, before: milliseconds since 1970, before is now if None; member: whose, of all if None. What a proposal that
        waits or a statement that can still be appealed rests on is kept; statements lose their own excerpts when they
        no longer can. Findings read as before with an empty excerpt, seals and chain stay as they are.
        """

    def seen(self, hour: int) -> Hashes:
        """Hashes of the events counted in this hour since 1970, in the order they were added."""

    def add_seen(self, hours: Sequence[tuple[int, Hashes]]) -> None:
        """Remember hashes of events as counted, each under the hour of its own time."""

    def window_states(self) -> dict[str, bytes]:
        """The window state of the last commit, by name."""

    def save_window_states(self, states: Mapping[str, bytes]) -> None:
        """Keep these window states; those of other names stay as they are."""

    def start_run(self, charter: str, at: int) -> int:
        """Note that a rating under this charter (digest) begins; return the run's number."""

    def save_source(self, run: int, source: SourceRow) -> None:
        """Note how far a source of this run was read; what was noted of it before is replaced."""

    def finish_run(self, run: int, at: int) -> None:
        """Note that the run is over."""

    def runs(self) -> list[RunRow]:
        """All runs, in order, with their sources."""

    def counts(self) -> Counts:
        """How much there is of everything."""

    def verify(self, progress: Callable[[int], None] | None = None, *, noted: Head | None = None) -> Verdict:
        """Read every entry and find the first that was changed, is missing, was added or swapped.

        progress: told now and then how many entries were read; noted: a head that was kept elsewhere. Whoever can write
        the store's file can also seal it anew; against that only a noted head helps.
        """
