"""Looking: whoever looks at a member outside a case says why, and it is written down for the member to read."""

import msgspec


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
