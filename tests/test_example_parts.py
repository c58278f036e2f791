"""The example's parts: its past, what its pages show and refuse, and its provider of sign-ins."""

import base64
import datetime as dt
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest
from aiohttp import web
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet

from comity.charter_file import load_charter
from comity.core.event import milliseconds, moment
from example import past, views
from example.authorise import content_of
from example.pages import COOKIE, Pages
from example.provider import PATH, Client, SignIns
from example.rooms import Platform, RefusedError, Room
from homeserver import free_port

GARDEN: Final = Path(__file__).parents[1] / "examples" / "tea-garden"
CHAT: Final = past.read(GARDEN / "chat.ndjson")
NOW: Final = dt.datetime(2027, 1, 20, 15, 30, tzinfo=dt.UTC)
SERVER: Final = "garden.example"
BOT: Final = f"@comity:{SERVER}"
DAY: Final = dt.timedelta(days=1)
CHALLENGE: Final = create_s256_code_challenge("v" * 50)


@pytest.fixture(scope="module")
def settled() -> Platform:
    """A platform with the example's past. Tests that change something make one of their own."""
    platform = Platform(SERVER, lambda: int(NOW.timestamp() * 1000))
    past.settle(platform, past.moved(CHAT, NOW), BOT)
    past.desk(platform, BOT)
    return platform


def test_the_past_ends_today_and_keeps_its_hours() -> None:
    """Moved by whole days: nothing is of the future, nothing later would fit, and distances stay."""
    before, after = (past.moved(CHAT, now) for now in (NOW - 30 * DAY, NOW))

    last = moment(milliseconds(after[-1].at))
    assert NOW - DAY < last <= NOW
    assert {30 * DAY} == {
        moment(milliseconds(b.at)) - moment(milliseconds(a.at)) for a, b in zip(before, after, strict=True)
    }
    assert "21:24" == f"{last:%H:%M}"


def test_the_past_is_the_same_in_the_rooms_and_in_the_store(settled: Platform) -> None:
    """Every message that is to be rated is in its room, under the same id, from the same account at the same time."""
    for event in past.as_here(past.moved(CHAT, NOW), SERVER):
        if event.kind == "message":
            there = settled.rooms[event.room].by_id[event.id]
            assert (event.member, milliseconds(event.at)) == (there["sender"], there["origin_server_ts"])


def test_the_past_leaves_rooms_as_they_are_governed(settled: Platform) -> None:
    """Oliver manages, below Comity; Mariam, who did for a week, does not; and Comity is expected everywhere."""
    for name in past.ROOMS:
        room = settled.room(f"#{name}:{SERVER}")
        assert ["Oliver"] == views.managers(room, BOT)
        settled_levels: Any = room.content("m.room.power_levels")["users"]
        assert {BOT: 100, f"@oliver:{SERVER}": past.MANAGES} == settled_levels
    assert "invite" == settled.room(f"#desk:{SERVER}").membership(BOT)


def test_the_charter_is_good_here(tmp_path: Path) -> None:
    """What names a room or an account in the example's charter names the platform's, and it is still a charter."""
    (tmp_path / "scam-domains.txt").write_text((GARDEN / "scam-domains.txt").read_text("utf-8"), "utf-8")
    here = past.charter_here((GARDEN / "charter.toml").read_text("utf-8"), SERVER)
    (tmp_path / "charter.toml").write_text(here, "utf-8")

    assert "Tea Garden" == load_charter(tmp_path / "charter.toml").community
    assert "room == '!garden:garden.example'" in here
    assert "'#" not in here
    assert '"@free-teapots-*:garden.example"' in here


@pytest.fixture
def room() -> tuple[Platform, Room]:
    """A room that Ana manages, with Bo in it."""
    platform = Platform(SERVER, lambda: int(NOW.timestamp() * 1000))
    for name in ("ana", "bo"):
        platform.register(name, name.capitalize())
    made = platform.create(f"@ana:{SERVER}", {"preset": "public_chat"})
    platform.join(made, f"@bo:{SERVER}")
    return platform, made


def said(platform: Platform, room: Room, text: str, **more: object) -> str:
    """Bo says something; its id."""
    return platform.send(room, f"@bo:{SERVER}", "m.room.message", {"body": text, **more})


def test_what_is_hidden_shows_no_text_and_its_reason(room: tuple[Platform, Room]) -> None:
    """Three in a row that were hidden alike are one line; the text is nowhere on the platform any more."""
    platform, here = room
    for text in ("milk", "first", "always"):
        platform.redact(here, f"@ana:{SERVER}", said(platform, here, text), reason="Clause 1.")
    said(platform, here, "or tea")
    platform.redact(here, f"@ana:{SERVER}", said(platform, here, "cold"), reason="Clause 2.")

    shown = [x for x in views.lines(here, BOT) if x.kind != "note"]
    assert [("hidden", 3, "Clause 1."), ("message", 1, ""), ("hidden", 1, "Clause 2.")] == [
        (x.kind, x.times, x.why) for x in shown
    ]
    assert "hidden by Ana." == shown[0].text
    assert not [e for e in here.events if content_of(e).get("body") in {"milk", "first", "always", "cold"}]


def test_edits_reactions_and_answers_stand_with_their_message(room: tuple[Platform, Room]) -> None:
    """One line for a message, however often it was changed and liked."""
    platform, here = room
    first = said(platform, here, "mlik")
    said(platform, here, "* milk", **{
        "m.relates_to": {"rel_type": "m.replace", "event_id": first}, "m.new_content": {"body": "milk"}})  # fmt: skip
    for who in ("ana", "bo"):
        platform.send(here, f"@{who}:{SERVER}", "m.reaction", {
            "m.relates_to": {"rel_type": "m.annotation", "event_id": first, "key": "🍵"}})  # fmt: skip
    said(platform, here, "first", **{"m.relates_to": {"m.in_reply_to": {"event_id": first}}})

    one, two = (x for x in views.lines(here, BOT) if x.kind == "message")
    assert ("milk", True, {"🍵": 2}) == (one.text, one.edited, one.reactions)
    assert ("first", "Bo") == (two.text, two.answers)


def test_who_manages_and_who_is_muted_is_told(room: tuple[Platform, Room]) -> None:
    """Power given and taken is a sentence; the muted read that they are, and where the reason is."""
    platform, here = room
    levels = dict(here.content("m.room.power_levels"))
    for level in (50, -1, None):
        users = {f"@ana:{SERVER}": 100, **({f"@bo:{SERVER}": level} if level is not None else {})}
        platform.put_state(here, f"@ana:{SERVER}", "m.room.power_levels", {**levels, "users": users})
        if level == -1:
            assert "muted" in views.standing(here, f"@bo:{SERVER}").says

    notes = [x.text for x in views.lines(here, BOT) if x.kind == "note"]
    assert ["Bo manages this room now.", "Bo is muted.", "Bo can write again."] == notes[-3:]
    assert "" == views.standing(here, f"@bo:{SERVER}").says


class Site:
    """The pages and the provider on loopback. url: where."""

    def __init__(self, url: str, platform: Platform) -> None:
        self.url, self.platform = url, platform


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Pages with the example's past, and a provider for one client."""
    platform = Platform(SERVER, lambda: int(time.time() * 1000))
    past.settle(platform, past.moved(CHAT, dt.datetime.now(dt.UTC)), BOT)
    past.desk(platform, BOT)
    port = free_port()
    url = f"http://localhost:{port}"
    pages = Pages(
        platform, bot=BOT, members={"wen": "Wen", "noor": "Noor"}, address=url, console="http://there.example"
    )
    sign_ins = SignIns(
        f"{url}{PATH}", Client("comity", "s3cret", "http://there.example/back"), {"mo": "x"}, pages.choose
    )
    app = web.Application(middlewares=[pages.guard])
    app.add_routes([*pages.routes(), *sign_ins.routes()])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield Site(url, platform)
    await runner.cleanup()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "rebound.example"}, 403),
    ],
)
async def test_only_pages_of_the_example_can_ask(site: Site, headers: dict[str, str], status: int) -> None:
    """Another page of the browser, or this machine under another name, can write nothing here."""
    garden = site.platform.room(f"#garden:{SERVER}")
    before = len(garden.events)
    async with (
        aiohttp.ClientSession(cookies={COOKIE: "noor"}) as session,
        session.post(f"{site.url}/rooms/garden/say", data={"text": "milk first"}, headers=headers) as answer,
    ):
        assert status == answer.status
        if status == 200:
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert len(garden.events) - before == (1 if status == 200 else 0)


@pytest.mark.anyio
async def test_the_desk_is_for_those_who_are_in_it(site: Site) -> None:
    """Others get the same as for a room that is not there, however they ask."""
    async with aiohttp.ClientSession(cookies={COOKIE: "wen"}) as session:
        for path in ("desk", "desk/lines", "nowhere"):
            async with session.get(f"{site.url}/rooms/{path}") as answer:
                assert 404 == answer.status
        async with session.post(f"{site.url}/rooms/desk/join") as answer:
            assert 404 == answer.status


@pytest.mark.anyio
async def test_a_report_is_kept_with_who_and_why(site: Site) -> None:
    """Of a message in a room one is in; of anything else it is refused."""
    garden = site.platform.room(f"#garden:{SERVER}")
    event = next(str(e["event_id"]) for e in garden.events if e["type"] == "m.room.message")
    async with aiohttp.ClientSession(cookies={COOKIE: "noor"}) as session:
        for target, status in ((event, 200), ("$none", 403)):
            given = {"event": target, "reason": "too much sugar"}
            async with session.post(f"{site.url}/rooms/garden/report", data=given) as answer:
                assert status == answer.status

    (kept,) = site.platform.reports
    assert (1, garden.id, event, f"@noor:{SERVER}", "too much sugar") == (
        kept.number, kept.room, kept.event, kept.by, kept.reason)  # fmt: skip
    with pytest.raises(RefusedError):
        site.platform.report(garden, f"@nobody:{SERVER}", event, "not there")


ASKED: Final = {
    "client_id": "comity",
    "redirect_uri": "http://there.example/back",
    "response_type": "code",
    "state": "st",
    "nonce": "no",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def basic(secret: str) -> dict[str, str]:
    """The header by which the client says who it is."""
    return {"Authorization": f"Basic {base64.b64encode(f'comity:{secret}'.encode()).decode()}"}


async def code_of(session: aiohttp.ClientSession, site: Site) -> str:
    """A new code for Mo."""
    given = {**ASKED, "who": "mo"}
    async with session.post(f"{site.url}{PATH}/who", data=given, allow_redirects=False) as answer:
        back = urlsplit(answer.headers["Location"])
    found = parse_qs(back.query)
    assert ("there.example", ["st"], [f"{site.url}{PATH}"]) == (back.netloc, found["state"], found["iss"])
    return found["code"][0]


@pytest.mark.anyio
async def test_the_provider_signs_who_it_was_told(site: Site) -> None:
    """The token is of its key, for its client, with the nonce; the code is good once."""
    async with aiohttp.ClientSession(headers=basic("s3cret")) as session:
        given = {"code": await code_of(session, site), "redirect_uri": ASKED["redirect_uri"], "client_id": "comity"}
        async with session.post(f"{site.url}{PATH}/token", data={**given, "code_verifier": "v" * 50}) as answer:
            token = (await answer.json())["id_token"]
        async with session.post(f"{site.url}{PATH}/token", data={**given, "code_verifier": "v" * 50}) as answer:
            assert "invalid_grant" == (await answer.json())["error"]
        async with session.get(f"{site.url}{PATH}/keys") as answer:
            keys = KeySet.import_key_set(await answer.json())

    claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
    assert (f"{site.url}{PATH}", "mo", "comity", "no") == tuple(claims[k] for k in ("iss", "sub", "aud", "nonce"))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("secret", "more", "error"),
    [
        ("wrong", {}, "invalid_client"),
        ("s3cret", {"code_verifier": "w" * 50}, "invalid_grant"),
        ("s3cret", {"redirect_uri": "http://elsewhere.example"}, "invalid_grant"),
        ("s3cret", {"code": "guessed"}, "invalid_grant"),
    ],
)
async def test_the_provider_gives_nothing_to_others(site: Site, secret: str, more: dict[str, str], error: str) -> None:
    """Not without the client's secret, the verifier, the address and the code that belong together."""
    async with aiohttp.ClientSession(headers=basic(secret)) as session:
        given = {"code": await code_of(session, site), "redirect_uri": ASKED["redirect_uri"], "client_id": "comity"}
        given |= {"code_verifier": "v" * 50, **more}
        async with session.post(f"{site.url}{PATH}/token", data=given) as answer:
            assert error == (await answer.json())["error"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "change", [{"redirect_uri": "http://elsewhere.example"}, {"code_challenge_method": "plain"}, {"state": ""}]
)
async def test_the_provider_leads_nowhere_else(site: Site, change: dict[str, str]) -> None:
    """An unknown address to lead back to, or a request without protection, is refused before anybody chooses."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{site.url}{PATH}/who?{urlencode({**ASKED, **change})}") as answer:
            assert 400 == answer.status
        async with session.post(f"{site.url}{PATH}/who", data={**ASKED, "who": "mo", **change}) as answer:
            assert 400 == answer.status
