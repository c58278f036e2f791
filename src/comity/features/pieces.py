"""Events as raw columns, taken from them while they are still in the processor's cache; then the events can go.

Freeing events long after they were read costs as much as reading them. So a reader's chunk is turned into joined
strings and numbers at once, and batches are put together from such pieces.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self, cast

import numpy as np
import numpy.typing as npt

from comity.core.event import KINDS, ROLES, Event, Media

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
MOST_MESSAGES = 1 << 53  # a figure beyond any chat is a mistake of its source, and so unknown

_KIND = {name: code for code, name in enumerate(KINDS)}
_ROLE: dict[str | None, int] = {None: -1, **{name: code for code, name in enumerate(ROLES)}}
_ALWAYS: dict[str, Callable[[Sequence[Event]], list[str]]] = {
    # An attribute read in a comprehension is twice as fast as one by getattr, and this is the hot path.
    "id": lambda events: [e.id for e in events],
    "at": lambda events: [e.at for e in events],
    "community": lambda events: [e.community for e in events],
    "room": lambda events: [e.room for e in events],
    "member": lambda events: [e.member for e in events],
}
_MAYBE: dict[str, Callable[[Sequence[Event]], list[str | None]]] = {
    "name": lambda events: [e.name for e in events],
    "text": lambda events: [e.text for e in events],
    "account_created_at": lambda events: [e.account_created_at for e in events],
    "reply_to": lambda events: [e.reply_to for e in events],
    "target": lambda events: [e.target for e in events],
}
STRINGS = (*_ALWAYS, *_MAYBE)


class Strings(NamedTuple):
    """Strings of shape (events,) joined by NUL, and where there is one; None: everywhere. Empty where there is none."""

    joined: bytes
    known: Bools | None


class Piece:
    """A chunk's raw columns.

    strings: by field; kinds and roles: positions in ``KINDS`` and ``ROLES``, -1 where unknown; mentions: how many of
    each event, -1 where unknown; mentioned: all of them joined; messages_before: -1 where unknown; media: by row, and
    media_known: where there could be some.
    """

    __slots__ = ("kinds", "media", "media_known", "mentioned", "mentions", "messages_before", "n", "roles", "strings")

    def __init__(self, events: Sequence[Event]) -> None:
        n = self.n = len(events)
        self.strings = {field: Strings(joined(take(events)), None) for field, take in _ALWAYS.items()}
        for field, maybe in _MAYBE.items():
            self.strings[field] = _strings(maybe(events))
        kinds = [e.kind for e in events]
        if kinds.count("message") == n:
            self.kinds: Codes = np.zeros(n, np.int8)
        else:
            self.kinds = np.fromiter(map(_KIND.__getitem__, kinds), np.int8, n)
        roles = [e.role for e in events]
        self.roles: Codes = np.array([_ROLE[r] for r in roles], np.int8)
        self._mentions([e.mentions for e in events])
        before = [e.messages_before for e in events]
        try:  # asking each one whether it is None costs more than the numbers
            self.messages_before: Ints = np.array(before, np.int64)
        except (TypeError, OverflowError):
            sound = [-1 if b is None or not 0 <= b <= MOST_MESSAGES else b for b in before]
            self.messages_before = np.array(sound, np.int64)
        media = [e.media for e in events]
        self.media: dict[int, tuple[Media, ...]] = {}
        if media.count(None) == n:
            self.media_known: Bools | None = np.zeros(n, np.bool_)
        else:
            self.media = {i: tuple(m) for i, m in enumerate(media) if m}
            self.media_known = None if None not in media else np.array([m is not None for m in media])

    @classmethod
    def of_columns(
        cls,
        *,
        strings: dict[str, Strings],
        kinds: Codes,
        roles: Codes,
        mentions: Ints,
        mentioned: bytes,
        messages_before: Ints,
        media: dict[int, tuple[Media, ...]],
        media_known: Bools | None,
    ) -> Self:
        """A piece made of columns as they are."""
        made = cls.__new__(cls)
        made.n, made.strings, made.kinds, made.roles = len(kinds), strings, kinds, roles
        made.mentions, made.mentioned, made.messages_before = mentions, mentioned, messages_before
        made.media, made.media_known = media, media_known
        return made

    def _mentions(self, column: list[list[str] | None]) -> None:
        try:
            self.mentions: Ints = np.fromiter(map(len, cast("list[list[str]]", column)), np.int64, self.n)
        except TypeError:
            self.mentions = np.array([-1 if m is None else len(m) for m in column], np.int64)
        self.mentioned = joined([m for some in column if some for m in some])


def joined(column: Sequence[str]) -> bytes:
    """Strings joined by NUL, in UTF-8; a NUL inside one becomes U+FFFD, so that no string can pass for two."""
    if len(column) == 1:
        return column[0].replace("\0", "\ufffd").encode("utf-8", "replace")
    whole = "\0".join(column).encode("utf-8", "replace")
    if whole.count(0) != max(len(column) - 1, 0):
        whole = "\0".join([s.replace("\0", "\ufffd") for s in column]).encode("utf-8", "replace")
    return whole


def _strings(column: list[str | None]) -> Strings:
    if column and column[0] is None and column.count(None) == len(column):
        return Strings(b"\0" * (len(column) - 1), np.zeros(len(column), np.bool_))
    try:
        return Strings(joined(cast("list[str]", column)), None)
    except TypeError:
        known = np.array([s is not None for s in column])
        return Strings(joined([s or "" for s in column]), known)
