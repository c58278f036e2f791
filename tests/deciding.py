"""A tea garden to decide about: clauses, findings, and a small world that carries decisions from turn to turn."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from comity.core.case import Case, Found, Person, rated
from comity.core.charter import Charter, Clause, Measure, State
from comity.core.decide import Decided, decide
from comity.core.decision import Course, Decision
from comity.core.harm import Severity
from comity.core.standing import Counted

START = 1_778_000_000_000  # milliseconds since 1970
HOUR = 3_600_000
DAY = 24 * HOUR


def clause(
    id_: str,
    *measures: Measure,
    severity: Severity = Severity.MINOR,
    harm: str = "spam.flooding",
    state: State = State.LIVE,
    review: bool = False,
) -> Clause:
    """A clause of the tea garden."""
    return Clause(
        id=id_,
        text=f"Leave room for others at the tea table ({id_}).",
        rule="flood",
        harm=harm,
        severity=severity,
        measures=tuple(measures),
        state=state,
        when="",
        sentence="more than 10 messages in one room within 30 seconds",
        parameters={},
        review=review,
    )


FLOOD = clause("1.1", Measure.WARN, Measure.HIDE, Measure.SLOW)
SCAM = clause("2.1", Measure.HIDE, Measure.MUTE, severity=Severity.SEVERE, harm="spam.fraud")
LINKS = clause("2.2", Measure.HIDE, Measure.NO_LINKS, severity=Severity.SERIOUS, harm="spam.fraud")
HOUSE = clause("5.1", *Measure, harm="house")  # no charter lets a house clause ask for all this: a line behind the line
GRAVE = clause("6.1", *Measure, severity=Severity.SERIOUS, harm="harassment")
CLAUSES = (FLOOD, SCAM, LINKS, HOUSE, GRAVE)


def charter(longest: dt.timedelta = dt.timedelta(hours=72), language: str = "en") -> Charter:
    """The tea garden's."""
    return Charter(
        community="Tea Garden", language=language, time_zone="Europe/Vienna", clauses=CLAUSES, longest=longest
    )


@dataclass
class World:
    """One community, turn by turn. history: own messages by day, of everybody alike."""

    by: Charter = field(default_factory=charter)
    dry_run: bool = False
    history: dict[int, int] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    counted: dict[int, list[Counted]] = field(default_factory=dict)
    house: set[int] = field(default_factory=set)
    head: int = 0
    most_muted: int = 500
    muted: dict[int, int] = field(default_factory=dict)

    def found(self, clause: Clause, at: int = START, *, room: int = 1, event: str = "") -> Found:
        """A new finding, entered in the ledger."""
        self.head += 1
        return Found(
            entry=self.head,
            at=at,
            room=room,
            number=CLAUSES.index(clause) + 1 if clause in CLAUSES else 99,
            clause=clause,
            event=event or f"$event-{self.head}",
            excerpt="more tea",
            sentence=clause.sentence,
        )

    def person(self, found: Sequence[Found], at: int = START, *, member: int = 1, exempt: str = "") -> Person:
        """A member with new findings, rated before and after them."""
        day, before = at // DAY, list(self.counted.get(member, []))
        now = before + [Counted(f.entry, f.at // DAY, f.clause.severity, f.entry) for f in found if f.clause.counts]
        self.counted[member] = now
        self.house |= {f.entry for f in found if f.clause.harm == "house"}
        mine = [d for d in self.decisions if d.member == member]
        return Person(
            member=member,
            found=found,
            before=rated(self.history, before, self.house, day),
            now=rated(self.history, now, self.house, day),
            decisions=mine,
            exempt=exempt,
        )

    def case(self, people: Sequence[Person], at: int = START) -> Case:
        """What is to be decided."""
        return Case(
            at=at,
            charter=self.by,
            community=1,
            head=self.head,
            first=len(self.decisions) + 1,
            people=people,
            muted=self.muted,
            most_muted=self.most_muted,
            dry_run=self.dry_run,
        )

    def turn(self, *found: Found, at: int = START, member: int = 1, exempt: str = "") -> list[Decided]:
        """Decide about one member, and keep what was decided."""
        self.over(at)
        decided = decide(self.case([self.person(found, at, member=member, exempt=exempt)], at))
        self.decisions += [d.decision for d in decided]
        return decided

    def over(self, at: int) -> None:
        """End what has reached its end."""
        for i, d in enumerate(self.decisions):
            if d.until is not None and d.until <= at and d.course in {Course.PROPOSED, Course.IN_FORCE}:
                course = Course.LAPSED if d.proposed else Course.ENDED
                self.decisions[i] = msgspec.structs.replace(d, course=course)


def measures(decided: Sequence[Decided], *, proposed: bool = False) -> list[str]:
    """The measures imposed, or proposed, in the order of the ladder."""
    return [str(d.decision.measure) for d in decided if d.decision.proposed == proposed]
