"""The runner and the console in one process."""

import asyncio
from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute
from structlog.typing import FilteringBoundLogger

from comity.runner import Runner
from comity.settings import Settings
from comity.stores.live_contract import LiveStore
from comity.web.hooks.sender import Sender
from comity.web.site.address import site_url
from comity.web.site.app import routes
from comity.web.site.comparing import Log
from comity.web.site.openid import Provider
from comity.web.site.readers import Readers, ReadingStore
from comity.web.site.shared import Site
from comity.web.site.table import BY_NAME


class WithSite:
    """Serves a runner and the pages that act through it; fulfils ``live.process.Service``.

    store: the runner's; open_: opens the same store for reading, once in each thread that reads.
    """

    def __init__(
        self,
        runner: Runner,
        settings: Settings,
        store: LiveStore,
        open_: Callable[[], ReadingStore],
        log: FilteringBoundLogger,
    ) -> None:
        self._runner, self._settings, self._store, self._open, self._log = runner, settings, store, open_, log
        self._readers: Readers | None = None
        self._sending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; pages are there at once, whether the homeserver is or not."""
        self._store.access.sweep(round(self._site_of().now().timestamp() * 1000))
        await self._runner.start()
        sender = Sender(
            self._store,
            self._log,
            private=self._settings.server.allow_private_webhooks,
            said=lambda _community, text: self._runner.office.notice(text),
        )
        self._sending = asyncio.create_task(sender.run())

    async def stop(self) -> None:
        """End the runner, then close what pages read with."""
        if self._sending:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        await self._runner.stop()
        if self._readers:
            self._readers.close()

    async def wait(self) -> None:
        """Wait until the runner cannot go on, and raise why."""
        await self._runner.wait()

    def ready(self) -> list[str]:
        """Why the runner is not ready."""
        return self._runner.ready()

    def routes(self) -> Sequence[BaseRoute]:
        """What the runner answers, and all pages."""
        return [*self._runner.routes(), *routes(self._site_of())]

    def _log_of_days(self) -> Log | None:
        if self._settings.record is None:
            return None
        from comity.cli.recorded_log import RecordedLog  # noqa: PLC0415  few need it

        return RecordedLog(self._settings.store, self._settings.record)

    def _site_of(self) -> Site:
        if self._readers is None:
            self._readers = Readers(self._open)
            server, sign_in = self._settings.server, self._settings.sign_in
            url = site_url(server.public_url, server.port)
            provider = None
            if sign_in:
                provider = Provider(
                    issuer=sign_in.issuer,
                    client_id=sign_in.client_id,
                    client_secret=sign_in.client_secret.reveal(),
                    name=sign_in.name,
                    back=url + BY_NAME["provider-back"].path,
                )
            self._site = Site(
                url=url,
                store=self._store,
                readers=self._readers,
                log=self._log,
                office=self._runner.office,
                provider=provider,
                proxies=server.proxies,
                log_of_days=self._log_of_days(),
            )
        return self._site
