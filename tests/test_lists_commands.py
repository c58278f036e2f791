"""Commands about lists on a real homeserver: what another bot was set to do, and a list of one's own."""

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import CliRunner, Result

from comity.adapters.matrix.client import Homeserver
from comity.adapters.matrix.migrate import ENABLED, MEOWLNIR_WATCHED, PROTECTED, WATCHED
from comity.adapters.matrix.policy_lists import read_list
from comity.charter_file import load_charter
from comity.cli import comity
from comity.core.charter import State
from comity.core.policy import Policy
from comity.settings_file import load_settings
from homeserver import Synapse
from running import CHARTER, settings

T = TypeVar("T")


def run(*arguments: object, **environment: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(comity, [str(a) for a in arguments], env=environment)


def asked(homeserver: Homeserver, what: Callable[[Homeserver], Awaitable[T]]) -> T:
    """Ask a homeserver something."""

    async def ask() -> T:
        async with homeserver:
            return await what(homeserver)

    return asyncio.run(ask())


def entries(keeper: Homeserver, room: str) -> list[Policy]:
    """What a list says."""

    async def read(h: Homeserver) -> list[Policy]:
        found, unread = read_list(await h.whole_state(room), room=room)
        assert unread == []
        return list(found)

    return asked(keeper, read)


def weeds(synapse: Synapse, owner: Homeserver) -> str:
    """A list room of the owner's, whose state our bot may set."""

    async def make(h: Homeserver) -> str:
        async with synapse.as_comity() as bot:
            with contextlib.suppress(Exception):
                await bot.register_bot("comity")
        room = await h.create_room(name="Weeds", preset="public_chat", room_version="11")
        levels = await h.state(room, "m.room.power_levels") or {}
        users = {await h.account(): 100, synapse.bot: 50}
        await h.put_state(room, "m.room.power_levels", {**levels, "users": users})
        return room

    return asked(owner, make)


def test_what_draupnir_was_set_to_do_becomes_a_proposal(synapse: Synapse, tmp_path: Path) -> None:
    """Lists are settings that hold, clauses a charter in shadow, and the bot's own account is as it was."""
    account, token = synapse.register("draupnir")

    async def keep(h: Homeserver) -> None:
        await h.put_account_data(PROTECTED, {"rooms": ["!garden:garden.example"]})
        await h.put_account_data(
            WATCHED, {"references": ["https://matrix.to/#/%23weeds%3Agarden.example?via=garden.example"]}
        )
        await h.put_account_data(ENABLED, {"enabled": ["BasicFloodingProtection", "TrustedReporters"]})

    asked(Homeserver(synapse.base_url, token, account=account), keep)
    options = ("--homeserver", synapse.base_url, "--folder", tmp_path)
    shown = run("lists", "import", "--from", "draupnir", *options, "--token", "env:TEAPOT", TEAPOT=token)
    assert (shown.exit_code, token in shown.output) == (0, False)
    assert "Not carried over: TrustedReporters" in shown.output

    (tmp_path / "whole.toml").write_text(CHARTER + (tmp_path / "draupnir-clauses.toml").read_text())
    charter = load_charter(tmp_path / "whole.toml")
    assert {State.SHADOW} == {c.state for c in charter.clauses if c.id.startswith(("lists", "draupnir"))}
    path = settings(tmp_path, synapse)
    path.write_text(path.read_text() + (tmp_path / "draupnir-settings.toml").read_text())
    (follow,) = load_settings(path).lists
    assert (follow.room, follow.via, follow.apply) == ("#weeds:garden.example", ("garden.example",), True)
    assert follow.clause in {c.id for c in charter.clauses}
    assert "!garden:garden.example" in (tmp_path / "draupnir-settings.toml").read_text()


def test_meowlnirs_lists_come_from_a_file_too_and_nothing_is_written_over(tmp_path: Path) -> None:
    """A list that was only looked at stays so; a second time nothing is replaced, and nothing half-written."""
    watched = {"lists": [{"room_id": "!weeds:x", "name": "Weeds", "dont_apply": True}]}
    state = tmp_path / "state.json"
    state.write_text(json.dumps([{"type": MEOWLNIR_WATCHED, "state_key": "", "content": watched}]))
    options = ("lists", "import", "--from", "meowlnir", "--state", state, "--folder", tmp_path / "new")
    assert run(*options).exit_code == 0
    (tmp_path / "new" / "meowlnir-clauses.toml").unlink()
    before = (tmp_path / "new" / "meowlnir-settings.toml").read_text()
    assert "apply = false" in before

    again = run(*options)
    assert again.exit_code == 1
    assert before == (tmp_path / "new" / "meowlnir-settings.toml").read_text()
    assert not (tmp_path / "new" / "meowlnir-clauses.toml").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--homeserver", "http://127.0.0.1:9"), "--token is missing"),
        (("--homeserver", "http://127.0.0.1:9", "--token", "teapot"), "can be read by others"),
        (("--homeserver", "http://127.0.0.1:9", "--token", "env:NOWHERE"), "there is no token in env:NOWHERE"),
        (("--homeserver", "http://127.0.0.1:9", "--token", "env:TEAPOT"), "does not answer as a homeserver does"),
        ((), "name --homeserver and --token"),
    ],
)
def test_an_import_that_cannot_be_says_what_is_missing(
    options: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, no traceback, and no file."""
    monkeypatch.chdir(tmp_path)
    shown = run("lists", "import", "--from", "draupnir", *options, TEAPOT="a-token")
    assert shown.exit_code == 1
    assert said in re.sub(r"\s+", " ", shown.output)
    assert list(tmp_path.iterdir()) == []


def test_an_entry_is_published_once_and_taken_off_again(synapse: Synapse, tmp_path: Path) -> None:
    """What is on the list already is not written again; taken off, nothing of it counts any more."""
    account, token = synapse.register("keeper")
    keeper = Homeserver(synapse.base_url, token, account=account)
    room = weeds(synapse, keeper)
    path = settings(tmp_path, synapse)
    options = ("--room", room, "--settings", path)

    assert run("lists", "publish", "@robot*:*", *options).exit_code == 1  # without a reason
    first = run("lists", "publish", "@robot*:*", *options, "--reason", "toothpaste adverts")
    assert "is on the list “Weeds”" in first.output
    (entry,) = entries(keeper, room)
    assert (entry.entity, entry.reason, entry.by) == ("@robot*:*", "toothpaste adverts", synapse.bot)

    again = run("lists", "publish", "@robot*:*", *options, "--reason", "toothpaste adverts")
    assert "already" in again.output
    assert [entry] == entries(keeper, room)

    assert "is off the list" in run("lists", "publish", "@robot*:*", *options, "--take-off").output
    assert entries(keeper, room) == []
    assert run("lists", "publish", "@robot*:*", *options, "--take-off").exit_code == 1


def test_a_list_that_no_clause_adopts_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """The check names the clause, the community and the nearest clause there is."""
    words = ("--yes", "--server-name", "example.org", "--inviter", "@olive:example.org", "--name", "Tea Garden")
    assert run("init", *words, "--folder", tmp_path).exit_code == 0
    path = tmp_path / "comity.toml"
    before = path.read_text()
    path.write_text(before + '\n[[list]]\nroom = "#weeds:example.org"\nclause = "4.22"\n')
    shown = run("serve", "--settings", path, "--check")
    assert shown.exit_code == 1
    assert "no clause '4.22' is in the charter of tea-garden" in shown.output

    path.write_text(before + '\n[[list]]\nroom = "#weeds:example.org"\nclause = "4.2"\napply = false\n')
    told = run("serve", "--settings", path, "--check").output
    assert "tea-garden: it follows the list #weeds:example.org to look at only." in told
