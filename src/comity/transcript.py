"""Chats written down as plain lines: the examples of rules, and what tests read.

``12:00:02 #garden ana (manager, account 2h old, 3 messages) [image/png md5:...]: and no sugar``; without a colon
``joins`` or ``leaves``. ``@bo`` in the text mentions bo. What stands in parentheses and brackets may be missing; it
is unknown then.
"""

import datetime as dt
import re

from comity.core.event import Event, Kind, Media, Role, rfc3339
from comity.language import duration

DAY = dt.date(2026, 5, 1)
_LINE = re.compile(
    r"(?P<clock>\d\d:\d\d:\d\d)\s+(?P<room>#\S+)\s+(?P<who>[^\s:(\[]+)\s*(?:\((?P<facts>[^)]*)\))?\s*"
    r"(?:\[(?P<media>[^\]]*)\])?\s*(?::\s(?P<text>.*)|(?P<deed>joins|leaves))"
)
_MENTION = re.compile(r"(?<!\w)@([\w-]+)")
_KINDS: dict[str, Kind] = {"joins": "join", "leaves": "leave"}
_ROLES: dict[str, Role] = {"member": "member", "manager": "manager", "bot": "bot"}


def chat(transcript: str, *, day: dt.date = DAY, community: str = "tea") -> list[Event]:
    """The events of a transcript, a line each, on one day in UTC. Raises ValueError at a line that is none."""
    events = []
    for number, raw in enumerate(transcript.strip().splitlines(), 1):
        line = raw.strip()
        if not line:
            continue
        if (match := _LINE.fullmatch(line)) is None:
            raise ValueError(f"line {number} is none of a transcript: {line!r}; expected HH:MM:SS #room name: text")
        events.append(_event(match, number, day, community))
    return events


def told(event: Event) -> str:
    """An event as an example's ``finds`` names it: ``12:00:02 ana: and no sugar``."""
    clock = event.at[11:19]
    if event.kind in ("join", "leave"):
        return f"{clock} {event.name} {event.kind}s"
    return f"{clock} {event.name}: {event.text}"


def _event(match: re.Match[str], number: int, day: dt.date, community: str) -> Event:
    at = dt.datetime.combine(day, dt.time.fromisoformat(match["clock"]), dt.UTC)
    text = match["text"]
    event = Event(
        id=f"{day}/{number}",
        at=rfc3339(at),
        kind=_KINDS.get(match["deed"] or "", "message"),
        community=community,
        room=match["room"],
        member=match["who"],
        name=match["who"],
        text=text,
        mentions=None if text is None else _MENTION.findall(text),
    )
    for fact in filter(None, (f.strip() for f in (match["facts"] or "").split(","))):
        _tell(event, fact, at)
    if match["media"]:
        kind, _, file_hash = match["media"].partition(" ")
        event.media = [Media(kind, hash=file_hash or None)]
    return event


def _tell(event: Event, fact: str, at: dt.datetime) -> None:
    if fact in _ROLES:
        event.role = _ROLES[fact]
    elif found := re.fullmatch(r"account (\w+) old", fact):
        event.account_created_at = rfc3339(at - dt.timedelta(milliseconds=duration(found[1])))
    elif found := re.fullmatch(r"(\d+) messages?", fact):
        event.messages_before = int(found[1])
    else:
        raise ValueError(f"{fact!r} says nothing about a member; expected manager, account 2h old or 3 messages")
