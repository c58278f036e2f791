"""Appeals in a live community: made, added to, heard by somebody else, or lapsed in the member's favour."""

from typing import Final

from comity.core.access import May, may
from comity.core.appeal import LONGEST, Appeal, Heard, against, against_refusal, is_fast, may_hear
from comity.core.decision import Course, Decision
from comity.core.errors import ComityError
from comity.core.harm import Severity
from comity.core.queue import Item, Kind, rank
from comity.core.review import Source
from comity.core.who import Who
from comity.core.wording import say
from comity.runner.persons import Persons, local_time
from comity.runner.realm import Realm
from comity.runner.reporting import Reporting
from comity.runner.telling import Telling
from comity.stores.contract import Refusal
from comity.stores.process_contract import ProcessStore

THE_TERM: Final = "the charter's term"  # who decides where nobody heard an appeal in time
_URGENT: Final = 300  # the rank of an appeal about management: it goes before what is no danger to anybody


class Hearing:
    """Everything about appeals."""

    def __init__(self, store: ProcessStore, persons: Persons, reporting: Reporting, telling: Telling) -> None:
        self._store, self._persons, self._reporting, self._telling = store, persons, reporting, telling

    def appeal(self, realm: Realm, member: int, text: str, *, decision: int = 0, report: int = 0) -> Appeal:
        """A member appeals against a decision, or against the refusal of a report. Raises ComityError with why not."""
        now = self._persons.outbox.now()
        if not 1 <= len(text.strip()) <= LONGEST:
            raise ComityError(f"an appeal says why, in 1 to {LONGEST} characters")
        fast, severity = False, Severity.SERIOUS
        if decision:
            found = self._decision(decision)
            statement = self._store.decisions.statement(decision)
            why = against(found, member, statement.at if statement else found.at, now)
            fast, severity = is_fast(found), found.severity
        else:
            why = self._against_report(report, member, now)
        if why:
            raise ComityError(why)
        asked = Appeal(
            number=0,
            at=now,
            due=realm.charter.due_process.due(now, fast=fast),
            community=realm.number,
            member=member,
            decision=decision,
            report=report,
            text=text.strip(),
            fast=fast,
        )
        with self._persons.whole():
            made = _kept(self._store.process.add_appeal(asked, rank("", severity) + _URGENT * fast))
            if not self._somebody_else(realm, made):
                why = "nobody else in the community can hear it"
                self._store.process.escalate(Item(Kind.APPEAL, made.number), THE_TERM, why, now)
            of, until = realm.charter.language, local_time(made.due, realm)
            text = f"{say(of, 'appeal received', number=made.number, until=until)}\n{say(of, 'appeal lapses')}"
            self._persons.tell(member, f"a{made.number}-r", text, decision=decision)
        what = f"decision {decision}" if decision else f"the refusal of report {report}"
        self._telling.notice(f"An appeal against {what}: to be heard until {until}.")
        return made

    def _against_report(self, number: int, member: int, now: int) -> str:
        report = self._store.process.report(number)
        return "there is no such report" if report is None else against_refusal(report, member, now)

    def add(self, number: int, member: int, text: str) -> Appeal:
        """Whoever appealed adds to it while it is open. Raises ComityError."""
        appeal = self._appeal(number)
        if appeal.member != member:
            raise ComityError("only whoever appealed adds to an appeal")
        if not 1 <= len(text.strip()) <= LONGEST:
            raise ComityError(f"new evidence has 1 to {LONGEST} characters")
        return _kept(self._store.process.add_evidence(number, self._persons.outbox.now(), text.strip()))

    def withdraw(self, number: int, member: int) -> None:
        """Whoever appealed takes it back. Raises ComityError."""
        appeal = self._appeal(number)
        row = self._store.member(member)
        if appeal.member != member or row is None:
            raise ComityError("only whoever appealed takes an appeal back")
        now = self._persons.outbox.now()
        _kept(self._store.process.close_appeal(number, Heard.WITHDRAWN, row.pseudonym, "taken back", now))

    def barred(self, number: int, by: Who) -> str:
        """Why somebody cannot hear an appeal, or "" if they can."""
        appeal = self._appeal(number)
        row = self._store.member(by.member) if by.member else None
        pseudonym = row.pseudonym if row else ""
        return may_hear(by, pseudonym, appeal, self._about(appeal), self._store.process.deciders(number))

    def uphold(self, number: int, realm: Realm, by: Who, reason: str) -> str:
        """Somebody else looked again, and what was decided is right; a sentence. Raises ComityError."""
        with self._persons.whole():
            appeal = self._close(number, Heard.UPHELD, by, reason)
            decision = self._store.decisions.decision(appeal.decision) if appeal.decision else None
            if decision is not None:
                self._persons.judge(decision, correct=True, source=Source.APPEAL, by=by.name)
            self._outcome(realm, appeal, "appeal upheld", reason)
        return f"Appeal {number} is heard: what was decided is upheld."

    def reverse(self, number: int, realm: Realm, by: Who, reason: str, *, findings: bool = True) -> str:
        """Somebody else looked again, and it should not have been; a sentence. Raises ComityError."""
        with self._persons.whole():
            # First the outcome: whoever hears the appeal is not among those who decided yet.
            appeal = self._close(number, Heard.REVERSED, by, reason)
            self._outcome(realm, appeal, "appeal reversed", reason)
            self._undo(appeal, realm, by.name, reason, findings=findings)
            if appeal.decision and findings:
                found = self._decision(appeal.decision)
                self._persons.judge(found, correct=False, source=Source.APPEAL, by=by.name)
        return f"Appeal {number} is heard: what was decided is reversed."

    def lapse_all(self, now: int) -> int:
        """Decide in the member's favour what nobody heard in time; how many were."""
        lapsed = 0
        for appeal in self._store.process.appeals_due(now):
            realm = self._persons.realms.get(appeal.community)
            if realm is None:
                continue
            reason = say(realm.charter.language, "appeal lapsed", number=appeal.number)
            with self._persons.whole():
                _kept(self._store.process.close_appeal(appeal.number, Heard.LAPSED, THE_TERM, reason, now))
                self._persons.tell(appeal.member, f"a{appeal.number}-o", reason, decision=appeal.decision)
                self._undo(appeal, realm, THE_TERM, reason)
            self._telling.notice(f"Appeal {appeal.number} was not heard in time: it is decided in the member's favour.")
            lapsed += 1
        return lapsed

    def _undo(self, appeal: Appeal, realm: Realm, by: str, reason: str, *, findings: bool = True) -> None:
        """Give back what was taken, or have a report looked at again."""
        if appeal.report:
            self._reporting.again(realm, appeal.report)
            return
        decision = self._decision(appeal.decision)
        if decision.course is not Course.REVERSED:
            self._persons.take_back(decision, realm, by, reason, findings=findings)

    def _close(self, number: int, heard: Heard, by: Who, reason: str) -> Appeal:
        if why := self.barred(number, by):
            raise ComityError(why)
        return _kept(self._store.process.close_appeal(number, heard, by.name, reason, self._persons.outbox.now()))

    def _outcome(self, realm: Realm, appeal: Appeal, key: str, reason: str) -> None:
        text = f"{say(realm.charter.language, key, number=appeal.number)}\n{reason}"
        self._persons.tell(appeal.member, f"a{appeal.number}-o", text, decision=appeal.decision)

    def _somebody_else(self, realm: Realm, appeal: Appeal) -> bool:
        """Whether anybody of the community's staff can hear an appeal."""
        access, deciders = self._store.access, self._store.process.deciders(appeal.number)
        for row in access.staff(realm.number):
            who = Who(row.person.name, access.member_of(row.person.number, realm.number))
            member = self._store.member(who.member) if who.member else None
            pseudonym = member.pseudonym if member else ""
            if may(row.roles, May.HEAR) and not may_hear(who, pseudonym, appeal, self._about(appeal), deciders):
                return True
        return False

    def _about(self, appeal: Appeal) -> int:
        """The member a case is about."""
        if appeal.decision:
            return self._decision(appeal.decision).member
        report = self._store.process.report(appeal.report)
        return report.member if report else 0

    def _appeal(self, number: int) -> Appeal:
        found = self._store.process.appeal(number)
        if found is None:
            raise ComityError(f"there is no appeal {number}")
        return found

    def _decision(self, number: int) -> Decision:
        found = self._store.decisions.decision(number)
        if found is None:
            raise ComityError(f"there is no decision {number}")
        return found


def _kept(done: Appeal | Refusal) -> Appeal:
    if isinstance(done, Refusal):
        raise ComityError(done.why)
    return done
