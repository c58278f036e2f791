"""Act first, tell afterwards: statements by direct message, and notices to the management room, few and whole.

What is owed stands with the store's notes, kept in the transaction of the decision: a crash forgets nobody.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from comity.core.action import Action, Do
from comity.core.actions_of import tell
from comity.core.charter import Measure
from comity.core.decision import EVERYWHERE, Course, Decision
from comity.core.statement import Statement, as_text
from comity.core.wording import say
from comity.runner.member_links import MemberLinks
from comity.runner.outbox import Outbox
from comity.runner.people import People
from comity.stores.live_contract import LiveStore

EVERY: Final = 1.0  # seconds between looks at who is to be told
PAUSE: Final = 60_000  # milliseconds between two direct messages to one member: a flood is told of once, and its rest
LONGEST: Final = 10_000  # milliseconds that telling waits for acting
GATHERED: Final = 3_000  # milliseconds in which what happens goes into one notice
MOST_LINES: Final = 12  # of a notice
MOST_STATEMENTS: Final = 10  # of a direct message; what is beyond comes with the next
_NOT_IMPOSED: Final = frozenset({Course.PROPOSED, Course.REFUSED})
_OWED: Final = "statements owed"
_NOTICED: Final = "decisions noticed"


class Telling:
    """Tells members and the management room. room: the management room's id, "" while there is none."""

    def __init__(self, store: LiveStore, people: People, outbox: Outbox, links: MemberLinks) -> None:
        self._store, self._people, self._outbox, self._links = store, people, outbox, links
        self.room = ""
        self._told: dict[int, int] = {}
        self._notices: list[str] = []
        self._last_notice = 0
        self.reload()

    def reload(self) -> None:
        """Know what is owed, from the store."""
        kept = self._store.journal.noted(_OWED)
        self._owed: dict[int, list[int]] = msgspec.json.decode(kept or b"{}", type=dict[int, list[int]])

    def owe(self, decisions: Iterable[Decision]) -> None:
        """Have statements told; within the transaction that keeps them."""
        for d in decisions:
            self._owed.setdefault(d.member, []).append(d.number)
        self._keep()

    def notice(self, line: str) -> None:
        """Tell the management room something, with whatever else there is."""
        self._notices.append(line)

    async def run(self) -> None:
        """Tell, as long as it goes on."""
        while True:
            await asyncio.sleep(EVERY)
            now = self._outbox.now()
            self.tell_members(now)
            self.tell_managers(now)

    def tell_members(self, now: int) -> int:
        """Queue direct messages to whom it is time to tell; returns to how many."""
        due = [m for m in self._owed if now - self._told.get(m, 0) >= PAUSE]
        done = 0
        for member in due:
            numbers = self._owed[member][:MOST_STATEMENTS]
            statements = [s for n in numbers if self._stands(n) and (s := self._store.decisions.statement(n))]
            latest = max((s.at for s in statements), default=0)
            if now - latest < LONGEST and self._outbox.acting(numbers):
                continue
            account = self._people.account(member)
            action = tell(account, self._texts(statements)) if account else None
            if action is not None:
                action = msgspec.structs.replace(action, text=self._links.under(member, action.text, now))
            with self._store.write():
                if action is not None:
                    self._store.decisions.queue([action], at=now)
                rest = self._owed[member][MOST_STATEMENTS:]
                self._owed = {m: n for m, n in self._owed.items() if m != member} | ({member: rest} if rest else {})
                self._keep()
            self._told[member] = now
            self._outbox.add([action] if action else [])
            done += 1
        if len(self._told) > 10_000:  # noqa: PLR2004 - whoever was told longer ago than the pause needs no place
            self._told = {m: at for m, at in self._told.items() if now - at < PAUSE}
        return done

    def _stands(self, number: int) -> bool:
        """Whether a decision was not taken back before it could be told."""
        decision = self._store.decisions.decision(number)
        return decision is not None and decision.course is not Course.REVERSED

    def _texts(self, statements: Iterable[Statement]) -> dict[int, str]:
        """Statements by decision; what was decided alike stands once, with the numbers of the others."""
        alike: dict[tuple[str, Measure, str], list[Statement]] = {}
        for s in statements:
            alike.setdefault((s.clause_id, s.measure, s.room), []).append(s)
        texts = {}
        for first, *others in alike.values():
            text = as_text(first)
            if others:
                numbers = ", ".join(str(s.decision) for s in others)
                text += "\n" + say(first.language, "also", numbers=numbers)
            texts[first.decision] = text
        return texts

    def tell_managers(self, now: int) -> None:
        """Queue one notice of all that was decided since the last."""
        if not self.room or now - self._last_notice < GATHERED:
            return
        d = self._store.decisions
        beyond = int(self._store.journal.noted(_NOTICED) or b"0")
        new = d.decisions(beyond=beyond, most=1000)
        lines = [*self._notices, *self._lines(new)]
        if not lines:
            return
        if more := len(lines) - MOST_LINES:
            lines = [*lines[:MOST_LINES], f"and {more} more"] if more > 0 else lines
        action = Action(id=f"notice-{now}", do=Do.SAY, room=self.room, text="\n".join(lines))
        with self._store.write():
            d.queue([action], at=now)
            if new:
                self._store.journal.note(_NOTICED, str(new[-1].number).encode())
        self._notices.clear()
        self._last_notice = now
        self._outbox.add([action])

    def _lines(self, decisions: Iterable[Decision]) -> list[str]:
        """A line for each member and clause: what was decided, where, and by which numbers to answer."""
        rooms: Mapping[int, str] = self._store.room_names()
        together: dict[tuple[int, str, Measure, bool, bool], list[Decision]] = {}
        for d in decisions:
            together.setdefault((d.member, d.clause_id, d.measure, d.proposed, d.dry_run), []).append(d)
        lines = []
        for some in together.values():
            d = some[0]
            room = "all rooms" if d.room == EVERYWHERE else self._people.labels.get(rooms[d.room], rooms[d.room])
            who = self._people.account(d.member) or f"member {d.member}"
            numbers = ", ".join(f"#{x.number}" for x in some[:5]) + (" ..." if len(some) > 5 else "")  # noqa: PLR2004
            how = "proposed: " if d.course in _NOT_IMPOSED else "a trial, nothing is done: " if d.dry_run else ""
            what = say("en", f"one {d.measure}").lower()
            line = f"{numbers} {how}{who} {what} in {room} under clause {d.clause_id}"
            failed = {e.why for x in some for e in x.enforced if not e.done and e.why}
            lines.append(line + "".join(f"; not carried out: {why}" for why in sorted(failed)[:2]))
        return lines

    def _keep(self) -> None:
        self._store.journal.note(_OWED, msgspec.json.encode(self._owed) if self._owed else b"")
