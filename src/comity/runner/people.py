"""Who is in which room, and how much say they have there: as the platform shows it, and counting what is queued."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from comity.adapters.matrix.carry_out import given_by, had_before
from comity.adapters.matrix.normalise import Known
from comity.adapters.matrix.power import Enforceable, Levels, enforceable, with_level
from comity.core.action import Action, Say
from comity.core.carried import Room
from comity.core.case import Rated
from comity.core.charter import Measure
from comity.core.decision import EVERYWHERE
from comity.core.event import Event
from comity.core.handover import Office, Somebody, can_manage
from comity.core.rights import Band
from comity.runner.realm import Realm
from comity.stores.live_contract import LiveStore

_MOST_TRIED: Final = 200  # regulars looked at for one who could take over, where no deputy is named
_LIGHT: Final = frozenset({Measure.WARN, Measure.HIDE})  # cost no right and slow nobody


class _Given(NamedTuple):
    """A level that we gave, until the platform shows it. made: the event by which."""

    made: str
    level: int | None


class People:
    """The rooms of all communities, by the platform's ids.

    bot: our account; ghost: whether an account is a bridge's; waiting: tells changes of an account's say in a room
    that are queued and not over, in order.
    """

    def __init__(
        self,
        store: LiveStore,
        known: Known,
        bot: str,
        ghost: Callable[[str], bool],
        waiting: Callable[[str, str], Sequence[Action]],
    ) -> None:
        self._store, self._waiting = store, waiting
        self.known, self.bot, self.ghost = known, bot, ghost
        self.realms: dict[str, Realm] = {}
        self.communities: dict[str, str] = {}  # by room, as ``realms``
        self.present: dict[str, set[str]] = {}
        self.labels: dict[str, str] = {}
        self._given: dict[tuple[str, str], _Given] = {}
        self._numbers: dict[str, int] = {}
        self._ids: dict[int, str] = {}
        self._looked: dict[str, tuple[Levels, Enforceable]] = {}

    def adopt(self, room: str, realm: Realm) -> None:
        """Look after a room as a community's."""
        self.realms[room], self.communities[room] = realm, realm.id

    def leave(self, room: str) -> None:
        """Look after a room no longer."""
        self.realms.pop(room, None)
        self.communities.pop(room, None)

    def rooms_of(self, realm: Realm) -> list[str]:
        """The rooms of a community."""
        return [room for room, of in self.realms.items() if of is realm]

    def number(self, room: str) -> int:
        """A room's number in the store; asked for when we come into it, and so committed long before any turn."""
        if room not in self._numbers:
            (number,) = self._store.rooms(self.realms[room].number, [room])
            self._numbers[room], self._ids[number] = number, room
        return self._numbers[room]

    def label(self, number: int) -> str:
        """What members call a room; "" for all rooms."""
        if number == EVERYWHERE:
            return ""
        room = self._ids.get(number) or self._store.room_names()[number]
        return self.labels.get(room, room)

    def member(self, realm: Realm, account: str) -> int:
        """An account's number as a member."""
        (number,) = self._store.members(realm.number, [account], [None])
        return number

    def account(self, member: int) -> str:
        """A member's account, "" if it is forgotten."""
        row = self._store.member(member)
        return (row.account if row else None) or ""

    def note(self, events: Iterable[Event]) -> None:
        """Learn from events who comes and goes."""
        for event in events:
            if event.kind == "join":
                self.present.setdefault(event.room, set()).add(event.member)
            elif event.kind == "leave":
                self.present.get(event.room, set()).discard(event.member)

    def gave(self, action: Action, before: str, made: str) -> None:
        """Note a level that was given just now: the platform shows it a moment later."""
        if before and made:
            self._given[action.room, action.account] = _Given(made, given_by(before))

    def shown(self, made: Collection[str]) -> None:
        """Note events that the platform shows by now."""
        self._given = {key: given for key, given in self._given.items() if given.made not in made}

    def levels(self, room: str) -> Levels | None:
        """The levels of a room, with those that we just gave."""
        levels = self.known.levels.get(room)
        ours = {account: given.level for (where, account), given in self._given.items() if where == room}
        return levels if levels is None or not ours else Levels(with_level(levels.content, ours), levels.created)

    def cannot(self, room: str) -> dict[Measure, str]:
        """The measures that cannot be carried out in a room, and why."""
        found = self._enforceable(room)
        return {measure: why for measure, why in found.measures.items() if why} if found else {}

    def beyond(self, room: str) -> list[str]:
        """What else stands in the way in a room, a sentence each: managers we cannot act upon, its version."""
        found = self._enforceable(room)
        return [*found.notes, *found.out_of_reach.values()] if found else []

    def _enforceable(self, room: str) -> Enforceable | None:
        """What can be carried out in a room, worked out once for its levels; None while they are not known."""
        levels = self.levels(room)
        if levels is None:
            return None
        known = self._looked.get(room)
        if known is None or known[0] is not levels:
            known = self._looked[room] = levels, enforceable(levels, self.bot, encrypted=False)
        return known[1]

    def rooms(
        self, realm: Realm, members: Mapping[int, str], numbers: Collection[int] = (), day: int = 0
    ) -> list[Room]:
        """The rooms of a community, or some, with whoever matters to decisions about some members.

        members: accounts by number; numbers: of the rooms, none for all of them; day: today.
        """
        rated = cache(lambda member: realm.counting.rated(member, day))
        found = []
        some = (self._ids.get(number, "") for number in sorted(numbers)) if numbers else self.rooms_of(realm)
        for room in some:
            if self.realms.get(room) is realm:
                office = self._office(realm, room, members, day, rated)
                found.append(Room(office=office, cannot=self.cannot(room)))
        return found

    def office(self, realm: Realm, room: str, day: int) -> Office:
        """A room, who manages it, who stands in for somebody, and who would."""
        return self._office(realm, room, {}, day, lambda member: realm.counting.rated(member, day))

    def _office(
        self, realm: Realm, room: str, members: Mapping[int, str], day: int, rated: Callable[[int], Rated]
    ) -> Office:
        """A room, and who is in it: those asked for, those whose say was changed, managers, deputies.

        Where a manager is asked for and nobody else could manage, also regulars who might take over.
        """
        number, levels = self.number(room), self.levels(room)
        d = self._store.decisions
        touched = {t.member: t for t in d.touched(number)}
        deputies = d.deputies(number)
        named = {m: self.account(m) for m in (*touched, *deputies)}
        present = self.present.get(room, set())
        people: dict[int, Somebody] = {}

        def add(member: int, account: str) -> None:
            if member in people or account not in present or account == self.bot or levels is None:
                return
            t, queued = touched.get(member), self._waiting(room, account)
            now = rated(member)
            people[member] = Somebody(
                member=member,
                account=account,
                level=self._say(room, account, levels),
                points=now.standing.points,
                band=now.firm,
                fixed=levels.level_of(account) >= levels.level_of(self.bot),
                bot=self.ghost(account),
                held=any(x.measure not in _LIGHT and x.covers(number) for x in realm.in_force.get(member, ())),
                touched=t.action if t else "",
                waits=t.action if t and t.stands_for and any(a.id == t.action for a in queued) else "",
                stands_for=t.stands_for if t else 0,
            )

        for member, account in (*members.items(), *named.items()):
            add(member, account)
        for account in sorted(levels.managers()) if levels is not None else ():
            if account in present and account != self.bot:
                add(self.member(realm, account), account)
        falling = [people[m] for m in members if m in people and people[m].level is Say.MANAGER]
        if falling and not any(can_manage(p, named=deputies) for p in people.values() if p.member not in members):
            for member in [m for m in realm.counting.regulars(day) if m not in people][:_MOST_TRIED]:
                if rated(member).firm is Band.TRUSTED:
                    add(member, self.account(member))
        return Office(
            number=number,
            room=room,
            people=list(people.values()),
            deputies=deputies,
            label=self.labels.get(room, room),
            language=realm.charter.language,
        )

    def _say(self, room: str, account: str, levels: Levels) -> Say:
        """How much say somebody has, counting what is queued."""
        say = levels.say_of(account)
        for action in self._waiting(room, account):
            if action.to is not Say.BEFORE and action.to is not None:
                say = action.to
            elif undone := self._store.decisions.outcome(action.undoes):
                if undone.before:
                    content = with_level(levels.content, {account: had_before(undone.before)})
                    say = Levels(content, levels.created).say_of(account)
            else:
                say = levels.say_of(account)
        return say
