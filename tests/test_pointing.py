"""What somebody means who points at a message or a member."""

from pathlib import Path

import pytest

from comity.runner.pointing import Pointed, Why
from fake_homeserver import FakeHomeserver
from office_kit import MEMBERS, house
from test_runner_kill import ROOMS

pytestmark = pytest.mark.anyio
ROOM = ROOMS[0]
WITH_SIGN, PLAIN = ROOM, ROOM.removeprefix("!")


@pytest.mark.parametrize(
    "text",
    [
        f"https://matrix.to/#/{WITH_SIGN}/$event-1?via=garden.example",
        f"  <https://matrix.to/#/{WITH_SIGN.replace('!', '%21').replace(':', '%3A')}/%24event-1> ",
        f"matrix:roomid/{PLAIN}/e/event-1?via=garden.example",
    ],
)
async def test_a_link_that_a_client_copies_is_understood(fake: FakeHomeserver, tmp_path: Path, text: str) -> None:
    """By matrix.to and by the scheme of its own, with what stands around it."""
    async with house(tmp_path, fake) as live:
        number = live.store.rooms(1, [ROOM])[0]
        assert Pointed(room=number, event="$event-1") == await live.office.pointed(1, text)


async def test_members_are_meant_by_account_link_or_name(fake: FakeHomeserver, tmp_path: Path) -> None:
    """One who is named alone is meant; nobody is guessed where two are called the same."""
    async with house(tmp_path, fake) as live:
        await live.say(MEMBERS[0], "milk first")
        await live.say(MEMBERS[1], "tea first")
        ana, bo = live.number(MEMBERS[0]), live.number(MEMBERS[1])
        live.store.members(1, MEMBERS[:2], ["Ana", "Bo"])
        for text in ("ana", MEMBERS[0], f"https://matrix.to/#/{MEMBERS[0]}", f"matrix:u/{MEMBERS[0][1:]}"):
            assert Pointed(member=ana) == await live.office.pointed(1, text), text
        assert Pointed(why=Why.NOBODY) == await live.office.pointed(1, "an")
        live.store.rename([bo], ["Ana"])
        assert Pointed(why=Why.SEVERAL) == await live.office.pointed(1, "Ana")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", Why.NOTHING),
        ("$event-1", Why.WHERE),
        (f"https://matrix.to/#/{WITH_SIGN}", Why.WHERE),
        ("https://matrix.to/#/!elsewhere:other.example/$event-1", Why.ROOM),
        ("matrix:", Why.NOTHING),
        ("nobody of that name", Why.NOBODY),
    ],
)
async def test_what_cannot_be_told_is_asked_about(fake: FakeHomeserver, tmp_path: Path, text: str, why: Why) -> None:
    """Each has its own reason; a bare message is found once its room is named beside it."""
    async with house(tmp_path, fake) as live:
        assert Pointed(why=why) == await live.office.pointed(1, text)
        if text == "$event-1":
            assert Pointed(room=7, event=text) == await live.office.pointed(1, text, room=7)
