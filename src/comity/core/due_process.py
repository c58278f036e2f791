"""The terms of due process that a charter sets: how long an appeal may wait, and when a rule is sure to be bad."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

_DAY: Final = 86_400_000
BOUNDS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "appeal_days": (1, 60),
        "fast_appeal_days": (1, 14),
        "precision_floor": (0, 990),
        "least_judged": (5, 1000),
        "sampled": (0, 1000),
    }
)


class DueProcess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Terms of one community; ValueError where one is out of ``BOUNDS``.

    appeal_days: until an appeal that nobody heard lapses in the member's favour, fast_appeal_days: the same for whoever
    lost management; precision_floor: thousandths that a clause's precision must be able to reach, 0 for no floor;
    least_judged: how many findings of a clause must have been judged before it can drop; sampled: thousandths of what
    was decided that somebody else looks at again, without knowing what was decided.
    """

    appeal_days: int = 14
    fast_appeal_days: int = 3
    precision_floor: int = 800
    least_judged: int = 10
    sampled: int = 20

    def __post_init__(self) -> None:
        for name, (least, most) in BOUNDS.items():
            if not least <= (value := getattr(self, name)) <= most:
                raise ValueError(f"due_process.{name} must be {least} to {most}, got {value}")
        if self.fast_appeal_days > self.appeal_days:
            raise ValueError("due_process.fast_appeal_days must not be more than appeal_days")

    def due(self, at: int, *, fast: bool) -> int:
        """When an appeal made at a time lapses; both milliseconds since 1970."""
        return at + _DAY * (self.fast_appeal_days if fast else self.appeal_days)


DEFAULT: Final = DueProcess()
