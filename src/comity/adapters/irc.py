"""Logs of IRC: irssi, WeeChat, energymech and ZNC, and the form of the public Ubuntu logs."""

import datetime as dt
import re
import zoneinfo
from collections.abc import Iterator, Sequence
from typing import ClassVar

from comity.adapters.irc_lines import MANAGER_MARKS, NOTATIONS, Day, Notation, Said
from comity.adapters.lines import text
from comity.adapters.reader import HEAD, MOST_EVENTS, Chunk, Head, Options, Reader, folder
from comity.adapters.source import Input
from comity.adapters.stable import Clock, StableIds
from comity.core.event import Event, Role, Unread, milliseconds

_FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ[]\\~", "abcdefghijklmnopqrstuvwxyz{}|^")
_DATE = re.compile(r"(?<!\d)(\d{4})[-_]?(\d\d)[-_]?(\d\d)(?!\d)")
_DATE_FOLDERS = re.compile(r"(?<!\d)(\d{4})/(\d\d)/(\d\d)/")
_CHANNEL_IN_NAME = re.compile(r"([#&][^\s/]*?)(?:[._-]\d{4}-?\d\d-?\d\d.*)?(?:\.(?:log|txt|weechatlog|gz|zst))*$")
_CHANNEL_IN_TEXT = re.compile(r"(?:has joined|has left|[Nn]ow talking (?:in|on)|[Mm]ode[/ ]) ?([#&]\S+)")
_EXPECTED = "a line as irssi, WeeChat, energymech or ZNC write it"
_BLOCK = 131_072
_HOUR, _HALF_DAY = 3600, 43_200


def nick_id(nick: str) -> str:
    """A nick as a member's identifier: without spaces, which no nick has, and in lower case by RFC 1459 section 2.2."""
    return nick.replace(" ", "").translate(_FOLD)


class Irc(Reader):
    """One log of one channel."""

    name: ClassVar = "irc"
    title: ClassVar = "IRC logs (irssi, WeeChat, energymech, ZNC, Ubuntu)"
    fills: ClassVar = frozenset(
        {"id", "at", "kind", "community", "room", "member", "name", "role", "text", "mentions", "target"}
    )
    kinds: ClassVar = frozenset({"message", "join", "leave", "rename", "role"})

    def __init__(self, inputs: Sequence[Input], options: Options, block: int) -> None:
        super().__init__(inputs, options, min(block, _BLOCK))
        self._head: Head | None = None

    @classmethod
    def recognises(cls, head: Head) -> bool:
        """Whether most of the first lines are of one notation, and one of them names a speaker or tells of a member."""
        return _notation(head) is not None

    def starts(self) -> int | None:
        """Time of the first event in the head."""
        log = _Log(self, self.head)
        events = (event for line in self.head.lines for event in log.line(line, 0, []))
        first = next(events, None)
        return milliseconds(first.at) if first else None

    @property
    def head(self) -> Head:
        """The first bytes, looked at once."""
        if self._head is None:
            self._head = Head(self.inputs[0].name, self.inputs[0].head(HEAD))
        return self._head

    def pieces(self) -> Iterator[Chunk]:
        """Read by blocks of lines."""
        log = _Log(self, self.head)
        stream = self.inputs[0].open()
        for lines in text(stream, self.block):
            unread = [self.not_utf8(number) for number in lines.damaged]
            if lines.too_long:
                unread.append(self.too_long(lines.first))
            events: list[Event] = []
            for number, line in enumerate(lines.lines, lines.first):
                events += log.line(line, number, unread)
                if len(events) >= MOST_EVENTS - 64:
                    yield self.chunk(events, [])
                    events = []
            yield self.chunk(events, unread, stream.consumed)


class _Log:
    """One log being read: the day it stands at, and who has been seen."""

    def __init__(self, reader: Irc, head: Head) -> None:
        self._reader = reader
        self._notation = _notation(head) or NOTATIONS[0]
        self._message = self._notation.message.match
        self._community = reader.options.community or folder(reader.inputs[0])
        self._room = _room(reader.inputs[0], head)
        self._ids = StableIds("irc", self._room)
        self._times = _Times(reader.options.time_zone, _date(reader.inputs[0]), _first_clock(head, self._notation))
        self._nicks: dict[str, tuple[str, str]] = {}
        self._known: set[str] = set()

    def line(self, line: str, number: int, unread: list[Unread]) -> Sequence[Event]:
        found = self._message(line)
        if found is not None:
            clock, mark, nick, said = found.groups()
            at = self._times.at(clock)
            if at is None:
                return self._undated(number, unread)
            name, member = self._nicks.get(nick) or self._meet(nick)
            role: Role | None = None
            if mark and mark != " ":
                role = "manager" if mark in MANAGER_MARKS else "member"
            id_ = self._ids(at, member, "message", said)
            mentions = self._addressed(said)
            return (Event(id_, at, "message", self._community, self._room, member, name, role, said, mentions),)
        if not line or line.isspace():
            return ()
        return self._other(line, number, unread)

    def _other(self, line: str, number: int, unread: list[Unread]) -> Sequence[Event]:
        told = self._notation.other(line)
        if told is None:
            unread.append(self._reader.unread("the line is of no form that IRC logs have", _EXPECTED, line=number))
            return ()
        if isinstance(told, Day):
            self._times.set(told.date, told.clock)
            return ()
        events = []
        for said in told:
            at = self._times.at(said.clock) if said.clock else self._times.now()
            if at is None:
                return self._undated(number, unread)
            events.append(self._event(said, at))
        return events

    def _event(self, said: Said, at: str) -> Event:
        name, member = self._meet(said.nick)
        about = nick_id(said.other) if said.other and said.kind in {"rename", "role"} else ""
        event = Event(
            self._ids(at, member, said.kind, said.text if said.text is not None else about),
            at,
            said.kind,
            self._community,
            self._room,
            member,
            name,
            said.role,
            said.text,
        )
        if said.kind == "message":
            event.mentions = self._addressed(said.text or "")
        elif said.kind == "rename" and said.other:
            event.name, _ = self._meet(said.other)
        elif said.kind == "role":
            event.target = about
        return event

    def _meet(self, nick: str) -> tuple[str, str]:
        name = nick.replace(" ", "")
        pair = self._nicks[nick] = (name, nick_id(name))
        self._known.add(pair[1])
        return pair

    def _addressed(self, said: str) -> list[str]:
        """Members whom a message addresses the way IRC does: ``nick:`` or ``nick,`` at its beginning."""
        mentions: list[str] = []
        while True:
            word, _, said = said.partition(" ")
            if word[-1:] not in {":", ","}:
                return mentions
            member = word[:-1].translate(_FOLD)
            if member not in self._known:
                return mentions
            if member not in mentions:
                mentions.append(member)

    def _undated(self, number: int, unread: list[Unread]) -> tuple[()]:
        what = "nothing says on which day this was" if self._times.dateless else "there is no such time of day"
        expected = "a date in the file's name, as in garden.2026-03-01.log" if self._times.dateless else "a clock time"
        unread.append(self._reader.unread(what, expected, line=number))
        return ()


class _Times:
    """Clock times to UTC, the day carried along.

    A clock that falls by more than an hour passed midnight. One that falls within an hour from 11 or 12 to the hour
    after, in a log that never showed an hour past 12, is a clock of twelve hours and passed noon.
    """

    def __init__(self, zone: zoneinfo.ZoneInfo, date: dt.date | None, first: str) -> None:
        self._clock, self._first = Clock(zone), first
        self._day = dt.datetime.combine(date, dt.time.min) if date else None
        self._shown, self._passed, self._twelve, self._afternoon = 0, 0, False, False
        self._latest = ""
        self._at: str | None = None

    @property
    def dateless(self) -> bool:
        """Whether no day is known yet."""
        return self._day is None

    def set(self, date: dt.date, clock: str) -> None:
        """A line says: it is this day, and this time."""
        self._day = dt.datetime.combine(date, dt.time.min)
        self._shown = self._passed = _seconds(clock) or 0
        self._latest = ""

    def now(self) -> str | None:
        """The time of the last line that had one, else of the first that will."""
        return self.at(self._latest or self._first)

    def at(self, clock: str) -> str | None:
        """UTC of a clock time, or None if it is none or no day is known."""
        if clock != self._latest:
            self._latest, self._at = clock, self._utc(clock)
        return self._at

    def _utc(self, clock: str) -> str | None:
        local = _in_full(clock) if len(clock) > len("00:00:00") else self._local(clock)
        try:
            return self._clock.utc(local) if local else None
        except OverflowError:
            return None

    def _local(self, clock: str) -> dt.datetime | None:
        """The day and time of a clock that shows only the time."""
        seconds = _seconds(clock)
        if seconds is None or self._day is None:
            return None
        step = seconds - self._shown
        if step < -_HOUR:
            self._twelve = self._twelve or (
                not self._afternoon and self._shown >= 11 * _HOUR and step % _HALF_DAY < _HOUR
            )
            step %= _HALF_DAY if self._twelve else 2 * _HALF_DAY
        self._afternoon = self._afternoon or seconds >= 13 * _HOUR
        self._shown, self._passed = seconds, self._passed + step
        try:
            return self._day + dt.timedelta(seconds=self._passed)
        except OverflowError:
            return None


def _in_full(clock: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(clock)
    except ValueError:
        return None


def _seconds(clock: str) -> int | None:
    """Seconds since midnight, or None if there is no such time."""
    try:
        time = dt.time.fromisoformat(clock)
    except ValueError:
        return None
    return time.hour * 3600 + time.minute * 60 + time.second


def _notation(head: Head) -> Notation | None:
    """The notation that most lines are in, if they say something of members."""
    for notation in NOTATIONS:
        known = people = 0
        for line in head.lines:
            message = notation.message.match(line)
            told = None if message else notation.other(line)
            known += message is not None or told is not None
            people += message is not None or (
                isinstance(told, list) and any(said.kind in {"join", "leave", "rename"} for said in told)
            )
        if people and 2 * known >= len(head.lines):
            return notation
    return None


def _first_clock(head: Head, notation: Notation) -> str:
    """The first clock time in the head; empty if there is none."""
    return next((found[1] for line in head.lines if (found := notation.message.match(line))), "")


def _date(source: Input) -> dt.date | None:
    """The day that the file's name says, or the folders of year, month and day it lies in."""
    path = source.name if source.archive else source.path.as_posix()
    for found in [*_DATE.finditer(path.rsplit("/", 1)[-1]), *_DATE_FOLDERS.finditer(path)]:
        try:
            return dt.date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            continue
    return None


def _room(source: Input, head: Head) -> str:
    """The channel: by the file's name, a folder's, the log's own lines; else the name itself or the folder, with #."""
    path = source.name if source.archive else source.path.as_posix()
    *folders, file = path.split("/")
    if found := _CHANNEL_IN_NAME.search(file):
        return found[1].translate(_FOLD)
    if channels := [name for name in folders if name.startswith(("#", "&"))]:
        return channels[-1].translate(_FOLD)
    if found := next((found for line in head.lines if (found := _CHANNEL_IN_TEXT.search(line))), None):
        return found[1].translate(_FOLD)
    stem = _DATE.split(file)[0] if _DATE.search(file) else file.split(".")[0]
    return "#" + (stem.strip("._- ") or folder(source)).translate(_FOLD)
