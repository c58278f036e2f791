"""Answering the commands of a management room: who may, who carries out, and how an answer is shown."""

import re
from collections.abc import Awaitable, Callable
from html import escape
from typing import Final, Protocol

import msgspec

from comity.core.errors import ComityError
from comity.live.commands import (
    COMMANDS,
    PREFIX,
    Command,
    Confirm,
    Deputies,
    Help,
    Me,
    Mistake,
    NameDeputy,
    Reverse,
    Rooms,
    Shadow,
    Status,
    Why,
    name_of,
    parse,
    usage,
)

MOST_LINES: Final = 20  # a room is for talk; the console has the long lists
MOST_CHARACTERS: Final = 400  # of a line
_ROOM = re.compile("@(room)", re.IGNORECASE)


class Answer(msgspec.Struct, frozen=True):
    """What is answered. sentence: first, and often all; lines: a list below it, each on its own."""

    sentence: str
    lines: tuple[str, ...] = ()


class Shown(msgspec.Struct, frozen=True):
    """An answer as it is sent: plain text, and the same as simple HTML."""

    plain: str
    html: str


class Carries(Protocol):
    """Who carries commands out; by: the account that asked. A ComityError is told to whoever asked."""

    async def status(self, asked: Status, by: str) -> Answer:
        """How the process is."""

    async def why(self, asked: Why, by: str) -> Answer:
        """What a standing is made of."""

    async def confirm(self, asked: Confirm, by: str) -> Answer:
        """Stand behind a decision."""

    async def reverse(self, asked: Reverse, by: str) -> Answer:
        """Take a decision back."""

    async def deputies(self, asked: Deputies, by: str) -> Answer:
        """Who would take over."""

    async def deputy(self, asked: NameDeputy, by: str) -> Answer:
        """Name who takes over."""

    async def shadow(self, asked: Shadow, by: str) -> Answer:
        """Let a clause only find, or count."""

    async def rooms(self, asked: Rooms, by: str) -> Answer:
        """What can be carried out where."""

    async def me(self, asked: Me, by: str) -> Answer:
        """Send whoever asks a link to their own page."""


async def answer(
    text: str, by: str, carries: Carries, may: Callable[[str, Command], bool], *, prefix: str = PREFIX
) -> Shown | None:
    """What to answer to a message, or None if it is no command. may: whether an account may give a command."""
    asked = parse(text, prefix=prefix)
    if asked is None:
        return None
    if isinstance(asked, Mistake):
        return shown(Answer(f"{_begun(asked.what)}; expected {asked.expected}.", (asked.usage,)))
    if isinstance(asked, Help):
        return shown(_help(asked, prefix))
    if not isinstance(asked, Me) and not may(by, asked):
        return shown(Answer(f"{usage(name_of(asked), prefix=prefix)}: this is for those who look after the community."))
    try:
        return shown(await _carried_out(asked, by, carries))
    except ComityError as e:
        return shown(Answer(f"Not done: {e}"))


def shown(said: Answer) -> Shown:
    """An answer as plain text and as simple HTML: nothing in it is markup, or turns the direction of a line."""
    sentence, lines = _line(said.sentence), [_line(x) for x in said.lines[:MOST_LINES]]
    if more := len(said.lines) - len(lines):
        lines.append(f"and {more} more")
    items = "".join(f"<li>{escape(x)}</li>" for x in lines)
    return Shown(
        plain="\n".join([sentence, *(f"- {x}" for x in lines)]),
        html=f"<p>{escape(sentence)}</p>" + (f"<ul>{items}</ul>" if items else ""),
    )


def _carried_out(asked: Command, by: str, carries: Carries) -> Awaitable[Answer]:  # noqa: C901, PLR0911  a line a command
    match asked:
        case Status():
            return carries.status(asked, by)
        case Why():
            return carries.why(asked, by)
        case Confirm():
            return carries.confirm(asked, by)
        case Reverse():
            return carries.reverse(asked, by)
        case Deputies():
            return carries.deputies(asked, by)
        case NameDeputy():
            return carries.deputy(asked, by)
        case Shadow():
            return carries.shadow(asked, by)
        case Rooms():
            return carries.rooms(asked, by)
        case Me():
            return carries.me(asked, by)
        case Help():
            raise ValueError("help is answered before it is asked whether somebody may")


def _help(asked: Help, prefix: str) -> Answer:
    if asked.about:
        return Answer(f"{usage(asked.about, prefix=prefix)}: {COMMANDS[asked.about].about}.")
    return Answer(
        "Names of several words stand in quotes.",
        tuple(f"{usage(name, prefix=prefix)}: {told.about}" for name, told in COMMANDS.items()),
    )


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _line(text: str) -> str:
    """One line, of bounded length, in which nothing calls a whole room."""
    one = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)
    one = _ROOM.sub("@\N{WORD JOINER}\\1", one)
    return one if len(one) <= MOST_CHARACTERS else one[: MOST_CHARACTERS - 3] + "..."
