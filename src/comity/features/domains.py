"""Domains as they are compared: in ASCII, so that a name and its ``xn--`` form are one (RFC 5891, RFC 3490)."""

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache

_DOTS = re.compile("[.\u3002\uff0e\uff61]")  # all that browsers take for a dot
_SIGNS = frozenset(".-_\u00b7")


@lru_cache(maxsize=65_536)
def ascii_forms(host: str) -> tuple[str, ...]:
    """The forms under which a host can be asked for: by today's rules, and by those of 2003 (German sharp s as ss)."""
    if host.isascii():
        return (host.lower(),)
    plain = unicodedata.normalize("NFKC", _DOTS.sub(".", unicodedata.normalize("NFKC", host)).lower())
    forms = [".".join(map(_label, plain.split(".")))]
    with suppress(UnicodeError):  # a label that no registry gives out
        forms.append(plain.encode("idna").decode("ascii"))
    return tuple(dict.fromkeys(forms))


def _label(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")


def domain(text: str) -> tuple[str, ...]:
    """A domain of a list as it is compared, in ASCII. Raises ValueError if it is none."""
    bare = text.strip().lower().removeprefix("*.").strip(".")
    if not _DOTS.search(bare) or any(c in bare for c in "/:@ \0"):
        raise ValueError(f"{text!r} is no domain; expected a name such as example.org, without http:// and path")
    return ascii_forms(bare)


def hosts_in(span: str) -> list[str]:
    """The hosts in a stretch of letters, digits, dots, hyphens and anything beyond ASCII, where they stand alone."""
    text = unicodedata.normalize("NFC", _DOTS.sub(".", span))
    alone = "".join(c if c.isalnum() or c in _SIGNS or unicodedata.category(c)[0] == "M" else " " for c in text)
    return [host for part in alone.split() if "." in (host := part.strip(".-_"))]


def with_parents(host: str, most: int) -> list[str]:
    """A host, and the domains above it that have 2 to ``most`` labels."""
    labels = host.split(".")
    return [host, *(".".join(labels[-n:]) for n in range(2, min(most + 1, len(labels))))]
