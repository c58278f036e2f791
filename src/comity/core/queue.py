"""The queue: everything that waits for a person, one item each, and what is looked at first. Pure."""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

import msgspec

from comity.core.access import May, Role, may
from comity.core.charter import Measure
from comity.core.harm import Severity
from comity.core.verdicts import Change, Confirm, Escalate, Impose, Judge, Note, Refuse, Reverse, Uphold, Verdict

LOCKED_FOR: Final = 600_000  # milliseconds that an item is somebody's alone, renewed while it is open
NOT_FROM_REPORTS: Final = 5  # what everything weighs that no report began
# Harms that do not wait, by the group that begins their name; the others are all alike.
URGENT: Final = {
    "child_safety": 3,
    "violence.threats": 3,
    "danger.self_harm": 3,
    "harassment.doxxing": 2,
    "adult.ncii": 2,
    "violence": 2,
    "spam.fraud": 1,
    "harassment": 1,
    "tos.hacking": 1,
}


class Kind(StrEnum):
    """What waits. finding: of a clause in review, from which nothing follows by itself; sample: a blind second look."""

    PROPOSAL = "proposal"
    PROVISIONAL = "provisional"
    REPORT = "report"
    APPEAL = "appeal"
    FINDING = "finding"
    SAMPLE = "sample"


class Item(msgspec.Struct, frozen=True, order=True):
    """Something that waits. number: of the decision, report, appeal, finding's entry or sample, by kind."""

    kind: Kind
    number: int

    @property
    def key(self) -> str:
        """As it stands in addresses: ``report-12``."""
        return f"{self.kind}-{self.number}"

    @classmethod
    def of(cls, key: str) -> "Item":
        """The item with a key. Raises ValueError if it is none."""
        kind, _, number = key.rpartition("-")
        if not (number.isascii() and number.isdecimal()):
            raise ValueError(f"an item is named as report-12 is, got {key!r}")
        return cls(Kind(kind), int(number))


# What can be said about what.
VERDICTS: Final[dict[Kind, tuple[type[Verdict], ...]]] = {
    Kind.PROPOSAL: (Confirm, Refuse, Escalate, Note),
    Kind.PROVISIONAL: (Confirm, Change, Reverse, Escalate, Note),
    Kind.REPORT: (Impose, Refuse, Escalate, Note),
    Kind.APPEAL: (Uphold, Reverse, Escalate, Note),
    Kind.FINDING: (Impose, Refuse, Escalate, Note),
    Kind.SAMPLE: (Judge, Note),
}


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the queue.

    community, member: numbers, member 0 where unknown; pseudonym: the member's; at: since when it waits, due: when time
    decides it, None if never, both milliseconds since 1970; rank: what is greater is looked at first; harm: "" where
    nobody named one; measure: that is proposed, in force or appealed; voices: of reports, how many independent ones;
    escalated: waits for somebody from outside the community; locked_by: who has it open now, "" if nobody; skipped_by:
    who passed it over.
    """

    item: Item
    community: int
    at: int
    rank: int
    member: int = 0
    pseudonym: str = ""
    due: int | None = None
    harm: str = ""
    severity: Severity | None = None
    clause_id: str = ""
    measure: Measure | None = None
    voices: int = 0
    escalated: bool = False
    locked_by: str = ""
    locked_until: int = 0
    skipped_by: tuple[str, ...] = ()


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the queue.

    communities: numbers, never empty; kinds: all if empty; harm: a harm or the group that begins its name; text: a
    clause's id, the start of a pseudonym, or an item's key; escalated: only those that wait for somebody from outside,
    None for both; not_skipped_by: without what this person passed over; locked_by: only what this person has open;
    oldest: in the order of age alone, whatever the rank.
    """

    communities: tuple[int, ...]
    kinds: tuple[Kind, ...] = ()
    harm: str = ""
    text: str = ""
    escalated: bool | None = None
    not_skipped_by: str = ""
    locked_by: str = ""
    oldest: bool = False


class After(msgspec.Struct, frozen=True):
    """The last line of a page: the next one begins after it."""

    rank: int
    at: int
    item: Item

    @property
    def key(self) -> str:
        """As it stands in an address."""
        return f"{self.rank}.{self.at}.{self.item.key}"

    @classmethod
    def of(cls, key: str) -> "After":
        """The place with a key. Raises ValueError if it is none."""
        rank, at, item = key.split(".", 2)
        return cls(int(rank), int(at), Item.of(item))


def may_decide(roles: Collection[Role], kind: Kind, *, escalated: bool = False) -> bool:
    """Whether somebody with these roles may see an item of this kind and decide it, as far as roles go.

    Whoever is neutral hears appeals, looks at samples, and decides what was handed on to somebody from outside.
    """
    if escalated and Role.NEUTRAL in roles:
        return True
    return may(roles, {Kind.APPEAL: May.HEAR, Kind.SAMPLE: May.SECOND}.get(kind, May.DECIDE))


def urgency(harm: str) -> int:
    """How urgent a harm is, 0 to 3: of the longest name in ``URGENT`` that begins it."""
    names = [name for name in URGENT if harm == name or harm.startswith(f"{name}.")]
    return URGENT[max(names, key=len)] if names else 0


def rank(harm: str, severity: Severity | None, trust: int = NOT_FROM_REPORTS) -> int:
    """What is looked at first: by the harm's urgency, then the clause's severity, then trust in who reports.

    trust: 0 to 9. Returns 0 to 369; what ranks alike is looked at in the order of its age.
    """
    if not 0 <= trust <= 9:  # noqa: PLR2004 - one decimal place of the rank
        raise ValueError(f"trust must be 0 to 9, got {trust}")
    return 100 * urgency(harm) + 10 * int(severity or Severity.SERIOUS) + trust
