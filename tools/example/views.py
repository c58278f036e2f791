"""What a room looks like: the events of its end, as lines to be shown. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from comity.adapters.matrix.power import Levels
from comity.core.action import Say
from comity.core.event import moment
from example.authorise import Event, content_of, levels_of
from example.rooms import Room

MOST: Final = 400  # events looked at
_LINES: Final = 120  # of them shown


@dataclass(slots=True)
class Line:
    """One line. kind: ``message``, ``hidden`` or ``note`` (what happened besides); at: when, UTC.

    who: the account; text: what was written, or what happened; why: the reason something was hidden; reactions: how
    many of each; times: for how many messages in a row of theirs it stands, which were hidden for the same reason.
    """

    id: str
    kind: str
    who: str
    name: str
    at: dt.datetime
    text: str
    why: str = ""
    role: str = ""
    answers: str = ""
    edited: bool = False
    times: int = 1
    reactions: Counter[str] = field(default_factory=Counter)

    @property
    def state(self) -> str:
        """What changes when the line is to be shown anew."""
        reactions = " ".join(f"{key}{n}" for key, n in self.reactions.items())
        return f"{self.kind} {self.edited} {self.times} {reactions} {len(self.text)}"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a member can do in a room now. says: why they cannot write, "" if they can."""

    inside: bool
    manages: bool
    says: str


def lines(room: Room, bot: str) -> list[Line]:
    """The end of a room, oldest first."""
    found: dict[str, Line] = {}
    names = _Names(room, bot)
    for event in room.events[-MOST:]:
        content, kind = content_of(event), event["type"]
        relation = content.get("m.relates_to")
        about = relation if isinstance(relation, dict) else {}
        target = found.get(str(about.get("event_id")))
        if kind == "m.reaction" and target is not None:
            target.reactions[str(about.get("key"))] += 1
        elif about.get("rel_type") == "m.replace":
            newer = content.get("m.new_content")
            if target is not None and target.kind == "message" and isinstance(newer, dict):
                target.text, target.edited = str(newer.get("body", "")), True
        elif kind == "m.room.message":
            line = _message(event, names)
            answered = about.get("m.in_reply_to")
            if isinstance(answered, dict) and (first := found.get(str(answered.get("event_id")))):
                line.answers = first.name
            found[line.id] = line
        elif text := _note(event, names):
            found[str(event["event_id"])] = _line(event, "note", names, text)
    return _gathered(found.values())[-_LINES:]


def _gathered(some: Iterable[Line]) -> list[Line]:
    """What was hidden alike, of one member and in a row, as one line."""
    found: list[Line] = []
    for line in some:
        last = found[-1] if found else None
        if (
            last is not None
            and line.kind == "hidden"
            and (last.kind, last.who, last.why) == ("hidden", line.who, line.why)
        ):
            last.times += 1
        else:
            found.append(line)
    return found


def managers(room: Room, bot: str) -> list[str]:
    """The names of those who manage a room and are in it, the bot left out."""
    return sorted(
        room.name_of(a) for a in levels_of(room.state).managers() if a != bot and room.membership(a) == "join"
    )


def standing(room: Room, account: str) -> Standing:
    """What a member can do here."""
    levels = levels_of(room.state)
    inside = room.membership(account) == "join"
    mute = levels.level_of(account) < levels.to_send("m.room.message")
    says = ""
    if room.membership(account) == "ban":
        says = "You are banned from this room."
    elif inside and mute:
        says = "You are muted here for now: you can read, and not write. Why, and until when, stands in your messages."
    return Standing(inside, levels.manages(account), says)


class _Names:
    def __init__(self, room: Room, bot: str) -> None:
        self._room, self.bot, self.levels = room, bot, levels_of(room.state)

    def of(self, account: str) -> str:
        return self._room.name_of(account)

    def role(self, account: str) -> str:
        if account == self.bot:
            return "bot"
        return "manages" if self.levels.manages(account) else ""


def _line(event: Event, kind: str, names: _Names, text: str, why: str = "") -> Line:
    who, at = str(event["sender"]), event["origin_server_ts"]
    when = moment(at if isinstance(at, int) else 0)
    return Line(str(event["event_id"]), kind, who, names.of(who), when, text, why, names.role(who))


def _message(event: Event, names: _Names) -> Line:
    unsigned = event["unsigned"]
    because = unsigned.get("redacted_because") if isinstance(unsigned, dict) else None
    if isinstance(because, dict):
        by = names.of(str(because["sender"]))
        return _line(event, "hidden", names, f"hidden by {by}.", str(content_of(because).get("reason") or ""))
    content = content_of(event)
    return _line(event, "message", names, str(content.get("body", "")))


def _note(event: Event, names: _Names) -> str:
    """A sentence about what happened, "" if there is nothing to say."""
    content, key = content_of(event), str(event.get("state_key", ""))
    unsigned = event["unsigned"]
    found = unsigned.get("prev_content") if isinstance(unsigned, dict) else None
    before: Mapping[str, object] = found if isinstance(found, dict) else {}
    if event["type"] == "m.room.power_levels":
        return _of_levels(before, content, names)
    if event["type"] != "m.room.member":
        return ""
    by = "" if key == event["sender"] else names.of(str(event["sender"]))
    return _of_membership(names.of(key), by, before, content)


def _of_membership(who: str, by: str, before: Mapping[str, object], content: Mapping[str, object]) -> str:
    """by: who did it, "" for themselves."""
    was, now = before.get("membership"), content.get("membership")
    reason = f" {content['reason']}" if content.get("reason") else ""
    if now == "join":
        return f"{who} joins." if was != "join" else ""
    if now == "ban":
        return f"{who} is banned by {by}.{reason}"
    if now == "leave" and was in {"join", "ban"}:
        if was == "ban":
            return f"{by} lifts the ban of {who}.{reason}"
        return f"{who} is removed by {by}.{reason}" if by else f"{who} leaves."
    return ""


def _of_levels(before: Mapping[str, object], now: Mapping[str, object], names: _Names) -> str:
    had, has = (Levels(content, None) for content in (before, now))
    told = []
    for account in sorted({*had.users, *has.users} - {names.bot}) if before else ():
        was, says = had.say_of(account), has.say_of(account)
        if was is not says:
            told.append(f"{names.of(account)} {_SAYS[says] if says is not Say.MEMBER else _NO_MORE[was]}.")
    return " ".join(told)


_SAYS: Final = {Say.MANAGER: "manages this room now", Say.MUTED: "is muted"}
_NO_MORE: Final = {Say.MANAGER: "no longer manages this room", Say.MUTED: "can write again"}
