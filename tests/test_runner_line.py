"""``comity serve`` on a real homeserver: from what members write to what becomes of it, and back."""

from pathlib import Path

import pytest

from homeserver import Synapse
from running import SCAM, direct, hidden, level, room_with, serving, settings, until, write

pytestmark = pytest.mark.anyio


async def test_a_scam_is_hidden_and_its_sender_muted_and_told_why(synapse: Synapse, tmp_path: Path) -> None:
    """The message goes, the level falls, a direct message states measure, facts, clause and appeal."""
    async with synapse.member() as olive, synapse.member() as sam:
        room = await room_with(olive, synapse, sam)
        async with serving(settings(tmp_path, synapse, rooms=[room])):
            tea = await write(sam, room, "milk first")
            trap = await write(sam, room, SCAM)
            account = await sam.account()
            await until(lambda: hidden(olive, room, trap))

            async def muted() -> bool:
                return await level(olive, room, account) == -1

            await until(muted)

            async def told() -> bool:
                return any("You cannot write." in text for text in await direct(sam, synapse))

            await until(told)
        assert not await hidden(olive, room, tea)
        (statement,) = await direct(sam, synapse)
        assert "clause 2.1" in statement
        assert "You can appeal until" in statement
