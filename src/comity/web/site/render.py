"""Templates to answers: what a text from a chat becomes, how times are told, and the headers of every page."""

import datetime as dt
import hashlib
import mimetypes
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from comity.core.event import moment, rfc3339
from comity.core.statement import shown
from comity.web.site.texts import catalogue

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    # Not "no-referrer": with that, browsers send no Origin along with a form either, and forms are checked by it.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self)",
    "Cache-Control": "no-store",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_HELD: Final = frozenset(
    {"\u200e", "\u200f", "\u061c", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def html(template: str, status: int = 200, /, **values: Any) -> Response:  # noqa: ANN401  whatever a template shows
    """A page. Raises jinja2.UndefinedError if the template wants a value that is not given."""
    return HTMLResponse(environment().get_template(template).render(values), status, headers=dict(HEADERS))


@cache
def environment() -> jinja2.Environment:
    """The templates: everything is text unless a template says otherwise, and what is missing is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("comity.web.site", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"told": told, "points": shown, "iso": lambda at: rfc3339(_time(at)), "exact": exact, "ago": ago}
    made.globals["static"] = static
    return made


def told(text: str) -> Markup:
    """A text of somebody's as it is to be shown: isolated from the text around it, with what would hide made visible.

    Characters that steer writing direction, and control characters, become their code in brackets; a new line stays.
    Source: UAX 9, section 2.7 (isolation in markup); Trojan Source (CVE-2021-42574).
    """
    parts = [_visible(c) if _hidden(c) else escape(c) for c in text]
    return Markup("<bdi>") + Markup("").join(parts) + Markup("</bdi>")


def _hidden(character: str) -> bool:
    return character in _HELD or (unicodedata.category(character) in {"Cc", "Cs", "Co"} and character != "\n")


def _visible(character: str) -> Markup:
    return Markup('<span class="control">U+{:04X}</span>').format(ord(character))


def exact(at: dt.datetime | int, language: str, zone: dt.tzinfo = dt.UTC) -> str:
    """To the minute, in words, with its zone."""
    local = _time(at).astimezone(zone)
    texts = catalogue(language)
    date = texts["date"].format(day=local.day, month=texts["months"].split()[local.month - 1], year=local.year)
    return texts["time"].format(date=date, clock=f"{local:%H:%M}", zone=local.tzname() or "UTC")


def ago(at: dt.datetime | int, now: dt.datetime, language: str) -> str:
    """How long ago or ahead, coarsely, rounded down."""
    seconds = (now - _time(at)).total_seconds()
    size, way = abs(seconds), "ago" if seconds >= 0 else "in"
    texts = catalogue(language)
    if size < _MINUTE:
        return texts["ago now"]
    unit, name = next((u, n) for u, n in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")) if size >= u)
    return texts[f"{way} {name}"].format(n=int(size // unit))


def _time(at: dt.datetime | int) -> dt.datetime:
    """A time; whole numbers are milliseconds since 1970."""
    return moment(at) if isinstance(at, int) else at


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Every static file there is, by its path: what is not listed here is not there."""
    found: dict[str, tuple[bytes, str]] = {}
    root = resources.files("comity.web.site") / "static"
    for folder, prefix in ((root, ""), (root / "vendor", "vendor/")):
        for file in folder.iterdir():
            if file.is_file():
                kind = mimetypes.guess_type(file.name)[0] or "text/plain"
                found[prefix + file.name] = file.read_bytes(), kind
    return found


@cache
def static(name: str) -> str:
    """The address of a static file, another one whenever it changes. Raises KeyError if there is none."""
    return f"/static/{name}?{hashlib.sha256(_files()[name][0]).hexdigest()[:12]}"


def file(name: str) -> Response | None:
    """A static file, to be kept for ever under its address; None if there is none."""
    if name not in _files():
        return None
    body, kind = _files()[name]
    return Response(body, media_type=kind, headers={**HEADERS, "Cache-Control": _FOR_EVER})
