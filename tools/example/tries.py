"""What a visitor can try with one press: things that members did in the example chat, in words of their own."""

from collections.abc import Mapping
from typing import Final, NamedTuple

PACE: Final = 0.25  # seconds between two messages of one of these


class Try(NamedTuple):
    """label: what the button says; texts: the messages, one after the other."""

    label: str
    texts: tuple[str, ...]


def _each(text: str) -> tuple[str, ...]:
    return tuple(text.strip().split("\n"))


_KETTLE: Final = """
everybody
my new kettle
is on
a small cloud
a larger cloud
it hums
the lid moves
oh
two notes
a D, I think
and a G
louder
it sings
it really sings
the best kettle
pouring
"""
_CAN: Final = """
WHO HAS TAKEN THE BIG WATERING CAN AGAIN
I LEFT IT BY THE WATER BUTT AS EVERY DAY
AND MY SEEDLINGS ARE AS DRY AS BISCUITS
COULD PEOPLE PLEASE JUST BRING IT BACK
"""
TRIES: Final[Mapping[str, Try]] = {
    "flood": Try("Say far too much: 16 messages", _each(_KETTLE)),
    "scam": Try("Link to a scam", ("A silver teapot for everybody: https://gift.teapot-lottery.example/collect",)),
    "call": Try("Call nine members", ("Tasting on Friday! @Hanna @Tomasz @Aiko @Gwen @Ines @Edda @Kofi @Noor @Ravi",)),
    "shout": Try("Shout for the watering can", _each(_CAN)),
}
