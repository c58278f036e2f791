"""``comity serve`` on PostgreSQL: it decides, commits and acts, and goes on after a kill as on SQLite."""

import asyncio
import itertools
import signal
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


def serving_on(address: str, fake: FakeHomeserver, folder: Path) -> Path:
    """Settings of a community whose store is a database."""
    path = settings(folder, fake.base_url, free_port())
    text = path.read_text("utf-8").replace('store = "comity.sqlite"', f'store = "{address}"')
    path.write_text(text, "utf-8")
    return path


async def test_a_turn_on_postgresql_decides_commits_and_acts_once(
    fake: FakeHomeserver, address: str, tmp_path: Path
) -> None:
    """Scams are hidden and their authors muted, also by a process that was killed between deciding and committing."""
    garden = Garden(fake, ROOMS, ["@olive:garden.example", "@dora:garden.example"], MEMBERS)
    path = serving_on(address, fake, tmp_path)
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


async def test_without_its_database_it_ends_and_says_so_and_the_next_one_goes_on(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """No turn is acknowledged that is not kept; with the server back, what comes again is found once."""
    server = PostgresServer()
    garden = Garden(fake, ROOMS, ["@olive:garden.example", "@dora:garden.example"], MEMBERS)
    at = int(time.time() * 1000) - 60_000
    said = [message(n, ROOMS[0], MEMBERS[n], SCAM if n == 4 else f"tea number {n}", at + 900 * n) for n in range(6)]
    try:
        server.create()
        server.start()
        address = server.database()
        path = serving_on(address, fake, tmp_path)
        comity = await Comity(path).ready()
        assert await pushed(comity.address, said[:2], 1)
        server.stop(signal.SIGQUIT)
        assert not await pushed(comity.address, said[2:], 2)

        async def ended() -> bool:
            return comity.process.poll() is not None

        await until(ended)
        assert comity.process.returncode == 1
        assert "the connection to the server is gone" in comity.log.read_text("utf-8")
        server.start()
        comity = await Comity(path).ready()
        try:
            assert await pushed(comity.address, said[2:], 2)

            async def hidden() -> bool:
                return len(garden.redacted) == 1

            await until(hidden)
        finally:
            comity.stop()
        with open_store(address, durable=True) as store:
            assert store.verify().whole
            assert list(garden.redacted) == [f.event for m in range(1, 7) for f in store.findings(m)]
    finally:
        server.remove()
