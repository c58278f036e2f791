"""What somebody needs to see to decide a case, and what a member needs to see about themselves, each in one value."""

import msgspec

from comity.core.appeal import Appeal
from comity.core.charter import Measure
from comity.core.decision import Course, Decision
from comity.core.explanation import Line
from comity.core.harm import Severity
from comity.core.looking import Look
from comity.core.queue import Waiting
from comity.core.report import Report, Voice
from comity.core.rights import Band, Missing, Point, Right
from comity.core.statement import Statement


class Said(msgspec.Struct, frozen=True):
    """Something that was said. at: milliseconds since 1970; by: a pseudonym; here: it is the evidence itself."""

    at: int
    by: str
    text: str
    event: str
    here: bool = False


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of evidence.

    entry: of the ledger, 0 where there is none yet; at: milliseconds since 1970; room: as members call it; sentence:
    what the rule says; excerpt: of what was said, "" where nothing is kept; reversed: it was taken back; around: what
    was said before and after, as far as anything is kept.
    """

    entry: int
    at: int
    clause_id: str
    sentence: str
    excerpt: str
    room: str
    event: str
    reversed: bool = False
    around: tuple[Said, ...] = ()


class Summed(msgspec.Struct, frozen=True, kw_only=True):
    """A member's standing and what it is made of.

    points, low, high, start: thousandths of a point; lines: as ``explanation.grouped`` has them; rights: what the
    member may do today in all rooms; missing: what is lacking for each of the others.
    """

    points: int
    low: int
    high: int
    start: int
    band: Band
    newcomer: bool
    lines: tuple[Line, ...]
    rights: tuple[Right, ...]
    missing: tuple[Missing, ...]


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a measure would do.

    loses: rights that the member has now and would not have; until: milliseconds since 1970, None for no end; once: it
    is over with the deed; rooms: where, as members call them; cannot: (room, why) where it cannot be carried out; why:
    it cannot be imposed at all, "" if it can.
    """

    measure: Measure
    loses: tuple[Right, ...] = ()
    until: int | None = None
    once: bool = False
    rooms: tuple[str, ...] = ()
    cannot: tuple[tuple[str, str], ...] = ()
    why: str = ""


class Step(msgspec.Struct, frozen=True):
    """One step of a decision's course. at: milliseconds since 1970."""

    at: int
    by: str
    course: Course
    reason: str


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with its course, and its statement as the member reads it; None of a proposal."""

    decision: Decision
    steps: tuple[Step, ...]
    statement: Statement | None
    text: str = ""
    room: str = ""


class Remark(msgspec.Struct, frozen=True):
    """A note on a case. at: milliseconds since 1970."""

    at: int
    by: str
    text: str


class Told(msgspec.Struct, frozen=True):
    """What somebody would read of a verdict. to: "member", or "reporter"."""

    to: str
    text: str


class CaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about an item that waits.

    version: to be given back with the verdict; blind: what was decided is left out, for a second look; decision: that
    waits or is appealed; preview: the statement that following a proposal would make, as the member would read it;
    barred: why whoever asked cannot decide here, "" if they can; verdicts: names of what can be said; voices: of the
    reports, those who report together as one; clauses: ids that a measure can be imposed under, with their texts;
    begins: where bands begin, in thousandths of a point.
    """

    item: Waiting
    version: str
    verdicts: tuple[str, ...]
    evidence: tuple[Shown, ...]
    barred: str = ""
    blind: bool = False
    standing: Summed | None = None
    curve: tuple[Point, ...] = ()
    begins: tuple[tuple[Band, int], ...] = ()
    effects: tuple[Effect, ...] = ()
    decision: Decided | None = None
    preview: str = ""
    before: tuple[Decided, ...] = ()
    reports: tuple[Report, ...] = ()
    voices: tuple[Voice, ...] = ()
    clauses: tuple[tuple[str, str], ...] = ()
    appeal: Appeal | None = None
    notes: tuple[Remark, ...] = ()
    skips: tuple[Remark, ...] = ()
    severity: Severity | None = None
    harm: str = ""


class MemberFile(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a member, for themselves or for whoever looks with a reason.

    account: "" where it is forgotten; appealable: decisions that an appeal can be made against today.
    """

    member: int
    community: int
    pseudonym: str
    account: str
    standing: Summed
    curve: tuple[Point, ...]
    entries: tuple[Shown, ...]
    decisions: tuple[Decided, ...]
    in_force: tuple[int, ...]
    appealable: tuple[int, ...]
    appeals: tuple[Appeal, ...]
    reports: tuple[Report, ...]
    looks: tuple[Look, ...]
