"""Skeletons of names: equal for names that the eye takes for one another (Unicode UTS 39, confusables)."""

import unicodedata
from functools import cache, lru_cache

from confusable_homoglyphs import confusables


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
    prototypes = _prototypes()
    decomposed = unicodedata.normalize("NFD", text)
    seen = [c for c in decomposed if unicodedata.category(c) not in {"Mn", "Me", "Cf", "Zs", "Cc"}]
    mapped = "".join(prototypes.get(c, c) for c in seen)
    for pair in ("rn", "vv", "cl"):  # the pairs that are read as one letter in most typefaces
        mapped = mapped.replace(pair, prototypes.get(pair, {"rn": "m", "vv": "w", "cl": "d"}[pair]))
    return mapped


@lru_cache(maxsize=65_536)
def _one(text: str) -> frozenset[str]:
    return frozenset(s for s in (_map(text).casefold(), _map(text.casefold()).casefold()) if s)


def skeletons(name: str) -> frozenset[str]:
    """The one or two skeletons of a name: with capitals as they look, and with capitals as small letters.

    Two names look alike if they share a skeleton. Spaces, marks and invisible characters do not count.
    """
    return _one(name[:200])
