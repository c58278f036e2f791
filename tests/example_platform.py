"""The example platform on loopback, for tests of what it promises Comity."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from comity.adapters.matrix.client import Homeserver
from example.api import Api
from example.push import Pusher
from example.rooms import Platform
from homeserver import AS_TOKEN, HS_TOKEN, SERVER, free_port

BOT = f"@comity:{SERVER}"
ADMIN = "admin-token-of-tests"


class Served:
    """A platform that listens. push_port: where it pushes to."""

    def __init__(self) -> None:
        self.platform = Platform(SERVER, lambda: int(time.time() * 1000))
        self.push_port = free_port()
        self.pusher = Pusher(self.platform, BOT, f"http://127.0.0.1:{self.push_port}", HS_TOKEN)
        self.base_url = ""
        self._names: Iterator[str] = (f"m{n}" for n in itertools.count())

    def member(self) -> Homeserver:
        """A client of a new account."""
        name = next(self._names)
        return Homeserver(self.base_url, self.platform.register(name), account=self.platform.account(name))

    def as_comity(self, name: str = "comity") -> Homeserver:
        """A client of the application service, acting as its bot or another account of its own."""
        return Homeserver(self.base_url, AS_TOKEN, as_user=f"@{name}:{SERVER}")


@contextlib.asynccontextmanager
async def serving_platform() -> AsyncIterator[Served]:
    """A platform of one's own."""
    served = Served()
    api = Api(
        served.platform, served.pusher, service=AS_TOKEN, bot=BOT, namespace=rf"@comity(_.*)?:{SERVER}", admin=ADMIN
    )
    app = web.Application()
    app.add_routes(api.routes())
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    pushing = asyncio.create_task(served.pusher.run())
    try:
        yield served
    finally:
        pushing.cancel()
        await asyncio.gather(pushing, return_exceptions=True)
        await runner.cleanup()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A platform for one test."""
    async with serving_platform() as found:
        yield found
