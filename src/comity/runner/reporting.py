"""Reports in a live community: taken in, answered with a receipt and an outcome, and looked at by persons only."""

from collections.abc import Sequence
from typing import Final

import msgspec

from comity.core.action import Action, Do
from comity.core.appeal import TERM
from comity.core.errors import ComityError
from comity.core.event import Event, milliseconds
from comity.core.harm import HARMS
from comity.core.queue import rank
from comity.core.report import Came, Report, Voice, reliability, trust, voice, voices
from comity.core.wording import say
from comity.runner.evidence import Evidence
from comity.runner.persons import Persons, local_time
from comity.runner.realm import Realm
from comity.runner.surroundings import reported
from comity.stores.contract import Refusal
from comity.stores.process_contract import ProcessStore

LONGEST: Final = 2_000  # characters of what a reporter writes
_LATELY: Final = 100  # reports of a reporter that tell whether two report together
_TEXTS: Final = {Came.FOLLOWED: "report followed", Came.REFUSED: "report refused", Came.GONE: "report gone"}


class Reporting:
    """Everything about reports. Nobody's standing moves because of one."""

    def __init__(self, store: ProcessStore, persons: Persons, evidence: Evidence) -> None:
        self._store, self._persons, self._evidence = store, persons, evidence
        self._authors: dict[tuple[int, str], int] = {}  # of messages that are reported in the turn to come

    async def look_up(self, reports: Sequence[tuple[Realm, str, int]]) -> None:
        """Find out whose messages are reported, and when, before the turn that takes the reports in: it cannot wait."""
        asked = [(realm.number, event, reported(event, at)) for realm, event, at in reports]
        self._authors = {(n, event): await self._evidence.author(n, sought) for n, event, sought in asked}

    def hear(self, realm: Realm, events: Sequence[Event], now: int) -> list[Action]:
        """Take in the reports among events of a community; within the transaction that keeps them. Returns receipts."""
        receipts: list[Action] = []
        for event in events:
            if event.kind != "report" or not event.target:
                continue
            reporter = self._persons.people.member(realm, event.member)
            room = self._store.rooms(realm.number, [event.room])[0]
            text = (event.text or "")[:LONGEST]
            about = event.mentions[0] if event.mentions else ""  # the homeserver says whose message it is
            member = (
                self._persons.people.member(realm, about)
                if about
                else self._authors.get((realm.number, event.target), 0)
            )
            asked = Report(
                number=0,
                at=min(milliseconds(event.at), now),
                community=realm.number,
                reporter=reporter,
                member=member,
                room=room,
                event=event.target,
                text=text,
            )
            _, told = self._take(realm, asked)
            receipts += told
        return receipts

    async def report(
        self, realm: Realm, reporter: int, *, member: int = 0, room: int = 0, event: str = "", harm: str, text: str
    ) -> Report:
        """Take in a report from a page. Raises ComityError with why not."""
        if harm and harm not in HARMS:
            raise ComityError(f"there is no harm {harm!r}; expected one of the published list")
        if not event and not member:
            raise ComityError("a report is about a message or a member: name one")
        if len(text) > LONGEST:
            raise ComityError(f"a report has at most {LONGEST} characters")
        at = self._persons.outbox.now()
        if event and not member:
            member = await self._evidence.author(realm.number, reported(event, at))
        if member == reporter:
            raise ComityError("nobody reports themselves")
        asked = Report(
            number=0,
            at=at,
            community=realm.number,
            reporter=reporter,
            member=member,
            room=room,
            event=event,
            harm=harm,
            text=text.strip(),
            way="page",
        )
        with self._persons.whole():
            done, receipts = self._take(realm, asked)
            self._persons.act(receipts)
        if isinstance(done, Refusal):
            raise ComityError(done.why)
        return done

    def again(self, realm: Realm, number: int) -> None:
        """Have a report that was refused looked at again; within ``Persons.whole``."""
        old = self._store.process.report(number)
        if old is not None:
            _, receipts = self._take(realm, msgspec.structs.replace(old, at=self._persons.outbox.now(), way="appeal"))
            self._persons.act(receipts)

    def close(
        self, realm: Realm, report: Report, came: Came, by: str, reason: str, *, decision: int = 0
    ) -> list[Report]:
        """Note what came of a report and of all others about the same, and tell each reporter; within ``whole``."""
        now, p = self._persons.outbox.now(), self._store.process
        closed = p.close_reports([r.number for r in self.alike(report)], came, by, reason, now, decision=decision)
        for r in closed:
            until = local_time(now + TERM, realm)
            text = say(realm.charter.language, _TEXTS[came], number=r.number, until=until)
            # Why something was done is the other member's business; why nothing was is the reporter's.
            why = f"\n{reason}" if came is Came.REFUSED else ""
            self._persons.tell(r.reporter, f"r{r.number}-o", text + why)
        return closed

    def alike(self, report: Report) -> list[Report]:
        """Open reports of the same community about the same, the given one among them."""
        p = self._store.process
        if report.event:
            same = p.reports(community=report.community, about=(report.room, report.event), most=_LATELY)
        else:
            same = p.reports(community=report.community, member=report.member, about=(0, ""), most=_LATELY)
        return [r for r in same if r.came is Came.OPEN]

    def _take(self, realm: Realm, report: Report) -> tuple[Report | Refusal, list[Action]]:
        """Keep a report, rank all about the same anew, and queue a receipt."""
        p = self._store.process
        made = p.add_report(report)
        if isinstance(made, Refusal):
            return made, []
        same = self.alike(made)
        heard = self.voices(same)
        weight = rank(made.harm, None, trust(v.mean for v in heard))
        p.rank_reports([r.number for r in same], weight, len(heard))
        text = say(realm.charter.language, "report received", number=made.number)
        text = self._persons.links.under(made.reporter, text, self._persons.outbox.now())
        account = self._persons.people.account(made.reporter)
        receipts = [Action(id=f"r{made.number}-r", do=Do.TELL, account=account, text=text)] if account else []
        self._store.decisions.queue(receipts, at=self._persons.outbox.now())
        return msgspec.structs.replace(made, rank=weight, voices=len(heard)), receipts

    def voices(self, same: Sequence[Report]) -> list[Voice]:
        """The independent voices among those who reported the same: of several who are one, the best record counts."""
        p = self._store.process
        reporters = sorted({r.reporter for r in same})
        ours = {r.number for r in same}
        reported = {
            one: [r.about for r in p.reports(reporter=one, most=_LATELY) if r.number not in ours] for one in reporters
        }
        record = p.reporter_record(reporters)
        found = []
        for some in voices(reported):
            best = max(sorted(some), key=lambda one: reliability(*record[one]))
            names = [row.pseudonym for one in sorted(some) if (row := self._store.member(one))]
            found.append(voice(names, *record[best]))
        return found
