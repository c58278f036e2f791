"""The runner: reads, turns, commits, acts, tells; the one place where a live community's parts meet."""

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

from starlette.routing import BaseRoute
from structlog.typing import FilteringBoundLogger

from comity.adapters.matrix import antispam, appservice
from comity.adapters.matrix.carry_out import Carrier
from comity.adapters.matrix.client import Homeserver, HomeserverError, Json
from comity.adapters.matrix.normalise import REPORT, Known
from comity.adapters.matrix.read_back import read_back
from comity.adapters.matrix.sync import Sync
from comity.core.action import Action, Came, Do, Outcome
from comity.core.charter import Charter
from comity.core.event import Event
from comity.core.globs import globs
from comity.live.metrics import Metrics
from comity.runner.adopting import Adopting, holding
from comity.runner.carries import Desk
from comity.runner.clock import Clock
from comity.runner.deciding import Deciding
from comity.runner.evidence import Evidence, NoRecord
from comity.runner.files import Files
from comity.runner.hearing import Hearing
from comity.runner.joining import Joining
from comity.runner.lists import Lists
from comity.runner.member_links import MemberLinks
from comity.runner.office import Office
from comity.runner.outbox import Outbox
from comity.runner.people import People
from comity.runner.persons import Persons
from comity.runner.precision import Watch
from comity.runner.realm import Realm
from comity.runner.reporting import Reporting
from comity.runner.reports import Reports
from comity.runner.surroundings import Surroundings
from comity.runner.telling import Telling
from comity.runner.turn import SHOWN, SINCE, Turns
from comity.runner.verdict import Verdict
from comity.settings import Mode, Settings
from comity.stores.process_contract import ProcessStore

FIRST_WAIT: Final = 10.0  # seconds that events wait for us to know the rooms; then the homeserver sends them again
LONGEST_PAUSE: Final = 30.0  # seconds between tries while the homeserver does not answer
READ_BACK_EVERY: Final = 600.0  # seconds
READ_BACK_MOST: Final = 500  # events of a room
PING_EVERY: Final = 20.0  # seconds; a homeserver that could not push waits up to minutes, and a ping has it try at once
_MARGIN: Final = 600_000  # milliseconds before the last event that are read again: clocks differ, and pushes get lost
FINISH: Final = 5.0  # seconds that actions under way may take at the end
_LEVELS: Final = "m.room.power_levels"
_OUR_DOING: Final = frozenset({"m.room.message", "m.room.redaction"})
_SERVICE: Final = "comity"


class Runner:
    """Looks after communities, live; fulfils ``live.process.Service``.

    charters: by their community's id; texts: of their files, without which no version is kept; store: open for writing,
    and closed by whoever opened it; evidence: what is kept beside the ledger's excerpts, if anything; office: what
    pages act through.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        charters: Mapping[str, Charter],
        store: ProcessStore,
        metrics: Metrics,
        log: FilteringBoundLogger,
        evidence: Evidence | None = None,
        texts: Mapping[str, str] | None = None,
        record: Callable[[Sequence[Event]], object] | None = None,
    ) -> None:
        self._settings, self._store, self._metrics, self._log = settings, store, metrics, log
        matrix = settings.matrix
        as_user = matrix.user if matrix.mode is Mode.APPSERVICE else None
        self._homeserver = Homeserver(matrix.homeserver, matrix.token.reveal(), as_user, account=matrix.user)
        self._carrier = Carrier(self._homeserver)
        now = dt.datetime.now(dt.UTC)
        at = int(now.timestamp() * 1000)
        adopted = {
            c.id: holding(store, c, charters[c.id], (texts or {}).get(c.id), follows=settings.lists, now=at)
            for c in settings.communities
        }
        self._realms = {c.id: Realm(c, adopted[c.id], store, now) for c in settings.communities}
        by_number = {r.number: r for r in self._realms.values()}
        self._outbox = Outbox(store, self._carrier, metrics=metrics, log=log)
        self._outbox.over = self._over
        self._people = People(store, Known(), matrix.user, globs(matrix.bridged), self._outbox.levels)
        self._links = MemberLinks(store, self._people, by_number, settings.server.public_url)
        self._telling = Telling(store, self._people, self._outbox, self._links)
        self._deciding = Deciding(store, self._people, self._telling, metrics, self._links.page)
        self._lists = Lists(self._homeserver, store, settings.lists, log=log)
        self._turns = Turns(store, self._realms, self._people, self._deciding, self._lists, metrics=metrics, log=log)
        self._joining = Joining(
            self._homeserver,
            store,
            settings,
            self._realms,
            self._people,
            metrics=metrics,
            log=log,
            managed=self._managed,
        )
        persons = Persons(
            store,
            by_number,
            self._people,
            self._outbox,
            turns=self._turns,
            lists=self._lists,
            links=self._links,
            metrics=metrics,
        )
        kept = evidence or NoRecord()
        reporting = self._reporting = Reporting(store, persons, kept)
        self._turns.hear = reporting.hear
        if record is not None:
            self._turns.record = record
        hearing = Hearing(store, persons, reporting, self._telling)
        watch = Watch(store, persons, self._turns, self._telling)
        self.office = Office(
            store,
            persons,
            files=Files(
                store,
                persons,
                reporting=reporting,
                hearing=hearing,
                surroundings=Surroundings(store, kept, self._outbox),
            ),
            hearing=hearing,
            reporting=reporting,
            watch=watch,
            adopting=Adopting(store, persons, self._turns, settings.lists),
            telling=self._telling,
            seed=store.event_key,
        )
        self._desk = Desk(
            store,
            self._realms,
            self._people,
            self._turns,
            outbox=self._outbox,
            persons=persons,
            shadow=watch.shadow,
            links=self._links,
            ready=self.ready,
        )
        self._lock, self._known = asyncio.Lock(), asyncio.Event()
        self._clock = Clock(
            store,
            by_number,
            self._people,
            self._turns,
            self._outbox,
            tick=self.office.tick,
            known=self._known.is_set,
        )
        admin = matrix.admin_token
        self._reports = (
            Reports(Homeserver(matrix.homeserver, admin.reveal()), store, self._take_reports, log) if admin else None
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._over_with: asyncio.Future[None] | None = None
        self._why = ["the rooms are not known yet"]

    # As a service.

    async def start(self) -> None:
        """Begin; the homeserver may be down."""
        self._over_with = asyncio.get_running_loop().create_future()
        for begun in (self._connect(), self._outbox.run(), self._telling.run(), self._clock.run()):
            self._spawn(begun)

    async def stop(self) -> None:
        """Finish what is under way, keep what adds up, and close everything but the store."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._outbox.finish(FINISH)
        async with self._lock:
            self._turns.settle()
        await self._homeserver.close()
        if self._reports is not None:
            await self._reports.close()

    async def wait(self) -> None:
        """Wait until something cannot go on, and raise why."""
        if self._over_with is not None:
            await asyncio.shield(self._over_with)

    def routes(self) -> Sequence[BaseRoute]:
        """Where the homeserver pushes to, and where it asks."""
        matrix = self._settings.matrix
        found: list[BaseRoute] = []
        if matrix.mode is Mode.APPSERVICE and matrix.hs_token is not None:
            found += appservice.routes(matrix.hs_token.reveal(), self.take)
        if matrix.antispam_token is not None:
            verdict = Verdict(self._people, self._metrics, lambda: dt.datetime.now(dt.UTC))
            found += antispam.routes(matrix.antispam_token.reveal(), verdict, failed=self._unasked)
        return found

    def ready(self) -> list[str]:
        """Why it is not ready."""
        down = self._outbox.down
        return [*self._why, *([f"actions are not carried out: {down}"] if down else [])]

    # The line.

    async def take(self, events: list[Json], since: str = "", /) -> None:
        """Take events as they came in; when this returns they are kept. Raises TimeoutError before rooms are known."""
        if not self._known.is_set():
            async with asyncio.timeout(FIRST_WAIT):
                await self._known.wait()
        async with self._lock:
            began = asyncio.get_running_loop().time()
            await self._joining.invited(events)
            self._lists.hear(events)
            some = [e for e in events if self._concerns(e)]
            self._hear_beside(events)
            if not some and not since:
                return
            arrived = dt.datetime.now(dt.UTC)
            taken = self._turns.take(some, arrived, since, also=self._also(arrived))
            self._metrics.decide_seconds.observe(asyncio.get_running_loop().time() - began)
        if actions := [*taken.actions, *self._links.queued()]:
            self._outbox.add(actions)
        if levels := [e for e in taken.fresh if e.get("type") == _LEVELS]:
            self._people.shown({str(e.get("event_id")) for e in levels})
            self._spawn(self._watch(levels))
        if self._desk.waiting:
            self._spawn(self._answer())

    def _also(self, arrived: dt.datetime) -> Callable[[Sequence[Json]], None]:
        """What else is kept with the new events of a turn: commands, and answers to members who ask for a link."""
        keep, at = self._desk.keep(self._joining.management), int(arrived.timestamp() * 1000)

        def also(fresh: Sequence[Json]) -> None:
            self._links.queued()  # of a turn that failed
            keep(fresh)
            self._links.hear((e for e in fresh if e.get("room_id") != self._joining.management), at)

        return also

    async def _take_reports(self, events: Sequence[Json], note: Callable[[], None]) -> None:
        """Take reports of messages in our rooms; those of other rooms are nothing to us."""
        some = [e for e in events if e.get("room_id") in self._people.realms]
        await self._reporting.look_up(
            [(self._people.realms[str(e["room_id"])], event, _at(e)) for e in some if (event := _of_nobody(e))]
        )
        async with self._lock:
            taken = self._turns.take(some, dt.datetime.now(dt.UTC), also=lambda _fresh: note())
        self._outbox.add([*taken.actions, *self._links.queued()])

    def _hear_beside(self, events: Sequence[Json]) -> None:
        """Answer who asks for a link in a room that is no community's, as in the one of our direct messages."""
        ours, management = self._people.realms, self._joining.management
        beside = [e for e in events if (room := e.get("room_id")) not in ours and room != management]
        if beside:
            self._links.hear(beside, self._outbox.now())
            self._outbox.add(self._links.queued())

    def _concerns(self, event: Json) -> bool:
        """Whether anything can follow: not from other rooms, such as those of direct messages, nor from what we did.

        Nor from what looks like a report: reports come from the homeserver itself.
        """
        if event.get("type") == REPORT:
            return False
        room = event.get("room_id")
        if isinstance(room, str) and room not in self._people.realms and room != self._joining.management:
            return False
        return event.get("sender") != self._people.bot or event.get("type") not in _OUR_DOING

    async def _watch(self, events: Sequence[Json]) -> None:
        for _ in range(3):
            try:
                await self._carrier.watch(events)
            except HomeserverError as error:
                self._failed(error)
                await asyncio.sleep(error.retry_after or 1.0)
            else:
                return

    async def _answer(self) -> None:
        async with self._lock:
            await self._desk.answer_all()

    def _over(self, action: Action, outcome: Outcome) -> None:
        """An action is over: its levels hold before the platform shows them; what cannot be done is told."""
        if action.do is Do.LEVEL and outcome.came is Came.DONE:
            self._people.gave(action, outcome.before, outcome.made)
        elif outcome.came is not Came.DONE and action.do is not Do.SAY:
            where = self._people.labels.get(action.room, action.room)
            self._telling.notice(f"Not carried out ({action.do} {action.account} {where}): {outcome.why}")

    # The homeserver.

    async def _connect(self) -> None:
        """Come into the rooms, then hear what happens there, as long as it goes on."""
        failures = 0
        while True:
            try:
                await self._come_in()
                break
            except HomeserverError as error:
                failures += 1
                self._failed(error)
                self._why = [_told(error)]
                await asyncio.sleep(error.retry_after or min(LONGEST_PAUSE, 0.5 * 2.0 ** min(failures, 10)))
        # At the very first, reading begins with the first answer: what is said until then is not read.
        unread = self._settings.matrix.mode is Mode.SYNC and not self._store.journal.noted(SINCE)
        self._why = ["reading has not begun"] if unread else []
        self._log.info("rooms are known", rooms=len(self._people.realms))
        if self._outbox.revive():
            self._log.info("what was given up is tried again")
        if self._desk.waiting:
            await self._answer()
        if self._reports is not None:
            self._spawn(self._reports.run())
        if self._settings.matrix.mode is Mode.SYNC:
            await self._sync()
        else:
            await self._keep_reading_back()

    async def _come_in(self) -> None:
        matrix = self._settings.matrix
        if matrix.mode is Mode.APPSERVICE:
            await self._homeserver.register_bot(matrix.localpart)
        await self._joining.come_in()
        await self._lists.come_in()
        self._known.set()

    async def _sync(self) -> None:
        since = self._store.journal.noted(SINCE).decode()

        async def noted(problem: str) -> None:
            self._metrics.homeserver_errors.labels("0").inc()
            self._log.warning("reading", problem=problem)

        async def take(events: list[Json], since: str = "", /) -> None:
            await self.take(events, since)
            self._why = []

        while True:
            sync = Sync(self._homeserver, take, since, allowed=self._joining.allowed, noted=noted)
            try:
                await sync.run()
            except HomeserverError as error:
                self._failed(error)
                self._why = [_told(error)]
                since = sync.since
                await asyncio.sleep(LONGEST_PAUSE)

    async def _keep_reading_back(self) -> None:
        """Have the homeserver push now, and read back now and then what it lost."""
        loop = asyncio.get_running_loop()
        # A homeserver that loses its place between our stop and our start may never push again (seen in Synapse 1.163):
        # so first after seconds, then more and more seldom.
        read_at, pause, begun = loop.time(), PING_EVERY, False
        while True:
            try:
                if loop.time() >= read_at:
                    await self._read_back()
                    if begun:
                        await self._lists.come_in()  # a push may be lost over the homeserver's own stop
                    read_at, pause, begun = loop.time() + pause, min(2 * pause, READ_BACK_EVERY), True
                await self._homeserver.ping(_SERVICE)
                self._why = []
            except HomeserverError as error:
                self._failed(error)
                self._why = [_told(error)]
                await asyncio.sleep(error.retry_after or LONGEST_PAUSE / 10)
                continue
            await asyncio.sleep(PING_EVERY)

    async def _read_back(self) -> None:
        """Read the last events of all rooms that are newer than what came last: what is known is left out."""
        last = int(self._store.journal.noted(SHOWN) or b"0")
        if last:
            for room in [*self._people.realms, *([self._joining.management] if self._joining.management else [])]:
                back = await read_back(self._homeserver, room, seen=lambda _: False, page=50, most=50)
                events = [e for e in back.events if _at(e) >= last - _MARGIN]
                if len(events) == len(back.events) and not back.whole:
                    back = await read_back(self._homeserver, room, most=READ_BACK_MOST)
                    events = [e for e in back.events if _at(e) >= last - _MARGIN]
                if events:
                    await self.take(events)
        self._store.journal.note(SHOWN, str(self._outbox.now()).encode())

    # Odds and ends.

    def _managed(self, room: str) -> None:
        self._telling.room = room

    def _unasked(self, why: str) -> None:
        self._log.warning("let through unasked", why=why)

    def _failed(self, error: HomeserverError) -> None:
        self._metrics.homeserver_errors.labels(str(error.status)).inc()
        self._log.warning("the homeserver did not answer well", status=error.status, errcode=error.errcode)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if self._over_with is not None and not self._over_with.done():
            self._over_with.set_exception(error)


def _told(error: HomeserverError) -> str:
    if error.token_refused:
        return "the homeserver refuses our token: put a valid one in the settings"
    return f"the homeserver does not answer ({error.status} {error.errcode})".replace(" )", ")")


def _of_nobody(report: Json) -> str:
    """The message that is reported, if the homeserver does not say whose it is; else ""."""
    content = report.get("content")
    event = content.get("event_id") if isinstance(content, dict) and not content.get("sender") else None
    return event if isinstance(event, str) else ""


def _at(event: Json) -> int:
    at = event.get("origin_server_ts")
    return at if isinstance(at, int) else 0
