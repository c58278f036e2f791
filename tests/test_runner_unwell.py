"""A homeserver that is down, slow, too busy or talks nonsense: nothing is lost, and one room holds up no other."""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from comity.charter_file import parse_charter
from comity.core.action import Action, Do
from comity.core.carried import Carried
from comity.live.logs import configure
from comity.live.metrics import Metrics
from comity.runner import Runner
from comity.runner import outbox as runner_outbox
from comity.runner import service as runner_service
from comity.settings_file import load_settings
from comity.stores import sql_outbox
from comity.stores.decisions_contract import Waits
from comity.stores.sqlite import SqliteStore
from fake_garden import Garden, message, slowly
from fake_homeserver import Asked, FakeHomeserver, babbles, says
from homeserver import AS_TOKEN, HS_TOKEN
from running import CHARTER, SCAM
from test_runner_kill import MEMBERS, ROOMS, settings

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def running(folder: Path, fake: FakeHomeserver) -> AsyncIterator[tuple[Runner, SqliteStore]]:
    """A runner in this process, beside a false homeserver."""
    async with started(folder, settings(folder, fake.base_url, 1)) as found:
        yield found


@contextlib.asynccontextmanager
async def started(folder: Path, path: Path) -> AsyncIterator[tuple[Runner, SqliteStore]]:
    """A runner in this process, by its settings."""
    log = configure(level="critical", strict=True)
    with SqliteStore.open(folder / "comity.sqlite", durable=False) as store:
        charters = {"tea-garden": parse_charter(CHARTER, "charter.toml")}
        runner = Runner(settings=load_settings(path), charters=charters, store=store, metrics=Metrics(), log=log)
        await runner.start()
        try:
            yield runner, store
        finally:
            await runner.stop()


async def soon(done: Callable[[], bool], within: float = 10.0) -> None:
    """Wait until a call says so."""
    async with asyncio.timeout(within):
        while not done():  # noqa: ASYNC110 - what is waited for is in a store
            await asyncio.sleep(0.02)


def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


def garden(fake: FakeHomeserver) -> Garden:
    """Two rooms with a manager each."""
    return Garden(fake, ROOMS, ["@olive:garden.example", "@dora:garden.example"], MEMBERS)


async def test_a_poisoned_room_holds_up_no_other(fake: FakeHomeserver, tmp_path: Path) -> None:
    """While everything fails in one room, messages of the other go; when it is well again, its own go too."""
    well = garden(fake)

    def sick(asked: Asked) -> Awaitable[web.StreamResponse] | None:
        bad = ROOMS[0] in asked.words and ("redact" in asked.words or asked.method == "PUT")
        return says({"errcode": "M_UNKNOWN", "error": "broken"}, 500)(asked) if bad else None

    async with running(tmp_path, fake) as (runner, store):
        await soon(lambda: not runner.ready())
        well.sick = sick
        await runner.take(
            [message(1, ROOMS[0], MEMBERS[0], SCAM, now()), message(2, ROOMS[1], MEMBERS[1], SCAM, now())]
        )
        await soon(lambda: "$event-2" in well.redacted)
        assert "$event-1" not in well.redacted
        well.sick = lambda _asked: None
        await soon(lambda: "$event-1" in well.redacted and not store.decisions.waiting()[0])


@pytest.mark.parametrize("how", ["429", "500", "nonsense", "slow"])
async def test_what_fails_comes_again_and_is_done_once(
    fake: FakeHomeserver, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the homeserver answers at first, in the end each deed is done, under one transaction id."""
    monkeypatch.setattr(sql_outbox, "_FIRST_PAUSE", 50)
    well, left = garden(fake), 6

    def sick(asked: Asked) -> Awaitable[web.StreamResponse] | None:
        nonlocal left
        if asked.method == "GET" or left <= 0:
            return None
        left -= 1
        match how:
            case "429":
                return says({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 50}, 429)(asked)
            case "500":
                return says({"errcode": "M_UNKNOWN", "error": "broken"}, 500)(asked)
            case "slow":
                return slowly(0.2)
        return babbles(b"<html>a proxy")(asked)

    async with running(tmp_path, fake) as (runner, store):
        await soon(lambda: not runner.ready())
        well.sick = sick
        await runner.take([message(1, ROOMS[0], MEMBERS[0], SCAM, now())])
        await soon(lambda: not left and "$event-1" in well.redacted and bool(well.sent))
        await soon(lambda: not store.decisions.waiting()[0])
    assert all(len(ids) == 1 for ids in well.deeds.values())
    assert 1 == len(well.sent)


async def test_what_was_given_up_is_tried_again_when_the_homeserver_is_back(
    fake: FakeHomeserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mute and a hidden message, given up, come after the first thing that works; what ended meanwhile does not."""
    monkeypatch.setattr(sql_outbox, "_FIRST_PAUSE", 10)
    monkeypatch.setattr(sql_outbox, "MOST_TRIES", 2)
    monkeypatch.setattr(runner_outbox, "REVIVE_EVERY", 0)
    well = garden(fake)

    def sick(asked: Asked) -> Awaitable[web.StreamResponse] | None:
        return says({"errcode": "M_UNKNOWN", "error": "down"}, 502)(asked)

    async with running(tmp_path, fake) as (runner, store):
        await soon(lambda: not runner.ready())
        well.sick = sick
        await runner.take(
            [message(1, ROOMS[0], MEMBERS[0], SCAM, now()), message(2, ROOMS[0], MEMBERS[1], SCAM, now())]
        )
        await soon(lambda: not store.decisions.waiting()[0])
        assert store.decisions.queued(Waits.GIVEN_UP)
        over = next(d for d in store.decisions.decisions() if d.measure == "mute")
        store.decisions.end(over.number, over.until or 0, Carried())
        well.sick = lambda _asked: None
        hello = Action(id="hello", do=Do.SAY, room=ROOMS[1], text="hello")
        store.decisions.queue([hello], at=now())
        runner._outbox.add([hello])
        await soon(lambda: {"$event-1", "$event-2"} <= well.redacted.keys() and not store.decisions.waiting()[0])
        muted = {account for account, level in well.levels[ROOMS[0]]["users"].items() if level == -1}
    assert muted == {MEMBERS[0], MEMBERS[1]} - {_account(tmp_path, over.member)}


async def test_it_starts_while_the_homeserver_is_down_and_takes_nothing_until_it_knows_the_rooms(
    fake: FakeHomeserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is pushed before is not acknowledged; then the rooms are known, and it is taken."""
    monkeypatch.setattr(runner_service, "FIRST_WAIT", 0.1)
    well = garden(fake)
    well.sick = says({"errcode": "M_UNKNOWN", "error": "down"}, 502)
    scam = [message(1, ROOMS[0], MEMBERS[0], SCAM, now())]
    async with running(tmp_path, fake) as (runner, store):
        with pytest.raises(TimeoutError):
            await runner.take(scam)
        assert runner.ready()
        assert 0 == store.decisions.last()
        well.sick = lambda _asked: None
        await soon(lambda: not runner.ready())
        await runner.take(scam)
        await soon(lambda: "$event-1" in well.redacted)


async def test_a_turn_that_fails_is_taken_again_and_counts_once(
    fake: FakeHomeserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full in the middle of a turn: nothing of it is kept, and the same events find the same afterwards."""
    garden(fake)
    at = now() - 600_000
    flood = [message(n, ROOMS[0], MEMBERS[0], f"tea {n}", at + n) for n in range(6)]
    async with running(tmp_path, fake) as (runner, store):
        await soon(lambda: not runner.ready())
        await runner.take(flood[:2])
        with monkeypatch.context() as broken:

            def full(*_: object, **__: object) -> None:
                raise OSError(28, "No space left on device")

            broken.setattr(store.journal, "add", full)
            with pytest.raises(OSError, match="No space"):
                await runner.take(flood[2:])
        assert 0 == store.counts().findings
        await runner.take(flood[2:])
        assert ["$event-3", "$event-4", "$event-5"] == [f.event for f in store.findings(1)]
        runner._turns.settle()
        assert 6 == store.in_force()[0].messages.sum()
        assert 6 == sum(runner._realms["tea-garden"].counting.activity(1).values())


async def test_measures_end_and_what_they_took_comes_back(fake: FakeHomeserver, tmp_path: Path) -> None:
    """When the time of a mute is over, the level is what it was, whoever looks at the clock first."""
    well = garden(fake)
    async with running(tmp_path, fake) as (runner, store):
        await soon(lambda: not runner.ready())
        before = {room: dict(levels["users"]) for room, levels in well.levels.items()}
        await runner.take([message(1, ROOMS[0], MEMBERS[0], SCAM, now())])
        await soon(lambda: all(levels["users"].get(MEMBERS[0]) == -1 for levels in well.levels.values()))
        later = now() + int(dt.timedelta(hours=73).total_seconds() * 1000)
        runner._outbox.now = lambda: later
        assert runner._clock.end_all(later) > 0
        await soon(lambda: before == {room: levels["users"] for room, levels in well.levels.items()})
        assert [] == store.decisions.in_force(later)
        assert {} == runner._realms["tea-garden"].in_force


def _account(folder: Path, member: int) -> str:
    with SqliteStore.open(folder / "comity.sqlite", durable=False) as store:
        row = store.member(member)
        assert row
        return row.account or ""


async def test_over_sync_it_is_ready_while_it_reads(
    fake: FakeHomeserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before the first answer, for what was said until then is not read; nor while its token is refused."""
    monkeypatch.setattr(runner_service, "LONGEST_PAUSE", 0.05)
    well, first, refused, polls = garden(fake), asyncio.Event(), False, 0

    async def polled() -> web.StreamResponse:
        nonlocal polls
        await first.wait()
        await asyncio.sleep(0.02)
        polls += 1
        if refused:
            return web.json_response({"errcode": "M_UNKNOWN_TOKEN", "error": "who?"}, status=401)
        return web.json_response({"next_batch": f"s{polls}"})

    well.sick = lambda asked: polled() if asked.words[-1:] == ["sync"] else None
    path = settings(tmp_path, fake.base_url, 1)
    text = path.read_text("utf-8").replace(
        f'as_token = "{AS_TOKEN}"\nhs_token = "{HS_TOKEN}"\n', 'access_token = "a"\n'
    )
    path.write_text(text.replace("[matrix]\n", '[matrix]\nmode = "sync"\n'), "utf-8")
    async with started(tmp_path, path) as (runner, _store):
        await soon(lambda: any(asked.words[-1:] == ["sync"] for asked in fake.asked))
        assert runner.ready()
        first.set()
        await soon(lambda: not runner.ready())
        refused = True
        await soon(lambda: any("refuses our token" in why for why in runner.ready()))
        refused = False
        await soon(lambda: not runner.ready())
