"""The client of a homeserver: what goes over the wire, and errors that say whether trying again helps."""

from collections.abc import AsyncIterator

import pytest

from comity.adapters.matrix.client import Homeserver, HomeserverError
from fake_homeserver import Answer, FakeHomeserver, babbles, hangs, hangs_up, says
from homeserver import Synapse

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(fake: FakeHomeserver) -> AsyncIterator[Homeserver]:
    """A client of the false homeserver, impatient."""
    async with Homeserver(fake.base_url, "token", account="@comity:garden.example", patience=0.3) as homeserver:
        yield homeserver


async def test_ids_survive_the_way(fake: FakeHomeserver, client: Homeserver) -> None:
    """Room ids without a domain and event ids with a slash or plus stay one segment each, and arrive as they were."""
    fake.answers = [says({"event_id": "$r"})]

    await client.redact("!WI81dT-a", "$a/b+c%d?é", "txn", "off topic")

    (asked,) = fake.asked
    assert ["rooms", "!WI81dT-a", "redact", "$a/b+c%d?é", "txn"] == asked.words[3:]
    assert "/$" not in asked.path
    assert {"reason": "off topic"} == asked.body


async def test_an_application_service_acts_as_its_account(fake: FakeHomeserver) -> None:
    """The account to act as goes with every request, encoded."""
    async with Homeserver(fake.base_url, "token", as_user="@comity_tea+1:garden.example") as homeserver:
        await homeserver.put_account_data("m.direct", {})

    assert {"user_id": "@comity_tea+1:garden.example"} == fake.asked[0].query


@pytest.mark.parametrize(
    ("answer", "status", "again"),
    [
        (says({"errcode": "M_FORBIDDEN", "error": "no"}, 403), 403, False),
        (says({"errcode": "M_NOT_FOUND"}, 404), 404, False),
        (says({"errcode": "M_TOO_LARGE"}, 413), 413, False),
        (says({"errcode": "M_UNKNOWN_TOKEN"}, 401), 401, True),
        (says({"errcode": "M_LIMIT_EXCEEDED"}, 429), 429, True),
        (babbles(b"slow down", 429), 429, True),
        (says({"errcode": "M_UNKNOWN"}, 500), 500, True),
        (babbles(b"<html>Bad Gateway", 502), 502, True),
        (babbles(b"<html>Not Found", 404), 0, True),
        (babbles(b"[1, 2]"), 0, True),
        (babbles(b'{"half": '), 0, True),
        (babbles(b""), 0, True),
        (says({"event_id": 7}), 0, True),
        (says({}, 302, Location="http://127.0.0.1:1/"), 0, True),
        (hangs(), 0, True),
        (hangs_up(), 0, True),
    ],
)
async def test_an_error_says_whether_trying_again_helps(
    fake: FakeHomeserver, client: Homeserver, answer: Answer, status: int, *, again: bool
) -> None:
    """Refusals are final; limits, faults, silence, and answers that are not a homeserver's own pass."""
    fake.answers = [answer]

    with pytest.raises(HomeserverError) as caught:
        await client.send("!room", "m.room.message", {"body": "tea"}, "txn")

    assert (status, again) == (caught.value.status, caught.value.again)


async def test_a_limit_says_how_long(fake: FakeHomeserver, client: Homeserver) -> None:
    """The wait is read from the header, else from the older field; what is no number is no wait."""
    limited = {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 4500}
    fake.answers = [says(limited, 429, Retry_After="7"), says(limited, 429), says({"retry_after_ms": "soon"}, 429)]
    waits = []
    for _ in range(3):
        with pytest.raises(HomeserverError) as caught:
            await client.join("!room")
        waits.append(caught.value.retry_after)

    assert [7.0, 4.5, None] == waits


async def test_nobody_there_is_an_error_that_passes(fake: FakeHomeserver, client: Homeserver) -> None:
    """A homeserver that is down refuses the connection, and trying again helps."""
    await fake.stop()

    with pytest.raises(HomeserverError) as caught:
        await client.joined_rooms()

    assert caught.value.again


async def test_an_error_tells_no_message_text(fake: FakeHomeserver, client: Homeserver) -> None:
    """What somebody wrote stands in no error, whatever the homeserver makes of it."""
    fake.answers = [says({"errcode": "M_UNKNOWN", "error": "no"}, 500)]

    with pytest.raises(HomeserverError) as caught:
        await client.send("!room", "m.room.message", {"body": "my toothpaste"}, "txn")

    assert "toothpaste" not in f"{caught.value} {caught.value!r}"


async def test_what_cannot_be_written_is_refused_before_it_is_sent(fake: FakeHomeserver, client: Homeserver) -> None:
    """Half a surrogate pair is no JSON: that is final, and the homeserver is not bothered with it."""
    with pytest.raises(HomeserverError) as caught:
        await client.send("!room", "m.room.message", {"body": "\ud800"}, "txn")

    assert (False, []) == (caught.value.again, fake.asked)


async def test_with_a_real_homeserver(synapse: Synapse) -> None:
    """Making an account, a room, members, state, events and account data works as the specification says."""
    async with synapse.as_comity() as bot, synapse.member() as ana:
        await bot.register_bot("comity")
        assert not await bot.register_bot("comity")
        assert (synapse.bot, await ana.account()) == (await bot.account(), await ana.account())
        room = await bot.create_room(preset="public_chat")
        await ana.join(room)
        event = await ana.send(room, "m.room.message", {"msgtype": "m.text", "body": "tea"}, "1")

        assert event == await ana.send(room, "m.room.message", {"msgtype": "m.text", "body": "tea"}, "1")
        found = await bot.event(room, event)
        assert found is not None
        assert {"msgtype": "m.text", "body": "tea"} == found["content"]
        assert await bot.event(room, "$unknown/+") is None
        assert {synapse.bot, await ana.account()} == set(await bot.joined_members(room))
        assert "join" == await bot.membership(room, await ana.account())
        assert "" == await bot.membership(room, "@nobody:garden.example")
        assert room in await bot.joined_rooms()
        assert await bot.state(room, "m.room.topic") is None
        await bot.put_state(room, "m.room.topic", {"topic": "tea"})
        assert {"topic": "tea"} == await bot.state(room, "m.room.topic")
        levels = await bot.state_event(room, "m.room.power_levels")
        assert levels is not None
        assert "event_id" in levels
        assert {} == await bot.account_data("org.example.tea")
        await bot.put_account_data("org.example.tea", {"rooms": [room]})
        assert {"rooms": [room]} == await bot.account_data("org.example.tea")
        await bot.kick(room, await ana.account(), "later")
        with pytest.raises(HomeserverError) as caught:
            await ana.send(room, "m.room.message", {"msgtype": "m.text", "body": "tea"}, "2")
        assert (403, "M_FORBIDDEN", False) == (caught.value.status, caught.value.errcode, caught.value.again)


async def test_rate_limits_are_told_as_they_are(limited_synapse: Synapse) -> None:
    """Pitfall 7: after ten actions a plain account is told how long to wait, and the error carries it."""
    async with limited_synapse.member() as ana:
        room = await ana.create_room(preset="private_chat")

        async def chat() -> None:
            for number in range(30):
                await ana.send(room, "m.room.message", {"msgtype": "m.text", "body": "tea"}, str(number))

        with pytest.raises(HomeserverError) as caught:
            await chat()

    assert (429, True) == (caught.value.status, caught.value.again)
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after < 60
