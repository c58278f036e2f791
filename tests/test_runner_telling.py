"""What members and managers are told: once, without repeating itself, and not about what was taken back."""

from pathlib import Path

import pytest

from comity.core.carried import Carried
from comity.core.decision import Course
from comity.runner import telling
from fake_garden import message
from fake_homeserver import FakeHomeserver
from test_runner_kill import MEMBERS, ROOMS
from test_runner_unwell import garden, now, running, soon

pytestmark = pytest.mark.anyio


def flood(count: int) -> list[dict[str, object]]:
    """So many harmless messages of one member in one room within a second."""
    at = now()
    return [message(n, ROOMS[0], MEMBERS[0], f"the kettle sings {n}", at + n) for n in range(count)]


async def test_what_was_decided_alike_is_told_once(fake: FakeHomeserver, tmp_path: Path) -> None:
    """A flood of which four messages are hidden gives one statement of hiding, with the numbers of the other three."""
    well = garden(fake)
    async with running(tmp_path, fake) as (runner, _store):
        await soon(lambda: not runner.ready())
        for said in flood(7):
            await runner.take([said])
        await soon(lambda: any("What you wrote is hidden." in text for _, text in well.sent))

    (text,) = [text for room, text in well.sent if room.startswith("!direct")]
    assert text.count("What you wrote is hidden.") == 1
    assert "The same was decided in decisions " in text


async def test_what_was_taken_back_before_it_was_told_is_not_told(
    fake: FakeHomeserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member is not told why something was decided that has already been reversed."""
    monkeypatch.setattr(telling, "EVERY", 600.0)  # nobody is told before the test says so
    well = garden(fake)
    async with running(tmp_path, fake) as (runner, store):
        await soon(lambda: not runner.ready())
        for said in flood(4):
            await runner.take([said])
        d = store.decisions
        made = d.decisions()
        assert made
        with store.write():
            for decision in made:
                d.reverse(decision.number, "olive", now(), "it was a song", Carried(), after=store.head())
        assert {Course.REVERSED} == {x.course for x in d.decisions()}
        runner._telling.tell_members(now() + 60_000)
        await soon(lambda: not runner._telling._owed)

    assert [] == [text for room, text in well.sent if room.startswith("!direct")]
