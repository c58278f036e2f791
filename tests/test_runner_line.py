"""``comity serve`` on a real homeserver: from what members write to what becomes of it, and back."""

import asyncio
import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from comity.adapters.matrix.client import Homeserver
from comity.core.ledger import NO_FINDINGS, ActivityColumns
from comity.stores.sqlite import SqliteStore
from homeserver import Synapse
from running import SCAM, direct, hidden, level, room_with, serving, settings, until, write

pytestmark = pytest.mark.anyio


def veterans(folder: Path, room: str, *accounts: str, days: int = 12) -> None:
    """Let accounts have been active on the last days, as a store remembers it."""
    with SqliteStore.open(folder / "comity.sqlite", durable=False) as store:
        community = store.community("tea-garden")
        store.rooms(community, [room])
        members = store.members(community, accounts, [None] * len(accounts))
        today = (dt.datetime.now(dt.UTC).date() - dt.date(1970, 1, 1)).days
        rows = [(m, today - d) for m in members for d in range(1, days + 1)]
        activity = ActivityColumns([m for m, _ in rows], [d for _, d in rows], [20] * len(rows))
        store.post(NO_FINDINGS, activity, after=store.head())


def count(folder: Path, query: str) -> int:
    """One figure from a store that may be in use."""
    db = sqlite3.connect(f"file:{folder / 'comity.sqlite'}?mode=ro", uri=True)
    try:
        found: int = db.execute(query).fetchone()[0]
        return found
    finally:
        db.close()


async def answered(who: Homeserver, desk: str, bot: str, command: str) -> str:
    """What the management room says to a command."""
    asked = await write(who, desk, command)

    async def said() -> str:
        events, _ = await who.messages(desk, "", limit=20)
        for event in events:
            if event["event_id"] == asked:
                return ""
            content = event["content"]
            body = content.get("body", "") if isinstance(content, dict) else ""
            if event["sender"] == bot and not body.startswith("#") and "Not carried out" not in body:
                return str(body)
        return ""

    await until(said)
    return await said()


async def test_a_scam_is_hidden_and_its_sender_muted_and_told_why(synapse: Synapse, tmp_path: Path) -> None:
    """The message goes, the level falls, one direct message states measures, facts, clause and appeal."""
    async with synapse.member() as olive, synapse.member() as sam:
        room = await room_with(olive, synapse, sam)
        async with serving(settings(tmp_path, synapse, rooms=[room])):
            tea = await write(sam, room, "milk first")
            trap = await write(sam, room, SCAM)
            account = await sam.account()
            await until(lambda: hidden(olive, room, trap))

            async def muted() -> bool:
                return await level(olive, room, account) == -1

            async def told() -> bool:
                return any("You cannot write." in text for text in await direct(sam, synapse))

            await until(muted)
            await until(told)
        assert not await hidden(olive, room, tea)
        (statement,) = await direct(sam, synapse)
        assert "clause 2.1" in statement
        assert "You can appeal until" in statement


async def test_a_manager_falls_the_deputy_takes_over_first_and_a_reversal_gives_all_back(
    synapse: Synapse, tmp_path: Path
) -> None:
    """In every state of the room's levels somebody manages it; the manager is told the figures; all comes back."""
    async with synapse.member() as olive, synapse.member() as dora, synapse.member() as cleo:
        room, desk = await room_with(olive, synapse, dora, cleo), await room_with(cleo, synapse, name="desk")
        manager, deputy = await olive.account(), await dora.account()
        before = await olive.state(room, "m.room.power_levels")
        path = settings(tmp_path, synapse, rooms=[room], management=desk)
        veterans(tmp_path, room, manager, deputy)
        async with serving(path):
            assert "takes over" in await answered(cleo, desk, synapse.bot, f"!comity deputy {room} {deputy}")
            trap = await write(olive, room, SCAM)

            async def handed_over() -> bool:
                mine, hers = await level(cleo, room, manager), await level(cleo, room, deputy)
                return mine == -1 and (hers or 0) >= 50

            await until(handed_over)
            await until(lambda: hidden(cleo, room, trap))

            async def told() -> bool:
                return any("Your standing is" in text for text in await direct(olive, synapse))

            await until(told)
            why = await answered(cleo, desk, synapse.bot, f"!comity why {manager}")
            parts = [float(x.split()[1]) for x in why.splitlines() if x.startswith(("- +", "- -"))]
            (total,) = (float(x.split()[2]) for x in why.splitlines() if x.startswith("- = "))
            assert len(parts) > 2
            assert pytest.approx(sum(parts), abs=1e-9) == total
            first = count(tmp_path, "SELECT min(number) FROM decision")
            said = await answered(cleo, desk, synapse.bot, f"!comity reverse {first} it was a quotation")
            assert f"Decision {first} is reversed, and with it" in said

            async def all_back() -> bool:
                return await cleo.state(room, "m.room.power_levels") == before

            await until(all_back)
        states, _ = await cleo.messages(room, "", limit=100)
        levels = [e["content"]["users"] for e in states if e["type"] == "m.room.power_levels"]  # type: ignore[index]
        assert all(any(n >= 50 for a, n in users.items() if a != synapse.bot) for users in levels[:-1])
        assert ["it was a quotation"] == [t.splitlines()[-1] for t in await direct(olive, synapse)][-1:]
        with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
            assert [] == store.decisions.in_force(2**50)
            assert store.verify().whole


async def test_newcomers_floods_edits_and_what_was_gone(synapse: Synapse, tmp_path: Path) -> None:
    """A newcomer's link is hidden, nobody is decided about; a flood is counted per room; an edit is read as it stands.

    Of a message that was redacted before we saw it nothing follows.
    """
    async with synapse.member() as olive, synapse.member() as nora, synapse.member() as vera:
        garden, attic = await room_with(olive, synapse, nora, vera), await room_with(olive, synapse, vera, nora)
        veterans(tmp_path, garden, await vera.account())
        path = settings(tmp_path, synapse, rooms=[garden, attic])
        async with serving(path):
            link = await write(nora, garden, "look https://garden.example/roses")
            fine = await write(vera, garden, "look https://garden.example/roses")
            spread = [await write(vera, room, f"tea {n}") for n in range(2) for room in (garden, attic)]
            await until(lambda: hidden(olive, garden, link))
            assert 0 == count(tmp_path, "SELECT count(*) FROM decision")
            more = [await write(vera, garden, f"milk {n}") for n in range(2)]
            await until(lambda: hidden(olive, garden, more[-1]))
            assert not await hidden(olive, attic, spread[-1])
            assert not await hidden(olive, garden, fine)
            new = {"msgtype": "m.text", "body": SCAM}
            relation = {"rel_type": "m.replace", "event_id": link}
            harmless = await write(nora, attic, "harmless")
            edit = await write(
                nora, attic, f"* {SCAM}", **{"m.new_content": new, "m.relates_to": relation | {"event_id": harmless}}
            )
            await until(lambda: hidden(olive, attic, edit))
        before = count(tmp_path, "SELECT count(*) FROM decision")
        async with synapse.member() as hal:
            await hal.join(garden)
            gone = await write(hal, garden, SCAM)
            await hal.redact(garden, gone, "gone")
            async with serving(path):
                last = await write(hal, garden, "https://garden.example/late")
                await until(lambda: hidden(olive, garden, last))
                assert before == count(tmp_path, "SELECT count(*) FROM decision")


async def test_a_raid_is_held_off(synapse: Synapse, tmp_path: Path) -> None:
    """Fifty join; the first words of new arrivals are hidden and they are muted, and who was there before is not."""
    async with synapse.member() as olive:
        room = await room_with(olive, synapse)
        raiders = [synapse.as_comity(f"comity_r{n}") for n in range(50)]
        veterans(tmp_path, room, await olive.account())
        async with serving(settings(tmp_path, synapse, rooms=[room])):
            for start in range(0, 50, 10):
                some = raiders[start : start + 10]
                await asyncio.gather(*(r.register_bot(f"comity_r{start + n}") for n, r in enumerate(some)))
                await asyncio.gather(*(r.join(room) for r in some))
            boos = [await write(r, room, "boo") for r in raiders[:6]]
            calm = await write(olive, room, "what is going on")
            for boo in boos:
                await until(lambda boo=boo: hidden(olive, room, boo))  # type: ignore[misc]

            async def muted() -> bool:
                return [-1] * 6 == [await level(olive, room, await r.account()) for r in raiders[:6]]

            await until(muted)
            assert not await hidden(olive, room, calm)
        for raider in raiders:
            await raider.close()


async def test_a_dry_run_decides_and_touches_nothing(synapse: Synapse, tmp_path: Path) -> None:
    """Decisions and statements are kept, the room's managers are told, and no event of ours is in the room."""
    async with synapse.member() as olive, synapse.member() as sam:
        room, desk = await room_with(olive, synapse, sam), await room_with(olive, synapse, name="desk")
        path = settings(tmp_path, synapse, rooms=[room], management=desk, dry_run=True)
        async with serving(path):
            await write(sam, room, SCAM)

            async def noticed() -> bool:
                events, _ = await olive.messages(desk, "", limit=10)
                return any("a trial, nothing is done" in str(e["content"]) for e in events)

            await until(noticed)
        events, _ = await olive.messages(room, "", limit=100)
        assert ["m.room.member"] == [e["type"] for e in events if e["sender"] == synapse.bot]
        assert count(tmp_path, "SELECT count(*) FROM statement") >= 2
        assert [] == await direct(sam, synapse)


async def test_an_invitation_of_somebody_allowed_is_followed_and_no_other(synapse: Synapse, tmp_path: Path) -> None:
    """The room is the community's from then on, also after the next start; a stranger's invitation is turned down."""
    async with synapse.member() as olive, synapse.member() as sam:
        path = settings(tmp_path, synapse, inviters=[await olive.account()])
        async with serving(path):
            room, other = await room_with(olive, synapse, sam), await room_with(sam, synapse)

            async def answered_both() -> bool:
                ours = await olive.membership(room, synapse.bot) == "join"
                return ours and await sam.membership(other, synapse.bot) == "leave"

            await until(answered_both)
        async with serving(path):
            trap = await write(sam, room, SCAM)
            await until(lambda: hidden(olive, room, trap))
