"""What a token of the API may do: no more than whoever made it, now, there, and for what it was made."""

import asyncio
import datetime as dt

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from comity.core.access import May, Role, Scope, roles_that
from comity.stores.access_contract import TokenRow
from comity.web.site import sessions
from comity.web.site.context import Context
from comity.web.site.gate import Gate
from comity.web.site.limits import LIMITS
from comity.web.site.table import Entry, Refusal
from site_kit import Served

pytest_plugins = ["site_kit"]
SECRET = "comity_" + "t" * 43


async def told(context: Context) -> Response:
    """A page of an API: who asks, and where."""
    return JSONResponse({"name": context.who.name, "community": context.community, "tea": context.given("tea")})


def ask(served: Served, path: str, secret: str = SECRET, method: str = "GET") -> httpx.Response:
    """Ask a small API that stands on the site's gate: ``/read`` and ``/decide``, and one of a community."""
    entries = [
        Entry("read", "/read", roles_that(May.FIGURES), Refusal.TOKEN, ("GET", "POST"), "api", scope=Scope.READ),
        Entry("decide", "/decide", roles_that(May.DECIDE), Refusal.TOKEN, limit="api", scope=Scope.DECIDE),
        Entry("there", "/there/{community:int}", roles_that(May.FIGURES), Refusal.TOKEN, limit="api"),
    ]
    api = Starlette(routes=[Route(e.path, Gate(served.site, e, told), methods=list(e.methods)) for e in entries])
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    async def answered() -> httpx.Response:
        transport = httpx.ASGITransport(app=api)
        async with httpx.AsyncClient(transport=transport, base_url=served.url, headers=headers) as client:
            return await client.request(method, path)

    return asyncio.run_coroutine_threadsafe(answered(), served.loop).result(20)


@pytest.fixture
def made(served: Served) -> Served:
    """A site with a token to read with, made by its operator, for a day."""
    at = sessions.millis(served.now())
    until = at + sessions.span(dt.timedelta(days=1))
    operator = served.people[Role.OPERATOR]
    token = TokenRow(
        0, sessions.hashed(SECRET), operator, served.community, "tea", frozenset({Scope.READ}), at, until, 0
    )
    served.do(lambda s: s.access.add_token(token))
    return served


def test_a_token_acts_in_the_name_of_whoever_made_it(made: Served) -> None:
    """No cookie and no form's proof is needed: whoever has the token has it on purpose."""
    answer = ask(made, "/read", method="POST")

    assert (200, "olive", made.community) == (answer.status_code, answer.json()["name"], answer.json()["community"])


def test_a_token_does_what_it_was_made_for_and_nothing_else(made: Served) -> None:
    """Another scope, another role's page, another community: all as if it were not there."""
    answers = [ask(made, path) for path in ("/decide", "/there/4711")]

    assert [404, 404] == [answer.status_code for answer in answers]
    assert 1 == len({answer.text for answer in answers})
    assert 200 == ask(made, f"/there/{made.community}").status_code


def test_a_token_without_its_maker_is_worth_nothing(made: Served) -> None:
    """Whoever lost the role has lost it for their tokens too."""
    here, olive = made.community, made.people[Role.OPERATOR]
    made.do(lambda s: s.access.grant(made.people[Role.AUDITOR], here, Role.OPERATOR, "test", 1))
    made.do(lambda s: s.access.withdraw(olive, here, Role.OPERATOR, "test", 1))

    assert 401 == ask(made, "/read").status_code


@pytest.mark.parametrize("secret", ["", "comity_wrong", "x", "tea tea", "\x7f"])
def test_what_is_no_token_is_refused(made: Served, secret: str) -> None:
    """With a sentence, and nothing else; a session's cookie is no token either."""
    answer = ask(made, "/read", secret)

    assert 401 == answer.status_code
    assert ("application/problem+json", 401) == (answer.headers["content-type"], answer.json()["status"])


def test_a_token_ends_when_it_was_said(made: Served) -> None:
    """To the second."""
    made.shift += dt.timedelta(days=1)

    assert 401 == ask(made, "/read").status_code


def test_a_token_that_asks_too_often_waits(made: Served) -> None:
    """The answer says how long."""
    for _ in range(4 * LIMITS["api"].burst):
        answer = ask(made, "/read")
        if answer.status_code != 200:
            break

    assert 429 == answer.status_code
    assert "retry-after" in answer.headers


def test_a_link_from_a_chat_finds_whoever_is_signed_in(served: Served) -> None:
    """Strict cookies do not come along from elsewhere: a page of ours leads on, and only then to the sign-in."""
    with served.client() as client:
        first = client.get("/console/account", headers={"Sec-Fetch-Site": "cross-site"})
        then = client.get("/console/account", headers={"Sec-Fetch-Site": "same-origin"})

    assert (200, True) == (first.status_code, 'content="0; url=/console/account"' in first.text)
    assert (303, "/console/sign-in") == (then.status_code, then.headers["location"])


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere", "javascript:x", ""]
)
def test_nothing_leads_elsewhere(served: Served, back: str) -> None:
    """The way back from the preferences is a page of ours, whatever the form says."""
    with served.client() as client:
        answer = client.post("/preferences", data={"back": back}, headers={"Origin": served.url})

    assert "/console" == answer.headers["location"]


@pytest.mark.parametrize("number", ["9" * 15, "9" * 30, "9" * 5000, "-1", "1.0", "0x1", "%00", "٣"])
def test_a_number_that_is_none_is_not_there(served: Served, number: str) -> None:
    """However long or odd: no error, and nothing in the log."""
    with served.client(Role.OPERATOR) as client:
        assert 404 == client.get(f"/console/{number}/staff").status_code


def test_a_form_that_cannot_be_read_is_refused(served: Served) -> None:
    """Broken multipart is a bad form, not an error of ours."""
    with served.client(Role.OPERATOR) as client:
        headers = {"Origin": served.url, "Content-Type": "multipart/form-data; boundary=x"}
        answer = client.post("/console/sign-out", content=b"--x\r\nnot: a part\r\n", headers=headers)

        assert answer.status_code in {400, 403}
        assert 200 == client.get("/console/account").status_code
