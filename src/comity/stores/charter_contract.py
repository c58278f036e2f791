"""What every store promises about charters: versions in force, drafts, proposals, and clauses sent to shadow."""

from enum import StrEnum
from typing import NamedTuple, Protocol

from comity.core.charter_changes import Change


class Way(StrEnum):
    """How a version came in force: the file was another at a start, or somebody published it."""

    FILE = "file"
    PUBLISHED = "published"


class VersionRow(NamedTuple):
    """A version of a community's charter.

    number: from 1 on, within the community; at: milliseconds since 1970; by: a pseudonym, "file" for the file; digest:
    of the charter it makes; text: the file's; changes: from the version before, all of it for the first.
    """

    community: int
    number: int
    at: int
    by: str
    way: Way
    reason: str
    digest: str
    text: str
    changes: tuple[Change, ...]


class DraftRow(NamedTuple):
    """What somebody is writing. base: the version it began at; at: when it was last saved."""

    text: str
    base: int
    at: int


class Came(StrEnum):
    """What came of a proposal."""

    OPEN = "open"
    PUBLISHED = "published"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class ProposalRow(NamedTuple):
    """A charter that somebody proposes. base: the version it began at; closed_by, answer: once it is not open."""

    number: int
    community: int
    at: int
    by: str
    note: str
    base: int
    text: str
    came: Came
    closed_at: int | None
    closed_by: str
    answer: str


class ClauseActRow(NamedTuple):
    """Somebody, or the machine, let a clause only find (shadow), or find and count again."""

    number: int
    at: int
    community: int
    clause_id: str
    shadow: bool
    by: str
    reason: str


class ChartersReads(Protocol):
    """What can be read. Times: milliseconds since 1970. Raises StoreError where the store cannot be read."""

    def current(self, community: int, way: Way | None = None) -> VersionRow | None:
        """The last version, or the last that came one way; None before the first."""

    def version(self, community: int, number: int) -> VersionRow | None:
        """One version."""

    def versions(self, community: int, *, before: int | None = None, most: int = 50) -> list[VersionRow]:
        """Versions, the last first, those before a number."""

    def draft(self, community: int, by: str) -> DraftRow | None:
        """What somebody is writing."""

    def proposal(self, community: int, number: int) -> ProposalRow | None:
        """One proposal."""

    def proposals(self, community: int, *, before: int | None = None, most: int = 50) -> list[ProposalRow]:
        """Proposals, the last first, those before a number."""

    def clause_acts(
        self, community: int, *, clause_id: str = "", before: int | None = None, most: int = 50
    ) -> list[ClauseActRow]:
        """Which clauses were sent to shadow and put back, the last first."""


class Charters(ChartersReads, Protocol):
    """What changes them; joins the store's ``write()``. Versions and acts are final."""

    def add_version(self, row: VersionRow) -> VersionRow:
        """Keep a version after the last one, numbered here."""

    def save_draft(self, community: int, by: str, text: str, base: int, at: int) -> None:
        """Keep what somebody is writing in place of what was kept."""

    def drop_draft(self, community: int, by: str) -> bool:
        """Forget a draft; False if there was none."""

    def add_proposal(self, community: int, by: str, note: str, *, base: int, text: str, at: int) -> int:
        """Keep a proposal; its number."""

    def close_proposal(self, community: int, number: int, came: Came, *, by: str, answer: str, at: int) -> bool:
        """Note what came of a proposal; False if it is not open."""

    def add_clause_act(self, community: int, clause_id: str, by: str, reason: str, at: int, *, shadow: bool) -> None:
        """Note that a clause was sent to shadow, or put back."""
