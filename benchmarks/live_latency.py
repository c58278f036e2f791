"""From sending to seeing it hidden, on one real Synapse: Comity and the least an application service can do, in turn.

Usage: live_latency.py [--floor FOLDER] [--samples N] [--restarts N]

``--floor`` names the folder of ``floor.py`` (by default ``../shared/bench/matrix`` beside the checkout); without it
Comity is measured alone. Each flagged message goes to a room of its own side, one side after the other; another
client, which syncs, notes when it sees the message and its redaction.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import living
from comity.adapters.matrix.appservice import Registration
from comity.adapters.matrix.client import Homeserver, HomeserverError
from living import tested

FLAGGED, CLEAN = "zxspamword number {n} and a cup of tea", "a cup of tea number {n}, and the weather is fine"
EACH = 4  # flagged messages of one sender, few enough that nothing but hiding follows
GAP = 0.25  # seconds between messages
CLEANS = 300  # clean messages


class Watcher:
    """A client that syncs, and when it saw what."""

    def __init__(self, client: Homeserver) -> None:
        self._client = client
        self.seen: dict[str, float] = {}
        self.hidden: dict[str, list[float]] = {}
        self.written: dict[str, int] = {}

    async def run(self) -> None:
        """Sync for ever."""
        rooms = {"timeline": {"limit": 1000}, "state": {"lazy_load_members": True}}
        only = json.dumps({"room": rooms, "presence": {"types": []}, "account_data": {"types": []}})
        since = str((await self._client.sync(filter=only, timeout=0.0))["next_batch"])
        while True:
            answer: Any = await self._client.sync(since, timeout=2.0, filter=only)
            now, since = time.perf_counter(), answer["next_batch"]
            for room, joined in answer.get("rooms", {}).get("join", {}).items():
                for event in joined.get("timeline", {}).get("events", []):
                    self._note(room, event, now)

    def _note(self, room: str, event: dict[str, Any], now: float) -> None:
        self.written[room] = self.written.get(room, 0) + 1
        if event["type"] == "m.room.redaction":
            self.hidden.setdefault(event.get("redacts") or event["content"].get("redacts"), []).append(now)
        else:
            self.seen.setdefault(str(event["event_id"]), now)


class Side:
    """One of those compared: its room, its process, what was sent to it and when."""

    def __init__(self, name: str, room: str) -> None:
        self.name, self.room = name, room
        self.sent: dict[str, float] = {}
        self._process: living.Process | None = None

    @property
    def process(self) -> living.Process:
        """The process, once it was started."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process

    @process.setter
    def process(self, started: living.Process) -> None:
        self._process = started

    def stop(self) -> None:
        """Stop the process, if there is one."""
        if self._process is not None:
            self._process.stop()

    def latencies(self, watcher: Watcher) -> list[float]:
        """Milliseconds from sending to seeing it hidden."""
        return [1000 * (watcher.hidden[e][0] - at) for e, at in self.sent.items() if e in watcher.hidden]


async def measure(folder: Path, floor: Path | None, samples: int, restarts: int) -> None:
    """Everything, in one run, printed as a table."""
    synapse = tested.Synapse(folder)
    floor_port = tested.free_port()
    if floor is not None:
        _register_floor(synapse, floor_port)
    synapse.start()
    sides: list[Side] = []
    try:
        async with contextlib.AsyncExitStack() as stack:
            comity = await _room_of(synapse, tested.AS_TOKEN, "comity")
            sides.append(Side("Comity", comity))
            settings = living.settings_of(synapse.base_url, synapse.push_port, [comity], tested.SERVER)
            sides[0].process = living.serve(folder, settings)
            living.wait_ready(synapse.push_port, sides[0].process)
            if floor is not None:
                sides.append(Side("the floor", await _room_of(synapse, "floor-token", "floor")))
                told = {"HOMESERVER": synapse.base_url, "AS_TOKEN": "floor-token", "HS_TOKEN": "floor-hs-token"}
                command: list[str | Path] = [sys.executable, floor / "floor.py", str(floor_port), folder / "floor.db"]
                sides[1].process = living.Process(command, folder / "floor.out", told)
            first = max(10, samples // EACH + 1)
            people = first + restarts * 200 // EACH + 1
            senders = [await stack.enter_async_context(synapse.member()) for _ in range(people)]
            eye = await stack.enter_async_context(synapse.member("watcher"))
            watcher = Watcher(eye)
            for side in sides:
                for client in [eye, *senders[:first]]:
                    await client.join(side.room)
            watching = asyncio.create_task(watcher.run())
            await asyncio.sleep(2)
            meter = Meter(sides)
            await meter.rest()
            clean = await _clean(sides[0], senders, meter)
            rows = await _flagged(sides, senders, watcher, meter, samples)
            idle = 1000 * meter.idle[sides[0].name]
            rows += [
                ("Comity: CPU for a clean message", f"{clean:.2f} ms", "1 ms"),
                ("Comity: CPU while nothing happens", f"{idle:.1f} ms a second", ""),
            ]
            for client in senders[first:]:
                await client.join(sides[0].room)
            rows += await _killed(sides[0], senders[first:], watcher, synapse, folder, settings, restarts)
            watching.cancel()
        print("| what | measured | to reach |\n| --- | --- | --- |")
        for row in rows:
            print("| " + " | ".join(row) + " |")
    finally:
        for side in sides:
            side.stop()
        synapse.stop()


async def _room_of(synapse: tested.Synapse, token: str, name: str) -> str:
    async with Homeserver(synapse.base_url, token, as_user=f"@{name}:{tested.SERVER}") as bot:
        await bot.register_bot(name)
        return await bot.create_room(preset="public_chat")


def _register_floor(synapse: tested.Synapse, port: int) -> None:
    """Have the homeserver push to the floor as well."""
    registration = Registration(
        server=tested.SERVER,
        url=f"http://127.0.0.1:{port}",
        as_token="floor-token",  # noqa: S106 - of a homeserver that lives for minutes
        hs_token="floor-hs-token",  # noqa: S106 - the same
        id="floor",
        localpart="floor",
    )
    (synapse.folder / "floor.yaml").write_text(registration.text(), "utf-8")
    path = synapse.folder / "homeserver.yaml"
    config = json.loads(path.read_text("utf-8"))
    config["app_service_config_files"].append(str(synapse.folder / "floor.yaml"))
    path.write_text(json.dumps(config), "utf-8")


_numbers = itertools.count()


async def _say(client: Homeserver, room: str, form: str) -> tuple[str, float]:
    """Send a message; its id, and when."""
    n, at = next(_numbers), time.perf_counter()
    text = {"msgtype": "m.text", "body": form.format(n=n)}
    return await client.send(room, "m.room.message", text, f"bench{n}"), at


class Meter:
    """CPU that processes use beyond what they use while nothing happens."""

    def __init__(self, sides: list[Side]) -> None:
        self._sides = sides
        self.idle: dict[str, float] = {}
        self._begun: dict[str, tuple[float, float]] = {}

    async def rest(self) -> None:
        """See what they use while nothing happens."""
        self.begin()
        await asyncio.sleep(8)
        self.idle = {s.name: self._used(s) / 8 for s in self._sides}

    def begin(self) -> None:
        """Begin to count."""
        self._begun = {s.name: (s.process.cpu(), time.perf_counter()) for s in self._sides}

    def milliseconds(self, side: Side) -> float:
        """What a side used since the beginning."""
        return 1000 * max(
            self._used(side) - self.idle[side.name] * (time.perf_counter() - self._begun[side.name][1]), 0
        )

    def _used(self, side: Side) -> float:
        return side.process.cpu() - self._begun[side.name][0]


async def _clean(side: Side, senders: list[Homeserver], meter: Meter) -> float:
    """CPU milliseconds of a message that nothing is found in."""
    meter.begin()
    for n in range(CLEANS):
        await _say(senders[n % 10], side.room, CLEAN)
    await asyncio.sleep(1)
    return meter.milliseconds(side) / CLEANS


async def _flagged(
    sides: list[Side], senders: list[Homeserver], watcher: Watcher, meter: Meter, samples: int
) -> list[tuple[str, str, str]]:
    meter.begin()
    events = {side.name: watcher.written.get(side.room, 0) for side in sides}
    for n in range(samples):
        for side in sides if n % 2 else sides[::-1]:
            event, at = await _say(senders[n // EACH], side.room, FLAGGED)
            side.sent[event] = at
            await asyncio.sleep(GAP)
    await asyncio.sleep(5)
    rows = []
    for side in sides:
        took = side.latencies(watcher)
        cpu = meter.milliseconds(side) / samples
        shares = ", ".join(f"p{round(100 * p)} {living.quantile(took, p):.0f}" for p in (0.1, 0.5, 0.9, 0.99))
        written = (watcher.written[side.room] - events[side.name]) / samples - 1
        rows += [
            (f"{side.name}: send to hidden, ms", f"{shares} ({len(took)} of {samples})", ""),
            (f"{side.name}: CPU for a flagged message", f"{cpu:.1f} ms", "5 ms" if side is sides[0] else ""),
            (f"{side.name}: peak memory", f"{side.process.peak_mb():.0f} MB", "300 MB" if side is sides[0] else ""),
            (f"{side.name}: events for a flagged message", f"{written:.2f}", "1" if side is sides[0] else ""),
        ]
    if len(sides) > 1:
        ours, least = (side.latencies(watcher) for side in sides)
        median = living.quantile(ours, 0.5) - living.quantile(least, 0.5)
        tail = living.quantile(ours, 0.99) / living.quantile(least, 0.99)
        rows += [("median above the floor", f"{median:.0f} ms", "15 ms"), ("p99 to the floor's", f"{tail:.2f}", "1.3")]
    return rows


async def _killed(
    side: Side,
    senders: list[Homeserver],
    watcher: Watcher,
    synapse: tested.Synapse,
    folder: Path,
    settings: str,
    restarts: int,
) -> list[tuple[str, str, str]]:
    """Flagged messages while it is killed and started again: which were missed, which hidden twice."""
    sent: list[str] = []
    each = 200
    for n in range(restarts * each):
        with contextlib.suppress(HomeserverError):
            sent.append((await _say(senders[n // EACH], side.room, FLAGGED))[0])
        if n % each == each // 2:
            side.process.kill()
        elif n % each == each // 2 + 40:
            side.process = living.serve(folder, settings)
    living.wait_ready(synapse.push_port, side.process)
    until = time.monotonic() + 60
    while time.monotonic() < until and not all(e in watcher.hidden for e in sent):
        await asyncio.sleep(0.5)
    missed = sum(e not in watcher.hidden for e in sent)
    twice = sum(len(watcher.hidden.get(e, [])) > 1 for e in sent)
    what = f"of {len(sent):,} flagged messages over {restarts} kill -9"
    return [(f"{what}: missed", f"{missed}", "0"), (f"{what}: hidden twice", f"{twice}", "0")]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--floor", type=Path, default=living.HERE.parent.parent / "shared/bench/matrix")
    parser.add_argument("--samples", type=int, default=120)
    parser.add_argument("--restarts", type=int, default=5)
    options = parser.parse_args()
    floor = options.floor if (options.floor / "floor.py").exists() else None
    if floor is None:
        print("there is no floor.py: Comity is measured alone", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), floor, options.samples, options.restarts))


if __name__ == "__main__":
    main()
