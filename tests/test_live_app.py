"""The live process as an operator meets it: health, metrics, headers, signals, systemd, and how it ends."""

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message

from comity.core.errors import ComityError
from comity.live.app import HEADERS, State, app
from comity.live.listen import listen
from comity.live.metrics import Metrics
from comity.live.notify import Notify

CHILD = Path(__file__).with_name("live_child.py")
PATIENCE = 20  # seconds for what takes a fraction of one on a quiet machine


class Child:
    """The process, its address, and what it logged until it listened."""

    def __init__(self, folder: Path, how: str, **environment: str) -> None:
        self.folder = folder
        command = [sys.executable, str(CHILD), str(folder), how]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={**os.environ, "NOTIFY_SOCKET": "", **environment}
        )
        self.log: list[dict[str, Any]] = []
        self.port = 0

    def listening(self) -> "Child":
        """Wait until it listens."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(json.loads(line))
            if self.log[-1]["event"] == "listening":
                self.port = int(self.log[-1]["port"])
                return self
        raise AssertionError(self.log)

    def ask(self, path: str, **headers: str) -> tuple[int, Any, http.client.HTTPResponse]:
        """Status, JSON or text, and the answer."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        body = answer.read().decode()
        line.close()
        return answer.status, json.loads(body) if body.startswith("{") else body, answer

    def happened(self) -> list[str]:
        """What happened to the service."""
        path = self.folder / "happened"
        return path.read_text().split("\n")[:-1] if path.exists() else []

    def until(self, word: str) -> None:
        """Wait for something to happen to the service."""
        end = time.monotonic() + PATIENCE
        while word not in self.happened():
            assert time.monotonic() < end, self.happened()
            time.sleep(0.01)

    def ended(self) -> tuple[int, str]:
        """Exit status, and what else it wrote."""
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Start such processes; those that still run are ended, each by its own number."""
    children: list[Child] = []

    def start(how: str = "well", **environment: str) -> Child:
        children.append(Child(tmp_path, how, **environment))
        return children[-1]

    yield start
    for one in children:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


def test_health_metrics_and_the_end_of_a_real_process(child: Callable[..., Child]) -> None:
    """It answers for its health and its readiness with reasons, and SIGTERM ends it with status 0."""
    one = child().listening()
    assert (200, {"alive": True}) == one.ask("/livez")[:2]
    assert (200, {"ready": True}) == one.ask("/readyz")[:2]
    one.ask("/down")
    assert (503, {"ready": False, "why": ["the homeserver does not answer"]}) == one.ask("/readyz")[:2]
    assert 200 == one.ask("/livez")[0]
    status, text, answer = one.ask("/metrics", Accept="text/plain")
    assert 200 == status
    assert str(answer.headers["Content-Type"]).startswith("text/plain; version=")
    samples = {s.name: s.value for f in text_string_to_metric_families(text) for s in f.samples}
    assert 0 == samples["comity_ready"]

    one.process.send_signal(signal.SIGTERM)
    assert 0 == one.ended()[0]
    assert ["starting", "started", "stopping", "stopped"] == one.happened()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_in_hand_is_answered_before_the_end(child: Callable[..., Child], number: signal.Signals) -> None:
    """A request that had begun when the signal came is answered whole, and only then is the service stopped."""
    one = child().listening()
    line = http.client.HTTPConnection("127.0.0.1", one.port, timeout=PATIENCE)
    line.request("GET", "/slow")
    one.until("asked")
    one.process.send_signal(number)
    answer = line.getresponse()

    assert {"tea": "ready"} == json.loads(answer.read())
    line.close()
    assert 0 == one.ended()[0]
    assert ["starting", "started", "asked", "answered", "stopping", "stopped"] == one.happened()


def test_a_second_signal_ends_it_at_once(child: Callable[..., Child]) -> None:
    """Whoever does not want to wait for the end does not have to."""
    one = child("hangs").listening()
    one.process.send_signal(signal.SIGTERM)
    one.until("stopping")
    one.process.send_signal(signal.SIGTERM)

    assert 128 + signal.SIGTERM == one.ended()[0]


def test_an_end_that_takes_too_long_is_cut(child: Callable[..., Child]) -> None:
    """What hangs at the end is left after the term, and the exit status says so."""
    one = child("hangs").listening()
    one.process.send_signal(signal.SIGTERM)
    status, said = one.ended()

    assert 0 != status
    assert "took longer than 2 s" in said


def test_a_slow_start_can_be_stopped(child: Callable[..., Child]) -> None:
    """A signal during the start ends it, and what was opened is closed."""
    one = child("starts slowly")
    one.until("starting")
    one.process.send_signal(signal.SIGTERM)

    assert 0 == one.ended()[0]
    assert ["starting", "stopping", "stopped"] == one.happened()


def test_a_start_that_fails_closes_what_was_opened(child: Callable[..., Child]) -> None:
    """The service is stopped, nothing was accepted, and the exit status is that of an error."""
    one = child("cannot start")

    assert 0 != one.ended()[0]
    assert ["starting", "stopping", "stopped"] == one.happened()


@pytest.mark.parametrize("how", ["well", "gives up"])
def test_a_service_that_cannot_go_on_ends_the_process(child: Callable[..., Child], how: str) -> None:
    """An error inside ends the process with an error, so that whoever watches it starts it again."""
    one = child(how).listening()
    if how == "well":
        one.ask("/fail")
    status, said = one.ended()

    assert 0 != status
    assert ("No space left on device" if how == "well" else "ended by itself") in said
    assert ["stopping", "stopped"] == one.happened()[-2:]


def test_an_error_in_a_route_quotes_nothing(child: Callable[..., Child]) -> None:
    """Whoever asked, and the log, learn that something failed, and not what it choked on."""
    one = child().listening()
    status, said, _ = one.ask("/broken")
    one.process.send_signal(signal.SIGTERM)
    _, logged = one.ended()

    assert (500, "M_UNKNOWN") == (status, said["errcode"])
    assert "KeyError at live_child.py:" in logged
    assert "kettle" not in logged + json.dumps(said)


def test_an_error_nobody_waited_for_is_told_and_quotes_nothing(child: Callable[..., Child]) -> None:
    """A task that fails unseen is in the log by type and place; the loop's own words would quote it."""
    one = child().listening()
    one.ask("/lose")
    one.process.send_signal(signal.SIGTERM)
    status, logged = one.ended()

    assert 0 == status
    assert "KeyError at live_child.py:" in logged
    assert "kettle" not in logged


def test_systemd_is_told(child: Callable[..., Child], tmp_path: Path) -> None:
    """It says that it is ready once it listens, shows signs of life in time, and says that it is stopping."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        one = child(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000").listening()
        told = [manager.recv(200).decode() for _ in range(4)]
        one.process.send_signal(signal.SIGTERM)
        while told[-1] == "WATCHDOG=1":
            told.append(manager.recv(200).decode())
        assert 0 == one.ended()[0]

    assert {"READY=1\nSTATUS=listening", "WATCHDOG=1"} == set(told[:-1])
    assert "STOPPING=1" == told[-1]


def test_nobody_to_tell_is_no_error(tmp_path: Path) -> None:
    """Without a service manager, or with a deaf one, nothing happens; a watchdog of others is not ours."""
    assert not Notify({}).tell("READY=1")
    assert not Notify({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).tell("READY=1")
    assert Notify({"NOTIFY_SOCKET": "x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).beat is None
    assert 0.5 == Notify({"NOTIFY_SOCKET": "x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid())}).beat


def test_a_manager_in_the_abstract_namespace_is_told() -> None:
    """An address with @ before it has no file."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0comity-test-{os.getpid()}")
        assert Notify({"NOTIFY_SOCKET": f"@comity-test-{os.getpid()}"}).tell("READY=1")
        assert b"READY=1" == manager.recv(100)


def test_an_address_that_is_taken_says_what_to_do() -> None:
    """Neither a taken address, nor one of another machine, nor an unknown name is told as a number of the system."""
    with listen("127.0.0.1", 0) as line:
        with pytest.raises(ComityError, match=r"^127\.0\.0\.1:\d+: another program listens there: .*choose another"):
            listen("127.0.0.1", line.getsockname()[1])
        with pytest.raises(ComityError, match="this machine has no such address"):
            listen("192.0.2.1", 0)
        with pytest.raises(ComityError, match="no address is known by that name"):
            listen("kettle.invalid", 0)


def asked(application: ASGIApp, path: str, method: str = "GET") -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON or text of what an application answers; what it raises after answering is left out."""
    sent: list[Message] = []

    async def ask() -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": [], "root_path": ""}
        await application(scope, receive, send)

    with suppress(RuntimeError):
        asyncio.run(ask())
    body = b"".join(m.get("body", b"") for m in sent[1:]).decode()
    headers = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return sent[0]["status"], headers, json.loads(body) if body.startswith("{") else body


@pytest.fixture
def metrics() -> Metrics:
    """New ones."""
    return Metrics()


def test_every_answer_is_guarded(metrics: Metrics) -> None:
    """Health, routes, refusals and errors all carry the headers; a route that has its own policy keeps it."""

    async def page(_request: Request) -> Response:
        return Response("tea", headers={"Content-Security-Policy": "default-src 'self'"})

    async def broken(_request: Request) -> Response:
        raise RuntimeError("the kettle is in the attic")

    routes = [Route("/page", page), Route("/broken", broken)]
    whole = app(State(metrics, list), routes)
    for path in ("/livez", "/readyz", "/metrics", "/nothing", "/broken"):
        headers = asked(whole, path)[1]
        assert HEADERS == {name: headers.get(name.lower()) for name in HEADERS}
    assert "default-src 'self'" == asked(whole, "/page")[1]["content-security-policy"]
    for path, method, status in (("/nothing", "GET", 404), ("/livez", "PUT", 405)):
        found, _, said = asked(whole, path, method)
        assert (status, "M_UNRECOGNIZED") == (found, said["errcode"])


def test_a_process_that_stops_is_not_ready(metrics: Metrics) -> None:
    """Whoever distributes requests sends no more, while what is in hand is finished."""
    state = State(metrics, list)
    whole = app(state, [])
    assert (200, {"ready": True}) == asked(whole, "/readyz")[::2]
    state.stopping = True

    assert (503, {"ready": False, "why": ["it is stopping"]}) == asked(whole, "/readyz")[::2]
    assert 200 == asked(whole, "/livez")[0]


def test_metrics_are_named_as_prometheus_would_have_them(metrics: Metrics) -> None:
    """Every metric is ours or the process's, counters end in _total, times in _seconds, and each has a help."""
    metrics.findings.labels("tea-garden", "flood", "live").inc()
    metrics.decide_seconds.observe(0.001)
    families = list(text_string_to_metric_families(metrics.text()[0].decode()))

    assert all(f.name.startswith(("comity_", "process_")) for f in families)
    assert all(f.documentation for f in families)
    samples = {s.name for f in families for s in f.samples}
    assert {"comity_findings_total", "comity_decide_seconds_count", "comity_outbox_oldest_seconds"} <= samples


def test_no_metric_names_a_member_a_room_or_a_message(metrics: Metrics) -> None:
    """Labels are few words of ours; whoever reads metrics learns about nobody."""
    allowed = {
        "community",
        "kind",
        "rule",
        "state",
        "measure",
        "by",
        "mode",
        "do",
        "outcome",
        "what",
        "status",
        "version",
        "why",
    }
    found = {
        label
        for metric in vars(metrics).values()
        for label in getattr(metric, "_labelnames", ())
    }  # fmt: skip

    assert found
    assert found <= allowed
