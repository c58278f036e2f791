"""The office: the only thing that pages and the API act through. It decides nothing itself, and nobody twice.

All of it runs in the runner's loop. What is only read from the store can be read beside it, by a store of one's own
that is opened for reading: ``process_contract.ProcessReads``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from comity.core.appeal import Appeal
from comity.core.case_file import CaseFile, MemberFile, Told
from comity.core.errors import ComityError, StoreError
from comity.core.looking import Look
from comity.core.queue import VERDICTS, After, Item, Query, Waiting
from comity.core.report import Came, Report
from comity.core.review import Precision
from comity.core.templates import Template
from comity.core.verdicts import UNDO, Escalate, Note, Verdict, name_of
from comity.core.who import Who
from comity.runner.adopting import Adopted, Adopting
from comity.runner.files import Files
from comity.runner.hearing import Hearing
from comity.runner.own import Own, Owns
from comity.runner.persons import Persons
from comity.runner.pointing import Pointed, pointed
from comity.runner.precision import Watch
from comity.runner.previewing import Previewing
from comity.runner.realm import Realm
from comity.runner.reporting import Reporting
from comity.runner.telling import Telling
from comity.runner.verdicts import Verdicts
from comity.stores.charter_contract import VersionRow
from comity.stores.contract import Refusal
from comity.stores.process_contract import Intent, Overview, ProcessStore, Stage

DRAW_EVERY: Final = 3_600_000  # milliseconds between two draws of samples
_ALL: Final = 1 << 40  # whoever takes along what is kept takes all of it
_DRAWN_BACK: Final = 7 * 24 * 3_600_000  # milliseconds: what is older is no more drawn


class Office:
    """What persons and members ask for and do. Refusals are ComityErrors whose text is a sentence for who asked.

    communities go by their number in the store; members by theirs; ``by`` is a person, checked by whoever calls.
    """

    def __init__(
        self,
        store: ProcessStore,
        persons: Persons,
        *,
        files: Files,
        hearing: Hearing,
        reporting: Reporting,
        watch: Watch,
        adopting: Adopting,
        telling: Telling,
        seed: bytes,
    ) -> None:
        self._store, self._persons, self._seed = store, persons, seed
        self._owns = Owns()
        self._files, self._hearing, self._reporting, self._watch = files, hearing, reporting, watch
        self._telling, self._adopting = telling, adopting
        self._verdicts = Verdicts(store, persons, hearing, reporting)
        self._previewing = Previewing(store, persons)
        self._drawn, self._stamp = 0, ""
        # Told when something changed in a community, its number, a topic and what it is about, "" for anything.
        self.moved: Callable[[int, str, str], None] = lambda _community, _topic, _about: None

    # What waits.

    async def items(self, query: Query, *, after: After | None = None, most: int = 50) -> list[Waiting]:
        """A page of the queue; see ``ProcessReads.items``."""
        return self._store.process.items(query, self._now(), after=after, most=most)

    async def case(self, item: Item, by: Who) -> CaseFile:
        """Everything about an item."""
        return await self._files.case(item, by)

    async def alike(self, item: Item) -> list[Waiting]:
        """Other items of the same turn and clause, as a raid brings: they can be decided together."""
        found = self._store.process.item(item, self._now())
        if found is None or not found.clause_id:
            return []
        query = Query(communities=(found.community,), kinds=(item.kind,), text=found.clause_id)
        some = self._store.process.items(query, self._now(), most=1000)
        return [w for w in some if w.at == found.at and w.clause_id == found.clause_id and w.item != item]

    async def lock(self, item: Item, by: Who) -> None:
        """Have an item for oneself for ten minutes; again while it is open."""
        _done(self._store.process.lock(item, by.name, self._now()))

    async def release(self, item: Item, by: Who) -> None:
        """Give an item back."""
        self._store.process.release(item, by.name)

    async def skip(self, item: Item, by: Who, reason: str) -> None:
        """Pass an item over, and say why."""
        if not reason.strip():
            raise ComityError("say why you pass it over: whoever looks next reads it")
        self._store.process.skip(item, by.name, reason.strip(), self._now())

    # Verdicts.

    async def decide(self, item: Item, verdict: Verdict, by: Who, version: str) -> Intent:
        """Give a verdict on an item as it was seen. It is carried out in ten seconds, and can be taken back until then.

        version: of the case file. A note and an escalation are done at once, and their intent has the number 0.
        """
        return self._decide(item, verdict, by, version)

    async def decide_all(self, seen: Mapping[Item, str], verdict: Verdict, by: Who) -> dict[Item, Intent | str]:
        """The same verdict on many items with their versions; what came of each, or why nothing did."""
        found: dict[Item, Intent | str] = {}
        for item, version in seen.items():
            try:
                found[item] = self._decide(item, verdict, by, version)
            except StoreError:
                raise
            except ComityError as error:
                found[item] = str(error)
        return found

    async def preview(self, item: Item, verdict: Verdict, by: Who) -> list[Told]:
        """What a verdict would say to those it concerns; nothing is changed."""
        waiting = self._store.process.item(item, self._now())
        if waiting is None:
            raise ComityError(f"{item.key} does not wait any more")
        return self._previewing.told(waiting, verdict, self._realm(waiting.community), by)

    async def undo(self, intent: int, by: Who) -> None:
        """Take back one's own verdict."""
        _done(self._store.process.undo_intent(intent, by.name, self._now()))

    async def reverse(self, decision: int, by: Who, reason: str, *, findings: bool = True) -> str:
        """Take back a decision at once that waits for nobody any more; a sentence."""
        if not reason.strip():
            raise ComityError("a reversal says why")
        return self._persons.reverse(decision, by, reason.strip(), findings=findings)

    def _decide(self, item: Item, verdict: Verdict, by: Who, version: str) -> Intent:
        now, p = self._now(), self._store.process
        if not isinstance(verdict, VERDICTS[item.kind]):
            raise ComityError(f"{name_of(verdict)} is no verdict on a {item.kind}")
        waiting = p.item(item, now)
        if waiting is None:
            raise ComityError(f"{item.key} does not wait any more")
        said = Intent(
            number=0,
            item=item,
            community=waiting.community,
            at=now,
            due=now + UNDO,
            by=by,
            verdict=verdict,
            version=version,
        )
        if isinstance(verdict, Note | Escalate):
            self._at_once(waiting, verdict, by, now)
            return msgspec.structs.replace(said, state=Stage.DONE, over_at=now)
        if why := self._files.barred(item, by, waiting.member):
            raise ComityError(why)
        if p.version(item) != version:
            raise ComityError("something was decided or found since you looked: look again")
        with self._store.write():
            if by.member:
                p.know_as(waiting.community, by.name, by.member)
            done = p.add_intent(said)
        if isinstance(done, Refusal):
            raise ComityError(done.why)
        return done

    def _at_once(self, waiting: Waiting, verdict: Note | Escalate, by: Who, now: int) -> None:
        p = self._store.process
        if isinstance(verdict, Escalate):
            p.escalate(waiting.item, by.name, verdict.reason, now)
            self._telling.notice(f"{waiting.item.key} waits for somebody from outside the community.")
        else:
            p.add_note(waiting.item, by.name, verdict.reason, now, community=waiting.community, member=waiting.member)

    # Members.

    async def report(
        self, community: int, reporter: int, *, member: int = 0, room: int = 0, event: str = "", harm: str, text: str
    ) -> Report:
        """A member reports a message or a member; the receipt goes to them by direct message."""
        realm = self._realm(community)
        return await self._reporting.report(
            realm, reporter, member=member, room=room, event=event, harm=harm, text=text
        )

    async def pointed(self, community: int, text: str, *, room: int = 0) -> Pointed:
        """What somebody means who names a message or a member, as a page asks for it before ``report``."""
        return pointed(text, self._realm(community), self._persons.people, self._store, room=room)

    async def appeal(self, community: int, member: int, text: str, *, decision: int = 0, report: int = 0) -> Appeal:
        """A member appeals against a decision about them, or against the refusal of their report."""
        return self._hearing.appeal(self._realm(community), member, text, decision=decision, report=report)

    async def add_evidence(self, appeal: int, member: int, text: str) -> Appeal:
        """Whoever appealed adds to it."""
        return self._hearing.add(appeal, member, text)

    async def withdraw(self, appeal: int, member: int) -> None:
        """Whoever appealed takes it back."""
        self._hearing.withdraw(appeal, member)

    async def member(self, community: int, member: int) -> MemberFile:
        """Everything about a member, for themselves; whoever else looks asks by ``look`` first."""
        return self._files.member(self._realm(community), member)

    async def own(self, community: int, member: int) -> Own:
        """A member's standing with all it is made of, for their own pages."""
        realm, row = self._realm(community), self._store.member(member)
        if row is None or row.community != realm.number:
            raise ComityError("there is no such member")
        return await self._owns.of(realm, member, self._now())

    async def everything_about(self, community: int, member: int) -> bytes:
        """Everything that is kept about a member, as JSON to take along.

        Who reported them is not in it, nor in what words: that would tell who it was.
        """
        p = self._store.process
        file: dict[str, Any] = msgspec.to_builtins(self._files.member(self._realm(community), member, most=_ALL))
        file["notes"] = [{"at": n.at, "text": n.text} for n in p.notes(member=member)]
        file["reported"] = [
            {"at": r.at, "harm": r.harm, "came": str(r.came)} for r in p.reports(member=member, most=_ALL)
        ]
        return msgspec.json.format(msgspec.json.encode(file))

    async def forget(self, community: int, member: int) -> bool:
        """Forget which account a member is, and end their ways in; False if it was forgotten already."""
        realm, now, p = self._realm(community), self._now(), self._store.process
        row = self._store.member(member)
        if row is None or row.community != realm.number:
            raise ComityError("there is no such member")
        with self._persons.whole():
            mine = [r.number for r in p.reports(reporter=member, most=_ALL) if r.came is Came.OPEN]
            p.close_reports(mine, Came.GONE, "forgotten", "who reported is forgotten", now)
            self._store.access.revoke_links(member)
            self._store.access.end_sessions(member=member)
            return self._store.forget_account(member, now=now)

    # Looking.

    async def look(self, community: int, by: Who, reason: str, *, what: str, member: int = 0, room: int = 0) -> Look:
        """Say why one looks at a member or a room outside a case; the member can read it."""
        if not reason.strip():
            raise ComityError("say why you look: the member can read it")
        look = Look(
            number=0,
            at=self._now(),
            community=self._realm(community).number,
            by=by.name,
            what=what,
            reason=reason.strip(),
            member=member,
            room=room,
        )
        return self._store.process.add_look(look)

    # The community.

    async def precision(self, community: int) -> list[Precision]:
        """How often each clause is right."""
        return self._watch.of(self._realm(community))

    async def overview(self, communities: Sequence[int], since: int, until: int) -> Overview:
        """The figures of a span of time."""
        return self._store.process.overview(communities, since, until)

    async def charter(self, community: int) -> Adopted:
        """The charter that holds."""
        return self._adopting.now(self._realm(community))

    async def publish(self, community: int, text: str, by: Who, reason: str, *, base: int) -> VersionRow:
        """Put a charter in force, written on version ``base``; see ``Adopting.publish``."""
        return await self._adopting.publish(self._realm(community), text, by, reason, base=base)

    async def rooms(self, community: int) -> list[tuple[int, str]]:
        """The rooms of a community: number, and what members call it."""
        people = self._persons.people
        return sorted((people.number(r), people.labels.get(r, r)) for r in people.rooms_of(self._realm(community)))

    async def shadow(self, community: int, clause: str, by: Who, *, on: bool, reason: str = "") -> None:
        """Let a clause only find, or find and count again."""
        self._watch.shadow(self._realm(community), clause, on, by, reason)

    async def name_deputy(self, community: int, room: int, member: int, by: Who, *, named: bool = True) -> bool:
        """Name who takes over in a room, or take the name back; False if it was so already."""
        realm = self._realm(community)
        rooms = {self._persons.people.number(r) for r in self._persons.people.rooms_of(realm)}
        row = self._store.member(member)
        if room not in rooms or row is None or row.community != realm.number:
            raise ComityError("there is no such room or member")
        return self._store.decisions.name_deputy(room, member, by.name, self._now(), named=named)

    async def save_template(self, community: int, template: Template, by: Who) -> None:
        """Keep a template of reasons; its mistakes are named."""
        try:
            self._store.process.save_template(self._realm(community).number, template, by.name, self._now())
        except ValueError as error:
            raise ComityError(str(error)) from error

    def notice(self, text: str) -> None:
        """Say something to those who look after the communities, where they give commands."""
        self._telling.notice(text)

    # The clock.

    def tick(self, now: int) -> None:
        """What time brings: verdicts are carried out, appeals lapse, clauses drop, samples are drawn."""
        for intent in self._store.process.intents_due(now):
            self._carry_out(intent, now)
        self._hearing.lapse_all(now)
        self._watch.look(now)
        if now - self._drawn >= DRAW_EVERY:
            self._drawn = now
            for realm in self._persons.realms.values():
                sampled = realm.charter.due_process.sampled
                self._store.process.draw_samples(realm.number, now - _DRAWN_BACK, self._seed, sampled, now)
        if (stamp := self._store.process.stamp()) != self._stamp:
            self._stamp = stamp
            for number in self._persons.realms:
                self.moved(number, "queue", "")

    def _carry_out(self, intent: Intent, now: int) -> None:
        """Carry out a verdict in one transaction with the note that it is done: after a kill it is done once."""
        p = self._store.process
        try:
            with self._persons.whole():
                said = self._verdicts.carry_out(intent, self._realm(intent.community))
                p.finish_intent(intent.number, Stage.DONE, said, now)
        except StoreError:
            raise
        except (ComityError, ValueError) as error:
            p.finish_intent(intent.number, Stage.REFUSED, str(error), now)
            self._telling.notice(f"The verdict of {intent.by.name} on {intent.item.key} came too late: {error}.")

    def _realm(self, community: int) -> Realm:
        realm = self._persons.realms.get(community)
        if realm is None:
            raise ComityError("there is no such community here")
        return realm

    def _now(self) -> int:
        return self._persons.outbox.now()


def _done(refused: Refusal | None) -> None:
    if refused is not None:
        raise ComityError(refused.why)
