"""``comity serve`` on PostgreSQL: it decides, commits and acts, and goes on after a kill as on SQLite."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from comity.core.charter import Measure
from comity.stores.decisions_contract import Waits
from comity.stores.opening import open_store
from fake_garden import Garden, message
from fake_homeserver import FakeHomeserver
from homeserver import free_port
from postgres_server import PostgresServer
from running import SCAM, Comity, until
from test_runner_kill import KILL, MEMBERS, ROOMS, pushed, settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def address(postgres: PostgresServer) -> Iterator[str]:
    """The address of a database with nothing in it."""
    found = postgres.database()
    yield found
    postgres.drop(found)


async def test_a_turn_on_postgresql_decides_commits_and_acts_once(
    fake: FakeHomeserver, address: str, tmp_path: Path
) -> None:
    """Scams are hidden and their authors muted, also by a process that was killed between deciding and committing."""
    garden = Garden(fake, ROOMS, ["@olive:garden.example", "@dora:garden.example"], MEMBERS)
    path = settings(tmp_path, fake.base_url, free_port())
    text = path.read_text("utf-8").replace('store = "comity.sqlite"', f'store = "{address}"')
    path.write_text(text, "utf-8")
    at = int(time.time() * 1000) - 60_000
    said = [
        message(n, ROOMS[n % 2], MEMBERS[n % 6], SCAM if n in {7, 20} else f"tea number {n}", at + 900 * n)
        for n in range(30)
    ]
    comity = Comity(path, KILL.format(passings=2, owner="SqlStore", name="_commit", before=True))
    killed, numbers = 0, itertools.count(1)
    try:
        for start in range(0, len(said), 10):
            while not await pushed(comity.address, said[start : start + 10], next(numbers)):
                if comity.process.poll() is not None:
                    killed += 1
                    comity = await Comity(path).ready()
                await asyncio.sleep(0.03)

        async def hidden() -> bool:
            return len(garden.redacted) >= 2

        await until(hidden)
    finally:
        comity.stop()

    assert killed == 1
    assert all(len(ids) == 1 for ids in garden.deeds.values())
    with open_store(address, durable=True) as store:
        assert store.verify().whole
        made = store.decisions.decisions()
        assert {Measure.HIDE, Measure.MUTE} <= {d.measure for d in made}
        assert [d.number for d in made if not d.proposed] == [s.decision for s in store.decisions.statements()]
        assert [] == store.decisions.queued(Waits.CANNOT)
