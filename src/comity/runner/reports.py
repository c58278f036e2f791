"""Reports by members' clients, asked of the homeserver now and then: it tells them to its administrators only."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from structlog.typing import FilteringBoundLogger

from comity.adapters.matrix.client import Homeserver, HomeserverError, Json
from comity.adapters.matrix.reports import newest, reported
from comity.stores.live_contract import LiveStore

EVERY: Final = 10.0  # seconds
_LONGEST: Final = 600.0  # seconds between two tries where the homeserver does not tell
_NOTED: Final = "reports until"


class Reports:
    """Asks for new reports as an administrator. take: keeps events, and what ``also`` keeps, in one transaction."""

    def __init__(
        self,
        admin: Homeserver,
        store: LiveStore,
        take: Callable[[Sequence[Json], Callable[[], None]], Awaitable[None]],
        log: FilteringBoundLogger,
    ) -> None:
        self._admin, self._store, self._take, self._log = admin, store, take, log

    async def run(self) -> None:
        """Ask, as long as it goes on."""
        pause = EVERY
        while True:
            try:
                await self.once()
                pause = EVERY
            except HomeserverError as error:
                pause = min(2 * pause, _LONGEST)
                self._log.warning("reports cannot be asked for", status=error.status, errcode=error.errcode)
            await asyncio.sleep(pause)

    async def once(self) -> None:
        """Take in what was reported since the last time; the first time only what comes from now on."""
        noted = self._store.journal.noted(_NOTED)
        if not noted:
            self._note(await newest(self._admin))
            return
        events, until = await reported(self._admin, int(noted))
        if events:
            await self._take(events, lambda: self._note(until))

    def _note(self, until: int) -> None:
        self._store.journal.note(_NOTED, str(until).encode())

    async def close(self) -> None:
        """Close its connections."""
        await self._admin.close()
