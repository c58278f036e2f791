"""The example community alive: a homeserver on loopback, Comity beside it, and members who play scenes of the chat.

``make run-matrix`` runs it. It stops what it started when it is stopped, and keeps all it made in one folder.
"""

import argparse
import asyncio
import contextlib
import secrets
import shutil
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from comity.adapters.matrix.client import Homeserver, part
from comity.core.errors import ComityError
from comity.core.event import Event
from comity.settings_file import load_settings
from local_comity import LocalComity, alone
from local_synapse import LocalSynapse, free_port
from matrix_garden_watch import Watch, tell

ROOT: Final = Path(__file__).parent.parent
EXAMPLE: Final = ROOT / "examples" / "tea-garden"
PYTHON_OF_SYNAPSE: Final = ROOT / ".venv-synapse" / "bin" / "python"
SERVER: Final = "tea-garden.localhost"
BOT: Final = f"@comity:{SERVER}"
ROOMS: Final = ("garden", "attic", "help")
WITHIN: Final = 60.0  # seconds that what was begun may take
# Scenes of the example chat: from which event to which.
TALK: Final = ("tea-00002", "tea-00023")
FLOOD: Final = ("tea-00102", "tea-00117")
SCAM: Final = ("tea-00181", "tea-00182")
LISTED: Final = ("tea-01196", "tea-01197")
LATE: Final = ("lucky-spoon", "free-teapots-77")  # those who join in their scene
FOLLOWED: Final = """
[[list]]
room = "#weeds:{server}"
clause = "4.2"
"""


class Garden:
    """One run. folder: for all that is made; pace: seconds between two messages."""

    def __init__(self, folder: Path, pace: float) -> None:
        self.folder, self.pace = folder, pace
        self.synapse = LocalSynapse(PYTHON_OF_SYNAPSE, folder / "synapse", SERVER)
        self.settings = folder / "comity" / "comity.toml"
        self.password = secrets.token_urlsafe(9)
        self.events = [
            msgspec.json.decode(row, type=Event) for row in (EXAMPLE / "chat.ndjson").read_bytes().splitlines()
        ]
        self.members: dict[str, Homeserver] = {}
        self.rooms: dict[str, str] = {}
        self.names = {BOT: "Comity"}
        self.comity = LocalComity(self.settings, folder / "comity.log")

    # What runs.

    def set_up(self) -> None:
        """Settings, charter, registration, and a homeserver that has read them."""
        (self.folder / "synapse").mkdir(parents=True)
        own = self.settings.parent
        own.mkdir()
        for name in ("charter.toml", "scam-domains.txt"):
            shutil.copy(EXAMPLE / name, own / name)
        options: list[str | Path] = ["--yes", "--act", "--folder", own, "--name", "Tea Garden", "--server-name", SERVER]
        options += ["--homeserver", self.synapse.address, "--bind", f"127.0.0.1:{free_port()}"]
        options += ["--inviter", f"@oliver:{SERVER}", "--management-room", f"#desk:{SERVER}"]
        for room in ROOMS:
            options += ["--room", f"#{room}:{SERVER}"]
        self.comity.run("init", *options)
        with self.settings.open("a", encoding="utf-8") as settings:
            settings.write(FOLLOWED.format(server=SERVER))
        self.synapse.configure((own / "comity-registration.yaml").absolute())
        self.synapse.start()

    def stop(self) -> None:
        """Stop what was started, Comity first."""
        self.comity.stop()
        self.synapse.stop()

    # Who and where.

    async def invite_all(self) -> None:
        """Accounts of those who play, and rooms that Comity made, so that nobody stands above it there."""
        scenes = [e for scene in (TALK, FLOOD, SCAM, LISTED) for e in self.scene(scene)]
        shown = {e.member: e.name or e.member for e in self.events}
        for name in ["oliver", "mariam", *dict.fromkeys(e.member for e in scenes)]:
            if name not in self.members:
                account, token = await asyncio.to_thread(self.synapse.register, name, self.password)
                self.members[name] = Homeserver(self.synapse.address, token, account=account)
                self.names[account] = shown[name]
                profile = f"/_matrix/client/v3/profile/{part(account)}/displayname"
                await self.members[name].request("PUT", profile, {"displayname": shown[name]})
        matrix = load_settings(self.settings).matrix
        async with Homeserver(matrix.homeserver, matrix.token.reveal(), BOT) as bot:
            await bot.register_bot(matrix.localpart)
            for name in ROOMS:
                await self._room(bot, name, preset="public_chat", managers=("oliver",))
            await self._room(bot, "weeds", preset="public_chat", managers=("oliver",))
            await self._room(bot, "desk", preset="private_chat", managers=("oliver", "mariam"))
        for name, client in self.members.items():
            if name not in LATE:
                for room in (*ROOMS, *(("desk", "weeds") if name in {"oliver", "mariam"} else ())):
                    await client.join(self.rooms[room])
        oliver = self.members["oliver"]
        for name, room in self.rooms.items():  # an application service may name only rooms it has reserved names for
            alias = f"#{name}:{SERVER}"
            await oliver.request("PUT", f"/_matrix/client/v3/directory/room/{part(alias)}", {"room_id": room})
            await oliver.put_state(room, "m.room.canonical_alias", {"alias": alias})

    async def leave(self) -> None:
        """Close every member's connections."""
        for client in self.members.values():
            await client.close()

    async def _room(self, bot: Homeserver, name: str, *, preset: str, managers: tuple[str, ...]) -> None:
        accounts = {f"@{m}:{SERVER}": 100 for m in managers}
        # The bot stands above managers in rooms before version 12, and as their creator in those since.
        self.rooms[name] = await bot.create_room(
            name=name.capitalize(),
            preset=preset,
            room_version="12",
            invite=[*accounts] if preset == "private_chat" else [],
            power_level_content_override={"users": accounts},
        )
        self.names[self.rooms[name]] = f"#{name}"

    # What is played.

    def scene(self, span: tuple[str, str]) -> list[Event]:
        """Messages and joins of the example chat, from one event to another."""
        return [e for e in self.events if span[0] <= e.id <= span[1] and e.kind in {"message", "join"}]

    async def play(self, span: tuple[str, str]) -> None:
        """Have members do what they do in the chat."""
        for event in self.scene(span):
            client, room = self.members[event.member], self.rooms[event.room[1:]]
            if event.kind == "join":
                await client.join(room)
            elif event.text is not None:
                await self.write(event.member, room, event.text)
            await asyncio.sleep(self.pace)

    async def write(self, who: str, room: str, text: str) -> None:
        """Write as a member; what is refused is what Comity decided."""
        content = {"msgtype": "m.text", "body": text}
        try:
            await self.members[who].send(room, "m.room.message", content, uuid.uuid4().hex)
        except Exception as error:  # noqa: BLE001 - whatever it is, the play goes on and it is shown
            tell("refused", f"{self.names[f'@{who}:{SERVER}']} cannot write: {error}")

    async def level(self, who: str) -> int:
        """A member's power in #garden."""
        levels: Any = await self.members["mariam"].state(self.rooms["garden"], "m.room.power_levels")
        found: int = levels.get("users", {}).get(f"@{who}:{SERVER}", 0)
        return found

    async def play_all(self, watch: Watch) -> None:
        """Every scene, each after what followed from the one before."""
        garden, desk = self.rooms["garden"], self.rooms["desk"]
        heading("Good morning. Oliver names who takes over if he cannot manage.")
        for room in ROOMS:
            await self.write("oliver", desk, f"!comity deputy #{room}:{SERVER} @mariam:{SERVER}")
        await self.play(TALK)
        await _until(lambda: watch.told["notice"] >= len(ROOMS), "an answer")

        heading("Bruno tells of a kettle, in far too many messages.")
        await self.play(FLOOD)
        await _until(stated(watch, "bruno"), "a statement to Bruno")

        heading("A stranger links to a scam.")
        await self.play(SCAM)
        await _until(stated(watch, "lucky-spoon"), "a statement to Lucky Spoon")

        heading("The group's own list of bans names an account; then it comes.")
        entry = f"@free-teapots-*:{SERVER}"
        words = ("--room", f"#weeds:{SERVER}", "--reason", "offers of free teapots", "--settings", self.settings)
        tell("list", await asyncio.to_thread(self.comity.run, "lists", "publish", entry, *words))
        await self.play(LISTED)
        await _until(stated(watch, "free-teapots-77"), "a statement to Free Teapots")

        heading("Somebody else has Oliver's account. He manages the group: Mariam takes over.")
        await self.write("oliver", garden, self.scene(SCAM)[-1].text or "")
        await _until(self._handed_over, "the hand-over to Mariam")
        await _until(stated(watch, "oliver"), "a statement to Oliver")
        await self.write("mariam", desk, "!comity status")

        heading("Oliver has his account back. Mariam takes the decision back, and all that followed from it.")
        number = await asyncio.to_thread(self._about, f"@oliver:{SERVER}")
        await self.write("mariam", desk, f"!comity reverse {number} somebody else had his account")
        await _until(self._given_back, "management going back to Oliver")
        await self.write("mariam", desk, "!comity why oliver")
        await self.write("mariam", desk, "!comity rooms")
        await asyncio.sleep(2 + self.pace)

    async def _handed_over(self) -> bool:
        return await self.level("oliver") < 50 <= await self.level("mariam")

    async def _given_back(self) -> bool:
        return await self.level("mariam") < 50 <= await self.level("oliver")

    def _about(self, account: str) -> int:
        from comity.stores.sqlite import SqliteStore  # noqa: PLC0415  only here

        store = load_settings(self.settings).store
        with SqliteStore.open(store, durable=False, read_only=True) as ledger:
            (member,) = ledger.members_named(account)
            return ledger.decisions.decisions(member=member.number)[0].number

    def where_to_look(self) -> str:
        """What somebody with a Matrix client needs."""
        who = ", ".join(sorted(a for a in self.names if a.startswith("@") and a != BOT))
        return (
            f"Homeserver   {self.synapse.address}   (any Matrix client: choose it as the homeserver to sign in)\n"
            f"Accounts     {who}\n"
            f"Password     {self.password}   (the same for all; only on this machine, only for this run)\n"
            f"Rooms        {', '.join(f'#{n}:{SERVER}' for n in self.rooms)}\n"
            f"Commands     as @oliver or @mariam in #desk:{SERVER}, such as: !comity help\n"
            f"Kept in      {self.folder}"
        )


def stated(watch: Watch, who: str) -> Callable[[], bool]:
    """Whether somebody was told why."""
    return lambda: f"@{who}:{SERVER}" in watch.stated


def heading(text: str) -> None:
    """What comes now."""
    sys.stdout.write(f"\n== {text}\n")
    sys.stdout.flush()


@contextlib.asynccontextmanager
async def watched(garden: Garden) -> AsyncIterator[Watch]:
    """Everything that happens is told meanwhile."""
    watch = Watch(garden.names, BOT, Path(load_settings(garden.settings).store))
    tasks = [asyncio.create_task(watch.store())]
    for name, client in garden.members.items():
        account = f"@{name}:{SERVER}"
        tasks.append(asyncio.create_task(watch.member(account, client, rooms=name == "mariam")))
    try:
        yield watch
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def live(garden: Garden, *, once: bool) -> None:
    """Play, then stay until stopped."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    heading("A homeserver on this machine, and Comity beside it")
    async with contextlib.AsyncExitStack() as opened:
        await asyncio.to_thread(garden.set_up)
        opened.push_async_callback(garden.leave)
        await garden.invite_all()
        await asyncio.to_thread(garden.comity.serve)
        tell("ready", garden.where_to_look())
        watch = await opened.enter_async_context(watched(garden))
        stopping = asyncio.create_task(stop.wait())
        playing = asyncio.create_task(garden.play_all(watch))
        await asyncio.wait({stopping, playing}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            playing.result()
            told = ", ".join(f"{n} {what}s" for what, n in watch.told.items())
            heading(f"That was the play ({told}). Now write yourself:")
            tell("ready", garden.where_to_look())
            if not once:
                heading("Ctrl-C stops both.")
                await stopping
        for task in (playing, stopping):
            task.cancel()
        await asyncio.gather(playing, stopping, return_exceptions=True)


def main() -> None:
    """Run it. Exit status 1 and one sentence if something did not come about."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "matrix-garden", help="where all of it is kept")
    parser.add_argument("--pace", type=float, default=0.4, help="seconds between two messages")
    parser.add_argument("--once", action="store_true", help="play and end")
    given = parser.parse_args()
    if not PYTHON_OF_SYNAPSE.exists():
        raise SystemExit("there is no Synapse here: `make run-matrix` sets one up")
    folder = given.folder.absolute()
    with alone(folder, ("synapse", "comity", "comity.log")):
        garden = Garden(folder, given.pace)
        try:
            asyncio.run(live(garden, once=given.once))
        except (ComityError, RuntimeError, TimeoutError) as error:
            raise SystemExit(f"{error}") from error
        finally:
            heading("Stopping Comity, then the homeserver.")
            garden.stop()


async def _until(done: Callable[[], bool | Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + WITHIN
    while True:
        held = done()
        if held if isinstance(held, bool) else await held:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {WITHIN:.0f} seconds")
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    main()
