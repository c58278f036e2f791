"""A false homeserver for tests: it answers as it is told to, also wrongly, slowly, or not at all."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

import pytest
from aiohttp import web

Answer = Callable[["Asked"], Awaitable[web.StreamResponse]]


class Asked(NamedTuple):
    """A request as it came. path: as it stood on the wire, encoded."""

    method: str
    path: str
    query: Mapping[str, str]
    body: object

    @property
    def words(self) -> list[str]:
        """The segments of the path, decoded."""
        return [unquote(word) for word in self.path.split("/")[1:]]


class FakeHomeserver:
    """Answers requests one after the other from ``answers``, and from its last for ever; remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Answer] = [says({})]
        self.base_url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on loopback."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Be gone: connections are refused from now on."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        asked = Asked(
            request.method, request.raw_path.partition("?")[0], dict(request.query), json.loads(text or "null")
        )
        self.asked.append(asked)
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        return await answer(asked)


def says(body: object, status: int = 200, **headers: str) -> Answer:
    """An answer with JSON."""

    async def answer(_asked: Asked) -> web.StreamResponse:
        return web.json_response(body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


def babbles(text: bytes, status: int = 200) -> Answer:
    """An answer with any bytes."""

    async def answer(_asked: Asked) -> web.StreamResponse:
        return web.Response(body=text, status=status)

    return answer


def hangs(seconds: float = 5.0) -> Answer:
    """No answer for a while."""

    async def answer(_asked: Asked) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.json_response({})

    return answer


def hangs_up() -> Answer:
    """The connection ends in the middle of the answer."""

    async def answer(asked: Asked) -> web.StreamResponse:
        del asked
        response = web.Response(body=b'{"half":', headers={"Content-Length": "1000"})
        response.force_close()
        return response

    return answer


@pytest.fixture
async def fake() -> AsyncIterator[FakeHomeserver]:
    """A false homeserver that is there for one test."""
    server = FakeHomeserver()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
