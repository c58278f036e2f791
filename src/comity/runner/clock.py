"""What time brings: measures end, proposals lapse, and what adds up is kept."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

from comity.core.carried import Carried
from comity.core.charter import Measure
from comity.core.decision import EVERYWHERE, Decision
from comity.core.event import moment
from comity.core.giving_back import end
from comity.core.wording import say
from comity.runner.outbox import Outbox
from comity.runner.people import People
from comity.runner.realm import Realm
from comity.runner.turn import Turns
from comity.stores.live_contract import LiveStore

TICK: Final = 0.5  # seconds
SETTLE: Final = 5.0  # seconds between two dumps of window states at least
_SHARE: Final = 20  # a dump may take one part of so many of the time


class Clock:
    """Ends what is over, and settles now and then.

    tick: what else time brings; known: whether the rooms are: before that nothing could be given back in them.
    """

    def __init__(
        self,
        store: LiveStore,
        realms: Mapping[int, Realm],
        people: People,
        turns: Turns,
        outbox: Outbox,
        *,
        tick: Callable[[int], None],
        known: Callable[[], bool],
    ) -> None:
        self._store, self._realms, self._people = store, realms, people
        self._turns, self._outbox, self._tick, self._known = turns, outbox, tick, known

    async def run(self) -> None:
        """Look at the clock, as long as it goes on."""
        settle_at = time.monotonic() + SETTLE
        while True:
            await asyncio.sleep(TICK)
            if self._known():
                now = self._outbox.now()
                self._tick(now)
                self.end_all(now)
            if self._turns.journalled and time.monotonic() >= settle_at:
                began = time.monotonic()
                self._turns.settle()
                took = time.monotonic() - began
                settle_at = time.monotonic() + max(SETTLE, _SHARE * took)

    def end_all(self, now: int) -> int:
        """End every decision whose time is over; how many were."""
        ended = 0
        while over := self._store.decisions.ending(now):
            for decision in over:
                self._end(decision, now)
                ended += 1
        return ended

    def _end(self, decision: Decision, now: int) -> None:
        realm = self._realms.get(decision.community)
        with self._store.write():
            carried = Carried()
            if realm is not None:
                reason = say(realm.charter.language, "ended", number=decision.number)
                carried = ending(self._store, realm, self._people, decision, now, reason=reason, undone=False)
            self._store.decisions.end(decision.number, now, carried)
        if realm is not None:
            realm.look_up(now, [decision.member])
        self._outbox.add(carried.actions)


def ending(
    store: LiveStore, realm: Realm, people: People, decision: Decision, now: int, *, reason: str, undone: bool
) -> Carried:
    """What gives back what a decision took; see ``giving_back.end``."""
    account = people.account(decision.member)
    where: tuple[int, ...] = () if decision.room == EVERYWHERE else (decision.room,)
    if decision.measure is Measure.HIDE:
        where = tuple({place.room for place in decision.hides})
    rooms = people.rooms(realm, {decision.member: account}, where, realm.day(moment(now)))
    left = [x for x in store.decisions.in_force(now, member=decision.member) if x.number != decision.number]
    return end(decision, rooms, left, undone=undone, reason=reason, account=account)
