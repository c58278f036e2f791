"""``/console/live``: the stream of what changes, for whoever looks."""

from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import Response, StreamingResponse

from comity.web.site import render, sessions
from comity.web.site.context import Context
from comity.web.site.live import Live

HEARTBEAT: Final = 15.0  # seconds
_LOOK: Final = 1.0  # seconds between two looks whether the process is to end
_MOST: Final = 500  # streams at once


async def stream(context: Context) -> Response:
    """What changes where whoever asks is something, from ``Last-Event-ID`` on."""
    live = context.site.live
    if live.streams >= _MOST:
        return context.sorry("too often", 503, seconds=int(HEARTBEAT))
    headers = {**render.HEADERS, "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(context, live), media_type="text/event-stream", headers=headers)


async def _events(context: Context, live: Live) -> AsyncIterator[str]:
    live.streams += 1
    try:
        last = context.request.headers.get("last-event-id", "")
        yield "retry: 3000\n\n"
        if live.since(last) is None:
            if last:
                yield "event: anew\ndata:\n\n"  # too much was missed: what is shown is to be read again
            last = live.last
            yield f"id: {last}\nevent: hello\ndata:\n\n"
        quiet, communities = 0.0, frozenset(context.known.roles)
        while not context.request.app.state.process.stopping:
            for moved in live.since(last) or []:
                last, quiet = f"{last.partition('-')[0]}-{moved.number}", 0.0
                if moved.community in communities:
                    yield live.told(moved)
            await live.wait(_LOOK)
            quiet += _LOOK
            if quiet >= HEARTBEAT:
                # Who was signed out meanwhile hears no more, and roles may have changed.
                secret, at = context.secret, sessions.millis(context.site.now())
                seen = await context.read(lambda store: sessions.seen(store.access, secret, at))  # noqa: B023  awaited
                if seen is None:
                    return
                quiet, communities = 0.0, frozenset(seen.roles)
                yield ": still here\n\n"
    finally:
        live.streams -= 1


PAGES: Final = {"live": stream}
