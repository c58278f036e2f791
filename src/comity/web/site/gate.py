"""The one way to every page: how often, from where, who, and whether they may; then the page."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from comity.core.errors import ComityError
from comity.core.member_link import COMMAND
from comity.stores.access_contract import TokenRow
from comity.web.api.problems import problem
from comity.web.site import render, sessions
from comity.web.site.context import Context
from comity.web.site.readers import ReadingStore
from comity.web.site.sessions import Seen
from comity.web.site.shared import Site
from comity.web.site.table import Entry, Refusal
from comity.web.site.texts import preferred

Page = Callable[[Context], Awaitable[Response]]
_SAFE: Final = frozenset({"GET", "HEAD"})
_THEMES: Final = frozenset({"light", "dark"})
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


class Gate:
    """An ASGI endpoint: the entry's rules before the page. page: None for whatever is not there."""

    def __init__(self, site: Site, entry: Entry, page: Page | None) -> None:
        self._site, self._entry, self._page = site, entry, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive, send)
        try:
            response = await self._answer(request)
            await response(scope, receive, send)
        finally:
            await request.close()  # files that were sent along

    async def _answer(self, request: Request) -> Response:
        context = self._context(request)
        try:
            refused = await self._enter(context)
            if refused is not None:
                return refused
            return await self._page(context) if self._page else self._not_there(context)
        except HTTPException as error:  # a form that cannot be read
            return context.sorry("bad form", error.status_code)
        except ClientDisconnect:
            return Response(status_code=400)
        except ComityError as error:
            self._site.log.warning("a page could not be made", page=self._entry.name, why=type(error).__name__)
        except Exception as error:
            self._site.log.error("a page failed", page=self._entry.name, exc_info=error)  # noqa: TRY400  structlog's
        if self._entry.refusal is Refusal.TOKEN:
            return problem(500, "something failed here; it is in the log")
        return context.sorry("failed", 500)

    def _context(self, request: Request) -> Context:
        cookies = self._site.cookies
        theme = cookies.get(request, "theme")
        return Context(
            site=self._site,
            request=request,
            entry=self._entry,
            now=self._site.now(),
            language=preferred(request.headers.get("accept-language", ""), cookies.get(request, "language")),
            theme=theme if theme in _THEMES else "",
        )

    async def _enter(self, context: Context) -> Response | None:
        """Why not, or None."""
        entry, request = self._entry, context.request
        if entry.refusal is Refusal.TOKEN:
            return await self._enter_by_token(context)
        what = "me" if context.members_page else "staff"
        secret = self._site.cookies.get(request, what)
        key = sessions.hashed(secret).hex() if secret else ""
        if wait := self._wait(request, key):
            return _later(context.sorry("too often", 429, seconds=int(wait) + 1), wait)
        at = context.at
        if secret and entry.limit != "static":
            context.seen = await context.read(lambda store: sessions.seen(store.access, secret, at))
        if context.seen is not None:
            context.secret = secret
            context.community = context.seen.community
            if at - context.seen.session.used >= sessions.USED_EVERY:
                context.access.session_used(context.seen.session.hash, at)
        if entry.refusal is not Refusal.NONE:
            if context.seen is None:
                return self._unknown(context)
            if not self._may(context):
                context.community = context.seen.community
                return self._not_there(context)
        if request.method not in _SAFE:
            return await self._take_form(context)
        return None

    def _wait(self, request: Request, session: str) -> float:
        address = self._site.address(request)
        return self._site.limits.wait(self._entry.limit, time.monotonic(), address=address, session=session)

    def _may(self, context: Context) -> bool:
        """Whether who asks has one of the roles, in the community of the path or, without one, anywhere."""
        roles = context.known.roles
        named = context.request.path_params.get("community")
        if named is None:
            return any(held & self._entry.roles for held in roles.values())
        context.community = int(named)
        return bool(roles.get(context.community, frozenset()) & self._entry.roles)

    def _unknown(self, context: Context) -> Response:
        """Nobody is known: the same for every page of the staff or of members, whether it is there or not."""
        request = context.request
        if self._entry.refusal is Refusal.LINK:
            return context.sorry("me no session", 404, command=COMMAND)
        if request.method not in _SAFE or context.partial or "text/event-stream" in request.headers.get("accept", ""):
            return context.not_there()
        if request.headers.get("sec-fetch-site") == "cross-site":
            # A link from elsewhere brings no strict cookie along; a page of ours that leads here does.
            return context.render("bounce.html", to=request.url.path)
        return RedirectResponse(context.url("sign-in"), 303, headers=dict(render.HEADERS))

    def _not_there(self, context: Context) -> Response:
        if self._entry.refusal is Refusal.TOKEN:
            return problem(404, "there is nothing here, or it is not yours")
        return context.not_there()

    async def _take_form(self, context: Context) -> Response | None:
        """Take what was sent along, if it is from a page of ours, and of this session."""
        request = context.request
        if not self._from_here(request):
            return context.sorry("bad form", 403)
        length = request.headers.get("content-length", "")
        if not length.isdecimal():
            return context.sorry("too large", 411)
        if int(length) > self._entry.most:
            return context.sorry("too large", 413)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        given = request.headers.get("x-csrf", "")
        if kind in _FORMS:
            form = await request.form(max_files=4, max_fields=2000)
            context.form = FormData(form)
            field = form.get("csrf", "")
            given = given or (field if isinstance(field, str) else "")
        # Where nobody needs to be known there is no session to misuse; whoever asks came from a page of ours.
        known = self._entry.refusal is not Refusal.NONE
        if known and not sessions.csrf_holds(context.secret, given):
            return context.sorry("bad form", 403)
        return None

    def _from_here(self, request: Request) -> bool:
        """Whether the browser says that a page of ours sent this (Fetch Metadata, and RFC 6454)."""
        site = request.headers.get("sec-fetch-site")
        origin = request.headers.get("origin")
        if site is not None and site != "same-origin":
            return False
        return origin == self._site.origin if origin is not None else site == "same-origin"

    # The API.

    async def _enter_by_token(self, context: Context) -> Response | None:
        kind, _, secret = context.request.headers.get("authorization", "").partition(" ")
        key = sessions.hashed(secret).hex()
        if wait := self._wait(context.request, key):
            return _later(problem(429, "too often: wait as long as Retry-After says"), wait)
        if kind.lower() != "bearer" or not secret:
            return _no_token("a token is missing: Authorization: Bearer comity_...")
        hashed, at = sessions.hashed(secret.strip()), context.at
        token = context.access.token(hashed, at)
        if token is None:
            return _no_token("this token is not good, or not any more")
        context.token, context.community = token, token.community
        context.seen = await context.read(lambda store: _holder(store, token))
        named = context.request.path_params.get("community", token.community)
        scope = self._entry.scope
        allowed = (
            context.seen is not None
            and int(named) == token.community
            and (scope is None or scope in token.scopes)
            and bool(context.roles & self._entry.roles)
        )
        return None if allowed else self._not_there(context)


def _holder(store: ReadingStore, token: TokenRow) -> Seen | None:
    """Whoever made the token, as what they are now."""
    person = store.access.person(token.person)
    roles = store.access.roles(token.person)
    if person is None or token.community not in roles:
        return None
    session = sessions.of_token(token)
    member = store.access.member_of(token.person, token.community)
    return Seen(session, {token.community: roles[token.community]}, person, {token.community: member})


def _no_token(why: str) -> Response:
    return problem(401, why, headers={"WWW-Authenticate": "Bearer"})


def _later(response: Response, wait: float) -> Response:
    response.headers["Retry-After"] = str(int(wait) + 1)
    return response
