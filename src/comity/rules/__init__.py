"""The built-in rules, one TOML file each: name, harm, sentence, parameters with units, ``when``, examples.

Adding a rule is adding a file here; its examples are its tests, its page in the docs, and demo data.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from comity.core.errors import SourceError


class ParameterSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule's parameter. default gives its type: a number, a truth, a text, a duration as text, or a list of texts.

    unit: for numbers; least and most: bounds for numbers and durations; doc: one sentence.
    """

    default: int | float | bool | str | list[str]
    unit: str = ""
    least: int | float | str | None = None
    most: int | float | str | None = None
    doc: str = ""


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chat as a transcript, and the lines in it that the rule finds with these parameters."""

    chat: str
    finds: list[str] = msgspec.field(default_factory=list)
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule. title and about: for its page; review: its findings are for a person and never count by themselves."""

    name: str
    title: str
    harm: str
    sentence: str
    when: str
    about: str = ""
    parameters: dict[str, ParameterSpec] = msgspec.field(default_factory=dict)
    example: list[Example] = msgspec.field(default_factory=list)
    review: bool = False


@cache
def built_in() -> Mapping[str, Rule]:
    """All built-in rules by name. Raises SourceError if one of the files is no rule."""
    rules = {}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            rule = read_rule(file.read_text("utf-8"), file.name)
            rules[rule.name] = rule
    return rules


def read_rule(text: str, path: str) -> Rule:
    """A rule from the text of its file. Raises SourceError."""
    try:
        return msgspec.convert(tomllib.loads(text), Rule)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as e:
        raise SourceError(path, f"this is no rule: {e}") from e
