"""Skeletons of names: equal for names that the eye takes for one another (Unicode UTS 39, confusables)."""

import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

from confusable_homoglyphs import confusables

_MOST = 200  # characters of a name that are looked at


@cache
def _prototypes() -> dict[str, str]:
    """For each confusable character or pair, the first of those it can be taken for, ASCII before others."""
    leader: dict[str, str] = {}

    def find(c: str) -> str:
        while leader.setdefault(c, c) != c:
            leader[c] = leader[leader[c]]
            c = leader[c]
        return c

    for source, others in confusables.confusables_data.items():
        for other in others:
            a, b = sorted((find(source), find(other["c"])), key=lambda c: (not c.isascii(), len(c), c))
            leader[b] = a
    return {c: find(c) for c in leader if find(c) != c}


def _map(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return _in_pairs("".join([_seen(c) for c in decomposed]))


def _seen(character: str) -> str:
    """A character as the eye takes it; nothing for what takes no room of its own."""
    unseen = unicodedata.category(character) in {"Mn", "Me", "Cf", "Zs", "Cc"}
    return "" if unseen else _prototypes().get(character, character)


def _in_pairs(mapped: str) -> str:
    for pair, letter in (("rn", "m"), ("vv", "w"), ("cl", "d")):  # read as one letter in most typefaces
        mapped = mapped.replace(pair, _prototypes().get(pair, letter))
    return mapped


@cache
def _ascii() -> dict[int, str]:
    """Each character of ASCII as the eye takes it; NUL stays, for it parts names."""
    return {code: _seen(chr(code)) for code in range(1, 128)}


@lru_cache(maxsize=65_536)
def _one(text: str) -> frozenset[str]:
    return frozenset(s for s in (_map(text).casefold(), _map(text.casefold()).casefold()) if s)


def skeletons(name: str) -> frozenset[str]:
    """The one or two skeletons of a name: with capitals as they look, and with capitals as small letters.

    Two names look alike if they share a skeleton. Spaces, marks and invisible characters do not count.
    """
    return _one(name[:_MOST])


def both_of(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The skeletons of many names, by name: the first, and the second where it is another; "" where there is none.

    Names of ASCII are mapped together, in a twentieth of the time that they take one by one.
    """
    first, second = [""] * len(names), [""] * len(names)
    plain = [i for i, name in enumerate(names) if name.isascii() and "\0" not in name]
    joined = "\0".join([names[i][:_MOST] for i in plain])
    ways = [_in_pairs(text.translate(_ascii())).casefold().split("\0") for text in (joined, joined.casefold())]
    for i, a, b in zip(plain, *ways, strict=True) if plain else ():
        first[i], second[i] = a or b, b if a and b != a else ""
    for i, name in enumerate(names):
        if not name.isascii() or "\0" in name:
            found = sorted(skeletons(name))
            first[i], second[i] = [*found, "", ""][:2]
    return first, second
