"""A small service, run as a process of its own by tests of signals, health and the service manager."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from comity.live.logs import configure
from comity.live.metrics import Metrics
from comity.live.process import run


class Garden:
    """A service that answers slowly, and writes down what happens to it.

    folder: where it writes; how: ``well``, ``fails`` (after a request to), ``cannot start``, ``starts slowly``,
    ``hangs`` (at its end), ``gives up`` (waits for nothing).
    """

    def __init__(self, folder: Path, how: str) -> None:
        self._folder, self._how = folder, how
        self._failed = asyncio.Event()
        self._why: list[str] = []

    def _note(self, word: str) -> None:
        with (self._folder / "happened").open("a") as file:
            file.write(word + "\n")

    async def start(self) -> None:
        """Start, or not."""
        self._note("starting")
        if self._how == "cannot start":
            raise ValueError("the kettle is in the attic")
        if self._how == "starts slowly":
            await asyncio.sleep(30)
        self._note("started")

    async def stop(self) -> None:
        """Stop, or not."""
        self._note("stopping")
        if self._how == "hangs":
            await asyncio.sleep(30)
        self._note("stopped")

    async def wait(self) -> None:
        """Wait for a request to fail."""
        if self._how == "gives up":
            return
        await self._failed.wait()
        raise OSError(28, "No space left on device")

    def routes(self) -> Sequence[BaseRoute]:
        """Slow, and such that change how it is."""

        async def slow(_request: Request) -> Response:
            self._note("asked")
            await asyncio.sleep(0.6)
            self._note("answered")
            return JSONResponse({"tea": "ready"})

        async def down(_request: Request) -> Response:
            self._why = ["the homeserver does not answer"]
            return JSONResponse({})

        async def fail(_request: Request) -> Response:
            self._failed.set()
            return JSONResponse({})

        async def broken(_request: Request) -> Response:
            raise KeyError("the kettle is in the attic")

        async def lose(_request: Request) -> Response:
            async def chatter() -> None:
                raise KeyError("the kettle is in the attic")

            lost = asyncio.create_task(chatter())
            await asyncio.sleep(0)
            del lost
            return JSONResponse({})

        answers = {"/slow": slow, "/down": down, "/fail": fail, "/broken": broken, "/lose": lose}
        return [Route(path, answer) for path, answer in answers.items()]

    def ready(self) -> list[str]:
        """What was set."""
        return self._why


if __name__ == "__main__":
    run(
        Garden(Path(sys.argv[1]), sys.argv[2]),
        host="127.0.0.1",
        port=int(os.environ.get("PORT", "0")),
        metrics=Metrics(),
        log=configure(),
        within=2,
    )
