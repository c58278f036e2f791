"""Looking: whoever looks at a member outside a case says why, and it is written down for the member to read.

Within a case nobody has to say why, and it is written down too: the reason then ends with the key of the case, and the
member reads it once the case is over.
"""

import re
from typing import Final

import msgspec

_CASE: Final = re.compile(r"\b(?:proposal|provisional|report|appeal|finding|sample)-[1-9][0-9]{0,15}\Z")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look. Raises ValueError where it has no reason.

    at: milliseconds since 1970; by: a pseudonym; member: number of who was looked at, room: of where, 0 for none; what:
    what was looked at, in a few words; reason: never empty.
    """

    number: int
    at: int
    community: int
    by: str
    what: str
    reason: str
    member: int = 0
    room: int = 0

    def __post_init__(self) -> None:
        if not self.reason.strip() or not self.by.strip():
            raise ValueError("whoever looks says who they are and why, got an empty name or reason")

    @property
    def case(self) -> str:
        """The key of the case that it was part of, "" outside of one."""
        found = _CASE.search(self.reason)
        return found[0] if found else ""
