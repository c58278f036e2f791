"""Webhooks: everything that happens arrives, signed, once for each id; what is broken is tried for a day, then said."""

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import structlog

from comity.core.access import Role
from comity.core.appeal import Appeal, Heard
from comity.core.report import Report
from comity.stores.api_contract import Happened, Sent, WebhookRow
from comity.stores.sqlite import SqliteStore
from comity.web.hooks import sender as sending
from comity.web.hooks.addresses import AddressError, checked, found, refused
from comity.web.hooks.sender import DAY, Sender
from comity.web.hooks.signing import new_secret
from report_visit import NEEDS_CHROMIUM
from site_kit import Served, Visiting, at_phone, axe_clean
from store_decisions import a_decision, add
from store_entries import MORNING, garden, post_findings

pytest_plugins = ["site_kit"]
pytestmark = NEEDS_CHROMIUM
SECRET: Final = new_secret()
CHILD: Final = """
import asyncio, sys, structlog
from comity.stores.sqlite import SqliteStore
from comity.web.hooks.sender import Sender
with SqliteStore.open(sys.argv[1], durable=True) as store:
    asyncio.run(Sender(store, structlog.get_logger()).run())
"""


class Receiver:
    """Somebody who receives messages. answers: what to answer, the last one from then on; slow: seconds to wait."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], str]] = []
        self.answers, self.slow = [204], 0.0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                outer.heard.append(({k.lower(): v for k, v in self.headers.items()}, body))
                answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                time.sleep(outer.slow)
                self.send_response(answer)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """Whoever asks may be killed."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self._server.server_address[1]}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Receive nothing any more."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def ids(self) -> list[str]:
        """Of all messages, in the order they came."""
        return [headers["webhook-id"] for headers, _ in self.heard]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who receives messages."""
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store with the garden and one finding."""
    with SqliteStore.open(tmp_path / "hooks.sqlite", durable=False) as opened:
        garden(opened)
        post_findings(opened, 3)
        yield opened


def hook(store: SqliteStore, url: str, *kinds: Happened) -> int:
    """A webhook of the garden, for all kinds if none is named."""
    return store.api.add_webhook(WebhookRow(0, 1, url, SECRET, kinds or tuple(Happened), MORNING, "olive"))


class Sending:
    """Sends at a time that a test moves on."""

    def __init__(self, store: SqliteStore) -> None:
        self.at, self.said, self._store = MORNING, list[str](), store

    def round(self) -> None:
        """Send what is due, and wait until it is over."""

        async def sent() -> None:
            sender = Sender(
                self._store,
                structlog.get_logger(),
                now=lambda: dt.datetime.fromtimestamp(self.at / 1000, dt.UTC),
                said=lambda _community, text: self.said.append(text),
            )
            sender.begin()
            await asyncio.gather(*sender._busy.values())

        asyncio.run(sent())


def decide(store: SqliteStore, number: int = 1) -> None:
    """A decision is made."""
    add(store, a_decision(number, store.head().number))


def test_what_happens_is_heard_and_signed(store: SqliteStore, receiver: Receiver) -> None:
    """A decision arrives with its id, time and signature, which anybody can check; it names nobody but by pseudonym."""
    hook(store, receiver.url)
    decide(store)
    Sending(store).round()

    [(headers, body)] = receiver.heard
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    told = json.loads(body)
    member = store.member(a_decision(1, 1).member)
    assert member is not None
    assert f"v1,{made}" == headers["webhook-signature"]
    assert str(MORNING // 1000) == headers["webhook-timestamp"]
    assert ("decision.made", 1, member.pseudonym) == (told["type"], told["data"]["decision"], told["data"]["member"])
    assert str(member.account) not in body
    assert str(member.name) not in body


def test_only_what_was_chosen_is_heard(store: SqliteStore, receiver: Receiver) -> None:
    """Reversals, reports, appeals and clauses sent to shadow; each only where somebody asked for it."""
    hook(store, receiver.url, Happened.REVERSED, Happened.REPORTED, Happened.LODGED, Happened.HEARD, Happened.SHADOW)
    decide(store)
    made = a_decision(1, store.head().number)
    store.process.add_report(
        Report(number=0, at=MORNING, community=1, reporter=1, member=2, room=1, event="$x", text="private")
    )
    appeal = Appeal(number=0, at=MORNING, due=MORNING + 1, community=1, member=made.member, decision=1, text="private")
    store.process.add_appeal(appeal, 0)
    store.process.close_appeal(1, Heard.WITHDRAWN, "nell", "private", MORNING)
    store.charters.add_clause_act(1, "2.1", "machine", "3 of 9 right", MORNING, shadow=True)
    Sending(store).round()
    kinds = [json.loads(body)["type"] for _, body in receiver.heard]

    assert ["report.made", "appeal.lodged", "appeal.heard", "clause.shadow"] == kinds
    assert "private" not in "".join(body for _, body in receiver.heard)


def test_what_was_not_kept_is_not_heard(store: SqliteStore, receiver: Receiver) -> None:
    """A message stands and falls with the transaction in which it happened."""
    hook(store, receiver.url)

    def boil_over() -> None:
        with store.write():
            decide(store)
            raise RuntimeError("the kettle boils over")

    with pytest.raises(RuntimeError, match="kettle"):
        boil_over()
    Sending(store).round()

    assert [] == receiver.heard


def test_what_fails_is_tried_again_with_the_same_id(store: SqliteStore, receiver: Receiver) -> None:
    """Later each time, and not twice once it arrived."""
    number = hook(store, receiver.url)
    receiver.answers = [500, 503, 204]
    decide(store)
    run = Sending(store)
    for wait in (0, 1_000, 5_000, 5_000, 20_000, DAY // 2):
        run.at += wait
        run.round()

    assert 3 == len(receiver.heard)
    assert 1 == len(set(receiver.ids))
    assert [(Sent.DONE, 3, 204)] == [(d.state, d.tries, d.status) for d in store.api.deliveries(number)]


def test_a_slow_address_holds_up_no_other(
    store: SqliteStore, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for only so long, and tried again."""
    monkeypatch.setattr(sending, "WITHIN", 0.3)
    slow = Receiver()
    slow.slow = 1.0
    late, quick = hook(store, slow.url), hook(store, receiver.url)
    decide(store)
    Sending(store).round()
    slow.stop()

    assert [Sent.WAITING] == [d.state for d in store.api.deliveries(late)]
    assert "no answer" in store.api.deliveries(late)[0].why
    assert [Sent.DONE] == [d.state for d in store.api.deliveries(quick)]


def test_an_address_that_is_gone_is_left_alone(store: SqliteStore, receiver: Receiver) -> None:
    """410 ends a webhook at once, and it is said; somebody can let it go on."""
    number = hook(store, receiver.url)
    receiver.answers = [410, 204]
    decide(store)
    run = Sending(store)
    run.round()
    decide(store, 2)
    run.round()
    ended = store.api.webhook(number)

    assert ended is not None
    assert "410" in ended.why
    assert 1 == len(run.said) == len(receiver.heard)
    assert store.api.resume_webhook(number)
    decide(store, 3)
    run.round()
    assert 2 == len(receiver.heard)


def test_after_a_day_a_webhook_is_ended_and_it_is_said(store: SqliteStore, receiver: Receiver) -> None:
    """Nothing is tried for ever."""
    number = hook(store, receiver.url)
    receiver.answers = [500]
    decide(store)
    run = Sending(store)
    run.round()
    run.at += DAY
    run.round()
    ended = store.api.webhook(number)

    assert ended is not None
    assert "it answered 500" in ended.why
    assert [Sent.GIVEN_UP] == [d.state for d in store.api.deliveries(number)]
    assert ["it answered 500" in text for text in run.said] == [True]


def test_kill_9_loses_no_message_and_repeats_only_with_the_same_id(tmp_path: Path, receiver: Receiver) -> None:
    """Killed while a message is under way, it is sent again with its id, and then not any more."""
    path = tmp_path / "killed.sqlite"
    with SqliteStore.open(path, durable=True) as store:
        garden(store)
        post_findings(store, 3)
        number = hook(store, receiver.url)
        decide(store)
        decide(store, 2)
    receiver.slow = 5.0
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)])
    _until(lambda: len(receiver.heard) == 1)
    child.kill()
    child.wait()
    receiver.slow = 0.0
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)])
    _until(lambda: len(receiver.heard) == 3)
    time.sleep(0.3)  # the last one is noted
    child.kill()
    child.wait()

    first, again, second = receiver.ids
    assert first == again != second
    with SqliteStore.open(path, durable=True) as store:
        assert [Sent.DONE, Sent.DONE] == [d.state for d in store.api.deliveries(number)]


def _until(holds: Any) -> None:  # noqa: ANN401
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)


# Addresses.


@pytest.mark.parametrize(
    "url",
    [
        "", "tea", "ftp://example.org/", "http://example.org/", "https://", "https://a:b@example.org/", "https://x/#y",
        "https://example.org:tea/", "https://exa mple.org/", "https://example.org/" + "x" * 500, "http://10.0.0.1/",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """https, or http on this machine; no password, and nothing odd."""
    with pytest.raises(AddressError, match=r"address|https"):
        checked(url)


@pytest.mark.parametrize(
    ("address", "here", "private", "good"),
    [
        ("93.184.215.14", False, False, True),
        ("127.0.0.1", True, False, True),
        ("127.0.0.1", False, True, False),
        ("::1", False, False, False),
        ("10.0.0.1", False, False, False),
        ("10.0.0.1", False, True, True),
        ("192.168.1.1", False, False, False),
        ("169.254.169.254", False, True, False),
        ("0.0.0.0", True, True, False),  # noqa: S104  to be refused
        ("fe80::1%eth0", False, True, False),
        ("fd00::1", False, False, False),
        ("::ffff:127.0.0.1", False, False, False),
        ("64:ff9b::a00:1", False, False, False),
        ("2002:7f00:1::", False, False, False),
        ("224.0.0.1", False, True, False),
        ("100.64.0.1", False, False, False),
    ],
)
def test_nothing_inside_is_reached_by_the_way(address: str, *, here: bool, private: bool, good: bool) -> None:
    """This machine only where it is named, a local network only where it is allowed, and never a host's own data."""
    assert good is not bool(refused(address, here=here, private=private))


def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """However harmless it looks: what counts is where it leads, when something is sent."""

    async def ask() -> str:
        loop = asyncio.get_running_loop()

        async def inside(*_: object, **__: object) -> list[Any]:
            return [(2, 1, 6, "", ("93.184.215.14", 443)), (2, 1, 6, "", ("10.0.0.7", 443))]

        monkeypatch.setattr(loop, "getaddrinfo", inside)
        return await found("https://harmless.example/", private=False)

    with pytest.raises(AddressError, match="local network"):
        asyncio.run(ask())


# The page.


def test_an_operator_adds_tries_and_ends_a_webhook(served: Served, visit_site: Visiting) -> None:
    """By keyboard alone; the secret is shown once; also on a telephone."""
    page = visit_site(f"/console/{served.community}/webhooks", Role.OPERATOR)
    page.get_by_label("Address").fill("http://elsewhere.example/")
    page.keyboard.press("Enter")
    assert "https" in page.locator(".error").inner_text()
    page.get_by_label("Address").fill("http://localhost:9/garden")
    page.keyboard.press("Enter")
    assert page.locator("code.once").inner_text().startswith("whsec_")
    axe_clean(page)
    page.get_by_role("button", name="Send a test").focus()
    page.keyboard.press("Enter")
    page.locator("summary", has_text="Last messages").click()
    assert page.get_by_role("cell", name="test", exact=True).is_visible()
    assert not page.locator("code.once").count()
    at_phone(page)
    page.locator("button[value=end]").click()
    assert page.get_by_text("ended", exact=True).is_visible()
    axe_clean(page)


def test_nobody_touches_a_webhook_of_another_community(served: Served) -> None:
    """It is as if it were not there."""
    other = served.do(lambda s: s.community("other"))
    number = served.do(lambda s: s.api.add_webhook(WebhookRow(0, other, "https://x.example/", SECRET, (), 1, "eve")))
    with served.client(Role.OPERATOR) as client:
        answer = client.send_form(f"/console/{served.community}/webhooks/change", webhook=str(number), do="end")

    assert 404 == answer.status_code
    assert served.do(lambda s: [h.ended_at for h in s.api.webhooks(other)]) == [None]
