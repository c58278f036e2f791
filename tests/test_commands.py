"""Commands of a management room: what is understood, what is told of a mistake, who may, and how answers are shown."""

import asyncio
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.core.errors import StoreError
from comity.live.answers import MOST_CHARACTERS, MOST_LINES, Answer, Shown, answer, shown
from comity.live.commands import (
    COMMANDS,
    Command,
    Confirm,
    Deputies,
    Help,
    Mistake,
    NameDeputy,
    Reverse,
    Rooms,
    Shadow,
    Status,
    Why,
    name_of,
    parse,
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("!comity status", Status()),
        ("!comity", Help()),
        ("  !Comity   STATUS  ", Status()),
        ("!comity why @ana:example.org", Why("@ana:example.org")),
        ('!comity why "Ana of the attic"', Why("Ana of the attic")),
        ("!comity why “Ana of the attic”", Why("Ana of the attic")),
        ("!comity why O'Hara", Why("O'Hara")),
        ("!comity confirm 12", Confirm(12)),
        ("!comity confirm #12", Confirm(12)),
        ("!comity reverse 12 it wasn't meant like that", Reverse(12, "it wasn't meant like that")),
        ('!comity reverse 12 "a paste, asked for"', Reverse(12, "a paste, asked for")),
        ('!comity reverse 12 "tea" is no "spam"', Reverse(12, '"tea" is no "spam"')),
        ("!comity deputies #garden:example.org", Deputies("#garden:example.org")),
        ("!comity deputy '!WI81dT-x' @bo:example.org", NameDeputy("!WI81dT-x", "@bo:example.org")),
        ("!comity shadow 1.5 on", Shadow("1.5", on=True)),
        ("!comity shadow 1.5 OFF", Shadow("1.5", on=False)),
        ("!comity rooms", Rooms()),
        ("!comity help reverse", Help("reverse")),
    ],
)
def test_a_command_is_understood(text: str, meant: Command) -> None:
    """Case, spaces, quotes of every keyboard, and apostrophes within words."""
    assert meant == parse(text)


@pytest.mark.parametrize("text", ["", "   ", "milk first", "!comityx status", "say !comity status", "!other status"])
def test_talk_is_no_command(text: str) -> None:
    """What does not begin with the word is left alone."""
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "what", "expected", "usage"),
    [
        ("!comity statsu", "there is no command 'statsu'", "status", "!comity help"),
        ("!comity confirm twelve", "'twelve' is no number of a decision", "its number", "!comity confirm N"),
        ("!comity confirm 0", "'0' is no number of a decision", "its number", "!comity confirm N"),
        ("!comity confirm", "the decision is missing", "its number, such as 12", "!comity confirm N"),
        ("!comity reverse 12", "the reason is missing", "a sentence", "!comity reverse N REASON"),
        ('!comity reverse 12 ""', "the reason is empty", "a sentence", "!comity reverse N REASON"),
        ("!comity why Ana of", "'of' is one word too many", "quotes", "!comity why MEMBER"),
        ('!comity why "Ana', 'the quote " is not closed', 'a " at its end', "!comity why MEMBER"),
        ("!comity shadow 1.5 maybe", "'maybe' is neither on nor off", "on or off", "!comity shadow CLAUSE on|off"),
        ("!comity status now", "'now' is one word too many", "no more", "!comity status"),
        ("!comity help reveres", "there is no command 'reveres'", "reverse", "!comity help [COMMAND]"),
        ("!comity why " + "x" * 3000, "the command has 3004 characters", "at most 2000", "!comity help"),
    ],
)
def test_a_mistake_is_told_with_what_would_be_right(text: str, what: str, expected: str, usage: str) -> None:
    """The word that is wrong, the nearest valid one, and how the command is used."""
    found = parse(text)

    assert isinstance(found, Mistake)
    assert (what, usage) == (found.what, found.usage)
    assert expected in found.expected


@given(st.text(max_size=200), st.sampled_from([*COMMANDS, ""]))
def test_whatever_is_written_is_understood_or_told(text: str, name: str) -> None:
    """No text makes the reader fail; a mistake quotes a word at most."""
    found = parse(f"!comity {name} {text}")

    assert found is not None
    if isinstance(found, Mistake):
        assert len(found.what) < 120
    else:
        assert name_of(found) in COMMANDS


class Notes:
    """Carries nothing out, and writes down what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, str]] = []

    async def _note(self, asked: object, by: str) -> Answer:
        self.asked.append((asked, by))
        if asked == Confirm(404):
            raise StoreError("there is no decision 404")
        return Answer("Done.")

    status = why = confirm = reverse = deputies = deputy = shadow = rooms = me = _note


def answered(text: str, *, may: bool = True) -> tuple[str, list[tuple[object, str]]]:
    """What is answered in plain text, and what was asked of whoever carries out."""
    notes = Notes()
    said = asyncio.run(answer(text, "@olive:example.org", notes, lambda _by, _asked: may))
    return said.plain if said else "", notes.asked


@pytest.mark.parametrize(
    "text",
    [
        *("!comity status", "!comity why ana", "!comity confirm 1", "!comity reverse 1 kindly meant"),
        *("!comity deputies a", "!comity deputy a b", "!comity shadow 1 on", "!comity rooms"),
    ],
)
def test_each_command_is_carried_out_for_whoever_may_and_for_nobody_else(text: str) -> None:
    """It is asked once, in the name of who wrote it; without the right it is not asked at all, and that is said."""
    said, asked = answered(text)
    assert ("Done.", [(parse(text), "@olive:example.org")]) == (said, asked)

    said, asked = answered(text, may=False)
    assert [] == asked
    assert "for those who look after the community" in said


def test_everybody_may_ask_for_their_own_page() -> None:
    """A link to one's own page needs no right, also in the management room."""
    assert ("Done.", [(parse("!comity me"), "@olive:example.org")]) == answered("!comity me", may=False)


def test_what_cannot_be_done_is_told() -> None:
    """An error a person can act on is answered; talk is not answered; help and mistakes need no right."""
    assert "Not done: there is no decision 404" == answered("!comity confirm 404")[0]
    assert ("", []) == answered("milk first")
    assert "There is no command 'statsu'; expected status.\n- !comity help" == answered("!comity statsu", may=False)[0]
    told = answered("!comity help", may=False)[0]
    assert all(f"!comity {name}" in told for name in COMMANDS)
    assert "a reason the member reads" in answered("!comity help reverse")[0]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        assert not attrs
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


def read(said: Shown) -> _Tags:
    """The tags and texts of an answer."""
    tags = _Tags()
    tags.feed(said.html)
    tags.close()
    return tags


@given(st.text(max_size=100), st.lists(st.text(max_size=100), max_size=5))
def test_nothing_in_an_answer_is_markup(sentence: str, lines: list[str]) -> None:
    """Whatever a name holds, only our paragraph and list are tags, and plain text and HTML say the same."""
    said = shown(Answer(sentence, tuple(lines)))
    found = read(said)

    assert found.tags <= {"p", "ul", "li"}
    assert "".join(found.texts) == "".join(
        x.removeprefix("- ") if i else x for i, x in enumerate(said.plain.split("\n"))
    )
    assert all(c.isprintable() or c in "\n\N{WORD JOINER}" for c in said.plain)


def test_an_answer_is_short_and_calls_nobody() -> None:
    """A long list is cut and says so, a long line too, and no answer rings a whole room's telephones."""
    said = shown(Answer("x" * 2000, tuple(f"line {i} for @room and @Room" for i in range(50))))

    assert f"and {50 - MOST_LINES} more" == said.plain.split("\n")[-1].removeprefix("- ")
    assert max(map(len, said.plain.split("\n"))) <= MOST_CHARACTERS
    assert "@room" not in said.plain.casefold()
    assert "@room" not in said.html.casefold()
