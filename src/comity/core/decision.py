"""The decision: rights of one member changed, by whom, because of which entries, where and until when. Values only.

What no machine may do cannot even be written down: a decision by machine that has no end, lasts too long, or imposes
what needs a person is no value of this type.
"""

from enum import StrEnum
from typing import Final

import msgspec

from comity.core.charter import BY_A_PERSON, LONGEST_AUTOMATIC, Measure
from comity.core.harm import Severity

MACHINE: Final = "machine"
LONGEST: Final = int(LONGEST_AUTOMATIC.total_seconds() * 1000)  # of an automatic measure, milliseconds
EVERYWHERE: Final = 0  # the room of a decision that holds in all rooms of its community


class Course(StrEnum):
    """Where a decision stands.

    proposed: nothing is imposed, a person must decide; in force: imposed, by machine only provisionally; confirmed: a
    person looked and lets it stand; ended: its time is over; reversed: it should not have been; refused: a person did
    not follow the proposal; lapsed: nobody decided in time, in the member's favour.
    """

    PROPOSED = "proposed"
    IN_FORCE = "in force"
    CONFIRMED = "confirmed"
    ENDED = "ended"
    REVERSED = "reversed"
    REFUSED = "refused"
    LAPSED = "lapsed"


HOLDING: Final = frozenset({Course.IN_FORCE, Course.CONFIRMED})
# Where a decision can go from where it stands; what is not named here is over.
NEXT: Final = {
    Course.PROPOSED: frozenset({Course.REFUSED, Course.LAPSED, Course.CONFIRMED}),
    Course.IN_FORCE: frozenset({Course.CONFIRMED, Course.ENDED, Course.REVERSED, Course.LAPSED}),
    Course.CONFIRMED: frozenset({Course.ENDED, Course.REVERSED, Course.LAPSED}),
    Course.ENDED: frozenset({Course.REVERSED}),
}


class Place(msgspec.Struct, frozen=True, order=True):
    """A message: the number of its room, and the platform's id of its event."""

    room: int
    event: str


class Enforced(msgspec.Struct, frozen=True):
    """What became of a decision in one room. why: one sentence where it was not carried out, else empty."""

    room: int
    done: bool
    why: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision. Raises ValueError where a machine would do what it may not.

    number: from 1 on, without gaps; at: milliseconds since 1970; community, member, room, clause: their numbers in the
    store, room 0 for all rooms; clause_id, clause_text, severity: of the clause it rests on first; findings: entries of
    the ledger it rests on, ascending; hides: the messages that a hide is about; found_automatically: by a rule and not
    by a report; by: "machine" or a person's pseudonym; provisional: until a person confirms; until: milliseconds since
    1970, None only if a person decided, of a proposal when it lapses; line: thousandths of a point under which standing
    asked for it, 0 if a clause did; extends: the decision whose measure this one prolongs, 0 for none; head: number of
    the ledger's last entry when it was made; dry_run: decided, and nothing carried out; enforced: by room.
    """

    number: int
    at: int
    community: int
    member: int
    measure: Measure
    clause: int
    clause_id: str
    clause_text: str
    severity: Severity
    findings: tuple[int, ...]
    head: int
    until: int | None
    room: int = EVERYWHERE
    hides: tuple[Place, ...] = ()
    found_automatically: bool = True
    by: str = MACHINE
    provisional: bool = True
    course: Course = Course.IN_FORCE
    line: int = 0
    extends: int = 0
    dry_run: bool = False
    enforced: tuple[Enforced, ...] = ()

    def __post_init__(self) -> None:
        if not self.by:
            raise ValueError("a decision names who made it, got nobody")
        if not self.findings and self.decided_automatically:
            raise ValueError("a machine decides on findings, got none")
        if self.until is not None and self.until <= self.at:
            raise ValueError(f"a measure must last some time, got {self.until - self.at} ms")
        if not self.decided_automatically or self.course not in {Course.PROPOSED, Course.IN_FORCE}:
            return
        if self.until is None or self.until - self.at > LONGEST:
            raise ValueError("what a machine decides ends after 72 hours at most")
        if not self.provisional:
            raise ValueError("what a machine decides is provisional until a person confirms it")
        if self.course is Course.IN_FORCE and self.measure in BY_A_PERSON:
            raise ValueError(f"{self.measure} needs a person")

    @property
    def decided_automatically(self) -> bool:
        """Whether no person took part in deciding (DSA Art. 17(3)(c))."""
        return self.by == MACHINE

    @property
    def proposed(self) -> bool:
        """Whether it waits for a person and imposes nothing."""
        return self.course is Course.PROPOSED

    def holds(self, now: int) -> bool:
        """Whether the measure is in force at a time, milliseconds since 1970; never in a dry run."""
        return not self.dry_run and self.imposes(now)

    def imposes(self, now: int) -> bool:
        """The same, also of a dry run: whether there is nothing new to decide."""
        return self.course in HOLDING and self.at <= now and (self.until is None or now < self.until)

    def covers(self, room: int) -> bool:
        """Whether it holds in a room."""
        return self.room in {EVERYWHERE, room}
