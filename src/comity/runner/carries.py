"""The management room: who may, and what each command does. Commands are kept until they are answered."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from comity.adapters.matrix.client import Json
from comity.core.action import Action, Do
from comity.core.errors import ComityError
from comity.core.event import moment
from comity.core.explanation import Line, grouped
from comity.core.standing import date_of
from comity.core.statement import shown
from comity.core.who import Who
from comity.live.answers import Answer, answer
from comity.live.commands import Command, Confirm, Deputies, Me, NameDeputy, Reverse, Rooms, Shadow, Status, Why, parse
from comity.runner.member_links import MemberLinks
from comity.runner.outbox import Outbox
from comity.runner.people import People
from comity.runner.persons import Persons
from comity.runner.realm import Realm
from comity.runner.turn import Turns
from comity.stores.contract import MemberRow
from comity.stores.live_contract import LiveStore

_ASKED: Final = "commands"
_FRESH: Final = 3_600_000  # milliseconds: a command that is older is nobody's wish any more
_KINDS: Final = {"cap": "history counts to a limit", "floor": "standing is never below 0"}


class Asking(msgspec.Struct, frozen=True):
    """A command that is not answered yet. event: its id; by: who asked."""

    event: str
    by: str
    text: str


class Desk:
    """Answers commands; fulfils ``live.answers.Carries``. ready: why the process is not."""

    def __init__(
        self,
        store: LiveStore,
        realms: Mapping[str, Realm],
        people: People,
        turns: Turns,
        *,
        outbox: Outbox,
        persons: Persons,
        shadow: Callable[[Realm, str, bool, Who], None],
        links: MemberLinks,
        ready: Callable[[], list[str]],
    ) -> None:
        self._store, self._realms, self._people, self._turns = store, realms, people, turns
        self._outbox, self._ready, self._persons, self._shadow = outbox, ready, persons, shadow
        self._links = links
        self._room = ""
        self.waiting = msgspec.json.decode(store.journal.noted(_ASKED) or b"[]", type=list[Asking])

    def keep(self, room: str) -> Callable[[Sequence[Json]], None]:
        """What keeps the commands among new events of the management room, within their transaction."""
        self._room = room

        def keep(fresh: Sequence[Json]) -> None:
            if not room:
                return
            asked = [a for e in fresh if e.get("room_id") == room and (a := self._asked(e)) is not None]
            if asked:
                self.waiting = [*self.waiting, *asked]
                self._store.journal.note(_ASKED, msgspec.json.encode(self.waiting))

        return keep

    def _asked(self, event: Json) -> Asking | None:
        content, by, at = event.get("content"), event.get("sender"), event.get("origin_server_ts")
        text = content.get("body") if isinstance(content, dict) else None
        if event.get("type") != "m.room.message" or not isinstance(text, str) or not isinstance(by, str):
            return None
        fresh = isinstance(at, int) and self._outbox.now() - at < _FRESH
        if not fresh or by == self._people.bot or parse(text) is None:
            return None
        return Asking(str(event.get("event_id")), by, text)

    async def answer_all(self) -> None:
        """Answer what waits. What is asked twice, because an answer was not kept, is done once."""
        while self.waiting:
            asked = self.waiting[0]
            said = await answer(asked.text, asked.by, self, self.may)
            actions = []
            if said is not None and self._room:
                digest = blake2b(asked.event.encode(), digest_size=12).hexdigest()
                actions.append(Action(id=f"answer-{digest}", do=Do.SAY, room=self._room, text=said.plain))
            with self._store.write():
                self._store.decisions.queue(actions, at=self._outbox.now())
                self.waiting = self.waiting[1:]
                self._store.journal.note(_ASKED, msgspec.json.encode(self.waiting) if self.waiting else b"")
            self._outbox.add(actions)

    def may(self, by: str, _asked: Command) -> bool:
        """Whether an account may manage the communities: it can set the state of the management room."""
        levels = self._people.levels(self._room)
        return levels is not None and levels.level_of(by) >= levels.to_send("", state=True)

    # The commands.

    async def status(self, asked: Status, by: str) -> Answer:
        """See ``Carries``."""
        del asked, by
        waits = len(self._outbox.waiting)
        counts = [
            f"{realm.settings.id}: {len(self._people.rooms_of(realm))} rooms"
            f"{', a dry run' if realm.dry_run else ''}, {sum(map(len, realm.in_force.values()))} decisions in force"
            for realm in self._realms.values()
        ]
        why = self._ready()
        return Answer("All is well." if not why else "; ".join(why), (*counts, f"{waits} actions wait"))

    async def why(self, asked: Why, by: str) -> Answer:
        """See ``Carries``."""
        del by
        row, realm = self._member(asked.member)
        now = self._outbox.now()
        day = realm.day(moment(now))
        told = realm.counting.explain(row.number, day)
        low, high = told.standing.interval()
        rated = realm.counting.rated(row.number, day)
        newcomer = ", newcomer" if told.standing.newcomer else ""
        entries = {f.number: f.clause for f in self._store.findings(row.number)}
        clauses = self._store.clause_rows()
        lines = [f"{_signed(told.start)} start"]
        for line in grouped(told.lines):
            clause = clauses[entries[line.entry] - 1].id if line.entry in entries and line.entry is not None else ""
            lines.append(_line(line, clause))
        lines.append(f"= {_signed(told.standing.points)} standing")
        lines += [
            f"decision #{d.number}: {d.measure} under clause {d.clause_id}"
            + ("" if d.until is None else f" until {moment(d.until):%Y-%m-%d %H:%M} UTC")
            for d in realm.in_force.get(row.number, ())
        ]
        band = rated.band.name.lower().replace("_", " ")
        who = row.name or row.account or row.pseudonym[:8]
        return Answer(
            f"{who}: standing {shown(told.standing.points)} ({shown(low)} to {shown(high)}), {band}{newcomer}.",
            tuple(lines),
        )

    async def confirm(self, asked: Confirm, by: str) -> Answer:
        """See ``Carries``."""
        return Answer(self._persons.confirm(asked.decision, by))

    async def reverse(self, asked: Reverse, by: str) -> Answer:
        """See ``Carries``."""
        return Answer(self._persons.reverse(asked.decision, by, asked.reason))

    async def deputies(self, asked: Deputies, by: str) -> Answer:
        """See ``Carries``."""
        del by
        room, realm = self._room_named(asked.room)
        number = self._people.number(room)
        named = [self._people.account(m) for m in self._store.decisions.deputies(number)]
        day = realm.day(moment(self._outbox.now()))
        others = self._people.office(realm, room, day).people
        managers = sorted(p.account for p in others if p.level == "manager")
        return Answer(
            f"{self._people.labels.get(room, room)}: deputies, in order: {', '.join(named) or 'nobody is named'}.",
            (f"managed by {', '.join(managers) or 'nobody'}",),
        )

    async def deputy(self, asked: NameDeputy, by: str) -> Answer:
        """See ``Carries``."""
        room, realm = self._room_named(asked.room)
        account = asked.member
        if account not in self._people.present.get(room, set()):
            row, of = self._member(asked.member)
            account = row.account or ""
            if of is not realm or account not in self._people.present.get(room, set()):
                raise ComityError(f"{asked.member} is not in {self._people.labels.get(room, room)}")
        member, who = self._people.member(realm, account), self._persons.who(realm, by).name
        new = self._store.decisions.name_deputy(self._people.number(room), member, who, self._outbox.now())
        return Answer(f"{account} {'takes' if new else 'took already'} over in {self._people.labels.get(room, room)}.")

    async def shadow(self, asked: Shadow, by: str) -> Answer:
        """See ``Carries``."""
        of = [r for r in self._realms.values() if any(c.id == asked.clause for c in r.adopted.clauses)]
        if not of:
            raise ComityError(f"there is no clause {asked.clause} in any charter")
        for realm in of:
            self._shadow(realm, asked.clause, asked.on, self._persons.who(realm, by))
        how = "finds, and counts nothing" if asked.on else "finds, and counts as its charter says"
        return Answer(f"From now on clause {asked.clause} {how}, in {', '.join(r.id for r in of)}.")

    async def rooms(self, asked: Rooms, by: str) -> Answer:
        """See ``Carries``."""
        del asked, by
        lines = []
        for room, realm in self._people.realms.items():
            cannot = self._people.cannot(room)
            by_why: dict[str, list[str]] = {}
            for measure, why in cannot.items():
                by_why.setdefault(why, []).append(str(measure))
            label = self._people.labels.get(room, room)
            lines += [f"{label} ({realm.id}): not {', '.join(some)}: {why}" for why, some in by_why.items()]
            beyond = self._people.beyond(room)
            lines += [f"{label} ({realm.id}): {why}" for why in beyond]
            if not cannot and not beyond:
                lines.append(f"{label} ({realm.id}): everything can be carried out")
        return Answer(f"{len(self._people.realms)} rooms are looked after.", tuple(lines))

    async def me(self, asked: Me, by: str) -> Answer:
        """See ``Carries``."""
        del asked
        now = self._outbox.now()
        actions = self._links.answers(by, now, f"desk-{now}")
        if not actions:
            return Answer("Nothing is kept about you in any community here: there is no page of yours yet.")
        self._store.decisions.queue(actions, at=now)
        self._outbox.add(actions)
        return Answer("A link to your own page is on its way to you, by direct message.")

    # Names.

    def _member(self, text: str) -> tuple[MemberRow, Realm]:
        of = {r.number: r for r in self._realms.values()}
        found = [m for m in self._store.members_named(text) if m.community in of]
        exact = [m for m in found if text in (m.account, m.name, m.pseudonym)] or found
        if not exact:
            raise ComityError(f"there is no member {text!r}")
        if len(exact) > 1:
            some = ", ".join(f"{m.account} in {of[m.community].id}" for m in exact[:5])
            raise ComityError(f"{len(exact)} members are named so: {some}")
        return exact[0], of[exact[0].community]

    def _room_named(self, text: str) -> tuple[str, Realm]:
        found = [
            room
            for room in self._people.realms
            if text.casefold() in {room.casefold(), self._people.labels.get(room, "").casefold()}
        ]
        if len(found) != 1:
            raise ComityError(f"{len(found) or 'no'} rooms are called {text!r}; name one by its id or alias")
        return found[0], self._people.realms[found[0]]


def _line(line: Line, clause: str) -> str:
    if line.kind == "finding":
        day = "" if line.day is None else f" on {date_of(line.day)}"
        why = f"; {line.why}" if line.why else ""
        return f"{_signed(line.shown)} finding {line.entry}, clause {clause}{day}{why}"
    if line.kind == "activity":
        return f"{_signed(line.shown)} {line.days} active days, {line.messages} messages"
    return f"{_signed(line.shown)} {_KINDS[line.kind]}"


def _signed(thousandths: int) -> str:
    """Thousandths of a point, all of them: lines add up exactly."""
    whole, rest = divmod(abs(thousandths), 1000)
    return f"{'-' if thousandths < 0 else '+'}{whole}.{rest:03}"
