"""What persons decide: standing behind a decision, following a proposal, taking back what should not have been."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from comity.core.action import Action, Do
from comity.core.appeal import Heard
from comity.core.case import Rated
from comity.core.decision import Decision
from comity.core.errors import ComityError
from comity.core.event import moment
from comity.core.queue import Item, Kind
from comity.core.reversal import falls
from comity.core.review import Source
from comity.core.who import Who
from comity.core.wording import say
from comity.live.metrics import Metrics
from comity.runner.clock import ending
from comity.runner.imposing import Imposing, accepted
from comity.runner.lists import Lists
from comity.runner.member_links import MemberLinks
from comity.runner.outbox import Outbox
from comity.runner.people import People
from comity.runner.realm import Realm
from comity.runner.turn import Turns
from comity.stores.contract import Refusal
from comity.stores.process_contract import ProcessStore

_MOST: Final = 1000  # decisions about one member that a reversal looks at


class Persons:
    """Carries out what persons decide, each in one transaction. realms: by their number.

    Who decides is named by account, as a chat knows them, or as ``Who``, as pages do.
    """

    def __init__(
        self,
        store: ProcessStore,
        realms: Mapping[int, Realm],
        people: People,
        outbox: Outbox,
        *,
        turns: Turns,
        lists: Lists,
        links: MemberLinks,
        metrics: Metrics,
    ) -> None:
        self._store, self.realms, self.people, self.outbox = store, realms, people, outbox
        self._turns, self._metrics, self.links = turns, metrics, links
        self.imposing = Imposing(store, people, lists, links)
        self._inside = self._moved = False
        self.judged: set[int] = set()  # communities whose clauses were judged since somebody looked

    @contextmanager
    def whole(self) -> Iterator[None]:
        """One transaction with all that is in memory: kept together, or as it was. Inner ones join the outermost."""
        if self._inside:
            yield
            return
        self._inside, self._moved = True, False
        try:
            with self._store.write():
                yield
        except BaseException:
            if self._moved:
                self.outbox.reload()
                self._turns.recover(moment(self.outbox.now()))
            raise
        finally:
            self._inside = False

    def tell(self, member: int, id_: str, text: str, *, decision: int = 0) -> None:
        """Tell a member something by a direct message; nobody who is forgotten. Within ``whole``."""
        if account := self.people.account(member):
            text = self.links.under(member, text, self.outbox.now())
            self.queue([Action(id=id_, do=Do.TELL, decision=decision, account=account, text=text)])

    def queue(self, actions: Sequence[Action]) -> None:
        """Queue actions, and have them carried out; within ``whole``."""
        self._store.decisions.queue(actions, at=self.outbox.now())
        self.act(actions)

    def touch(self) -> None:
        """Say that memory changes too: it is read anew if this transaction fails. Within ``whole``."""
        self._moved = True

    def act(self, actions: Iterable[Action]) -> None:
        """Have actions carried out that are queued already; within ``whole``."""
        self._moved = True
        self.outbox.add(actions)

    def who(self, realm: Realm, account: str) -> Who:
        """Somebody who decides in a chat, as tables know them."""
        number = self.people.member(realm, account)
        row = self._store.member(number)
        if row is None:
            raise KeyError(account)
        return Who(row.pseudonym, number)

    def confirm(self, number: int, by: str | Who, reason: str = "") -> str:
        """Let a decision stand, or follow a proposal; a sentence. Raises ComityError."""
        decision, realm, who = self._asked(number, by)
        now, d = self.outbox.now(), self._store.decisions
        with self.whole():
            head = self._store.head()
            if decision.proposed:
                self.act(self.imposing.follow(decision, realm, who.name, now, reason, after=head))
            else:
                accepted(d.confirm(number, who.name, now, reason or "looked at", until=decision.until, after=head))
                self._tell_confirmed(decision, realm)
                self.judge(decision, correct=True, source=Source.DECIDER, by=who.name)
            self._done(decision, who, "confirm", now)
        realm.look_up(now, [decision.member])
        mode = "dry_run" if decision.dry_run else "live"
        self._metrics.decisions.labels(realm.id, decision.measure, "person", mode).inc()
        return f"Decision {number} stands: {decision.measure} under clause {decision.clause_id}."

    def change(self, number: int, by: str | Who, reason: str, *, until: int | None) -> str:
        """Let a decision stand with another end; a sentence. Raises ComityError."""
        decision, realm, who = self._asked(number, by)
        now = self.outbox.now()
        if until is not None and until <= now:
            raise ComityError("that end is over already: reverse the decision, or let it end")
        with self.whole():
            done = self._store.decisions.change(number, who.name, now, reason, until=until, after=self._store.head())
            accepted(done)
            self._tell_end(decision, realm, until, now)
            self.judge(decision, correct=True, source=Source.DECIDER, by=who.name)
            self._done(decision, who, "change", now)
        realm.look_up(now, [decision.member])
        return f"Decision {number} stands, with another end."

    def _tell_end(self, decision: Decision, realm: Realm, until: int | None, now: int) -> None:
        if decision.dry_run:
            return
        of = realm.charter.language
        end = say(of, "for good") if until is None else say(of, "new end", until=local_time(until, realm))
        text = f"{say(of, 'confirmed', number=decision.number)}\n{end}"
        self.tell(decision.member, f"d{decision.number}-n{now}", text, decision=decision.number)

    def _tell_confirmed(self, decision: Decision, realm: Realm) -> None:
        """Tell the member that a person looked; how long the measure lasts stands in the statement already."""
        if not decision.dry_run:
            text = say(realm.charter.language, "confirmed", number=decision.number)
            self.tell(decision.member, f"d{decision.number}-k", text, decision=decision.number)

    def reverse(self, number: int, by: str | Who, reason: str, *, findings: bool = True) -> str:
        """Take back a decision, its findings, and what followed from them; a sentence. Raises ComityError.

        findings: False where what was found is right, and only what followed was not.
        """
        decision, realm, who = self._asked(number, by)
        now, d = self.outbox.now(), self._store.decisions
        if decision.proposed:
            with self.whole():
                accepted(d.refuse(number, who.name, now, reason, after=self._store.head()))
                self._done(decision, who, "refuse", now)
            return f"The proposal {number} is not followed."
        with self.whole():
            fell = self.take_back(decision, realm, who.name, reason, findings=findings)
            if findings:
                self.judge(decision, correct=False, source=Source.DECIDER, by=who.name)
            self._done(decision, who, "reverse", now)
        more = f", and with it {', '.join(f'#{x.number}' for x in fell)}" if fell else ""
        return f"Decision {number} is reversed{more}; what it took is given back."

    def take_back(
        self, decision: Decision, realm: Realm, by: str, reason: str, *, findings: bool = True
    ) -> list[Decision]:
        """Reverse a decision and what followed from it, and tell the member; what fell with it. Within ``whole``."""
        member, now = decision.member, self.outbox.now()
        self._moved = True
        self._back(decision, realm, by, now, reason, findings=findings)
        fell: list[Decision] = []
        if findings:
            realm.counting.take_back(member, decision.findings)
            known = self._store.decisions.decisions(member=member, most=_MOST)
            in_force = realm.counting.entries(member)

            def without(d: Decision) -> Rated:
                return realm.counting.rated(member, realm.day(moment(d.at)), most=d.head)

            fell = falls(known, without, in_force)
        for d in fell:
            if d.proposed:  # nothing was imposed: there is nothing to give back
                accepted(self._store.decisions.refuse(d.number, by, now, reason, after=self._store.head()))
            else:
                self._back(d, realm, by, now, reason, findings=False)
        for d in (decision, *fell):
            self._nothing_to_hear(d.number, by, reason, now)
        if not decision.dry_run:
            of = realm.charter.language
            texts = [say(of, "reversed", number=d.number) for d in (decision, *fell)]
            text = "\n".join([*texts, reason])
            self.tell(member, f"d{decision.number}-b", text, decision=decision.number)
        return fell

    def _nothing_to_hear(self, number: int, by: str, reason: str, now: int) -> None:
        """Close an appeal against a decision that is no more."""
        p = self._store.process
        for appeal in p.appeals(decision=number):
            if appeal.heard is Heard.OPEN:
                p.close_appeal(appeal.number, Heard.WITHDRAWN, by, f"the decision is reversed: {reason}", now)

    def judge(self, decision: Decision, *, correct: bool, source: Source, by: str) -> None:
        """Note whether a rule was right; what a person found says nothing about a rule. Within ``whole``."""
        if not decision.found_automatically:
            return
        self._store.process.judge(decision, correct=correct, source=source, by=by, at=self.outbox.now())
        self.judged.add(decision.community)

    def _done(self, decision: Decision, who: Who, verdict: str, now: int) -> None:
        kind = Kind.PROPOSAL if decision.proposed else Kind.PROVISIONAL
        item = Item(kind, decision.number)
        self._store.process.add_handled(decision.community, item, who.name, verdict, now, waited=now - decision.at)

    def _back(self, decision: Decision, realm: Realm, who: str, now: int, reason: str, *, findings: bool) -> None:
        """Reverse one decision; what is queued for it counts in what is queued for the next."""
        carried = ending(self._store, realm, self.people, decision, now, reason=reason, undone=True)
        done = self._store.decisions.reverse(
            decision.number, who, now, reason, carried, after=self._store.head(), findings=findings
        )
        if isinstance(done, Refusal):
            raise ComityError(done.why)
        self.outbox.add(carried.actions)
        realm.look_up(now, [decision.member])

    def _asked(self, number: int, by: str | Who) -> tuple[Decision, Realm, Who]:
        decision = self._store.decisions.decision(number)
        if decision is None:
            raise ComityError(f"there is no decision {number}")
        realm = self.realms.get(decision.community)
        if realm is None:
            raise ComityError(f"decision {number} is of a community that is not looked after here")
        who = by if isinstance(by, Who) else self.who(realm, by)
        if who.member == decision.member:
            raise ComityError(f"decision {number} is about you: somebody else must look at it")
        return decision, realm, who


def local_time(at: int, realm: Realm) -> str:
    """A moment as members of a community read it."""
    local = moment(at).astimezone(realm.charter.zone)
    return f"{local:%Y-%m-%d %H:%M} ({realm.charter.time_zone})"
