"""Lives with a record, and is killed again and again at seeded steps; says what it acknowledged and what it found.

Usage: record_child.py FOLDER POINTS SEED. A fresh process for every point would spend its time importing: this one
forks. Prints one line of JSON for each point, and exits with a traceback at the first promise that is broken.
"""

import json
import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from comity.core.retention import DAY, WEEK, end_of, week_of
from comity.stores.record.keys import KeeperError, LocalKeeper
from record_garden import GARDEN, KEEPER, MONDAY, PEOPLE, ROOMS, Here, an_event

OTHER = LocalKeeper(b"another key that is not secret..")
DAYS = 20  # the term of all rooms: short, so that much ends
DEEDS = ("say", "say", "say", "seal", "tend", "forget", "rotate")


def life(seed: int, now: int, first: int) -> Iterator[tuple[str, int, int]]:
    """Deeds, each with its time and a number, from a seed."""
    chance = random.Random(seed)
    for n in range(first, first + 12):
        now += chance.choice((0, DAY, 3 * DAY, WEEK))
        yield chance.choice(DEEDS), now, n


def do(here: Here, deed: str, now: int, n: int) -> None:
    """Do one deed."""
    if deed == "say":
        with here.store.write():
            here.record.append([an_event(3 * n + i, now + i) for i in range(3)])
    elif deed == "rotate":
        here.record.rotate(OTHER if current(here) == KEEPER.id else KEEPER, now)
    elif deed == "forget":
        here.record.forget(GARDEN, here.called(PEOPLE[n % 5]), now)
    else:
        here.record.tend(now, whole=deed == "seal")


def current(here: Here) -> str:
    """Which key wraps the others."""
    return here.record.parts.keys._keeper.id


def opened(folder: Path, step: object = None) -> Here:
    """The record, by whichever of the two keys wraps its keys; exactly one of them does."""
    for keeper in (KEEPER, OTHER):
        try:
            return Here.open(folder, keeper=keeper, step=step)  # type: ignore[arg-type]
        except KeeperError:
            continue
    raise AssertionError("neither key opens the record")


def child(folder: Path, deeds: Iterator[tuple[str, int, int]], steps: int, say: int) -> None:
    """Live until the step that kills; each deed is told before it begins and when it is acknowledged."""
    left = steps

    def step(_name: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.write(say, f"killed {_name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    here = opened(folder, step)
    for deed, at, n in deeds:
        os.write(say, f"begin {deed} {at} {n}\n".encode())
        do(here, deed, at, n)
        os.write(say, f"done {deed} {at} {n}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)


def watched(folder: Path, seed: int, now: int, first: int, steps: int) -> list[list[str]]:
    """Run a child until it is killed; what it said, in words."""
    hear, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(hear)
        try:
            child(folder, life(seed, now, first), steps, say)
        finally:
            os._exit(3)
    os.close(say)
    with os.fdopen(hear) as file:
        said = [line.split(" ", 1) for line in file.read().splitlines()]
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, said
    return said


class World:
    """What was acknowledged so far. turns: when each was recorded; maybe: begun, and killed before it was said."""

    def __init__(self) -> None:
        self.now, self.first = MONDAY, 0
        self.turns: dict[int, int] = {}
        self.maybe: dict[int, int] = {}
        self.leavers: list[tuple[str, int]] = []
        self.within = ""

    def hear(self, said: list[list[str]]) -> str:
        """Take in what a child said; returns the step it was killed at."""
        for word, rest in said:
            if word == "killed":
                return rest
            deed, at, n = rest.split()
            self.now, self.first, self.within = int(at), int(n) + 1, deed
            if deed == "say":
                (self.turns if word == "done" else self.maybe)[int(n)] = self.now
            elif deed == "forget":
                self.leavers.append((PEOPLE[int(n) % 5], self.now))
        return "at the end"

    def compare(self, here: Here) -> int:
        """Hold the record to what was acknowledged; returns how much it keeps."""
        before = {e.id for e in here.read(self.now)}
        for name, at in dict(self.leavers).items():  # one that was not acknowledged is asked for again
            here.record.forget(GARDEN, here.called(name), at)
        here.record.tend(self.now, whole=True)
        verdict = here.verify()
        assert verdict.whole, verdict.faults
        found = {e.id for e in here.read(self.now)}
        assert found <= before
        parts = here.record.parts
        stored = {r["id"] for s in parts.rows.segments() for r in parts.read(s).to_pylist()}
        assert stored == found, "something is stored that may not be read"
        for n, at in (self.turns | self.maybe).items():
            self._compare_turn(n, at, found)
        assert set(parts.place.names()) == {s.file for s in parts.rows.segments()}, "a file was left over"
        self.maybe.clear()
        return len(found)

    def _compare_turn(self, n: int, at: int, found: set[str]) -> None:
        names = {f"$event-{3 * n + i}" for i in range(3) if not gone(3 * n + i, at + i, self.leavers, self.now)}
        over = {f"$event-{3 * n + i}" for i in range(3)} - names
        assert not over & found, "what is over can be read"
        acknowledged = n in self.turns
        assert names <= found or (not acknowledged and not names & found), f"turn {n} was acknowledged, and is lost"
        if not acknowledged and names & found:
            self.turns[n] = at


def main() -> None:
    """Kill, open again, compare; over and over on the same record."""
    folder, points, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance, world = random.Random(seed), World()
    os.fsync = id  # type: ignore[assignment]  # a process that ends loses nothing that was written, only a power cut does
    with opened(folder) as here:
        for room in ROOMS:
            here.record.begin_room(GARDEN, room, DAYS, MONDAY)
    for point in range(points):
        killed = world.hear(watched(folder, chance.randrange(10**6), world.now, world.first, chance.randrange(30)))
        with opened(folder) as here:
            kept = world.compare(here)
        print(json.dumps({"point": point, "at": killed, "in": world.within, "kept": kept}), flush=True)  # noqa: T201


def gone(event: int, at: int, leavers: list[tuple[str, int]], now: int) -> bool:
    """Whether an event should be gone by now."""
    if end_of(week_of(at)) + DAYS * DAY <= now:
        return True
    return any(name == PEOPLE[event % 5] and at <= when for name, when in leavers)


if __name__ == "__main__":
    main()
