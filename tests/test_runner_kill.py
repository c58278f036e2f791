"""Kill -9 anywhere, transactions again, in another order, under other ids: nothing is missed, nothing done twice."""

import asyncio
import contextlib
import itertools
import json
import random
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from comity.stores.sqlite import SqliteStore
from fake_garden import BOT, Garden, Said, message
from fake_homeserver import FakeHomeserver
from homeserver import AS_TOKEN, HS_TOKEN, free_port
from running import CHARTER, SCAM, Comity

pytestmark = pytest.mark.anyio
ROOMS = ["!garden:garden.example", "!attic:garden.example"]
MEMBERS = [f"@m{n}:garden.example" for n in range(6)]
# Where the process ends itself: at the n-th passing of a point on the line, before or after it.
KILL = """
import os, signal
from comity.adapters.matrix.carry_out import Carrier
from comity.runner.turn import Turns
from comity.stores.sql_outbox import SqlOutbox
from comity.stores.sql_store import SqlStore
left = {passings}
def passed():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
def wrap(owner, name, *, before):
    inner = getattr(owner, name)
    if name == "carry_out":
        async def wrapped(*args, **named):
            if before: passed()
            found = await inner(*args, **named)
            if not before: passed()
            return found
    else:
        def wrapped(*args, **named):
            if before: passed()
            found = inner(*args, **named)
            if not before: passed()
            return found
    setattr(owner, name, wrapped)
wrap({owner}, "{name}", before={before})
"""
POINTS = [
    ("Turns", "take", True),  # received, nothing kept
    ("SqlStore", "_commit", True),  # decided, not committed
    ("Turns", "take", False),  # committed, not acknowledged
    ("Carrier", "carry_out", True),  # to be done
    ("Carrier", "carry_out", False),  # done, not noted
    ("SqlOutbox", "note_outcome", False),  # noted
    ("Turns", "settle", True),
    ("Turns", "settle", False),
]
DUMPS = [
    ("Turns", "settle", True),  # nothing dumped
    ("SqlStore", "save_window_states", True),  # activity posted, not committed
    ("SqlStore", "save_window_states", False),  # windows dumped, not committed
    ("Turns", "settle", False),  # dumped, and the journal empty
]
# Windows are dumped as often as the process can, so that a point within a dump is passed while there is talk.
OFTEN = """
from comity.runner import clock
clock.TICK, clock.SETTLE, clock._SHARE = 0.01, 0.0, 0
"""


def talk(seed: int, count: int) -> list[Said]:
    """Messages of some minutes ago: talk, floods, and scams in between."""
    chance, at = random.Random(seed), int(time.time() * 1000) - 900_000
    said = []
    for n in range(count):
        at += chance.choice([50, 200, 900, 4000])
        text = SCAM if chance.random() < 0.04 else f"tea number {n}"
        said.append(message(n, chance.choice(ROOMS), chance.choice(MEMBERS), text, at))
    return said


def settings(folder: Path, homeserver: str, port: int) -> Path:
    """Settings of a community at a false homeserver."""
    folder.mkdir(exist_ok=True)
    (folder / "charter.toml").write_text(CHARTER, "utf-8")
    path = folder / "comity.toml"
    path.write_text(
        f'store = "comity.sqlite"\n[server]\nbind = "127.0.0.1:{port}"\n[matrix]\nhomeserver = "{homeserver}"\n'
        f'user = "{BOT}"\nas_token = "{AS_TOKEN}"\nhs_token = "{HS_TOKEN}"\n'
        f'[[community]]\nid = "tea-garden"\ncharter = "charter.toml"\nrooms = {json.dumps(ROOMS)}\n',
        "utf-8",
    )
    path.chmod(0o600)
    return path


async def pushed(address: str, events: list[Said], transaction: int) -> bool:
    """Push one transaction; whether it was acknowledged."""
    url = f"{address}/_matrix/app/v1/transactions/{transaction}"
    headers = {"Authorization": f"Bearer {HS_TOKEN}"}
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with (
            aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.put(url, json={"events": events}) as answer,
        ):
            return answer.status == 200
    return False


async def quiet(folder: Path, within: float = 15.0) -> None:
    """Wait until nothing waits in the outbox, and everybody is told."""
    async with asyncio.timeout(within):
        while True:
            db = sqlite3.connect(f"file:{folder / 'comity.sqlite'}?mode=ro", uri=True)
            waiting = db.execute("SELECT count(*) FROM action WHERE state = 'waiting'").fetchone()[0]
            db.close()
            if not waiting:
                return
            await asyncio.sleep(0.05)


def kept(folder: Path) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """What a store came to: findings, activity, decisions and hidden messages, without times and numbers of entries."""
    with SqliteStore.open(folder / "comity.sqlite", durable=False) as store:
        assert store.verify().whole
    db = sqlite3.connect(folder / "comity.sqlite")
    found = db.execute("SELECT event, member, clause, day, figures FROM entry WHERE kind = 1 ORDER BY event, clause")
    activity = db.execute("SELECT member, day, sum(messages) FROM entry WHERE kind = 2 GROUP BY 1, 2 ORDER BY 1, 2")
    decisions = db.execute("SELECT DISTINCT member, measure, clause_id FROM decision ORDER BY 1, 2, 3")
    hidden = db.execute(
        "SELECT DISTINCT json_extract(body, '$.event') FROM action WHERE json_extract(body, '$.do') = 'hide' ORDER BY 1"
    )
    result = found.fetchall(), activity.fetchall(), decisions.fetchall(), hidden.fetchall()
    db.close()
    return result


async def lived(folder: Path, fake: FakeHomeserver, said: list[Said], kills: Iterable[str], size: int = 10) -> Garden:
    """Push all of it, again and again until it is acknowledged; whenever the process is gone, start the next."""
    garden = Garden(fake, ROOMS, ["@olive:garden.example", "@dora:garden.example"], MEMBERS)
    path = settings(folder, fake.base_url, free_port())
    left = iter(kills)
    comity = Comity(path, next(left, ""))
    numbers = itertools.count(1)
    try:
        for start in range(0, len(said), size):
            while not await pushed(comity.address, said[start : start + size], next(numbers) % 3):
                if comity.process.poll() is not None:
                    comity = Comity(path, next(left, ""))
                await asyncio.sleep(0.03)
        while comity.process.poll() is None:
            with contextlib.suppress(TimeoutError, sqlite3.Error):
                await quiet(folder, 2.0)
                break
        if comity.process.poll() is not None:
            comity = await Comity(path).ready()
            await quiet(folder)
        await asyncio.sleep(1.2)
        await quiet(folder)
    finally:
        comity.stop()
    return garden


async def test_whatever_point_it_is_killed_at_the_same_is_kept_and_done(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Findings, activity and decisions are those of a process that nothing happened to, and no deed has two ids."""
    said = talk(7, 240)
    await lived(tmp_path / "whole", fake, said, [])
    whole = kept(tmp_path / "whole")
    chance = random.Random(11)
    kills = [
        KILL.format(passings=chance.randint(1, 4), owner=owner, name=name, before=before)
        for owner, name, before in chance.sample(POINTS[:-2], 6)
    ]
    garden = await lived(tmp_path / "killed", fake, said, kills)
    killed = kept(tmp_path / "killed")

    assert len(whole[0]) > 10
    assert whole[0] == killed[0]
    assert whole[1] == killed[1]
    assert {("mute",), ("hide",)} <= {(d[1],) for d in killed[2]}
    assert all(len(ids) == 1 for ids in garden.deeds.values())
    hidden = {event for (event,) in killed[3]}
    assert hidden == garden.redacted.keys()
    assert {row[0] for row in killed[0]} <= hidden


async def test_killed_within_a_dump_of_windows_it_finds_the_same(fake: FakeHomeserver, tmp_path: Path) -> None:
    """What a dump had kept or not, floods are counted on from where they were: no finding is lost, none is new."""
    said = talk(13, 240)
    await lived(tmp_path / "whole", fake, said, [], size=5)
    # A process that begins with a journal dumps at once: the second dump is one with new talk in it.
    kills = [
        OFTEN + KILL.format(passings=passings, owner=owner, name=name, before=before)
        for passings, (owner, name, before) in zip((2, 2, 3, 2), DUMPS, strict=True)
    ]
    left = iter([*kills, OFTEN])
    await lived(tmp_path / "killed", fake, said, left, size=5)
    assert [] == list(left), "a process outlived its point"
    whole, killed = kept(tmp_path / "whole"), kept(tmp_path / "killed")
    assert len(whole[0]) > 10
    assert whole[0] == killed[0]
    assert whole[1] == killed[1]


async def test_again_and_in_another_order_changes_nothing(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Transactions that come again under ids that begin anew, overlapping and mixed, are taken once each."""
    said = talk(9, 120)
    await lived(tmp_path / "once", fake, said, [])
    again = [*said[:60], *said[30:90], *reversed(said[:20]), *said[60:], *said]
    await lived(tmp_path / "again", fake, again, [], size=30)
    once, twice = kept(tmp_path / "once"), kept(tmp_path / "again")
    assert once[:2] == twice[:2]
    assert once[3] == twice[3]
