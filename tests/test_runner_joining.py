"""Which rooms are a community's, and which are not, on a real homeserver."""

import uuid
from pathlib import Path

import pytest

from homeserver import Synapse
from running import CHARTER, room_with, serving, settings, until, write
from test_runner_lists import ADOPTED, following

pytestmark = pytest.mark.anyio


async def test_a_management_room_made_later_is_one_and_no_room_of_a_community(synapse: Synapse, tmp_path: Path) -> None:
    """Made and invited to while Comity runs: commands are answered, and nobody there is governed; nor in a list's."""
    async with synapse.member() as olive:
        account = await olive.account()
        mark = uuid.uuid4().hex[:8]
        alias, weeds = f"#desk-{mark}:garden.example", f"#weeds-{mark}:garden.example"
        path = settings(tmp_path, synapse, management=alias, inviters=[account], charter=CHARTER + ADOPTED)
        async with serving(following(path, weeds)):
            desk = await olive.create_room(
                name="desk", room_alias_name=f"desk-{mark}", preset="private_chat", invite=[synapse.bot]
            )
            await olive.create_room(
                name="weeds", room_alias_name=f"weeds-{mark}", preset="private_chat", invite=[synapse.bot]
            )
            await room_with(olive, synapse)

            async def there() -> bool:
                return await olive.membership(desk, synapse.bot) == "join"

            await until(there)

            async def answered() -> bool:
                await write(olive, desk, "!comity status")
                events, _ = await olive.messages(desk, "", limit=20)
                return any("tea-garden: 1 rooms" in str(e.get("content")) for e in events)

            await until(answered)
