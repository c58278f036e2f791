"""Lists of bans that communities follow: read from their rooms, kept as they change, asked about whoever comes.

An account is looked at when it joins, and when it writes for the first time since we or the list began. What follows
is what the clause says that adopted the list; it does not touch standing, for it is about nothing the member did here.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
from structlog.typing import FilteringBoundLogger

from comity.adapters.matrix.client import Homeserver, HomeserverError, Json
from comity.adapters.matrix.policy_lists import read, read_list, redacted, server_of
from comity.core.charter import Clause, Measure
from comity.core.event import KINDS, ROLES, Unread
from comity.core.following import Answer, Followed, answer
from comity.core.policy import Policy
from comity.core.policy_list import Change, PolicyList
from comity.engine import Engine
from comity.features.columns import Batch
from comity.features.pieces import Ints
from comity.runner.realm import Realm
from comity.settings import Follow
from comity.stores.live_contract import LiveStore
from comity.turns import clause_row

_ANSWERED: Final = "listed members of "  # among the notes of the store: which entries each member was answered for
_COMING: Final = (KINDS.index("join"), KINDS.index("message"))
_MANAGER: Final = ROLES.index("manager")


class Listed(NamedTuple):
    """A member who is on a list. row: of the batch; member: number; number: of the clause's row in the store.

    clause: with the measures that follow, none where nothing does; figures: JSON, the list and its entry.
    """

    row: int
    member: int
    clause: Clause
    number: int
    sentence: str
    figures: str


class Looked(NamedTuple):
    """What lists say of those who came. listed: by row; told: what the management room is to read, a line each."""

    listed: list[Listed]
    told: list[str]


NOBODY: Final = Looked([], [])


class Lists:
    """The lists of all communities. follows: of the settings, in their order."""

    def __init__(
        self, homeserver: Homeserver, store: LiveStore, follows: Sequence[Follow], *, log: FilteringBoundLogger
    ) -> None:
        self._homeserver, self._store, self._follows, self._log = homeserver, store, follows, log
        self._rooms: dict[str, str] = {}  # from the names of the settings to ids
        self._lists: dict[str, PolicyList] = {}
        self._followed: dict[str, list[Followed]] = {}
        self._known: defaultdict[str, set[int]] = defaultdict(set)
        self._answered: dict[str, dict[str, list[str]]] = {}

    @property
    def rooms(self) -> frozenset[str]:
        """The rooms of lists, by id."""
        return frozenset(self._lists)

    async def come_in(self) -> None:
        """Join the rooms of lists and read them whole. A list that cannot be read is told in the log, and left out.

        Raises HomeserverError where trying again can help.
        """
        for follow in self._follows:
            try:
                room = self._rooms.get(follow.room) or await self._homeserver.join(follow.room, follow.via)
                state = await self._homeserver.whole_state(room)
            except HomeserverError as error:
                if error.again:
                    raise
                self._log.warning("cannot read a list", room=follow.room, why=f"{error.status} {error.errcode}")
                continue
            self._rooms[follow.room] = room
            found, unread = read_list(state, room=room)
            self._note(unread)
            self._lists[room] = found
            self._log.info("following a list", room=room, community=follow.community, entries=len(found))
        self._begin()

    def hear(self, events: Iterable[Json]) -> None:
        """Take in state events of lists and redactions, each once and in order; other events are passed over."""
        for event in events:
            each = self._lists.get(str(event.get("room_id")))
            if each is None:
                continue
            changed = False
            for found in read(event):
                if isinstance(found, Change):
                    before, after = each.apply(found)
                    changed |= before != after
                else:
                    self._note([found])
            if gone := redacted(event):
                changed |= each.redact(gone) is not None
            if changed:  # whoever wrote before may be meant now
                self._known.clear()

    def look(self, realm: Realm, batch: Batch, members: Ints, now: int) -> Looked:
        """Who of a batch comes and is listed; within the store's transaction, which keeps that they were answered.

        members: the number of each event's; now: milliseconds since 1970. A member is answered once for each entry: what
        a person decided about it holds. Managers are told of only: somebody else's list takes nobody's office away.
        """
        followed = self._followed.get(realm.id)
        if not followed:
            return NOBODY
        listed, told = list[Listed](), list[str]()
        for row in self._coming(realm, batch, members):
            member, account = int(members[row]), batch.string("member", row)
            said = answer(followed, realm.charter, account, server_of(account), at=now)
            if said is None or not self._first(realm, member, said.policy):
                continue
            if batch.roles.values[row] == _MANAGER and (batch.roles.known is None or batch.roles.known[row]):
                told.append(f"{account} manages here, so nothing was done: {said.sentence}.")
            elif found := self._listed(realm, row, member, said):
                listed.append(found)
            if listed[-1:] and listed[-1].row == row and listed[-1].clause.measures:
                told.append(f"{account} came: {said.sentence}.")
            elif not told or not told[-1].startswith(account):
                told.append(f"{account} came, and nothing was done ({_why(said, followed)}): {said.sentence}.")
        return Looked(listed, told) if listed or told else NOBODY

    def recover(self) -> None:
        """Begin again at what the store holds: a transaction failed."""
        self._known.clear()
        self._answered.clear()

    def _begin(self) -> None:
        self._followed = {}
        for follow in self._follows:
            each = self._lists.get(self._rooms.get(follow.room, ""))
            if each is not None:
                one = Followed(each, follow.clause, follow.apply)
                self._followed.setdefault(follow.community, []).append(one)
        self._known.clear()
