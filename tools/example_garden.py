"""The living example: a chat platform on this machine, Comity beside it, and members who go on talking.

``make run`` ends with it. It needs no network and no homeserver, opens nothing by itself, keeps all it makes in one
folder, begins afresh each time, and stops what it started when it is stopped.
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import signal
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from comity.core.errors import ComityError
from example.garden import MADE, STAFF, Garden
from example.scenes import Players
from local_comity import alone

ROOT: Final = Path(__file__).parent.parent
UNWATCHED: Final = 300.0  # seconds until it ends by itself where no terminal could end it
TALK_EVERY: Final = 12.0  # seconds between two messages of the quiet talk
_ENDS: Final = (signal.SIGINT, signal.SIGTERM)


def say(text: str = "") -> None:
    """A line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def where(garden: Garden) -> str:
    """Where everything is, for whoever sits before it."""
    staff = "\n".join(f"               {who:<6} {role:<10} {about}" for who, (role, about) in STAFF.items())
    return (
        f"  The chat     {garden.chat}\n"
        "               read along, and write as any member\n"
        f"  The console  {garden.console}/console\n"
        "               sign in at Tea Garden's door, as one of its staff:\n"
        f"{staff}\n"
        f"  The tour     {ROOT / 'docs' / 'tour.md'}\n"
        "               leads through both, step by step"
    )


async def live(garden: Garden, *, pace: float, seconds: float | None) -> None:
    """Play, then talk quietly until it is stopped, or so many seconds are over. Raises RuntimeError."""
    stop = asyncio.Event()
    for number in _ENDS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await asyncio.to_thread(garden.prepare, dt.datetime.now(dt.UTC))
    except RuntimeError:
        if stop.is_set():  # Ctrl-C reached the command that was running, too
            return
        raise
    async with garden.living():
        ends = "Ctrl-C ends it." if seconds is None else f"It ends by itself in {seconds:.0f} seconds (--for)."
        say(f"\n{where(garden)}\n\n{ends} Meanwhile, in the chat:")
        taken = garden.pages.taken
        players = Players(garden.platform, garden.events, taken=taken, pace=pace, told=lambda text: say(f"  {text}"))
        tasks = [asyncio.create_task(work) for work in (_play(players), stop.wait(), _lives(garden))]
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        say("\nEnding Comity, then the chat.")
    for error in ended:
        if isinstance(error, Exception):
            raise error


async def _play(players: Players) -> None:
    await players.play()
    say("  Something waits in the console now. The members go on talking.")
    await players.talk(TALK_EVERY)


async def _lives(garden: Garden) -> None:
    """Raises RuntimeError once Comity has ended by itself."""
    while garden.comity.runs():  # noqa: ASYNC110 - another process
        await asyncio.sleep(1)
    raise RuntimeError(f"Comity has ended; {garden.comity.log} says why")


def _free(ports: Iterable[int]) -> int:
    """The first of these ports that nobody listens on, 0 if there is none."""
    for port in ports:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    return 0


def main() -> None:
    """Run it. Exit status 1 and one sentence if something did not come about."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "garden", help="where all of it is kept")
    parser.add_argument("--pace", type=float, default=0.5, help="seconds between two messages of a scene")
    parser.add_argument("--for", dest="seconds", type=float, help="end after so many seconds; 0 for never")
    given = parser.parse_args()
    watched = sys.stdin.isatty() or sys.stdout.isatty()
    seconds = given.seconds if given.seconds is not None else 0.0 if watched else UNWATCHED
    folder = given.folder.absolute()
    with alone(folder, MADE):
        say(f"The example community comes alive. It begins afresh, in {folder}; one moment ...")
        garden = Garden(folder, chat_port=_free(range(8900, 8910)), console_port=_free(range(8910, 8920)))
        try:
            asyncio.run(live(garden, pace=given.pace, seconds=seconds or None))
        except (ComityError, OSError, RuntimeError) as error:
            raise SystemExit(f"{error}") from error


if __name__ == "__main__":
    main()
