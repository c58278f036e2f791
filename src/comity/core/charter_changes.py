"""What differs between two charters, clause by clause: for a log that everybody may read. Pure.

Lists and free texts among the parameters can name people or places, so a difference tells only that they changed.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from comity.core.charter import Charter, Clause
from comity.core.due_process import BOUNDS as TERMS
from comity.core.parameters import BOUNDS

_DURATION: Final = re.compile(r"\d+(?:\.\d+)?(?:ms|s|m|h|d|w)")


class What(StrEnum):
    """What a change is about."""

    ADDED = "added"
    REMOVED = "removed"
    TEXT = "text"
    RULE = "rule"
    EXPRESSION = "expression"
    HARM = "harm"
    SENTENCE = "sentence"
    SEVERITY = "severity"
    MEASURES = "measures"
    STATE = "state"
    PARAMETER = "parameter"
    LIST = "list"
    FIGURE = "figure"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference.

    clause_id: "" where it is of the charter as a whole; name: of the parameter or figure, "" where there is none; old,
    new: as text, "" where nothing was, or where it is not told. Of a list they are how many entries it has.
    """

    what: What
    clause_id: str = ""
    name: str = ""
    old: str = ""
    new: str = ""


def changes(old: Charter | None, new: Charter) -> tuple[Change, ...]:
    """What ``new`` says otherwise than ``old``, None for no charter at all: clauses in order, then figures."""
    before: Mapping[str, Clause] = {} if old is None else {c.id: c for c in old.clauses}
    after = {c.id: c for c in new.clauses}
    found: list[Change] = []
    for id_, clause in after.items():
        if id_ in before:
            found += _of_clause(before[id_], clause)
        else:
            found.append(Change(what=What.ADDED, clause_id=id_, new=clause.text))
    gone = (c for c in before.values() if c.id not in after)
    found += (Change(what=What.REMOVED, clause_id=c.id, old=c.text) for c in gone)
    if old is not None:
        found += _figures(old, new)
    return tuple(found)


def _of_clause(old: Clause, new: Clause) -> Iterator[Change]:
    told = (
        (What.TEXT, old.text, new.text),
        (What.RULE, old.rule, new.rule),
        (What.HARM, old.harm, new.harm),
        (What.SENTENCE, old.sentence, new.sentence),
        (What.SEVERITY, old.severity.name.lower(), new.severity.name.lower()),
        (What.MEASURES, " ".join(old.measures), " ".join(new.measures)),
        (What.STATE, str(old.state), str(new.state)),
    )
    for what, was, now in told:
        if was != now:
            yield Change(what=what, clause_id=new.id, old=was, new=now)
    if old.when != new.when:
        yield Change(what=What.EXPRESSION, clause_id=new.id)
    for name in dict.fromkeys([*old.parameters, *new.parameters]):
        values = [clause.parameters.get(name) for clause in (old, new)]
        if values[0] != values[1]:
            what = What.LIST if any(isinstance(value, list) for value in values) else What.PARAMETER
            yield Change(what=what, clause_id=new.id, name=name, old=plain(values[0]), new=plain(values[1]))


def _figures(old: Charter, new: Charter) -> Iterator[Change]:
    for field in ("community", "language", "time_zone"):
        if (was := getattr(old, field)) != (now := getattr(new, field)):
            yield Change(what=What.FIGURE, name=field, old=was, new=now)
    hours = [f"{charter.longest.total_seconds() / 3600:g}h" for charter in (old, new)]
    if hours[0] != hours[1]:
        yield Change(what=What.FIGURE, name="longest", old=hours[0], new=hours[1])
    for section, names in (("standing", BOUNDS), ("due_process", TERMS)):
        for name in names:
            was, now = (str(getattr(getattr(charter, section), name)) for charter in (old, new))
            if was != now:
                yield Change(what=What.FIGURE, name=f"{section}.{name}", old=was, new=now)


def plain(value: Any) -> str:  # noqa: ANN401  a parameter is of any type
    """A parameter as everybody may read it: figures as they are, of a list its length, of other texts nothing."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value:g}" if isinstance(value, float) else str(value)
        case list():
            return str(len(value))
        case str() if _DURATION.fullmatch(value):
            return value
        case _:
            return ""
