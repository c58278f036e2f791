"""Whether a pattern can take exponentially long: then one crafted message would hold up everybody's.

Python's ``re`` tries ways through a pattern one after the other. Where a repeat stands within a repeat, the same
letters can be shared out among them in a number of ways that doubles with each letter (Davis et al. 2018, "The impact
of regular expression denial of service in practice"). Many such patterns are harmless, so a suspect is tried on
letters it would repeat, followed by one it cannot end with.
"""

import re
import re._constants as codes  # type: ignore[import-not-found]  # the parser behind ``re``, as documented by its use there
import re._parser as parser  # type: ignore[import-not-found]  # the same
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

_MANY: Final = 8  # a repeat up to fewer times cannot do much
_LETTERS: Final = range(3, 27)  # how often what is repeated stands in what is tried
_LONG: Final = 0.001  # seconds; what is quicker than this to the end is harmless
_GROWTH: Final = 1.6  # times longer for each more: 2 if it doubles; less from 12 on for a polynomial of degree 5
_IN_A_ROW: Final = 3  # times it has to grow so
_REPEATS: Final = frozenset({codes.MAX_REPEAT, codes.MIN_REPEAT})
_ENDS: Final = ("\x01", "!", "")
Node = tuple[Any, Any]


def exponential(regex: re.Pattern[str]) -> str:
    """A text on which the pattern takes exponentially long, shortened; "" if none was found. Takes some ms at most."""
    tree = list(parser.parse(regex.pattern, regex.flags))
    for place, node in enumerate(tree):
        before = _shortest(tree[:place])
        for sample in _samples([node]):
            if any(_doubles(regex, before, sample, end) for end in _ENDS):
                return before + sample * 4 + "..."
    return ""


def _doubles(regex: re.Pattern[str], begin: str, sample: str, end: str) -> bool:
    """Whether it takes that much longer with each more of ``sample``."""
    before, grown = 0.0, 0
    for count in _LETTERS:
        text = begin + sample * count + end
        begun = time.perf_counter()
        regex.search(text)
        took = time.perf_counter() - begun
        grown = grown + 1 if took > _LONG and took > _GROWTH * before else 0
        if grown == _IN_A_ROW:
            return True
        before = took
    return False


def _samples(tree: Sequence[Node]) -> Iterator[str]:
    """What the inner of two nested repeats would repeat, at its shortest."""
    for repeat in _repeats(tree):
        _, most, body = repeat[1]
        if most >= _MANY:
            for inner in _repeats(body):
                if inner[1][1] > inner[1][0] and inner[1][1] >= _MANY:
                    yield from {_shortest(inner[1][2]) or "a", _shortest(body) or "a"}


def _repeats(tree: Sequence[Node]) -> Iterator[Node]:
    """All repeats in a pattern, at any depth."""
    for node in tree:
        if node[0] in _REPEATS:
            yield node
        for part in _parts(node):
            yield from _repeats(part)


def _parts(node: Node) -> list[Any]:
    """The patterns within a node."""
    kind, value = node
    if kind in _REPEATS:
        return [value[2]]
    if kind is codes.SUBPATTERN:
        return [value[3]]
    if kind is codes.BRANCH:
        return list(value[1])
    if kind in {codes.ASSERT, codes.ASSERT_NOT}:
        return [value[1]]
    return [value] if kind is codes.ATOMIC_GROUP else []


def _shortest(tree: Sequence[Node]) -> str:
    """A short text that a pattern takes, as far as that is easily said."""
    out = []
    for kind, value in tree:
        if kind is codes.LITERAL:
            out.append(chr(value))
        elif kind is codes.NOT_LITERAL:
            out.append("a" if value != ord("a") else "b")
        elif kind is codes.ANY:
            out.append("a")
        elif kind is codes.IN:
            out.append(_one_of(value))
        elif kind in _REPEATS:
            out.append(_shortest(value[2]) * max(value[0], 1))
        elif kind is codes.BRANCH:
            out.append(_shortest(value[1][0]))
        elif kind is codes.SUBPATTERN:
            out.append(_shortest(value[3]))
    return "".join(out)


def _one_of(choices: Sequence[Node]) -> str:
    """A character of a class."""
    known = {codes.CATEGORY_DIGIT: "0", codes.CATEGORY_SPACE: " ", codes.CATEGORY_WORD: "a"}
    for kind, value in choices:
        if kind is codes.LITERAL:
            return chr(value)
        if kind is codes.RANGE:
            return chr(value[0])
        if kind is codes.CATEGORY and value in known:
            return known[value]
    return "a" if choices and choices[0][0] is codes.NEGATE else "0"
