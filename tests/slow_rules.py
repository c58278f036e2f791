"""Every rule over time, counted by hand: slow and obvious, one list of what happened and nothing carried.

The one thing they take from the kernels is how a key's clock behaves (``slow_counts``), which has its own tests.
"""

import re
import unicodedata
from collections.abc import Callable

from comity.core.event import Event
from comity.language import duration
from slow_counts import SlowWindow

Timed = list[tuple[int, Event]]
Key = tuple[object, ...]


class Counts:
    """A slow window whose keys are tuples of what they are made of."""

    def __init__(self, look_back: str, *, distinct: bool = False) -> None:
        self._window = SlowWindow(duration(look_back), 4_000_000, distinct=distinct)
        self._numbers: dict[object, int] = {}

    def turn(self, at: int, key: Key, *, value: object = None, insert: bool = True) -> int:
        """The count with this event, if it is inserted."""
        return self._window.turn(self._number(key), self._number(value), at, insert=insert, read=True)

    def _number(self, value: object) -> int:
        return self._numbers.setdefault(value, len(self._numbers))


def seen(text: str) -> str:
    """A text as rules see it."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def said(text: str | None) -> str:
    """A text without case, spaces and punctuation."""
    plain = unicodedata.normalize("NFKC", seen(text or "")).casefold()
    return re.sub(r"[\W_]+", " ", plain).strip()


def flood(events: Timed, allowed: int, look_back: str) -> list[int]:
    """More messages of one member in one room than allowed."""
    counts = Counts(look_back)
    return [
        i
        for i, (at, e) in enumerate(events)
        if e.kind == "message" and counts.turn(at, (e.community, e.room, e.member)) > allowed
    ]


def repeated_line(events: Timed, allowed: int, look_back: str, least_length: int) -> list[int]:
    """The same text by one member in one room more often than allowed."""
    counts, rows = Counts(look_back), []
    for i, (at, e) in enumerate(events):
        if e.kind == "message" and said(e.text):
            count = counts.turn(at, (e.community, e.room, e.member, said(e.text)))
            if count > allowed and len(seen(e.text or "")) >= least_length:
                rows.append(i)
    return rows


def repeated_text(events: Timed, rooms: int, look_back: str, least_length: int) -> list[int]:
    """The same text by one member in several rooms."""
    counts, rows = Counts(look_back, distinct=True), []
    for i, (at, e) in enumerate(events):
        if e.kind == "message" and said(e.text):
            count = counts.turn(at, (e.community, e.member, said(e.text)), value=e.room)
            if count >= rooms and len(seen(e.text or "")) >= least_length:
                rows.append(i)
    return rows


def shouting(events: Timed, allowed: int, look_back: str, letters: int) -> list[int]:
    """More messages in capitals by one member in one room than allowed."""
    counts, rows = Counts(look_back), []
    for i, (at, e) in enumerate(events):
        upper = sum(unicodedata.category(c) in {"Lu", "Lt"} for c in e.text or "")
        cased = upper + sum(unicodedata.category(c) == "Ll" for c in e.text or "")
        loud = e.kind == "message" and upper >= letters and cased >= 10 and upper / cased >= 0.9
        if loud and counts.turn(at, (e.community, e.room, e.member)) > allowed:
            rows.append(i)
    return rows


def raid(events: Timed, joins: int, look_back: str, first: int) -> list[int]:
    """The first words of those who came in a wave, while it lasts."""
    wave, own, words = Counts(look_back), Counts(look_back), Counts(look_back)
    rows = []
    for i, (at, e) in enumerate(events):
        room, member = (e.community, e.room), (e.community, e.room, e.member)
        came = own.turn(at, member, insert=e.kind == "join")
        in_wave = wave.turn(at, room, insert=e.kind == "join")
        if e.kind == "message":
            spoke = words.turn(at, member, insert=came > 0)
            if in_wave > joins and came > 0 and spoke <= first:
                rows.append(i)
    return rows


def unwanted_mentions(events: Timed, allowed: int, look_back: str) -> list[int]:
    """More mentions of somebody since that one last said anything in the room than allowed."""
    counts, last = Counts(look_back), dict[tuple[str, str, str], int]()
    rows = []
    for i, (at, e) in enumerate(events):
        if e.kind != "message":
            continue
        most = 0
        for mentioned in dict.fromkeys(map(seen, e.mentions or ())):
            spoke = last.get((e.community, e.room, mentioned))
            silent_since = None if spoke is None or abs(at - spoke) > duration(look_back) else spoke
            key = (e.community, e.room, e.member, mentioned, silent_since)
            if mentioned != e.member:
                most = max(most, counts.turn(at, key))
        last[e.community, e.room, e.member] = at
        if most > allowed:
            rows.append(i)
    return rows


SLOW_RULES: dict[str, Callable[..., list[int]]] = {
    "flood": flood,
    "repeated-line": repeated_line,
    "repeated-text": repeated_text,
    "shouting": shouting,
    "raid": raid,
    "unwanted-mentions": unwanted_mentions,
}
