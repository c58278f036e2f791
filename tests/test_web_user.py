"""``comity user``: the first people, and the links with which they enrol."""

import json
import re
import signal
from pathlib import Path

import httpx
import pytest

from comity.live.listen import listen
from comity.stores.sqlite import SqliteStore
from comity.web.site.sessions import hashed
from commanding import run, started
from test_serve import RUNNER

LINK = re.compile(r"^http://localhost:\d+(/console/enrol/([\w-]{43}))$", re.MULTILINE)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Settings as init writes them, on a port that is free."""
    with listen("127.0.0.1", 0) as line:
        port = line.getsockname()[1]
    words = ("--yes", "--server-name", "example.org", "--inviter", "@olive:example.org", "--name", "Tea Garden")
    done = run("init", *words, "--folder", tmp_path, "--bind", f"127.0.0.1:{port}")
    assert done.exit_code == 0, done.output
    return tmp_path / "comity.toml"


def test_the_first_operator_gets_a_link_whose_secret_is_kept_nowhere(settings: Path) -> None:
    """The store has its hash; a new link ends the old one; a further role needs no further link."""
    first = run("user", "add", "olive", "--role", "operator", "--settings", settings)
    assert first.exit_code == 0, first.output
    assert "olive is operator of tea-garden." in first.output
    _, secret = LINK.findall(first.output)[0]
    path = settings.parent / "comity.sqlite"
    assert secret.encode() not in path.read_bytes()
    second = run("user", "add", "olive", "--role", "auditor", "--settings", settings)
    assert not LINK.findall(second.output)
    third = LINK.findall(run("user", "link", "olive", "--settings", settings).output)[0][1]

    with SqliteStore.open(path, durable=False, read_only=True) as store:
        person = store.access.person_named("olive")
        assert person is not None
        assert [None, person.number] == [store.access.enrolling(hashed(s), person.at) for s in (secret, third)]
    shown = run("user", "list", "--settings", settings).output
    assert "tea-garden: 1 person.\n  olive: auditor, operator; has not enrolled yet\n" == shown


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "Olive Branch", "--role", "operator"), "is no pseudonym"),
        (("add", "\u202eolive", "--role", "operator"), "is no pseudonym"),
        (("add", "olive", "--role", "member"), "'member' is not one of"),
        (("add", "olive", "--role", "operator", "--community", "attic"), "there is no community attic"),
        (("link", "nobody"), "nobody goes by nobody"),
    ],
)
def test_what_cannot_be_is_said(settings: Path, words: tuple[str, ...], why: str) -> None:
    """With what was expected, and nothing is kept."""
    done = run("user", *words, "--settings", settings)

    assert done.exit_code == 1
    assert why in done.output


def test_the_link_leads_to_a_page_of_the_process(settings: Path) -> None:
    """``comity serve`` answers it, beside its health; a page that is not there leads to the sign-in."""
    link = LINK.findall(run("user", "add", "olive", "--role", "operator", "--settings", settings).output)[0][0]
    port = int(re.findall(r"127\.0\.0\.1:(\d+)", settings.read_text())[0])

    told: list[str] = []
    with started("serve", "--settings", settings, before="HOW = 'well'" + RUNNER) as process:
        assert process.stderr
        for line in process.stderr:
            if json.loads(line)["event"] == "listening":
                base = f"http://127.0.0.1:{port}"
                page = httpx.get(base + link)
                told = [page.text, *(str(httpx.get(base + p).status_code) for p in ("/console/nowhere", "/livez"))]
                process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

    assert "Welcome, olive" in told[0]
    assert ["303", "200"] == told[1:]
