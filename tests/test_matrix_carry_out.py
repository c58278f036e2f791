"""Actions are carried out in a real homeserver: each once, exactly, and with a reason where there is no way."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from comity.adapters.matrix.carry_out import Carrier
from comity.adapters.matrix.client import Homeserver, HomeserverError
from comity.adapters.matrix.rooms import LEVELS, enforceable_in
from comity.core.action import Action, Came, Do, Outcome, Say
from comity.core.charter import Measure
from fake_homeserver import Answer, FakeHomeserver, babbles, hangs, says
from homeserver import Synapse

pytestmark = pytest.mark.anyio


class Garden:
    """A room that the bot made, with Ana and Bo in it, and whoever carries out what is asked of the bot."""

    def __init__(self, bot: Homeserver, ana: Homeserver, bo: Homeserver) -> None:
        self.bot, self.ana, self.bo = bot, ana, bo
        self.carrier = Carrier(bot)
        self.room = self.ana_id = self.bo_id = self.bot_id = ""
        self._number = 0

    async def make(self, version: str = "11", **levels: Any) -> "Garden":  # noqa: ANN401 - JSON
        """Make the room, with other levels than usual."""
        self.bot_id, self.ana_id, self.bo_id = [await one.account() for one in (self.bot, self.ana, self.bo)]
        self.room = await self.bot.create_room(
            preset="public_chat", room_version=version, power_level_content_override=levels
        )
        await asyncio.gather(self.ana.join(self.room), self.bo.join(self.room))
        return self

    async def say(self, who: Homeserver, text: str = "milk first") -> str:
        """Write something; return its id."""
        self._number += 1
        return await who.send(self.room, "m.room.message", {"msgtype": "m.text", "body": text}, f"say-{self._number}")

    async def levels(self) -> dict[str, Any]:
        """The room's levels as they are."""
        return await self.ana.state(self.room, LEVELS) or {}

    async def users(self) -> dict[str, int]:
        """Who has a level of their own."""
        found: dict[str, int] = (await self.levels()).get("users", {})
        return found

    async def membership(self) -> str:
        """Bo's."""
        return await self.bot.membership(self.room, self.bo_id)

    async def do(self, do: Do, name: str = "a", *, before: str = "", **fields: Any) -> Outcome:  # noqa: ANN401 - fields of Action
        """Carry out one action in the room."""
        action = Action(id=f"{self.room[1:20]}-{name}", do=do, room=self.room, **fields)
        return await self.carrier.carry_out(action, before=before)

    async def level(self, account: str, to: Say, name: str = "a", *, before: str = "") -> Outcome:
        """Give somebody another say."""
        return await self.do(Do.LEVEL, name, account=account, to=to, before=before)


@pytest.fixture
async def garden(synapse: Synapse) -> AsyncIterator[Garden]:
    """A garden whose room is not made yet."""
    async with synapse.as_comity() as bot, synapse.member() as ana, synapse.member() as bo:
        await bot.register_bot("comity")
        yield Garden(bot, ana, bo)


async def redactions(garden: Garden) -> int:
    """How many redactions the room has seen."""
    chunk, _end = await garden.bot.messages(garden.room, "", limit=100)
    return sum(event["type"] == "m.room.redaction" for event in chunk)


async def test_hiding_takes_a_message_out_of_view(garden: Garden) -> None:
    """The text is gone for everybody, with the reason where anybody can read it (pitfall 15)."""
    await garden.make()
    event = await garden.say(garden.bo)

    outcome = await garden.do(Do.HIDE, event=event, reason="Clause 1: see your standing.")

    found: dict[str, Any] = await garden.ana.event(garden.room, event) or {}
    assert (Came.DONE, {}) == (outcome.came, found["content"])
    assert "Clause 1: see your standing." == found["unsigned"]["redacted_because"]["content"]["reason"]
    assert outcome.made == found["unsigned"]["redacted_because"]["event_id"]


async def test_the_same_action_twice_is_one_redaction(garden: Garden) -> None:
    """Carried out again, even by two at the same time or after a crash, it is the same redaction."""
    await garden.make()
    event = await garden.say(garden.bo)

    first, second = await asyncio.gather(garden.do(Do.HIDE, event=event), garden.do(Do.HIDE, event=event))
    garden.carrier = Carrier(garden.bot)
    third = await garden.do(Do.HIDE, event=event)

    assert first == second == third
    assert 1 == await redactions(garden)


async def test_what_somebody_else_hid_is_not_hidden_again(garden: Garden) -> None:
    """Pitfall 16: beside another bot or a moderator there is one redaction, and it is theirs."""
    await garden.make(users={await garden.bot.account(): 100, await garden.ana.account(): 50})
    event = await garden.say(garden.bo)
    theirs = await garden.ana.redact(garden.room, event, "theirs")

    assert Outcome(Came.DONE, made=theirs) == await garden.do(Do.HIDE, event=event)
    assert 1 == await redactions(garden)


async def test_an_event_that_nobody_knows_cannot_be_hidden(garden: Garden) -> None:
    """There is no way, and trying again would not help."""
    await garden.make()

    assert Came.CANNOT == (await garden.do(Do.HIDE, event="$nobody/knows+this")).came


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_a_mute_is_taken_back_exactly(garden: Garden, version: str) -> None:
    """Muted, a member reads and cannot write; afterwards the room's levels are what they were, to the last key."""
    await garden.make(version, events={"m.room.topic": 30})
    before = await garden.levels()

    muted = await garden.level(garden.bo_id, Say.MUTED)
    with pytest.raises(HomeserverError, match="M_FORBIDDEN"):
        await garden.say(garden.bo)
    assert -1 == (await garden.users())[garden.bo_id]
    assert before == {**await garden.levels(), "users": before["users"]}
    restored = await garden.level(garden.bo_id, Say.BEFORE, "b", before=muted.before)

    assert (Came.DONE, Came.DONE) == (muted.came, restored.came)
    assert before == await garden.levels()
    assert await garden.say(garden.bo)


async def test_a_mute_is_below_what_it_takes_to_write(garden: Garden) -> None:
    """Where even newcomers below zero may write, a mute is lower still."""
    await garden.make(events_default=-20, users_default=-10)
    await garden.level(garden.bo_id, Say.MUTED)

    assert -21 == (await garden.users())[garden.bo_id]


async def test_a_mute_outlives_leaving_and_joining(garden: Garden) -> None:
    """Pitfall 6: whoever is muted cannot leave and come back to write."""
    await garden.make()
    await garden.level(garden.bo_id, Say.MUTED)
    await garden.bo.leave(garden.room)
    await garden.bo.join(garden.room)

    with pytest.raises(HomeserverError, match="M_FORBIDDEN"):
        await garden.say(garden.bo)


async def test_a_level_remembers_what_was_before_a_crash(garden: Garden) -> None:
    """Done but not noted, then done again: what is noted then restores what was there before the first time."""
    await garden.make(users={await garden.bot.account(): 100, await garden.bo.account(): 7})
    first = await garden.level(garden.bo_id, Say.MUTED)
    await garden.level(garden.ana_id, Say.MANAGER, "other")

    again = await garden.level(garden.bo_id, Say.MUTED)
    await garden.level(garden.bo_id, Say.BEFORE, "b", before=again.before)

    assert (first.before, 7) == (again.before, (await garden.users())[garden.bo_id])


async def test_what_a_person_changed_since_is_left_alone(garden: Garden) -> None:
    """Lifting a mute takes no office away that the member was given in the meantime."""
    await garden.make(users={await garden.bot.account(): 100, await garden.ana.account(): 99}, events={LEVELS: 50})
    muted = await garden.level(garden.bo_id, Say.MUTED)
    content = await garden.levels()
    await garden.ana.put_state(garden.room, LEVELS, {**content, "users": {**content["users"], garden.bo_id: 50}})

    assert Came.DONE == (await garden.level(garden.bo_id, Say.BEFORE, "b", before=muted.before)).came
    assert 50 == (await garden.users())[garden.bo_id]


async def test_what_comes_back_is_what_was_before_the_first_change(garden: Garden) -> None:
    """Suspended and then muted, a manager gets the office back, not the level between; also when it is done twice."""
    await garden.make(users={await garden.bot.account(): 100, await garden.ana.account(): 50})
    await garden.level(garden.bo_id, Say.MANAGER, "up")
    before = await garden.levels()
    suspended = await garden.level(garden.bo_id, Say.MEMBER, "down")
    await garden.level(garden.bo_id, Say.MUTED, "mute")
    await garden.level(garden.ana_id, Say.MANAGER, "nothing to do")

    for _ in range(2):
        assert Came.DONE == (await garden.level(garden.bo_id, Say.BEFORE, "back", before=suspended.before)).came
        assert before == await garden.levels()


async def test_nobody_is_lowered_by_being_made_a_manager(garden: Garden) -> None:
    """Whoever has more than it takes keeps it, and taking the promotion back takes nothing."""
    await garden.make(users={await garden.bot.account(): 100, await garden.bo.account(): 77})
    promoted = await garden.level(garden.bo_id, Say.MANAGER)
    await garden.level(garden.bo_id, Say.BEFORE, "b", before=promoted.before)

    assert 77 == (await garden.users())[garden.bo_id]


async def test_undoing_what_was_never_done_does_nothing(garden: Garden) -> None:
    """An action that could not be carried out leaves nothing to restore."""
    await garden.make()
    before = await garden.levels()

    assert Came.DONE == (await garden.level(garden.bo_id, Say.BEFORE)).came
    assert before == await garden.levels()


async def test_a_manager_is_made_and_suspended_and_restored(garden: Garden) -> None:
    """Hand-over: a successor manages, then the manager does not; afterwards both have what they had."""
    await garden.make(users={await garden.bot.account(): 100, await garden.bo.account(): 60})
    before = await garden.levels()
    promoted = await garden.level(garden.ana_id, Say.MANAGER, "up")
    demoted = await garden.level(garden.bo_id, Say.MEMBER, "down")

    assert {garden.bot_id: 100, garden.ana_id: 50} == await garden.users()
    await garden.level(garden.bo_id, Say.BEFORE, "down-", before=demoted.before)
    await garden.level(garden.ana_id, Say.BEFORE, "up-", before=promoted.before)
    assert before == await garden.levels()


@pytest.mark.parametrize("do", [Do.LEVEL, Do.REMOVE, Do.BAN])
async def test_a_room_is_never_left_without_a_manager(garden: Garden, do: Do) -> None:
    """Pitfall 4: the last manager who is there besides the bot is neither demoted nor removed."""
    await garden.make(
        users={await garden.bot.account(): 100, await garden.bo.account(): 50, "@gone:garden.example": 50}
    )

    outcome = await garden.do(do, account=garden.bo_id, to=Say.MEMBER if do is Do.LEVEL else None)

    assert Came.CANNOT == outcome.came
    assert "appoint somebody else" in outcome.why
    assert ("join", 50) == (await garden.membership(), (await garden.users())[garden.bo_id])


@pytest.mark.parametrize("do", [Do.LEVEL, Do.REMOVE, Do.BAN])
async def test_equal_power_cannot_act_on_equal_power(garden: Garden, do: Do) -> None:
    """Pitfall 4: the reason names both levels and says how to mend it."""
    levels = {await garden.bot.account(): 100, await garden.bo.account(): 100, await garden.ana.account(): 100}
    await garden.make(users=levels)

    outcome = await garden.do(do, account=garden.bo_id, to=Say.MEMBER if do is Do.LEVEL else None)

    assert Came.CANNOT == outcome.came
    assert f"Lower {garden.bo_id} below 100" in outcome.why
    assert "join" == await garden.membership()


@pytest.mark.parametrize("do", [Do.LEVEL, Do.REMOVE, Do.BAN])
async def test_a_creator_of_version_12_cannot_be_governed(garden: Garden, do: Do) -> None:
    """Pitfall 3: the reason says so, and the room id without a domain is no obstacle to anything else."""
    await garden.make()
    room = await garden.bo.create_room(preset="public_chat", room_version="12", power_level_content_override={
        "users": {garden.bot_id: 100}})  # fmt: skip
    await garden.bot.join(room)
    assert ":" not in room
    garden.room = room

    outcome = await garden.do(do, account=garden.bo_id, to=Say.MUTED if do is Do.LEVEL else None)

    assert Came.CANNOT == outcome.came
    assert "room version 12 nobody can act on a creator" in outcome.why
    assert garden.bo_id in (await enforceable_in(garden.bot, room)).out_of_reach


async def test_writers_of_levels_at_the_same_time_lose_nothing(garden: Garden) -> None:
    """Pitfall 5: changes by two processes and by a person whose client looks before and never after; all of them stand.

    What the person writes away after we looked is put right as soon as the homeserver tells of it.
    """
    users = {await garden.bot.account(): 100, await garden.ana.account(): 99}
    await garden.make(users=users, events={LEVELS: 50})
    other = Carrier(garden.bot)
    names = [f"@guest{n}:garden.example" for n in range(12)]

    async def person() -> None:
        for number in range(4):
            content = await garden.levels()
            await asyncio.sleep(0.2)
            events = {**content.get("events", {}), f"org.example.tea{number}": 42}
            await garden.ana.put_state(garden.room, LEVELS, {**content, "events": events})

    async def mute(carrier: Carrier, number: int) -> Outcome:
        action = Action(id=f"mute-{number}", do=Do.LEVEL, room=garden.room, account=names[number], to=Say.MUTED)
        outcome = await carrier.carry_out(action)
        return await carrier.carry_out(action) if outcome.came is Came.AGAIN else outcome

    outcomes, _ = await asyncio.gather(
        asyncio.gather(*(mute([garden.carrier, other][n % 2], n) for n in range(12))), person()
    )
    told, _end = await garden.bot.messages(garden.room, "", limit=100)
    for carrier in (garden.carrier, other):
        await carrier.watch(told[::-1])

    content = await garden.levels()
    assert [] == [outcome.why for outcome in outcomes if outcome.came is not Came.DONE]
    assert set(names) <= content["users"].keys()
    assert {None} == {msgspec.json.decode(outcome.before)["had"] for outcome in outcomes}


@pytest.mark.parametrize("late", [False, True])
async def test_a_change_in_the_same_moment_is_not_lost(
    garden: Garden, monkeypatch: pytest.MonkeyPatch, *, late: bool
) -> None:
    """Pitfall 5: somebody writes between our reading and our writing, or writes ours away right after; both stand."""
    await garden.make(users={await garden.bot.account(): 100, await garden.ana.account(): 99}, events={LEVELS: 50})
    stale = await garden.levels()
    theirs = {**stale, "kick": 60, "events": {**stale["events"], "org.example.tea": 42}}
    write, times = garden.bot.put_state, 0

    async def meanwhile(*args: Any) -> str:  # noqa: ANN401 - as put_state
        nonlocal times
        times += 1
        if times == 1 and not late:
            await garden.ana.put_state(garden.room, LEVELS, theirs)
        made = await write(*args)
        if times == 1 and late:
            await garden.ana.put_state(garden.room, LEVELS, theirs)
        return made

    monkeypatch.setattr(garden.bot, "put_state", meanwhile)
    outcome = await garden.level(garden.bo_id, Say.MUTED)

    assert Came.DONE == outcome.came
    assert {**theirs, "users": {**theirs["users"], garden.bo_id: -1}} == await garden.levels()
    assert 2 == times


async def test_what_a_person_took_back_on_purpose_stays_taken_back(garden: Garden) -> None:
    """Whoever changes nothing but what we just changed means it."""
    await garden.make(users={await garden.bot.account(): 100, await garden.ana.account(): 99}, events={LEVELS: 50})
    before = await garden.levels()
    await garden.level(garden.bo_id, Say.MUTED)
    await garden.ana.put_state(garden.room, LEVELS, before)
    told, _end = await garden.bot.messages(garden.room, "", limit=100)

    await garden.carrier.watch(told[::-1])

    assert before == await garden.levels()


async def test_mutes_do_not_outgrow_the_room(garden: Garden) -> None:
    """Pitfall 6: what the homeserver would refuse for its size is refused with a way out, and what fits is written."""
    await garden.make()
    content = await garden.levels()
    named = {f"@a-member-with-a-rather-long-name-{n:04}:garden.example": -1 for n in range(1040)}
    await garden.bot.put_state(garden.room, LEVELS, {**content, "users": {**content["users"], **named}})
    added = 0
    while (
        outcome := await garden.level(f"@{'b' * 200}{added:03}:garden.example", Say.MUTED, f"{added}")
    ).came is Came.DONE:
        added += 1

    assert Came.CANNOT == outcome.came
    assert "Ban instead" in outcome.why, outcome.why
    assert 0 < added < 50


async def test_removing_banning_and_lifting(garden: Garden) -> None:
    """Removed, a member can come back; banned, not until the ban is lifted; each done twice is done once."""
    await garden.make()
    for do, membership in ((Do.REMOVE, "leave"), (Do.BAN, "ban"), (Do.UNBAN, "leave")):
        for _ in range(2):
            assert Came.DONE == (await garden.do(do, account=garden.bo_id, reason="Clause 1")).came
            assert membership == await garden.membership()
    await garden.bo.join(garden.room)

    chunk, _end = await garden.bot.messages(garden.room, "", limit=100)
    changes = [e for e in chunk if e["type"] == "m.room.member" and e.get("state_key") == garden.bo_id]
    assert 5 == len(changes)  # joined, removed, banned, lifted, joined


async def test_without_permission_the_reason_says_what_is_missing(garden: Garden) -> None:
    """A bot without power is told what it takes; one that is not in the room, that it must be invited."""
    await garden.make()
    room = await garden.bo.create_room(preset="public_chat", room_version="11")
    garden.room = room
    event = await garden.say(garden.bo)

    outside = await garden.do(Do.HIDE, event=event)
    await garden.bot.join(room)
    inside = [
        await garden.do(Do.HIDE, event=event),
        await garden.do(Do.BAN, account=garden.ana_id),
        await garden.level(garden.ana_id, Say.MUTED),
    ]
    can = await enforceable_in(garden.bot, room)

    assert {Came.CANNOT} == {outcome.came for outcome in [outside, *inside]}
    assert "invite it" in outside.why
    assert [50, 50, 100] == [int(re.findall(r"needs power level (\d+) and has 0", o.why)[0]) for o in inside]
    assert all(can.measures[measure] for measure in Measure if measure is not Measure.WARN)


async def test_a_direct_message_comes_in_one_room_for_ever(garden: Garden) -> None:
    """Pitfall 15: one invitation, then always the same room; also after a restart, and after the member left it."""
    await garden.make()

    async def tell(text: str, name: str) -> None:
        action = Action(id=f"{garden.room[1:20]}-{name}", do=Do.TELL, account=garden.bo_id, text=text)
        assert Came.DONE == (await Carrier(garden.bot).carry_out(action)).came

    await tell("first", "1")
    await tell("first", "1")
    synced: dict[str, Any] = await garden.bo.sync()
    (room,) = synced["rooms"]["invite"]
    await garden.bo.join(room)
    await tell("second", "2")
    await garden.bo.leave(room)
    await tell("third", "3")
    await garden.bo.join(room)

    chunk, _end = await garden.bo.messages(room, "", limit=100)
    told: list[Any] = [e["content"] for e in chunk if e["type"] == "m.room.message"]
    assert ["third", "second", "first"] == [content["body"] for content in told]
    assert {"m.notice"} == {content["msgtype"] for content in told}


async def test_a_notice_in_the_room_pings_nobody(garden: Garden) -> None:
    """Said once however often it is tried, as a notice, without mentions."""
    await garden.make()
    first, second = [await garden.do(Do.SAY, text="@room tea is ready") for _ in range(2)]

    found: dict[str, Any] = await garden.ana.event(garden.room, first.made) or {}
    assert first == second
    assert {"msgtype": "m.notice", "body": "@room tea is ready", "m.mentions": {}} == found["content"]


async def test_what_can_be_enforced_is_told_for_each_room(garden: Garden) -> None:
    """With power everything can be; in an encrypted room a note says that nobody reads along (pitfall 10)."""
    await garden.make("12")
    everything = await enforceable_in(garden.bot, garden.room)
    await garden.bot.put_state(garden.room, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    encrypted = await enforceable_in(garden.bot, garden.room)

    assert {""} == set(everything.measures.values())
    assert (set(Measure), {}, ()) == (set(everything.measures), dict(everything.out_of_reach), everything.notes)
    assert "encrypted" in encrypted.notes[0]


@pytest.mark.parametrize(
    ("answer", "came", "wait"),
    [
        (says({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}, 429), Came.AGAIN, 2.5),
        (says({"errcode": "M_UNKNOWN"}, 500), Came.AGAIN, None),
        (says({"errcode": "M_UNKNOWN_TOKEN"}, 401), Came.AGAIN, 300.0),
        (babbles(b"<html>"), Came.AGAIN, None),
        (hangs(), Came.AGAIN, None),
        (says({"errcode": "M_TOO_LARGE", "error": "too large"}, 413), Came.CANNOT, None),
    ],
)
async def test_faults_pass_and_refusals_do_not(
    fake: FakeHomeserver, answer: Answer, came: Came, wait: float | None
) -> None:
    """Pitfall 7: limits carry their wait; faults and silence are tried again; and nothing ends in an exception."""
    fake.answers = [answer]
    async with Homeserver(fake.base_url, "t", account="@comity:garden.example", patience=0.2) as homeserver:
        for do in Do:
            action = Action(
                id="a", do=do, room="!r", account="@bo:garden.example", event="$e", to=Say.MUTED, text="tea"
            )
            outcome = await Carrier(homeserver).carry_out(action)

            assert (came, wait) == (outcome.came, outcome.wait), do
            assert outcome.why


async def test_what_was_just_decided_is_hidden_without_looking_first(garden: Garden) -> None:
    """A fresh action hides with one request, and carried out twice it is one redaction."""
    await garden.make()
    event = await garden.say(garden.bo)
    action = Action(id=f"{garden.room[1:20]}-fresh", do=Do.HIDE, room=garden.room, event=event)
    first, second = [await garden.carrier.carry_out(action, fresh=True) for _ in range(2)]

    assert Came.DONE == first.came
    assert first == second
    assert 1 == await redactions(garden)
