"""What persons decide: standing behind a decision, following a proposal, taking back what should not have been."""

from collections.abc import Mapping
from typing import Final

import msgspec

from comity.core.action import Action, Do
from comity.core.actions_of import begin, tell
from comity.core.case import Found, Rated
from comity.core.charter import BY_A_PERSON, SEVERITIES, Measure
from comity.core.decide import Decided
from comity.core.decision import EVERYWHERE, Course, Decision
from comity.core.errors import ComityError
from comity.core.event import moment
from comity.core.ledger import Head
from comity.core.reversal import falls
from comity.core.statement import as_sentence, as_text, state
from comity.core.wording import say
from comity.live.metrics import Metrics
from comity.runner.clock import ending
from comity.runner.lists import Lists
from comity.runner.outbox import Outbox
from comity.runner.people import People
from comity.runner.realm import Realm
from comity.stores.contract import Refusal
from comity.stores.live_contract import LiveStore

_MOST: Final = 1000  # decisions about one member that a reversal looks at


class Persons:
    """Carries out what persons decide, each in one transaction. realms: by their number."""

    def __init__(
        self,
        store: LiveStore,
        realms: Mapping[int, Realm],
        people: People,
        outbox: Outbox,
        *,
        lists: Lists,
        metrics: Metrics,
    ) -> None:
        self._store, self._realms, self._people, self._outbox = store, realms, people, outbox
        self._lists, self._metrics = lists, metrics

    def pseudonym(self, realm: Realm, account: str) -> str:
        """What somebody who decides is called in a community's tables."""
        row = self._store.member(self._people.member(realm, account))
        if row is None:
            raise KeyError(account)
        return row.pseudonym

    def confirm(self, number: int, by: str) -> str:
        """Let a decision stand, or follow a proposal; a sentence. Raises ComityError."""
        decision, realm, who = self._asked(number, by)
        now, d = self._outbox.now(), self._store.decisions
        actions: list[Action] = []
        with self._store.write():
            head = self._store.head()
            if decision.proposed:
                actions = self._follow(decision, realm, who, now, head)
            else:
                done = d.confirm(number, who, now, "looked at", until=decision.until, after=head)
                _accepted(done)
                actions = self._tell_confirmed(decision, realm, now)
        realm.look_up(now, [decision.member])
        self._outbox.add(actions)
        mode = "dry_run" if decision.dry_run else "live"
        self._metrics.decisions.labels(realm.id, decision.measure, "person", mode).inc()
        return f"Decision {number} stands: {decision.measure} under clause {decision.clause_id}."

    def _tell_confirmed(self, decision: Decision, realm: Realm, now: int) -> list[Action]:
        """Tell the member that a person looked; how long the measure lasts stands in the statement already."""
        account = self._people.account(decision.member)
        if not account or decision.dry_run:
            return []
        text = say(realm.charter.language, "confirmed", number=decision.number)
        action = Action(id=f"d{decision.number}-k", do=Do.TELL, decision=decision.number, account=account, text=text)
        self._store.decisions.queue([action], at=now)
        return [action]

    def reverse(self, number: int, by: str, reason: str) -> str:
        """Take back a decision, its findings, and what followed from them; a sentence. Raises ComityError."""
        decision, realm, who = self._asked(number, by)
        now, d = self._outbox.now(), self._store.decisions
        if decision.proposed:
            _accepted(d.refuse(number, who, now, reason, after=self._store.head()))
            return f"The proposal {number} is not followed."
        try:
            with self._store.write():
                fell = self._reverse(decision, realm, who, now, reason)
        except BaseException:
            self._outbox.reload()
            realm.recount(moment(now))
            raise
        more = f", and with it {', '.join(f'#{x.number}' for x in fell)}" if fell else ""
        return f"Decision {number} is reversed{more}; what it took is given back."

    def _reverse(self, decision: Decision, realm: Realm, who: str, now: int, reason: str) -> list[Decision]:
        member = decision.member
        self._back(decision, realm, who, now, reason, findings=True)
        realm.counting.take_back(member, decision.findings)
        known = self._store.decisions.decisions(member=member, most=_MOST)
        in_force = realm.counting.entries(member)

        def without(d: Decision) -> Rated:
            return realm.counting.rated(member, realm.day(moment(d.at)), most=d.head)

        fell = falls(known, without, in_force)
        for d in fell:
            if d.proposed:  # nothing was imposed: there is nothing to give back
                _accepted(self._store.decisions.refuse(d.number, who, now, reason, after=self._store.head()))
            else:
                self._back(d, realm, who, now, reason, findings=False)
        account = self._people.account(member)
        if account and not decision.dry_run:
            of = realm.charter.language
            texts = [say(of, "reversed", number=d.number) for d in (decision, *fell)]
            action = Action(
                id=f"d{decision.number}-b",
                do=Do.TELL,
                decision=decision.number,
                account=account,
                text="\n".join([*texts, reason]),
            )
            self._queue([action], now)
        return fell

    def _back(self, decision: Decision, realm: Realm, who: str, now: int, reason: str, *, findings: bool) -> None:
        """Reverse one decision; what is queued for it counts in what is queued for the next."""
        carried = ending(self._store, realm, self._people, decision, now, reason=reason, undone=True)
        done = self._store.decisions.reverse(
            decision.number, who, now, reason, carried, after=self._store.head(), findings=findings
        )
        if isinstance(done, Refusal):
            raise ComityError(done.why)
        self._outbox.add(carried.actions)
        realm.look_up(now, [decision.member])

    def _follow(self, decision: Decision, realm: Realm, who: str, now: int, head: Head) -> list[Action]:
        """Begin what was proposed, with a statement that names a person's decision."""
        longest = int(realm.charter.longest.total_seconds() * 1000)
        until = None if decision.measure in BY_A_PERSON else now + longest
        followed = msgspec.structs.replace(
            decision, at=now, by=who, provisional=False, course=Course.CONFIRMED, until=until
        )
        counting, day = realm.counting, realm.day(moment(now))
        decided = Decided(
            followed,
            self._facts(decision, realm),
            counting.rated(decision.member, day, most=min(decision.findings) - 1),
            counting.rated(decision.member, day),
        )
        room = "" if decision.room == EVERYWHERE else self._store.room_names()[decision.room]
        statement = state(
            decided,
            realm.charter,
            room=self._people.labels.get(room, room),
            undoable=decision.measure is not Measure.HIDE,
        )
        account = self._people.account(decision.member)
        where = () if decision.room == EVERYWHERE else (decision.room,)
        rooms = self._people.rooms(realm, {decision.member: account}, where, day)
        held = {decision.member: realm.in_force.get(decision.member, [])}
        reasons = {decision.number: as_sentence(statement)}
        carried = begin([followed], rooms, held, reasons, absent={decision.member: account} if account else None)
        done = self._store.decisions.confirm(
            decision.number, who, now, "followed", until=until, after=head, statement=statement, carried=carried
        )
        _accepted(done)
        message = tell(account, {decision.number: as_text(statement)}) if account and not decision.dry_run else None
        told = [message] if message else []
        self._store.decisions.queue(told, at=now)
        return [*carried.actions, *told]

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
                    )
                )
        return tuple(found)

    def _queue(self, actions: list[Action], now: int) -> None:
        self._store.decisions.queue(actions, at=now)
        self._outbox.add(actions)

    def _asked(self, number: int, by: str) -> tuple[Decision, Realm, str]:
        decision = self._store.decisions.decision(number)
        if decision is None:
            raise ComityError(f"there is no decision {number}")
        realm = self._realms.get(decision.community)
        if realm is None:
            raise ComityError(f"decision {number} is of a community that is not looked after here")
        if self._people.account(decision.member) == by:
            raise ComityError(f"decision {number} is about you: somebody else must look at it")
        return decision, realm, self.pseudonym(realm, by)


def _accepted(done: Decision | Refusal) -> None:
    if isinstance(done, Refusal):
        raise ComityError(done.why)
