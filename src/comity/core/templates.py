"""Templates of reasons: a text by language, with the placeholders that must be filled in. Pure."""

import re
from collections.abc import Mapping
from string import Formatter
from typing import Final

import msgspec

KNOWN: Final = frozenset({"member", "room", "clause", "measure", "until", "excerpt", "contact"})
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
LONGEST: Final = 2_000  # characters


class Template(msgspec.Struct, frozen=True):
    """A template.

    name: lasting, of small letters, digits and hyphens; language: BCP 47; required: placeholders that must stand in the
    text, so that nobody saves one that leaves out what a member has to know.
    """

    name: str
    language: str
    text: str
    required: tuple[str, ...] = ()


def mistakes(template: Template) -> list[str]:
    """What is wrong with a template, a sentence each with what was expected; empty if it can be saved."""
    found = []
    if not _NAME.fullmatch(template.name):
        found.append(f"{template.name!r} is no name; expected 1 to 40 small letters, digits and hyphens")
    if not _LANGUAGE.fullmatch(template.language):
        found.append(f"{template.language!r} is no language; expected a tag such as en or de-AT")
    if not template.text.strip() or len(template.text) > LONGEST:
        found.append(f"the text has {len(template.text)} characters; expected 1 to {LONGEST}")
    try:
        there = placeholders(template.text)
    except ValueError as error:
        return [*found, f"the text cannot be read ({error}); expected placeholders as in {{room}}, braces doubled"]
    known = ", ".join(sorted(KNOWN))
    found += [f"there is no placeholder {{{name}}}; expected one of {known}" for name in sorted(there - KNOWN)]
    found += [f"the placeholder {{{name}}} is missing" for name in template.required if name not in there]
    return found


def placeholders(text: str) -> set[str]:
    """The placeholders of a text. Raises ValueError if its braces do not pair, or one asks for more than a name."""
    found = set()
    for _, name, spec, conversion in Formatter().parse(text):
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            raise ValueError(f"{{{name}}} is no plain name")
        found.add(name)
    return found


def filled(template: Template, values: Mapping[str, str]) -> str:
    """The text with its values. Raises ValueError naming those that are missing or empty."""
    missing = sorted(name for name in placeholders(template.text) if not values.get(name, "").strip())
    if missing:
        raise ValueError(f"fill in {', '.join(missing)}")
    return template.text.format_map({name: values[name] for name in placeholders(template.text)})
