"""Reports: what members say about content, how far a reporter was right so far, and who reports together. Pure.

Reports are looked at by persons and move nobody's standing; how far a reporter is trusted decides only what is looked
at first. Source of the form: Jøsang & Ismail 2002, "The Beta Reputation System".
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

_PRIOR: Final = 2  # followed and refused reports that everybody begins with
TOGETHER: Final = 3  # things that two must have reported both before they count as one voice
ALIKE: Final = 0.8  # share of the things that the one who reported less reported, which the other did too


class Came(StrEnum):
    """What came of a report. gone: what it was about is no more, or its time was over."""

    OPEN = "open"
    FOLLOWED = "followed"
    REFUSED = "refused"
    GONE = "gone"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report.

    reporter, member: numbers of who reports and of whom, member 0 where unknown; room: number, 0 if none; event: the
    platform's id of the message, "" for a member as such; harm: as the reporter named it, "" if not; way: where it came
    in; rank, voices: see ``queue``; at, closed_at: milliseconds since 1970; by, reason: of the outcome; decision: that
    followed, or 0.
    """

    number: int
    at: int
    community: int
    reporter: int
    member: int = 0
    room: int = 0
    event: str = ""
    harm: str = ""
    text: str = ""
    way: str = "platform"
    rank: int = 0
    voices: int = 1
    came: Came = Came.OPEN
    closed_at: int | None = None
    by: str = ""
    reason: str = ""
    decision: int = 0

    @property
    def about(self) -> tuple[int, str]:
        """What it is about: reports of one message, or of one member as such, are about the same."""
        return (self.room, self.event) if self.event else (-self.member, "")


def reliability(followed: int, refused: int) -> float:
    """The chance that a reporter's next report is right, 0 to 1: the mean of Beta(2 + followed, 2 + refused).

    Raises ValueError if a count is negative.
    """
    if followed < 0 or refused < 0:
        raise ValueError(f"counts must be >= 0, got {followed} and {refused}")
    return (_PRIOR + followed) / (2 * _PRIOR + followed + refused)


class Voice(msgspec.Struct, frozen=True):
    """Reporters who are one voice about something, and how far they are to be trusted.

    reporters: pseudonyms; followed, refused: earlier reports of the one of them who was right most; mean, low, high:
    the chance that the next is right, 0 to 1, with its 90 % interval.
    """

    reporters: tuple[str, ...]
    followed: int
    refused: int
    mean: float
    low: float
    high: float


def voice(reporters: Sequence[str], followed: int, refused: int) -> Voice:
    """A voice with its interval, of Beta(2 + followed, 2 + refused). Raises ValueError if a count is negative."""
    from scipy.special import betaincinv  # noqa: PLC0415 - its import takes longer than most commands, and few need it

    mean = reliability(followed, refused)
    low, high = (float(betaincinv(_PRIOR + followed, _PRIOR + refused, share)) for share in (0.05, 0.95))
    return Voice(tuple(reporters), followed, refused, mean, low, high)


def trust(reliabilities: Iterable[float]) -> int:
    """How far reports of one thing are to be trusted together, 0 to 9: that not all of its voices are wrong."""
    wrong = 1.0
    for reliable in reliabilities:
        wrong *= 1.0 - reliable
    return min(9, int(10 * (1.0 - wrong)))


def voices(reported: Mapping[int, Collection[object]]) -> list[frozenset[int]]:
    """Reporters by independent voice: who reports the same things again and again is one voice with the other.

    reported: the things that each reporter reported lately, the one in question left out. In order of the first.
    """
    parent = {reporter: reporter for reporter in reported}

    def root(reporter: int) -> int:
        while parent[reporter] != reporter:
            reporter = parent[reporter]
        return reporter

    reporters = sorted(reported)
    things = {reporter: set(reported[reporter]) for reporter in reporters}
    for place, one in enumerate(reporters):
        for other in reporters[place + 1 :]:
            both = len(things[one] & things[other])
            least = min(len(things[one]), len(things[other]))
            if both >= TOGETHER and both >= ALIKE * least:
                parent[root(other)] = root(one)
    found: defaultdict[int, set[int]] = defaultdict(set)
    for reporter in reporters:
        found[root(reporter)].add(reporter)
    return [frozenset(some) for some in found.values()]
