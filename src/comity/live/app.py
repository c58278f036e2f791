"""What the process answers over HTTP: health, metrics, and the routes of adapters and pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comity.live.metrics import Metrics

# What a route does not say itself: nothing is framed, sniffed, kept, or loaded from elsewhere.
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_UNAVAILABLE: Final = 503


@dataclass(slots=True)
class State:
    """What the process knows of itself. ready: asks the service why it is not, [] if it is; stopping: it is to end."""

    metrics: Metrics
    ready: Callable[[], list[str]]
    stopping: bool = False

    def reasons(self) -> list[str]:
        """Why not to send anything here, a sentence each; empty if all is well."""
        return ["it is stopping"] if self.stopping else self.ready()


def app(state: State, routes: Sequence[BaseRoute]) -> ASGIApp:
    """The application: ``/livez``, ``/readyz``, ``/metrics`` and the routes given, every answer with ``HEADERS``.

    A ``Mount`` is asked before any route, as plain ASGI and without the router: events come in there.
    """

    async def livez(_request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(_request: Request) -> Response:
        if why := state.reasons():
            return JSONResponse({"ready": False, "why": why}, _UNAVAILABLE)
        return JSONResponse({"ready": True})

    async def metrics(request: Request) -> Response:
        state.metrics.ready.set(not state.reasons())
        text, kind = state.metrics.text(request.headers.get("accept", ""))
        return Response(text, headers={"Content-Type": kind})

    own = [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]
    inner = Starlette(routes=[*own, *routes], exception_handlers={HTTPException: _refused, Exception: _failed})
    inner.state.process = state  # for answers that would go on: they end with the process
    mounted = tuple((f"{r.path}/", r.app) for r in routes if isinstance(r, Mount))
    return _Front(inner, mounted)


async def _refused(_request: Request, error: Exception) -> Response:
    """The shape of the Matrix specification's errors: homeservers are who asks most."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    unknown = status in {404, 405}
    code, text = ("M_UNRECOGNIZED", "There is nothing here.") if unknown else ("M_UNKNOWN", "This was refused.")
    return JSONResponse({"errcode": code, "error": text}, status, headers=headers)


async def _failed(_request: Request, _error: Exception) -> Response:
    """The error itself goes to the log, and not to whoever asks."""
    return _FAILED


_FAILED: Final = JSONResponse({"errcode": "M_UNKNOWN", "error": "Something failed here; try again later."}, 500)


class _Front:
    """Puts ``HEADERS`` on every answer that does not have them, and knows the ways that many take."""

    def __init__(self, inner: ASGIApp, mounted: Sequence[tuple[str, ASGIApp]]) -> None:
        self._inner, self._mounted = inner, mounted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return

        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                there = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in _RAW if h[0] not in there)]
            await send(message)

        path = scope["path"]
        for prefix, mounted in self._mounted:
            if path.startswith(prefix):
                try:
                    await mounted(scope, receive, guarded)
                except Exception:
                    if not begun:
                        await _FAILED(scope, receive, guarded)
                    raise  # the server logs it
                return
        await self._inner(scope, receive, guarded)


_RAW: Final = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS.items())
