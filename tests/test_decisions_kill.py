"""A live loop that is killed, and started again."""

import random
import subprocess
import sys
import time
from pathlib import Path

from comity.core.place import Place
from comity.stores.decisions_contract import Waits
from comity.stores.opening import open_store

CHILD = Path(__file__).with_name("deciding_child.py")
TURNS = 120


def child(store: Place, platform: Path) -> subprocess.Popen[str]:
    """A loop in a process of its own."""
    command = [sys.executable, str(CHILD), str(store), str(platform), str(TURNS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_kill_9_between_deciding_and_acting_loses_nothing_and_decides_nothing_twice(
    kind: str, place: Place, tmp_path: Path
) -> None:
    """Killed at a dozen moments, each turn has its findings, decision, statement and actions, once and in order."""
    chance = random.Random(20579)
    store, platform, most = place, tmp_path / "platform", 12 if kind == "sqlite" else 5
    platform.mkdir()
    said = kills = 0
    while kills < most and said < TURNS:
        with child(store, platform) as loop:
            assert loop.stdout
            for _ in range(chance.randint(1, 8)):
                said = int(loop.stdout.readline() or said)
            time.sleep(chance.random() * 0.004)
            loop.kill()
        kills += 1
        with open_store(store, durable=False) as kept:
            assert kept.verify().whole
            last = kept.decisions.last()
            assert said <= last  # what was said to be committed is there
            assert 2 * last == kept.head().number
            assert 2 * last == sum(len(kept.decisions.queued(state, most=999)) for state in Waits)
            assert last == len(kept.decisions.statements(most=999))
    with child(store, platform) as loop:
        loop.communicate()

    assert kills > 2
    with open_store(store, durable=False) as kept:
        done = [q.action for q in kept.decisions.queued(Waits.DONE, most=999)]
        assert 2 * TURNS == len(done) == len(list(platform.iterdir()))
        assert [n for n in range(1, TURNS + 1) for _ in range(2)] == [a.decision for a in done]
        assert (0, None) == kept.decisions.waiting()
    # A kill between deed and note makes one be tried again, under its own id: never more of them than kills.
    twice = [deed for deed in platform.iterdir() if len(deed.read_text().splitlines()) > 1]
    assert len(twice) <= kills
