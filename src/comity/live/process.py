"""The process: starts a service, listens for it, and ends it so that nothing in hand is lost."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

import uvicorn
import uvloop
from starlette.routing import BaseRoute
from structlog.typing import FilteringBoundLogger

from comity.core.errors import ComityError
from comity.live.app import State, app
from comity.live.listen import listen
from comity.live.metrics import Metrics
from comity.live.notify import Notify

STOP_WITHIN: Final = 20.0  # seconds; what is not done by then is done after the next start
_KEEP_ALIVE: Final = 75  # seconds; homeservers use a connection again


class Service(Protocol):
    """What runs in the process: started before anything is accepted, stopped after the last answer went out."""

    async def start(self) -> None:
        """Open what is needed and begin; the homeserver may be down, and ``ready`` says so then."""

    async def stop(self) -> None:
        """Finish what is in hand, and close everything. Called once after ``start`` returned or failed."""

    async def wait(self) -> None:
        """Wait until the service cannot go on, then raise why; it is cancelled when the process is to end."""

    def routes(self) -> Sequence[BaseRoute]:
        """What is to be answered over HTTP; asked for once, after ``start``."""

    def ready(self) -> list[str]:
        """Why the service is not ready, a sentence each without message text, [] if it is. Quick, and never raises."""


def run(
    service: Service, *, host: str, port: int, metrics: Metrics, log: FilteringBoundLogger, within: float = STOP_WITHIN
) -> None:
    """Serve in a loop of our own until SIGTERM or SIGINT; a second signal ends the process at once.

    within: seconds for the end. Raises ComityError if the address is taken, and whatever the service ends with.
    """
    with listen(host, port) as line, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_Process(service, line, metrics, log, within).run())


class _Process:
    def __init__(
        self, service: Service, line: socket.socket, metrics: Metrics, log: FilteringBoundLogger, within: float
    ) -> None:
        self._service, self._line, self._log, self._within = service, line, log, within
        self._state = State(metrics, service.ready)
        self._notify = Notify()
        self._stop = asyncio.Event()
        self._by: float | None = None  # the loop's time until when the end may take, once it has begun

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._lost)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)
        asked = asyncio.create_task(self._stop.wait())
        try:
            if await self._started(asked):
                gc.collect()
                gc.set_threshold(50_000, 20, 50)
                gc.freeze()  # what is there now stays: looking through it again and again costs a pause each time
                await self._serve(asked)
        finally:
            asked.cancel()
            await self._end(self._by or loop.time() + self._within)

    async def _started(self, asked: "asyncio.Task[Any]") -> bool:
        """Start the service; whether it is, and was not asked to stop meanwhile. Raises why it cannot start."""
        starting = asyncio.create_task(self._service.start())
        await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
        if not starting.cancelled():
            starting.result()
        return not asked.done()

    async def _serve(self, asked: "asyncio.Task[Any]") -> None:
        config = uvicorn.Config(
            app(self._state, self._service.routes()),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,  # addresses may carry tokens
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=max(int(self._within / 2), 1),
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[self._line]))
        waiting = asyncio.create_task(self._service.wait())
        beating = asyncio.create_task(self._beat())
        host, port = self._line.getsockname()[:2]
        self._log.info("listening", host=host, port=port)
        self._notify.tell("READY=1", "STATUS=listening")
        try:
            done, _ = await asyncio.wait({waiting, asked, serving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._by = asyncio.get_running_loop().time() + self._within
            self._state.stopping = True
            self._notify.tell("STOPPING=1")
            self._log.info("stopping")
            server.should_exit = True
            await asyncio.wait({serving})
            for task in (waiting, beating):
                task.cancel()
            await asyncio.wait({waiting, beating})
        for task in done - {asked}:
            task.result()
            raise ComityError("the service ended by itself, though nobody asked it to: look at the log")

    async def _end(self, by: float) -> None:
        """Stop the service; by: the loop's time until when that may take."""
        term = asyncio.timeout_at(by)
        try:
            async with term:
                await self._service.stop()
        except TimeoutError:
            if not term.expired():
                raise
            raise ComityError(
                f"what was in hand took longer than {self._within:g} s to finish and was left: "
                "it is committed, and goes on after the next start"
            ) from None
        self._log.info("stopped")

    async def _beat(self) -> None:
        """Signs of life for the watchdog: whoever can send them has a loop that turns."""
        while (every := self._notify.beat) is not None:
            self._notify.tell("WATCHDOG=1")
            await asyncio.sleep(every)

    def _signalled(self, number: signal.Signals) -> None:
        if self._stop.is_set():
            self._log.warning("stopped at once", signal=number.name)
            os._exit(128 + number)
        self._log.info("asked to stop", signal=number.name)
        self._stop.set()

    def _lost(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error nobody waited for. The loop's own words would quote it, and it may quote a message."""
        self._log.error("an error was not waited for", exc_info=context.get("exception"))


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's, not the server's."""
        yield
