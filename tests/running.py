"""A live Comity in a process of its own, and people around it on a real homeserver."""

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from comity.adapters.matrix.client import Homeserver, HomeserverError, Json
from homeserver import ANTISPAM_TOKEN, AS_TOKEN, HS_TOKEN, Synapse, free_port

WITHIN = 60.0
_LIMITS = itertools.count(1)
CHARTER = """\
[charter]
community = "Tea garden"
time_zone = "UTC"

[[clause]]
id = "1.1"
text = "Leave others room to speak."
rule = "flood"
parameters = { allowed = 3, look_back = "30s" }
severity = "minor"
measures = ["hide", "slow"]

[[clause]]
id = "2.1"
text = "Do not post links to scams."
rule = "scam-link"
parameters = { domains = ["free-teapots.example"] }
severity = "severe"
measures = ["hide", "mute"]

[[clause]]
id = "4.1"
text = "Do not come in a crowd to disturb."
rule = "raid"
parameters = { joins = 10, look_back = "60s" }
severity = "serious"
measures = ["hide", "mute"]
"""
SCAM = "free teapots at https://free-teapots.example/now"


def settings(
    folder: Path,
    synapse: Synapse,
    *,
    rooms: Sequence[str] = (),
    management: str = "",
    inviters: Sequence[str] = (),
    charter: str = CHARTER,
    matrix: str = "",
    dry_run: bool = False,
) -> Path:
    """Settings of a community on a Synapse; matrix: how it is reached, as an application service if not given."""
    (folder / "charter.toml").write_text(charter, "utf-8")
    way = matrix or f'mode = "appservice"\nuser = "{synapse.bot}"\nas_token = "{AS_TOKEN}"\nhs_token = "{HS_TOKEN}"'
    if synapse.antispam_port and not matrix:
        way = f'{way}\nantispam_token = "{ANTISPAM_TOKEN}"'
    port = free_port() if matrix else synapse.push_port
    text = (
        f'store = "comity.sqlite"\ndry_run = {json.dumps(dry_run)}\n[server]\nbind = "127.0.0.1:{port}"\n'
        f'[matrix]\nhomeserver = "{synapse.base_url}"\n{way}\n'
        + (f'management_room = "{management}"\n' if management else "")
        + f'[[community]]\nid = "tea-garden"\ncharter = "charter.toml"\n'
        f"rooms = {json.dumps(list(rooms))}\ninviters = {json.dumps(list(inviters))}\n"
    )
    path = folder / "comity.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


class Comity:
    """One running ``comity serve``. before: Python that it does first."""

    def __init__(self, path: Path, before: str = "") -> None:
        code = f"{before}\nfrom comity.cli import main\nmain()"
        self.log = path.with_name("log.ndjson")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, "serve", "--settings", str(path)], stderr=log, stdout=log, env=os.environ
            )
        text = path.read_text("utf-8")
        self.address = "http://" + text.partition('bind = "')[2].partition('"')[0]

    async def ready(self, within: float = WITHIN) -> "Comity":
        """Wait until it is ready."""

        async def asked() -> bool:
            assert self.process.poll() is None, self.log.read_text("utf-8")[-3000:]
            with contextlib.suppress(aiohttp.ClientError):
                async with aiohttp.ClientSession() as session, session.get(f"{self.address}/readyz") as answer:
                    return answer.status == 200
            return False

        await until(asked, within)
        return self

    def stop(self) -> int:
        """End it gently; its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(20)
        finally:
            if self.process.poll() is None:
                self.process.kill()


@contextlib.asynccontextmanager
async def serving(path: Path, before: str = "") -> AsyncIterator[Comity]:
    """A live Comity that is ready."""
    comity = Comity(path, before)
    try:
        yield await comity.ready()
    finally:
        status = comity.stop()
    assert status == 0, comity.log.read_text("utf-8")[-3000:]


async def until(done: Callable[[], Awaitable[object]], within: float = WITHIN) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(within):
        while not await done():  # noqa: ASYNC110 - what is waited for is on the homeserver
            await asyncio.sleep(0.05)


async def room_with(
    owner: Homeserver, synapse: Synapse, *others: Homeserver, name: str = "garden", bot: str = ""
) -> str:
    """A room that others are in, and that our bot is invited to with power to govern it. bot: another than usual."""
    account, bot = await owner.account(), bot or synapse.bot
    room = await owner.create_room(
        name=name,
        preset="public_chat",
        room_version="11",
        invite=[bot],
    )
    levels = await owner.state(room, "m.room.power_levels") or {}
    await owner.put_state(room, "m.room.power_levels", {**levels, "users": {account: 90, bot: 100}})
    for other in others:
        await other.join(room)
    return room


async def write(who: Homeserver, room: str, text: str, **more: object) -> str:
    """Write a message; its id."""
    content = {"msgtype": "m.text", "body": text, **more}
    return await who.send(room, "m.room.message", content, uuid.uuid4().hex)


async def hidden(who: Homeserver, room: str, event: str) -> bool:
    """Whether a message is out of view."""
    found = await who.event(room, event)
    return found is not None and "redacted_because" in (found.get("unsigned") or {})  # type: ignore[operator]


async def level(who: Homeserver, room: str, account: str) -> int | None:
    """An account's own power level."""
    users: Any = (await who.state(room, "m.room.power_levels") or {}).get("users", {})
    found: int | None = users.get(account)
    return found


async def direct(who: Homeserver, synapse: Synapse) -> list[str]:
    """What our bot told somebody by direct message."""
    # Synapse keeps the answer to a first sync for two minutes: each time another filter asks anew.
    unlike = json.dumps({"room": {"timeline": {"limit": next(_LIMITS)}}})
    found: Json = await who.sync(timeout=0, filter=unlike)
    rooms: Any = found.get("rooms", {})
    for room, there in rooms.get("invite", {}).items():
        if any(e.get("sender") == synapse.bot for e in there["invite_state"]["events"]):
            with contextlib.suppress(HomeserverError):
                await who.join(room)
    told = []
    for room in await who.joined_rooms():
        events, _ = await who.messages(room, "", limit=50)
        direct_room = any(e["type"] == "m.room.create" and e["sender"] == synapse.bot for e in events)
        texts: list[Any] = [
            e["content"]
            for e in reversed(events)
            if e["type"] == "m.room.message" and e["sender"] == synapse.bot and direct_room
        ]
        told += [t.get("body", "") for t in texts]
    return told
