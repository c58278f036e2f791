"""Locks, verdicts and appeals against a slow model: whatever people try in whatever order, both say the same."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from comity.core.appeal import Appeal, Heard
from comity.core.queue import LOCKED_FOR, Item, Kind, Query
from comity.core.verdicts import UNDO, Confirm
from comity.core.who import Who
from comity.stores.contract import Refusal
from comity.stores.process_contract import Intent, Stage
from comity.stores.sqlite import SqliteStore
from store_decisions import HOUR, a_decision, add
from store_entries import MORNING, garden, post_findings

PEOPLE = st.sampled_from(["olive", "tomasz", "emil"])
DECISIONS = st.integers(1, 3)
TERM = 20 * HOUR


class DueProcess(RuleBasedStateMachine):
    """Three decisions, three people, and a clock. The model: plain lists that are gone through again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = SqliteStore.open(Path(self.folder.name) / "comity.sqlite", durable=False)
        self.now = MORNING
        self.locks: dict[int, tuple[str, int]] = {}
        self.given: list[tuple[int, int, str, int, Stage]] = []  # number, decision, by, due, stage
        self.decided: list[tuple[int, str]] = []
        self.appeals: list[tuple[int, int, int, Heard]] = []  # number, decision, due, outcome

    @initialize()
    def begin(self) -> None:
        """Three provisional decisions; the first two rest on one finding, and so are one case."""
        garden(self.store)
        head = post_findings(self.store, 6)
        until = MORNING + 72 * HOUR
        add(
            self.store,
            a_decision(1, head.number, findings=(1,), until=until),
            a_decision(2, head.number, findings=(1, 4), until=until),
            a_decision(3, head.number, findings=(2,), member=2, until=until),
        )

    def teardown(self) -> None:
        """Close the store."""
        self.store.close()
        self.folder.cleanup()

    def item(self, decision: int) -> Item:
        """The item of a decision."""
        return Item(Kind.PROVISIONAL, decision)

    def holder(self, decision: int) -> str:
        """Who has it open now."""
        by, until = self.locks.get(decision, ("", 0))
        return by if until > self.now else ""

    def waiting(self, decision: int) -> bool:
        """Whether a verdict on it is not carried out yet."""
        return any(d == decision and stage is Stage.WAITING for _, d, _, _, stage in self.given)

    @rule(ahead=st.sampled_from([1, UNDO // 2, UNDO, LOCKED_FOR, 7 * HOUR]))
    def time_goes_by(self, ahead: int) -> None:
        """The clock moves on."""
        self.now += ahead

    @rule(decision=DECISIONS, by=PEOPLE)
    def lock(self, decision: int, by: str) -> None:
        """Somebody opens an item."""
        done = self.store.process.lock(self.item(decision), by, self.now)
        free = self.holder(decision) in {"", by}
        assert (done is None) == free
        if free:
            self.locks[decision] = by, self.now + LOCKED_FOR

    @rule(decision=DECISIONS, by=PEOPLE)
    def release(self, decision: int, by: str) -> None:
        """Somebody gives an item back."""
        done = self.store.process.release(self.item(decision), by)
        assert done == (self.locks.get(decision, ("",))[0] == by)
        if done:
            del self.locks[decision]

    @rule(decision=DECISIONS, by=PEOPLE)
    def decide(self, decision: int, by: str) -> None:
        """Somebody gives a verdict."""
        intent = Intent(
            number=0, item=self.item(decision), community=1, at=self.now, due=self.now + UNDO, by=Who(by),
            verdict=Confirm("looked at"), version="1",
        )  # fmt: skip
        done = self.store.process.add_intent(intent)
        allowed = self.holder(decision) in {"", by} and not self.waiting(decision)
        assert isinstance(done, Intent) == allowed
        if isinstance(done, Intent):
            self.given.append((done.number, decision, by, done.due, Stage.WAITING))
            if self.locks.get(decision, ("",))[0] == by:
                del self.locks[decision]

    @precondition(lambda self: self.given)
    @rule(data=st.data(), by=PEOPLE)
    def undo(self, data: st.DataObject, by: str) -> None:
        """Somebody takes a verdict back, theirs or not, in time or not."""
        place = data.draw(st.integers(0, len(self.given) - 1))
        number, decision, giver, due, stage = self.given[place]
        done = self.store.process.undo_intent(number, by, self.now)
        allowed = stage is Stage.WAITING and giver == by and due > self.now
        assert (done is None) == allowed
        if allowed:
            self.given[place] = (number, decision, giver, due, Stage.UNDONE)

    @rule()
    def carry_out(self) -> None:
        """The clock carries out what is due, in order, each once."""
        due = self.store.process.intents_due(self.now)
        expected = [n for n, _, _, when, stage in self.given if stage is Stage.WAITING and when <= self.now]
        assert [i.number for i in due] == expected
        for intent in due:
            decision = intent.item.number
            until = MORNING + 72 * HOUR
            with self.store.write():
                done = self.store.decisions.confirm(
                    decision, intent.by.name, self.now, "looked at", until=until, after=self.store.head()
                )
                assert self.store.process.finish_intent(intent.number, Stage.DONE, "done", self.now)
            assert isinstance(done, Refusal) == any(d == decision for d, _ in self.decided)
            if not isinstance(done, Refusal):
                self.decided.append((decision, intent.by.name))
            place = next(p for p, row in enumerate(self.given) if row[0] == intent.number)
            self.given[place] = (*self.given[place][:4], Stage.DONE)

    @rule(decision=DECISIONS)
    def appeal(self, decision: int) -> None:
        """The member appeals."""
        member = 2 if decision == 3 else 1
        asked = Appeal(
            number=0,
            at=self.now,
            due=self.now + TERM,
            community=1,
            member=member,
            decision=decision,
            text="Look again.",
        )
        done = self.store.process.add_appeal(asked, 35)
        assert isinstance(done, Appeal) == all(d != decision for _, d, _, _ in self.appeals)
        if isinstance(done, Appeal):
            self.appeals.append((done.number, decision, done.due, Heard.OPEN))

    @precondition(lambda self: self.appeals)
    @rule(data=st.data(), by=PEOPLE, heard=st.sampled_from([Heard.UPHELD, Heard.REVERSED]))
    def hear(self, data: st.DataObject, by: str, heard: Heard) -> None:
        """Somebody hears an appeal, who decided in the case or not."""
        place = data.draw(st.integers(0, len(self.appeals) - 1))
        number, decision, due, was = self.appeals[place]
        case = {1, 2} if decision in {1, 2} else {3}
        biased = any(d in case and who == by for d, who in self.decided)
        done = self.store.process.close_appeal(number, heard, by, "looked again", self.now)
        assert isinstance(done, Refusal) == (biased or was is not Heard.OPEN)
        if isinstance(done, Appeal):
            self.appeals[place] = (number, decision, due, heard)

    @rule()
    def lapse(self) -> None:
        """The clock finds exactly the appeals whose term is over."""
        due = [a.number for a in self.store.process.appeals_due(self.now)]
        late = [(when, n) for n, _, when, was in self.appeals if was is Heard.OPEN and when <= self.now]
        assert due == [n for _, n in sorted(late)]
        for number in due:
            self.store.process.close_appeal(number, Heard.LAPSED, "the term", "nobody heard it", self.now)
            place = next(p for p, row in enumerate(self.appeals) if row[0] == number)
            self.appeals[place] = (*self.appeals[place][:3], Heard.LAPSED)

    @invariant()
    def the_queue_is_what_the_model_says(self) -> None:
        """What waits: decisions nobody confirmed and gave a verdict on, and appeals nobody heard."""
        if not self.store.head().number:
            return
        found = {w.item: w.locked_by for w in self.store.process.items(Query(communities=(1,)), self.now)}
        confirmed = {d for d, _ in self.decided}
        decisions = {self.item(d): self.holder(d) for d in (1, 2, 3) if d not in confirmed and not self.waiting(d)}
        appeals = {Item(Kind.APPEAL, n): "" for n, _, _, was in self.appeals if was is Heard.OPEN}
        assert found == decisions | appeals


def test_due_process_is_what_a_slow_model_says() -> None:
    """Nobody has what another has, a verdict is carried out once or taken back, and no appeal is heard by a decider."""
    run_state_machine_as_test(DueProcess, settings=settings(max_examples=40, stateful_step_count=40, deadline=None))
