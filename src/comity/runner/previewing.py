"""What a verdict would say to those it concerns, before it is given: the same words that are sent afterwards."""

import msgspec

from comity.core.appeal import TERM
from comity.core.case import Found, Rated
from comity.core.case_file import Told
from comity.core.charter import Clause, Measure
from comity.core.decide import Decided
from comity.core.decision import EVERYWHERE, Course, Decision, Place
from comity.core.errors import ComityError
from comity.core.event import moment
from comity.core.queue import Kind, Waiting
from comity.core.report import Report
from comity.core.standing import Counted, standing
from comity.core.statement import as_text, state
from comity.core.verdicts import Change, Confirm, Impose, Refuse, Reverse, Uphold, Verdict, endless
from comity.core.who import Who
from comity.core.wording import say
from comity.runner.persons import Persons, local_time
from comity.runner.realm import Realm
from comity.stores.process_contract import ProcessStore


class Previewing:
    """Changes nothing."""

    def __init__(self, store: ProcessStore, persons: Persons) -> None:
        self._store, self._persons = store, persons

    def told(self, waiting: Waiting, verdict: Verdict, realm: Realm, by: Who) -> list[Told]:
        """What a verdict on an item would say; empty where nobody is told. Raises ComityError if it cannot be given."""
        now = self._persons.outbox.now()
        match waiting.item.kind:
            case Kind.PROPOSAL | Kind.PROVISIONAL:
                return self._decided(self._decision(waiting.item.number), verdict, realm, by, now)
            case Kind.REPORT | Kind.FINDING:
                return self._found(waiting, verdict, realm, by, now)
            case Kind.APPEAL:
                return self._heard(waiting.item.number, verdict, realm)
        return []

    def _decided(self, decision: Decision, verdict: Verdict, realm: Realm, by: Who, now: int) -> list[Told]:
        of = realm.charter.language
        match verdict:
            case Confirm(reason) if decision.proposed:
                followed = self._persons.imposing.as_followed(decision, realm, by.name, now)
                return [self._stated(followed, realm, now, reason)]
            case Confirm():
                return [Told("member", say(of, "confirmed", number=decision.number))]
            case Change():
                return self._changed(decision, verdict, realm, by, now)
            case Reverse(reason):
                return [Told("member", f"{say(of, 'reversed', number=decision.number)}\n{reason}")]
        return []

    def _found(self, waiting: Waiting, verdict: Verdict, realm: Realm, by: Who, now: int) -> list[Told]:
        of, number = realm.charter.language, waiting.item.number
        reported = waiting.item.kind is Kind.REPORT
        if isinstance(verdict, Impose):
            followed = Told("reporter", say(of, "report followed", number=number))
            return [self._imposed(waiting, verdict, realm, by, now), *[followed] * reported]
        if isinstance(verdict, Refuse) and reported:
            text = say(of, "report refused", number=number, until=local_time(now + TERM, realm))
            return [Told("reporter", f"{text}\n{verdict.reason}")]
        return []

    def _heard(self, number: int, verdict: Verdict, realm: Realm) -> list[Told]:
        of, appeal = realm.charter.language, self._store.process.appeal(number)
        if isinstance(verdict, Uphold):
            return [Told("member", f"{say(of, 'appeal upheld', number=number)}\n{verdict.reason}")]
        if not isinstance(verdict, Reverse):
            return []
        told = [Told("member", f"{say(of, 'appeal reversed', number=number)}\n{verdict.reason}")]
        if appeal and appeal.decision:
            told.append(Told("member", f"{say(of, 'reversed', number=appeal.decision)}\n{verdict.reason}"))
        return told

    def _stated(self, decision: Decision, realm: Realm, now: int, reason: str) -> Told:
        text = as_text(self._persons.imposing.statement(decision, realm, now))
        return Told("member", f"{text}\n{reason}".strip())

    def _changed(self, decision: Decision, change: Change, realm: Realm, by: Who, now: int) -> list[Told]:
        of = realm.charter.language
        if change.measure in {None, decision.measure}:
            until = change.until
            end = say(of, "for good") if until is None else say(of, "new end", until=local_time(until, realm))
            return [Told("member", f"{say(of, 'confirmed', number=decision.number)}\n{end}")]
        measure = change.measure or decision.measure
        made = msgspec.structs.replace(
            decision,
            number=self._store.decisions.last() + 1,
            at=now,
            by=by.name,
            provisional=False,
            course=Course.CONFIRMED,
            measure=measure,
            until=None if endless(measure) else change.until,
            hides=(),
            enforced=(),
        )
        back = Told("member", f"{say(of, 'reversed', number=decision.number)}\n{change.reason}")
        return [back, self._stated(made, realm, now, change.reason)]

    def _imposed(self, waiting: Waiting, impose: Impose, realm: Realm, by: Who, now: int) -> Told:
        """The statement of a measure that rests on a finding which is not in the ledger yet."""
        clause = next((c for c in realm.adopted.clauses if c.id == impose.clause and c.counts), None)
        if clause is None:
            raise ComityError(f"there is no clause {impose.clause} that counts")
        member = waiting.member or impose.member
        if not member or self._store.member(member) is None:
            raise ComityError("say whose message it is: a decision is about a member")
        if why := self._persons.imposing.barred(realm, clause, impose.measure, member, now):
            raise ComityError(why)
        fact = self._fact(waiting, impose, clause, member)
        decision = Decision(
            number=self._store.decisions.last() + 1,
            at=now,
            community=realm.number,
            member=member,
            measure=impose.measure,
            clause=fact.number,
            clause_id=clause.id,
            clause_text=clause.text,
            severity=clause.severity,
            findings=(fact.entry,),
            head=fact.entry,
            until=None if endless(impose.measure) else impose.until,
            hides=(Place(fact.room, fact.event),) if impose.measure is Measure.HIDE and fact.event else (),
            found_automatically=False,
            by=by.name,
            provisional=False,
            course=Course.CONFIRMED,
            dry_run=realm.dry_run,
        )
        before, after = self._rated(realm, clause, member, fact, now)
        made = state(
            Decided(decision, (fact,), before, after),
            realm.charter,
            room=self._persons.people.label(EVERYWHERE),
            undoable=impose.measure is not Measure.HIDE,
        )
        return Told("member", f"{as_text(made)}\n{impose.reason}".strip())

    def _fact(self, waiting: Waiting, impose: Impose, clause: Clause, member: int) -> Found:
        room, event, at, excerpt = 0, "", waiting.at, impose.excerpt
        if waiting.item.kind is Kind.REPORT:
            report: Report | None = self._store.process.report(waiting.item.number)
            if report is not None:
                room, event, at = report.room, report.event, report.at
        rows = self._store.findings(member)
        row = next((f for f in rows if f.number == waiting.item.number), None)
        if waiting.item.kind is Kind.FINDING and row is not None:
            room, event, at, excerpt = row.room, row.event, row.at, row.excerpt or excerpt
        elif event and not excerpt:
            excerpt = next((f.excerpt for f in rows if f.event == event and f.excerpt), "")
        return Found(
            entry=self._store.head().number + 1,
            at=at,
            room=room,
            number=1,
            clause=clause,
            event=event,
            excerpt=excerpt,
            sentence=clause.said,
            reported=True,
        )

    def _rated(self, realm: Realm, clause: Clause, member: int, fact: Found, now: int) -> tuple[Rated, Rated]:
        """How the member stands without the finding, and with it."""
        counting, day = realm.counting, realm.day(moment(now))
        before = counting.rated(member, day)
        counted = Counted(fact.entry, realm.day(moment(fact.at)), clause.severity, fact.entry)
        with_it = standing(
            counting.activity(member),
            [*counting.counted(member), counted],
            day,
            parameters=realm.charter.standing,
        )
        return before, msgspec.structs.replace(before, standing=with_it)

    def _decision(self, number: int) -> Decision:
        found = self._store.decisions.decision(number)
        if found is None:
            raise ComityError(f"there is no decision {number}")
        return found
