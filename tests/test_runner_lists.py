"""Lists of bans on a real homeserver: whoever is on one and comes is met as the charter's clause says."""

import json
from pathlib import Path

import pytest

from comity.adapters.matrix.client import Homeserver
from comity.adapters.matrix.policy_lists import publish
from comity.core.charter import Measure
from comity.core.decision import LONGEST, Course, Decision
from comity.core.policy import Policy, Recommendation, Subject
from comity.stores.sqlite import SqliteStore
from homeserver import Synapse
from running import CHARTER, direct, level, room_with, serving, settings, until, write

pytestmark = pytest.mark.anyio

ADOPTED = """
[[clause]]
id = "4.2"
text = "Whoever is on a list of bans that we follow is not welcome here."
rule = "listed-member"
severity = "serious"
measures = ["mute", "ban"]
"""


async def list_of(keeper: Homeserver, *entities: str) -> str:
    """A list room of somebody else's that bans some, for toothpaste adverts."""
    room = await keeper.create_room(name="Weeds", preset="public_chat")
    for entity in entities:
        await ban(keeper, room, entity)
    return room


async def ban(keeper: Homeserver, room: str, entity: str) -> None:
    """Put an entry on a list."""
    policy = Policy(subject=Subject.USER, recommendation=Recommendation.BAN, entity=entity, reason="toothpaste adverts")
    kind, key, content = publish(policy)
    await keeper.put_state(room, kind, content, key)


def following(path: Path, room: str, **more: object) -> Path:
    """Settings that follow a list too."""
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    with path.open("a") as file:
        file.write(f'\n[[list]]\nroom = "{room}"\nclause = "4.2"\n{lines}')
    return path


def decided(folder: Path) -> list[Decision]:
    """What was decided."""
    with SqliteStore.open(folder / "comity.sqlite", durable=False, read_only=True) as store:
        return store.decisions.decisions()


async def test_a_listed_account_that_joins_is_muted_and_a_person_is_asked_about_a_ban(
    synapse: Synapse, tmp_path: Path
) -> None:
    """The mute ends within 72 hours and is provisional; the ban waits; the statement names list and reason."""
    async with synapse.member() as olive, synapse.member() as keeper, synapse.member() as robot:
        account = await robot.account()
        weeds = await list_of(keeper, account)
        garden = await room_with(olive, synapse)
        desk = await room_with(olive, synapse, name="desk")
        path = settings(tmp_path, synapse, rooms=[garden], management=desk, charter=CHARTER + ADOPTED)
        async with serving(following(path, weeds)):
            await robot.join(garden)

            async def muted() -> bool:
                return await level(olive, garden, account) == -1

            await until(muted)

            async def told() -> bool:
                return any("toothpaste adverts" in text for text in await direct(robot, synapse))

            await until(told)

            async def noticed() -> bool:
                events, _ = await olive.messages(desk, "", limit=20)
                return any("“Weeds”" in str(e.get("content")) for e in events)

            await until(noticed)
        assert await olive.membership(garden, account) == "join"
        mute, proposal = decided(tmp_path)
        assert (mute.measure, mute.course, mute.provisional) == (Measure.MUTE, Course.IN_FORCE, True)
        assert mute.until is not None
        assert mute.until - mute.at <= LONGEST
        assert (proposal.measure, proposal.course) == (Measure.BAN, Course.PROPOSED)
        (statement,) = await direct(robot, synapse)
        assert "“Weeds”" in statement
        assert "Your standing is 95 " in statement  # a list does not touch standing


async def test_a_list_that_is_only_looked_at_does_nothing_and_says_so(synapse: Synapse, tmp_path: Path) -> None:
    """No finding, no decision, no level; the management room reads who came and that nothing was done."""
    async with synapse.member() as olive, synapse.member() as keeper, synapse.member() as robot:
        account = await robot.account()
        weeds = await list_of(keeper, account)
        garden = await room_with(olive, synapse)
        desk = await room_with(olive, synapse, name="desk")
        path = settings(tmp_path, synapse, rooms=[garden], management=desk, charter=CHARTER + ADOPTED)
        async with serving(following(path, weeds, apply=False)):
            await robot.join(garden)

            async def noticed() -> bool:
                events, _ = await olive.messages(desk, "", limit=20)
                said = [str(e.get("content")) for e in events]
                return any("nothing was done: the list is only looked at" in s and account in s for s in said)

            await until(noticed)
        assert decided(tmp_path) == []
        assert await level(olive, garden, account) is None
        assert await direct(robot, synapse) == []


async def test_an_entry_that_is_new_meets_a_member_who_writes_next_and_only_once(
    synapse: Synapse, tmp_path: Path
) -> None:
    """A list is heard as it changes; whoever was taken back from by a person is left in peace, also after a restart."""
    async with synapse.member() as olive, synapse.member() as keeper, synapse.member() as robot:
        account = await robot.account()
        weeds = await list_of(keeper)
        garden = await room_with(olive, synapse, robot)
        desk = await room_with(olive, synapse, name="desk")
        path = settings(tmp_path, synapse, rooms=[garden], management=desk, charter=CHARTER + ADOPTED)
        following(path, weeds)

        async def muted() -> bool:
            return await level(olive, garden, account) == -1

        async def free() -> bool:
            return not await muted()

        async with serving(path):
            await write(robot, garden, "milk first")
            await ban(keeper, weeds, account)
            await write(robot, garden, "then the tea")
            await until(muted)
            mute, _ = decided(tmp_path)
            await write(olive, desk, f"!comity reverse {mute.number} a namesake, and a regular of ours")
            await until(free)
        async with serving(path):
            last = await write(robot, garden, "and no sugar")
            await write(olive, desk, "!comity status")

            async def answered() -> bool:
                events, _ = await olive.messages(desk, "", limit=10)
                return any("decisions in force" in str(e.get("content")) for e in events)

            await until(answered)
            assert (await robot.event(garden, last) or {}).get("content")
        assert [Course.REVERSED, Course.REFUSED] == [d.course for d in decided(tmp_path)]


async def test_a_list_takes_nobodys_office_away(synapse: Synapse, tmp_path: Path) -> None:
    """A manager whom somebody else's list names keeps managing; the management room is told."""
    async with synapse.member() as olive, synapse.member() as keeper:
        account = await olive.account()
        weeds = await list_of(keeper, "@*:*")
        garden = await room_with(olive, synapse)
        desk = await room_with(olive, synapse, name="desk")
        path = settings(tmp_path, synapse, rooms=[garden], management=desk, charter=CHARTER + ADOPTED)
        async with serving(following(path, weeds)):
            await write(olive, garden, "milk first")

            async def noticed() -> bool:
                events, _ = await olive.messages(desk, "", limit=20)
                return any("nobody's office" in str(e.get("content")) for e in events)

            await until(noticed)
        assert decided(tmp_path) == []
        assert await level(olive, garden, account) == 90
