"""What somebody means who points at a message or a member: a link as their client copies it, an account, or a name."""

import re
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import unquote

from comity.runner.people import People
from comity.runner.realm import Realm
from comity.stores.live_contract import LiveStore

_LINK: Final = re.compile(r"https?://(?:www\.)?matrix\.to/#/|matrix:(?://[^/]*/)?", re.IGNORECASE)
# The kinds of a matrix: URI, with the sign that begins such an identifier elsewhere (MSC2312).
_SIGNS: Final = {"roomid": "!", "r": "#", "room": "#", "e": "$", "event": "$", "u": "@", "user": "@"}
_MOST: Final = 50  # members of a name that are looked through


class Why(StrEnum):
    """Why it cannot be told what is meant."""

    NOTHING = "nothing"  # nothing was named
    ROOM = "room"  # it is in no room of the community
    WHERE = "where"  # a message was named, and not where it is
    NOBODY = "nobody"  # no member is called so
    SEVERAL = "several"  # more than one is


class Pointed(NamedTuple):
    """What is meant: a message (room and event), or a member; or why it cannot be told. Numbers are 0 for none."""

    member: int = 0
    room: int = 0
    event: str = ""
    why: Why | None = None


def pointed(text: str, realm: Realm, people: People, store: LiveStore, *, room: int = 0) -> Pointed:
    """What a text points at in a community. room: the number of the room that was named beside it, 0 if none was.

    Source: Matrix specification, appendices, "URIs"; MSC2312.
    """
    text = text.strip().strip("<>").strip()
    parts = _parts(text)
    event = next((p for p in parts if p.startswith("$")), "")
    where = next((p for p in parts if p[:1] in {"!", "#"}), "")
    account = next((p for p in parts if p.startswith("@")), "")
    if event:
        if where:
            known = {people.number(r) for r in people.rooms_of(realm) if where in (r, people.labels.get(r))}
            room = known.pop() if known else -1
        if room < 0:
            return Pointed(why=Why.ROOM)
        return Pointed(room=room, event=event) if room else Pointed(why=Why.WHERE)
    if where:
        return Pointed(why=Why.WHERE)
    return _member(account or (text if parts == [text] else ""), realm, store, room)


def _member(name: str, realm: Realm, store: LiveStore, room: int) -> Pointed:
    if not name:
        return Pointed(why=Why.NOTHING)
    rows = [row for row in store.members_named(name, most=_MOST) if row.community == realm.number]
    folded = name.casefold()
    found = [row for row in rows if row.account == name] or [
        row for row in rows if folded == (row.name or "").casefold() or folded == (row.account or "").casefold()
    ]
    if len(found) != 1:
        return Pointed(why=Why.SEVERAL if found else Why.NOBODY)
    return Pointed(member=found[0].number, room=room)


def _parts(text: str) -> list[str]:
    """The identifiers in a link, or the text itself if it is no link."""
    begun = _LINK.match(text)
    if begun is None:
        return [text]
    words = [unquote(word) for word in text[begun.end() :].partition("?")[0].split("/") if word]
    if begun[0].lower().startswith("http"):
        return words
    return [_SIGNS.get(kind, "") + name for kind, name in zip(words[::2], words[1::2], strict=False)]
