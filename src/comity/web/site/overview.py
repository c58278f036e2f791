"""Where the staff arrives."""

from typing import Final

from starlette.responses import Response

from comity.web.site.context import Context


async def console(context: Context) -> Response:
    """To the community, if there is only one to look after; else a choice."""
    if len(context.communities) == 1:
        return context.go(context.url("overview", community=context.communities[0][0]))
    return context.render("communities.html")


async def overview(context: Context) -> Response:
    """A community's first page."""
    return context.render("overview.html")


PAGES: Final = {"console": console, "overview": overview}
