"""The notation of WhatsApp's text export: where a message begins, its date in any order, and what its words tell."""

import datetime as dt
import mimetypes
import re
from collections.abc import Sequence
from typing import NamedTuple

from comity.adapters.reader import DateOrder
from comity.core.event import Kind, Media

BEGINNING = re.compile(
    r"[\u200e\u200f\ufeff]*(?P<open>\[)?(\d{1,4})([./-])[ ]?(\d{1,2})\3[ ]?(\d{1,4})\.?,?[ \u00a0\u202f]"
    r"(?:(?:à|um|at|alle|às|kl\.?|o) )?(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?"
    r"(?:[ \u00a0\u202f]?([AaPp])\.?[ \u00a0\u202f]?[Mm]\.?)?(?(open)\]| -) (.*)"
)
"""Groups: [, three parts of the date around their separator, hour, minute, second, A or P, and what follows."""
_MARKS = str.maketrans(
    {"\u200e": "", "\u200f": "", "\u202a": "", "\u202c": "", "\ufeff": "", "\u00a0": " ", "\u202f": " "}
)
_PHONE = re.compile(r"\+?[\d\s()\u2010-\u2015-]{7,}")
_MENTION = re.compile(r"@\u2068([^\u2069]+)\u2069|(?<!\w)@(\d{7,15})\b")
_OMITTED = re.compile(r"\u200e?<Media omitted>|\u200e(image|video|audio|sticker|GIF|document|Contact card) omitted")
_ATTACHED = re.compile(r"\u200e?<attached: ([^>]+)>|\u200e?(\S.*\.\w{2,4}) \(file attached\)")
_OMITTED_TYPES = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/ogg",
    "sticker": "image/webp",
    "GIF": "video/mp4",
}
_SHORT_YEARS = 99
_EDITED = re.compile(r"\s*\u200e?<This message was edited>")
_UNUSUAL = re.compile(r"[<@\u200e]|\(file attached\)|message was deleted|deleted this message")
"""What any of the patterns here needs: most messages have none of it."""
_DELETED = ("This message was deleted", "You deleted this message", "This message was deleted by admin")

_PROGRAM = re.compile(r"end-to-end encrypted|created (?:this )?group|changed (?:the|this|their|your) |security code")
_JOIN = re.compile(r"(.+?) (?:joined (?:using|from|via|the|with)\b.*|was added|requested to join.*approved.*)")
_ADDED = re.compile(r"(.+?) added (.+)")
_LEFT = re.compile(r"(.+?) (?:left|was removed)")
_REMOVED = re.compile(r"(.+?) removed (.+)")


class Beginning(NamedTuple):
    """A message's first line. date: its three parts as written; rest: what follows the time."""

    date: tuple[int, int, int]
    time: dt.time
    rest: str


class Told(NamedTuple):
    """What the words after the time tell: one event for each member."""

    kind: Kind
    members: Sequence[str]
    text: str | None = None


def beginning(line: str) -> Beginning | None:
    """Split a message's first line; None where the line goes on with the message before."""
    found = BEGINNING.match(line)
    if found is None:
        return None
    _, first, _, second, third, hour, minute, second_, half, rest = found.groups()
    hours = int(hour)
    if half:
        hours = hours % 12 + (12 if half in "Pp" else 0)
    try:
        time = dt.time(hours, int(minute), int(second_ or 0))
    except ValueError:
        return None
    return Beginning((int(first), int(second), int(third)), time, rest)


def date(parts: tuple[int, int, int], order: DateOrder) -> dt.date | None:
    """The date that three figures are in an order, or None if there is no such date. Years of two figures are 20xx."""
    first, second, third = parts
    year, month, day = {"dmy": (third, second, first), "mdy": (third, first, second), "ymd": (first, second, third)}[
        order
    ]
    try:
        return dt.date(year + 2000 if year <= _SHORT_YEARS else year, month, day)
    except ValueError:
        return None


class Evidence:
    """Tells the order of dates from all of them: the one in which every date exists and time runs back least often."""

    def __init__(self) -> None:
        self._missing: dict[DateOrder, int] = {"dmy": 0, "mdy": 0, "ymd": 0}
        self._back: dict[DateOrder, int] = {"dmy": 0, "mdy": 0, "ymd": 0}
        self._last: dict[DateOrder, dt.date] = {}
        self._parts: tuple[int, int, int] | None = None
        self._american = False

    def add(self, line: str, start: Beginning) -> None:
        """Take in the first line of a message."""
        if start.date == self._parts:
            return
        self._parts = start.date
        stamp = line[:40]
        self._american = self._american or (
            "/" in stamp.split(",")[0] and re.search(r"\d.?[AaPp]\.?[Mm]", stamp) is not None
        )
        for order in self._missing:
            day = date(start.date, order)
            in_full = max(start.date) > _SHORT_YEARS
            if day is None or (in_full and (order == "ymd") != (start.date[0] > _SHORT_YEARS)):
                self._missing[order] += 1
                continue
            self._back[order] += day < self._last.get(order, dt.date.min)
            self._last[order] = day

    def order(self) -> DateOrder:
        """The likeliest order; where nothing decides, month first with slashes and a.m. and p.m., else day first."""
        likely: list[DateOrder] = ["mdy", "dmy", "ymd"] if self._american else ["dmy", "mdy", "ymd"]
        return min(likely, key=lambda order: (self._missing[order], self._back[order], likely.index(order)))


def member(name: str) -> str:
    """A name as WhatsApp writes it, without marks and the tilde of unsaved contacts; phone numbers in figures only."""
    plain = name.translate(_MARKS).strip().removeprefix("~").strip()
    if _PHONE.fullmatch(plain):
        return "+" + "".join(letter for letter in plain if letter.isdecimal())
    return plain


def told(rest: str, more: Sequence[str]) -> Told | None:
    """A message of a member, a join or leave; None for lines of the program that tell of neither.

    rest: what follows the time in a message's first line; more: its further lines.
    """
    name, colon, text = rest.partition(": ")
    if not colon and rest.endswith(":"):
        name, colon = rest[:-1], ":"
    if colon and text.startswith("\u200e") and (_PROGRAM.search(text) or _notice(text)):
        return _notice(text)
    if colon and not _is_notice(rest):
        return Told("message", [member(name)], "\n".join([text, *more]))
    return _notice(rest)


def _is_notice(rest: str) -> bool:
    """Whether a colon stands inside a notice, such as a new subject in quotes."""
    before = rest.partition(": ")[0]
    return '"' in before or "“" in before


def _notice(text: str) -> Told | None:
    plain = text.translate(_MARKS).strip().removesuffix(".")
    if found := _ADDED.fullmatch(plain):
        return Told("join", _listed(found[2]))
    if found := _REMOVED.fullmatch(plain):
        return Told("leave", _listed(found[2]))
    if found := _JOIN.fullmatch(plain):
        return Told("join", _listed(found[1]))
    if found := _LEFT.fullmatch(plain):
        return Told("leave", _listed(found[1]))
    return None


def _listed(names: str) -> list[str]:
    return [member(name) for name in re.split(r", (?:and )?| and ", names) if name.strip()]


def content(text: str) -> tuple[str | None, list[Media] | None, list[str]]:
    """What a message shows: text (None where it was deleted), media, members mentioned."""
    if not _UNUSUAL.search(text):
        return text, None, []
    text = _EDITED.sub("", text)
    if text.translate(_MARKS).strip().rstrip(".") in _DELETED:
        return None, None, []
    media = [Media(_OMITTED_TYPES.get(found[1] or "", "application/octet-stream")) for found in _OMITTED.finditer(text)]
    media += [
        Media(mimetypes.guess_type(found[1] or found[2])[0] or "application/octet-stream")
        for found in _ATTACHED.finditer(text)
    ]
    if media:
        text = _ATTACHED.sub("", _OMITTED.sub("", text)).strip()
    mentions = [member(found[1]) if found[1] else "+" + found[2] for found in _MENTION.finditer(text)]
    return text, media or None, list(dict.fromkeys(mentions))
