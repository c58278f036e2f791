"""What is asked of a platform, and what came of it: the joint between decisions and adapters.

A decision is committed together with the actions it needs; an adapter carries them out later, perhaps after a crash,
perhaps twice. So an action's id is made once and kept: under one id the platform does one thing.
"""

from enum import StrEnum
from typing import Final

import msgspec


class Do(StrEnum):
    """What is to be done.

    hide: remove ``event`` from view; level: give ``account`` another say in ``room`` (``to``); remove: from ``room``,
    free to come back; ban, unban: in ``room``; tell: a direct message to ``account``; say: a message in ``room``.
    """

    HIDE = "hide"
    LEVEL = "level"
    REMOVE = "remove"
    BAN = "ban"
    UNBAN = "unban"
    TELL = "tell"
    SAY = "say"


class Say(StrEnum):
    """How much say an account has in a room, where a level is meant and not a figure of one platform."""

    MUTED = "muted"  # reads, cannot write
    MEMBER = "member"  # what everybody has there
    MANAGER = "manager"  # manages the room
    BEFORE = "before"  # what it had before ``undoes`` was carried out, exactly


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do on a platform.

    id: 1 to 64 of ``[A-Za-z0-9_-]``, unique and lasting; decision: number of the decision it carries out, 0 for none;
    after: ids of actions that must be done first (a successor is promoted before a manager is demoted); where one of
    them cannot be done, neither is this; room, account, event: the platform's identifiers, "" where none is meant;
    to: only of ``level``; undoes: the id of an earlier ``level`` action whose "before" is meant; reason: one sentence
    for the platform's own reason field; text: of ``tell`` and ``say``, plain, lines parted by newlines.
    """

    id: str
    do: Do
    decision: int = 0
    after: tuple[str, ...] = ()
    room: str = ""
    account: str = ""
    event: str = ""
    to: Say | None = None
    undoes: str = ""
    reason: str = ""
    text: str = ""


class Came(StrEnum):
    """What came of an action: done; cannot (there is no way, trying again would not help); again (later)."""

    DONE = "done"
    CANNOT = "cannot"
    AGAIN = "again"


class Outcome(msgspec.Struct, frozen=True):
    """What came of trying an action.

    why: one sentence a moderator can act on, unless done; wait: seconds until the next try at least, None where the
    platform does not say; before: of ``level``, what the platform held before, as the adapter needs it to restore it
    exactly (JSON); made: the platform's id of what was made (a redaction, a message), "" if none.
    """

    came: Came
    why: str = ""
    wait: float | None = None
    before: str = ""
    made: str = ""


DONE: Final = Outcome(Came.DONE)
