"""Power levels of a Matrix room: who can do what to whom, what a change looks like, and how to mend what cannot be.

Pure. Source: Matrix specification v1.16, Client-Server API section "m.room.power_levels"; authorisation rules of room
versions 10 to 12 (in 12, MSC4289, the creators of a room stand above every level).
"""

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from comity.core.action import Do, Say
from comity.core.charter import Measure

Content = dict[str, object]
MOST_BYTES: Final = 65_536 - 2_560
"""An event may have 64 KiB; some 2 KiB of that are its envelope: what it refers to, hashes, signatures."""
_MODERATE: Final = 50  # where the content names no level for ban, kick, redact, or state
_FIRST_OF_CREATORS: Final = 12
_SPEECH: Final = ("m.room.message", "m.room.encrypted", "m.reaction", "m.sticker")


class Created(NamedTuple):
    """How a room began. creators: their accounts; endless: whether they stand above every level (version 12)."""

    version: str
    creators: frozenset[str]
    endless: bool


def created(sender: str, content: Mapping[str, object]) -> Created:
    """Read m.room.create."""
    version = content.get("room_version")
    version = version if isinstance(version, str) else "1"
    endless = int(version) >= _FIRST_OF_CREATORS if version.isdecimal() else version.startswith("org.matrix.hydra")
    if endless:
        more = content.get("additional_creators")
        others = [one for one in more if isinstance(one, str)] if isinstance(more, list) else []
        return Created(version, frozenset({sender, *others}), endless=True)
    named = content.get("creator")  # until version 10; from 11 on it is the sender
    return Created(version, frozenset({named if isinstance(named, str) else sender}), endless=False)


class Levels:
    """What the levels of a room say. content: of m.room.power_levels, None where there is no such event."""

    __slots__ = ("_users", "content", "created", "default", "manage")

    def __init__(self, content: Mapping[str, object] | None, creation: Created | None) -> None:
        self.content, self.created = content or {}, creation
        users = _mapping(self.content, "users")
        self._users = {account: _level(level, 0) for account, level in users.items()}
        if content is None and creation is not None:
            self._users = dict.fromkeys(creation.creators, 100)
        self.default = _level(self.content.get("users_default"), 0)
        self.manage = max(self.named("ban"), self.named("kick"))

    @property
    def users(self) -> Iterable[str]:
        """The accounts that have a level of their own, and the creators who need none."""
        return {*self._users, *self._endless}

    def level_of(self, account: str) -> float:
        """The level of an account; infinite for those nobody can act on."""
        return math.inf if account in self._endless else self._users.get(account, self.default)

    def named(self, what: str) -> int:
        """The level that it takes to ``ban``, ``kick``, ``redact`` or ``invite``."""
        return _level(self.content.get(what), 0 if what == "invite" else _MODERATE)

    def to_send(self, kind: str, *, state: bool = False) -> int:
        """The level that it takes to send an event of this kind."""
        otherwise = "state_default" if state else "events_default"
        # Without a power-levels event at all anybody may set state.
        least = _MODERATE if state and self.content else 0
        return _level(_mapping(self.content, "events").get(kind), _level(self.content.get(otherwise), least))

    def manages(self, account: str) -> bool:
        """Whether an account can remove and ban others, and not just because everybody can."""
        level = self.level_of(account)
        return level >= self.manage and level > self.default

    def managers(self) -> frozenset[str]:
        """All accounts that manage the room, whether or not they are still in it."""
        return frozenset(account for account in self.users if self.manages(account))

    def say_of(self, account: str) -> Say:
        """How much say an account has: manages, cannot write, or what is between."""
        if self.manages(account):
            return Say.MANAGER
        return Say.MUTED if self.level_of(account) < min(map(self.to_send, _SPEECH)) else Say.MEMBER

    def number(self, say: Say) -> int | None:
        """The level that a say means here, None for no level of one's own. Raises ValueError for ``before``."""
        match say:
            case Say.MUTED:
                return min(-1, min(map(self.to_send, _SPEECH)) - 1)
            case Say.MEMBER:
                return None
            case Say.MANAGER:
                state = _level(self.content.get("state_default"), _MODERATE)
                return max(self.manage, self.named("redact"), state)
        raise ValueError("what an account had before stands with the action that changed it")

    @property
    def _endless(self) -> frozenset[str]:
        return self.created.creators if self.created is not None and self.created.endless else frozenset()


def can(levels: Levels, bot: str, do: Do, target: str = "", *, to: int | None = None) -> str | None:
    """None if ``bot`` can do it (to ``target``), else why not and how to mend it, one or two sentences for a moderator.

    to: of ``level``, the level the target is to have, None for none of its own.
    """
    for needed, deed in _needs(levels, do):
        if levels.level_of(bot) < needed:
            return (
                f"To {deed} in this room {bot} needs power level {needed} and has {_shown(levels.level_of(bot))}. "
                f"A manager can raise it in the room's settings."
            )
    if do in _UPON_SOMEBODY and target != bot and (why := _above(levels, bot, target)):
        return why
    if do is Do.LEVEL and to is not None and to >= levels.level_of(bot):
        return (
            f"{bot} has power level {_shown(levels.level_of(bot))} and cannot give {to}, because nobody can take back "
            f"a level as high as their own. A manager can raise {bot} above {to}."
        )
    return None


def too_large(content: Mapping[str, object]) -> str | None:
    """Why a room cannot have these levels because of their size, None if it can."""
    size = len(msgspec.json.encode(content))
    if size <= MOST_BYTES:
        return None
    return (
        f"The room's power levels would have {size} bytes, and Matrix allows some {MOST_BYTES}. Ban instead of muting, "
        "or raise the level it takes to write and give it to those who may."
    )


def with_level(content: Mapping[str, object], changes: Mapping[str, int | None]) -> Content:
    """The content with other levels of some accounts and nothing else changed; None takes an account's own level away.

    ``with_level(with_level(c, {a: n}), {a: own_level(c, a)})`` is ``c``.
    """
    users = dict(_mapping(content, "users"))
    for account, level in changes.items():
        if level is None:
            users.pop(account, None)
        else:
            users[account] = level
    changed = dict(content)
    if users or "users" in content:
        changed["users"] = users
    return changed


def own_level(content: Mapping[str, object], account: str) -> int | None:
    """The level an account has of its own, None if it has none: what restores it exactly."""
    level = _mapping(content, "users").get(account)
    return None if level is None else _level(level, 0)


def merged(base: Mapping[str, object], theirs: Mapping[str, object], now: Mapping[str, object]) -> Content:
    """``now`` with what ``theirs`` changed of ``base``, where ``now`` did not change the same: no change is lost.

    Objects (users, events, notifications) are merged key by key.
    """
    found = dict(now)
    for key in {*base, *theirs}:
        before, after, mine = base.get(key), theirs.get(key), now.get(key)
        if before == after:
            continue
        if isinstance(mine, dict) and all(one is None or isinstance(one, dict) for one in (before, after)):
            inner = merged(_mapping(base, key), _mapping(theirs, key), mine)
            found[key] = inner
            if not inner and key not in theirs:
                del found[key]
        elif mine == before:
            found[key] = after
            if key not in theirs:
                del found[key]
    return found


class Enforceable(NamedTuple):
    """What can be carried out in one room.

    measures: "" for a measure that can be, else why not and how to mend it; out_of_reach: managers that no measure can
    reach, and why; notes: what else a moderator should know.
    """

    measures: Mapping[Measure, str]
    out_of_reach: Mapping[str, str]
    notes: tuple[str, ...]


def enforceable(levels: Levels, bot: str, *, encrypted: bool) -> Enforceable:
    """What ``bot`` can carry out in a room. encrypted: whether messages there are."""
    doings = {
        Measure.WARN: Do.TELL,
        Measure.HIDE: Do.HIDE,
        # Matrix has neither slow mode nor a right to links: what breaks them is hidden.
        Measure.SLOW: Do.HIDE,
        Measure.NO_LINKS: Do.HIDE,
        Measure.MUTE: Do.LEVEL,
        Measure.SUSPEND: Do.LEVEL,
        Measure.REVOKE: Do.LEVEL,
        Measure.REMOVE: Do.REMOVE,
        Measure.BAN: Do.BAN,
    }
    muted = levels.number(Say.MUTED)
    measures = {
        measure: can(levels, bot, do, to=muted if measure is Measure.MUTE else None) or ""
        for measure, do in doings.items()
    }
    reach = {account: _above(levels, bot, account) for account in sorted(levels.managers()) if account != bot}
    notes = []
    if encrypted:
        notes.append(
            "This room is encrypted: Comity sees who writes, joins and leaves, and reports, but no text. Rules about "
            "text do not fire here; a room without encryption is the only way."
        )
    if levels.created is not None and levels.created.endless and bot not in levels.created.creators:
        notes.append(
            f"Room version {levels.created.version}: its creators stand above every level. Only a room made with {bot} "
            "among its creators can be governed whole."
        )
    return Enforceable(MappingProxyType(measures), {a: why for a, why in reach.items() if why}, tuple(notes))


def _needs(levels: Levels, do: Do) -> list[tuple[int, str]]:
    """The levels that it takes, each with what for."""
    needs = {
        Do.HIDE: [(levels.to_send("m.room.redaction"), "redact"), (levels.named("redact"), "hide messages of others")],
        Do.LEVEL: [(levels.to_send("m.room.power_levels", state=True), "change power levels")],
        Do.REMOVE: [(levels.named("kick"), "remove members")],
        Do.BAN: [(levels.named("ban"), "ban")],
        Do.UNBAN: [(max(levels.named("ban"), levels.named("kick")), "lift bans")],
        Do.SAY: [(levels.to_send("m.room.message"), "write")],
    }
    return needs.get(do, [])


_UPON_SOMEBODY: Final = frozenset({Do.LEVEL, Do.REMOVE, Do.BAN, Do.UNBAN})


def _above(levels: Levels, bot: str, target: str) -> str | None:
    """Why nothing can be done to ``target``: authorisation asks for more power than the one acted upon."""
    ours, theirs = levels.level_of(bot), levels.level_of(target)
    if theirs < ours:
        return None
    if theirs == math.inf:
        version = levels.created.version if levels.created is not None else ""
        return (
            f"{target} created this room, and in room version {version} nobody can act on a creator. Only a room made "
            f"anew with {bot} as its creator can be governed whole."
        )
    return (
        f"{target} has power level {_shown(theirs)} and {bot} has {_shown(ours)}; it takes more than the other has. "
        f"Lower {target} below {_shown(ours)}, or raise {bot} above {_shown(theirs)}."
    )


def _shown(level: float) -> str:
    return "that of a creator" if level == math.inf else str(int(level))


def _mapping(content: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _level(value: object, otherwise: int) -> int:
    """A level as written; room versions before 10 also let it be written as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().removeprefix("-").isdecimal():
        return int(value)
    return otherwise
