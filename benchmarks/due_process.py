"""How long pages wait for due process: a store of 100,000 members, a million findings, and much that waits.

.venv/bin/python benchmarks/due_process.py [MEMBERS [FINDINGS]]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import msgspec

from comity.core.carried import Carried
from comity.core.charter import APPEAL_TERM, Measure
from comity.core.decision import Course, Decision
from comity.core.harm import Severity
from comity.core.ledger import NO_ACTIVITY, ClauseRow, FindingColumns
from comity.core.queue import After, Item, Kind, Query
from comity.core.report import Report
from comity.core.statement import Fact, Figures, Statement
from comity.core.verdicts import Confirm
from comity.core.who import Who
from comity.stores.process_contract import Intent
from comity.stores.sqlite import SqliteStore

NOW = 1_778_000_000_000
HOUR = 3_600_000
DECISIONS, REPORTS = 20_000, 5_000
CLAUSES = [
    ClauseRow("c0ffee", "3.1", "flood", "spam.flooding", "minor", "live", "No floods, please.", "hide slow"),
    ClauseRow("c0ffee", "3.2", "scam link", "spam.fraud", "severe", "live", "No traps.", "hide mute"),
]


def fill(store: SqliteStore, members: int, findings: int) -> None:
    """Members, findings, decisions of which half wait, and reports."""
    community = store.community("garden")
    names = [f"@member{n}:garden.example" for n in range(members)]
    store.members(community, names, [f"Member {n}" for n in range(members)])
    store.rooms(community, ["#garden"])
    store.clauses(CLAUSES)
    for start in range(0, findings, 100_000):
        rows = range(start, min(start + 100_000, findings))
        columns = FindingColumns(
            at=[NOW - 60_000 * (findings - n) // 100 for n in rows],
            day=[NOW // 86_400_000 - (findings - n) * 180 // findings for n in rows],
            member=[1 + n * 7919 % members for n in rows],
            room=[1] * len(rows),
            clause=[1 + n % 2 for n in rows],
            event=[f"$event-{n}" for n in rows],
            excerpt=["and no sugar"] * len(rows),
            figures=["{}"] * len(rows),
        )
        store.post(columns, NO_ACTIVITY, after=store.head())
    head = store.head()
    made = [decision(n, head.number, 1 + n * 31 % members) for n in range(1, DECISIONS + 1)]
    with store.write():
        store.decisions.add(made, [statement(d) for d in made if not d.proposed], Carried(), at=NOW, after=head)
        for n in range(REPORTS):
            store.process.add_report(
                Report(number=0, at=NOW + n, community=1, reporter=1 + n % members, member=2, room=1, event=f"$r{n}")
            )


def decision(number: int, head: int, member: int) -> Decision:
    """A decision; every tenth is a proposal, every other one is confirmed."""
    course = Course.PROPOSED if number % 10 == 0 else Course.CONFIRMED if number % 2 else Course.IN_FORCE
    return Decision(
        number=number, at=NOW + number // 50, community=1, member=member,
        measure=Measure.BAN if course is Course.PROPOSED else Measure.MUTE, clause=1 + number % 2, clause_id="3.2",
        clause_text="No traps.", severity=Severity.SEVERE, findings=(number,), head=head, until=NOW + 72 * HOUR,
        course=course, by="olive" if course is Course.CONFIRMED else "machine",
        provisional=course is not Course.CONFIRMED,
    )  # fmt: skip


def statement(d: Decision) -> Statement:
    """The statement of a decision."""
    return Statement(
        decision=d.number, at=d.at, language="en", time_zone="UTC", community="Garden", room="", measure=d.measure,
        until=d.until, provisional=d.provisional, found_automatically=True, decided_automatically=d.by == "machine",
        clause_id=d.clause_id, clause_text=d.clause_text, facts=(Fact(1, NOW, "a trap", "free teapots"),),
        figures=Figures(31_500, 0, 67_800, 96_200, 0), appeal_until=d.at + int(APPEAL_TERM.total_seconds()) * 1000,
    )  # fmt: skip


def timed(name: str, call: Callable[[], object], times: int = 7) -> None:
    """Print the median and the worst of some calls, in milliseconds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        took.append(1000 * (time.perf_counter() - began))
    print(f"{name:<48}{median(took):>9.1f}{max(took):>9.1f}")


def main() -> None:
    """Fill a store, and time what pages ask of it."""
    members, findings = (int(a) for a in [*sys.argv[1:], "100000", "1000000"][:2])
    with tempfile.TemporaryDirectory() as folder, SqliteStore.open(Path(folder) / "a.sqlite", durable=False) as store:
        began = time.perf_counter()
        fill(store, members, findings)
        print(f"{members} members, {findings} findings, {DECISIONS} decisions in {time.perf_counter() - began:.0f} s")
        print(f"{'milliseconds':<48}{'median':>9}{'worst':>9}")
        p, everything = store.process, Query(communities=(1,))
        page = p.items(everything, NOW)
        last = After(page[-1].rank, page[-1].at, page[-1].item)
        waits = next(w.item for w in page if w.item.kind is Kind.PROVISIONAL)
        timed("the queue, first page", lambda: p.items(everything, NOW))
        timed("the queue, next page", lambda: p.items(everything, NOW, after=last))
        timed("the queue, of one harm", lambda: p.items(Query(communities=(1,), harm="spam"), NOW))
        timed("the queue, proposals", lambda: p.items(Query(communities=(1,), kinds=(Kind.PROPOSAL,)), NOW))
        timed("one item", lambda: p.item(waits, NOW))
        timed("the version of an item", lambda: p.version(waits))
        timed("members, by a part of the name", lambda: p.members([1], text="ember 999"))
        timed("members, a page", lambda: p.members([1], beyond=members // 2))
        timed("findings of a member", lambda: p.findings_of(members // 2))
        timed("decisions of a member", lambda: p.decisions_of(32))
        timed("reports, a page", lambda: p.reports(community=1, beyond=REPORTS // 2))
        timed("the overview of a week", lambda: p.overview([1], NOW - 7 * 24 * HOUR, NOW + HOUR))
        intents = iter(page)

        def decide() -> None:
            given = Intent(
                number=0, item=Item(*msgspec.structs.astuple(next(intents).item)), community=1, at=NOW, due=NOW + 1,
                by=Who("olive"), verdict=Confirm("right"), version="1",
            )  # fmt: skip
            p.add_intent(given)

        timed("a verdict", decide)


if __name__ == "__main__":
    main()
