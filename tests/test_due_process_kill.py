"""Kill -9 while a verdict is carried out: it is done once, and nothing of it is lost."""

import asyncio
from pathlib import Path

import pytest

from comity.core.charter import Measure
from comity.core.decision import Course
from comity.core.queue import Item, Kind
from comity.core.verdicts import Confirm
from comity.stores.process_contract import Stage
from comity.stores.sqlite import SqliteStore
from fake_homeserver import FakeHomeserver
from homeserver import free_port
from office_kit import CHARTER, MEMBERS, OLIVE, TRAP, house
from running import Comity, until
from test_runner_kill import settings

pytestmark = pytest.mark.anyio
# Where the process ends itself: before or after a step of carrying out.
KILL = """
import os, signal
from comity.runner.office import Office
from comity.runner.persons import Persons
from comity.stores.sql_process import SqlProcess
inner = {owner}.{name}
def wrapped(*args, **named):
    if {before}: os.kill(os.getpid(), signal.SIGKILL)
    found = inner(*args, **named)
    os.kill(os.getpid(), signal.SIGKILL)
    return found
{owner}.{name} = wrapped
"""
POINTS = [
    ("Persons", "confirm", False),  # done, not committed
    ("SqlProcess", "finish_intent", False),  # noted as done, not committed
    ("Office", "_carry_out", False),  # committed, and nobody told
]


async def test_a_verdict_is_carried_out_once_whenever_the_process_is_killed(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """Killed at every step of it in turn, there is one course step, one note of it, and one message to the member."""
    async with house(tmp_path, fake) as live:
        await live.say(MEMBERS[0], TRAP)
        (mute,) = [d for d in live.decisions(MEMBERS[0]) if d.measure is Measure.MUTE]
        item = Item(Kind.PROVISIONAL, mute.number)
        given = await live.office.decide(item, Confirm("a trap"), OLIVE, (await live.case(item)).version)
        garden = live.garden
    with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
        assert store.process.intent(given.number) == given  # the process has ended, and the verdict stands
        store._db.execute("UPDATE intent SET due = at WHERE number = ?", (given.number,))
    path = settings(tmp_path, fake.base_url, free_port())
    path.with_name("charter.toml").write_text(CHARTER, "utf-8")
    for owner, name, before in POINTS:
        killed = Comity(path, KILL.format(owner=owner, name=name, before=before))
        assert await asyncio.to_thread(killed.process.wait, 30) == -9, killed.log.read_text("utf-8")[-2000:]
    comity = Comity(path)
    try:
        await comity.ready()

        async def told() -> bool:
            return any("lets it stand" in text for _, text in garden.sent)

        await until(told, 20)
    finally:
        assert comity.stop() == 0
    with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
        found = store.process.intent(given.number)
        assert found is not None
        assert (found.state, found.by) == (Stage.DONE, OLIVE)
        steps = [s for s in store.decisions.course(mute.number) if s.course is Course.CONFIRMED]
        assert [s.by for s in steps] == ["olive"]
        assert len(store.process.handled(1, 0, 1 << 62)) == 1
        assert store.verify().whole
    assert sum("lets it stand" in text for _, text in garden.sent) == 1
