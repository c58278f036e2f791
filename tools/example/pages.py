"""The platform's own pages: rooms to read and write in, as any member of the example, and direct messages.

Whoever visits is whoever they choose: everything is on one machine, for one person, and ends when it is stopped.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

import jinja2
from aiohttp import web
from markupsafe import Markup, escape

from example import views
from example.past import DEPUTY, MANAGER, ROOMS, room_id
from example.rooms import Platform, RefusedError, Room
from example.scenes import message
from example.tries import PACE, TRIES

HERE: Final = Path(__file__).parent
COOKIE: Final = "garden-member"
POLL: Final = 25.0  # seconds that a page waits for news
_FIRST: Final = "wen"
_ABOUT: Final[Mapping[str, str]] = {
    "wen": "is there nearly every day",
    "hanna": "has been here for years",
    "bruno": "talks fast about kettles",
    "salma": "means well",
    "kofi": "writes in small letters",
    "bea": "is new here",
    MANAGER: "manages the group",
    DEPUTY: "is his deputy",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self' {console}; base-uri 'none'; frame-ancestors 'none'"
)


class Pages:
    """The pages.

    bot: Comity's account; members: who can be chosen, their names by localpart; console: its address. taken: whom a
    visitor has been, and from the beginning whoever one is at first: nobody else speaks for those.
    """

    def __init__(self, platform: Platform, *, bot: str, members: Mapping[str, str], address: str, console: str) -> None:
        self._platform, self._bot, self._address, self._console = platform, bot, address, console
        self._members = dict(sorted(members.items(), key=lambda one: (one[0] not in _ABOUT, one[1])))
        self.taken = {_FIRST}
        self._trying = set[asyncio.Task[None]]()
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["linked"] = self._linked

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/", self._begin),
            web.get("/static/{name}", _static),
            web.post("/be", self._be),
            web.get("/rooms/{room}", self._room),
            web.get("/rooms/{room}/lines", self._lines),
            web.post("/rooms/{room}/say", self._say),
            web.post("/rooms/{room}/try", self._try),
            web.post("/rooms/{room}/report", self._report),
            web.post("/rooms/{room}/join", self._join),
            web.get("/direct", self._direct),
            web.get("/direct/there", self._there),
        ]

    @web.middleware
    async def guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Nothing asked by a page of somebody else's, or under another name, is answered; headers for what is."""
        if request.path.startswith(("/_matrix/", "/_synapse/")) or request.path.endswith("/token"):
            return await handler(request)
        host = self._address.partition("://")[2]
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        own = request.headers.get("Origin", self._address) == self._address and site in {"same-origin", "none"}
        if request.host not in {host, host.replace("localhost", "127.0.0.1")} or (request.method == "POST" and not own):
            raise web.HTTPForbidden(text="This is for pages of the example only.")
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = error
        response.headers["Content-Security-Policy"] = _POLICY.format(console=self._console)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")
        if isinstance(response, web.HTTPException):
            raise response
        return response

    def choose(self, who: Mapping[str, str], fields: Mapping[str, str]) -> web.Response:
        """The page of the provider of sign-ins: who are you here?"""
        return self._page("who.html", who=who, fields=fields)

    async def _begin(self, _request: web.Request) -> web.Response:
        raise web.HTTPSeeOther("/rooms/garden")

    async def _be(self, request: web.Request) -> web.Response:
        given = await request.post()
        who, back = str(given.get("member", "")), str(given.get("back", ""))
        response = web.HTTPSeeOther(back if back.startswith(("/rooms/", "/direct")) else "/")
        if who in self._members:
            self.taken.add(who)
            response.set_cookie(COOKIE, who, httponly=True, samesite="Lax")
        raise response

    async def _room(self, request: web.Request) -> web.Response:
        me, room, name = self._asked(request)
        return self._show(me, room, name)

    async def _direct(self, request: web.Request) -> web.Response:
        me = self._me(request)
        room = self._direct_of(me)
        if room is None:
            return self._page("direct.html", me=me, frame=self._frame(me, "direct"))
        self._platform.join(room, self._platform.account(me))
        return self._show(me, room, "direct")

    async def _there(self, request: web.Request) -> web.Response:
        """Whether there are direct messages by now."""
        return web.json_response({"there": self._direct_of(self._me(request)) is not None})

    async def _lines(self, request: web.Request) -> web.Response:
        """What a page shows of a room, once it is newer than what it has."""
        me, room, name = self._asked(request)
        seen = request.query.get("seen", "0")
        version = await self._platform.changed(int(seen) if seen.isdecimal() else 0, POLL)
        response = self._page("lines.html", **self._shown(me, room, name))
        response.headers["X-Version"] = str(version)
        return response

    async def _say(self, request: web.Request) -> web.Response:
        me, room, name = self._asked(request)
        text = str((await request.post()).get("text", "")).strip()
        refused = self._send(room, me, text) if text else ""
        if request.headers.get("Accept") == "application/json":
            return web.json_response({"refused": refused})
        raise web.HTTPSeeOther(_path(name))

    async def _try(self, request: web.Request) -> web.Response:
        me, room, name = self._asked(request)
        what = str((await request.post()).get("what", ""))
        if what in TRIES and room.membership(self._platform.account(me)) == "join":
            task = asyncio.create_task(self._speak(room, me, TRIES[what].texts))
            self._trying.add(task)
            task.add_done_callback(self._trying.discard)
        if request.headers.get("Accept") == "application/json":
            return web.json_response({})
        raise web.HTTPSeeOther(_path(name))

    async def _report(self, request: web.Request) -> web.Response:
        me, room, name = self._asked(request)
        given = await request.post()
        try:
            self._platform.report(
                room, self._platform.account(me), str(given.get("event", "")), str(given.get("reason", ""))[:500]
            )
        except RefusedError as error:
            raise web.HTTPForbidden(text=str(error)) from error
        return self._page("reported.html", me=me, frame=self._frame(me, name), back=_path(name))

    async def _join(self, request: web.Request) -> web.Response:
        me, room, name = self._asked(request)
        try:
            self._platform.join(room, self._platform.account(me))
        except RefusedError as error:
            raise web.HTTPForbidden(text=str(error)) from error
        raise web.HTTPSeeOther(_path(name))

    async def _speak(self, room: Room, me: str, texts: tuple[str, ...]) -> None:
        for text in texts:
            if self._send(room, me, text):
                return
            await asyncio.sleep(PACE)

    def _send(self, room: Room, me: str, text: str) -> str:
        """Why it was refused, "" if it was not."""
        try:
            self._platform.send(room, self._platform.account(me), "m.room.message", message(self._platform, text))
        except RefusedError as error:
            return str(error)
        return ""

    # Who and where.

    def _me(self, request: web.Request) -> str:
        found = request.cookies.get(COOKIE, "")
        return found if found in self._members else _FIRST

    def _asked(self, request: web.Request) -> tuple[str, Room, str]:
        """Who asks about which room, and its name. Raises HTTPNotFound for a room that is none of theirs."""
        me, name = self._me(request), request.match_info["room"]
        room = self._direct_of(me) if name == "direct" else self._platform.rooms.get(self._id(name))
        if room is None or (name == "desk" and not self._inside(room, me)):
            raise web.HTTPNotFound(text="There is no such room.")
        return me, room, name

    def _id(self, name: str) -> str:
        return room_id(name, self._platform.server)

    def _inside(self, room: Room | None, me: str) -> bool:
        return room is not None and room.membership(self._platform.account(me)) == "join"

    def _direct_of(self, me: str) -> Room | None:
        """The room of a member and Comity, also one they are only invited to."""
        named = {self._id(name) for name in (*ROOMS, "desk")}
        mine = self._platform.rooms_of(self._platform.account(me), "join", "invite")
        return next((r for r in reversed(mine) if r.id not in named and r.membership(self._bot) == "join"), None)

    # What is shown.

    def _show(self, me: str, room: Room, name: str) -> web.Response:
        return self._page(
            "room.html",
            me=me,
            frame=self._frame(me, name),
            version=self._platform.version,
            **self._shown(me, room, name),
        )

    def _shown(self, me: str, room: Room, name: str) -> dict[str, Any]:
        return {
            "path": _path(name),
            "posts": f"/rooms/{name}",
            "title": "Direct messages" if name == "direct" else f"#{name}",
            "to": "Comity" if name == "direct" else f"#{name}",
            "topic": room.content("m.room.topic").get("topic", ""),
            "managers": views.managers(room, self._bot) if name in ROOMS else [],
            "lines": [x for x in views.lines(room, self._bot) if name != "direct" or x.kind != "note"],
            "own": self._platform.account(me),
            "bot": self._bot,
            "standing": views.standing(room, self._platform.account(me)),
            "reports": name in ROOMS,
            "tries": {what: one.label for what, one in TRIES.items()} if name in ROOMS else {},
        }

    def _frame(self, me: str, name: str) -> dict[str, Any]:
        """What every page has around it."""
        desk = ("desk",) if self._inside(self._platform.rooms.get(self._id("desk")), me) else ()
        return {
            "here": name,
            "rooms": (*ROOMS, *desk),
            "members": {m: f"{shown}, {_ABOUT[m]}" if m in _ABOUT else shown for m, shown in self._members.items()},
            "console": self._console,
        }

    def _page(self, template: str, **values: object) -> web.Response:
        text = self._environment.get_template(template).render(values)
        return web.Response(text=text, content_type="text/html")

    def _linked(self, text: str) -> Markup:
        """A text, with the addresses of the console in it to follow; no other link of a chat leads anywhere here."""
        parts: list[Markup] = []
        for word in text.split(" "):
            for n, piece in enumerate(word.split("\n")):
                parts.append(Markup("\n") if n else Markup(" ") if parts else Markup())
                ours = piece.startswith(f"{self._console}/")
                shown = Markup('<a href="{0}" target="_blank" rel="noopener">{0}</a>').format(piece.rstrip(".,;"))
                parts.append(shown if ours else escape(piece))
        return Markup().join(parts)


def _path(name: str) -> str:
    return "/direct" if name == "direct" else f"/rooms/{name}"


async def _static(request: web.Request) -> web.Response:
    """The console's own look, and what the chat has besides."""
    kinds = {"site.css": "text/css", "chat.css": "text/css", "chat.js": "text/javascript", "mark.svg": "image/svg+xml"}
    name = request.match_info["name"]
    if name not in kinds:
        raise web.HTTPNotFound
    own = HERE / "static" / name
    console = resources.files("comity.web.site") / "static" / name
    return web.Response(body=own.read_bytes() if own.exists() else console.read_bytes(), content_type=kinds[name])
