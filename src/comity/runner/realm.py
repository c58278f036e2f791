"""A community as it is looked after: its charter compiled, what counts in it, what is in force."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import msgspec

from comity.core.charter import Charter, Measure, State
from comity.core.decision import EVERYWHERE, Decision
from comity.core.globs import globs
from comity.core.standing import day_of
from comity.engine import Engine
from comity.runner.counting import Counting
from comity.settings import Community
from comity.stores.live_contract import LiveStore
from comity.turns import States, clause_numbers

_SHADOWS = "shadow clauses of "


class Realm:
    """One community.

    engine: of the charter as it holds now, with the clauses that a moderator let only find; looks: its clauses that
    carry no state and hide, for a look that counts nothing; in_force: decisions by member, never of a dry run; wrote:
    when members in slow mode last wrote in a room, milliseconds since 1970.
    """

    def __init__(self, settings: Community, charter: Charter, store: LiveStore, now: dt.datetime) -> None:
        self.settings, self.adopted, self._store = settings, charter, store
        self.id, self.dry_run = settings.id, settings.dry_run
        self.invited_by = globs(settings.inviters)
        self._seed = int.from_bytes(store.event_key[:8], "big")
        self.number = store.community(settings.id)
        self.shadows = frozenset(msgspec.json.decode(store.journal.noted(_SHADOWS + self.id) or b"[]", type=list[str]))
        self.reload(now)

    def reload(self, now: dt.datetime) -> None:
        """Begin at what the store holds of the last dump: window states, ledger, decisions."""
        self._compile()
        self.states = States(self.engine, self._store.window_states(), f"{self.id}/")
        self.recount(now)

    def recount(self, now: dt.datetime) -> None:
        """Read ledger and decisions anew, the window states being what they are."""
        self.counting = Counting(self._store, self.number, self.charter.standing, self.day(now))
        self.in_force: dict[int, list[Decision]] = {}
        self._muted: set[int] = set()  # members
        self.wrote: dict[tuple[int, int], int] = {}
        self.look_up(int(now.timestamp() * 1000))

    def look_up(self, now: int, members: Collection[int] | None = None) -> None:
        """Ask the store which decisions are in force, about some members or all."""
        d = self._store.decisions
        if members is None:
            found = defaultdict(list)
            for decision in d.in_force(now, community=self.number):
                found[decision.member].append(decision)
            self.in_force, self._muted = {}, set()
            for member, mine in found.items():
                self._have(member, mine)
            return
        for member in members:
            self._have(member, d.in_force(now, member=member))

    def remember(self, made: Iterable[Decision]) -> dict[int, list[Decision]]:
        """Have new decisions in force; what was in force before about the members they are about."""
        before: dict[int, list[Decision]] = {}
        for d in made:
            mine = self.in_force.get(d.member, [])
            before.setdefault(d.member, mine)
            self._have(d.member, [*mine, d])  # a list of its own: somebody may hold the old one
        return before

    def _have(self, member: int, mine: list[Decision]) -> None:
        if mine:
            self.in_force[member] = mine
        else:
            self.in_force.pop(member, None)
        if any(d.measure is Measure.MUTE for d in mine):
            self._muted.add(member)
        else:
            self._muted.discard(member)

    def wrote_in(self, member: int, room: int, now: int) -> None:
        """Note that a message stood, of somebody in slow mode."""
        if any(d.measure is Measure.SLOW for d in self.in_force.get(member, ())):
            self.wrote[member, room] = now

    def day(self, now: dt.datetime) -> int:
        """Today, in the charter's time zone."""
        return day_of(now, self.charter.zone)

    def muted(self) -> Mapping[int, int]:
        """How many are muted, by room; everywhere is room 0, and counted in every room."""
        found: dict[int, int] = defaultdict(int)
        for member in self._muted:
            for d in self.in_force[member]:
                if d.measure is Measure.MUTE:
                    found[d.room] += 1
        everywhere = found.pop(EVERYWHERE, 0)
        return {EVERYWHERE: everywhere} | {room: n + everywhere for room, n in found.items()}

    def adopt(self, charter: Charter, now: dt.datetime) -> None:
        """Go over to another charter; within the store's transaction, after a dump.

        Windows that it shares with the one before go on; what counts is read anew only if it weighs otherwise. Clauses
        that only find for now stay so, if they are still there.
        """
        old, self.adopted = self.adopted, charter
        ids = {c.id for c in charter.clauses}
        self._only_find(frozenset(s for s in self.shadows if s in ids))
        if (old.standing, old.time_zone) != (charter.standing, charter.time_zone):
            wrote = self.wrote
            self.recount(now)
            self.wrote = wrote

    def shadow(self, clause: str, *, on: bool) -> None:
        """Let a clause only find, or find and count again; within the store's transaction, after a dump."""
        self._only_find(self.shadows | {clause} if on else self.shadows - {clause})

    def _only_find(self, clauses: frozenset[str]) -> None:
        self.shadows = clauses
        self._store.journal.note(_SHADOWS + self.id, msgspec.json.encode(sorted(self.shadows)))
        self._compile()
        self.states = States(self.engine, self._store.window_states(), f"{self.id}/")

    def _compile(self) -> None:
        """Compile the charter; what a shadow carries is the same as what a live clause carries."""
        clauses = tuple(
            msgspec.structs.replace(c, state=State.SHADOW) if c.id in self.shadows and c.state is State.LIVE else c
            for c in self.adopted.clauses
        )
        self.charter = msgspec.structs.replace(self.adopted, clauses=clauses)
        self.engine = Engine(self.charter, seed=self._seed)
        self.clauses = clause_numbers(self.engine, self._store)
        hiding = [c for c in clauses if c.counts and Measure.HIDE in c.measures]
        pure = tuple(c for c in hiding if not self._alone(c.id).plan.carried)
        self.looks = Engine(msgspec.structs.replace(self.charter, clauses=pure), seed=self._seed) if pure else None

    def _alone(self, clause: str) -> Engine:
        some = tuple(c for c in self.adopted.clauses if c.id == clause)
        return Engine(msgspec.structs.replace(self.adopted, clauses=some), seed=self._seed)
