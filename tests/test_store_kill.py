"""A rating that is killed, or runs into a limit, and is started again."""

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from comity.core.place import Place
from comity.stores.copying import copy_store
from comity.stores.opening import open_store
from postgres_server import PostgresServer
from store_entries import garden, opened

CHILD = Path(__file__).with_name("store_child.py")
BATCHES = 200


def child(*arguments: str | Path | int, limit: int | None = None) -> subprocess.Popen[str]:
    """A rating in a process of its own."""
    command = [sys.executable, str(CHILD), *map(str, arguments), *([str(limit)] if limit else [])]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def contents(path: Place) -> tuple[object, ...]:
    """All that two equal ratings must agree on."""
    with open_store(path, durable=False) as store:
        assert store.verify().whole
        seen = [store.seen(hour).tolist() for hour in range(BATCHES)]
        findings = [store.findings(member) for member in range(1, store.counts().members + 1)]
        return store.head().number, findings, store.counts(), seen, store.window_states(), store.runs()[0].sources


@pytest.fixture
def start(tmp_path: Path) -> Callable[[str], Path]:
    """Copies of one store, so that keys and with them members can be compared."""
    first = tmp_path / "first.sqlite"
    with opened(first) as store:
        garden(store)

    def copied(name: str) -> Path:
        return Path(shutil.copy(first, tmp_path / name))

    return copied


def test_a_write_that_hits_a_limit_goes_on_where_it_was(start: Callable[[str], Path]) -> None:
    """What was committed before is whole, and rating again ends as if nothing had happened."""
    path, whole = start("limited.sqlite"), start("whole.sqlite")
    with child(path, BATCHES, limit=1_500_000) as limited:
        _, said = limited.communicate()
    assert limited.returncode == 1
    assert "nothing of this batch was kept" in said
    with opened(path) as store:
        assert store.verify().whole
        assert 0 < store.runs()[0].sources[0].position < BATCHES
    for each in (path, whole):
        with child(each, BATCHES) as rating:
            rating.communicate()

    assert contents(whole) == contents(path)


def test_kill_9_at_any_moment_loses_nothing_and_counts_nothing_twice(start: Callable[[str], Path]) -> None:
    """Killed a dozen times in the middle of something, the ledger is the one of a rating nobody disturbed."""
    chance = random.Random(20578)
    path, whole = start("killed.sqlite"), start("whole.sqlite")
    with child(whole, BATCHES) as rating:
        assert BATCHES == len(rating.communicate()[0].splitlines())
    kills = 0
    while kills < 12:
        with child(path, BATCHES) as rating:
            assert rating.stdout
            said = [rating.stdout.readline() for _ in range(chance.randint(1, 4))]
            time.sleep(chance.random() * 0.004)
            rating.kill()
        kills += 1
        with opened(path) as store:
            assert store.verify().whole
            position = store.runs()[0].sources[0].position
            assert int(said[-1]) + 1 <= position  # what was said to be committed is there
            assert position * 120 == store.head().number
        if position == BATCHES:
            break
    with child(path, BATCHES) as rating:
        rating.communicate()

    assert kills > 2  # a busy machine kills late, and so less often
    assert contents(whole) == contents(path)


def test_a_rating_that_is_killed_on_postgresql_ends_as_one_in_a_file_that_nobody_disturbed(
    start: Callable[[str], Path], postgres: PostgresServer
) -> None:
    """The same garden in both: findings, activity, hashes, windows and progress are equal at the end."""
    chance = random.Random(20580)
    whole, killed = start("whole.sqlite"), postgres.store()
    with open_store(killed, durable=True) as store, opened(whole) as first:
        copy_store(first, store)
    with child(whole, BATCHES) as rating:
        rating.communicate()
    for _ in range(4):
        with child(killed, BATCHES) as rating:
            assert rating.stdout
            said = [rating.stdout.readline() for _ in range(chance.randint(10, 40))]
            time.sleep(chance.random() * 0.004)
            rating.kill()
        with open_store(killed, durable=False) as store:
            assert store.verify().whole
            position = store.runs()[0].sources[0].position
            assert int(said[-1] or -1) + 1 <= position
            assert position * 120 == store.head().number
    with child(killed, BATCHES) as rating:
        rating.communicate()

    assert contents(whole) == contents(killed)
    postgres.give_back(killed)
