"""The event: anything that happened on a platform, in one shape; also our NDJSON interchange format."""

import datetime as dt
from typing import Literal, get_args

import msgspec

Kind = Literal["message", "edit", "redaction", "reaction", "join", "leave", "rename", "report", "role"]
Role = Literal["member", "manager", "bot"]

KINDS: tuple[str, ...] = get_args(Kind)
ROLES: tuple[str, ...] = get_args(Role)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)


class Media(msgspec.Struct, frozen=True, gc=False):
    """A file with a message. type: MIME type; size: bytes; hash: ``md5:``, ``sha256:`` or ``pdq:`` and hexadecimal."""

    type: str
    size: int | None = None
    hash: str | None = None


class Event(msgspec.Struct, gc=False):
    """One event. All but the first six fields may be missing: what a platform does not say is unknown.

    id: unique on its platform; at: RFC 3339 in UTC; community, room, member: the platform's own identifiers;
    name: as displayed then, after a rename the new one; role: the member's (in a ``role`` event the one that ``target``
    is given); mentions: members' identifiers; reply_to: an event's id; target: the event or member that an edit,
    redaction, reaction, report or role is about; account_created_at: RFC 3339; messages_before: messages of this member
    in this community before this event, >= 0.
    """

    id: str
    at: str
    kind: Kind
    community: str
    room: str
    member: str
    name: str | None = None
    role: Role | None = None
    text: str | None = None
    mentions: list[str] | None = None
    reply_to: str | None = None
    target: str | None = None
    media: list[Media] | None = None
    account_created_at: str | None = None
    messages_before: int | None = None


class Unread(msgspec.Struct, frozen=True, gc=False):
    """A piece of input that could not be read as it is: where it stands, what is wrong, what was expected.

    line: from 1, or 0 where the format has no lines; what and expected: one sentence each, without message text.
    """

    path: str
    line: int
    what: str
    expected: str


def rfc3339(at: dt.datetime) -> str:
    """Write an aware time as RFC 3339 in UTC with milliseconds. Raises ValueError if the time is naive."""
    if at.tzinfo is None:
        raise ValueError(f"a time needs a time zone, got {at.isoformat()}")
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 time. Raises ValueError if it is none, or has no offset."""
    at = dt.datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time needs an offset, Z or +02:00, got {text!r}")
    return (at - EPOCH) // _MILLISECOND


def moment(at: int) -> dt.datetime:
    """The aware UTC time of milliseconds since 1970."""
    return EPOCH + at * _MILLISECOND
