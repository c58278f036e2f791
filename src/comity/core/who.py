"""Who acts: somebody with an office, or a member, always by a pseudonym."""

import msgspec

from comity.core.decision import MACHINE


class Who(msgspec.Struct, frozen=True):
    """A person who acts in a community.

    name: the pseudonym that stands in tables: one a moderator chose, or a member's; member: the number of the member in
    this community who is the same person, 0 where that is not known; neutral: from the operator, of no community.
    Whoever is linked to a member is that member everywhere: nobody hears their own appeal under a second name.
    """

    name: str
    member: int = 0
    neutral: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip() or self.name == MACHINE:
            raise ValueError(f"a person acts under a pseudonym, got {self.name!r}")
