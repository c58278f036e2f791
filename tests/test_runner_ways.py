"""The ways into ``comity serve`` and what persons say to it: polls, questions before a message, commands."""

import asyncio
from pathlib import Path

import pytest

from comity.adapters.matrix.client import Homeserver, HomeserverError
from comity.stores.sqlite import SqliteStore
from homeserver import Synapse
from running import SCAM, direct, hidden, level, room_with, serving, settings, until, write
from test_runner_line import answered, count, veterans

pytestmark = pytest.mark.anyio
MISSED = 30
HIDES = """\
[charter]
community = "Tea garden"
time_zone = "UTC"

[[clause]]
id = "2.1"
text = "Do not post links to scams."
rule = "scam-link"
parameters = { domains = ["free-teapots.example"] }
severity = "minor"
measures = ["hide"]
"""
PROPOSES = """\
[charter]
community = "Tea garden"
time_zone = "UTC"

[standing]
removal = 10

[[clause]]
id = "2.1"
text = "Do not post links to scams."
rule = "scam-link"
parameters = { domains = ["free-teapots.example"] }
severity = "severe"
measures = ["hide", "mute", "remove"]
"""


async def redactions(who: Homeserver, room: str) -> list[str]:
    """The messages taken out of view in a room, as often as they were."""
    found: list[str] = []
    start = ""
    while True:
        events, start = await who.messages(room, start, limit=100)
        found += [str(e["content"]["redacts"]) for e in events if e["type"] == "m.room.redaction"]  # type: ignore[index]
        if not events or not start:
            return found


async def test_a_bot_account_fills_the_gap_of_its_absence(synapse: Synapse, tmp_path: Path) -> None:
    """Over /sync: what is flagged is hidden, also all that was written while nobody read, each message once.

    More is written meanwhile than one answer holds, and what is flagged lies before what the answer has.
    """
    bot, token = synapse.register()
    way = f'mode = "sync"\nuser = "{bot}"\naccess_token = "{token}"'
    async with synapse.member() as olive, synapse.member() as sam:
        room = await room_with(olive, synapse, sam, bot=bot)
        veterans(tmp_path, room, await sam.account())
        path = settings(tmp_path, synapse, rooms=[room], charter=HIDES, matrix=way)
        async with serving(path):
            first = await write(sam, room, SCAM)
            await until(lambda: hidden(olive, room, first))
        flagged = [await write(sam, room, f"{SCAM} {n}") for n in range(MISSED)]
        await asyncio.gather(*(write(olive, room, f"tea {n}") for n in range(110)))
        async with serving(path):

            async def filled() -> bool:
                return set(await redactions(olive, room)) >= {first, *flagged}

            await until(filled)
            last = await write(sam, room, SCAM)
            await until(lambda: hidden(olive, room, last))
        assert sorted([first, *flagged, last]) == sorted(await redactions(olive, room))


async def test_what_a_clause_hides_is_refused_before_anybody_sees_it(asking_synapse: Synapse, tmp_path: Path) -> None:
    """Whoever sends it reads the statement's sentence; what is clean passes; with Comity down everything does."""
    synapse = asking_synapse
    async with synapse.member() as olive, synapse.member() as sam:
        room = await room_with(olive, synapse, sam)
        veterans(tmp_path, room, await sam.account())
        async with serving(settings(tmp_path, synapse, rooms=[room])):
            tea = await write(sam, room, "milk first, see https://garden.example/tea")
            with pytest.raises(HomeserverError) as caught:
                await write(sam, room, SCAM)
        assert (403, "M_FORBIDDEN") == (caught.value.status, caught.value.errcode)
        assert "clause 2.1" in caught.value.error
        assert "Do not post links to scams." in caught.value.error
        down = await write(sam, room, SCAM)
        events, _ = await olive.messages(room, "", limit=20)
        assert [down, tea] == [e["event_id"] for e in events if e["type"] == "m.room.message"]
    assert 0 == count(tmp_path, "SELECT count(*) FROM decision")


async def test_a_clause_in_the_shadow_finds_and_nothing_follows(synapse: Synapse, tmp_path: Path) -> None:
    """A moderator lets a clause only find, over a restart too, and lets it count again; nobody else may."""
    async with synapse.member() as cleo, synapse.member() as sam:
        room = await room_with(cleo, synapse, sam)
        desk = await room_with(cleo, synapse, sam, name="desk")
        account = await sam.account()
        veterans(tmp_path, room, account)
        path = settings(tmp_path, synapse, rooms=[room], management=desk)
        async with serving(path):
            refused = await answered(sam, desk, synapse.bot, "!comity shadow 2.1 on")
            assert "for those who look after the community" in refused
            assert "no clause 9.9" in await answered(cleo, desk, synapse.bot, "!comity shadow 9.9 on")
            said = await answered(cleo, desk, synapse.bot, "!comity shadow 2.1 on")
            assert "From now on clause 2.1 finds, and counts nothing" in said
        async with serving(path):
            shadowed = await write(sam, room, SCAM)

            async def found() -> bool:
                return count(tmp_path, "SELECT count(*) FROM entry WHERE kind = 1") == 1

            await until(found)
            why = await answered(cleo, desk, synapse.bot, f"!comity why {account}")
            assert "finding" not in why
            said = await answered(cleo, desk, synapse.bot, "!comity shadow 2.1 off")
            assert "counts as its charter says" in said
            seen = await write(sam, room, SCAM)
            await until(lambda: hidden(cleo, room, seen))
            assert not await hidden(cleo, room, shadowed)
        assert await level(cleo, room, account) == -1
    with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
        (member,) = store.members(store.community("tea-garden"), [account], [None])
        first, second = sorted(f.number for f in store.findings(member))
        decisions = store.decisions.decisions(member=member, most=10)
        assert {"hide", "mute"} <= {d.measure for d in decisions}
        assert all(first not in d.findings and second in d.findings for d in decisions)


async def test_a_person_confirms_what_holds_and_what_was_proposed(synapse: Synapse, tmp_path: Path) -> None:
    """A mute stands by a person, confirmed once and told; a removal is carried out only when it is followed."""
    async with synapse.member() as cleo, synapse.member() as sam:
        room, desk = await room_with(cleo, synapse, sam), await room_with(cleo, synapse, name="desk")
        account, manager = await sam.account(), await cleo.account()
        async with serving(settings(tmp_path, synapse, rooms=[room], management=desk, charter=PROPOSES)):
            await write(sam, room, SCAM)

            async def muted() -> bool:
                return await level(cleo, room, account) == -1

            await until(muted)
            mute = count(tmp_path, "SELECT number FROM decision WHERE measure = 'mute'")
            removal = count(tmp_path, "SELECT number FROM decision WHERE measure = 'remove'")
            assert await cleo.membership(room, account) == "join"
            said = await answered(cleo, desk, synapse.bot, f"!comity confirm {mute}")
            assert f"Decision {mute} stands: mute under clause 2.1." in said

            async def told_of_it() -> bool:
                return any(f"A person looked at decision {mute}" in text for text in await direct(sam, synapse))

            await until(told_of_it)
            again = await answered(cleo, desk, synapse.bot, f"!comity confirm {mute}")
            assert "Not done" in again
            assert await muted()
            assert await cleo.membership(room, account) == "join"
            said = await answered(cleo, desk, synapse.bot, f"!comity confirm {removal}")
            assert f"Decision {removal} stands: remove under clause 2.1." in said

            async def gone() -> bool:
                return await cleo.membership(room, account) == "leave"

            await until(gone)
    with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
        d, community = store.decisions, store.community("tea-garden")
        (member,) = store.members(community, [manager], [None])
        row = store.member(member)
        assert row is not None
        for number in (mute, removal):
            assert ("confirmed", row.pseudonym) == (d.course(number)[-1].course, d.course(number)[-1].by)
        told = d.statement(removal)
        assert told is not None
        assert not told.provisional
