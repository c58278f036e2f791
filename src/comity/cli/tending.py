"""Looking after the record while Comity serves: every hour, by a process of its own, so that the loop goes on."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from starlette.routing import BaseRoute
from structlog.typing import FilteringBoundLogger

from comity.core.errors import ComityError
from comity.live.metrics import Metrics
from comity.live.process import Service

EVERY: Final = 3600.0  # seconds
LONGEST: Final = 3600.0  # seconds that it may take; it is safe to stop at any moment, and goes on the next time


class _Done(msgspec.Struct):
    sealed: int
    made: int
    dropped: int
    left_out: dict[str, int]
    events: int
    bytes: int


class Tender:
    """Has the record that settings name looked after; never twice at once, by whomever: the store has a lock for it.

    settings: their file; every, longest: seconds.
    """

    def __init__(
        self,
        settings: Path,
        metrics: Metrics,
        log: FilteringBoundLogger,
        *,
        every: float = EVERY,
        longest: float = LONGEST,
    ) -> None:
        self._settings, self._metrics, self._log = settings, metrics, log
        self._every, self._longest = every, longest

    async def run(self) -> None:
        """Look after it now and then on, until this is cancelled; a process under way is ended then."""
        while True:
            await self.once()
            await asyncio.sleep(self._every)

    async def once(self) -> bool:
        """Look after it now; whether that was done. Why not is logged and counted."""
        try:
            async with asyncio.timeout(self._longest):
                done = await self._tended()
        except TimeoutError:
            return self._failed(f"it took longer than {self._longest:g} s")
        except (ComityError, OSError) as error:
            return self._failed(str(error))
        m = self._metrics
        m.record_events.set(done.events)
        m.record_bytes.set(done.bytes)
        m.record_tended.set(time.time())
        for reason, events in done.left_out.items():
            m.record_gone.labels(reason).inc(events)
        self._log.info("the record was looked after", sealed=done.sealed, made=done.made, dropped=done.dropped)
        return True

    async def _tended(self) -> _Done:
        """What a process of its own did; it is ended if nobody waits for it any more."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "comity", "record", "tend", "--json", "--settings", str(self._settings)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us, and we end it
        )
        try:
            told, why = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise ComityError(why.decode(errors="replace").strip() or f"it ended with {process.returncode}")
        return msgspec.json.decode(told, type=_Done)

    def _failed(self, why: str) -> bool:
        self._metrics.record_failures.inc()
        self._log.warning("the record was not looked after", why=why)
        return False


class WithTender:
    """Serves a service, and looks after the record meanwhile; fulfils ``live.process.Service``."""

    def __init__(self, service: Service, tender: Tender) -> None:
        self._service, self._tender = service, tender
        self._tending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """See ``Service``."""
        await self._service.start()
        self._tending = asyncio.create_task(self._tender.run())

    async def stop(self) -> None:
        """See ``Service``."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        await self._service.stop()

    async def wait(self) -> None:
        """See ``Service``."""
        await self._service.wait()

    def routes(self) -> Sequence[BaseRoute]:
        """See ``Service``."""
        return self._service.routes()

    def ready(self) -> list[str]:
        """See ``Service``."""
        return self._service.ready()
