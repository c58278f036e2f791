"""Where evidence comes from: today the ledger's excerpts, later a record of messages, by the same small interface."""

from collections.abc import Sequence
from typing import Protocol

from comity.core.case_file import Said


class Evidence(Protocol):
    """What was said around a message, as far as anybody kept it."""

    def around(self, community: int, room: int, event: str, *, before: int = 5, after: int = 5) -> Sequence[Said]:
        """A message and those next to it in its room, in order; empty where nothing is kept."""

    def sender(self, community: int, room: int, event: str) -> int:
        """The number of the member whose message it is, 0 where nobody kept that."""


class NoRecord:
    """Nothing is kept beside the excerpts of findings."""

    def around(self, community: int, room: int, event: str, *, before: int = 5, after: int = 5) -> Sequence[Said]:
        """See ``Evidence``."""
        del community, room, event, before, after
        return ()

    def sender(self, community: int, room: int, event: str) -> int:
        """See ``Evidence``."""
        del community, room, event
        return 0
