"""Lists of bans that communities follow: read from their rooms, kept as they change, asked about whoever comes.

A member is looked at on joining, and on writing for the first time since we or the list began. What follows is what
the clause says that adopted the list. It does not touch standing: the member did nothing here.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
from structlog.typing import FilteringBoundLogger

from comity.adapters.matrix.client import Homeserver, HomeserverError, Json
from comity.adapters.matrix.policy_lists import read, read_list, redacted, server_of
from comity.core.charter import Clause, State
from comity.core.event import KINDS, ROLES
from comity.core.following import Answer, Followed, answer
from comity.core.policy import Policy, sentence
from comity.core.policy_list import Change, PolicyList
from comity.features.columns import Batch
from comity.features.pieces import Ints
from comity.runner.realm import Realm
from comity.settings import Follow
from comity.stores.live_contract import LiveStore
from comity.turns import clause_row

_ANSWERED: Final = "listed members of "  # among the notes of the store: for which entries a member was answered
_JOIN, _MESSAGE = KINDS.index("join"), KINDS.index("message")
_MANAGER: Final = ROLES.index("manager")


class Listed(NamedTuple):
    """A member who came and is on a list.

    row: of the batch; clause: with the measures that follow; number: of its row in the store, which says that it does
    not count; sentence: why, without a full stop; figures: compact JSON, the list and its entry by their ids.
    """

    row: int
    clause: Clause
    number: int
    sentence: str
    figures: str


class Looked(NamedTuple):
    """What lists say of those who came. told: what the management room is to read, a line each."""

    listed: list[Listed]
    told: list[str]


NOBODY: Final = Looked([], [])


class _Figures(msgspec.Struct, frozen=True):
    """What the ledger keeps of an entry: no name stands in it, for the ledger is final."""

    list: str
    entry: str


class Lists:
    """The lists of all communities. follows: of the settings; each community asks its lists in this order."""

    def __init__(
        self, homeserver: Homeserver, store: LiveStore, follows: Sequence[Follow], *, log: FilteringBoundLogger
    ) -> None:
        self._homeserver, self._store, self._follows, self._log = homeserver, store, follows, log
        self._rooms: dict[str, str] = {}  # from the names in the settings to ids
        self._lists: dict[str, PolicyList] = {}
        self._newest: dict[tuple[str, str, str], int] = {}  # when each place was last written
        self._followed: dict[str, list[Followed]] = {}
        self._looked_at: defaultdict[str, set[int]] = defaultdict(set)
        self._answered: dict[str, dict[str, list[str]]] = {}

    @property
    def rooms(self) -> frozenset[str]:
        """The rooms of lists, by id."""
        return frozenset(self._lists)

    async def come_in(self) -> None:
        """Join the rooms of lists and read them whole; one that cannot be read is left out, and the log says so.

        Raises HomeserverError where trying again can help.
        """
        for name, via in {follow.room: follow.via for follow in self._follows}.items():
            try:
                room = self._rooms.get(name) or await self._homeserver.join(name, via)
                state = await self._homeserver.whole_state(room)
            except HomeserverError as error:
                if error.again:
                    raise
                self._log.warning("cannot read a list", room=name, why=f"{error.status} {error.errcode}")
                continue
            found, unread = read_list(state, room=room)
            self._rooms[name], self._lists[room] = room, found
            for event in state:
                self._newest[_place(room, event)] = _at(event)
            self._log.info("following a list", room=room, entries=len(found), unread=len(unread))
        self._begin()

    def hear(self, events: Iterable[Json]) -> None:
        """Take in changes of lists, in their order; events of other rooms are passed over."""
        for event in events:
            each = self._lists.get(str(event.get("room_id")))
            if each is None:
                continue
            # What waited while we were away is older than the state that we have read since.
            if _at(event) < self._newest.get(_place(each.id, event), 0):
                continue
            for found in read(event):
                if isinstance(found, Change):
                    self._newest[_place(each.id, event)] = _at(event)
                    before, after = each.apply(found)
                    if before != after:  # whoever was looked at may be meant now
                        self._looked_at.clear()
                else:
                    self._log.warning("an entry of a list cannot be read", room=each.id, expected=found.expected)
            if (gone := redacted(event)) and each.redact(gone) is not None:
                self._looked_at.clear()

    def look(self, realm: Realm, batch: Batch, members: Ints, now: int) -> Looked:
        """Who of a batch comes and is listed; within the store's transaction, which keeps that they were answered.

        members: the number of each event's; now: milliseconds since 1970. A member is answered once for each entry, so
        that what a person decided about it holds. Somebody else's list takes nobody's office away: of managers it is
        told only.
        """
        followed = self._followed.get(realm.id)
        if not followed:
            return NOBODY
        looked = Looked([], [])
        for row in self._coming(realm, batch, members):
            account = batch.string("member", row)
            said = answer(followed, realm.charter, account, server_of(account), at=now)
            if (
                said is None
                or said.clause.state is State.DRAFT
                or not self._first(realm, int(members[row]), said.policy)
            ):
                continue
            why = _nothing(said, followed, manager=_manages(batch, row))
            if why not in {_ONLY_LOOKED_AT, _A_MANAGER}:
                looked.listed.append(self._listed(realm, row, said))
            looked.told.append(f"{account}: {said.sentence}; " + (f"nothing was done: {why}" if why else _done(said)))
        return looked

    def sentence(self, figures: str, realm: Realm) -> str:
        """Why a member is listed, from the figures of the finding; "" if none, or the list does not say it any more."""
        try:
            said = msgspec.json.decode(figures, type=_Figures)
        except msgspec.DecodeError:
            return ""
        each = self._lists.get(said.list)
        policy = each.of_event(said.entry) if each is not None else None
        return "" if each is None or policy is None else sentence(policy, each.name, realm.charter.zone)

    def recover(self) -> None:
        """Begin again at what the store holds: a transaction failed."""
        self._looked_at.clear()
        self._answered.clear()

    def _begin(self) -> None:
        followed: defaultdict[str, list[Followed]] = defaultdict(list)
        for follow in self._follows:
            if (room := self._rooms.get(follow.room)) is not None:
                followed[follow.community].append(Followed(self._lists[room], follow.clause, follow.apply))
        self._followed = followed
        self._looked_at.clear()

    def _coming(self, realm: Realm, batch: Batch, members: Ints) -> Iterator[int]:
        """The first row of each member who joins or, not looked at yet, writes."""
        known = self._looked_at[realm.id]
        rows = np.flatnonzero((batch.kinds == _JOIN) | (batch.kinds == _MESSAGE))
        firsts, where = np.unique(members[rows], return_index=True)
        joined = np.isin(firsts, members[batch.kinds == _JOIN])
        for member, row, joins in zip(firsts.tolist(), rows[where].tolist(), joined.tolist(), strict=True):
            if joins or member not in known:
                known.add(member)
                yield row

    def _first(self, realm: Realm, member: int, policy: Policy) -> bool:
        """Whether a member was not answered for an entry yet; notes that it is now."""
        name = _ANSWERED + realm.id
        if realm.id not in self._answered:
            kept = self._store.journal.noted(name) or b"{}"
            self._answered[realm.id] = msgspec.json.decode(kept, type=dict[str, list[str]])
        mine = self._answered[realm.id].setdefault(str(member), [])
        # Keyed, because an entry is often just an account's name, and that can be forgotten.
        entry = hashlib.blake2b(
            f"{policy.list} {policy.subject} {policy.shown}".encode("utf-8", "surrogatepass"),
            digest_size=8,
            key=self._store.event_key[:64],
        ).hexdigest()
        if entry in mine:
            return False
        mine.append(entry)
        self._store.journal.note(name, msgspec.json.encode(self._answered[realm.id]))
        return True

    def _listed(self, realm: Realm, row: int, said: Answer) -> Listed:
        measures = (*said.response.now, *said.response.proposed)
        kept = msgspec.structs.replace(said.clause, review=True)
        (number,) = self._store.clauses([clause_row(realm.engine, kept)])
        figures = msgspec.json.encode(_Figures(said.policy.list, said.policy.event)).decode()
        clause = msgspec.structs.replace(said.clause, measures=measures)
        return Listed(row, clause, number, said.sentence, figures)


_ONLY_LOOKED_AT: Final = "the list is only looked at"
_A_MANAGER: Final = "somebody else's list takes nobody's office away"
_SHADOW: Final = "its clause is in shadow"


def _nothing(said: Answer, followed: Iterable[Followed], *, manager: bool) -> str:
    """Why nothing follows, "" if something does."""
    if not any(f.apply and f.list.id == said.policy.list and f.clause == said.clause.id for f in followed):
        return _ONLY_LOOKED_AT
    if said.clause.state is State.SHADOW:
        return _SHADOW
    return _A_MANAGER if manager else ""


def _done(said: Answer) -> str:
    now, proposed = (", ".join(measures) for measures in (said.response.now, said.response.proposed))
    return "; ".join(part for part in (f"at once {now}" * bool(now), f"proposed {proposed}" * bool(proposed)) if part)


def _place(room: str, event: Json) -> tuple[str, str, str]:
    return room, str(event.get("type")), str(event.get("state_key"))


def _at(event: Json) -> int:
    at = event.get("origin_server_ts")
    return at if isinstance(at, int) else 0


def _manages(batch: Batch, row: int) -> bool:
    values, known = batch.roles
    return bool(values[row] == _MANAGER and (known is None or known[row]))
