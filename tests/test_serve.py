"""``comity serve``: checked before anything is opened, and ended so that everything is closed."""

import json
import signal
from pathlib import Path

import pytest

from comity.live.listen import listen
from commanding import finished, run, started

# A runner in place of the real one, which needs a homeserver: it says what it was given, and that it was stopped.
RUNNER = """
import asyncio
class Runner:
    def __init__(self, *, settings, charters, store, metrics, log, texts, record, evidence):
        self.log, self.store = log, store
        dry = [c.dry_run for c in settings.communities]
        log.info("built", charters=sorted(charters), dry=dry, head=store.head().number)
    async def start(self):
        if HOW == "cannot start": raise ValueError("the kettle is in the attic")
    async def stop(self): self.log.info("runner stopped", head=self.store.head().number)
    async def wait(self): await asyncio.Event().wait()
    def routes(self): return []
    def ready(self): return []
    office = None
import comity.runner
comity.runner.Runner = Runner
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Settings as init writes them, on a port that is free."""
    with listen("127.0.0.1", 0) as line:
        port = line.getsockname()[1]
    words = ("--yes", "--server-name", "example.org", "--inviter", "@olive:example.org", "--name", "Tea Garden")
    done = run("init", *words, "--folder", tmp_path, "--act", "--bind", f"127.0.0.1:{port}")
    assert done.exit_code == 0, done.output
    return tmp_path / "comity.toml"


def test_a_check_tells_what_would_be_looked_after_and_opens_nothing(settings: Path) -> None:
    """Account, address, clauses, rooms and whether anything is carried out; no store is made, no token told."""
    told = run("serve", "--settings", settings, "--check").stdout

    assert "@comity:example.org at http://127.0.0.1:8008 (appservice)" in told
    assert "tea-garden: 18 clauses (17 live, 1 shadow), 0 rooms named; measures last 72 hours at most." in told
    assert "a dry run: nothing is carried out" in run("serve", "--settings", settings, "--check", "--dry-run").stdout
    assert ["charter.toml", "comity-registration.yaml", "comity.toml"] == sorted(
        p.name for p in settings.parent.iterdir()
    )
    token = settings.read_text().partition('as_token = "')[2].partition('"')[0]
    assert token
    assert token not in told


def test_a_check_names_every_mistake_of_every_charter(settings: Path) -> None:
    """Two communities, a mistake in each charter: both are told with file, line and column."""
    text = (settings.parent / "charter.toml").read_text()
    (settings.parent / "charter.toml").write_text(text.replace('"flood"', '"floood"'))
    (settings.parent / "attic.toml").write_text(text.replace('"raid"', '"rade"'))
    settings.write_text(settings.read_text() + '\n[[community]]\nid = "attic"\ncharter = "attic.toml"\n')
    done = run("serve", "--settings", settings, "--check")

    assert done.exit_code == 1
    assert "charter.toml:" in done.stderr
    assert "there is no rule 'floood'; expected flood" in done.stderr
    assert "attic.toml:" in done.stderr
    assert "there is no rule 'rade'; expected raid" in done.stderr


def test_a_check_says_what_would_do_nothing_and_what_lies_open(settings: Path) -> None:
    """A community without rooms and inviters, and open secrets, are told; a missing folder is refused."""
    settings.write_text(settings.read_text().replace('inviters = ["@olive:example.org"]', "inviters = []"))
    settings.chmod(0o644)
    told = run("serve", "--settings", settings, "--check").stdout
    assert "nothing would be looked after" in told
    assert "chmod o-rwx" in told

    settings.write_text(settings.read_text().replace('"comity.sqlite"', '"nowhere/comity.sqlite"'))
    refused = run("serve", "--settings", settings, "--check")
    assert refused.exit_code == 1
    assert "there is no directory" in refused.stderr


@pytest.mark.parametrize("dry", [False, True])
def test_it_serves_until_it_is_told_to_end(settings: Path, *, dry: bool) -> None:
    """The runner gets charters, store and settings; SIGTERM stops it while the store is open, and closes that after."""
    words = ["serve", "--settings", settings, *(["--dry-run"] if dry else [])]
    with started(*words, before="HOW = 'well'" + RUNNER) as process:
        assert process.stderr
        told = []
        for line in process.stderr:
            told.append(json.loads(line))
            if told[-1]["event"] == "listening":
                process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

    built = next(line for line in told if line["event"] == "built")
    assert (["tea-garden"], [dry], 0) == (built["charters"], built["dry"], built["head"])
    assert ["stopping", "runner stopped", "stopped"] == [line["event"] for line in told[-3:]]
    assert not (settings.parent / "comity.sqlite-wal").exists()
    assert not (settings.parent / "comity.sqlite.lock").exists()


def test_a_start_that_fails_tells_where_and_quotes_nothing(settings: Path) -> None:
    """The log has type and place, the terminal one sentence, neither what the error held."""
    status, _, said = finished("serve", "--settings", settings, before="HOW = 'cannot start'" + RUNNER)

    assert status == 1
    assert "ValueError at <string>:" in said
    assert "comity: it cannot go on; the log says where it failed" in said
    assert "kettle" not in said


def test_an_address_that_is_taken_is_one_sentence(settings: Path) -> None:
    """Not a traceback: which address, why, and what to do."""
    port = int(settings.read_text().partition("127.0.0.1:")[2].partition('"')[0])
    with listen("127.0.0.1", port):
        status, _, said = finished("serve", "--settings", settings, before="HOW = 'well'" + RUNNER)

    assert status == 1
    assert f"comity: 127.0.0.1:{port}: another program listens there" in said
    assert "Traceback" not in said
