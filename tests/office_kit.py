"""A live community in this process, with an office, time that a test moves on, and people who say things."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from comity.charter_file import parse_charter
from comity.cli.record_options import begin_rooms
from comity.cli.recorded_evidence import RecordedEvidence
from comity.core.access import Role
from comity.core.case_file import CaseFile
from comity.core.decision import Course, Decision
from comity.core.queue import Item, Kind, Query
from comity.core.verdicts import UNDO, Verdict
from comity.core.who import Who
from comity.live.logs import configure
from comity.live.metrics import Metrics
from comity.runner import Runner
from comity.runner.office import Office
from comity.settings_file import load_settings
from comity.stores.process_contract import Intent, Stage
from comity.stores.record.keys import new_key_file
from comity.stores.sqlite import SqliteStore
from fake_garden import Garden, Said, message
from fake_homeserver import FakeHomeserver
from test_runner_kill import ROOMS, settings

MANAGER, OTHER = "@olive:garden.example", "@dora:garden.example"
MEMBERS = [f"@m{n}:garden.example" for n in range(12)]
OLIVE, TOMASZ, NEUTRAL = Who("olive"), Who("tomasz"), Who("neutral", neutral=True)
TRAP, PRIZE, HINT = "a free teapot for you", "win a trowel", "look at my new kettle"
ALL = (1,)
DAY = 86_400_000
CHARTER = """\
[charter]
community = "Tea garden"
time_zone = "UTC"

[[clause]]
id = "2.1"
text = "Do not set traps."
when = "kind == 'message' and matches('free teapot')"
harm = "spam.fraud"
sentence = "a trap"
severity = "severe"
measures = ["hide", "mute"]

[[clause]]
id = "2.2"
text = "Do not promise prizes."
when = "kind == 'message' and matches('win a trowel')"
harm = "spam.fraud"
sentence = "a prize"
severity = "severe"
measures = ["ban"]

[[clause]]
id = "2.3"
text = "Look after the garden: water what is thirsty, and leave the gate as you found it, open or shut."
when = "kind == 'message' and matches('I resign')"
harm = "tos"
sentence = "a manager walks off"
severity = "severe"
measures = ["suspend_management"]

[[clause]]
id = "3.1"
text = "Do not advertise."
when = "kind == 'message' and matches('my new kettle')"
harm = "spam"
sentence = "an advertisement"
severity = "serious"
measures = ["warn"]

[[clause]]
id = "9.1"
text = "No talk of gnomes."
when = "kind == 'message' and matches('gnomes')"
harm = "house"
sentence = "a gnome"
severity = "minor"
measures = ["warn"]

[due_process]
appeal_days = 14
fast_appeal_days = 3
"""
RECORD = f"""
[record]
key = "file:record.key"
[[record.room]]
room = "{ROOMS[0]}"
"""


class House:
    """A community that is looked after."""

    def __init__(self, runner: Runner, store: SqliteStore, garden: Garden) -> None:
        self.runner, self.store, self.garden, self.later = runner, store, garden, 0
        self._numbers = itertools.count(time.time_ns())  # a second house has new messages
        runner._outbox.now = self.now

    @property
    def office(self) -> Office:
        """Its office."""
        return self.runner.office

    def now(self) -> int:
        """Milliseconds since 1970, as far as a test moved them on."""
        return int(time.time() * 1000) + self.later

    def wait(self, milliseconds: int) -> None:
        """Let time go by, and the clock see it."""
        self.later += milliseconds
        self.office.tick(self.now())

    async def say(self, member: str, *texts: str, room: str = ROOMS[0]) -> list[str]:
        """A member writes, all in one turn; the messages' ids."""
        said: list[Said] = [message(next(self._numbers), room, member, t, int(time.time() * 1000)) for t in texts]
        await self.runner.take(said)
        return [str(s["event_id"]) for s in said]

    def number(self, account: str) -> int:
        """A member's number."""
        return self.store.members(1, [account], [None])[0]

    def points(self, account: str) -> int:
        """A member's standing, thousandths of a point."""
        realm = self.runner._realms["tea-garden"]
        return realm.counting.rated(self.number(account), int(time.time() // 86_400)).standing.points

    def decisions(self, account: str, *courses: Course) -> list[Decision]:
        """What was decided about a member."""
        return self.store.decisions.decisions(member=self.number(account), courses=courses)

    async def waits(self, *kinds: Kind) -> list[Item]:
        """The items that wait, in order."""
        return [w.item for w in await self.office.items(Query(communities=ALL, kinds=kinds), most=500)]

    async def case(self, item: Item, by: Who = OLIVE) -> CaseFile:
        """A case, as somebody sees it."""
        return await self.office.case(item, by)

    async def decide(self, item: Item, verdict: Verdict, by: Who = OLIVE) -> Intent:
        """Look, give a verdict, and let the ten seconds go by; how it came out."""
        given = await self.office.decide(item, verdict, by, (await self.case(item, by)).version)
        self.wait(UNDO)
        found = self.store.process.intent(given.number)
        assert found is not None
        return found

    async def done(self, item: Item, verdict: Verdict, by: Who = OLIVE) -> str:
        """The same, and it must have come out well; the sentence."""
        found = await self.decide(item, verdict, by)
        assert found.state is Stage.DONE, found.outcome
        return found.outcome

    def staff(self, *names: str) -> None:
        """Let these be moderators."""
        for name in names:
            person = self.store.access.add_person(name, "test", self.now())
            assert isinstance(person, int)
            self.store.access.grant(person, 1, Role.MODERATOR, "test", self.now())

    async def told(self, *parts: str) -> str:
        """Wait until one direct message or notice has all of these in it; its text."""

        def found() -> list[str]:
            return [text for _, text in self.garden.sent if all(part in text for part in parts)]

        async with asyncio.timeout(20):
            while not found():  # noqa: ASYNC110 - what is waited for is at the homeserver
                await asyncio.sleep(0.02)
        return found()[0]


@contextlib.asynccontextmanager
async def house(
    folder: Path,
    fake: FakeHomeserver,
    *,
    review: bool = False,
    more: str = "",
    durable: bool = False,
    recorded: bool = False,
) -> AsyncIterator[House]:
    """A community that is looked after at a false homeserver; opened a second time, it goes on where it was."""
    garden = Garden(fake, ROOMS, [MANAGER, OTHER], MEMBERS)
    path = settings(folder, fake.base_url, 1)
    if recorded and not (folder / "record.key").exists():
        new_key_file(folder / "record.key")
    if recorded:
        path.write_text(path.read_text() + RECORD)
    loaded, log, text = load_settings(path), configure(level="critical", strict=True), CHARTER + more
    charter = parse_charter(text)
    clauses = tuple(msgspec.structs.replace(c, review=review and c.id == "3.1") for c in charter.clauses)
    with SqliteStore.open(folder / "comity.sqlite", durable=durable) as store:
        record = begin_rooms(loaded, store) if loaded.record else None
        evidence = RecordedEvidence(loaded.store, loaded.record, record, log) if loaded.record and record else None
        runner = Runner(
            settings=loaded,
            charters={"tea-garden": msgspec.structs.replace(charter, clauses=clauses)},
            store=store,
            metrics=Metrics(),
            log=log,
            record=record.append if record else None,
            evidence=evidence,
            texts=None if review else {"tea-garden": text},  # no text says that a clause of one's own is in review
        )
        await runner.start()
        try:
            async with asyncio.timeout(20):
                while runner.ready():  # noqa: ASYNC110 - what is waited for is at the homeserver
                    await asyncio.sleep(0.02)
            yield House(runner, store, garden)
        finally:
            await runner.stop()
