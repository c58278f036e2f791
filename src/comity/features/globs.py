"""Names with ``*`` and ``?`` in them, as lists of bans write them (Matrix specification, "Moderation policy lists")."""

import re
from collections.abc import Callable, Sequence


def globs(names: Sequence[str]) -> Callable[[str], bool]:
    """Whether a text is one of the names, in any case.

    ``*`` stands for any characters, ``?`` for any one, and every other character for itself.
    """
    exact = frozenset(n.casefold() for n in names if not {"*", "?"} & set(n))
    wild = re.compile(
        "|".join(_form(n) for n in names if {"*", "?"} & set(n)) or r"(?!)",
        re.IGNORECASE | re.DOTALL,
    )
    return lambda text: text.casefold() in exact or wild.fullmatch(text) is not None


def _form(name: str) -> str:
    first, *others = ("".join("." if c == "?" else re.escape(c) for c in part) for part in name.split("*"))
    if not others:
        return first
    # The first place where the next piece fits is as good as any later one, so nothing need ever be tried twice.
    return first + "".join(f"(?>.*?{piece})" for piece in others[:-1]) + f".*{others[-1]}"
