"""``comity rooms`` and ``comity deputy``: what an operator asks and says outside the management room."""

import asyncio
from pathlib import Path

import pytest

from comity.stores.sqlite import SqliteStore
from commanding import run
from homeserver import Synapse
from running import room_with, settings

pytestmark = pytest.mark.anyio


async def test_rooms_says_what_cannot_be_enforced_and_how_to_mend_it(synapse: Synapse, tmp_path: Path) -> None:
    """A room with power is whole; one where the bot is an ordinary member is told with the level it needs."""
    async with synapse.member() as olive, synapse.as_comity() as bot:
        await bot.register_bot("comity")
        whole = await room_with(olive, synapse, name="whole")
        weak = await olive.create_room(name="weak", preset="public_chat", room_version="11")
        for room in (whole, weak):
            await bot.join(room)
        told = (await asyncio.to_thread(run, "rooms", "--settings", settings(tmp_path, synapse))).stdout
    assert f"whole ({whole}): everything can be carried out." in told
    assert f"weak ({weak}): not everything can be carried out." in told
    assert "needs power level 50 and has 0. A manager can raise it" in told


def test_deputies_are_named_in_order_and_taken_back(tmp_path: Path) -> None:
    """A room that is not looked after, and an account nobody has, are refused; names are kept in their order."""
    (tmp_path / "comity.toml").write_text(
        '[matrix]\nhomeserver = "http://127.0.0.1:1"\nuser = "@comity:x"\nas_token = "a"\nhs_token = "b"\n'
        '[[community]]\nid = "tea-garden"\n'
    )
    with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
        community = store.community("tea-garden")
        store.rooms(community, ["!garden:x"])
        store.members(community, ["@dora:x", "@emil:x"], [None, None])
    of = ("--settings", tmp_path / "comity.toml")
    assert "in order: @emil:x, @dora:x." in run("deputy", "!garden:x", "@emil:x", "@dora:x", *of).stdout
    assert "in order: @dora:x." in run("deputy", "!garden:x", "@emil:x", "--remove", *of).stdout
    assert "in order: @dora:x." in run("deputy", "!garden:x", *of).stdout
    assert "no room !attic:x is looked after" in run("deputy", "!attic:x", *of).stderr
    assert "no members have the account @fay:x" in run("deputy", "!garden:x", "@fay:x", *of).stderr
