"""Ways in: passkeys in a real browser, a real provider, and members' links."""

import base64
import datetime as dt
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from comity.core.access import Role
from comity.core.member_link import LASTS, PATH, entrance, member_link
from comity.web.site import sessions
from comity.web.site.openid import Provider
from oidc_provider import provider
from site_kit import NEEDS_CHROMIUM, Served, Serving, Visiting

pytest_plugins = ["site_kit"]
AT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
KEY = bytes(range(32))
ANA = "00112233445566778899aabbccddeeff"


def authenticator(page: Page) -> tuple[CDPSession, str]:
    """A passkey authenticator in the browser, which always finds that its person is there."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return session, made["authenticatorId"]


def invitation(served: Served, role: Role, *, until: dt.timedelta = dt.timedelta(hours=1)) -> str:
    """The path of an enrolment link."""
    secret = sessions.new_secret()
    end = sessions.millis(served.now() + until)
    served.do(lambda s: s.access.invite(sessions.hashed(secret), served.people[role], end, "test", 1))
    return f"/console/enrol/{secret}"


def staff_cookie(page: Page) -> str:
    """The value of the session's cookie, "" without one."""
    return next((str(c.get("value")) for c in page.context.cookies() if c.get("name") == "comity-staff"), "")


# Passkeys.


@NEEDS_CHROMIUM[0]
@NEEDS_CHROMIUM[1]
def test_somebody_enrols_signs_out_and_signs_in_by_passkey(visit_site: Visiting, served: Served) -> None:
    """From the link to the console and back in, with a session that is new each time."""
    link = invitation(served, Role.MODERATOR)
    page = visit_site("/console/sign-in")
    authenticator(page)
    page.goto(link)
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    first = staff_cookie(page)
    page.goto("/console/account")
    expect(page.get_by_text("Passkey", exact=True)).to_be_visible()
    page.get_by_text("mona").first.click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    assert "" == staff_cookie(page)

    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert staff_cookie(page) not in {"", first}
    page.goto(link)
    expect(page.get_by_role("heading", name="This link is over")).to_be_visible()


@NEEDS_CHROMIUM[0]
@NEEDS_CHROMIUM[1]
def test_a_passkey_that_nobody_here_has_signs_nobody_in(visit_site: Visiting, served: Served) -> None:
    """A removed passkey is refused as any other; the last one cannot be removed."""
    page = visit_site("/console/sign-in")
    authenticator(page)
    page.goto(invitation(served, Role.OPERATOR))
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.goto("/console/account")
    page.get_by_role("button", name=re.compile("^Remove")).click()
    expect(page.get_by_text("This is your last way in")).to_be_visible()
    person = served.people[Role.OPERATOR]
    served.do(lambda s: s.access.enrol_subject(None, b"t" * 32, person, 1))
    page.get_by_role("button", name=re.compile("^Remove – Chromium")).click()
    expect(page.get_by_text("It was removed.")).to_be_visible()
    page.get_by_text("olive").first.click()
    page.get_by_role("button", name="Sign out", exact=True).click()

    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("That did not work")
    assert "" == staff_cookie(page)


@NEEDS_CHROMIUM[0]
@NEEDS_CHROMIUM[1]
def test_a_session_that_was_planted_is_not_the_one_that_is_opened(visit_site: Visiting, served: Served) -> None:
    """Fixation: whoever put a cookie into the browser before does not know the one after."""
    page = visit_site("/console/sign-in")
    authenticator(page)
    page.goto(invitation(served, Role.MODERATOR))
    page.context.add_cookies([{"name": "comity-staff", "value": "planted", "url": served.url}])
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    assert staff_cookie(page) not in {"", "planted"}
    assert served.do(lambda s: s.access.session(sessions.hashed("planted"), 1)) is None


def test_an_enrolment_link_ends_and_a_new_one_ends_the_old(served: Served) -> None:
    """It lasts as long as was said, and at most one per person is good."""
    old, new = invitation(served, Role.NEUTRAL), invitation(served, Role.NEUTRAL)
    with served.client() as client:
        assert [404, 200] == [client.get(old).status_code, client.get(new).status_code]
        served.shift += dt.timedelta(hours=1)
        assert 404 == client.get(new).status_code


def test_an_answer_that_nobody_asked_for_signs_nobody_in(served: Served) -> None:
    """Without a challenge of this browser every answer is refused alike, whatever it says."""
    with served.client() as client:
        for answer in ("", "{}", "[]", '{"rawId": 7}', '{"rawId": "%%%"}', "\x00", '{"rawId": "AAAA", "response": {}}'):
            refused = client.post(
                "/console/sign-in/passkey/answer", data={"answer": answer}, headers={"Origin": served.url}
            )
            assert (303, "/console/sign-in?refused") == (refused.status_code, refused.headers["location"]), answer


# A provider.


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider."""
    with provider() as url:
        yield url


@pytest.fixture
def with_provider(serve: Serving, issuer: str) -> Served:
    """A site with a provider."""

    def made(url: str) -> Provider:
        back = f"{url}/console/sign-in/provider/back"
        return Provider(issuer=issuer, client_id="comity", client_secret="tea", name="Garden Club", back=back)  # noqa: S106

    return serve(provider=made)


@NEEDS_CHROMIUM[0]
@NEEDS_CHROMIUM[1]
def test_somebody_enrols_and_signs_in_at_a_provider(browser: Browser, with_provider: Served) -> None:
    """The whole way there and back; whom nobody enrolled is refused, and of the account only a hash is kept."""
    served = with_provider

    def at_provider(page: Page, account: str) -> None:
        page.wait_for_url("**/oauth2/authorize*")
        page.locator("input[name=sub]").fill(account)
        page.locator("button[type=submit], button:not([type])").first.click()

    with browser.new_context(base_url=served.url, locale="en") as here:
        page = here.new_page()
        page.goto(invitation(served, Role.MODERATOR))
        page.get_by_role("button", name="Use your account at Garden Club").click()
        at_provider(page, "quentin@example.org")
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        page.goto("/console/account")
        expect(page.get_by_text("Account at Garden Club").first).to_be_visible()
    kept = served.do(lambda s: s.access.subjects(served.people[Role.MODERATOR]))
    assert [32] == [len(subject.hash) for subject in kept]
    files = [served.path, served.path.with_name(served.path.name + "-wal")]
    assert not any(b"quentin" in file.read_bytes() for file in files)
    for account, heading in (("quentin@example.org", "Overview"), ("otto@example.org", "Sign in")):
        with browser.new_context(base_url=served.url, locale="en") as there:
            page = there.new_page()
            page.goto("/console/sign-in")
            page.get_by_role("button", name="Sign in with Garden Club").click()
            at_provider(page, account)
            expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()


def test_a_return_that_nobody_began_signs_nobody_in(with_provider: Served) -> None:
    """Another state, another browser, a code of somebody else: all are refused alike."""
    with with_provider.client() as client, with_provider.client() as other:
        begun = client.post("/console/sign-in/provider", headers={"Origin": with_provider.url})
        state = re.findall(r"state=([\w-]+)", begun.text)[0]
        assert re.search(r"code_challenge=[\w-]{43}&", begun.text.replace("&amp;", "&"))
        assert "code_challenge_method=S256" in begun.text
        assert "nonce=" in begun.text
        back = "/console/sign-in/provider/back"
        answers = [other.get(back, params={"state": state, "code": "x"}), client.get(back, params={"state": "x", "code": "x"})]  # fmt: skip  # noqa: E501
        answers.append(client.get(back, params={"state": state, "code": "x"}))  # a sign-in is tried once

    assert [(303, "/console/sign-in?refused")] * 3 == [(a.status_code, a.headers["location"]) for a in answers]


# Members' links.


def test_a_link_holds_for_a_day_and_for_its_member_only() -> None:
    """Every bit of it is sealed: changed anywhere, or signed with another key, it is none of ours."""
    token = member_link(KEY, 3, ANA, AT, generation=2).removeprefix(PATH)

    assert (3, ANA, 2, AT + LASTS) == entrance(KEY, token, AT + LASTS - dt.timedelta(seconds=1))
    assert entrance(KEY, token, AT + LASTS) is None
    assert entrance(bytes(32), token, AT) is None
    sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for bit in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        assert entrance(KEY, base64.urlsafe_b64encode(changed).decode().rstrip("="), AT) is None
    for other in ("", "x", token[:-1], token + "A", "é" * 40, token + "=", " " + token):
        assert entrance(KEY, other, AT) in {None, entrance(KEY, token, AT)}


def test_a_member_enters_by_a_link_until_it_is_revoked(served: Served) -> None:
    """As often as they like within the day; after revoking, neither link nor session opens anything."""
    link = served.link()
    with served.client() as first, served.client() as second:
        for client in (first, second):
            shown = client.get(link)
            assert 200 == shown.status_code
            assert "set-cookie" not in shown.headers  # whoever only looks at the link opens nothing
            assert 303 == client.post(link, headers={"Origin": served.url}).status_code
            assert 200 == client.get("/me/sessions").status_code
        first.secret = str(first.cookies.get("comity-me", domain="localhost.local"))
        assert 200 == first.send_form("/me/sessions/end").status_code

        assert [404, 404] == [c.get("/me/sessions").status_code for c in (first, second)]
        assert [404, 404] == [c.get(link).status_code for c in (first, second)]
        assert 200 == first.get(served.link()).status_code


def test_a_members_link_is_over_after_a_day_and_of_nobody_from_elsewhere(served: Served) -> None:
    """The session ends with the day too; a form from elsewhere opens none."""
    link = served.link()
    with served.client() as client:
        assert 403 == client.post(link, headers={"Origin": "https://elsewhere.example"}).status_code
        served.shift += LASTS
        assert 404 == client.get(link).status_code
        assert 404 == client.get(f"{PATH}AAAA").status_code


def test_somebody_of_the_staff_says_which_member_they_are_by_their_link(served: Served) -> None:
    """The link proves it, and what they do is signed so; without a good link nothing is kept."""
    mona = served.people[Role.MODERATOR]
    with served.client(Role.MODERATOR) as client:
        client.send_form("/console/account/member", link=f"{served.url}{PATH}AAAA")
        assert 0 == served.do(lambda s: s.access.member_of(mona, served.community))
        client.send_form("/console/account/member", link=served.url + served.link())

    assert served.member == served.do(lambda s: s.access.member_of(mona, served.community))
    seen = served.do(lambda s: sessions.seen(s.access, client.secret, sessions.millis(served.now())))
    assert seen is not None
    assert ("mona", served.member) == (seen.who(served.community).name, seen.who(served.community).member)
