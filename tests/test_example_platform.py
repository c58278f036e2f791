"""The example platform answers as a homeserver does, as far as Comity asks.

What carrying out holds on a real one, it holds here: the tests of carrying out, imported here, run on the platform.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from comity.adapters.matrix.carry_out import Carrier
from comity.adapters.matrix.client import Homeserver, HomeserverError, part
from comity.adapters.matrix.read_back import read_back
from comity.adapters.matrix.reports import newest, reported
from comity.adapters.matrix.rooms import LEVELS
from comity.core.action import Action, Came, Do
from example_platform import ADMIN, BOT, Served, served
from homeserver import HS_TOKEN
from test_matrix_carry_out import Garden
from test_matrix_carry_out import test_a_change_in_the_same_moment_is_not_lost as test_a_change_in_the_same_moment
from test_matrix_carry_out import test_a_level_remembers_what_was_before_a_crash as test_levels_over_a_crash
from test_matrix_carry_out import test_a_manager_is_made_and_suspended_and_restored as test_a_hand_over
from test_matrix_carry_out import test_a_mute_is_below_what_it_takes_to_write as test_a_mute_below_zero
from test_matrix_carry_out import test_a_mute_outlives_leaving_and_joining as test_a_mute_outlives_leaving
from test_matrix_carry_out import test_a_notice_in_the_room_pings_nobody as test_a_notice
from test_matrix_carry_out import test_a_room_is_never_left_without_a_manager as test_the_last_manager
from test_matrix_carry_out import test_an_event_that_nobody_knows_cannot_be_hidden as test_no_such_event
from test_matrix_carry_out import test_equal_power_cannot_act_on_equal_power as test_equal_power
from test_matrix_carry_out import test_hiding_takes_a_message_out_of_view as test_hiding
from test_matrix_carry_out import test_mutes_do_not_outgrow_the_room as test_a_room_full_of_mutes
from test_matrix_carry_out import test_nobody_is_lowered_by_being_made_a_manager as test_nobody_is_lowered
from test_matrix_carry_out import test_removing_banning_and_lifting as test_removing_and_banning
from test_matrix_carry_out import test_the_same_action_twice_is_one_redaction as test_one_redaction
from test_matrix_carry_out import test_undoing_what_was_never_done_does_nothing as test_undoing_nothing
from test_matrix_carry_out import test_what_a_person_changed_since_is_left_alone as test_changed_since
from test_matrix_carry_out import test_what_a_person_took_back_on_purpose_stays_taken_back as test_taken_back
from test_matrix_carry_out import test_what_comes_back_is_what_was_before_the_first_change as test_what_comes_back
from test_matrix_carry_out import test_what_somebody_else_hid_is_not_hidden_again as test_hidden_already
from test_matrix_carry_out import test_what_was_just_decided_is_hidden_without_looking_first as test_hiding_at_once
from test_matrix_carry_out import test_without_permission_the_reason_says_what_is_missing as test_without_permission
from test_matrix_carry_out import test_writers_of_levels_at_the_same_time_lose_nothing as test_many_writers

__all__ = [
    "served",
    "test_a_change_in_the_same_moment",
    "test_a_hand_over",
    "test_a_mute_below_zero",
    "test_a_mute_outlives_leaving",
    "test_a_notice",
    "test_a_room_full_of_mutes",
    "test_changed_since",
    "test_equal_power",
    "test_hidden_already",
    "test_hiding",
    "test_hiding_at_once",
    "test_levels_over_a_crash",
    "test_many_writers",
    "test_no_such_event",
    "test_nobody_is_lowered",
    "test_one_redaction",
    "test_removing_and_banning",
    "test_taken_back",
    "test_the_last_manager",
    "test_undoing_nothing",
    "test_what_comes_back",
    "test_without_permission",
]

pytestmark = pytest.mark.anyio


@pytest.fixture
async def garden(served: Served) -> AsyncIterator[Garden]:
    """A garden whose room is not made yet, on the platform."""
    async with served.as_comity() as bot, served.member() as ana, served.member() as bo:
        await bot.register_bot("comity")
        yield Garden(bot, ana, bo)


async def test_a_mute_bites_until_it_is_lifted(garden: Garden) -> None:
    """A muted member is refused, others are not; a manager without office can no longer remove anybody."""
    await garden.make(users={BOT: 100, await garden.ana.account(): 50})
    levels = await garden.levels()
    down = {**levels, "users": {BOT: 100, garden.bo_id: -1}}
    await garden.bot.put_state(garden.room, LEVELS, down)

    for who, what in ((garden.bo, garden.say(garden.bo)), (garden.ana, garden.ana.kick(garden.room, garden.bo_id))):
        with pytest.raises(HomeserverError, match="M_FORBIDDEN"):
            await what
        assert "join" == await who.membership(garden.room, await who.account())
    assert await garden.say(garden.ana)
    await garden.bot.put_state(garden.room, LEVELS, levels)
    assert await garden.say(garden.bo)


@pytest.mark.parametrize(
    "wanted",
    [
        {"users": {BOT: 100, "ana": 51}},
        {"users": {"ana": 50}},
        {"users": {BOT: 100, "ana": 50, "bo": 51}},
        {"users": {BOT: 100, "ana": 50}, "ban": 51},
        {"users": {BOT: 100, "ana": 50}, "events": {"m.room.message": 60}},
        {"users": {BOT: 100, "ana": 50}, "kick": "10"},
    ],
)
async def test_nobody_gives_themselves_power(garden: Garden, wanted: dict[str, Any]) -> None:
    """Whoever may write levels changes nothing above their own, takes no power from an equal, and gives no more."""
    await garden.make(users={BOT: 100, await garden.ana.account(): 50}, events={LEVELS: 50})
    before = await garden.levels()
    names = {"ana": garden.ana_id, "bo": garden.bo_id}
    users = {names.get(who, who): level for who, level in wanted["users"].items()}

    with pytest.raises(HomeserverError, match="M_FORBIDDEN"):
        await garden.ana.put_state(garden.room, LEVELS, {**before, "events": {LEVELS: 50}, **wanted, "users": users})
    assert before == await garden.levels()


async def test_the_service_is_pushed_what_happens_where_it_is(garden: Garden, served: Served) -> None:
    """Everything since the service came in, once, in order, from when it listens on; and nothing of other rooms."""
    await garden.make()
    said = [await garden.say(garden.bo, f"cup {n}") for n in range(150)]
    other = await garden.ana.create_room(preset="public_chat")
    await garden.ana.send(other, "m.room.message", {"body": "not for you"}, "1")
    tokens, pushed = set[str](), list[dict[str, Any]]()

    async def take(request: web.Request) -> web.Response:
        tokens.add(request.headers["Authorization"])
        if request.method == "PUT":
            pushed.extend((await request.json())["events"])
        return web.json_response({})

    app = web.Application()
    app.router.add_route("*", "/_matrix/app/v1/{rest:.*}", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", served.push_port).start()
    try:
        await garden.bot.ping("comity")
        last = await garden.say(garden.bo, "the last cup")
        await _until(lambda: last in {e["event_id"] for e in pushed})
    finally:
        await runner.cleanup()

    assert {f"Bearer {HS_TOKEN}"} == tokens
    assert {garden.room} == {e["room_id"] for e in pushed}
    assert [*said, last] == [e["event_id"] for e in pushed if e["type"] == "m.room.message"]


async def test_a_service_that_does_not_answer_is_told_of(garden: Garden) -> None:
    """A ping that reaches nobody is an error that passes."""
    with pytest.raises(HomeserverError, match="M_CONNECTION_FAILED") as error:
        await garden.bot.ping("comity")
    assert error.value.again


async def test_reading_back_ends_where_it_is_to_end(garden: Garden) -> None:
    """Pages join without a gap or a double, and end where the bot came in."""
    await garden.make()
    said = [await garden.say(garden.bo, f"cup {n}") for n in range(23)]

    back = await read_back(garden.bot, garden.room, page=5)

    assert back.whole
    assert said == [e["event_id"] for e in back.events if e["type"] == "m.room.message"]
    assert "m.room.member" == back.events[0]["type"]


async def test_direct_messages_come_in_one_room(garden: Garden) -> None:
    """One invitation; who has left is invited again."""
    for number in range(3):
        action = Action(id=f"tell-{number}", do=Do.TELL, account=await garden.bo.account(), text=f"cup {number}")
        assert Came.DONE == (await Carrier(garden.bot).carry_out(action)).came
        (room,) = await garden.bot.joined_rooms()
        await garden.bo.join(room)
        await garden.bo.leave(room)
    assert "leave" == await garden.bot.membership(room, await garden.bo.account())


async def test_reports_are_told_to_administrators_only(garden: Garden, served: Served) -> None:
    """Each once, with whose message it is, in the order in which they came; a member is told nothing."""
    await garden.make()
    said = [await garden.say(garden.bo, f"cup {n}") for n in range(3)]
    for event in said:
        path = f"/_matrix/client/v3/rooms/{part(garden.room)}/report/{part(event)}"
        await garden.ana.request("POST", path, {"reason": "too hot"})
    async with Homeserver(served.base_url, ADMIN) as admin:
        events, until = await reported(admin, 1)
        assert (3, []) == (await newest(admin), (await reported(admin, until))[0])
    with pytest.raises(HomeserverError, match="M_FORBIDDEN"):
        await newest(garden.ana)

    about = [(e["sender"], e["room_id"], e["content"]) for e in events]
    asked = {"sender": garden.bo_id, "reason": "too hot"}
    assert [(garden.ana_id, garden.room, asked | {"event_id": event}) for event in said[1:]] == about


async def test_strangers_are_refused(garden: Garden, served: Served) -> None:
    """No token, a token of nobody, an account that is not the service's, a room one is not in, a name that is taken."""
    await garden.make()
    async with (
        Homeserver(served.base_url, "nobody") as nobody,
        served.as_comity("ana") as posing,
        served.member() as eve,
    ):
        for who, code in ((nobody, "M_UNKNOWN_TOKEN"), (posing, "M_EXCLUSIVE")):
            with pytest.raises(HomeserverError, match=code):
                await who.joined_rooms()
        for asked in (eve.joined_members(garden.room), eve.state(garden.room, LEVELS), eve.ban(garden.room, BOT)):
            with pytest.raises(HomeserverError, match="M_FORBIDDEN"):
                await asked
        with pytest.raises(HomeserverError, match="M_UNRECOGNIZED"):
            await eve.sync(timeout=0)
    assert not await garden.bot.register_bot("comity")


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not done():  # noqa: ASYNC110 - what is waited for is pushed
            await asyncio.sleep(0.02)
