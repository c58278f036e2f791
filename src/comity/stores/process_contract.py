"""What every store promises about due process: reports, queue, intents, appeals, looks, judgements of clauses."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

from comity.core.appeal import Appeal, Heard
from comity.core.decision import Decision
from comity.core.looking import Look
from comity.core.queue import After, Item, Query, Waiting
from comity.core.report import Came, Report
from comity.core.review import Source
from comity.core.templates import Template
from comity.core.verdicts import Verdict
from comity.core.who import Who
from comity.stores.contract import ActivityRow, FindingRow, MemberRow, Refusal
from comity.stores.live_contract import LiveStore


class Stage(StrEnum):
    """How far an intent is. refused: it could not be carried out any more, and its outcome says why."""

    WAITING = "waiting"
    DONE = "done"
    UNDONE = "undone"
    REFUSED = "refused"


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A person's verdict before it is carried out.

    at, due, over_at: milliseconds since 1970; version: of the case it was given on; outcome: a sentence once over.
    """

    number: int
    item: Item
    community: int
    at: int
    due: int
    by: Who
    verdict: Verdict
    version: str
    state: Stage = Stage.WAITING
    over_at: int | None = None
    outcome: str = ""


class ReviewRow(NamedTuple):
    """A finding of a clause in review: what a person is to look at. severity: its code; rank: see ``queue.rank``."""

    entry: int
    community: int
    member: int
    at: int
    clause_id: str
    harm: str
    severity: int
    rank: int
    came: Came = Came.OPEN
    closed_at: int | None = None
    by: str = ""
    reason: str = ""
    decision: int = 0


class SampleRow(NamedTuple):
    """A decision that somebody looks at again. correct: the second verdict, None while there is none."""

    number: int
    at: int
    community: int
    decision: int
    judged_at: int | None
    by: str
    correct: bool | None
    reason: str


class NoteRow(NamedTuple):
    """A note on an item."""

    number: int
    item: Item
    at: int
    by: str
    text: str


class Judged(NamedTuple):
    """Judgements of a clause since it last began to count. dropped_at: since when it only finds, None if not."""

    clause_id: str
    correct: int
    wrong: int
    dropped_at: int | None


class HandledRow(NamedTuple):
    """A verdict that was carried out. waited: milliseconds from the item's beginning."""

    at: int
    by: str
    item: Item
    verdict: str
    waited: int


class Overview(NamedTuple):
    """Figures of a span of time, and what waits now.

    waiting: how many items, by kind; inbound: what came in, handled: what persons did, by kind; reversed: decisions
    that should not have been, decided: all that were made; by_person: verdicts by name; by_day: (day since 1970 in UTC,
    inbound, handled); report_median, appeal_median: milliseconds to the outcome, None without any.
    """

    waiting: dict[str, int]
    inbound: dict[str, int]
    handled: dict[str, int]
    decided: int
    reversed: int
    by_person: dict[str, int]
    by_day: tuple[tuple[int, int, int], ...]
    report_median: int | None
    appeal_median: int | None


class Medians(NamedTuple):
    """Milliseconds from the beginning to the outcome, None where nothing was closed."""

    report: int | None
    appeal: int | None


class ProcessReads(Protocol):
    """What can be read, also from a store opened for reading only in another thread. Times: milliseconds since 1970.

    Lists are paged by the last key that was seen; ``most`` is how many come at most. Raises StoreError where the store
    cannot be read.
    """

    def items(self, query: Query, now: int, *, after: After | None = None, most: int = 50) -> list[Waiting]:
        """What waits, the greatest rank first, then the oldest; without what has a verdict that is not carried out yet.

        Raises ValueError if the query names no community.
        """

    def item(self, item: Item, now: int) -> Waiting | None:
        """One item that waits, also with a verdict that is not carried out yet; None if it does not wait any more."""

    def version(self, item: Item) -> str:
        """What an item's state is called: another once anybody decided about it, or its member stands otherwise."""

    def stamp(self) -> str:
        """What the queues of all communities are called together: another once something waits, or waits no more."""

    def report(self, number: int) -> Report | None:
        """One report."""

    def reports(
        self,
        *,
        community: int | None = None,
        reporter: int | None = None,
        member: int | None = None,
        about: tuple[int, str] | None = None,
        beyond: int = 0,
        before: int | None = None,
        most: int = 50,
    ) -> list[Report]:
        """Reports in order of their numbers. about: of one message, by room and event; before: see ``appeals``."""

    def reporter_record(self, reporters: Collection[int]) -> dict[int, tuple[int, int]]:
        """How many reports of each reporter were followed, and refused."""

    def appeal(self, number: int) -> Appeal | None:
        """One appeal, with its evidence."""

    def appeals(
        self,
        *,
        community: int | None = None,
        member: int | None = None,
        decision: int | None = None,
        report: int | None = None,
        beyond: int = 0,
        before: int | None = None,
        most: int = 50,
    ) -> list[Appeal]:
        """Appeals in order of their numbers; if ``before`` is given the last first, those before that number."""

    def deciders(self, appeal: int) -> set[str]:
        """The names of all who decided anything in the case of an appeal, also "machine"."""

    def intent(self, number: int) -> Intent | None:
        """One intent."""

    def intents(self, by: str, *, most: int = 20) -> list[Intent]:
        """What somebody gave verdicts on, the last first."""

    def review(self, entry: int) -> ReviewRow | None:
        """A finding in review."""

    def sample(self, number: int) -> SampleRow | None:
        """A blind sample."""

    def notes(self, *, item: Item | None = None, member: int | None = None) -> list[NoteRow]:
        """Notes on an item, or on everything about a member, in order."""

    def skips(self, item: Item) -> list[tuple[str, int, str]]:
        """Who passed an item over, when and why."""

    def looks(
        self,
        *,
        community: int | None = None,
        member: int | None = None,
        beyond: int = 0,
        before: int | None = None,
        most: int = 50,
    ) -> list[Look]:
        """Who looked at what, in order; before: see ``appeals``."""

    def judged(self, community: int, clause_id: str = "") -> list[Judged]:
        """Judgements of clauses, by their ids."""

    def handled(self, community: int, since: int, until: int) -> list[HandledRow]:
        """What persons did in a span of time, in order."""

    def overview(self, communities: Sequence[int], since: int, until: int) -> Overview:
        """The figures of a span of time."""

    def templates(self, community: int, *, language: str = "") -> list[Template]:
        """Templates by name and language."""

    def known_as(self, community: int, name: str) -> int:
        """The member who decides under a name, 0 if it is not known."""

    def members(
        self, communities: Sequence[int], *, text: str = "", beyond: int = 0, most: int = 50
    ) -> list[MemberRow]:
        """Members in order of their numbers. text: a part of account or name, or the start of a pseudonym."""

    def decisions_of(self, member: int, *, before: int | None = None, most: int = 50) -> list[Decision]:
        """Decisions about a member, the last first, those before a number."""

    def findings_of(self, member: int, *, before: int | None = None, most: int = 50) -> list[FindingRow]:
        """Findings of a member, the last first, those before an entry's number."""

    def activity_of(self, member: int) -> list[ActivityRow]:
        """A member's own messages that nobody took back, in order."""

    def medians(self, community: int, since: int, until: int) -> Medians:
        """How long reports and appeals took that were closed in a span of time."""


class Process(ProcessReads, Protocol):
    """What changes due process; joins the store's ``write()``. A Refusal says why something is not done."""

    def add_report(self, report: Report) -> Report | Refusal:
        """Keep a report, numbered here; refused where the same reporter's about the same is still open."""

    def rank_reports(self, numbers: Collection[int], rank: int, voices: int) -> None:
        """Give open reports another rank."""

    def close_reports(
        self, numbers: Collection[int], came: Came, by: str, reason: str, at: int, *, decision: int = 0
    ) -> list[Report]:
        """Note what came of reports; those that were open, as they are now."""

    def add_review(self, rows: Sequence[ReviewRow]) -> None:
        """Have findings looked at."""

    def close_review(
        self, entries: Collection[int], came: Came, by: str, reason: str, at: int, *, decision: int = 0
    ) -> int:
        """Note what came of findings in review; how many were open."""

    def add_appeal(self, appeal: Appeal, rank: int) -> Appeal | Refusal:
        """Keep an appeal, numbered here; refused where one is open, or was heard."""

    def add_evidence(self, appeal: int, at: int, text: str) -> Appeal | Refusal:
        """Add to an appeal while it is open."""

    def close_appeal(self, number: int, heard: Heard, by: str, reason: str, at: int) -> Appeal | Refusal:
        """Note what came of an appeal.

        Upheld and reversed are refused where ``by`` decided anything in the case, or is in it, under whatever name; the
        store's own constraint holds the same.
        """

    def appeals_due(self, now: int, *, most: int = 100) -> list[Appeal]:
        """Open appeals whose time is over, the earliest first."""

    def lock(self, item: Item, by: str, now: int) -> Refusal | None:
        """Have an item for oneself for ``queue.LOCKED_FOR``, again if one has it already; refused if another has."""

    def release(self, item: Item, by: str) -> bool:
        """Give an item back; False if one did not have it."""

    def skip(self, item: Item, by: str, reason: str, at: int) -> None:
        """Pass an item over, and give it back. Raises ValueError without a reason."""

    def escalate(self, item: Item, by: str, reason: str, at: int) -> None:
        """Have somebody from outside the community look."""

    def add_note(self, item: Item, by: str, text: str, at: int, *, community: int, member: int) -> int:
        """Keep a note; its number."""

    def add_intent(self, intent: Intent) -> Intent | Refusal:
        """Keep a verdict until it is due, numbered here.

        Refused where another waits for the same item, or somebody else has the item open.
        """

    def undo_intent(self, number: int, by: str, now: int) -> Refusal | None:
        """Take back one's own verdict before it is due."""

    def intents_due(self, now: int, *, most: int = 100) -> list[Intent]:
        """Verdicts that are to be carried out, in the order they were given."""

    def finish_intent(self, number: int, state: Stage, outcome: str, at: int) -> bool:
        """Note what came of a verdict; False if it was over already."""

    def add_handled(self, community: int, item: Item, by: str, verdict: str, at: int, *, waited: int) -> None:
        """Note a verdict that was carried out."""

    def judge(self, decision: Decision, *, correct: bool, source: Source, by: str, at: int) -> bool:
        """Note whether a decision was right; False where somebody said so whose word counts more."""

    def drop(self, community: int, clause_id: str, at: int, correct: int, wrong: int) -> None:
        """Note that a clause only finds from now on, because it is wrong too often."""

    def put_back(self, community: int, clause_id: str, by: str, reason: str, at: int) -> bool:
        """Note that a person lets a clause count again: what was judged before counts no more. False if not dropped."""

    def draw_samples(self, community: int, since: int, seed: bytes, sampled: int, at: int) -> list[int]:
        """Draw from decisions made since then that were not drawn yet; the numbers of the new samples."""

    def judge_sample(self, number: int, by: str, reason: str, at: int, *, correct: bool) -> SampleRow | Refusal:
        """Keep the second verdict; refused where ``by`` decided about the same decision, or it was judged."""

    def add_look(self, look: Look) -> Look:
        """Note that somebody looks, numbered here."""

    def save_template(self, community: int, template: Template, by: str, at: int) -> None:
        """Keep a template in place of the one of that name and language. Raises ValueError with its mistakes."""

    def know_as(self, community: int, name: str, member: int) -> None:
        """Note under which name a member decides."""


class ProcessStore(LiveStore, Protocol):
    """A live store with due process."""

    @property
    def process(self) -> Process:
        """Its due process; joins its ``write()``."""
