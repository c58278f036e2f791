"""The notations of IRC logs: what a line says, before anybody asks when and where."""

import calendar
import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from comity.core.event import Kind, Role


class Said(NamedTuple):
    """One thing that a line says.

    clock: as written, or empty where the line has none; other: the new nick, or whom it is about.
    """

    clock: str
    kind: Kind
    nick: str
    text: str | None = None
    other: str | None = None
    role: Role | None = None


class Day(NamedTuple):
    """A line that says which day it is from here on; clock: the time, where it says that too."""

    date: dt.date
    clock: str


@dataclass(frozen=True, slots=True)
class Notation:
    """One way of writing a log. message: groups clock, mark, nick, text; other: every other line, None if not known."""

    name: str
    message: re.Pattern[str]
    other: Callable[[str], list[Said] | Day | None]


MANAGER_MARKS = "@&~%!"
_CLOCK = r"(\d\d:\d\d(?::\d\d)?)"
_SPEAKER = r"<([@+%&~! ]?)([^>]*)> ?(.*)$"
_MONTHS = {name: n for n, name in enumerate(calendar.month_abbr[1:], 1)}
_MARKS = str.maketrans("", "", "@&~%!+ ")

# What servers and programs tell of members. Nicks are taken loosely: some loggers break them after a bracket.
_JOINED = re.compile(r"(.+?) +[\[(](.*)[\])] +has joined (\S+)")
_LEFT = re.compile(r"(.+?) +[\[(](\S*@.*?)[\])] +has (?:left|quit)\b.*")
_LEFT_BARE = re.compile(r"(\S+) has (?:left|quit)(?: \S+)?(?: [\[(].*[\])])?")
_RENAMED = re.compile(r"(?:You're|(.+?) (?:is|are)) now known as (.+)")
_KICKED = re.compile(r"(\S+) was kicked (?:off|from|by) (.*)")
_HAS_KICKED = re.compile(r"(\S+) has kicked (\S+)(?: \(.*\))?")
_MODE = re.compile(r"[Mm]ode[/ ]\S+ \[([+-]\S+) ?(.*?)\] +by (.+)")
_SETS_MODE = re.compile(r"(\S+) sets mode: ([+-]\S+) ?(.*)")
_SPLIT = re.compile(r"Netsplit \S+ <-> \S+ quits: (.*)")
_UNSPLIT = re.compile(r"Netsplit over, joins: (.*)")
_VERBS = re.compile(r"(Joins|Parts|Quits): (\S+)(?: .*)?")
_NOTICE = re.compile(r"-([^:\s]+):([#&+!]\S*)- ?(.*)")
_ELSEWHERE = re.compile(r"\(([^/\s]+)/([#&+!]\S*)\) (.*)")


def _told(clock: str, line: str) -> list[Said] | None:
    """Joins, leaves, renames and appointments in the words that most programs share; None if it is none of these."""
    for pattern, read in _WORDS:
        if found := pattern.fullmatch(line):
            return read(clock, found)
    return None


def _renamed(clock: str, found: re.Match[str]) -> list[Said]:
    """Whoever kept the log does not say its own nick."""
    return [Said(clock, "rename", found[1], other=found[2])] if found[1] else []


_WORDS: tuple[tuple[re.Pattern[str], Callable[[str, re.Match[str]], list[Said]]], ...] = (
    (_JOINED, lambda clock, found: [Said(clock, "join", found[1], other=found[3])]),
    (_LEFT, lambda clock, found: [Said(clock, "leave", found[1])]),
    (_LEFT_BARE, lambda clock, found: [Said(clock, "leave", found[1])]),
    (_RENAMED, _renamed),
    (_KICKED, lambda clock, found: [Said(clock, "leave", found[1])]),
    (_HAS_KICKED, lambda clock, found: [Said(clock, "leave", found[2])]),
    (_MODE, lambda clock, found: list(_appointed(clock, found[3], found[1], found[2]))),
    (_SETS_MODE, lambda clock, found: list(_appointed(clock, found[1], found[2], found[3]))),
    (_SPLIT, lambda clock, found: [Said(clock, "leave", nick) for nick in _listed(found[1])]),
    (_UNSPLIT, lambda clock, found: [Said(clock, "join", nick) for nick in _listed(found[1])]),
    (_VERBS, lambda clock, found: [Said(clock, "join" if found[1] == "Joins" else "leave", found[2])]),
)


def _listed(nicks: str) -> list[str]:
    """Nicks of a netsplit, without marks; long lists end in ``+12 more``, whom nobody can name."""
    named = (nick.strip() for nick in nicks.split(","))
    return [nick.translate(_MARKS) for nick in named if not re.fullmatch(r"\+\d+ more.*", nick)]


def _appointed(clock: str, by: str, modes: str, arguments: str) -> Iterator[Said]:
    """Operator and half-operator given or taken. Only modes that carry a name use one up."""
    names, adding = arguments.split(), True
    for letter in modes:
        if letter in "+-":
            adding = letter == "+"
        elif letter in "ovhaqbeIkl" and names and not (letter == "l" and not adding):
            name = names.pop(0)
            if letter in "oha" and "!" not in name:
                yield Said(
                    clock, "role", by.partition(",")[0].strip(), other=name, role="manager" if adding else "member"
                )


def _written(clock: str, line: str) -> list[Said] | None:
    """Notices, and messages that another window's name stands before."""
    found = _NOTICE.fullmatch(line) or _ELSEWHERE.fullmatch(line)
    return [Said(clock, "message", found[1], found[3])] if found else None


def _action(clock: str, line: str) -> list[Said]:
    nick, _, text = line.partition(" ")
    return [Said(clock, "message", nick, text)] if nick else []


_BRACKET = re.compile(rf"\[{_CLOCK}\] +(.*)")
_SERVER_WORDS = ("netjoined:", "netsplit:", "mode/", "Topic ", "User ", "#", "You ", "ERROR")


def _bracket(line: str) -> list[Said] | Day | None:
    found = _BRACKET.fullmatch(line)
    clock, rest = (found[1], found[2]) if found else ("", line)
    if found and rest.startswith("*** "):
        return _told(clock, rest[4:]) or []
    if found and rest.startswith("* "):
        return _action(clock, rest[2:])
    if found:
        return _written(clock, rest)
    if not line.startswith("==="):
        return None
    rest = line[4:]
    told = _told("", rest)
    if told is None:
        return [] if rest.startswith(_SERVER_WORDS) else _action("", rest)
    return told


_IRSSI = re.compile(rf"{_CLOCK} (.*)")
_IRSSI_DAY = re.compile(r"--- (?:Log (opened|closed)|Day changed) \w{3} (\w{3}) +(\d\d?)(?: (\d\d:\d\d:\d\d))? (\d{4})")


def _irssi_day(line: str) -> Day | None:
    found = _IRSSI_DAY.fullmatch(line)
    if not found or found[2] not in _MONTHS:
        return None
    try:
        return Day(dt.date(int(found[5]), _MONTHS[found[2]], int(found[3])), found[4] or "00:00:00")
    except ValueError:
        return None


def _irssi(line: str) -> list[Said] | Day | None:
    if line.startswith("---"):
        return _irssi_day(line)
    if not (found := _IRSSI.fullmatch(line)):
        return None
    clock, rest = found[1], found[2]
    if rest.startswith("-!- "):
        return _told(clock, rest[4:]) or []
    if rest.startswith(" * "):
        return _action(clock, rest[3:])
    return _written(clock, rest)


_WEECHAT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\t([^\t]*)\t(.*)")


def _weechat(line: str) -> list[Said] | Day | None:
    if not (found := _WEECHAT.fullmatch(line)):
        return None
    clock, prefix, rest = found[1], found[2].strip(), found[3]
    if prefix == "*":
        return _action(clock, rest.lstrip(MANAGER_MARKS + "+"))
    if prefix in {"-->", "<--", "--"}:
        return _told(clock, rest) or []
    return []


NOTATIONS = (
    Notation("bracket", re.compile(rf"\[{_CLOCK}\] {_SPEAKER}"), _bracket),
    Notation("irssi", re.compile(rf"{_CLOCK} {_SPEAKER}"), _irssi),
    Notation(
        "weechat",
        re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\t([@+%&~!]?)(?!(?:-->|<--|--|=!=)\t)([^\t ]+)\t(.*)$"),
        _weechat,
    ),
)
