"""Carries out a person's verdict: on a decision, a report, an appeal, a finding in review, or a sample."""

from collections.abc import Sequence

from comity.core.action import Action
from comity.core.decision import EVERYWHERE, Course, Decision, Place
from comity.core.errors import ComityError
from comity.core.queue import Item, Kind
from comity.core.report import Came, Report
from comity.core.review import Source
from comity.core.verdicts import Change, Confirm, Impose, Judge, Refuse, Reverse, Uphold, name_of
from comity.core.who import Who
from comity.runner.hearing import Hearing
from comity.runner.imposing import Seen
from comity.runner.persons import Persons
from comity.runner.realm import Realm
from comity.runner.reporting import Reporting
from comity.stores.contract import Refusal
from comity.stores.process_contract import Intent, ProcessStore


class Verdicts:
    """Within ``Persons.whole``; what cannot be done any more raises ComityError, and nothing is done."""

    def __init__(self, store: ProcessStore, persons: Persons, hearing: Hearing, reporting: Reporting) -> None:
        self._store, self._persons, self._hearing, self._reporting = store, persons, hearing, reporting

    def carry_out(self, intent: Intent, realm: Realm) -> str:
        """Do what a verdict says; a sentence."""
        item, by, p = intent.item, intent.by, self._store.process
        waiting = p.item(item, intent.due)
        if waiting is None or p.version(item).partition(".")[0] != intent.version.partition(".")[0]:
            raise ComityError(f"{item.key} was decided meanwhile")
        said = self._of(item, intent, realm, by)
        if item.kind not in {Kind.PROPOSAL, Kind.PROVISIONAL}:  # those are noted where chats decide them too
            now = self._persons.outbox.now()
            waited = now - waiting.at
            p.add_handled(realm.number, item, by.name, name_of(intent.verdict), now, waited=waited)
        return said

    def _of(self, item: Item, intent: Intent, realm: Realm, by: Who) -> str:  # noqa: PLR0911 - a line for each verdict
        match item.kind, intent.verdict:
            case ((Kind.PROPOSAL | Kind.PROVISIONAL), Confirm(reason)):
                return self._persons.confirm(item.number, by, reason)
            case Kind.PROPOSAL, Refuse(reason):
                return self._persons.reverse(item.number, by, reason)
            case Kind.PROVISIONAL, Reverse(reason, findings):
                return self._persons.reverse(item.number, by, reason, findings=findings)
            case Kind.PROVISIONAL, Change() as change:
                return self._change(item.number, change, realm, by)
            case Kind.APPEAL, Uphold(reason):
                return self._hearing.uphold(item.number, realm, by, reason)
            case Kind.APPEAL, Reverse(reason, findings):
                return self._hearing.reverse(item.number, realm, by, reason, findings=findings)
            case Kind.REPORT, (Impose() | Refuse()) as verdict:
                return self._report(self._report_of(item.number), verdict, realm, by)
            case Kind.FINDING, (Impose() | Refuse()) as verdict:
                return self._finding(item.number, verdict, realm, by)
            case Kind.SAMPLE, Judge() as verdict:
                return self._sample(item.number, verdict, by)
        raise ComityError(f"{name_of(intent.verdict)} is no verdict on a {item.kind}")

    def _change(self, number: int, change: Change, realm: Realm, by: Who) -> str:
        """Another end, or another measure: then the old one is given back, and the new rests on the same findings."""
        found = self._store.decisions.decision(number)
        if found is None or change.measure in {None, found.measure}:
            return self._persons.change(number, by, change.reason, until=change.until)
        if by.member == found.member:
            raise ComityError("it is about you: somebody else must look at it")
        self._persons.take_back(found, realm, by.name, change.reason, findings=False)
        hides = found.hides or self._places(found)
        made, actions = self._persons.imposing.impose(
            realm,
            found.clause_id,
            change.measure or found.measure,
            who=by.name,
            member=found.member,
            entries=found.findings,
            until=change.until,
            room=found.room,
            hides=hides,
            reported=not found.found_automatically,
            reason=change.reason,
            now=self._persons.outbox.now(),
        )
        self._begun(realm, made, actions)
        self._persons.judge(found, correct=True, source=Source.DECIDER, by=by.name)
        item = Item(Kind.PROVISIONAL, number)
        now = self._persons.outbox.now()
        self._store.process.add_handled(realm.number, item, by.name, "change", now, waited=now - found.at)
        return f"Decision {number} is replaced by decision {made.number}: {made.measure}."

    def _report(self, report: Report, verdict: Impose | Refuse, realm: Realm, by: Who) -> str:
        if by.member and by.member in {report.reporter, report.member}:
            raise ComityError("you are in this case: somebody else must look at it")
        if isinstance(verdict, Refuse):
            closed = self._reporting.close(realm, report, Came.REFUSED, by.name, verdict.reason)
            return f"Nothing follows from {_counted(closed)}."
        member = report.member or verdict.member
        row = self._store.member(member) if member else None
        if row is None or row.community != realm.number:
            raise ComityError("say whose message it is: a decision is about a member")
        excerpt = verdict.excerpt or self._excerpt(member, report.event)
        seen = Seen(member=member, room=report.room, event=report.event, at=report.at, excerpt=excerpt, reported=True)
        made = self._impose(seen, verdict, realm, by)
        closed = self._reporting.close(realm, report, Came.FOLLOWED, by.name, verdict.reason, decision=made.number)
        return f"Decision {made.number} follows from {_counted(closed)}: {made.measure}."

    def _finding(self, entry: int, verdict: Impose | Refuse, realm: Realm, by: Who) -> str:
        p, now = self._store.process, self._persons.outbox.now()
        review = p.review(entry)
        row = next((f for f in self._store.findings(review.member) if f.number == entry), None) if review else None
        if review is None or row is None:
            raise ComityError(f"there is no finding {entry} to look at")
        if by.member == review.member:
            raise ComityError("it is about you: somebody else must look at it")
        if isinstance(verdict, Refuse):
            p.close_review([entry], Came.REFUSED, by.name, verdict.reason, now)
            return f"Nothing follows from finding {entry}."
        excerpt = row.excerpt or verdict.excerpt
        seen = Seen(member=review.member, room=row.room, event=row.event, at=row.at, excerpt=excerpt, reported=False)
        made = self._impose(seen, verdict, realm, by)
        p.close_review([entry], Came.FOLLOWED, by.name, verdict.reason, now, decision=made.number)
        return f"Decision {made.number} follows from finding {entry}: {made.measure}."

    def _impose(self, seen: Seen, verdict: Impose, realm: Realm, by: Who) -> Decision:
        """Post what a person found, and impose a measure because of it."""
        imposing = self._persons.imposing
        self._persons.touch()
        head = imposing.found(realm, verdict.clause, seen, after=self._store.head())
        made, actions = imposing.impose(
            realm,
            verdict.clause,
            verdict.measure,
            who=by.name,
            member=seen.member,
            entries=[head.number],
            until=verdict.until,
            room=EVERYWHERE,
            hides=[Place(seen.room, seen.event)] if seen.room and seen.event else [],
            reported=seen.reported,
            reason=verdict.reason,
            now=self._persons.outbox.now(),
        )
        self._begun(realm, made, actions)
        return made

    def _begun(self, realm: Realm, made: Decision, actions: Sequence[Action]) -> None:
        self._persons.act(actions)
        realm.look_up(self._persons.outbox.now(), [made.member])

    def _sample(self, number: int, verdict: Judge, by: Who) -> str:
        p, now = self._store.process, self._persons.outbox.now()
        done = p.judge_sample(number, by.name, verdict.reason, now, correct=verdict.right)
        if isinstance(done, Refusal):
            raise ComityError(done.why)
        found = self._store.decisions.decision(done.decision)
        if found is None:
            raise ComityError(f"there is no decision {done.decision}")
        if by.member == found.member:
            raise ComityError("it is about you: somebody else must look at it")
        if found.course is not Course.PROPOSED:
            self._persons.judge(found, correct=verdict.right, source=Source.SAMPLE, by=by.name)
        return f"Sample {number} is judged."

    def _report_of(self, number: int) -> Report:
        found = self._store.process.report(number)
        if found is None:
            raise ComityError(f"there is no report {number}")
        return found

    def _excerpt(self, member: int, event: str) -> str:
        """What the ledger has of a message."""
        rows = self._store.findings(member) if event else []
        return next((f.excerpt for f in rows if f.event == event and f.excerpt), "")

    def _places(self, decision: Decision) -> tuple[Place, ...]:
        """The messages that a decision rests on."""
        rows = self._store.findings(decision.member)
        return tuple(sorted({Place(f.room, f.event) for f in rows if f.number in decision.findings}))


def _counted(reports: list[Report]) -> str:
    return f"{len(reports)} report{'' if len(reports) == 1 else 's'}"
