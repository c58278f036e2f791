"""Who may see what: every route and every role, what a refusal looks like, and what a stolen cookie is worth."""

import datetime as dt
import re
from typing import Final

import httpx
import pytest

from acting_pages import ACTING
from comity.core.access import ROLES, May, Role, may
from comity.web.site import sessions
from comity.web.site.app import PAGES, routes
from comity.web.site.context import Context
from comity.web.site.limits import LIMITS, Limits
from comity.web.site.table import TABLE, Refusal, matrix
from desk_pages import DESK
from own_pages import OWN
from site_kit import Client, Served

pytest_plugins = ["site_kit"]

O, M, N, A, ME = Role.OPERATOR, Role.MODERATOR, Role.NEUTRAL, Role.AUDITOR, Role.MEMBER  # noqa: E741  in a table
STAFF: Final = {O, M, N, A}
EVERYBODY: Final = {*STAFF, ME}
# Written down a second time, on purpose: whoever changes who may see a page says so twice.
MAY: Final = {
    "static": EVERYBODY,
    "preferences": EVERYBODY,
    "sign-in": EVERYBODY,
    "passkey-ask": EVERYBODY,
    "passkey-answer": EVERYBODY,
    "provider-go": EVERYBODY,
    "provider-back": EVERYBODY,
    "enrol": EVERYBODY,
    "enrol-ask": EVERYBODY,
    "enrol-answer": EVERYBODY,
    "enrol-provider": EVERYBODY,
    "me-enter": EVERYBODY,
    "console": STAFF,
    "live": STAFF,
    "sign-out": STAFF,
    "account": STAFF,
    "passkey-add-ask": STAFF,
    "passkey-add": STAFF,
    "way-drop": STAFF,
    "member-name": STAFF,
    "session-end": STAFF,
    "sessions-end": STAFF,
    "overview": STAFF,
    "tokens": {O},
    "token-end": {O},
    "webhooks": {O},
    "webhook-change": {O},
    "staff": {O},
    "staff-add": {O},
    "staff-role": {O},
    "staff-invite": {O},
    "acts": {O, A},
    "me-sessions": {ME},
    "me-sessions-end": {ME},
    "me-sign-out": {ME},
    **OWN,
    "c": EVERYBODY,
    **ACTING,
    **DESK,
    "api": EVERYBODY,
    "api-docs": EVERYBODY,
    "api-communities": STAFF,
    "api-overview": {O, M, A},
    "api-precision": {O, M, A},
    "api-queue": {M, N},
    "api-case": {M, N},
    "api-lock": {M, N},
    "api-release": {M, N},
    "api-skip": {M, N},
    "api-decide": {M, N},
    "api-preview": {M, N},
    "api-verdicts": {M, N},
    "api-verdict": {M, N},
    "api-undo": {M, N},
    "api-decisions": {O, A},
    "api-decision": {O, A},
    "api-statement": {O, A},
    "api-reports": {M},
    "api-report-make": STAFF,
    "api-report": {M},
    "api-outcome": STAFF,
    "api-appeals": {M, N},
    "api-appeal": {M, N},
    "api-members": {M},
    "api-look": {M},
    "api-member": {M},
    "api-findings": {M},
    "api-looks": {O, A},
    "api-charter": STAFF,
    "api-charter-check": {O, M},
    "api-versions": STAFF,
    "api-version": STAFF,
    "api-templates": {M},
    "api-template-save": {M},
    "api-me": {ME},
    "api-me-decisions": {ME},
    "api-me-appeals": {ME},
    "api-me-appeal": {ME},
    "api-me-evidence": {ME},
    "api-me-withdraw": {ME},
}
FOUNDATION: Final = [entry for entry in TABLE if entry.name in MAY and not entry.api]


def address(path: str, community: int) -> str:
    """A path with something in every place."""
    return re.sub(r"\{[^}]*\}", "x", path.replace("{community:int}", str(community)))


def asked(client: Client, method: str, path: str) -> tuple[int, str]:
    """Status and what the page says; a stream is not waited for."""
    headers = {"Origin": str(client.base_url).rstrip("/")}
    data = {"csrf": sessions.csrf(client.secret)} if client.secret else {}
    with client.stream(method, path, headers=headers, data=data if method == "POST" else None) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer.status_code, ""
        return answer.status_code, answer.read().decode()


def main_of(page: str) -> str:
    """The part of a page that is not its frame."""
    return page.partition('<main id="main" tabindex="-1">')[2].partition("</main>")[0]


def test_the_table_says_who_may_as_it_is_written_here() -> None:
    """No route is open to anybody that this test does not name: whoever adds a route adds it to ``MAY`` too."""
    said = {name: {role for role, allowed in roles.items() if allowed} for name, roles in matrix().items()}

    assert said == MAY


def test_whoever_gives_roles_decides_no_case() -> None:
    """The operator's role holds no right to decide or to look at members; a member's only their own page."""
    assert not may([Role.OPERATOR], May.DECIDE)
    assert not may([Role.OPERATOR], May.LOOK)
    assert not may([Role.AUDITOR], May.DECIDE)
    assert {May.OWN} == ROLES[Role.MEMBER]


@pytest.mark.parametrize("change", ["a page without an entry", "an entry without a page"])
def test_a_route_that_is_not_in_the_table_cannot_be_built(change: str) -> None:
    """Pages and entries stand one to one, or there is no site."""

    async def page(context: Context) -> httpx.Response:
        raise AssertionError(context)

    pages = dict(PAGES)
    if change == "a page without an entry":
        pages["secret-door"] = page  # type: ignore[assignment]
    else:
        del pages["overview"]

    with pytest.raises(ValueError, match=r"secret-door|overview"):
        routes(None, pages)  # type: ignore[arg-type]


def test_every_role_gets_every_route_as_the_table_says(served: Served) -> None:
    """Real requests: who may is let in; who may not gets, to the letter, what a page that is not there gives."""
    for role in Role:
        nowhere = "/me/nowhere" if role is Role.MEMBER else "/console/nowhere"
        with served.client(role) as client:
            missing = asked(client, "GET", nowhere)
        assert missing[0] == 404
        for entry in FOUNDATION:
            if entry.refusal is Refusal.NONE or entry.name in {*ACTING, *DESK, *OWN}:
                continue
            foreign = (entry.refusal is Refusal.LINK) != (role is Role.MEMBER)
            for method in entry.methods:
                served.site.limits = Limits()
                with served.client(role) as client:  # each with a session of its own: some of these end it
                    status, page = asked(client, method, address(entry.path, served.community))
                if foreign:
                    # A member's session is none of the staff's, nor the other way round: nobody is known there.
                    assert status in {303, 404}, (role, entry.name)
                elif role in entry.roles:
                    assert status in {200, 303, 400, 404}, (role, entry.name, status)
                    if method == "GET":
                        assert status in {200, 303}, (role, entry.name, status)
                else:
                    assert (status, main_of(page)) == (404, main_of(missing[1])), (role, entry.name)


def test_another_community_is_as_if_it_were_not_there(served: Served) -> None:
    """An operator of one community learns nothing of another: not even whether there is one."""
    other = served.do(lambda store: store.community("other"))
    with served.client(Role.OPERATOR) as client:
        pages = [
            client.get(f"/console/{number}/{rest}") for number in (other, 4711) for rest in ("", "staff", "nowhere")
        ]

    assert {404} == {page.status_code for page in pages}
    assert 1 == len({main_of(page.text) for page in pages})


def test_nobody_is_led_to_sign_in_from_everywhere_alike(served: Served) -> None:
    """Without a session, pages that are there and pages that are not answer the same."""
    with served.client() as client:
        there, not_there = client.get(f"/console/{served.community}/staff"), client.get("/console/nowhere")
        mine, not_mine = client.get("/me/sessions"), client.get("/me/nowhere")

    assert [303, 303] == [there.status_code, not_there.status_code]
    assert ["/console/sign-in"] * 2 == [there.headers["location"], not_there.headers["location"]]
    assert main_of(mine.text) == main_of(not_mine.text)
    assert [404, 404] == [mine.status_code, not_mine.status_code]


def test_a_role_that_was_taken_is_gone_at_once(served: Served) -> None:
    """The next request of whoever lost a role is refused, without a new sign-in."""
    with served.client(Role.AUDITOR) as client:
        acts = f"/console/{served.community}/staff/acts"
        assert 200 == client.get(acts).status_code
        person = served.people[Role.AUDITOR]
        served.do(lambda s: s.access.grant(person, served.community, Role.NEUTRAL, "test", 1))
        served.do(lambda s: s.access.withdraw(person, served.community, Role.AUDITOR, "test", 1))
        assert 404 == client.get(acts).status_code
        served.do(lambda s: s.access.withdraw(person, served.community, Role.NEUTRAL, "test", 1))
        assert 303 == client.get("/console/account").status_code


# Sessions.


def test_the_cookie_of_a_signed_out_session_opens_nothing(served: Served) -> None:
    """Whoever kept a copy of the cookie has a copy of nothing."""
    with served.client(Role.OPERATOR) as client, httpx.Client(base_url=served.url) as thief:
        thief.cookies.set(served.cookie(Role.OPERATOR), client.secret, domain="localhost.local")
        assert 200 == thief.get("/console/account").status_code
        assert 303 == client.send_form("/console/sign-out").status_code

        assert 303 == thief.get("/console/account").status_code


def test_a_session_ends_by_idleness_and_in_any_case(served: Served) -> None:
    """Twelve hours without a request end a session of the staff, and seven days end it however much it is used."""
    with served.client(Role.OPERATOR) as client:
        for _ in range(15):
            served.shift += dt.timedelta(hours=11)
            assert 200 == client.get("/console/account").status_code
        served.shift += dt.timedelta(hours=11)
        assert 303 == client.get("/console/account").status_code
    with served.client(Role.OPERATOR) as client:
        served.shift += dt.timedelta(hours=12, minutes=1)
        assert 303 == client.get("/console/account").status_code


def test_signing_out_everywhere_leaves_this_session_only(served: Served) -> None:
    """All other sessions of the person end, and nobody else's."""
    with (
        served.client(Role.OPERATOR) as here,
        served.client(Role.OPERATOR) as there,
        served.client(Role.AUDITOR) as other,
    ):
        assert 303 == here.send_form("/console/account/sessions/end").status_code

        assert [200, 303, 200] == [c.get("/console/account").status_code for c in (here, there, other)]


def test_nobody_ends_a_session_of_somebody_else(served: Served) -> None:
    """The hash of a foreign session is answered as one that does not exist."""
    with served.client(Role.OPERATOR) as client, served.client(Role.AUDITOR) as other:
        foreign = sessions.hashed(other.secret).hex()
        answers = [client.send_form("/console/account/session/end", session=s) for s in (foreign, "00" * 32, "tea")]

        assert {404} == {answer.status_code for answer in answers}
        assert 200 == other.get("/console/account").status_code


# Forms.


@pytest.mark.parametrize(
    ("headers", "proof"),
    [
        ({"Origin": "https://elsewhere.example"}, True),
        ({"Origin": "null"}, True),
        ({}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Origin": "here"}, False),
    ],
)
def test_a_form_from_elsewhere_or_without_its_proof_changes_nothing(
    served: Served, headers: dict[str, str], *, proof: bool
) -> None:
    """Both must hold: a page of ours sent it, and it is of this session."""
    headers = {name: served.url if value == "here" else value for name, value in headers.items()}
    with served.client(Role.OPERATOR) as client, served.client(Role.OPERATOR) as other:
        data = {"csrf": sessions.csrf(client.secret if proof else other.secret)}
        answer = client.post("/console/sign-out", data=data, headers=headers)

        assert 403 == answer.status_code
        assert 200 == client.get("/console/account").status_code


def test_a_form_that_is_too_large_is_not_read(served: Served) -> None:
    """A megabyte is the most; how much comes must be said before."""
    with served.client(Role.OPERATOR) as client:
        large = client.send_form("/console/sign-out", tea="x" * (1 << 20))
        unsaid = client.post("/console/sign-out", content=iter([b"csrf=x"]), headers={"Origin": served.url})

        assert [413, 411] == [large.status_code, unsaid.status_code]
        assert 200 == client.get("/console/account").status_code


# What every answer carries.


@pytest.mark.parametrize(
    "path", ["/console/sign-in", "/console/account", "/console/nowhere", "/me", "/static/site.css"]
)
def test_every_answer_says_what_a_browser_may_load(served: Served, path: str) -> None:
    """Nothing from elsewhere, nothing inline, no frames around it; also where the answer is a refusal."""
    with served.client(Role.OPERATOR) as client:
        headers = client.get(path).headers

    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert "'none'" == policy["default-src"]
    assert "'self'" == policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"]
    assert "'none'" == policy["frame-ancestors"] == policy["base-uri"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "nosniff" == headers["x-content-type-options"]


def test_no_page_has_a_script_or_style_of_its_own(served: Served) -> None:
    """What the policy forbids is not there either."""
    with served.client(Role.OPERATOR) as client:
        pages = [client.get(address(e.path, served.community)).text for e in FOUNDATION if e.methods[0] == "GET" and e.name not in {"live", "static", *ACTING, *DESK, *OWN}]  # fmt: skip  # noqa: E501

    for page in pages:
        assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=|javascript:", page)


def test_a_cookie_is_out_of_reach_of_scripts_and_other_sites(served: Served) -> None:
    """HttpOnly and strict; over https its name binds it to the host."""
    with served.client() as client:
        client.get(served.link())
        entered = client.post(served.link(), headers={"Origin": served.url})

    assert "HttpOnly" in entered.headers["set-cookie"]
    assert "SameSite=lax" in entered.headers["set-cookie"]
    assert "__Host-comity-staff" == sessions.Cookies(secure=True).name("staff")


# How often.


def test_asking_too_often_is_answered_with_how_long_to_wait(served: Served) -> None:
    """Sign-in is limited by address, and the answer says when to come back."""
    most = 4 * LIMITS["sign-in"].burst
    with served.client() as client:
        for asked_before in range(2 * most):  # noqa: B007  it says how often it went well
            answer = client.post("/console/sign-in/passkey/ask", headers={"Origin": served.url})
            if answer.status_code != 200:
                break

    assert asked_before >= most
    assert 429 == answer.status_code
    assert 0 < int(answer.headers["retry-after"]) <= LIMITS["sign-in"].every + 1


def test_a_bucket_refills_with_time_and_is_everybodys_own() -> None:
    """After a burst one more is let through each ``every`` seconds; another session or address is not held up."""
    limits, (burst, every) = Limits(), LIMITS["search"]
    ask = [limits.wait("search", 0.0, address="192.0.2.1", session="a") for _ in range(burst + 1)]

    assert [0.0] * burst == ask[:-1]
    assert 0.0 < ask[-1] <= every
    assert 0.0 == limits.wait("search", 0.0, address="192.0.2.1", session="b")
    assert 0.0 == limits.wait("search", every, address="192.0.2.1", session="a")
    assert 0.0 < limits.wait("search", every, address="192.0.2.1", session="a")


def test_a_household_with_many_addresses_is_one() -> None:
    """Of IPv6 the network counts: a new address for every request helps nobody."""
    limits = Limits()
    waits = [limits.wait("link", 0.0, address=f"2001:db8::{n:x}") for n in range(4 * LIMITS["link"].burst + 1)]

    assert waits[-1] > 0.0
    assert 0.0 == limits.wait("link", 0.0, address="2001:db8:0:1::1")
    assert limits.wait("link", 0.0, address="2001:db8::ffff") > 0.0
