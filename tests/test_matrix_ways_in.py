"""Three ways in: pushed by the homeserver, polled from it, asked by it; what is acknowledged is kept."""

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from comity.adapters.matrix import antispam, appservice
from comity.adapters.matrix.client import Homeserver, HomeserverError, Json
from comity.adapters.matrix.invitations import answer, invitations
from comity.adapters.matrix.normalise import normalise
from comity.adapters.matrix.read_back import read_back
from comity.adapters.matrix.sync import Sync
from fake_homeserver import FakeHomeserver, babbles, says
from homeserver import ANTISPAM_TOKEN, HS_TOKEN, Synapse, free_port

pytestmark = pytest.mark.anyio
TRANSACTION = "/_matrix/app/v1/transactions/1"
TEA = {"event_id": "$1", "type": "m.room.message", "content": {"body": "tea"}}


class Kept:
    """A handler that keeps what it is given, once for each event id, as a store does."""

    def __init__(self) -> None:
        self.events: dict[str, Json] = {}
        self.since: list[str] = []
        self.came = asyncio.Event()
        self.broken = 0

    async def __call__(self, events: list[Json], since: str = "", /) -> None:
        """Keep them; or fail, as often as ``broken`` says."""
        if self.broken:
            self.broken -= 1
            raise OSError("the disk is full")
        self.events.update({str(event["event_id"]): event for event in events})
        self.since.append(since)
        self.came.set()

    @property
    def texts(self) -> list[str]:
        """What messages said, in order."""
        messages: list[Any] = [e["content"] for e in self.events.values() if e["type"] == "m.room.message"]
        return [content["body"] for content in messages if content]

    async def until(self, done: Callable[[], bool], within: float = 20.0) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(within):
            while not done():
                self.came.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.came.wait(), 0.05)


@contextlib.asynccontextmanager
async def serving(routes: Sequence[BaseRoute], port: int = 0) -> AsyncIterator[str]:
    """Serve routes on loopback; their address."""
    port = port or free_port()
    config = uvicorn.Config(Starlette(routes=routes), port=port, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())  # without taking the signals of the test's process
    try:
        async with asyncio.timeout(5):
            while not server.started:  # noqa: ASYNC110 - uvicorn tells it by nothing else
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


async def put(url: str, body: bytes, token: str = HS_TOKEN, *, query: str = "") -> tuple[int, Any]:
    """One transaction as a homeserver would send it; status and answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession() as session, session.put(url + query, data=body, headers=headers) as answered:
        return answered.status, await answered.json(content_type=None) if answered.status != 500 else None


def transaction(*events: object) -> bytes:
    """The body of a transaction."""
    return json.dumps({"events": events}).encode()


async def send(who: Homeserver, room: str, *texts: str, start: int = 0) -> list[str]:
    """Write messages; their ids."""
    return [
        await who.send(room, "m.room.message", {"msgtype": "m.text", "body": text}, f"{room[1:9]}-{start + n}")
        for n, text in enumerate(texts)
    ]


# Pushed


async def test_a_transaction_is_acknowledged_when_it_is_kept() -> None:
    """While the handler fails the answer is 500, and the same comes again; afterwards it is 200."""
    kept = Kept()
    kept.broken = 1
    async with serving(appservice.routes(HS_TOKEN, kept)) as url:
        first, _ = await put(url + TRANSACTION, transaction(TEA))
        assert {} == kept.events
        second = await put(url + TRANSACTION, transaction(TEA))

    assert (500, (200, {})) == (first, second)
    assert ["tea"] == kept.texts


async def test_transaction_ids_are_no_keys() -> None:
    """Pitfall 1: a homeserver that begins to count again loses nothing: another event under the same id is handled."""
    kept = Kept()
    async with serving(appservice.routes(HS_TOKEN, kept)) as url:
        await put(url + TRANSACTION, transaction(TEA))
        await put(url + TRANSACTION, transaction({**TEA, "event_id": "$2", "content": {"body": "milk"}}))

    assert ["tea", "milk"] == kept.texts


async def test_transactions_are_kept_one_after_the_other() -> None:
    """A homeserver that loses patience and sends again does not get two at a time into the handler."""
    inside, most = 0, 0

    async def handler(_events: list[Json], _since: str = "") -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.02)
        inside -= 1

    async with serving(appservice.routes(HS_TOKEN, handler)) as url:
        await asyncio.gather(*(put(url + TRANSACTION, transaction(TEA)) for _ in range(4)))

    assert 1 == most


@pytest.mark.parametrize("path", [TRANSACTION, "/transactions/1", "/_matrix/app/v1/transactions/a%2Fb"])
async def test_old_paths_and_old_tokens_work(path: str) -> None:
    """The path without a prefix and the token in the query, as homeservers used to."""
    kept = Kept()
    async with serving(appservice.routes(HS_TOKEN, kept)) as url:
        assert (200, {}) == await put(url + path, transaction(TEA), "", query=f"?access_token={HS_TOKEN}")

    assert ["tea"] == kept.texts


@pytest.mark.parametrize(
    ("body", "token", "status", "errcode"),
    [
        (transaction(TEA), "wrong", 403, "M_FORBIDDEN"),
        (transaction(TEA), "", 403, "M_FORBIDDEN"),
        (b'{"events": [', HS_TOKEN, 400, "M_NOT_JSON"),
        (b"[]", HS_TOKEN, 400, "M_NOT_JSON"),
        (b'{"events": {}}', HS_TOKEN, 400, "M_NOT_JSON"),
        (b"\xff\xfe", HS_TOKEN, 400, "M_NOT_JSON"),
        (b"[" * 1500, HS_TOKEN, 400, "M_NOT_JSON"),
        (b" " * 2049, HS_TOKEN, 413, "M_TOO_LARGE"),
    ],
)
async def test_what_is_no_transaction_is_refused_and_said_why(
    body: bytes, token: str, status: int, errcode: str
) -> None:
    """A wrong token, no JSON, and too much of it; nothing of it reaches the handler."""
    kept = Kept()
    async with serving(appservice.routes(HS_TOKEN, kept, most_bytes=2048)) as url:
        found = await put(url + TRANSACTION, body, token)

    assert (status, errcode) == (found[0], found[1]["errcode"])
    assert [] == kept.since


async def test_one_odd_event_does_not_hold_up_the_rest() -> None:
    """Pitfall 18: half a surrogate pair, a number without end, something that is no event: the rest is kept."""
    kept: list[Json] = []

    async def handler(events: list[Json], _since: str = "") -> None:
        kept.extend(events)

    half, endless = b'{"event_id": "$1", "content": {"body": "\\ud800"}}', b'{"event_id": "$2", "content": {"n": NaN}}'
    odd = b'{"events": [' + b", ".join([half, b"7", endless]) + b"]}"
    async with serving(appservice.routes(HS_TOKEN, handler)) as url:
        assert (200, {}) == await put(url + TRANSACTION, odd)

    assert ["$1", None, "$2"] == [event.get("event_id") for event in kept]
    assert json.dumps(kept[0], ensure_ascii=False).encode()


async def test_accounts_and_rooms_are_not_made_on_request() -> None:
    """Whoever asks for an account or alias of ours is told there is none, and ping is answered."""
    headers = {"Authorization": f"Bearer {HS_TOKEN}"}
    async with (
        serving(appservice.routes(HS_TOKEN, Kept())) as url,
        aiohttp.ClientSession(url, headers=headers) as session,
    ):
        for path in ("users/@comity_a:garden.example", "rooms/%23tea:garden.example"):
            async with session.get(f"/_matrix/app/v1/{path}") as answered:
                assert 404 == answered.status
        async with session.post("/_matrix/app/v1/ping", json={"transaction_id": "1"}) as answered:
            assert (200, {}) == (answered.status, await answered.json())


def test_the_registration_is_for_its_owner_only(tmp_path: Path) -> None:
    """It holds both tokens, so nobody else may read it; and one that is there is not written over."""
    path = tmp_path / "comity.yaml"
    registration = appservice.Registration(server="a.example", url="http://c:1", as_token="a", hs_token="h")  # noqa: S106
    registration.write(path)

    assert 0o600 == path.stat().st_mode & 0o777
    assert 'regex: "@comity(_.*)?:a\\\\.example"' in path.read_text("utf-8")
    with pytest.raises(FileExistsError):
        registration.write(path)


async def test_synapse_pushes_and_what_waited_comes_with_a_ping(synapse: Synapse) -> None:
    """Pitfalls 1 and 2: what was written while we were away, over a restart of the homeserver, is all there at once.

    Also what was redacted before we saw it (pitfall 9): it comes without content, and is kept apart.
    """
    kept = Kept()
    routes = appservice.routes(HS_TOKEN, kept)
    async with synapse.as_comity() as bot, synapse.member() as ana:
        await bot.register_bot("comity")
        room = await ana.create_room(preset="public_chat", invite=[synapse.bot])
        async with serving(routes, synapse.push_port):
            await bot.ping("comity")
            await kept.until(lambda: bool(invitations(kept.events.values(), synapse.bot)))
            assert [room] == await answer(bot, invitations(kept.events.values(), synapse.bot), lambda _who: True)
            await send(ana, room, "here")
            await kept.until(lambda: "here" in kept.texts)
        texts = [f"away {n}" for n in range(20)]
        sent = await send(ana, room, *texts, start=1)
        await ana.redact(room, sent[3], "changed-my-mind")
        await asyncio.sleep(1.0)  # what Synapse has taken on but not queued in its database is lost with its process
        await asyncio.to_thread(synapse.restart)
        await send(ana, room, "after", start=50)
        async with serving(routes, synapse.push_port):
            await bot.ping("comity", "1")
            await kept.until(lambda: "after" in kept.texts)
        async with serving(routes, synapse.push_port):
            await send(ana, room, "later", start=60)
            await bot.ping("comity", "2")
            await kept.until(lambda: "later" in kept.texts)

    done = normalise(kept.events.values(), {room: "Tea garden"}, dt.datetime.now(dt.UTC))
    messages = [event.text for event in done.events if event.kind == "message"]
    assert ["here", *(t for t in texts if t != "away 3"), "after", "later"] == messages
    assert [sent[3]] == [event.id for event in done.gone]
    assert [sent[3]] == [event.target for event in done.events if event.kind == "redaction"]
    assert [] == done.unread


async def test_what_was_redacted_can_be_fetched_with_an_administrators_token(synapse: Synapse) -> None:
    """Pitfall 8: redaction is not erasure; for some days the homeserver still has what was said."""
    async with synapse.member() as ana, synapse.member(admin=True) as admin:
        room = await ana.create_room(preset="public_chat")
        (event,) = await send(ana, room, "tea")
        await ana.redact(room, event, "r")

        found: Any = await admin.fetch_event(event)
        assert "tea" == found["content"]["body"]
        with pytest.raises(HomeserverError, match="M_FORBIDDEN"):
            await ana.fetch_event(event)


# Polled


async def test_a_gap_of_sixty_messages_is_read_back_whole(synapse: Synapse) -> None:
    """What was written while the bot was away comes in order and once, more than a poll has, over a restart of ours."""
    kept = Kept()
    async with synapse.member() as bot, synapse.member() as ana, synapse.member() as stranger:
        account = await bot.account()
        room = await ana.create_room(preset="public_chat", invite=[account])
        await send(ana, room, "before we came")
        unwanted = await stranger.create_room(preset="private_chat", invite=[account])
        friend = await ana.account()
        first = Sync(bot, kept, allowed=lambda who: who == friend, poll=2.0)
        await first.step()
        assert [room] == await bot.joined_rooms()
        assert "leave" == await stranger.membership(unwanted, account)
        await send(ana, room, "hello", start=1)
        while "hello" not in kept.texts:
            await first.step()
        since = kept.since[-1]
        texts = [f"message {n}" for n in range(60)]
        await send(ana, room, *texts, start=10)

        second = Sync(bot, kept, since, allowed=lambda _who: False, poll=2.0, page=7)
        await second.step()

    assert ["hello", *texts] == kept.texts
    assert since != kept.since[-1]


async def test_what_never_came_is_read_back(synapse: Synapse) -> None:
    """Pitfall 17: reading back gives a room's events in order, from where they were seen, or from where we came in."""
    async with synapse.member() as bot, synapse.member() as ana:
        room = await ana.create_room(preset="public_chat")
        await send(ana, room, "before we came")
        await bot.join(room)
        sent = await send(ana, room, "one", "two", "three", start=1)

        everything = await read_back(bot, room, page=2)
        rest = await read_back(bot, room, seen=lambda event: event == sent[0])
        last = await read_back(bot, room, most=1)

    assert ["m.room.member", *["m.room.message"] * 3] == [event["type"] for event in everything.events]
    assert (sent, True) == ([event["event_id"] for event in everything.events[1:]], everything.whole)
    assert (sent[1:], True) == ([event["event_id"] for event in rest.events], rest.whole)
    assert (sent[2:], False) == ([event["event_id"] for event in last.events], last.whole)


async def test_since_moves_on_only_with_what_was_kept(synapse: Synapse) -> None:
    """When keeping fails, the same comes again."""
    kept = Kept()
    async with synapse.member() as ana:
        room = await ana.create_room(preset="public_chat")
        sync = Sync(ana, kept, allowed=lambda _who: False, poll=2.0)
        await sync.step()
        since = sync.since
        await send(ana, room, "tea")
        kept.broken = 1
        with pytest.raises(OSError, match="disk"):
            await sync.step()
        assert since == sync.since
        await sync.step()

    assert ["tea"] == kept.texts
    assert [since, sync.since] == kept.since


async def test_polling_survives_a_homeserver_that_does_not_answer(
    fake: FakeHomeserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors, nonsense and limits are waited out and noted; a token that is refused is told to a person."""
    noted: list[str] = []

    async def note(problem: str) -> None:
        noted.append(problem)

    message = {**TEA, "sender": "@a:b", "origin_server_ts": 1}
    fake.answers = [
        says({"errcode": "M_UNKNOWN"}, 500),
        babbles(b"<html>", 502),
        says({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 10}, 429),
        says({"next_batch": "2", "rooms": {"join": {"!r": {"timeline": {"events": [message]}}}}}),
        says({"errcode": "M_UNKNOWN_TOKEN"}, 401),
    ]
    kept = Kept()
    real = asyncio.sleep

    async def nap(seconds: float) -> None:
        await real(min(seconds, 0.01))

    async with Homeserver(fake.base_url, "t", account="@comity:b") as homeserver:
        sync = Sync(homeserver, kept, "1", allowed=lambda _who: False, noted=note)
        monkeypatch.setattr("comity.adapters.matrix.sync.asyncio.sleep", nap)
        with pytest.raises(HomeserverError, match="M_UNKNOWN_TOKEN"):
            await sync.run()

    assert 3 == len(noted)
    assert (["tea"], ["2"]) == (kept.texts, kept.since)
    assert ["1", "1", "1", "1", "2"] == [asked.query["since"] for asked in fake.asked]


# Asked


@contextlib.asynccontextmanager
async def asked(
    synapse: Synapse,
    verdict: Callable[[antispam.Asked], Awaitable[str]],
    failures: list[str],
    **options: Any,  # noqa: ANN401
) -> AsyncIterator[None]:
    """Serve what Synapse's module asks."""
    routes = antispam.routes(ANTISPAM_TOKEN, verdict, failed=failures.append, **options)
    async with serving(routes, synapse.antispam_port):
        yield


async def test_a_held_message_is_seen_by_nobody_and_its_sender_reads_why(asking_synapse: Synapse) -> None:
    """The sentence of the statement is the homeserver's answer, the room never sees the message, and others pass."""
    sentence = "Held by clause 1, scam links: see your standing."
    seen: list[antispam.Asked] = []

    async def verdict(one: antispam.Asked) -> str:
        seen.append(one)
        text = (one.event or {}).get("content")
        return sentence if isinstance(text, dict) and text.get("body") == "scam" else ""

    failures: list[str] = []
    async with asking_synapse.member() as ana, asking_synapse.member() as bo:
        room = await ana.create_room(preset="public_chat")
        async with asked(asking_synapse, verdict, failures):
            await bo.join(room)
            await send(bo, room, "tea")
            with pytest.raises(HomeserverError) as caught:
                await send(bo, room, "scam", start=1)
        chunk, _end = await ana.messages(room, "", limit=20)
        bo_id = await bo.account()

    assert (403, "M_FORBIDDEN", sentence) == (caught.value.status, caught.value.errcode, caught.value.error)
    texts: list[Any] = [event["content"] for event in chunk if event["type"] == "m.room.message"]
    assert ["tea"] == [content["body"] for content in texts]
    assert ("user_may_join_room", bo_id, room) in [(one.callback, one.account, one.room) for one in seen]
    assert ("check_event_for_spam", bo_id, room) in [(one.callback, one.account, one.room) for one in seen]
    assert [] == failures


async def test_nobody_is_held_by_a_fault_of_ours(asking_synapse: Synapse) -> None:
    """Pitfall 14: too slow, broken, or not there at all: the message is sent."""
    failures: list[str] = []

    async def slow(_one: antispam.Asked) -> str:
        await asyncio.sleep(5)
        return "never"

    async def broken(_one: antispam.Asked) -> str:
        raise ZeroDivisionError

    async with asking_synapse.member() as ana:
        room = await ana.create_room(preset="public_chat")
        async with asked(asking_synapse, slow, failures, deadline=0.05):
            await send(ana, room, "tea")
        async with asked(asking_synapse, broken, failures):
            await send(ana, room, "milk", start=1)
        await send(ana, room, "sugar", start=2)
        chunk, _end = await ana.messages(room, "", limit=20)

    assert 3 == sum(event["type"] == "m.room.message" for event in chunk)
    assert {"too slow", "ZeroDivisionError"} == set(failures)


async def test_strangers_and_nonsense_get_no_verdict() -> None:
    """A wrong token or a body that is none is let through unasked; only ping says that the token is wrong."""
    failures: list[str] = []

    async def verdict(_one: antispam.Asked) -> str:
        return "held"

    routes = antispam.routes("right", verdict, failed=failures.append)
    async with serving(routes) as url, aiohttp.ClientSession(url) as session:
        for token, text in (("wrong", b"{}"), ("right", b"[]"), ("right", b"{"), ("right", b'{"event": 7}')):
            headers = {"Authorization": f"Bearer {token}"}
            async with session.post("/antispam/check_event_for_spam", data=text, headers=headers) as answered:
                assert 200 == answered.status
        for token, status in (("wrong", 403), ("right", 200)):
            headers = {"Authorization": f"Bearer {token}"}
            async with session.post("/antispam/ping", json={"id": "x"}, headers=headers) as answered:
                assert status == answered.status
                body = await answered.json()
        assert {"id": "x", "status": "ok"} == body

    assert ["wrong token", "unreadable", "unreadable", "unreadable"] == failures
