"""A garden that is recorded: a store, a record beside it, and chats made from numbers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from comity.core.event import Event, moment, rfc3339
from comity.core.retention import DAY, week_of
from comity.stores.record.keys import LocalKeeper
from comity.stores.record.places import Folder
from comity.stores.record.reading import Query, Reading
from comity.stores.record.record import Record
from comity.stores.record.verify import RecordVerdict, verify
from comity.stores.sqlite import SqliteStore

GARDEN = "!garden:example.org"
MONDAY = 1_777_852_800_000  # 4 May 2026, 00:00 UTC
HOUR = 3_600_000
KEEPER = LocalKeeper(b"a key that is no secret at all..")
ROOMS = ("#garden", "#attic", "#cellar")
PEOPLE = ("ana", "ben", "cleo", "dora", "eli")
SAID = ("milk first", "and no sugar", "then the tea", "the zinnias are out", "toothpaste is in the attic 🫖")


def an_event(n: int, at: int, **more: object) -> Event:
    """A message by one of five people in one of three rooms."""
    fields = {
        "id": f"$event-{n}",
        "at": rfc3339(moment(at)),
        "kind": "message",
        "community": GARDEN,
        "room": ROOMS[n % 3],
        "member": f"@{PEOPLE[n % 5]}:example.org",
        "name": PEOPLE[n % 5].title(),
        "role": "member",
        "text": f"{SAID[n % 5]}, cup {n}",
        "mentions": [f"@{PEOPLE[(n + 1) % 5]}:example.org"] if n % 4 == 0 else [],
        "messages_before": n // 5,
    }
    return Event(**(fields | more))  # type: ignore[arg-type]


def a_chat(count: int, *, start: int = 0, at: int = MONDAY, apart: int = HOUR) -> list[Event]:
    """Events one after the other."""
    return [an_event(n, at + (n - start) * apart) for n in range(start, start + count)]


class Here(NamedTuple):
    """A store with its record."""

    store: SqliteStore
    record: Record
    folder: Path

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        now: int = MONDAY,
        step: Callable[[str], None] | None = None,
        keeper: LocalKeeper = KEEPER,
        durable: bool = False,
    ) -> Self:
        """The store at a path; new, it records all rooms of the garden for 180 days."""
        store = SqliteStore.open(path / "comity.sqlite", durable=durable)
        try:
            folder = path / "record"
            store.community(GARDEN)
            record = Record.open(store.record, Folder(folder), keeper, now, step=step)
            for room in ROOMS:
                if not record.parts.rows.rooms().get((GARDEN, room)):
                    record.begin_room(GARDEN, room, 180, now)
        except BaseException:
            store.close()
            raise
        return cls(store, record, folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def say(self, events: Sequence[Event], *, a_turn: int = 10) -> None:
        """Record events as turns of so many."""
        for i in range(0, len(events), a_turn):
            with self.store.write():
                self.record.append(events[i : i + a_turn])

    def called(self, name: str) -> str:
        """The pseudonym of one of the people."""
        account = f"@{name}:example.org"
        return self.store.record.pseudonyms(GARDEN, [account])[account]

    def read(self, now: int, **query: object) -> list[Event]:
        """What may be read."""
        return Reading(self.record.parts, now).find(Query(community=GARDEN, **query))  # type: ignore[arg-type]

    def ids(self, now: int, **query: object) -> list[str]:
        """The ids of what may be read."""
        return [e.id for e in self.read(now, **query)]

    def verify(self, *, deep: bool = True) -> RecordVerdict:
        """Whether it is whole."""
        return verify(self.record.parts, deep=deep)


def after_weeks(weeks: int, *, days: int = 0) -> int:
    """A time so long after the first Monday."""
    assert week_of(MONDAY) == week_of(MONDAY + 6 * DAY)
    return MONDAY + (7 * weeks + days) * DAY
