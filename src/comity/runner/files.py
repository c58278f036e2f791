"""Puts together what somebody needs to see to decide a case, and what a member sees about themselves."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from comity.core.case_file import CaseFile, Decided, Effect, MemberFile, Remark, Shown, Step, Summed
from comity.core.charter import BY_A_PERSON, Clause, Measure
from comity.core.decision import EVERYWHERE, Course, Decision
from comity.core.errors import ComityError
from comity.core.event import moment
from comity.core.explanation import grouped
from comity.core.harm import Severity
from comity.core.held import rights_left
from comity.core.ledger import ClauseRow
from comity.core.parameters import Parameters
from comity.core.queue import VERDICTS, Item, Kind, Waiting
from comity.core.report import Report
from comity.core.rights import Band, Point, Right, curve
from comity.core.statement import as_text
from comity.core.verdicts import endless, name_of
from comity.core.who import Who
from comity.runner.hearing import Hearing
from comity.runner.imposing import Imposing
from comity.runner.own import CURVE, summed_up, take
from comity.runner.persons import Persons
from comity.runner.realm import Realm
from comity.runner.reporting import Reporting
from comity.runner.surroundings import Surroundings
from comity.stores.contract import FindingRow
from comity.stores.process_contract import ProcessStore

_MOST: Final = 50  # decisions before this one that a page shows
_CONTESTABLE: Final = frozenset({Course.IN_FORCE, Course.CONFIRMED, Course.ENDED})


class Files:
    """Case files and member files. surroundings: what a case also shows where a record is kept."""

    def __init__(
        self,
        store: ProcessStore,
        persons: Persons,
        *,
        reporting: Reporting,
        hearing: Hearing,
        surroundings: Surroundings,
    ) -> None:
        self._store, self._persons, self._people = store, persons, persons.people
        self._reporting, self._hearing, self._surroundings = reporting, hearing, surroundings
        self._imposing: Imposing = persons.imposing
        self._clauses: list[ClauseRow] = []

    async def case(self, item: Item, by: Who) -> CaseFile:
        """Everything about an item that waits. Raises ComityError if it does not wait any more."""
        file, realm, member = self._case(item, by)
        return await self._surroundings.of(file, realm, member, by)

    def _case(self, item: Item, by: Who) -> tuple[CaseFile, Realm, int]:
        """A case with nothing but what the ledger keeps, its community, and the member it is about, 0 if unknown."""
        now, p = self._persons.outbox.now(), self._store.process
        waiting = p.item(item, now)
        realm = self._persons.realms.get(waiting.community) if waiting else None
        if waiting is None or realm is None:
            raise ComityError(f"{item.key} does not wait any more")
        decision = self._decision_of(item)
        member = waiting.member or (decision.member if decision else 0)
        blind = item.kind is Kind.SAMPLE
        reports = self._reports_of(item)
        evidence = self._evidence_of(realm, item, decision, reports, member)
        if blind:  # that it was taken back would tell what was decided
            evidence = tuple(msgspec.structs.replace(shown, reversed=False) for shown in evidence)
        file = CaseFile(
            item=waiting,
            version=p.version(item),
            verdicts=tuple(name_of(v) for v in VERDICTS[item.kind]),
            barred=self.barred(item, by, member),
            blind=blind,
            evidence=evidence,
            reports=tuple(reports),
            voices=tuple(self._reporting.voices(reports)) if reports else (),
            clauses=tuple((c.id, c.text) for c in realm.adopted.clauses if c.counts),
            appeal=p.appeal(item.number) if item.kind is Kind.APPEAL else None,
            notes=tuple(Remark(n.at, n.by, n.text) for n in p.notes(item=item)),
            skips=tuple(Remark(at, who, reason) for who, at, reason in p.skips(item)),
            severity=decision.severity if decision else waiting.severity,
            harm=waiting.harm,
        )
        if blind or not member:
            return file, realm, member
        file = msgspec.structs.replace(
            file,
            standing=self.summed(realm, member, now),
            curve=tuple(self.curve(realm, member, now)),
            begins=_begins(realm.charter.standing),
            effects=tuple(self._effects(realm, member, decision, waiting, now)),
            decision=self.decided(decision) if decision else None,
            preview=self._preview(realm, decision, by, now),
            before=self._before(member, decision),
        )
        return file, realm, member

    def member(self, realm: Realm, member: int, *, most: int = _MOST) -> MemberFile:
        """Everything about a member, at most so many of each kind. Raises ComityError if there is none."""
        row, now, p = self._store.member(member), self._persons.outbox.now(), self._store.process
        if row is None or row.community != realm.number:
            raise ComityError("there is no such member")
        decisions = [self.decided(d) for d in p.decisions_of(member, most=most) if not d.proposed]
        appealed = {a.decision for a in p.appeals(member=member, most=most)}
        return MemberFile(
            member=member,
            community=realm.number,
            pseudonym=row.pseudonym,
            account=row.account or "",
            standing=self.summed(realm, member, now),
            curve=tuple(self.curve(realm, member, now)),
            entries=tuple(self._shown(realm, f) for f in p.findings_of(member, most=10 * most)),
            decisions=tuple(decisions),
            in_force=tuple(d.number for d in realm.in_force.get(member, ()) if d.holds(now)),
            appealable=tuple(
                d.decision.number
                for d in decisions
                if d.decision.course in _CONTESTABLE
                and d.decision.number not in appealed
                and d.statement is not None
                and not d.decision.dry_run
                and now <= d.statement.appeal_until
            ),
            appeals=tuple(p.appeals(member=member, most=most)),
            reports=tuple(p.reports(reporter=member, most=most)),
            looks=tuple(p.looks(member=member, most=most)),
        )

    def barred(self, item: Item, by: Who, member: int) -> str:
        """Why somebody cannot decide an item, or "" if they can."""
        if by.member and by.member == member:
            return "it is about you: somebody else must look at it"
        if item.kind is Kind.APPEAL:
            return self._hearing.barred(item.number, by)
        if item.kind is Kind.SAMPLE:
            return self._second(item.number, by)
        report = self._store.process.report(item.number) if item.kind is Kind.REPORT else None
        if report is not None and by.member and by.member == report.reporter:
            return "you reported it: somebody else must look at it"
        return ""

    def _second(self, number: int, by: Who) -> str:
        """Why somebody cannot look a second time, or "" if they can."""
        sample = self._store.process.sample(number)
        row = self._store.member(by.member) if by.member else None
        names = {by.name, row.pseudonym} if row else {by.name}
        steps = self._store.decisions.course(sample.decision) if sample else ()
        return "somebody else must look: you decided about it" if names & {step.by for step in steps} else ""

    # Standing.

    def summed(self, realm: Realm, member: int, now: int) -> Summed:
        """A member's standing now, and what it is made of."""
        counting, day = realm.counting, realm.day(moment(now))
        told, rated = counting.explain(member, day), counting.rated(member, day)
        return summed_up(take(realm, member, now), told, rated, now, grouped(told.lines))

    def curve(self, realm: Realm, member: int, now: int) -> Sequence[Point]:
        """A member's standing over the last 180 days."""
        day, counting = realm.day(moment(now)), realm.counting
        parameters = realm.charter.standing
        first = day - CURVE + 1
        return curve(counting.activity(member), counting.counted(member), first, day, parameters=parameters)

    # Decisions.

    def decided(self, decision: Decision) -> Decided:
        """A decision with its course and its statement."""
        d = self._store.decisions
        statement = d.statement(decision.number)
        return Decided(
            decision=decision,
            steps=tuple(Step(s.at, s.by, s.course, s.reason) for s in d.course(decision.number)),
            statement=statement,
            text=as_text(statement) if statement else "",
            room=self._people.label(decision.room),
        )

    def _decision_of(self, item: Item) -> Decision | None:
        p = self._store.process
        number = item.number
        if item.kind is Kind.APPEAL:
            appeal = p.appeal(number)
            number = appeal.decision if appeal else 0
        elif item.kind is Kind.SAMPLE:
            sample = p.sample(number)
            number = sample.decision if sample else 0
        elif item.kind not in {Kind.PROPOSAL, Kind.PROVISIONAL}:
            return None
        return self._store.decisions.decision(number) if number else None

    def _before(self, member: int, decision: Decision | None) -> tuple[Decided, ...]:
        mine = self._store.process.decisions_of(member, most=_MOST)
        return tuple(self.decided(d) for d in mine if decision is None or d.number != decision.number)

    def _preview(self, realm: Realm, decision: Decision | None, by: Who, now: int) -> str:
        """The statement that following a proposal would make."""
        if decision is None or not decision.proposed:
            return ""
        followed = self._imposing.as_followed(decision, realm, by.name, now)
        return as_text(self._imposing.statement(followed, realm, now))

    def _effects(
        self, realm: Realm, member: int, decision: Decision | None, waiting: Waiting, now: int
    ) -> Iterable[Effect]:
        """What each measure would do."""
        clause_id = decision.clause_id if decision else waiting.clause_id
        clause = next((c for c in realm.adopted.clauses if c.id == clause_id), None)
        rated, in_force = realm.counting.rated(member, realm.day(moment(now))), realm.in_force.get(member, [])
        others = [d for d in in_force if decision is None or d.number != decision.number]
        newcomer = rated.standing.newcomer
        room = decision.room if decision else EVERYWHERE
        has = rights_left(rated.firm, room, now, others, newcomer=newcomer)
        places = self._places(realm, room)
        labels = tuple(self._people.labels.get(r, r) for r in places)
        longest = int(realm.charter.longest.total_seconds() * 1000)
        for measure in Measure:
            would = _would(measure, member, realm.number, now)
            left = rights_left(rated.firm, room, now, [*others, would], newcomer=newcomer)
            cannot = ((self._people.labels.get(r, r), self._people.cannot(r).get(measure, "")) for r in places)
            yield Effect(
                measure=measure,
                loses=tuple(right for right in Right if right in has - left),
                until=None if endless(measure) or measure in BY_A_PERSON else now + longest,
                once=endless(measure),
                rooms=labels,
                cannot=tuple((where, why) for where, why in cannot if why),
                why=self._why_not(realm, clause, measure, member, now),
            )

    def _why_not(self, realm: Realm, clause: Clause | None, measure: Measure, member: int, now: int) -> str:
        return "" if clause is None else self._imposing.barred(realm, clause, measure, member, now)

    def _places(self, realm: Realm, room: int) -> list[str]:
        return [r for r in self._people.rooms_of(realm) if room in {EVERYWHERE, self._people.number(r)}]

    # Evidence.

    def _evidence_of(
        self, realm: Realm, item: Item, decision: Decision | None, reports: Sequence[Report], member: int
    ) -> tuple[Shown, ...]:
        entries = set(decision.findings) if decision else {item.number} if item.kind is Kind.FINDING else set()
        events = {r.event for r in reports if r.event}
        rows = self._store.findings(member) if member else []
        found = [self._shown(realm, f) for f in rows if f.number in entries or f.event in events]
        known = {shown.event for shown in found}
        for report in reports:
            if report.event and report.event not in known:
                known.add(report.event)
                found.append(
                    Shown(
                        entry=0,
                        at=report.at,
                        clause_id="",
                        sentence="",
                        excerpt="",
                        room=self._people.label(report.room),
                        event=report.event,
                    )
                )
        return tuple(found)

    def _reports_of(self, item: Item) -> list[Report]:
        p = self._store.process
        if item.kind is Kind.APPEAL:
            appeal = p.appeal(item.number)
            report = p.report(appeal.report) if appeal and appeal.report else None
            return [report] if report else []
        report = p.report(item.number) if item.kind is Kind.REPORT else None
        return self._reporting.alike(report) if report else []

    def _shown(self, realm: Realm, row: FindingRow) -> Shown:
        clause = self._clause(row.clause)
        adopted = next((c for c in realm.adopted.clauses if c.id == clause.id), None)
        return Shown(
            entry=row.number,
            at=row.at,
            clause_id=clause.id,
            sentence=adopted.said if adopted else clause.text,
            excerpt=row.excerpt,
            room=self._people.label(row.room),
            event=row.event,
            reversed=row.reversed_by is not None,
        )

    def _clause(self, number: int) -> ClauseRow:
        """A clause by its number; clauses are only ever added."""
        if number > len(self._clauses):
            self._clauses = self._store.clause_rows()
        return self._clauses[number - 1]


def _begins(p: Parameters) -> tuple[tuple[Band, int], ...]:
    """Where each band begins that does not begin at 0, in thousandths of a point."""
    lines = {Band.NO_LINKS: p.muted, Band.SUSPENDED: p.no_links, Band.GOOD: p.suspended, Band.TRUSTED: p.trusted}
    return tuple((band, 1000 * line) for band, line in lines.items())


def _would(measure: Measure, member: int, community: int, now: int) -> Decision:
    """A decision of a person that imposes a measure now, to see what it would take."""
    return Decision(
        number=1,
        at=now,
        community=community,
        member=member,
        measure=measure,
        clause=1,
        clause_id="",
        clause_text="",
        severity=Severity.SERIOUS,
        findings=(),
        head=0,
        until=None,
        by="somebody",
        provisional=False,
        course=Course.CONFIRMED,
    )
