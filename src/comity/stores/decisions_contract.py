"""What every store promises about decisions, statements, and the outbox of actions."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from comity.core.action import Action, Outcome
from comity.core.carried import Carried
from comity.core.decision import Course, Decision
from comity.core.handover import Touched
from comity.core.ledger import Head
from comity.core.statement import Statement
from comity.stores.contract import Refusal, Store


class Waits(StrEnum):
    """How far an action is. cannot: there is no way to; given up: tried often enough, and a person may try again."""

    WAITING = "waiting"
    DONE = "done"
    CANNOT = "cannot"
    GIVEN_UP = "given up"


class Queued(NamedTuple):
    """An action in the outbox. tries: so far; next_at, since: milliseconds since 1970; outcome: of the last try."""

    action: Action
    state: Waits
    tries: int
    since: int
    next_at: int
    outcome: Outcome | None


class StepRow(NamedTuple):
    """One step of a decision's course, the first being how it was made. by: "machine" or a person's pseudonym."""

    at: int
    by: str
    course: Course
    reason: str


class Decisions(Protocol):
    """Decisions of a store; joins the store's ``write()``, and is kept with the ledger or not at all.

    Times are milliseconds since 1970. ``after`` is the head that was decided on: LedgerMovedError is raised where the
    ledger is at another, and nothing is kept. StoreError wherever the store cannot be read or written.
    """

    def last(self) -> int:
        """The number of the last decision, 0 if there is none."""

    def add(
        self, decisions: Sequence[Decision], statements: Sequence[Statement], carried: Carried, *, at: int, after: Head
    ) -> None:
        """Keep decisions with their statements, and queue the actions that begin them.

        Raises ValueError, and keeps nothing, if numbers do not go on from ``last()``, a decision was made on another
        head, one that imposes something has no statement, or an action's id is there already with another meaning.
        """

    def decision(self, number: int) -> Decision | None:
        """One decision, with what became of it in each room."""

    def decisions(
        self,
        *,
        community: int | None = None,
        member: int | None = None,
        courses: Collection[Course] = (),
        since: int | None = None,
        beyond: int = 0,
        most: int = 100,
    ) -> list[Decision]:
        """Decisions in order of their numbers, those greater than ``beyond`` and at most ``most``: page by the last.

        courses: empty for all; since: made then or later.
        """

    def about(self, members: Collection[int], *, since: int) -> dict[int, list[Decision]]:
        """For each member, decisions that wait or hold, and all made since: what ``case.Person`` needs."""

    def in_force(self, now: int, *, community: int | None = None, member: int | None = None) -> list[Decision]:
        """Decisions whose measure holds now; never of a dry run."""

    def ending(self, now: int, *, most: int = 100) -> list[Decision]:
        """Decisions whose end has come and was not noted yet, also proposals nobody decided, the earliest end first."""

    def resting_on(self, entries: Collection[int]) -> list[Decision]:
        """Decisions that rest on any of these entries of the ledger, in order."""

    def course(self, number: int) -> list[StepRow]:
        """How a decision was made and what was decided about it since, and by whom."""

    def end(self, number: int, at: int, carried: Carried) -> Decision | Refusal:
        """Note that a decision's time is over (a proposal: that nobody decided), and queue what gives back."""

    def confirm(
        self,
        number: int,
        by: str,
        at: int,
        reason: str,
        *,
        until: int | None,
        after: Head,
        statement: Statement | None = None,
        carried: Carried | None = None,
    ) -> Decision | Refusal:
        """A person lets a decision stand, or follows a proposal. until: its end from now on, None for none.

        Of a proposal the statement and the actions that begin it are given.
        """

    def change(
        self, number: int, by: str, at: int, reason: str, *, until: int | None, after: Head
    ) -> Decision | Refusal:
        """A person sets another end of a decision in force; so it is confirmed as well."""

    def refuse(self, number: int, by: str, at: int, reason: str, *, after: Head) -> Decision | Refusal:
        """A person does not follow a proposal."""

    def reverse(
        self, number: int, by: str, at: int, reason: str, carried: Carried, *, after: Head, findings: bool = True
    ) -> Head | Refusal:
        """It should not have been: reverse the decision, its findings still in force, and queue what gives back.

        findings: False where what was found is right, and only what followed was not. Returns the new head.
        """

    def statement(self, number: int) -> Statement | None:
        """The statement of a decision."""

    def statements(self, *, beyond: int = 0, most: int = 100) -> list[Statement]:
        """Statements in order of their decisions, those beyond a number."""

    def queue(self, actions: Sequence[Action], *, at: int) -> None:
        """Queue actions of no new decision; one that is there already, with the same meaning, stays as it is."""

    def actions_due(self, now: int, limit: int = 100) -> list[Action]:
        """What can be tried now, in the order of queueing.

        Within a room, and to one account, the next comes after the one before it is over, or backs off; hidden messages
        wait for nothing. What must come first is done. So what goes wrong in one room holds up no other.
        """

    def note_outcome(self, action: str, outcome: Outcome, at: int) -> Waits:
        """Note what came of a try: done, over for good (with all that waits for it), or later, and when.

        Returns how far the action is now. Raises KeyError if there is no such action.
        """

    def try_again(self, action: str, at: int) -> bool:
        """Put an action that was given up or cannot be done back into its queue; False if it is neither."""

    def queued(self, state: Waits, *, beyond: str = "", most: int = 100) -> list[Queued]:
        """Actions in a state, in the order of queueing, those after the action ``beyond``."""

    def waiting(self) -> tuple[int, int | None]:
        """How many actions wait, and since when the oldest does."""

    def outcome(self, action: str) -> Outcome | None:
        """What came of an action; its ``before`` is what an action that undoes it needs."""

    def touched(self, room: int) -> list[Touched]:
        """Whose say in a room is not what it was, by member."""

    def deputies(self, room: int) -> list[int]:
        """Members named to take over in a room, in the order they were named."""

    def name_deputy(self, room: int, member: int, by: str, at: int, *, named: bool = True) -> bool:
        """Name a deputy, or take the name back; False if it was so already."""


class DecidingStore(Store, Protocol):
    """A store with decisions: everything that a live community is kept in."""

    @property
    def decisions(self) -> Decisions:
        """Its decisions; they join its ``write()``."""
