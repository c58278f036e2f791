"""What decisions ask of the platform, and what the store remembers of it: values, and the sheet they are put on."""

from collections.abc import Iterable, Mapping

import msgspec

from comity.core.action import Action, Say
from comity.core.charter import Measure
from comity.core.decision import Enforced
from comity.core.handover import Office, Stays, Touched

LEVELS = frozenset({Measure.MUTE, Measure.SUSPEND, Measure.REVOKE})


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A room of the community. office: who is in it; cannot: why the platform cannot carry a measure out there."""

    office: Office
    cannot: Mapping[Measure, str] = {}


class Carried(msgspec.Struct, frozen=True):
    """What begins or ends decisions.

    actions: in order; enforced: by decision, rows to note now, where nothing is asked of the platform, or it has no way
    (elsewhere the outcome of the action says); touched: whose say changes; back: (room, member) whose say is given
    back; asks: by room, what a person must see to.
    """

    actions: tuple[Action, ...] = ()
    enforced: Mapping[int, tuple[Enforced, ...]] = {}
    touched: tuple[Touched, ...] = ()
    back: tuple[tuple[int, int], ...] = ()
    asks: tuple[tuple[int, Stays], ...] = ()


class Sheet:
    """Carried, while it is being put together."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self.enforced: dict[int, list[Enforced]] = {}
        self.touched: list[Touched] = []
        self.back: list[tuple[int, int]] = []
        self.asks: list[tuple[int, Stays]] = []
        self.fallen: dict[tuple[int, int], str] = {}  # by room and member: the last action of the fall, "" who stays

    def note(self, decision: int, room: int, why: str = "") -> None:
        """Say that nothing is asked of the platform there, or why it has no way."""
        self.enforced.setdefault(decision, []).append(Enforced(room, not why, why))

    def carried(self) -> Carried:
        """What is on it."""
        enforced = {number: tuple(rows) for number, rows in self.enforced.items()}
        return Carried(
            tuple(self.actions), enforced, tuple(self.touched), tuple(self.back), tuple(self.asks)
        )  # fmt: skip


def say_left(measures: Iterable[Measure]) -> Say | None:
    """The say that measures leave, None where they leave it as it is."""
    found = set(measures)
    if Measure.MUTE in found:
        return Say.MUTED
    return Say.MEMBER if found & LEVELS else None
