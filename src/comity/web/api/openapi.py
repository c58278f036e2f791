"""The API's description as OpenAPI 3.1, made of the table of routes and the types of its calls."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

import comity
from comity.web.api.call import NOTHING, Call
from comity.web.api.problems import TYPE, Problem
from comity.web.site.table import TABLE, Entry, Refusal

_PART: Final = re.compile(r"\{(\w+)(?::int)?\}")
_REF: Final = "#/components/schemas/{name}"
_NUMBER: Final = {"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999}
_ITEM: Final = {
    "type": "string",
    "pattern": "^(proposal|provisional|report|appeal|finding|sample)-[0-9]{1,15}$",
    "examples": ["report-12"],
}
_ABOUT: Final = (
    "Everything the console does, for programs. A token acts in the name of the person who made it, in one community, "
    "and can do no more than that person can at that moment. Whoever may not gets what is not there. Times are "
    "milliseconds since 1970; points are thousandths; lists come in parts, and `next` asks for the one after."
)
_SCHEMES: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token, made in the console under Tokens."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-comity-me",
        "description": "A member's session of their own page; without https its name is comity-me.",
    },
}
_ALWAYS: Final = (400, 401, 404, 409, 429, 500)


def described(calls: Mapping[str, Call]) -> dict[str, Any]:
    """The description. Raises KeyError for a route of the API without a call."""
    entries = [entry for entry in TABLE if entry.api and entry.refusal is not Refusal.NONE]
    types: list[Any] = [Problem]
    for entry in entries:
        call = calls[entry.name]
        types += [t for t in (call.gives, call.takes, call.asks) if t is not NOTHING]
    schemas, parts = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, Any] = {}
    for entry in entries:
        there = paths.setdefault(_PART.sub(r"{\1}", entry.path), {})
        there[entry.methods[0].lower()] = _operation(entry, calls[entry.name], by_type, parts)
    queries = {repr(calls[e.name].asks) for e in entries}
    left_out = {by_type[q]["$ref"].rpartition("/")[2] for q in queries}
    components = {name: _plain(part) for name, part in parts.items() if name not in left_out}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Comity", "version": comity.__version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(calls[e.name].tag for e in entries)],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SCHEMES},
    }


def _operation(entry: Entry, call: Call, by_type: Mapping[str, Any], parts: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": entry.name.removeprefix("api-"),
        "summary": call.title,
        "description": _doc(call, entry),
        "tags": [call.tag],
        "security": [{"token": []} if entry.refusal is Refusal.TOKEN else {"session": []}],
        "parameters": _parameters(entry, call, by_type, parts),
        "responses": _responses(entry, call, by_type),
    }
    if call.takes is not NOTHING:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": by_type[repr(call.takes)]}}}
    return made


def _doc(call: Call, entry: Entry) -> str:
    said = " ".join((call.run.__doc__ or "").split())
    who = ", ".join(sorted(entry.roles))
    scope = f" Scope: {entry.scope}." if entry.scope else ""
    return f"{said}\n\nFor: {who}.{scope}"


def _parameters(entry: Entry, call: Call, by_type: Mapping[str, Any], parts: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": _ITEM if name == "item" else _NUMBER}
        for name in _PART.findall(entry.path)
    ]
    asks = parts[by_type[repr(call.asks)]["$ref"].rpartition("/")[2]]
    for name, schema in asks["properties"].items():
        needed = name in asks.get("required", ())
        found.append({"name": name, "in": "query", "required": needed, "schema": schema})
    if "POST" in entry.methods:
        text = {"type": "string", "pattern": "^[!-~]{1,100}$"}
        told = "What is sent again under the same key within 24 hours is answered again, and not done again."
        found.append(
            {"name": "Idempotency-Key", "in": "header", "required": False, "schema": text, "description": told}
        )
        if entry.refusal is Refusal.LINK:
            proof = {"type": "string", "description": "csrf, as /api/v1/me says it"}
            found.append({"name": "X-CSRF", "in": "header", "required": True, "schema": proof})
    if call.match:
        text = {"type": "string", "description": "the ETag of what was seen"}
        found.append({"name": "If-Match", "in": "header", "required": False, "schema": text})
    return found


def _responses(entry: Entry, call: Call, by_type: Mapping[str, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": HTTPStatus(call.status).phrase}
    if call.gives is not NOTHING:
        good["content"] = {"application/json": {"schema": by_type[repr(call.gives)]}}
    found = {str(call.status): good}
    if entry.methods == ("GET",):
        good["headers"] = {"ETag": {"schema": {"type": "string"}}}
        found["304"] = {"description": "Not Modified"}
    statuses = [*_ALWAYS, 403]
    statuses += [411, 412, 413, 428] if "POST" in entry.methods else []
    statuses += [415] if call.takes is not NOTHING else []
    statuses += [422] if "POST" in entry.methods else []
    body = {"content": {TYPE: {"schema": by_type[repr(Problem)]}}}
    for status in sorted(statuses):
        found[str(status)] = {"description": HTTPStatus(status).phrase, **body}
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            wait = {"schema": {"type": "integer"}, "description": "seconds until it can be asked for again"}
            found[str(status)]["headers"] = {"Retry-After": wait}
    return found


def _plain(part: Any) -> Any:  # noqa: ANN401  any part of a schema
    """A schema with its descriptions on one line each."""
    if isinstance(part, dict):
        return {
            key: " ".join(value.split()) if key == "description" and isinstance(value, str) else _plain(value)
            for key, value in part.items()
        }
    return [_plain(value) for value in part] if isinstance(part, list) else part
