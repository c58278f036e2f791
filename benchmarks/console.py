"""How long people wait for pages: a community of 100,000 members and a million findings, and 20 moderators at work.

.venv/bin/python benchmarks/console.py [--small] [--pause SECONDS] [--seconds SECONDS]

The whole process is served as ``comity serve`` does it, over a store that survives a power cut; who asks are other
processes. Each moderator asks for a page, reads it for about ``--pause`` seconds, and asks for the next.
"""

import argparse
import asyncio
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import uvloop

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("tests", "tools")]
import due_process
from comity.core.carried import Carried
from comity.core.ledger import NO_ACTIVITY, ActivityColumns, FindingColumns
from comity.core.report import Report
from comity.stores.sqlite import SqliteStore
from comity.web.site import sessions
from comity.web.site.limits import Limits
from house_kit import HouseServed
from test_runner_kill import ROOMS

MODERATORS: Final = 20
DAY: Final = 86_400_000
REACH: Final = 100  # milliseconds, at the 95th percentile
VERDICT: Final = {
    "sample": "judge", "proposal": "confirm", "provisional": "confirm", "report": "refuse", "finding": "refuse",
    "appeal": "uphold",
}  # fmt: skip
NAMES: Final = {
    "queue": "the queue", "more": "the queue, its next page", "case": "a case", "verdict": "a verdict",
    "search": "members, by a part of the name", "overview": "the overview", "me": "a member's own page, 10,000 entries",
    "entries": "their entries, a page", "decisions": "their decisions",
}  # fmt: skip
# What a moderator does next, and how often of a hundred times.
WORK: Final = {
    "queue": 28, "more": 6, "case": 26, "verdict": 10, "search": 10, "overview": 8, "me": 4, "entries": 4,
    "decisions": 4,
}  # fmt: skip


def fill(path: Path, members: int, findings: int, decisions: int, reports: int) -> None:
    """A community before it is opened: members, of whom the first has 10,000 findings, decisions, reports."""
    now = round(time.time() * 1000)
    due_process.NOW = now - 2 * 3_600_000
    with SqliteStore.open(path, durable=False) as store:
        community = store.community("tea-garden")
        accounts = [f"@member{n}:garden.example" for n in range(members)]
        store.members(community, accounts, [f"Member {n}" for n in range(members)])
        store.rooms(community, [ROOMS[0]])
        store.clauses(due_process.CLAUSES)
        mine = min(10_000, findings // 10)
        for start in range(0, findings, 100_000):
            rows = range(start, min(start + 100_000, findings))
            at = [now - (findings - n) * 170 * DAY // findings for n in rows]
            columns = FindingColumns(
                at=at,
                day=[t // DAY for t in at],
                member=[1 if n % (findings // mine) == 0 else 1 + n * 7919 % members for n in rows],
                room=[1] * len(rows),
                clause=[1 + n % 2 for n in rows],
                event=[f"$event-{n}" for n in rows],
                excerpt=["and no sugar"] * len(rows),
                figures=["{}"] * len(rows),
            )
            days = rows if start == 0 else range(0)
            wrote = ActivityColumns(
                [1 + n % members for n in days], [now // DAY - n % 60 for n in days], [3] * len(days)
            )  # fmt: skip
            store.post(columns, wrote if start == 0 else NO_ACTIVITY, after=store.head())
        one = FindingColumns([now], [now // DAY], [2], [1], [1], ["$last"], ["and no sugar"], ["{}"])
        store.post(one, NO_ACTIVITY, after=store.head())  # as the first live one: the index goes up to here
        head = store.head()
        made = [due_process.decision(n, head.number, 1 + n * 31 % members) for n in range(1, decisions + 1)]
        with store.write():
            stated = [due_process.statement(d) for d in made if not d.proposed]
            store.decisions.add(made, stated, Carried(), at=now, after=head)
            for n in range(reports):
                who = 2 + n % (members - 2)
                asked = Report(number=0, at=now - 1000 * n, community=1, reporter=who, member=2, room=1, event=f"$r{n}")
                store.process.add_report(asked)


class _Unlimited(Limits):
    """Lets everybody ask as often as they like."""

    def wait(self, *_asked: object, **_by: object) -> float:
        return 0.0


class Site(HouseServed):
    """The process that is asked."""

    durable = True
    review = False

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as ``comity serve`` does
            runner.run(self._serve())

    def begin(self) -> list[dict[str, str]]:
        """Serve, and let there be moderators; their cookies, each with the one of the member's own page."""
        self.start()
        self.member = 1
        self.site.limits = _Unlimited()  # one address asks for all
        made = []
        for n in range(MODERATORS):
            with self.hire(f"moderator-{n}") as client:
                member = self.do(
                    lambda s: sessions.opened(s.access, self.now(), how="link", label="bench", member=self.member)
                )
                made.append({"staff": client.secret, "me": member})
        return made


class Moderator:
    """Somebody at work. took: milliseconds by what was asked for."""

    def __init__(self, number: int, url: str, secrets: dict[str, str], community: int, pause: float) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=60)
        for kind, secret in secrets.items():
            self._client.cookies.set(f"comity-{kind}", secret, domain="localhost.local")
        self._proof = {"csrf": sessions.csrf(secrets["staff"])}
        self._chance, self._pause = random.Random(number), pause
        self._here = f"/console/{community}"
        self._items: list[str] = []
        self._next = ""
        self._case: tuple[str, str] | None = None
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        self.answers: Counter[str] = Counter()

    async def work(self, until: float) -> None:
        """Work until a time of ``time.monotonic``."""
        await asyncio.sleep(self._pause * self._chance.random())
        while time.monotonic() < until:
            await self._do(self._chance.choices(list(WORK), list(WORK.values()))[0])
            await asyncio.sleep(self._pause * (0.5 + self._chance.random()))
        await self._client.aclose()

    async def _do(self, what: str) -> None:
        if what == "more" and self._next:
            self._read(await self._ask("more", f"{self._here}/queue?{self._next}"))
        elif what == "case" and self._items:
            item = self._chance.choice(self._items)
            page = await self._ask("case", f"{self._here}/case/{item}")
            version = re.search(r'name="version" value="([^"]+)"', page)
            self._case = (item, version[1]) if version else None
        elif what == "verdict" and self._case:
            (decided, seen), self._case = self._case, None
            said = VERDICT[decided.partition("-")[0]]
            form = {"version": seen, "reason": "tea was spilled", "right": "yes", "verdict": said}
            await self._ask("verdict", f"{self._here}/case/{decided}/decide", form)
        elif what == "search":
            await self._ask("search", f"{self._here}/members?q=ember {self._chance.randrange(100, 1000)}")
        elif what == "overview":
            await self._ask("overview", self._here)
        elif what in {"me", "entries", "decisions"}:
            await self._ask(what, "/me" if what == "me" else f"/me/{what}")
        else:
            self._read(await self._ask("queue", f"{self._here}/queue"))

    def _read(self, page: str) -> None:
        self._items = re.findall(rf'{self._here}/case/([a-z]+-\d+)"', page) or self._items
        found = re.search(r'href="\?([^"]*after=[^"]+)" rel="next"', page)
        self._next = found[1].replace("&amp;", "&") if found else ""

    async def _ask(self, what: str, path: str, form: dict[str, str] | None = None) -> str:
        began = time.perf_counter()
        if form is None:
            answer = await self._client.get(path)
        else:
            origin = {"Origin": str(self._client.base_url).rstrip("/")}
            answer = await self._client.post(path, data=self._proof | form, headers=origin)
        self.took[what].append(1000 * (time.perf_counter() - began))
        self.answers[f"{what} {answer.status_code}"] += 1
        return answer.text


async def _at_work(given: dict[str, Any]) -> dict[str, Any]:
    people = [
        Moderator(n, given["url"], secrets, given["community"], given["pause"])
        for n, secrets in enumerate(given["people"])
    ]
    until = time.monotonic() + given["seconds"]
    await asyncio.gather(*(person.work(until) for person in people))
    took: defaultdict[str, list[float]] = defaultdict(list)
    answers: Counter[str] = Counter()
    for person in people:
        answers.update(person.answers)
        for what, some in person.took.items():
            took[what] += some
    return {"took": took, "answers": answers}


def told(took: dict[str, list[float]]) -> bool:
    """Print a line for each kind of page; whether all are as quick as they are to be."""
    print(f"{'milliseconds':<44}{'asked':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8}")
    whole = True
    for what, name in [*NAMES.items()]:
        if some := took.get(what):
            p50, p95, p99 = np.percentile(some, [50, 95, 99])
            whole &= bool(p95 <= REACH)
            print(f"{name:<44}{len(some):>8}{p50:>8.0f}{p95:>8.0f}{p99:>8.0f}{max(some):>8.0f}")
    return whole


def main(arguments: Sequence[str]) -> int:
    """Fill, serve, ask, tell; 1 if a page is slower than it is to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="2,000 members, 20,000 findings, ten seconds")
    parser.add_argument("--pause", type=float, default=2.0)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--asking", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.asking:
        print(json.dumps(asyncio.run(_at_work(json.loads(asked.asking)))))
        return 0
    sizes = (2_000, 20_000, 400, 100) if asked.small else (100_000, 1_000_000, 20_000, 5_000)
    members, findings, decisions, reports = sizes
    seconds = asked.seconds or (10 if asked.small else 60)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        fill(Path(folder) / "comity.sqlite", members, findings, decisions, reports)
        filled = time.perf_counter()
        site = Site(Path(folder))
        people = site.begin()
        took = f"filled in {filled - began:.0f} s, opened in {time.perf_counter() - filled:.1f} s"
        print(
            f"{members:,} members, {findings:,} findings, {took}; {MODERATORS} moderators, a page each {asked.pause} s"
        )
        given = {"url": site.url, "people": people, "community": site.community}
        given |= {"pause": asked.pause, "seconds": seconds}
        command = [sys.executable, __file__, "--asking", json.dumps(given)]
        try:
            came = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        finally:
            site.stop()
    whole = told(came["took"])
    print("answers:", ", ".join(f"{what} × {n}" for what, n in sorted(came["answers"].items())))
    print(f"to reach: {REACH} ms at the 95th percentile: {'reached' if whole else 'not reached'}")
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
