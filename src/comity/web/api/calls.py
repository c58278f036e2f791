"""All calls, and the pages that answer them."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec
from starlette.responses import Response
from starlette.routing import compile_path

from comity.web.api import figures, me, members, openapi, queue, rulings
from comity.web.api.call import Call, page_of
from comity.web.api.problems import problem
from comity.web.site import render
from comity.web.site.context import Context
from comity.web.site.gate import Page
from comity.web.site.table import TABLE

CALLS: Final[Mapping[str, Call]] = {
    **figures.CALLS,
    **queue.CALLS,
    **rulings.CALLS,
    **members.CALLS,
    **me.CALLS,
}


@cache
def as_json() -> bytes:
    """The description of the API."""
    return msgspec.json.encode(openapi.described(CALLS))


async def description(_context: Context) -> Response:
    """The API as OpenAPI."""
    return Response(as_json(), headers=dict(render.HEADERS), media_type="application/json")


async def documentation(context: Context) -> Response:
    """The same, to be read."""
    api = msgspec.json.decode(as_json())
    parts: dict[str, Any] = api["components"]["schemas"]
    groups: dict[str, list[tuple[str, str, Any]]] = {}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    return context.render("api.html", api=api, groups=groups, parts=dict(sorted(parts.items())), kind=_kind)


async def nowhere(context: Context) -> Response:
    """What is not there, or is, and not for this method."""
    path = context.request.url.path
    allowed = {m for entry in TABLE if entry.api and _pattern(entry.path).match(path) for m in entry.methods}
    if allowed and context.request.method not in {*allowed, "HEAD"}:
        return problem(405, "this cannot be done here", headers={"Allow": ", ".join(sorted(allowed))})
    return problem(404, "there is nothing here, or it is not yours")


def _pattern(path: str) -> Any:  # noqa: ANN401  Starlette's own expression
    return compile_path(path)[0]


def _kind(schema: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A schema in few words, in parts: text, and the name of the component it links to, or ""."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [(name, name)]
    for key, word in (("anyOf", " or "), ("oneOf", " or ")):
        if key in schema:
            found: list[tuple[str, str]] = []
            for choice in schema[key]:
                found += ([(word, "")] if found else []) + _kind(choice)
            return found
    if "enum" in schema:
        return [(", ".join(str(value) for value in schema["enum"]), "")]
    if "const" in schema:
        return [(repr(schema["const"]), "")]
    if schema.get("type") == "array":
        inner: Any = schema.get("items") or next(iter(schema.get("prefixItems", ())), {})
        return [("list of ", ""), *(_kind(inner) if isinstance(inner, dict) and inner else [("values", "")])]
    return [(str(schema.get("type", "any")), "")]


PAGES: Final[Mapping[str, Page]] = {
    "api": description,
    "api-docs": documentation,
    **{name: page_of(call) for name, call in CALLS.items()},
}
