"""The commands of a management room: what was written, as a value, or what is wrong with it. Pure."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from comity.syntax import nearest

PREFIX: Final = "!comity"
MOST_LENGTH: Final = 2_000  # characters of a command; the rest of a longer one would be lost, so it is refused
_LONGEST: Final = 40  # characters of a word that a mistake repeats
_WORDS = MappingProxyType({"on": True, "off": False})
_NUMBER = re.compile(r"#?([0-9]{1,12})")
# Quotes count only where a word begins: an apostrophe within one is a letter. Telephones write the curly ones.
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“", "‘": "’", "«": "»"}


class Status(msgspec.Struct, frozen=True):
    """``status``: how the process is, and what waits."""


class Why(msgspec.Struct, frozen=True):
    """``why MEMBER``: what a member's standing is made of, and what is in force. member: as written."""

    member: str


class Confirm(msgspec.Struct, frozen=True):
    """``confirm N``: a person stands behind a provisional decision. decision: its number, from 1."""

    decision: int


class Reverse(msgspec.Struct, frozen=True):
    """``reverse N REASON``: take back a decision and its findings. reason: never empty."""

    decision: int
    reason: str


class Deputies(msgspec.Struct, frozen=True):
    """``deputies ROOM``: who would take over. room: id, alias or name, as written."""

    room: str


class NameDeputy(msgspec.Struct, frozen=True):
    """``deputy ROOM MEMBER``: name who takes over in a room."""

    room: str
    member: str


class Shadow(msgspec.Struct, frozen=True):
    """``shadow CLAUSE on|off``: whether a clause only finds. clause: its id in the charter."""

    clause: str
    on: bool


class Rooms(msgspec.Struct, frozen=True):
    """``rooms``: what can be carried out where, and why not."""


class Me(msgspec.Struct, frozen=True):
    """``me``: have a link to one's own page sent; for every member, also outside the management room."""


class Help(msgspec.Struct, frozen=True):
    """``help`` or ``help COMMAND``. about: the name of a command, "" for all."""

    about: str = ""


Command = Status | Why | Confirm | Reverse | Deputies | NameDeputy | Shadow | Rooms | Me | Help


class Mistake(msgspec.Struct, frozen=True):
    """What is wrong with a command, what would be right, and how it is used. It quotes a single word at most."""

    what: str
    expected: str
    usage: str


class Usage(msgspec.Struct, frozen=True):
    """How one command is used. words: what follows its name; about: one line."""

    words: str
    about: str
    read: Callable[[list[str]], Command]


class _WrongError(Exception):
    def __init__(self, what: str, expected: str) -> None:
        self.what, self.expected = what, expected
        super().__init__(what)


def parse(text: str, *, prefix: str = PREFIX) -> Command | Mistake | None:
    """What a message asks for; None if it is no command of ours.

    Words may be quoted. What follows the number of ``reverse`` is its reason whole, quoted or not.
    """
    first, *_ = text.split(maxsplit=1) or [""]
    if first.casefold() != prefix:
        return None
    rest = text.strip()[len(first) :].strip()
    if len(rest) > MOST_LENGTH:
        return Mistake(f"the command has {len(rest)} characters", f"at most {MOST_LENGTH}", f"{prefix} help")
    if not rest:
        return Help()
    name, *after = rest.split(maxsplit=1)
    name = name.casefold()
    if name not in COMMANDS:
        return Mistake(f"there is no command {_short(name)}", nearest(name, list(COMMANDS)), f"{prefix} help")
    try:
        written = after[0] if after else ""
        words = written.split(maxsplit=1) if name == "reverse" else _split(written)
        return COMMANDS[name].read(words)
    except _WrongError as e:
        return Mistake(e.what, e.expected, usage(name, prefix=prefix))


def usage(name: str, *, prefix: str = PREFIX) -> str:
    """One line: the command and what follows it. Raises KeyError if there is none of that name."""
    return f"{prefix} {name} {COMMANDS[name].words}".rstrip()


def name_of(command: Command) -> str:
    """What a command is called in a chat."""
    return _NAMES[type(command)]


def _split(text: str) -> list[str]:
    """The words of a text, quoted ones without their quotes."""
    words, at = list[str](), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif (closing := _QUOTES.get(text[at])) is not None:
            end = text.find(closing, at + 1)
            if end < 0:
                raise _WrongError(f"the quote {text[at]} is not closed", f"a {closing} at its end")
            words.append(text[at + 1 : end].strip())
            at = end + 1
        else:
            end = next((i for i in range(at, len(text)) if text[i].isspace()), len(text))
            words.append(text[at:end])
            at = end
    return words


def _unquoted(text: str) -> str:
    """Without the quotes around it, if they are a pair: in ``"tea" is no "spam"`` they are not."""
    text = text.strip()
    closing = _QUOTES.get(text[:1])
    paired = closing is not None and text.endswith(closing) and text.find(closing, 1) == len(text) - 1
    return text[1:-1].strip() if paired else text


def _short(word: str) -> str:
    return f"'{word if len(word) <= _LONGEST else word[:_LONGEST] + '...'}'"


def _take(words: list[str], *names: str) -> list[str]:
    """As many words as there are names, none of them empty."""
    for name, word in zip(names, [*words, *[""] * len(names)], strict=False):
        if not word:
            raise _WrongError(f"{name} is missing", _EXPECTED[name])
    if len(words) > len(names):
        many = _short(words[len(names)])
        raise _WrongError(f"{many} is one word too many", "a name of several words in quotes" if names else "no more")
    return words


def _number(word: str) -> int:
    found = _NUMBER.fullmatch(word)
    if not found or not int(found[1]):
        raise _WrongError(f"{_short(word)} is no number of a decision", _EXPECTED["the decision"])
    return int(found[1])


def _reverse(words: list[str]) -> Reverse:
    number, reason = _take(words, "the decision", "the reason")
    if not _unquoted(reason):
        raise _WrongError("the reason is empty", _EXPECTED["the reason"])
    return Reverse(_number(number), _unquoted(reason))


def _shadow(words: list[str]) -> Shadow:
    clause, word = _take(words, "the clause", "on or off")
    if word.casefold() not in _WORDS:
        raise _WrongError(f"{_short(word)} is neither on nor off", "on or off")
    return Shadow(clause, _WORDS[word.casefold()])


def _help(words: list[str]) -> Help:
    if not words:
        return Help()
    (about,) = _take([w.casefold() for w in words], "the command")
    if about not in COMMANDS:
        raise _WrongError(f"there is no command {_short(about)}", nearest(about, list(COMMANDS)))
    return Help(about)


_EXPECTED = {
    "the member": "an account such as @ana:example.org, or a name",
    "the decision": "its number, such as 12",
    "the reason": "a sentence that the member will read",
    "the room": "an id, an alias such as #garden:example.org, or a name",
    "the clause": "its id in the charter, such as 1.5",
    "on or off": "on or off",
    "the command": "the name of one command",
}

COMMANDS: Final[Mapping[str, Usage]] = MappingProxyType(
    {
        "status": Usage("", "how it is, and what waits", lambda w: Status(*_take(w))),
        "why": Usage(
            "MEMBER",
            "what a member's standing is made of, and what is in force",
            lambda w: Why(*_take(w, "the member")),
        ),
        "confirm": Usage(
            "N", "stand behind a provisional decision", lambda w: Confirm(_number(*_take(w, "the decision")))
        ),
        "reverse": Usage("N REASON", "take back a decision, with a reason the member reads", _reverse),
        "deputies": Usage("ROOM", "who would take over a room", lambda w: Deputies(*_take(w, "the room"))),
        "deputy": Usage(
            "ROOM MEMBER",
            "name who takes over when a manager is suspended",
            lambda w: NameDeputy(*_take(w, "the room", "the member")),
        ),
        "shadow": Usage("CLAUSE on|off", "let a clause find without counting, or let it count again", _shadow),
        "rooms": Usage("", "what can be carried out where, and why not", lambda w: Rooms(*_take(w))),
        "me": Usage("", "have a link to your own page sent to you", lambda w: Me(*_take(w))),
        "help": Usage("[COMMAND]", "this list, or how one command is used", _help),
    }
)
_NAMES: Final[Mapping[type, str]] = MappingProxyType(
    {
        Status: "status",
        Why: "why",
        Confirm: "confirm",
        Reverse: "reverse",
        Deputies: "deputies",
        NameDeputy: "deputy",
        Shadow: "shadow",
        Rooms: "rooms",
        Me: "me",
        Help: "help",
    }
)
