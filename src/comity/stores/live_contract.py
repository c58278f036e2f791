"""What a store promises a live process besides decisions: the turns since the last dump of window states, and notes."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from comity.stores.access_contract import Access
from comity.stores.api_contract import Api
from comity.stores.charter_contract import Charters
from comity.stores.decisions_contract import DecidingStore


class TurnRow(NamedTuple):
    """One turn since the last dump. posted: whether all activity up to it is in the ledger; events: opaque bytes."""

    posted: bool
    events: bytes


class Journal(Protocol):
    """What lets a live process go on exactly where it was; joins the store's ``write()``.

    Events of the last turns are kept only until the window states they moved are kept, and are overwritten then.
    """

    def add(self, turn: TurnRow) -> None:
        """Keep a turn, after those before it."""

    def turns(self) -> Sequence[TurnRow]:
        """All turns kept, in order."""

    def clear(self) -> None:
        """Drop them all: the window states that are kept say the same."""

    def note(self, name: str, value: bytes) -> None:
        """Keep a value under a name, instead of what was kept there; empty: none."""

    def noted(self, name: str) -> bytes:
        """What is kept under a name, empty if nothing is."""


class LiveStore(DecidingStore, Protocol):
    """Everything a live process needs of a store."""

    @property
    def event_key(self) -> bytes:
        """16 bytes, this store's own, to hash identifiers with."""

    @property
    def journal(self) -> Journal:
        """Its last turns and notes; they join its ``write()``."""

    @property
    def access(self) -> Access:
        """Its people and their ways in; they join its ``write()``."""

    @property
    def api(self) -> Api:
        """What the API keeps; joins its ``write()``."""

    @property
    def charters(self) -> Charters:
        """Its communities' charters; they join its ``write()``."""
