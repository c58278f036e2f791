"""Moderation policy lists: from state events to entries, and from entries to the state events that publish them.

Written by the Matrix specification, v1.18, "Moderation policy lists"; MSC4204 (takedown), MSC4205 (hashes) and MSC3908
(expiry) are proposals still, and are read under both names and written under the one that others read today.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from comity.core.event import Unread
from comity.core.policy import Policy, Recommendation, Subject, hash_of
from comity.core.policy_list import Change, PolicyList

# In the order of their age, newest first: ``Change.spelling`` is the position.
PREFIXES: Final = ("m.policy.rule.", "m.room.rule.", "org.matrix.mjolnir.rule.")
TYPES: Final[Mapping[str, tuple[Subject, int]]] = {
    prefix + subject: (subject, spelling) for spelling, prefix in enumerate(PREFIXES) for subject in Subject
}
_READ: Final = {
    "m.ban": Recommendation.BAN,
    "org.matrix.mjolnir.ban": Recommendation.BAN,
    "m.takedown": Recommendation.TAKEDOWN,
    "org.matrix.msc4204.takedown": Recommendation.TAKEDOWN,
    "org.matrix.mjolnir.allow": Recommendation.ALLOW,
    "fi.mau.meowlnir.unban": Recommendation.ALLOW,
}
# What is not in the specification yet is written as Draupnir and Meowlnir read it.
_WRITTEN: Final = {
    Recommendation.BAN: "m.ban",
    Recommendation.TAKEDOWN: "org.matrix.msc4204.takedown",
    Recommendation.ALLOW: "org.matrix.mjolnir.allow",
}
_HASHES: Final = ("hashes", "org.matrix.msc4205.hashes")
_EXPIRY: Final = ("expiry", "support.feline.policy.expiry.rev.2")
_NO_REASON: Final = "<no reason supplied>"  # what Draupnir writes where nobody gave one
_LONGEST_REASON: Final = 500
_SHA256_BYTES: Final = 32
_LATEST: Final = 2**47  # milliseconds; in the year 6429, and still a date everywhere


class Published(NamedTuple):
    """A state event to be sent to the list's room."""

    type: str
    state_key: str
    content: dict[str, Any]


def read(event: object, *, room: str = "", number: int = 0) -> Iterator[Change | Unread]:
    """What one state event says of a list: nothing if it is no entry, else a change; and what could not be read.

    An entry that cannot be read empties its place: whatever stood there before, the list does not say it any more.
    room: the list's, where the event does not tell; number: of the event in what is read, from 1, for ``Unread``.
    """
    if not isinstance(event, dict):
        yield Unread(room, number, "an event that is no object", "a state event")
        return
    kind = event.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        return
    subject, spelling = TYPES[kind]
    room = _text(event, "room_id") or room
    place, content, event_id = event.get("state_key"), event.get("content"), _text(event, "event_id")
    where = f"the entry {event_id or place} ({kind})"
    if not isinstance(place, str):
        yield Unread(room, number, f"{where} has no state key", "a state event, which has a text there")
        return
    policy = None
    wrong = None
    if not isinstance(content, dict):
        wrong = Unread(room, number, f"{where} has no content", "an object")
    elif {"entity", "recommendation", *_HASHES} & content.keys():
        try:
            policy = _policy(content, subject, event, room)
        except _NotReadError as e:
            wrong = Unread(room, number, f"{where} {e.what}", e.expected)
    yield Change(subject=subject, place=place, spelling=spelling, policy=policy, event=event_id)
    if wrong is not None:
        yield wrong


def read_all(events: Iterable[object], *, room: str = "") -> tuple[list[Change], list[Unread]]:
    """The changes that state events make, and what could not be read; everything that is no entry is passed over."""
    found = [each for number, event in enumerate(events, 1) for each in read(event, room=room, number=number)]
    return [f for f in found if isinstance(f, Change)], [f for f in found if isinstance(f, Unread)]


def read_list(events: Iterable[object], *, room: str = "") -> tuple[PolicyList, list[Unread]]:
    """A list from the state of its room (``GET /rooms/{id}/state``), under the room's name if it has one.

    room: what the list is called where no event tells its room.
    """
    events = list(events)
    told = [e for e in events if isinstance(e, dict)]
    room = next((id_ for e in told if (id_ := _text(e, "room_id"))), room)
    titles = [e.get("content") for e in told if e.get("type") == "m.room.name"]
    name = next((_clean(t.get("name")) for t in reversed(titles) if isinstance(t, dict)), "")
    changes, unread = read_all(events, room=room)
    return PolicyList(room, name, changes), unread


def redacted(event: object) -> str:
    """The id of the event that a redaction takes back, "" if the event is none (before and since room version 11)."""
    if not isinstance(event, dict) or event.get("type") != "m.room.redaction":
        return ""
    content = event.get("content")
    return _text(event, "redacts") or (_text(content, "redacts") if isinstance(content, dict) else "")


def publish(policy: Policy, *, hide: bool = False) -> Published:
    """The state event that puts an entry on a list of ours, with the state key that Draupnir gives it.

    hide: write a hash instead of the entity, so that an abusive name is not spread (MSC4205); raises ValueError for a
    pattern, which has no hash. A takedown says no reason (MSC4204). An entry known by its hash alone gets a key of our
    own, as Draupnir's is made of the entity.
    """
    recommendation = _WRITTEN[policy.recommendation]
    content: dict[str, Any] = {"recommendation": recommendation}
    if policy.hashed or hide:
        if "*" in policy.entity or "?" in policy.entity:
            raise ValueError(f"a pattern cannot be hidden by a hash, got {policy.entity!r}")
        sha256 = policy.hashed or hash_of(policy.entity)
        content["org.matrix.msc4205.hashes"] = {"sha256": sha256 + "="}
    else:
        content["entity"] = policy.entity
    if policy.recommendation is not Recommendation.TAKEDOWN:
        content["reason"] = policy.reason or _NO_REASON
    if policy.until is not None:
        content["support.feline.policy.expiry.rev.2"] = policy.until
    key = hashlib.sha256(((policy.entity or policy.hashed) + recommendation).encode("utf-8", "surrogatepass"))
    return Published(PREFIXES[0] + policy.subject, base64.b64encode(key.digest()).decode(), content)


def withdraw(policies: PolicyList, policy: Policy) -> list[Published]:
    """The state events that take an entry off a list of ours, under every name its kind was written with."""
    return [Published(PREFIXES[n] + policy.subject, place, {}) for place, n in policies.places(policy)]


def server_of(account: str) -> str:
    """The server of an account, ``@local:server``, without its port, as server entries name it; "" if there is none."""
    server = account.partition(":")[2]
    if server.startswith("["):  # an IPv6 address
        return server.partition("]")[0] + "]"
    return server.partition(":")[0]


class _NotReadError(Exception):
    def __init__(self, what: str, expected: str) -> None:
        super().__init__(what)
        self.what, self.expected = what, expected


def _policy(content: Mapping[str, Any], subject: Subject, event: Mapping[str, Any], room: str) -> Policy:
    said = content.get("recommendation")
    if not isinstance(said, str) or said not in _READ:
        raise _NotReadError("recommends nothing that is known here", "one of " + ", ".join(_READ))
    entity, hashed = content.get("entity"), ""
    if entity is None:
        entity, hashed = "", _hash(content)
    elif not isinstance(entity, str) or not entity:
        raise _NotReadError("has an entity that is no text", "an account, a server or a room")
    reason = _clean(content.get("reason"))
    return Policy(
        subject=subject,
        recommendation=_READ[said],
        entity=entity,
        hashed=hashed,
        reason="" if reason == _NO_REASON else reason,
        list=room,
        by=_text(event, "sender"),
        event=_text(event, "event_id"),
        at=_moment(event.get("origin_server_ts")),
        until=next((until for key in _EXPIRY if (until := _moment(content.get(key)))), None),
    )


def _hash(content: Mapping[str, Any]) -> str:
    hashes = next((h for key in _HASHES if (h := content.get(key)) is not None), None)
    if hashes is None:
        raise _NotReadError("names nobody", "an entity, or hashes of one")
    sha256 = hashes.get("sha256") if isinstance(hashes, dict) else None
    if isinstance(sha256, str):
        # Standard or URL-safe alphabet, padded or not: the proposal does not say, and both are seen.
        bare = sha256.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            digest = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        except binascii.Error:
            digest = b""
        if len(digest) == _SHA256_BYTES:
            return base64.b64encode(digest).decode().rstrip("=")
    raise _NotReadError("has no hash that can be read", "sha256 in base64, 32 bytes")


def _moment(value: object) -> int:
    """A time in milliseconds since 1970 that a date can show; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LATEST else 0


def _text(event: Mapping[str, Any], key: str) -> str:
    value = event.get(key)
    return value if isinstance(value, str) else ""


def _clean(reason: object) -> str:
    """One line that is safe to show: what others write on their lists is not ours to trust."""
    if not isinstance(reason, str):
        return ""
    line = " ".join("".join(c if c.isprintable() else " " for c in reason[: 4 * _LONGEST_REASON]).split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"
