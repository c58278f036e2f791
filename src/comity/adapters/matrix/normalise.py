"""Client events of Matrix into events: the one translation that exports and all three ways in share. Pure.

Source: Matrix specification v1.16, Client-Server API, "Room event format" and the modules it names; room versions 10
to 12, whose room ids need have no domain and are never taken apart.
"""

import datetime as dt
import html
import re
import urllib.parse
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from comity.adapters.matrix import power
from comity.adapters.stable import plausible
from comity.core.event import EPOCH, Event, Media, Unread, moment, rfc3339

Content = dict[str, object]
FRESH: Final = dt.timedelta(seconds=30)
"""Within this an event's own time is taken for the clock of its sender, which anybody can set, and the arrival counts;
beyond, for the past: what waited while we were away was not written in the moment we came back."""
EXPECTED: Final = "a client event of the Matrix specification"
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_PILL = re.compile(r"https://matrix\.to/#/(@[^\"'?/\s]+|%40[^\"'?/\s]+)")
_LINK = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s<>"']+))""", re.IGNORECASE)
_PILL_WHOLE = re.compile(r"<a\s[^<>]*matrix\.to/#/(?:@|%40)[^<>]*>[^<>]*</a>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_WORD = re.compile(r"\w+")
_UNKNOWN_TYPE: Final = "application/octet-stream"


class Unsigned(msgspec.Struct):
    """What the homeserver adds."""

    prev_content: Content | None = None
    redacted_because: object = None


class ClientEvent(msgspec.Struct):
    """Client-Server API, section "Room event format"."""

    event_id: str
    type: str
    sender: str
    origin_server_ts: int
    content: Content = {}
    room_id: str | None = None
    state_key: str | None = None
    redacts: str | None = None
    unsigned: Unsigned | None = None
    prev_content: Content | None = None

    @property
    def before(self) -> Content:
        """The content of the state that this event replaced."""
        return self.prev_content or (self.unsigned.prev_content if self.unsigned else None) or {}


REPORT: Final = "io.comity.report"
"""The type that a report by a member's client has here; from a room it is not taken, so that nobody can make one up."""


@dataclass(slots=True)
class Known:
    """What is known of rooms besides their messages, carried from batch to batch.

    names: as shown in a room, by (room, account); levels: by room. With it, messages carry name and role of who sent
    them.
    """

    names: dict[tuple[str, str], str] = field(default_factory=dict)
    levels: dict[str, power.Levels] = field(default_factory=dict)

    def fill(self, event: Event) -> None:
        """Give an event its member's name and role where they are known, and remember a name it brings."""
        key = (event.room, event.member)
        if event.name is not None:
            self.names[key] = event.name
        else:
            event.name = self.names.get(key)
        levels = self.levels.get(event.room)
        if event.role is None and levels is not None:
            event.role = "manager" if levels.manages(event.member) else "member"
        if event.kind == "leave":
            self.names.pop(key, None)


class Normalised(NamedTuple):
    """A batch, translated.

    events: in the order they came; unread: what could not be read; gone: events whose content was redacted before we
    saw it. Nothing can be found in those and nobody is answerable for them, so they are kept apart.
    """

    events: list[Event]
    unread: list[Unread]
    gone: list[Event]


def normalise(
    items: Iterable[object],
    communities: Mapping[str, str],
    arrived: dt.datetime,
    *,
    known: Known | None = None,
    ours: Container[str] = frozenset(),
    fresh: dt.timedelta = FRESH,
) -> Normalised:
    """Translate client events as they come from a homeserver, as decoded JSON.

    communities: which community a room belongs to, by room id; events of other rooms are left out; arrived: when they
    came, aware; known: what is known of the rooms, and goes on being learnt here; ours: our own accounts, whose deeds
    are left out, for they are no news to us. Raises ValueError if ``arrived`` is naive.
    """
    now, bound = (arrived - EPOCH) // _MILLISECOND, fresh // _MILLISECOND
    shown = rfc3339(arrived)
    done = Normalised([], [], [])
    for item in items:
        try:
            source = msgspec.convert(item, ClientEvent)
            own = plausible(source.origin_server_ts)
        except (msgspec.ValidationError, ValueError) as error:
            done.unread.append(unread(item, error))
            continue
        if source.room_id is None:
            done.unread.append(unread(item, ValueError("it is in no room")))
            continue
        community = communities.get(source.room_id)
        if community is None:
            continue
        at = shown if own > now - bound else rfc3339(moment(own))
        into = done.events if obtained(source) else done.gone
        into += [e for e in translate(source, community, source.room_id, at, known) if e.member not in ours]
    return done


def translate(source: ClientEvent, community: str, room: str, at: str, known: Known | None = None) -> list[Event]:
    """The events that one client event tells of: mostly one; none of what no kind exists for; one for each new role."""
    if source.type == "m.room.power_levels" and source.state_key == "":
        return _roles(source, community, room, at, known)
    if source.type == "m.room.create" and source.state_key == "" and known is not None:
        known.levels[room] = power.Levels(None, power.created(source.sender, source.content))
    fill = _FILL.get(source.type)
    if fill is None:
        return []
    event = Event(source.event_id, at, "message", community, room, source.sender)
    if not fill(source, event):
        return []
    if known is not None:
        known.fill(event)
    return [event]


def obtained(source: ClientEvent) -> bool:
    """Whether the content came with it; False of what was redacted before we saw it.

    What a redaction leaves whole (who joined, who was removed, what is redacted) is there all the same.
    """
    if source.type not in _WRITTEN:
        return True
    return bool(source.content) and not (source.unsigned and source.unsigned.redacted_because)


def unread(item: object, error: Exception, path: str = "matrix", line: int = 0) -> Unread:
    """Name what could not be read, by its id where it has one."""
    number = item.get("event_id") if isinstance(item, dict) else None
    where = f"event {number}: " if isinstance(number, str) else ""
    return Unread(path, line, f"{where}{error}", EXPECTED)


def _string(content: Content, key: str) -> str | None:
    found = content.get(key)
    return found if isinstance(found, str) else None


def _object(content: Content, key: str) -> Content:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _message(source: ClientEvent, event: Event) -> bool:
    """A message, or with m.replace an edit. One that was redacted or is encrypted is a message of unknown text."""
    relation = _object(source.content, "m.relates_to")
    content = source.content
    if _string(relation, "rel_type") == "m.replace":
        event.kind, event.target = "edit", _string(relation, "event_id")
        content = _object(source.content, "m.new_content") or source.content
    event.reply_to = _reply_to(relation)
    answers = event.reply_to is not None
    formatted = _string(content, "formatted_body")
    if formatted is not None and answers:
        formatted = _without_reply(formatted)
    event.text = _text(content, formatted, answers=answers)
    event.mentions = _mentions(content, formatted)
    if "url" in content or "file" in content:
        event.media = [_media(_object(content, "info"))]
    return True


def _reply_to(relation: Content) -> str | None:
    """What is answered; in a thread, where nothing is answered in particular, the message it began with."""
    answered = _string(_object(relation, "m.in_reply_to"), "event_id")
    if _string(relation, "rel_type") == "m.thread" and (answered is None or relation.get("is_falling_back") is True):
        return _string(relation, "event_id")
    return answered


def _text(content: Content, formatted: str | None, *, answers: bool) -> str | None:
    """What readers see: the body or a caption, and what the formatted body shows besides.

    A file's body is its name, unless it has a name of its own: then it is a caption (specification v1.10).
    """
    body = _string(content, "body")
    if body is None:
        return _plain(formatted) if formatted is not None else None
    if _string(content, "msgtype") in _FILES and not _is_caption(content, body):
        return ""
    if answers and body.startswith("> "):
        body = _without_quote(body)
    return body if formatted is None else _with_formatted(body, formatted)


def _is_caption(content: Content, body: str) -> bool:
    name = _string(content, "filename")
    return body != name if name is not None else "://" in body or "\n" in body


def _with_formatted(body: str, formatted: str) -> str:
    """The body, and below it what only those see who are shown the formatted one: other words, and where links lead."""
    shown = _plain(_PILL_WHOLE.sub(" ", formatted))  # a pill shows a member's name, whatever is written in it
    if not set(_WORD.findall(shown)) <= set(_WORD.findall(body)):
        body = f"{body}\n{shown}"
    for quoted, single, bare in _LINK.findall(formatted):
        link = html.unescape(quoted or single or bare)
        if link not in body and not _PILL.match(link):
            body = f"{body}\n{link}"
    return body


def _plain(formatted: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", formatted)).split())


def _without_quote(body: str) -> str:
    """The reply without the fallback that clients used to put before it (rich replies, specification v1.1)."""
    lines = body.split("\n")
    first = next((i for i, line in enumerate(lines) if not line.startswith("> ")), len(lines))
    rest = lines[first:]
    return "\n".join(rest[1:] if rest and not rest[0] else rest)


def _without_reply(formatted: str) -> str:
    """The same of the formatted body; what has no end is no quote."""
    before, begins, rest = formatted.partition("<mx-reply>")
    _quote, ends, after = rest.partition("</mx-reply>")
    return before + after if begins and ends else formatted


def _mentions(content: Content, formatted: str | None) -> list[str] | None:
    """m.mentions, else the pills of older clients; None where neither tells."""
    if "m.mentions" in content:
        users = _object(content, "m.mentions").get("user_ids")
        return [user for user in users if isinstance(user, str)] if isinstance(users, list) else []
    if formatted is None:
        return None
    return list(dict.fromkeys(urllib.parse.unquote(pill) for pill in _PILL.findall(formatted)))


def _media(about: Content) -> Media:
    size = about.get("size")
    whole = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    return Media(_string(about, "mimetype") or _UNKNOWN_TYPE, size if whole and isinstance(size, int) else None)


def _sticker(source: ClientEvent, event: Event) -> bool:
    """A picture whose body says what it shows."""
    relation = _object(source.content, "m.relates_to")
    event.text, event.reply_to = _string(source.content, "body"), _reply_to(relation)
    if source.content:
        event.media = [_media(_object(source.content, "info"))]
    return True


def _encrypted(source: ClientEvent, event: Event) -> bool:
    """A message of unknown text; what it answers is told in the clear."""
    event.reply_to = _reply_to(_object(source.content, "m.relates_to"))
    return True


def _redaction(source: ClientEvent, event: Event) -> bool:
    """The target stands at the top, or from room version 11 on in the content."""
    event.kind = "redaction"
    event.target = source.redacts or _string(source.content, "redacts")
    event.text = _string(source.content, "reason")
    return True


def _reaction(source: ClientEvent, event: Event) -> bool:
    """A key is text; or a picture, whose text is the short code it goes by."""
    relation = _object(source.content, "m.relates_to")
    event.kind, event.text, event.target = "reaction", _string(relation, "key"), _string(relation, "event_id")
    if event.text is not None and event.text.startswith("mxc://"):
        code = _string(source.content, "shortcode") or _string(source.content, "com.beeper.reaction.shortcode")
        event.text, event.media = code or "", [Media(_UNKNOWN_TYPE)]
    return event.target is not None


def _membership(source: ClientEvent, event: Event) -> bool:
    """A join, a leave, or a new name; who is removed or banned leaves."""
    before = source.before
    was, now = _string(before, "membership"), _string(source.content, "membership")
    event.member = source.state_key or source.sender
    event.name = _string(source.content, "displayname")
    if now == "join" and was == "join":
        event.kind = "rename"
        return event.name != _string(before, "displayname")
    if now == "join":
        event.kind = "join"
        return True
    if now in {"leave", "ban"} and was in {"join", None}:
        event.kind, event.name = "leave", event.name or _string(before, "displayname")
        return True
    return False


def _roles(source: ClientEvent, community: str, room: str, at: str, known: Known | None) -> list[Event]:
    """One event for each account that manages the room from now on, or no longer does.

    Where nobody knows what was before, nothing is told.
    """
    last = known.levels.get(room) if known is not None else None
    creation = last.created if last is not None else None
    now = power.Levels(source.content, creation)
    was = power.Levels(source.before, creation) if source.before else last
    if known is not None:
        known.levels[room] = now
    if was is None:
        return []
    found = []
    for account in sorted({*was.users, *now.users}):
        if was.manages(account) == now.manages(account):
            continue
        event = Event(f"{source.event_id}/{account}", at, "role", community, room, source.sender, target=account)
        event.role = "manager" if now.manages(account) else "member"
        if known is not None:
            known.fill(event)
        found.append(event)
    return found


def _report(source: ClientEvent, event: Event) -> bool:
    """A report of a message; whose it is stands as who is mentioned."""
    target, about = _string(source.content, "event_id"), _string(source.content, "sender")
    event.kind, event.target, event.text = "report", target, _string(source.content, "reason")
    event.mentions = [about] if about else None
    return target is not None


_FILL = {
    REPORT: _report,
    "m.room.message": _message,
    "m.sticker": _sticker,
    "m.room.encrypted": _encrypted,
    "m.room.redaction": _redaction,
    "m.reaction": _reaction,
    "m.room.member": _membership,
}
_WRITTEN: Final = frozenset({"m.room.message", "m.sticker", "m.room.encrypted", "m.reaction"})
_FILES: Final = frozenset({"m.image", "m.video", "m.audio", "m.file"})
