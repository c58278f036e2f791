"""What every store promises the record: frames of its newest part, links of its chain, and its own small rows."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from comity.core.ledger import Head
from comity.core.retention import Citation


class FrameRow(NamedTuple):
    """Events of one turn, encrypted. number: from 1 on without gaps, never given again; events: how many.

    key: name of the key it is encrypted with; seal: SHA-256 over the seal of the frame before and all of this one.
    """

    number: int
    events: int
    key: str
    body: bytes
    seal: bytes


class RecordTables(Protocol):
    """The tables of the record; they join the store's ``write()``: an event is kept with its turn, or both are not.

    Rows are named within a kind; bodies are the record's own. Raises StoreError as every store does.
    """

    def write(self) -> AbstractContextManager[None]:
        """The store's transaction."""

    def rows(self, kind: str) -> dict[str, bytes]:
        """All rows of a kind, by name, in the order of the names."""

    def row(self, kind: str, name: str) -> bytes | None:
        """One of them."""

    def keep(self, kind: str, name: str, body: bytes) -> None:
        """Keep a row, instead of what was kept there."""

    def drop(self, kind: str, names: Iterable[str]) -> None:
        """Drop rows, so that their bytes are in no file of the store once the transaction is over."""

    def add_frame(self, frame: FrameRow) -> None:
        """Keep a frame."""

    def frames(self, *, beyond: int = 0) -> Iterator[FrameRow]:
        """Frames in order of their numbers, those beyond one; within one transaction or none at all."""

    def frames_size(self) -> tuple[int, int, int]:
        """How many frames there are, their events, and their bytes."""

    def drop_frames(self, through: int) -> None:
        """Drop frames up to a number, as ``drop`` does."""

    def add_links(self, bodies: Sequence[bytes]) -> None:
        """Append links to the chain; they can neither be changed nor dropped."""

    def links(self) -> list[bytes]:
        """The whole chain."""

    def pseudonyms(self, community: str, accounts: Collection[str]) -> dict[str, str]:
        """What each account is called in the record; the same as its member's pseudonym, known yet or not."""

    def accounts(self, community: str) -> dict[str, str]:
        """Accounts that are not forgotten, by pseudonym."""

    def citations(self) -> list[Citation]:
        """Events that decisions rest on, and until when: for ever while a proposal or an appeal waits."""

    def head(self) -> Head:
        """The ledger's last entry."""

    def seal_of(self, entry: int) -> bytes | None:
        """The seal of an entry of the ledger."""


class RecordingStore(Protocol):
    """A store that a record can stand on."""

    @property
    def record(self) -> RecordTables:
        """The record's tables."""
