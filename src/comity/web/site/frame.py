"""What every page uses: its files, and how it is to look."""

from typing import Final

from starlette.responses import Response

from comity.web.site import render
from comity.web.site.context import Context
from comity.web.site.texts import LANGUAGES

_YEAR: Final = 365 * 86_400
_THEMES: Final = frozenset({"", "light", "dark"})


async def static(context: Context) -> Response:
    """A file."""
    return render.file(context.request.path_params["file"]) or context.not_there()


async def preferences(context: Context) -> Response:
    """Choose colours and language; kept in the browser, and nowhere else."""
    theme, language, back = context.given("theme"), context.given("language"), context.given("back")
    response = context.go(back if local(back) else "/console")
    if theme in _THEMES:
        context.site.cookies.put(response, "theme", theme, seconds=_YEAR)
    if language in LANGUAGES:
        context.site.cookies.put(response, "language", language, seconds=_YEAR)
    context.site.cookies.put(response, "keys", context.given("keys") or "off", seconds=_YEAR)
    return response


def local(path: str) -> bool:
    """Whether it is the path of a page of ours, and leads nowhere else."""
    return path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()


PAGES: Final = {"static": static, "preferences": preferences}
