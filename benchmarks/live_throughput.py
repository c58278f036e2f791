"""How many events a second a live process takes, decides and commits: a false homeserver pushes, 100 in a transaction.

Usage: live_throughput.py [--events N] [--charter FILE]

As a homeserver does, it sends one transaction after the other and waits for each answer, which says that everything is
committed. The charter is the default one unless another is named.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

import living
from living import tested

SERVER, ROOMS, MEMBERS, TOGETHER = "garden.example", 40, 3000, 100
DEFAULT = living.HERE.parent / "src/comity/data/charter.toml"
WORDS = [
    "tea",
    "milk",
    "sugar",
    "pot",
    "cup",
    "garden",
    "pea",
    "trowel",
    "kettle",
    "rain",
    "sun",
    "weed",
    "seed",
    "bed",
    "path",
    "gate",
    "bench",
    "apple",
    "pear",
    "plum",
]


class Homeserver:
    """Answers what Comity asks when it begins, and agrees to whatever it does."""

    def __init__(self) -> None:
        self.rooms = [f"!r{n}:{SERVER}" for n in range(ROOMS)]
        self.did = 0

    def app(self) -> web.Application:
        """It as an application."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        words = request.path.split("/")
        if request.method in {"PUT", "POST"} and "join" not in words:
            self.did += 1
            return web.json_response({"event_id": f"$done{self.did}", "room_id": f"!new{self.did}:{SERVER}"})
        answer = self._says(words)
        return web.json_response(answer or {"errcode": "M_NOT_FOUND"}, status=200 if answer else 404)

    def _says(self, words: list[str]) -> Any:  # noqa: ANN401 - JSON of any shape
        """The answer to a question, None if there is none."""
        answers: dict[str, Any] = {
            "joined_rooms": {"joined_rooms": self.rooms},
            "joined_members": {"joined": {f"@comity:{SERVER}": {}}},
            "messages": {"chunk": [], "start": "a"},
            "m.room.power_levels": _levels(),
        }
        for word in words:
            if word in answers:
                return answers[word]
        if words[-1] == "state":
            return self._state(words[-2])
        if "event" in words:
            return {"event_id": words[-1], "type": "m.room.message", "content": {"body": "tea"}}
        if "join" in words:
            return {"room_id": next(word for word in words if word.startswith("!"))}
        return None

    def _state(self, room: str) -> list[dict[str, Any]]:
        bot = f"@comity:{SERVER}"
        base = {"room_id": room, "sender": bot, "origin_server_ts": 1, "state_key": ""}
        return [
            {**base, "event_id": "$c", "type": "m.room.create", "content": {"room_version": "11"}},
            {**base, "event_id": "$p", "type": "m.room.power_levels", "content": _levels()},
        ]


def _levels() -> dict[str, Any]:
    return {"users": {f"@comity:{SERVER}": 100}, "users_default": 0, "state_default": 50, "redact": 50}


def transactions(count: int, rooms: list[str]) -> Iterator[bytes]:
    """Bodies of transactions: talk, with links, mentions, a flood and a scam here and there."""
    chance, now = random.Random(20260901), int(time.time() * 1000)
    for first in range(0, count, TOGETHER):
        events = []
        for n in range(first, first + TOGETHER):
            who, room = chance.randrange(MEMBERS), chance.choice(rooms)
            text = " ".join(chance.choices(WORDS, k=chance.randint(3, 22)))
            p = chance.random()
            if p < 0.02:
                text += f" https://garden.example/{chance.choice(WORDS)}/{n}"
            elif p < 0.03:
                text += " claim your prize at https://bad.example/free and double your money"
            elif p < 0.05:
                text = text.upper() + "!!!"
            content: dict[str, Any] = {"msgtype": "m.text", "body": text}
            if p > 0.8:
                content["m.mentions"] = {"user_ids": [f"@u{chance.randrange(MEMBERS)}:{SERVER}"]}
            events.append(
                {
                    "event_id": f"$e{n}-{chance.getrandbits(64):x}",
                    "type": "m.room.message",
                    "room_id": room,
                    "sender": f"@u{who}:{SERVER}",
                    "origin_server_ts": now + n // 20,
                    "content": content,
                    "unsigned": {"age": 30},
                }
            )
        yield json.dumps({"events": events}).encode()


async def measure(folder: Path, count: int, charter: str) -> None:
    """Push, wait, push; and say how quick it was."""
    fake = Homeserver()
    runner = web.AppRunner(fake.app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = tested.free_port()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    process = living.serve(folder, living.settings_of(address, port, fake.rooms, SERVER), charter)
    try:
        await asyncio.to_thread(living.wait_ready, port, process)
        bodies = list(transactions(count, fake.rooms))
        headers = {"Authorization": f"Bearer {tested.HS_TOKEN}"}
        took = []
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
            start, cpu = time.perf_counter(), process.cpu()
            for n, body in enumerate(bodies):
                begun = time.perf_counter()
                async with session.put(f"/_matrix/app/v1/transactions/{n}", data=body) as answer:
                    answer.raise_for_status()
                took.append(1000 * (time.perf_counter() - begun))
            wall, cpu = time.perf_counter() - start, process.cpu() - cpu
        rows = [
            ("events taken, decided and committed a second", f"{count / wall:,.0f}", "20,000"),
            ("CPU of the process for an event", f"{1e6 * cpu / count:.0f} us", ""),
            (
                "a transaction of 100, ms",
                f"p50 {living.quantile(took, 0.5):.1f}, p99 {living.quantile(took, 0.99):.1f}",
                "",
            ),
            ("peak memory", f"{process.peak_mb():.0f} MB", "300 MB"),
            ("actions carried out meanwhile", f"{fake.did:,}", ""),
        ]
        print("| what | measured | to reach |\n| --- | --- | --- |")
        for row in rows:
            print("| " + " | ".join(row) + " |")
    finally:
        await asyncio.to_thread(process.stop)
        await runner.cleanup()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--charter", type=Path, default=DEFAULT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), options.events, options.charter.read_text("utf-8")))


if __name__ == "__main__":
    main()
