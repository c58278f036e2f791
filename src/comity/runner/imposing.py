"""What persons impose: a proposal that is followed, or a measure of their own, each with a statement."""

from collections.abc import Sequence
from typing import Final

import msgspec

from comity.core.action import Action
from comity.core.actions_of import begin, tell
from comity.core.carried import Carried
from comity.core.case import Found, is_house
from comity.core.charter import BY_A_PERSON, OF_THE_HOUSE, SEVERITIES, Clause, Measure
from comity.core.decide import Decided
from comity.core.decision import EVERYWHERE, Course, Decision, Place
from comity.core.errors import ComityError
from comity.core.event import moment
from comity.core.harm import Severity
from comity.core.ledger import NO_ACTIVITY, REPORTED, FindingColumns, Head
from comity.core.standing import Counted
from comity.core.statement import Statement, as_sentence, as_text, state
from comity.core.verdicts import endless
from comity.runner.lists import Lists
from comity.runner.member_links import MemberLinks
from comity.runner.people import People
from comity.runner.realm import Realm
from comity.stores.contract import Refusal
from comity.stores.live_contract import LiveStore
from comity.turns import clause_row

_EXCERPT: Final = 500  # characters of an excerpt that a person gives


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says was breached.

    member, room: numbers, room 0 if none; event: the platform's id, "" if none; at: when it was, milliseconds since
    1970; excerpt: of what was said, never empty; reported: whether a report began it.
    """

    member: int
    at: int
    excerpt: str
    reported: bool
    room: int = 0
    event: str = ""


class Imposing:
    """Makes decisions of persons, within their transaction."""

    def __init__(self, store: LiveStore, people: People, lists: Lists, links: MemberLinks) -> None:
        self._store, self._people, self._lists, self._links = store, people, lists, links

    def follow(
        self, decision: Decision, realm: Realm, who: str, now: int, reason: str, *, after: Head
    ) -> Sequence[Action]:
        """Begin what was proposed, with a statement that names a person's decision; what is queued for it."""
        followed = self.as_followed(decision, realm, who, now)
        statement = self.statement(followed, realm, now)
        carried = self._begin(followed, statement, realm, now)
        done = self._store.decisions.confirm(
            decision.number,
            who,
            now,
            reason or "followed",
            until=followed.until,
            after=after,
            statement=statement,
            carried=carried,
        )
        accepted(done)
        return [*carried.actions, *self._tell(followed, statement, reason, now)]

    def as_followed(self, decision: Decision, realm: Realm, who: str, now: int) -> Decision:
        """A proposal as it would be if somebody followed it now."""
        longest = int(realm.charter.longest.total_seconds() * 1000)
        until = None if decision.measure in BY_A_PERSON else now + longest
        return msgspec.structs.replace(
            decision, at=now, by=who, provisional=False, course=Course.CONFIRMED, until=until
        )

    def statement(self, decision: Decision, realm: Realm, now: int) -> Statement:
        """The statement of a decision of a person."""
        counting, day = realm.counting, realm.day(moment(now))
        decided = Decided(
            decision,
            self._facts(decision, realm),
            counting.rated(decision.member, day, most=min(decision.findings) - 1),
            counting.rated(decision.member, day),
        )
        return state(
            decided,
            realm.charter,
            room=self._people.label(decision.room),
            undoable=decision.measure is not Measure.HIDE,
        )

    def found(self, realm: Realm, clause_id: str, seen: Seen, *, after: Head) -> Head:
        """Post a finding of a person under a live clause; its entry is the new head. Raises ComityError."""
        if not seen.excerpt.strip():
            raise ComityError("a decision needs evidence: say what was written")
        clause, _ = _live(realm, clause_id)
        # Under a row of its own: what began with a report weighs otherwise, and the ledger has to say which does.
        row = clause_row(realm.engine, clause)
        (number,) = self._store.clauses([row._replace(state=REPORTED) if seen.reported else row])
        day = realm.day(moment(seen.at))
        columns = FindingColumns(
            at=[seen.at],
            day=[day],
            member=[seen.member],
            room=[seen.room or self._anywhere(realm)],
            clause=[number],
            event=[seen.event],
            excerpt=[seen.excerpt.strip()[:_EXCERPT]],
            figures=["{}"],
        )
        head = self._store.post(columns, NO_ACTIVITY, after=after)
        counted = Counted(head.number, day, clause.severity, self._message(seen, head.number), seen.reported)
        realm.counting.found(seen.member, counted, house=is_house(clause))
        return head

    def impose(
        self, realm: Realm, clause_id: str, measure: Measure, *, who: str, member: int, entries: Sequence[int],
        until: int | None, room: int, hides: Sequence[Place], reason: str, now: int, reported: bool,
    ) -> tuple[Decision, Sequence[Action]]:  # fmt: skip
        """Impose a measure because of findings in the ledger; the decision, and what is queued for it.

        Raises ComityError where the measure cannot be imposed.
        """
        clause, number = _live(realm, clause_id)
        if why := self.barred(realm, clause, measure, member, now):
            raise ComityError(why)
        if measure is Measure.HIDE and not hides:
            raise ComityError("there is no message to hide")
        if until is not None and until <= now:
            raise ComityError("a measure must last some time: give an end in the future")
        head = self._store.head()
        decision = Decision(
            number=self._store.decisions.last() + 1,
            at=now,
            community=realm.number,
            member=member,
            measure=measure,
            clause=number,
            clause_id=clause.id,
            clause_text=clause.text,
            severity=clause.severity,
            findings=tuple(sorted(entries)),
            head=head.number,
            until=None if endless(measure) else until,
            room=room,
            hides=tuple(hides) if measure is Measure.HIDE else (),
            found_automatically=not reported,
            by=who,
            provisional=False,
            course=Course.CONFIRMED,
            dry_run=realm.dry_run,
        )
        statement = self.statement(decision, realm, now)
        carried = self._begin(decision, statement, realm, now)
        self._store.decisions.add([decision], [statement], carried, at=now, after=head)
        return decision, [*carried.actions, *self._tell(decision, statement, reason, now)]

    def barred(self, realm: Realm, clause: Clause, measure: Measure, member: int, now: int) -> str:
        """Why a measure cannot be imposed on a member under a clause, or "" if it can."""
        if is_house(clause) and measure not in OF_THE_HOUSE:
            return "a house rule costs nobody a right: it can warn, hide and slow"
        if measure in {Measure.REMOVE, Measure.BAN} and clause.severity is not Severity.SEVERE:
            standing = realm.counting.rated(member, realm.day(moment(now))).standing
            if not standing.removal_may_be_proposed():
                return "too little is known: nobody is removed while their standing may be much better than it seems"
        return ""

    def _anywhere(self, realm: Realm) -> int:
        """A room for a finding that is about no message: entries name one."""
        rooms = self._people.rooms_of(realm)
        if not rooms:
            raise ComityError("the community has no room")
        return self._people.number(rooms[0])

    def _message(self, seen: Seen, entry: int) -> int:
        """The number of the event: of the first entry in force about it, so that one message counts once."""
        same = [f.number for f in self._store.findings(seen.member) if f.event == seen.event and f.reversed_by is None]
        return min(same, default=entry) if seen.event else entry

    def _begin(self, decision: Decision, statement: Statement, realm: Realm, now: int) -> Carried:
        account = self._people.account(decision.member)
        where: tuple[int, ...] = () if decision.room == EVERYWHERE else (decision.room,)
        if decision.measure is Measure.HIDE:
            where = tuple({place.room for place in decision.hides})
        rooms = self._people.rooms(realm, {decision.member: account}, where, realm.day(moment(now)))
        held = {decision.member: realm.in_force.get(decision.member, [])}
        reasons = {decision.number: as_sentence(statement, page=self._links.page)}
        return begin([decision], rooms, held, reasons, absent={decision.member: account} if account else None)

    def _tell(self, decision: Decision, statement: Statement, reason: str, now: int) -> Sequence[Action]:
        account = self._people.account(decision.member)
        if not account or decision.dry_run:
            return []
        text = self._links.under(decision.member, f"{as_text(statement)}\n{reason}".strip(), now)
        message = tell(account, {decision.number: text})
        told = [message] if message else []
        self._store.decisions.queue(told, at=now)
        return told

    def _facts(self, decision: Decision, realm: Realm) -> tuple[Found, ...]:
        clauses, of = self._store.clause_rows(), {c.id: c for c in realm.adopted.clauses}
        found = []
        for row in self._store.findings(decision.member):
            clause = of.get(clauses[row.clause - 1].id)
            if row.number in decision.findings and row.reversed_by is None and clause is not None:
                found.append(
                    Found(
                        entry=row.number,
                        at=row.at,
                        room=row.room,
                        number=row.clause,
                        clause=msgspec.structs.replace(clause, severity=SEVERITIES[clauses[row.clause - 1].severity]),
                        event=row.event,
                        excerpt=row.excerpt,
                        sentence=self._lists.sentence(row.figures, realm) or clause.said,
                        reported=not decision.found_automatically,
                    )
                )
        return tuple(found)


def accepted(done: Decision | Refusal) -> None:
    """Raise ComityError with why, if the store refused."""
    if isinstance(done, Refusal):
        raise ComityError(done.why)


def _live(realm: Realm, clause_id: str) -> tuple[Clause, int]:
    """A clause that counts, and its number in the store. Raises ComityError."""
    for clause, number in zip(realm.engine.clauses, realm.clauses.tolist(), strict=True):
        if clause.id == clause_id:
            if not clause.counts:
                raise ComityError(f"clause {clause_id} only finds: nothing follows from it")
            return clause, number
    raise ComityError(f"there is no clause {clause_id} in the charter of {realm.id}")
