"""What a person can say about something that waits, as values; each says why, and most can still be taken back."""

from typing import Final

import msgspec

from comity.core.charter import Measure

UNDO: Final = 10_000  # milliseconds in which a verdict can be taken back before anything follows from it


class _Reasoned(msgspec.Struct, frozen=True, tag_field="verdict"):
    """reason: why, never empty; it stands in the statement or the outcome."""

    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("a verdict says why, got an empty reason")


class Confirm(_Reasoned, frozen=True, tag="confirm"):
    """Let a decision stand, or follow a proposal."""


class Change(_Reasoned, frozen=True, tag="change"):
    """Let a decision stand with another end or measure. until: its end, milliseconds since 1970, None for none.

    measure: instead of the one it has, None for the same.
    """

    until: int | None = None
    measure: Measure | None = None


class Reverse(_Reasoned, frozen=True, tag="reverse"):
    """It should not have been: of a decision, of what an appeal is about, or of a finding.

    findings: False where what was found is right, and only what followed was not.
    """

    findings: bool = True


class Refuse(_Reasoned, frozen=True, tag="refuse"):
    """Do not follow a proposal or a report, or let nothing come of a finding."""


class Impose(_Reasoned, frozen=True, tag="impose", kw_only=True):
    """Something follows from a report or a finding in review.

    clause: its id; until: the measure's end, milliseconds since 1970, None for none, or where it has none; excerpt: of
    what was said, and member: the number of whose it is, where Comity does not know itself.
    """

    clause: str
    measure: Measure
    until: int | None = None
    excerpt: str = ""
    member: int = 0


class Uphold(_Reasoned, frozen=True, tag="uphold"):
    """Somebody else looked again, and the decision is right."""


class Escalate(_Reasoned, frozen=True, tag="escalate"):
    """Somebody from outside the community is to look."""


class Note(_Reasoned, frozen=True, tag="note"):
    """A note for whoever looks next; nothing follows."""


class Judge(_Reasoned, frozen=True, tag="judge"):
    """A blind second look at a finding. right: whether the clause was breached."""

    right: bool


Verdict = Confirm | Change | Reverse | Refuse | Impose | Uphold | Escalate | Note | Judge


def name_of(verdict: Verdict | type[Verdict]) -> str:
    """A verdict's name in tables and texts, and that of a kind of verdict."""
    kind = verdict if isinstance(verdict, type) else type(verdict)
    return str(kind.__struct_config__.tag)


def endless(measure: Measure) -> bool:
    """Whether a measure is over with the deed: it is not asked how long it lasts."""
    return measure in {Measure.WARN, Measure.HIDE, Measure.REMOVE}
