"""Names with ``*`` and ``?`` in them, as lists of bans write them (Matrix specification, "Glob-style matching")."""

import re
from collections.abc import Callable, Sequence


def is_glob(name: str) -> bool:
    """Whether a name stands for more than itself."""
    return "*" in name or "?" in name


def form(name: str) -> str:
    """The regular expression of a name, for ``fullmatch`` with ``re.DOTALL``; it never goes back to try again.

    ``*`` stands for any characters, ``?`` for any one, and every other character for itself.
    """
    first, *others = ("".join("." if c == "?" else re.escape(c) for c in part) for part in name.split("*"))
    if not others:
        return first
    # The first place where the next piece fits is as good as any later one, so nothing need ever be tried twice.
    return first + "".join(f"(?>.*?{piece})" for piece in others[:-1]) + f".*{others[-1]}"


def globs(names: Sequence[str]) -> Callable[[str], bool]:
    """Whether a text is one of the names, in any case."""
    exact = frozenset(n.casefold() for n in names if not is_glob(n))
    wild = re.compile("|".join(form(n) for n in names if is_glob(n)) or r"(?!)", re.IGNORECASE | re.DOTALL)
    return lambda text: text.casefold() in exact or wild.fullmatch(text) is not None
