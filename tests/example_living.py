"""The living example for tests: started as a visitor starts it, and ended so that nothing is left.

PYTEST_DONT_REWRITE: the tests import this before pytest loads it as a plugin, so its assertions bring their own words.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from test_matrix_garden import listening

ROOT: Final = Path(__file__).parents[1]


class Living(NamedTuple):
    """A running example. chat, console: addresses; said: what it has printed until everything was ready."""

    process: subprocess.Popen[str]
    chat: str
    console: str
    said: str


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    """Start it, quick."""
    command = [sys.executable, str(ROOT / "tools" / "example_garden.py"), "--folder", str(folder), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)


@contextlib.contextmanager
def living(folder: Path) -> Iterator[Living]:
    """It runs within; ended as by Ctrl-C, with status 0 and nothing listening any more."""
    process = start(folder, "--pace", "0.02", "--for", "300")
    try:
        said = ""
        assert process.stdout
        for line in process.stdout:
            said += line
            if "something waits in the console" in line.casefold():
                break
        found = re.findall(r"http://localhost:\d+", said)
        assert len(found) == 2, said + (process.stderr.read() if process.stderr else "")
        yield Living(process, found[0], found[1], said)
        process.send_signal(signal.SIGINT)
        told, failed = process.communicate(timeout=40)
        assert (0, "") == (process.returncode, failed), told
        assert not [address for address in found if listening(address)]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(20)


@pytest.fixture(scope="session")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """One for all visits of a worker: they are different members, or do not mind one another."""
    with living(tmp_path_factory.mktemp("garden")) as found:
        yield found


def be(page: Page, garden: Living, who: str, room: str = "attic") -> None:
    """Be a member, in a room."""
    page.goto(f"{garden.chat}/rooms/{room}")
    page.get_by_label("You are").select_option(who)
    page.wait_for_load_state()
    expect(page.get_by_label("You are")).to_have_value(who)
