"""Where evidence beside the ledger's excerpts comes from: a record of messages, where one is kept."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from comity.core.case_file import Said
from comity.core.looking import Look


class Sought(NamedTuple):
    """A message. event: its id; since, until: milliseconds since 1970 between which it was said."""

    event: str
    since: int
    until: int


class Evidence(Protocol):
    """What was said, as far as anybody kept it. Asking takes a bounded time, and never stops the loop."""

    async def around(
        self, community: int, sought: Sequence[Sought], *, before: int = 5, after: int = 5
    ) -> Sequence[Sequence[Said]]:
        """Of each message, it and those next to it in its room, in order; empty where nothing is kept."""

    async def author(self, community: int, sought: Sought) -> int:
        """The number of the member whose message it is, 0 where nobody kept that."""

    def looked(self, look: Look, shown: int) -> None:
        """Somebody looked: noted in the transaction in which the look was kept. shown: messages."""


class NoRecord:
    """Nothing is kept beside the excerpts of findings."""

    async def around(
        self, community: int, sought: Sequence[Sought], *, before: int = 5, after: int = 5
    ) -> Sequence[Sequence[Said]]:
        """See ``Evidence``."""
        del community, before, after
        return [()] * len(sought)

    async def author(self, community: int, sought: Sought) -> int:
        """See ``Evidence``."""
        del community, sought
        return 0

    def looked(self, look: Look, shown: int) -> None:
        """See ``Evidence``."""
