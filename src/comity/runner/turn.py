"""One turn: events in; findings, decisions, statements and actions kept in one transaction, with all that goes on."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import zstandard
from structlog.typing import FilteringBoundLogger

from comity.adapters.matrix.client import Json
from comity.adapters.matrix.normalise import Normalised, normalise
from comity.core.action import Action
from comity.core.decision import Decision
from comity.core.event import Event
from comity.core.ledger import NO_ACTIVITY, NO_FINDINGS
from comity.engine import Turn
from comity.features.columns import hash_text, texts
from comity.features.kernels.hashing import hash_spans, mix
from comity.features.kernels.seen import SeenHours
from comity.features.pieces import Ints, Piece
from comity.live.metrics import Metrics
from comity.runner.deciding import Deciding, Made
from comity.runner.holding import hold_back
from comity.runner.lists import NOBODY, Lists, Looked
from comity.runner.people import People
from comity.runner.realm import Realm
from comity.stores.contract import Hashes
from comity.stores.live_contract import LiveStore, TurnRow
from comity.turns import Numbers

SINCE: Final = "since"  # among the notes of the store: where reading goes on
SHOWN: Final = "read until"  # the same: when events came last, milliseconds since 1970
_LATEST: Final = 253_402_300_800_000  # the year 10000
_PACK = zstandard.ZstdCompressor(level=1)
_WORTH_PACKING: Final = 2048  # bytes
_UNPACK = zstandard.ZstdDecompressor()


Hear = Callable[[Realm, Sequence[Event], int], list[Action]]


class Taken(NamedTuple):
    """What a turn came to. fresh: client events that are new; actions: queued; decisions: made."""

    fresh: list[Json]
    actions: list[Action]
    decisions: list[Decision]


class _Journalled(NamedTuple):
    """A turn as the journal keeps it. ids: hashes of the ids that were new in it, by hour."""

    events: Sequence[Event]
    ids: Sequence[tuple[int, Hashes]]


def _pack(turn: _Journalled) -> bytes:
    ids = [(hour, some.astype("<u8").tobytes()) for hour, some in turn.ids]
    blob = msgspec.msgpack.encode((turn.events, ids))
    return blob if len(blob) < _WORTH_PACKING else _PACK.compress(blob)


def _unpack(blob: bytes) -> _Journalled:
    if blob.startswith(zstandard.FRAME_HEADER):
        blob = _UNPACK.decompress(blob)
    events, ids = msgspec.msgpack.decode(blob, type=tuple[list[Event], list[tuple[int, bytes]]])
    return _Journalled(events, [(hour, np.frombuffer(some, "<u8").astype(np.uint64)) for hour, some in ids])


class Turns:
    """The turns of all communities, one after the other.

    Window states are dumped now and then and not with every turn; until then the turns' events are kept in a journal,
    so that whatever is committed leads to the same states again. hear: takes in reports, and returns receipts; record:
    keeps the events of rooms that are recorded, in the same transaction.
    """

    def __init__(
        self,
        store: LiveStore,
        realms: Mapping[str, Realm],
        people: People,
        deciding: Deciding,
        lists: Lists,
        *,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._store, self._realms, self._people, self._deciding = store, realms, people, deciding
        self._lists, self._metrics, self._log = lists, metrics, log
        self._seed = int.from_bytes(store.event_key[:8], "big")
        self._numbers, self._seen = Numbers(store), SeenHours(self._seen_in)
        self._unkept: defaultdict[int, list[Hashes]] = defaultdict(list)  # by hour: only the journal knows them
        self._hashed: dict[str, int] = {}
        self.journalled = 0
        self.hear: Hear = lambda _realm, _events, _now: []
        self.record: Callable[[Sequence[Event]], object] = lambda _events: None
        self._replay()

    def take(
        self,
        events: Sequence[Json],
        arrived: dt.datetime,
        since: str = "",
        *,
        also: Callable[[Sequence[Json]], None] = lambda _fresh: None,
    ) -> Taken:
        """Take client events as they came; what is new is kept when this returns, or nothing is, and it raises.

        since: where reading goes on after them; also: what else is kept with the new ones, in the same transaction.
        """
        try:
            return self._take(events, arrived, since, also)
        except BaseException:
            self.recover(arrived)
            raise

    def recover(self, now: dt.datetime) -> None:
        """Begin again at what the store holds: something failed, and its transaction with it."""
        self._numbers.forget()
        self._seen.forget()
        self._lists.recover()
        for realm in self._realms.values():
            realm.reload(now)
        self._replay()

    def settle(self) -> None:
        """Keep what adds up: activity, window states; the journal is empty then."""
        with self._store.write():
            for realm in self._realms.values():
                self._store.post(NO_FINDINGS, realm.counting.take_unposted(), after=self._store.head())
                self._store.save_window_states(realm.states.dump())
            self._numbers.keep_names()
            self._store.add_seen([(hour, np.concatenate(ids)) for hour, ids in sorted(self._unkept.items())])
            self._store.journal.clear()
        self._unkept.clear()
        self.journalled = 0

    def _take(
        self, events: Sequence[Json], arrived: dt.datetime, since: str, also: Callable[[Sequence[Json]], None]
    ) -> Taken:
        now = int(arrived.timestamp() * 1000)
        actions: list[Action] = []
        decisions: list[Decision] = []
        with self._store.write():
            fresh = self._new(events)
            done = normalise(
                fresh, self._people.communities, arrived, known=self._people.known, ours={self._people.bot}
            )
            self._people.note(done.events)
            found = [(realm, *self._find(realm, some)) for realm, some in self._parted(done.events)]
            # All that any turn has counted so far is posted before it is decided on: who wrote more stands otherwise.
            looked = [self._look(realm, turn, members, now) for realm, turn, members in found]
            posted = any(turn is not None and len(turn.findings) for _, turn, _ in found)
            posted |= any(some.listed for some in looked)
            for (realm, turn, members), listed in zip(found, looked, strict=True):
                if turn is not None:
                    made, queued = self._follow(realm, turn, members, now, posted=posted, looked=listed)
                    decisions += made
                    actions += queued
            for realm, some in self._parted(done.events):
                if any(e.kind == "report" for e in some):
                    actions += self.hear(realm, some, now)
            ids = self._seen.take_new()
            if done.events or ids:
                self.record(done.events)
                self._store.journal.add(TurnRow(posted, _pack(_Journalled(done.events, ids))))
                self._note(len(done.events) or 1, ids)
            if since:
                self._store.journal.note(SINCE, since.encode())
            also(fresh)
        self._count(events, fresh, done, arrived)
        return Taken(fresh, actions, decisions)

    def _follow(
        self, realm: Realm, turn: Turn, members: Ints, now: int, *, posted: bool, looked: Looked
    ) -> tuple[list[Decision], list[Action]]:
        """What follows from a turn of a community: decisions, and actions. posted: whether its activity is to be."""
        made, actions, rows, before = Made([], [], {}, {})
        activity = realm.counting.take_unposted() if posted else NO_ACTIVITY
        if len(turn.findings) or looked is not NOBODY:
            made, actions, rows, before = self._deciding.decide(
                realm, turn, members, activity, numbers=self._numbers, now=now, looked=looked
            )
        elif posted:
            self._store.post(NO_FINDINGS, activity, after=self._store.head())
        held = hold_back(
            realm,
            turn.batch,
            members,
            people=self._people,
            numbers=self._numbers,
            now=now,
            before=before,
            rows=rows,
            made=made,
        )
        if held:
            self._store.decisions.queue(held, at=now)
        return made, [*actions, *held]

    def _look(self, realm: Realm, turn: Turn | None, members: Ints, now: int) -> Looked:
        return NOBODY if turn is None else self._lists.look(realm, turn.batch, members, now)

    def _find(self, realm: Realm, events: Sequence[Event]) -> tuple[Turn | None, Ints]:
        """Let the engine look at events, and count who wrote."""
        batch, unreadable = realm.engine.columns([Piece(events)])
        if not len(batch):
            return None, np.empty(0, np.int64)
        members = self._numbers.members(batch)
        turn = Turn(batch, realm.engine.find(batch), unreadable)
        wrote = batch.kinds == 0
        realm.counting.wrote(members[wrote], batch.days[wrote])
        return turn, members

    def _replay(self) -> None:
        """Bring windows and activity up to the last commit: what was found then is in the ledger already."""
        self.journalled = 0
        self._unkept.clear()
        for posted, blob in self._store.journal.turns():
            turn = _unpack(blob)
            self._note(len(turn.events) or 1, turn.ids)
            for realm, some in self._parted(turn.events):
                self._find(realm, some)
                if posted:
                    realm.counting.forget_unposted()

    def _note(self, events: int, ids: Sequence[tuple[int, Hashes]]) -> None:
        """Know what the journal holds."""
        self.journalled += events
        for hour, some in ids:
            self._unkept[hour].append(some)

    def _seen_in(self, hour: int) -> Hashes:
        """The ids seen in an hour, also those that only the journal knows: each commit writes one page less."""
        return np.concatenate([self._store.seen(hour), *self._unkept.get(hour, ())])

    def _parted(self, events: Sequence[Event]) -> Iterable[tuple[Realm, Sequence[Event]]]:
        """Events by community, in order."""
        if not events:
            return []
        first = events[0].community
        if all(e.community == first for e in events):
            return [(self._realms[first], events)] if first in self._realms else []
        by: defaultdict[str, list[Event]] = defaultdict(list)
        for event in events:
            by[event.community].append(event)
        return [(self._realms[name], some) for name, some in by.items() if name in self._realms]

    def _new(self, events: Sequence[Json]) -> list[Json]:
        """Those that did not come before, by their ids; what has none, or no time, goes on to be named as unread.

        An event is looked for in the hour of its own time, which is part of it: when it arrives is not.
        """
        ids, rooms, times, places = [], [], [], []
        for place, event in enumerate(events):
            event_id, room, at = event.get("event_id"), event.get("room_id"), event.get("origin_server_ts")
            if isinstance(event_id, str) and isinstance(room, str) and type(at) is int and 0 <= at < _LATEST:
                ids.append(event_id)
                rooms.append(self._of_room(room))
                times.append(at)
                places.append(place)
        if not ids:
            return list(events)
        t = texts(ids)
        hashes = hash_spans(t.buffer, t.starts, t.ends, np.uint64(self._seed))
        new = self._seen.turn(mix(np.array(rooms, np.uint64), hashes), np.array(times, np.int64))
        if new.all():
            return list(events)
        left_out = {places[i] for i in np.flatnonzero(~new).tolist()}
        return [event for place, event in enumerate(events) if place not in left_out]

    def _of_room(self, room: str) -> int:
        """The hash of a room's community, as a replay of an export would have it; of no community, of nothing."""
        if room not in self._hashed:
            realm = self._people.realms.get(room)
            if realm is None:
                return 0
            self._hashed[room] = hash_text(realm.id, self._seed)
        return self._hashed[room]

    def _count(self, events: Sequence[Json], fresh: Sequence[Json], done: Normalised, arrived: dt.datetime) -> None:
        m = self._metrics
        if len(fresh) < len(events):
            m.events_known.inc(len(events) - len(fresh))
        m.event_last_received.set(arrived.timestamp())
        if done.unread:
            m.events_unread.inc(len(done.unread))
            self._log.warning("events could not be read", count=len(done.unread), first=done.unread[0].what[:80])
        counts: defaultdict[tuple[str, str], int] = defaultdict(int)
        for event in done.events:
            counts[event.community, event.kind] += 1
        for (community, kind), count in counts.items():
            m.events_received.labels(community, kind).inc(count)
