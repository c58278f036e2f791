"""What pages say, in each language: one table a language, put together from the parts in this folder."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from comity.core.wording import TEXTS as CORE

LANGUAGES: Final[Mapping[str, str]] = MappingProxyType({"en": "English", "de": "Deutsch"})


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All texts of a language: those of statements, and ``EN`` or ``DE`` of every module in this folder.

    Raises ValueError if two parts have the same key: then one of them would never be shown.
    """
    found: dict[str, str] = dict(CORE[language])
    for part in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        table: Mapping[str, str] = getattr(importlib.import_module(f"{__name__}.{part}"), language.upper())
        if both := found.keys() & table.keys():
            raise ValueError(f"texts.{part} has keys that another part has: {', '.join(sorted(both))}")
        found.update(table)
    return MappingProxyType(found)


def preferred(accept: str, chosen: str = "") -> str:
    """The language to answer in: the chosen one, else the first that the header names and we have, else English.

    accept: an ``Accept-Language`` header, of which only the order by weight counts (RFC 9110, section 12.5.4).
    """
    if chosen in LANGUAGES:
        return chosen
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept.split(",")[:20]):
        tag, _, parameters = part.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            weight = 0.0
        weighed.append((-weight, place, tag.partition("-")[0].strip().lower()))
    return next((tag for weight, _, tag in sorted(weighed) if weight < 0 and tag in LANGUAGES), "en")
