"""Coming into rooms: those the settings name, and those somebody allowed invites us to; and knowing who is there."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
from structlog.typing import FilteringBoundLogger

from comity.adapters.matrix.client import Homeserver, HomeserverError, Json
from comity.adapters.matrix.invitations import Invitation, answer, invitations
from comity.adapters.matrix.rooms import learn
from comity.live.metrics import Metrics
from comity.runner.people import People
from comity.runner.realm import Realm
from comity.settings import Settings
from comity.stores.live_contract import LiveStore

_ROOMS: Final = "rooms"  # among the notes of the store: the community of each room we came into
_TOGETHER: Final = 8  # rooms learnt at a time


class Joining:
    """Rooms of communities. managed: told the management room's id when we are in it."""

    def __init__(
        self,
        homeserver: Homeserver,
        store: LiveStore,
        settings: Settings,
        realms: Mapping[str, Realm],
        people: People,
        *,
        metrics: Metrics,
        log: FilteringBoundLogger,
        managed: Callable[[str], None],
    ) -> None:
        self._homeserver, self._store, self._settings, self._realms = homeserver, store, settings, realms
        self._people, self._metrics, self._log, self._managed = people, metrics, log, managed
        self._inviters: dict[str, str] = {}
        self._named: dict[str, str] = {}  # from aliases in the settings to ids
        self.management = ""
        self.followed = msgspec.json.decode(store.journal.noted(_ROOMS) or b"{}", type=dict[str, str])

    def allowed(self, inviter: str) -> bool:
        """Whether an invitation is accepted."""
        return any(realm.invited_by(inviter) for realm in self._realms.values())

    async def come_in(self) -> None:
        """Come into the rooms of the settings, and know all rooms we are in. Raises HomeserverError."""
        if (name := self._settings.matrix.management_room) and (room := await self._join(name)):
            await self._manage(room)
        named: dict[str, str] = {}
        for community in self._settings.communities:
            for name in community.rooms:
                if room := await self._join(name):
                    named[room] = community.id
        joined = await self._homeserver.joined_rooms()
        of = {room: named.get(room) or self.followed.get(room) for room in joined if room != self.management}
        for room, known in of.items():
            if await self._of_a_list(room):
                of[room] = None
            elif known is None:
                of[room] = await self._inviter_of(room)
        some = asyncio.Semaphore(_TOGETHER)

        async def adopt(room: str, community: str) -> None:
            async with some:
                await self.adopt(room, community)

        await asyncio.gather(*(adopt(room, c) for room, c in of.items() if c is not None and c in self._realms))

    async def adopt(self, room: str, community: str) -> None:
        """Look after a room. Raises HomeserverError."""
        await self._learn(room)
        realm = self._realms[community]
        self._people.adopt(room, realm)
        self._people.number(room)
        self.followed[room] = community
        self._store.journal.note(_ROOMS, msgspec.json.encode(self.followed))
        self._count()
        self._log.info("looking after a room", room=room, community=community)

    async def invited(self, events: Sequence[Json]) -> None:
        """Answer invitations among events, and adopt rooms we have come into. Raises HomeserverError."""
        bot = self._people.bot
        for invitation in invitations(events, bot):
            if invitation.room in self._people.realms or invitation.room == self.management:
                continue
            self._inviters[invitation.room] = invitation.inviter
            for room in await answer(self._homeserver, [invitation], self._allowed_into(invitation)):
                await self._adopt_by(room, invitation.inviter)
        for event in events:
            where = event.get("room_id")
            if not isinstance(where, str) or event.get("type") != "m.room.member" or event.get("state_key") != bot:
                continue
            membership = _object(event, "content").get("membership")
            if membership == "join" and where not in self._people.realms and not await self._beside(where):
                community = self.followed.get(where) or await self._inviter_of(where)
                if community in self._realms:
                    await self.adopt(where, str(community))
            elif membership in {"leave", "ban"} and where in self._people.realms:
                self._forget(where)

    def _allowed_into(self, invitation: Invitation) -> Callable[[str], bool]:
        named = invitation.room == self._settings.matrix.management_room
        return lambda inviter: named or self.allowed(inviter)

    async def _beside(self, room: str) -> bool:
        """Whether a room we are in is no community's: the management room, which we know from now on, or a list's."""
        if room != self.management and await self._is(self._settings.matrix.management_room, room):
            await self._manage(room)
        return room == self.management or await self._of_a_list(room)

    async def _of_a_list(self, room: str) -> bool:
        for follow in self._settings.lists:
            if await self._is(follow.room, room):
                return True
        return False

    async def _is(self, name: str, room: str) -> bool:
        """Whether a room's name in the settings, an id or alias, means a room."""
        if not name.startswith("#"):
            return name == room
        if name not in self._named and (found := await self._homeserver.named(name)):
            self._named[name] = found
        return self._named.get(name) == room

    async def _manage(self, room: str) -> None:
        """Have a room as the management room."""
        await self._learn(room)
        self.management = room
        self._managed(room)
        self._log.info("the management room is known", room=room)

    async def _adopt_by(self, room: str, inviter: str) -> None:
        if await self._beside(room):
            return
        for realm in self._realms.values():
            if realm.invited_by(inviter):
                await self.adopt(room, realm.id)
                return

    async def _inviter_of(self, room: str) -> str | None:
        """The community whose inviter brought us into a room, None if there is none."""
        inviter = self._inviters.get(room)
        if inviter is None:
            event = await self._homeserver.state_event(room, "m.room.member", self._people.bot)
            unsigned = _object(event or {}, "unsigned")
            found = unsigned.get("prev_sender")
            inviter = found if isinstance(found, str) else ""
        return next((realm.id for realm in self._realms.values() if realm.invited_by(inviter)), None)

    def _forget(self, room: str) -> None:
        self._people.leave(room)
        self._count()
        self._log.warning("no longer in a room", room=room)

    async def _join(self, name: str) -> str:
        """Join a room by id or alias; "" if we may not."""
        try:
            return await self._homeserver.join(name)
        except HomeserverError as error:
            if error.again:
                raise
            self._log.warning("cannot join a room", room=name, why=f"{error.status} {error.errcode}")
            return ""

    async def _learn(self, room: str) -> None:
        await learn(self._homeserver, room, self._people.known)
        self._people.present[room] = set(await self._homeserver.joined_members(room))
        alias = (await self._homeserver.state(room, "m.room.canonical_alias") or {}).get("alias")
        name = (await self._homeserver.state(room, "m.room.name") or {}).get("name")
        label = next((x for x in (alias, name) if isinstance(x, str) and x.strip()), room)
        self._people.labels[room] = label

    def _count(self) -> None:
        counts = dict.fromkeys(self._realms, 0)
        hindered = 0
        for room, realm in self._people.realms.items():
            counts[realm.id] += 1
            hindered += bool(self._people.cannot(room))
        for community, count in counts.items():
            self._metrics.rooms.labels(community).set(count)
        self._metrics.rooms_not_enforceable.set(hindered)


def _object(content: Json, key: str) -> Json:
    found = content.get(key)
    return found if isinstance(found, dict) else {}
