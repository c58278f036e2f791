"""Carrying out actions in Matrix, each once: whatever is tried again finds what was done, and does no more.

Power levels are one object that the last writer replaces as a whole. So every change is read, made, written and read
again, one at a time in each room; what another writer changed in between is brought back, and nothing is lost.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from comity.adapters.matrix.client import Homeserver, HomeserverError, Json
from comity.adapters.matrix.power import Created, Levels, can, merged, own_level, too_large, with_level
from comity.adapters.matrix.rooms import LEVELS, RoomLevels, creation, levels_of
from comity.core.action import DONE, Action, Came, Do, Outcome, Say

SETTLE: Final = 8
"""Times a change of levels is written at most while others keep writing too; then it is tried again later."""
WATCH: Final = 60.0
"""Seconds after a change of levels in which a writer who had not seen it may still write it away."""
_LOOK_BACK: Final = 100  # changes of levels looked through for the one that was ours
_IN: Final = frozenset({"join", "invite", "knock"})
_TOKEN_WAIT: Final = 300.0  # seconds until a token that was refused may have been put right
_DIRECT: Final = "m.direct"
_KNOWN_FOR: Final = 60.0  # seconds in which nobody else is taken to have changed our account's list of direct rooms
_GONE: Final = 404
_FORBIDDEN: Final = 403


class _Before(msgspec.Struct, frozen=True):
    """What ``Outcome.before`` holds. had: the account's own level, None for none; given: the same from then on."""

    had: int | None
    given: int | None


def given_by(before: str) -> int | None:
    """The own level an account was given, as ``Outcome.before`` of a ``level`` tells; None for none of its own."""
    return msgspec.json.decode(before, type=_Before).given


def had_before(before: str) -> int | None:
    """The own level an account had before, likewise."""
    return msgspec.json.decode(before, type=_Before).had


class _Given(NamedTuple):
    """A level that was just given. until: of the monotonic clock."""

    had: int | None
    given: int | None
    until: float


class _Change(NamedTuple):
    """A change of somebody's own level. was: before it; by: who made it."""

    was: int | None
    by: str


class Carrier:
    """Carries out actions as one account. All it remembers is what helps within seconds; a crash loses nothing."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        self._given: defaultdict[str, dict[str, _Given]] = defaultdict(dict)
        self._rooms: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._direct = asyncio.Lock()
        self._kept: tuple[float, Json] = (-_KNOWN_FOR, {})
        self._created: dict[str, Created] = {}

    async def carry_out(self, action: Action, *, before: str = "", fresh: bool = False) -> Outcome:
        """Carry out an action, or say why not.

        before: of a ``level`` to ``Say.BEFORE``, the ``Outcome.before`` of the action that it undoes, "" if that was
        never done. fresh: it was decided a moment ago, so the homeserver still knows its id and nobody else has hidden
        the message yet: it is hidden without looking first. Never raises HomeserverError.
        """
        try:
            match action.do:
                case Do.HIDE:
                    return await (self._hide_at_once(action) if fresh else self._hide(action))
                case Do.LEVEL:
                    async with self._rooms[action.room]:
                        return await self._level(action, before)
                case Do.REMOVE | Do.BAN | Do.UNBAN:
                    async with self._rooms[action.room]:
                        return await self._membership(action)
                case Do.TELL:
                    return await self._tell(action)
                case Do.SAY:
                    return await self._say(action, action.room)
        except HomeserverError as error:
            return await self._failed(action, error)

    async def watch(self, events: Sequence[Json]) -> None:
        """Look at client events as they come in, and give again what we gave a moment ago and others wrote away.

        Writers who do not see one another fork the room's history, and which branch holds is only known later; and a
        client may write levels that it read before ours. Whoever takes back just what we gave, and changes nothing
        else, means it. Raises HomeserverError if nothing can be done right now; the same events may come again.
        """
        rooms = set()
        for event in events:
            room = event.get("room_id")
            if event.get("type") == LEVELS and isinstance(room, str) and self._given.get(room):
                rooms.add(room)
                if event.get("sender") != await self._homeserver.account():
                    self._take_back(room, event)
        for room in rooms:
            async with self._rooms[room]:
                await self._give_again(room)

    # What is done

    async def _hide_at_once(self, action: Action) -> Outcome:
        try:
            made = await self._homeserver.redact(action.room, action.event, action.id, action.reason)
        except HomeserverError as error:
            if error.again:
                raise
            return await self._hide(action)  # which says why not
        return Outcome(Came.DONE, made=made)

    async def _hide(self, action: Action) -> Outcome:
        event = await self._homeserver.event(action.room, action.event)
        if event is None:
            bot = await self._homeserver.account()
            if await self._homeserver.membership(action.room, bot) != "join":
                return _cannot(f"{bot} is not in the room: invite it.")
            return _cannot("There is no such event in the room.")
        if (redaction := _redacted(event)) is not None:
            return Outcome(Came.DONE, made=redaction)
        made = await self._homeserver.redact(action.room, action.event, action.id, action.reason)
        return Outcome(Came.DONE, made=made)

    async def _membership(self, action: Action) -> Outcome:
        now = await self._homeserver.membership(action.room, action.account)
        if action.do is Do.UNBAN:
            if now == "ban":
                await self._homeserver.unban(action.room, action.account, action.reason)
            return DONE
        if now == "ban" or (action.do is Do.REMOVE and now not in _IN):
            return DONE
        levels = (await self._levels(action.room)).levels
        if why := can(levels, await self._homeserver.account(), action.do, action.account):
            return _cannot(why)
        if now == "join" and levels.manages(action.account) and not await self._others_manage(action, levels):
            return await self._last(action)
        do = self._homeserver.ban if action.do is Do.BAN else self._homeserver.kick
        await do(action.room, action.account, action.reason)
        return DONE

    async def _level(self, action: Action, before: str) -> Outcome:
        there = await self._levels(action.room)
        had = own_level(there.content, action.account)
        if action.to is Say.BEFORE:
            if not before:
                return DONE  # there was nothing to undo
            undone = msgspec.json.decode(before, type=_Before)
            if had != undone.given and not await self._ours(there, action.account):
                return DONE  # somebody has given the account another level since, and that one stands
            wanted = undone.had
        else:
            wanted = there.levels.number(action.to or Say.MEMBER)
            if action.to is Say.MANAGER and there.levels.manages(action.account):
                wanted = had  # a level above that is no reason to lower it
        if had == wanted:
            return _levelled(await self._had(there, action.account), wanted)
        if why := await self._hindrance(action, there, wanted):
            return _cannot(why)
        made = await self._write(action.room, there, {action.account: wanted})
        if made is None:
            return Outcome(Came.AGAIN, "Others keep changing the power levels of this room at the same time.", 5.0)
        self._given[action.room][action.account] = _Given(had, wanted, time.monotonic() + WATCH)
        return _levelled(had, wanted, made)

    async def _tell(self, action: Action) -> Outcome:
        return await self._say(action, await self._direct_room(action.account))

    async def _say(self, action: Action, room: str) -> Outcome:
        # Plain text: a client makes links of it by itself, and there is nothing in it to go wrong. It pings nobody.
        content = {"msgtype": "m.notice", "body": action.text, "m.mentions": {}}
        return Outcome(Came.DONE, made=await self._homeserver.send(room, "m.room.message", content, action.id))

    # Levels

    async def _levels(self, room: str) -> RoomLevels:
        began = self._created.get(room) or await creation(self._homeserver, room)
        if began is not None:
            self._created[room] = began
        return await levels_of(self._homeserver, room, began)

    async def _hindrance(self, action: Action, there: RoomLevels, wanted: int | None) -> str | None:
        """Why an account cannot be given this level, None if it can."""
        bot = await self._homeserver.account()
        if why := can(there.levels, bot, Do.LEVEL, action.account, to=wanted):
            return why
        content = with_level(there.content, {action.account: wanted})
        if why := too_large(content):
            return why
        demoted = there.levels.manages(action.account) and not Levels(content, None).manages(action.account)
        if demoted and not await self._others_manage(action, there.levels):
            return (await self._last(action)).why
        return None

    async def _write(self, room: str, there: RoomLevels, wanted: dict[str, int | None]) -> str | None:
        """Write levels until they stand and no other writer's change is lost; return the first event's id."""
        first: str | None = None
        content = with_level(there.content, wanted)
        for _ in range(SETTLE):
            made = await self._homeserver.put_state(room, LEVELS, content)
            first = first or made
            now = await self._levels(room)
            content = now.content
            ours = now.event if now.event.get("event_id") == made else await self._homeserver.event(room, made)
            unsigned = _object(ours or {}, "unsigned")
            if unsigned.get("replaces_state") not in {None, there.event.get("event_id")}:
                content = merged(there.content, _object(unsigned, "prev_content"), content)
            content = with_level(content, wanted)
            if content == now.content:
                return first
            there = now
        return None

    def _take_back(self, room: str, event: Json) -> None:
        """Forget what somebody took back on purpose."""
        content = _object(event, "content")
        before = _object(_object(event, "unsigned"), "prev_content") or _object(event, "prev_content")
        undone = {a: own_level(content, a) for a, g in self._given[room].items() if own_level(before, a) == g.given}
        if with_level(before, undone) == content:
            self._given[room] = {a: g for a, g in self._given[room].items() if undone.get(a, g.given) == g.given}

    async def _give_again(self, room: str) -> None:
        """Write what is no more as we gave it, but as it was before."""
        self._given[room] = {a: g for a, g in self._given[room].items() if g.until > time.monotonic()}
        there = await self._levels(room)
        wanted = {a: g.given for a, g in self._given[room].items() if own_level(there.content, a) == g.had}
        if wanted and too_large(with_level(there.content, wanted)) is None:
            await self._write(room, there, wanted)

    async def _had(self, there: RoomLevels, account: str) -> int | None:
        """The level an account had before it was given the one it has: ours to restore if it was us who gave it.

        Between writing and noting that it is written a crash may come; then only the room itself still tells.
        """
        change = await self._last_change(there, account)
        ours = change is not None and change.by == await self._homeserver.account()
        return change.was if change is not None and ours else own_level(there.content, account)

    async def _ours(self, there: RoomLevels, account: str) -> bool:
        """Whether it was us who gave an account the level it has, as far as the room tells."""
        change = await self._last_change(there, account)
        return change is None or change.by == await self._homeserver.account()

    async def _last_change(self, there: RoomLevels, account: str) -> _Change | None:
        """The last change of an account's own level, None if the room does not tell, or it is long ago."""
        now = own_level(there.content, account)
        event: Json | None = there.event
        for _ in range(_LOOK_BACK):
            unsigned = _object(event or {}, "unsigned")
            if event is None or "prev_content" not in unsigned:
                return None
            was = own_level(_object(unsigned, "prev_content"), account)
            if was != now:
                return _Change(was, str(event.get("sender")))
            replaced = unsigned.get("replaces_state")
            event = await self._homeserver.event(there.room, replaced) if isinstance(replaced, str) else None
        return None

    async def _others_manage(self, action: Action, levels: Levels) -> bool:
        """Whether somebody else who is there manages the room: a person, as far as one can tell."""
        others = levels.managers() - {action.account, await self._homeserver.account()}
        return bool(others) and not others.isdisjoint(await self._homeserver.joined_members(action.room))

    async def _last(self, action: Action) -> Outcome:
        bot = await self._homeserver.account()
        return _cannot(
            f"{action.account} is the last who manages this room besides {bot}: appoint somebody else first."
        )

    # Direct messages

    async def _direct_room(self, account: str) -> str:
        """The room of our direct messages to an account: the one there is, else a new one."""
        async with self._direct:
            read, kept = self._kept
            if time.monotonic() - read >= _KNOWN_FOR:
                read, kept = time.monotonic(), await self._homeserver.account_data(_DIRECT)
            rooms = [room for room in _list(kept.get(account)) if isinstance(room, str)]
            self._kept = read, kept
            for room in reversed(rooms):
                if await self._usable(room, account):
                    return room
            made = await self._homeserver.create_room(preset="trusted_private_chat", is_direct=True, invite=[account])
            kept = kept | {account: [*rooms, made]}
            await self._homeserver.put_account_data(_DIRECT, kept)
            self._kept = read, kept
            return made

    async def _usable(self, room: str, account: str) -> bool:
        """Whether both of us are there; who has left is invited again: a statement of reasons has to arrive."""
        try:
            membership = await self._homeserver.membership(room, account)
            if membership not in {"join", "invite"}:
                await self._homeserver.invite(room, account)
        except HomeserverError as error:
            if error.again:
                raise
            return False
        return True

    # What went wrong

    async def _failed(self, action: Action, error: HomeserverError) -> Outcome:
        if error.token_refused:
            return Outcome(
                Came.AGAIN, "The homeserver refuses our token: put a valid one in the settings.", _TOKEN_WAIT
            )
        if error.again:
            return Outcome(Came.AGAIN, f"The homeserver could not do it now: {error}.", error.retry_after)
        said = (error.error or error.errcode).rstrip(".")
        if error.status == _GONE:
            return _cannot(f"The homeserver knows nothing of it: {said}.")
        if error.status != _FORBIDDEN or not action.room:
            return _cannot(f"The homeserver refuses: {said}.")
        bot = await self._homeserver.account()
        try:
            levels = (await self._levels(action.room)).levels
        except HomeserverError:
            return _cannot(f"The homeserver refuses: {said}. If {bot} is not in the room, invite it.")
        return _cannot(can(levels, bot, action.do, action.account) or f"The homeserver refuses: {said}.")


def _cannot(why: str) -> Outcome:
    return Outcome(Came.CANNOT, why)


def _levelled(had: int | None, given: int | None, made: str = "") -> Outcome:
    return Outcome(Came.DONE, before=msgspec.json.encode(_Before(had, given)).decode(), made=made)


def _redacted(event: Json) -> str | None:
    """The id of the redaction that took an event out of view, "" if nobody knows, None if it is in view."""
    because = _object(event, "unsigned").get("redacted_because")
    if isinstance(because, dict):
        found = because.get("event_id")
        return found if isinstance(found, str) else ""
    return None if because is None else ""


def _object(content: Json, key: str) -> Json:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _list(found: object) -> list[object]:
    return found if isinstance(found, list) else []
