"""How members enter their own page: by a link that their platform account received."""

from typing import Final, NamedTuple

from starlette.responses import Response

from comity.core.member_link import COMMAND, KEY, Entrance, entrance
from comity.web.site import sessions
from comity.web.site.context import Context
from comity.web.site.readers import ReadingStore


class Entering(NamedTuple):
    """Who enters."""

    said: Entrance
    member: int


async def enter(context: Context) -> Response:
    """What the link leads to: a page with one button. Who only looks at the link, as platforms do, opens nothing."""
    entering = await whose(context, context.request.path_params["token"])
    if entering is None:
        return context.sorry("me link over", 404, command=COMMAND)
    said = entering.said
    if context.request.method != "POST":
        community = context.site.communities.get(said.community, "")
        return context.render("me_enter.html", pseudonym=said.pseudonym, community=community)
    old = context.site.cookies.get(context.request, "me")
    if old:
        context.access.end_session(sessions.hashed(old))
    label = sessions.browser(context.request)
    secret = sessions.opened(context.access, context.now, how="link", label=label, member=entering.member)
    response = context.go("/me")
    context.site.cookies.put(response, "me", secret, strict=False, seconds=int(sessions.MEMBER_MOST.total_seconds()))
    return response


async def whose(context: Context, token: str) -> Entering | None:
    """Whose link this is the last part of, if it is still good."""
    said = entrance(context.access.key(KEY), token, context.now)
    if said is None:
        return None

    def ask(store: ReadingStore) -> Entering | None:
        member = store.access.member_called(said.community, said.pseudonym)
        if member is None or store.access.generation(member) != said.generation:
            return None
        return Entering(said, member)

    return await context.read(ask)


async def open_sessions(context: Context) -> Response:
    """Where the own page is open."""
    member, at = context.member, context.at
    rows = await context.read(lambda store: store.access.sessions(at, member=member))
    return context.render("me_sessions.html", rows=rows)


async def end(context: Context) -> Response:
    """Close everywhere, and revoke every link there is."""
    context.access.revoke_links(context.member)
    response = context.sorry("me sessions ended", 200, command=COMMAND)
    context.site.cookies.drop(response, "me")
    return response


async def sign_out(context: Context) -> Response:
    """Close it here."""
    context.access.end_session(context.known.session.hash)
    response = context.sorry("me no session", 200, command=COMMAND)
    context.site.cookies.drop(response, "me")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


PAGES: Final = {"me-enter": enter, "me-sessions": open_sessions, "me-sessions-end": end, "me-sign-out": sign_out}
