"""A garden to fill stores with: one community, three members, two rooms, two clauses, and rows made from numbers."""

from pathlib import Path
from typing import NamedTuple

from comity.core.ledger import NO_ACTIVITY, NO_FINDINGS, ActivityColumns, ClauseRow, FindingColumns, Head
from comity.stores.contract import Store
from comity.stores.sqlite import SqliteStore

MORNING = 1_778_000_000_000  # milliseconds since 1970
DAY = MORNING // 86_400_000
FLOOD = ClauseRow("c0ffee", "3.1", "flood", "spam.flooding", "minor", "live", "No floods, please.", "hide slow")
LINKS = ClauseRow("c0ffee", "3.2", "scam link", "spam.fraud", "severe", "live", "No traps.", "hide mute")


class Garden(NamedTuple):
    """Numbers of what a store was told about."""

    community: int
    members: list[int]
    rooms: list[int]
    clauses: list[int]


def garden(store: Store) -> Garden:
    """Make the garden known to the store, or find it there."""
    community = store.community("!garden:example.org")
    members = store.members(
        community, ["@ana:example.org", "@ben:example.org", "@cleo:example.org"], ["Ana", "Ben", None]
    )
    return Garden(community, members, store.rooms(community, ["#garden", "#attic"]), store.clauses([FLOOD, LINKS]))


def some_findings(count: int, *, start: int = 0) -> FindingColumns:
    """Findings about the garden, each unlike the next; the same for the same numbers."""
    rows = range(start, start + count)
    return FindingColumns(
        at=[MORNING + 1000 * n for n in rows],
        day=[DAY + n // 50 for n in rows],
        member=[1 + n % 3 for n in rows],
        room=[1 + n % 2 for n in rows],
        clause=[1 + n % 5 // 4 for n in rows],
        event=[f"$event-{n}" for n in rows],
        excerpt=[f"and no sugar in cup {n}, s'il vous plaît 🫖" for n in rows],
        figures=[f'{{"count":{n},"allowed":10}}' for n in rows],
    )


def some_activity(count: int, *, start: int = 0) -> ActivityColumns:
    """Activity of the garden's members, one day a row."""
    rows = range(start, start + count)
    return ActivityColumns([1 + n % 3 for n in rows], [DAY + n // 3 for n in rows], [1 + n % 7 for n in rows])


def post_findings(store: Store, count: int, *, start: int = 0) -> Head:
    """Post findings at the head."""
    return store.post(some_findings(count, start=start), NO_ACTIVITY, after=store.head())


def post_activity(store: Store, count: int, *, start: int = 0) -> Head:
    """Post activity at the head."""
    return store.post(NO_FINDINGS, some_activity(count, start=start), after=store.head())


def opened(path: Path, *, read_only: bool = False) -> SqliteStore:
    """A SQLite store, not durable."""
    return SqliteStore.open(path, durable=False, read_only=read_only)


def filled(path: Path) -> Path:
    """A closed SQLite store with findings 1 to 20, activity 21 to 30, and the reversal of entry 4."""
    with opened(path) as store:
        garden(store)
        post_findings(store, 20)
        store.reverse(4, "it was a quotation", "cleo", MORNING, after=post_activity(store, 10))
    return path
