"""One call of the API: what it takes and gives, and the way from a request to its answer."""

import hashlib
import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Annotated, Any, Final, Generic, NamedTuple, TypeVar

import msgspec
from starlette.responses import Response

from comity.charter_file import CharterError
from comity.core.errors import ComityError, StoreError
from comity.stores.api_contract import AnsweredRow
from comity.web.api.problems import ProblemError, problem
from comity.web.site import render
from comity.web.site.context import Context
from comity.web.site.gate import Page as SitePage

T = TypeVar("T")
KEPT: Final = 24 * 3_600_000  # milliseconds that an answer is given again under its key
_KEY: Final = re.compile(r"[!-~]{1,100}")
_JSON: Final = "application/json"
_HASH: Final = 32  # digits of an ETag that is a hash

Number = Annotated[int, msgspec.Meta(ge=0, le=999_999_999_999_999)]
Most = Annotated[int, msgspec.Meta(ge=1, le=200)]
Line = Annotated[str, msgspec.Meta(max_length=200)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=2000, pattern=r"\S", description="why; never empty")]
NOTHING: Final = type(None)


class Paged(msgspec.Struct, Generic[T], frozen=True):
    """A part of a list. next: what to ask with for the part after it, "" at the end."""

    items: tuple[T, ...]
    next: str = ""


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing can be asked for."""


class FromNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which part of a list by number, the last first. before: only smaller numbers, 0 for the beginning."""

    before: Number = 0
    most: Most = 50


class Asked(NamedTuple):
    """What was asked: values of the call's types; match: of the header ``If-Match``, "" without one."""

    query: Any
    body: Any
    match: str


class Answer(NamedTuple):
    """What is answered. etag: the version of what it shows, "" for a hash of it."""

    value: object = None
    etag: str = ""


class Deed(NamedTuple):
    """Something to be done, at most once under one key. do: must not wait for anything; tell: of what it gave."""

    do: Coroutine[Any, Any, Any]
    tell: Callable[[Any], Answer] = Answer


class Call(NamedTuple):
    """One call.

    run: answers; title, tag: for the documentation; gives: type of the answer's value, ``NOTHING`` for none; takes: of
    the body, ``NOTHING`` for none; asks: of the query; status: of a good answer; match: ``If-Match`` is understood.
    """

    run: Callable[[Context, Asked], Awaitable[Answer | Deed]]
    title: str
    tag: str
    gives: Any = NOTHING
    takes: Any = NOTHING
    asks: Any = NoQuery
    status: int = 200
    match: bool = False


def page_of(call: Call) -> SitePage:
    """The page that answers a call."""

    async def page(context: Context) -> Response:
        try:
            return await _answer(call, context)
        except ProblemError as error:
            return error.response
        except CharterError as error:
            return problem(422, "the charter has mistakes", errors=[str(m) for m in error.mistakes])
        except StoreError:
            raise
        except ComityError as error:
            return problem(409, str(error))

    return page


async def _answer(call: Call, context: Context) -> Response:
    request = context.request
    raw = await _raw(context)
    asked = Asked(_query(call, context), _body(call, context, raw), request.headers.get("if-match", "").strip(' "'))
    key = _key(context)
    hashed = hashlib.sha256(b"\0".join([request.method.encode(), str(request.url).encode(), raw])).digest()
    if key and (kept := _kept(context, key, hashed)):
        return kept
    given = await call.run(context, asked)
    if isinstance(given, Answer):
        return _good(call, context, given)
    if not key:
        return _good(call, context, given.tell(await given.do))
    store, who = context.site.store, _who(context)
    with store.write():
        response = _good(call, context, given.tell(_at_once(given.do)))
        row = AnsweredRow(hashed, response.status_code, response.headers.get("etag", ""), _text(response), context.at)
        store.api.keep_answer(who, key, row, since=context.at - KEPT)
    return response


def _at_once(deed: Coroutine[Any, Any, T]) -> T:
    """What it gives, without the loop: nothing comes between it and the transaction around it."""
    try:
        deed.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    deed.close()
    raise RuntimeError("a deed that is done once must not wait for anything")


def _kept(context: Context, key: str, hashed: bytes) -> Response | None:
    row = context.site.store.api.answered(_who(context), key, context.at - KEPT)
    if row is None:
        return None
    if row.asked != hashed:
        raise ProblemError(422, "this Idempotency-Key was sent with another request: take a new one")
    headers = {**render.HEADERS, "Idempotent-Replayed": "true"} | ({"ETag": row.etag} if row.etag else {})
    return Response(row.body, row.status, headers=headers, media_type=_JSON if row.body else None)


def _key(context: Context) -> str:
    key = context.request.headers.get("idempotency-key", "").strip()
    if key and not _KEY.fullmatch(key):
        raise ProblemError(400, "an Idempotency-Key is 1 to 100 printable characters of ASCII, without spaces")
    return key if context.request.method == "POST" else ""


def _who(context: Context) -> str:
    return f"{context.community} {context.known.session.how} {context.who.name}"


def _good(call: Call, context: Context, answer: Answer) -> Response:
    if call.gives is NOTHING:
        return Response(status_code=204, headers=dict(render.HEADERS))
    body = msgspec.json.encode(answer.value)
    headers = dict(render.HEADERS)
    if context.request.method in {"GET", "HEAD"} or answer.etag:
        headers["ETag"] = f'"{answer.etag or hashlib.sha256(body).hexdigest()[:_HASH]}"'
        seen = {tag.strip() for tag in context.request.headers.get("if-none-match", "").split(",")}
        if context.request.method != "POST" and seen & {headers["ETag"], f"W/{headers['ETag']}", "*"}:
            return Response(status_code=304, headers=headers)
    return Response(body, call.status, headers=headers, media_type=_JSON)


def _text(response: Response) -> str:
    return bytes(response.body).decode()


async def _raw(context: Context) -> bytes:
    """The body, no longer than it may be."""
    found = bytearray()
    if context.request.method == "POST":
        async for part in context.request.stream():
            found += part
            if len(found) > context.entry.most:
                raise ProblemError(413, f"at most {context.entry.most} bytes can be sent")
    return bytes(found)


def _body(call: Call, context: Context, raw: bytes) -> Any:  # noqa: ANN401  of the call's type
    if call.takes is NOTHING:
        if raw.strip():
            raise ProblemError(400, "nothing is to be sent along here")
        return None
    kind = context.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON:
        raise ProblemError(415, f"send {_JSON}", headers={"Accept": _JSON})
    try:
        found = msgspec.json.decode(raw, type=call.takes)
    except UnicodeDecodeError:
        raise ProblemError(400, "the body holds bytes that are not UTF-8") from None
    except msgspec.ValidationError as error:
        raise ProblemError(422, f"the body is not as expected: {_said(error)}") from error
    except (msgspec.DecodeError, RecursionError):
        raise ProblemError(400, "the body is no JSON") from None
    return found


def _query(call: Call, context: Context) -> Any:  # noqa: ANN401  of the call's type
    given = context.request.query_params.multi_items()
    names = [name for name, _ in given]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ProblemError(400, f"{twice[0]} can be asked for once")
    try:
        return msgspec.convert(dict(given), call.asks, strict=False)
    except msgspec.ValidationError as error:
        raise ProblemError(400, f"the query is not as expected: {_said(error)}") from error


def _said(error: msgspec.ValidationError) -> str:
    said = str(error)
    return said[:1].lower() + said[1:]


def part_of(items: Sequence[T], most: int, key: Callable[[T], object]) -> Paged[T]:
    """The first so many of a list that was read with one more, and where the next part begins."""
    more = len(items) > most
    return Paged(tuple(items[:most]), str(key(items[most - 1])) if more else "")


def missing() -> ProblemError:
    """What is not there, or not theirs."""
    return ProblemError(404, "there is nothing here, or it is not yours")


def number_of(context: Context, name: str = "number") -> int:
    """A number of the path."""
    return int(context.request.path_params[name])
