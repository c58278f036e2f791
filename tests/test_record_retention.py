"""Retention: what the record keeps is what terms, citations, redactions, wishes and holds say, at any time."""

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.core.event import Event, milliseconds
from comity.core.ledger import NO_ACTIVITY
from comity.core.retention import (
    DAY,
    TERM,
    WEEK,
    Citation,
    Fate,
    Forgotten,
    Hold,
    Keeping,
    Said,
    TakenBack,
    end_of,
    start_of,
    week_of,
)
from record_garden import GARDEN, MONDAY, PEOPLE, ROOMS, Here, after_weeks, an_event
from store_decisions import a_decision, a_statement
from store_entries import LINKS, some_findings

MILK = Said("$1", MONDAY + 2 * DAY, "message", GARDEN, "#garden", "ana")


def test_a_week_is_from_monday_to_sunday() -> None:
    """In UTC, whatever the year; its end is the next one's beginning."""
    assert MONDAY == start_of(week_of(MONDAY)) == end_of(week_of(MONDAY - 1))
    assert week_of(MONDAY) == week_of(MONDAY + WEEK - 1) == week_of(MONDAY + WEEK) - 1
    assert week_of(0) == week_of(-3 * DAY) == week_of(-3 * DAY - 1) + 1


def test_a_message_is_kept_for_its_term_at_least() -> None:
    """180 days after the end of its week, to the millisecond; and no day longer."""
    end = after_weeks(1) + TERM * DAY

    assert Fate.KEPT is Keeping().fate(MILK, end - 1)
    assert Fate.GONE is Keeping().fate(MILK, end)
    assert Fate.GONE is Keeping(terms={(GARDEN, "#garden"): 2}).fate(MILK, after_weeks(1) + 2 * DAY)
    assert Fate.KEPT is Keeping(terms={("other", "#garden"): 2}).fate(MILK, after_weeks(1) + 2 * DAY)


def test_what_an_appeal_may_be_about_is_kept() -> None:
    """Beyond its term, though it was taken back, though its author wants to be forgotten, until nobody can appeal."""
    taken, forgotten = TakenBack(GARDEN, "$1", "ana", MONDAY), Forgotten(GARDEN, "ana", MONDAY + 3 * DAY)
    until = after_weeks(100)
    keeping = Keeping(
        citations=[Citation(GARDEN, "$1", until), Citation(GARDEN, "$1", MONDAY)],
        taken_back=[taken],
        forgotten=[forgotten],
    )

    assert Fate.KEPT is keeping.fate(MILK, until - 1)
    assert Fate.GONE is keeping.fate(MILK, until)
    assert Fate.BARE is Keeping(taken_back=[taken]).fate(MILK, MONDAY + 3 * DAY)


def test_nobody_takes_back_what_another_wrote() -> None:
    """A manager's redaction hides a message; the record keeps it as long as any."""
    by_ben = Keeping(taken_back=[TakenBack(GARDEN, "$1", "ben", MONDAY)])

    assert Fate.KEPT is by_ben.fate(MILK, MONDAY + 3 * DAY)


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[str, object]]:
    """What happens to a record: talk, redactions, wishes, holds, citations, shorter terms, and looking after it."""
    steps: list[tuple[str, object]] = []
    for _ in range(draw(st.integers(3, 10))):
        kind = draw(st.sampled_from(["say", "say", "tend", "take back", "forget", "cite", "hold", "term", "wait"]))
        value: object = draw(st.integers(0, 40))
        steps.append((kind, value))
    return steps


@given(lives())
@settings(max_examples=60, deadline=None)
def test_what_is_kept_is_what_it_should_be(steps: list[tuple[str, object]]) -> None:
    """Read at any time, and after looking after it on the disk, it is exactly what the values say."""
    with TemporaryDirectory() as folder, Here.open(Path(folder)) as here:
        world = World(here)
        for kind, value in steps:
            world.step(kind, int(str(value)))
            world.check()
        world.step("tend", 1)
        world.check()
        world.step("wait", 35)
        world.step("tend", 1)
        world.check(on_disk=True)
        assert here.verify().whole


class World:
    """A record, and beside it what it should keep."""

    def __init__(self, here: Here) -> None:
        self.here, self.now, self.events = here, MONDAY, list[Event]()
        self.terms: dict[tuple[str, str], int] = dict.fromkeys(((GARDEN, r) for r in ROOMS), TERM)
        self.taken: list[TakenBack] = []
        self.forgotten: list[Forgotten] = []
        self.holds: list[Hold] = []
        self.cited: list[Citation] = []
        self.gone: set[str] = set()
        self.bare: set[str] = set()
        here.store.clauses([LINKS])
        self.community = here.store.community(GARDEN)
        here.store.members(self.community, [f"@{p}:example.org" for p in PEOPLE], [None] * len(PEOPLE))
        here.store.rooms(self.community, list(ROOMS))

    def step(self, kind: str, n: int) -> None:
        """Let something happen."""
        if kind == "say":
            start = len(self.events)
            self._say([an_event(start + i, self.now + i * DAY // 3) for i in range(n % 13)])
            self.now += (n % 13) * DAY // 3
        elif kind == "wait":
            self.now += n * WEEK
        elif kind == "tend":
            self._note_ends()
            self.here.record.tend(self.now, whole=n % 2 == 1)
        elif kind == "term":
            self.terms[GARDEN, ROOMS[n % 3]] = 1 + n
            self.here.record.begin_room(GARDEN, ROOMS[n % 3], 1 + n, self.now)
        elif kind == "forget":
            who = self.here.called(PEOPLE[n % 5])
            self.forgotten.append(Forgotten(GARDEN, who, self.now))
            self._note_ends()
            self.here.record.forget(GARDEN, who, self.now)
            self.now += 1  # what is said from now on is kept again
        elif kind == "hold":
            hold = Hold(
                name=f"h{n}", by="operator", reason="asked", since=self.now, until=self.now + (1 + n) * WEEK,
                community=GARDEN, room=ROOMS[n % 3] if n % 2 else "",
            )  # fmt: skip
            self.holds = [h for h in self.holds if h.name != hold.name] + [hold]
            self.here.record.hold(hold, self.now)
        elif self.events:
            self._about(kind, self.events[n % len(self.events)], n)

    def _about(self, kind: str, event: Event, n: int) -> None:
        if kind == "take back":
            author = event.member if n % 4 else f"@{PEOPLE[(n + 1) % 5]}:example.org"
            name = f"$event-{len(self.events)}"
            gone = an_event(0, self.now, id=name, kind="redaction", member=author, target=event.id, text=None)
            self._say([gone])
            called = self.here.store.record.pseudonyms(GARDEN, [author])[author]
            self.taken.append(TakenBack(GARDEN, event.id, called, self.now))
        elif kind == "cite":
            member = 1 + PEOPLE.index(event.member[1:].partition(":")[0])
            finding = some_findings(1)._replace(event=[event.id], member=[member], clause=[1], room=[1])
            head = self.here.store.post(finding, NO_ACTIVITY, after=self.here.store.head())
            d = a_decision(
                self.here.store.decisions.last() + 1, head.number, at=self.now, until=self.now + DAY, member=member,
                findings=(head.number,), clause=1, community=self.community,
            )  # fmt: skip
            s = msgspec.structs.replace(a_statement(d), facts=())
            from comity.core.carried import Carried  # noqa: PLC0415 - beside its one use

            self.here.store.decisions.add([d], [s], Carried(), at=self.now, after=head)
            self.cited.append(Citation(GARDEN, event.id, s.appeal_until))

    def _say(self, events: list[Event]) -> None:
        self.events += events
        self.here.say(events, a_turn=4)

    def check(self, *, on_disk: bool = False) -> None:
        """Compare, event by event; on_disk: what stands in the segments is what may be read, and no more."""
        stored = self._stored()
        expected, words = {}, {e.id: e.text is not None for e in self.events}
        for said, fate in self._fates():
            if said.id not in stored:
                assert said.id in self.gone, "destroyed before its time"
            elif stored[said.id] != words[said.id]:
                assert said.id in self.bare | self.gone, "its words were destroyed before their time"
            if fate is not Fate.GONE and said.id in stored:
                expected[said.id] = fate is Fate.KEPT and stored[said.id]
        assert expected == {e.id: e.text is not None for e in self.here.read(self.now)}
        if on_disk:
            assert expected == stored

    def _stored(self) -> dict[str, bool]:
        """Every event that stands in a segment or a frame, and whether its words do."""
        parts = self.here.record.parts
        rows = [r for s in parts.rows.segments() for r in parts.read(s).to_pylist()]
        tail = [e for _, some in parts.tail.frames() for e in some]
        return {r["id"]: r["text"] is not None for r in rows} | {e.id: e.text is not None for e in tail}

    def _fates(self) -> list[tuple[Said, Fate]]:
        """What is to become of each event, by the values alone."""
        keeping = Keeping(
            terms=self.terms, citations=self.cited, taken_back=self.taken, forgotten=self.forgotten, holds=self.holds
        )
        called = self.here.store.record.pseudonyms(GARDEN, {e.member for e in self.events})
        saids = [
            Said(e.id, milliseconds(e.at), e.kind, GARDEN, e.room, called[e.member], e.target) for e in self.events
        ]
        return [(said, keeping.fate(said, self.now)) for said in saids]

    def _note_ends(self) -> None:
        """What may be destroyed by looking after the record now."""
        for said, fate in self._fates():
            (self.gone if fate is Fate.GONE else self.bare if fate is Fate.BARE else set()).add(said.id)
