"""Carrying out what was committed: a lane for each room and account, and what goes wrong in one holds up no other."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from structlog.typing import FilteringBoundLogger

from comity.adapters.matrix.carry_out import Carrier
from comity.core.action import Action, Came, Do, Outcome, Say
from comity.live.metrics import Metrics
from comity.stores.decisions_contract import Queued, Waits
from comity.stores.live_contract import LiveStore

LOOK: Final = 0.5  # seconds until what backs off is looked at again
FRESH: Final = 10_000  # milliseconds in which a message is hidden without looking whether somebody else did
REVIVE_EVERY: Final = 10_000  # milliseconds: where one room fails and another does not, not with each success
TOGETHER: Final = 16  # actions carried out at a time
HIDING: Final = 4  # of one room's messages at a time
_PAGE: Final = 500
_TAKES: Final = frozenset({Do.LEVEL, Do.REMOVE, Do.BAN})

Over = Callable[[Action, Outcome], None]


def wall_clock() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Outbox:
    """Carries out actions of a store. over: told of each that is over; now: the clock, milliseconds since 1970.

    waiting: all actions that are queued and not over, by id, in order.
    """

    def __init__(
        self,
        store: LiveStore,
        carrier: Carrier,
        *,
        metrics: Metrics,
        log: FilteringBoundLogger,
        now: Callable[[], int] = wall_clock,
    ) -> None:
        self._store, self._carrier, self._metrics, self._log, self.now = store, carrier, metrics, log, now
        self.waiting: dict[str, Action] = {}
        self.over: Over = lambda _action, _outcome: None
        self.down = ""
        self._revived = 0
        self._levels: dict[tuple[str, str], list[Action]] = {}
        self._since: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._lanes: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._some = asyncio.Semaphore(TOGETHER)
        self.reload()

    def reload(self) -> None:
        """Know what waits, from the store."""
        found: list[Queued] = []
        while page := self._store.decisions.queued(
            Waits.WAITING, beyond=found[-1].action.id if found else "", most=_PAGE
        ):
            found += page
        self.waiting = {q.action.id: q.action for q in found}
        self._levels.clear()
        self._awaited: set[str] = set()
        for action in self.waiting.values():
            self._level(action)
        self._since = {q.action.id: q.since for q in found}

    def add(self, actions: Iterable[Action]) -> None:
        """Have committed actions carried out."""
        now = self.now()
        for action in actions:
            self.waiting[action.id] = action
            self._level(action)
            self._since[action.id] = now
        self._wake.set()

    def levels(self, room: str, account: str) -> Sequence[Action]:
        """Changes of an account's say in a room that are queued and not over, in order."""
        return self._levels.get((room, account), ())

    def _level(self, action: Action) -> None:
        self._awaited.update(action.after)
        if action.do is Do.LEVEL:
            self._levels.setdefault((action.room, action.account), []).append(action)

    def acting(self, decisions: Sequence[int]) -> bool:
        """Whether anything but telling still waits of some decisions."""
        return any(a.decision in decisions and a.do is not Do.TELL for a in self.waiting.values())

    async def run(self) -> None:
        """Carry out, as long as it goes on; cancelled, what is under way is finished by ``finish``."""
        while True:
            self._wake.clear()
            if self.waiting:
                self._begin()
            try:
                # Not wait_for: it swallows a cancellation that comes in the moment of waking, and would go on for ever.
                async with asyncio.timeout(LOOK):
                    await self._wake.wait()
            except TimeoutError:
                self._gauge()
            for key in [k for k, task in self._lanes.items() if task.done()]:
                self._lanes.pop(key).result()

    async def finish(self, within: float) -> None:
        """Wait for what is under way, so long; what is not over by then is tried again after the next start."""
        tasks = list(self._lanes.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()

    def _begin(self) -> None:
        """Start the lanes that have something to do and are not at it."""
        lanes: dict[tuple[str, str], list[Action]] = {}
        for action in self._store.decisions.actions_due(self.now(), limit=_PAGE):
            lanes.setdefault(_lane(action), []).append(action)
        for key, actions in lanes.items():
            if key not in self._lanes:
                self._lanes[key] = asyncio.create_task(self._run(key, actions))

    async def _run(self, key: tuple[str, str], actions: Sequence[Action]) -> None:
        try:
            if key[0] == "hide":
                for start in range(0, len(actions), HIDING):
                    await asyncio.gather(*map(self._one, actions[start : start + HIDING]))
            else:
                for action in actions:
                    if not await self._one(action):
                        return
        finally:
            self._wake.set()

    async def _one(self, action: Action) -> bool:
        """Carry out one action and note what came of it; whether the next of its lane may come."""
        d = self._store.decisions
        undone = d.outcome(action.undoes) if action.undoes else None
        async with self._some:
            try:
                fresh = self.now() - self._since.get(action.id, 0) < FRESH
                outcome = await self._carrier.carry_out(action, before=undone.before if undone else "", fresh=fresh)
            except Exception as error:  # noqa: BLE001 - one poisoned action blocks no other: it backs off, and is shown
                self._log.error("an action failed", do=action.do, exc_info=error)
                outcome = Outcome(Came.AGAIN, f"It failed here ({type(error).__name__}); the log says where.")
        state = d.note_outcome(action.id, outcome, self.now())
        self._metrics.actions.labels(action.do, outcome.came).inc()
        if outcome.came is Came.AGAIN:
            self.down = outcome.why
        elif outcome.came is Came.DONE:
            self._metrics.act_seconds.observe((self.now() - self._since.get(action.id, self.now())) / 1000)
            if self.down:
                self.down = ""
                if self.now() - self._revived >= REVIVE_EVERY:
                    self.revive()
        if state is Waits.WAITING:
            return False
        if state is Waits.DONE or action.id not in self._awaited:
            self.waiting.pop(action.id, None)
            if action.do is Do.LEVEL:
                left = [a for a in self._levels.pop((action.room, action.account), ()) if a.id != action.id]
                self._levels |= {(action.room, action.account): left} if left else {}
            self._since.pop(action.id, None)
        else:
            self.reload()  # what had to come after it is over too
        self.over(action, outcome)
        return state is Waits.DONE

    def revive(self) -> int:
        """Try again what was given up, and what had to come after it, as far as it is still meant; how many."""
        now, d = self.now(), self._store.decisions
        self._revived = now
        again: dict[str, Action] = {}
        for state in (Waits.GIVEN_UP, Waits.CANNOT):
            last = ""
            while page := d.queued(state, beyond=last, most=_PAGE):
                last = page[-1].action.id
                for q in page:
                    if (state is Waits.GIVEN_UP or not again.keys().isdisjoint(q.action.after)) and self._meant(q, now):
                        again[q.action.id] = q.action
        if again:
            with self._store.write():
                for action in again:
                    d.try_again(action, now)
            self.reload()
            self._wake.set()
        return len(again)

    def _meant(self, queued: Queued, now: int) -> bool:
        """Whether an action still is what its decision asks for: what is over by now is not begun."""
        action = queued.action
        if action.do not in _TAKES or action.to is Say.BEFORE:
            return True
        decision = self._store.decisions.decision(action.decision)
        return decision is not None and decision.holds(now)

    def _gauge(self) -> None:
        self._metrics.outbox_waiting.set(len(self.waiting))
        oldest = min(self._since.values(), default=None)
        self._metrics.outbox_oldest.set(0 if oldest is None else max(self.now() - oldest, 0) / 1000)


def _lane(action: Action) -> tuple[str, str]:
    """What is done one after the other; as the store has it."""
    if not action.room:
        return "account", action.account
    return "hide" if action.do is Do.HIDE else "room", action.room
