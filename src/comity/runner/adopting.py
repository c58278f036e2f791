"""Which charter holds: the file is the beginning, and what was changed last, there or in the console, is in force."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from comity.charter_file import CharterError, parse_charter
from comity.core.charter import Charter
from comity.core.charter_changes import Change, changes
from comity.core.errors import ComityError
from comity.core.event import moment
from comity.core.who import Who
from comity.engine import Engine
from comity.runner.persons import Persons
from comity.runner.realm import Realm
from comity.runner.turn import Turns
from comity.settings import Community, Follow
from comity.stores.charter_contract import VersionRow, Way
from comity.stores.live_contract import LiveStore

FILE: Final = "file"  # who made a version that came with the file


class Adopted(NamedTuple):
    """The charter that holds in a community.

    row: its version, None where it was given without a text; shadows: ids of live clauses that only find for now;
    path: the file that it began with, beside which its lists are looked for.
    """

    charter: Charter
    row: VersionRow | None
    shadows: frozenset[str]
    path: Path


def holding(
    store: LiveStore, community: Community, given: Charter, text: str | None, *, follows: Iterable[Follow], now: int
) -> Charter:
    """The charter that holds from this start on; a file that is another than at the last start becomes a version.

    given, text: of the file; without a text nothing is kept, and the given one holds. Raises ComityError if what was
    published cannot be adopted any more.
    """
    if text is None:
        return given
    number, kept = store.community(community.id), store.charters
    of_file, last = kept.current(number, Way.FILE), kept.current(number)
    if last is None or of_file is None or of_file.text != text:
        before = _parsed(last.text, community.charter) if last else None
        told = changes(before, given)
        kept.add_version(VersionRow(number, 0, now, FILE, Way.FILE, "", given.digest(), text, told))
        return given
    if last.number == of_file.number:
        return given
    try:
        charter = parse_charter(last.text, community.charter)
        followed(charter, community.id, follows)
    except ComityError as error:
        raise ComityError(
            f"version {last.number} of the charter of {community.id}, published in the console, cannot be adopted:\n"
            f"{error}\nPut right what it names, or change {community.charter}: what was changed last holds."
        ) from error
    return charter


def followed(charter: Charter, community: str, follows: Iterable[Follow]) -> None:
    """Raises ComityError if a list is followed by a clause that the charter does not have."""
    ids = {c.id for c in charter.clauses}
    for follow in follows:
        if follow.community == community and follow.clause not in ids:
            why = f"the list {follow.room} is followed by clause {follow.clause}"
            raise ComityError(f"{why}: it must stay in the charter")


def _parsed(text: str, path: Path) -> Charter | None:
    try:
        return parse_charter(text, path)
    except CharterError:
        return None


class Adopting:
    """Publishes charters, and lets the running communities go over to them."""

    def __init__(self, store: LiveStore, persons: Persons, turns: Turns, follows: Iterable[Follow]) -> None:
        self._store, self._persons, self._turns, self._follows = store, persons, turns, tuple(follows)

    def now(self, realm: Realm) -> Adopted:
        """The charter that holds."""
        row = self._store.charters.current(realm.number)
        return Adopted(realm.adopted, row, realm.shadows, realm.settings.charter)

    async def publish(self, realm: Realm, text: str, by: Who, reason: str, *, base: int) -> VersionRow:
        """Put a charter in force: kept as a version, and what comes next is rated by it; windows go on as they are.

        base: the version it was written on. Raises CharterError with its mistakes, ComityError if it cannot be.
        """
        if not reason.strip():
            raise ComityError("say why: members read it in the log of changes")
        charter = await asyncio.to_thread(self._checked, realm, text)
        last = self._store.charters.current(realm.number)
        if last is None:
            raise ComityError("this community's charter was given without its file: there is nothing to publish over")
        if last.number != base:
            raise ComityError(f"version {last.number} was published since you began: look at what it changed first")
        told: tuple[Change, ...] = changes(realm.adopted, charter)
        if not told and charter.digest() == last.digest:
            raise ComityError("it says the same as the charter that holds")
        return self._go_over(realm, charter, text, by, reason=reason.strip(), told=told)

    def _checked(self, realm: Realm, text: str) -> Charter:
        charter = parse_charter(text, realm.settings.charter)
        followed(charter, realm.id, self._follows)
        Engine(charter)  # what cannot be compiled is refused before anything is kept
        return charter

    def _go_over(
        self, realm: Realm, charter: Charter, text: str, by: Who, *, reason: str, told: tuple[Change, ...]
    ) -> VersionRow:
        now, before = self._persons.outbox.now(), (realm.adopted, realm.shadows)
        row = VersionRow(realm.number, 0, now, by.name, Way.PUBLISHED, reason, charter.digest(), text, told)
        try:
            with self._persons.whole():
                self._turns.settle()
                row = self._store.charters.add_version(row)
                realm.adopt(charter, moment(now))
        except BaseException:
            realm.adopted, realm.shadows = before
            self._turns.recover(moment(now))
            raise
        return row
