"""One clause of a charter's text changed, and nothing else: remarks and spelling of the rest stay as they are."""

from collections.abc import Mapping, MutableMapping
from typing import Any, Final, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from comity.core.errors import SourceError
from comity.toml_places import read_toml

_FIELDS: Final = ("text", "severity", "measures", "state")


def raw_clauses(text: str) -> list[dict[str, Any]]:
    """The clauses of a text as they are written, also where they are mistaken; none if it is no TOML."""
    try:
        clauses = tomlkit.parse(text).get("clause")
    except TOMLKitError:
        return []
    return [dict(clause) for clause in clauses.unwrap()] if isinstance(clauses, AoT) else []


def with_clause(text: str, place: int, fields: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """The text with a clause changed.

    place: of the clause, from 0; fields: of text, severity, measures and state; parameters: by name, None to leave the
    rule's own figure. Whether the values are right is for the charter's check to say. Raises LookupError if there is no
    such clause, or the text is no TOML.
    """
    before, part, after = _parted(text, place)
    document = tomlkit.parse(part)
    clauses = document["clause"]
    if not isinstance(clauses, AoT):
        raise LookupError(f"the clause at place {place} stands within a list")  # noqa: TRY004  as for one that is not there
    clause = cast("MutableMapping[str, Any]", clauses[0])
    for name, value in fields.items():
        if name not in _FIELDS:
            raise LookupError(f"a clause's {name} is changed in its text")
        _set(clause, name, value)
    given = clause.get("parameters")
    if given is None and any(value is not None for value in parameters.values()):
        clause["parameters"] = given = tomlkit.inline_table()
    if isinstance(given, MutableMapping):
        for name, value in parameters.items():
            _set(given, name, value)
        if not given:
            del clause["parameters"]
    return before + tomlkit.dumps(document) + after


def _parted(text: str, place: int) -> tuple[str, str, str]:
    """What stands before a clause, the clause, and what stands after it: it ends where another table begins."""
    try:
        document, places = read_toml(text, "")
    except SourceError as error:
        raise LookupError("the text is no TOML") from error
    clauses = document.get("clause")
    if not isinstance(clauses, list) or not 0 <= place < len(clauses):
        raise LookupError(f"there is no clause at place {place}")
    tables = [(name,) for name, value in document.items() if isinstance(value, dict)]
    begin = places.key("clause", place)[0]
    begins = [places.key(*table)[0] for table in (*tables, *(("clause", n) for n in range(len(clauses))))]
    end = min((line for line in begins if line > begin), default=0)
    lines = text.splitlines(keepends=True)
    stop = end - 1 if end else len(lines)
    return "".join(lines[: begin - 1]), "".join(lines[begin - 1 : stop]), "".join(lines[stop:])


def _set(table: MutableMapping[str, Any], name: str, value: Any) -> None:  # noqa: ANN401  whatever TOML can hold
    """Only what differs is written anew, so that its remark stays."""
    if value is None:
        table.pop(name, None)
    elif name not in table or table[name] != value:
        table[name] = value
