"""Looking after the record while Comity serves: beside a writer, never twice at once, and told by metrics."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from comity.cli.record_options import begin_rooms
from comity.cli.tending import Tender
from comity.core.event import Event, moment, rfc3339
from comity.core.retention import DAY
from comity.live.logs import configure
from comity.live.metrics import Metrics
from comity.settings_file import load_settings
from comity.stores.opening import open_store
from comity.stores.record.keys import keeper, new_key_file
from comity.stores.record.places import place
from comity.stores.record.reading import Query, Reading
from comity.stores.record.record import Record
from comity.stores.record.verify import verify
from commanding import run, started
from fake_homeserver import FakeHomeserver
from homeserver import free_port
from office_kit import MEMBERS, RECORD, House, house
from postgres_server import PostgresServer
from test_runner_kill import ROOMS, settings
from test_serve import RUNNER

pytestmark = pytest.mark.anyio


def spoken(live: House, count: int, days: int) -> None:
    """Record messages of so many days ago, as turns of ten."""
    record = Record.open(live.store.record, place(str(folder_of(live))), keeper(f"file:{folder_of(live)}.key"), 0)
    at = live.now() - days * DAY
    for start in range(0, count, 10):
        with live.store.write():
            record.append([
                Event(
                    id=f"$old-{days}-{n}", at=rfc3339(moment(at + n)), kind="message", community="tea-garden",
                    room=ROOMS[0], member=MEMBERS[n % 5], text=f"cup {n}",
                )
                for n in range(start, start + 10)
            ])  # fmt: skip


def folder_of(live: House) -> Path:
    """Where the record lies."""
    return live.store.path.with_name("record")


def figure(metrics: Metrics, name: str, **labels: str) -> float:
    """A metric's value, 0 if it has none."""
    return metrics.registry.get_sample_value(name, labels) or 0.0


def is_there(pid: int) -> bool:
    """Whether a process is."""
    return Path(f"/proc/{pid}").exists()


async def test_it_is_looked_after_beside_a_writer(fake: FakeHomeserver, tmp_path: Path) -> None:
    """While members go on talking, what is complete is sealed and what is over destroyed; nothing else is missing."""
    metrics = Metrics()
    async with house(tmp_path, fake, recorded=True) as live:
        spoken(live, 300, days=200)
        spoken(live, 100, days=20)
        tender = Tender(tmp_path / "comity.toml", metrics, configure(level="critical", strict=True))
        tended, said = asyncio.create_task(tender.once()), list[str]()
        while not tended.done():
            said += await live.say(MEMBERS[0], "milk first", "then the tea")
            await asyncio.sleep(0.01)
        assert tended.result()
        said += await live.say(MEMBERS[0], "and no sugar")
        record = Record.open(live.store.record, place(str(folder_of(live))), keeper(f"file:{tmp_path}/record.key"), 0)
        found = [e.id for e in Reading(record.parts, live.now()).find(Query(community="tea-garden"))]
        whole = verify(record.parts, deep=True)

    assert whole.faults == ()
    assert whole.segments > 0
    assert [*(f"$old-20-{n}" for n in range(100)), *said] == found
    assert 300 == figure(metrics, "comity_record_gone_total", why="term")
    assert 100 <= figure(metrics, "comity_record_events") <= len(found)
    assert figure(metrics, "comity_record_bytes") > 0
    assert figure(metrics, "comity_record_tended_timestamp_seconds") > live.now() / 1000 - 60


async def test_nobody_looks_after_it_twice_at_once(fake: FakeHomeserver, tmp_path: Path) -> None:
    """The second is told by whom, and counted; it works again once the first is done."""
    metrics = Metrics()
    async with house(tmp_path, fake, recorded=True) as live:
        tender = Tender(tmp_path / "comity.toml", metrics, configure(level="critical", strict=True))
        with open_store(live.store.path, durable=False, beside=True):
            refused = run("record", "tend", "--settings", tmp_path / "comity.toml")
            assert not await tender.once()
        assert await tender.once()

    assert "is being looked after by process" in refused.stderr
    assert 1 == figure(metrics, "comity_record_tend_failures_total")


def test_a_database_has_that_lock_too(postgres: PostgresServer) -> None:
    """Beside a writer there is room for one who looks after the record, and no more."""
    address = postgres.database()
    with open_store(address, durable=False), open_store(address, durable=False, beside=True):
        done = run("record", "tend", "--store", address, "--key", "env:NOTHING")
        assert "the environment has no NOTHING" in done.stderr
        with pytest.raises(Exception, match=r"is being looked after by process \d+"):
            open_store(address, durable=False, beside=True)
    postgres.drop(address)


async def test_what_takes_too_long_is_ended(
    fake: FakeHomeserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is gone then, and so it is when Comity ends."""
    (tmp_path / "slow").write_text("#!/bin/sh\necho $$ > pid\nexec sleep 60\n")
    (tmp_path / "slow").chmod(0o700)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "slow"))
    metrics, log = Metrics(), configure(level="critical", strict=True)
    assert fake.base_url

    assert not await Tender(tmp_path / "comity.toml", metrics, log, longest=0.5).once()
    assert 1 == figure(metrics, "comity_record_tend_failures_total")
    ended = [int((tmp_path / "pid").read_text())]
    running = asyncio.create_task(Tender(tmp_path / "comity.toml", metrics, log).run())
    while (tmp_path / "pid").read_text() in {"", f"{ended[0]}\n"}:  # noqa: ASYNC110 - another process tells
        await asyncio.sleep(0.02)
    ended.append(int((tmp_path / "pid").read_text()))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [] == [pid for pid in ended if is_there(pid)]


def test_serving_looks_after_it_by_itself(tmp_path: Path) -> None:
    """Where settings ask for a record, soon after the start; the log says what was done."""
    path = settings(tmp_path, "http://127.0.0.1:9", free_port())
    new_key_file(tmp_path / "record.key")
    path.write_text(path.read_text() + RECORD)
    loaded = load_settings(path)
    with open_store(loaded.store, durable=False) as store:
        begin_rooms(loaded, store)
    done = {}
    with started("serve", "--settings", path, before="HOW = 'well'" + RUNNER) as process:
        assert process.stderr
        for line in process.stderr:
            told = json.loads(line)
            if "looked after" in told["event"]:
                done = told
                process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

    assert "the record was looked after" == done["event"]
    assert 0 == done["sealed"]
