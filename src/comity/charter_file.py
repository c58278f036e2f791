"""A charter from its TOML file: read, checked to the last parameter, and refused where it goes beyond what we do."""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from comity.core import harm as harms
from comity.core.charter import (
    LONGEST_AUTOMATIC,
    OF_THE_HOUSE,
    SEVERITIES,
    Charter,
    Clause,
    Measure,
    State,
)
from comity.core.errors import ComityError, SourceError
from comity.core.parameters import BOUNDS, Parameters
from comity.features.registry import Plan
from comity.language import Compiler, WhenError, duration, nearest
from comity.rule_values import RuleValues
from comity.rules import Rule, built_in
from comity.toml_places import Places, read_toml

_CHARTER = ("community", "language", "time_zone", "longest")
_CLAUSE = ("id", "text", "rule", "when", "harm", "sentence", "severity", "measures", "state", "parameters")
_TOP = ("charter", "clause", "standing")


class CharterError(ComityError):
    """A charter that cannot be adopted. mistakes: each with file, line, column and what was expected."""

    def __init__(self, mistakes: list[SourceError]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(str(m) for m in mistakes))


def load_charter(path: Path) -> Charter:
    """The charter in a file. Raises CharterError with all its mistakes."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as e:
        line = path.read_bytes()[: e.start].count(b"\n") + 1
        mistake = SourceError(path, f"byte {e.start} is not UTF-8", line=line, expected="a text file in UTF-8")
        raise CharterError([mistake]) from e
    except OSError as e:
        mistake = SourceError(path, f"the charter cannot be read: {e.strerror}", expected="a charter in TOML")
        raise CharterError([mistake]) from e
    return parse_charter(text, path)


def parse_charter(text: str, path: Path | str = "charter.toml") -> Charter:
    """The charter in a text; lists of its ``file:`` parameters are read beside ``path``. Raises CharterError."""
    try:
        document, places = read_toml(text, str(path))
    except SourceError as e:
        raise CharterError([e]) from e
    reader = _Reader(str(path), document, places)
    charter = reader.charter()
    if reader.mistakes:
        raise CharterError(sorted(reader.mistakes, key=lambda m: (m.line, m.column)))
    return charter


class _WrongError(Exception):
    """A mistake has been noted; what it is part of cannot be made."""


class _Reader:
    def __init__(self, path: str, document: Mapping[str, Any], places: Places) -> None:
        self._path, self._document, self._places = path, document, places
        self.mistakes: list[SourceError] = []
        self._values = RuleValues(Path(path).parent)

    def charter(self) -> Charter:
        self._only(self._document, _TOP)
        head = self._table("charter")
        self._only(head, _CHARTER, "charter")
        clauses = self._clauses()
        return Charter(
            community=self._text(head, "charter", "community", default=""),
            language=self._text(head, "charter", "language", default="en"),
            time_zone=self._zone(head),
            clauses=tuple(clauses),
            longest=self._longest(head),
            standing=self._standing(),
        )

    def _note(self, what: str, *path: str | int, expected: str = "", value: bool = False) -> None:
        line, column = self._places.value(*path) if value else self._places.key(*path)
        self.mistakes.append(SourceError(self._path, what, line=line, column=column, expected=expected))

    def _wrong(self, what: str, *path: str | int, expected: str = "") -> NoReturn:
        self._note(what, *path, expected=expected, value=True)
        raise _WrongError

    def _only(self, table: Mapping[str, Any], known: tuple[str, ...], *path: str | int) -> None:
        for key in table:
            if key not in known:
                self._note(f"there is no {key!r} here", *path, key, expected=nearest(key, known))

    def _table(self, name: str) -> Mapping[str, Any]:
        table = self._document.get(name, {})
        if not isinstance(table, dict):
            self._note(f"{name} is no table", name, expected=f"[{name}]")
            return {}
        if name == "charter" and not table:
            self._note("there is no [charter] table", expected="[charter] with the community's name")
        return table

    def _text(self, table: Mapping[str, Any], *path: str | int, default: str) -> str:
        value = table.get(str(path[-1]), default)
        if not isinstance(value, str) or (not value.strip() and path[-1] in ("community", "id", "text")):
            self._note(f"{path[-1]} is missing or no text", *path, expected="a text", value=True)
            return default
        return value

    def _zone(self, head: Mapping[str, Any]) -> str:
        name = self._text(head, "charter", "time_zone", default="UTC")
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._note(
                f"there is no time zone {name!r}", "charter", "time_zone", expected="a name such as Europe/Vienna"
            )
            return "UTC"
        return name

    def _longest(self, head: Mapping[str, Any]) -> dt.timedelta:
        text = self._text(head, "charter", "longest", default="72h")
        try:
            longest = dt.timedelta(milliseconds=duration(text))
        except ValueError as e:
            self._note(str(e), "charter", "longest", value=True)
            return LONGEST_AUTOMATIC
        if not dt.timedelta() < longest <= LONGEST_AUTOMATIC:
            what = "an automatic measure cannot last longer than 72 hours: what lasts needs a person"
            self._note(what, "charter", "longest", expected="at most 72h", value=True)
        return longest

    def _standing(self) -> Parameters:
        table = self._table("standing")
        self._only(table, tuple(BOUNDS), "standing")
        given = {k: v for k, v in table.items() if k in BOUNDS}
        try:
            return msgspec.convert(given, Parameters)
        except (msgspec.ValidationError, ValueError) as e:
            wrong = next((k for k in given if k in str(e)), None)
            self._note(str(e), *(["standing", wrong] if wrong else ["standing"]), value=True)
            return Parameters()

    def _clauses(self) -> list[Clause]:
        tables = self._document.get("clause", [])
        if not isinstance(tables, list) or not tables:
            self._note("there is no [[clause]]", "clause", expected="at least one [[clause]]")
            return []
        clauses: list[Clause] = []
        compiler = Compiler(Plan(0))
        for i, table in enumerate(tables):
            try:
                clause = self._clause(i, table)
                self._compile(i, clause, compiler)
            except _WrongError:
                continue
            if any(c.id == clause.id for c in clauses):
                self._note(
                    f"two clauses have the id {clause.id!r}", "clause", i, "id", expected="each id once", value=True
                )
            clauses.append(clause)
        return clauses

    def _clause(self, i: int, table: Mapping[str, Any]) -> Clause:
        at = ("clause", i)
        self._only(table, _CLAUSE, *at)
        rule = self._rule(i, table)
        harm = self._harm(i, rule.harm)
        severity = self._one(table, SEVERITIES, *at, "severity", default="minor")
        if severity > harm.most:
            most = harm.most.name.lower()
            self._wrong(f"{harm.id} is {most} at most: it acts lightly", *at, "severity", expected=most)
        state = self._one(table, {s.value: s for s in State}, *at, "state", default="live")
        parameters = self._parameters(i, rule, table)
        return Clause(
            id=self._text(table, *at, "id", default=""),
            text=self._text(table, *at, "text", default=""),
            rule=rule.name,
            harm=harm.id,
            severity=severity,
            measures=self._measures(i, table, harm, review=rule.review),
            state=state,
            when=rule.when,
            sentence=rule.sentence,
            parameters=parameters,
            review=rule.review,
        )

    def _rule(self, i: int, table: Mapping[str, Any]) -> Rule:
        rules, at = built_in(), ("clause", i)
        if ("rule" in table) == ("when" in table):
            self._wrong("a clause has either a rule or a when", *at, expected='rule = "..." or when = "..."')
        if "rule" in table:
            name = self._text(table, *at, "rule", default="")
            if name not in rules:
                self._wrong(f"there is no rule {name!r}", *at, "rule", expected=nearest(name, list(rules)))
            for key in ("harm", "sentence"):
                if key in table:
                    self._wrong(f"the rule {name} brings its own {key}", *at, key, expected=f"no {key}, or a when")
            return rules[name]
        when = self._text(table, *at, "when", default="")
        # What a classifier says is for a person to look at, whoever writes the expression.
        return Rule(
            name="",
            title=self._text(table, *at, "id", default=""),
            harm=self._text(table, *at, "harm", default="house"),
            sentence=self._text(table, *at, "sentence", default=self._text(table, *at, "text", default="")),
            when=when,
            review="score(" in when.replace(" ", ""),
        )

    def _harm(self, i: int, name: str) -> harms.Harm:
        if harms.refused(name):
            what = f"{name!r} would judge opinion or truth, and no clause can: Comity judges conduct only"
            self._wrong(what, "clause", i, "harm", expected="a harm of conduct; a claim is answered by a context note")
        if name not in harms.HARMS:
            near = harms.nearest(name)
            self._wrong(
                f"there is no harm {name!r}", "clause", i, "harm", expected=near or "one of `comity rules --harms`"
            )
        return harms.HARMS[name]

    def _measures(self, i: int, table: Mapping[str, Any], harm: harms.Harm, *, review: bool) -> tuple[Measure, ...]:
        at, words = ("clause", i, "measures"), [m.value for m in Measure]
        given = table.get("measures", [])
        if not isinstance(given, list):
            self._wrong("measures is no list", *at, expected='a list such as ["hide", "warn"]')
        for word in given:
            if word not in words:
                self._wrong(f"there is no measure {word!r}", *at, expected=nearest(str(word), words))
            if review:
                self._wrong("a classifier's score never acts alone", *at, expected="no measures: a person looks at it")
            if harm.id == "house" and word not in OF_THE_HOUSE:
                self._wrong(f"a house rule cannot {word}: it acts lightly", *at, expected="warn, hide or slow")
        return tuple(m for m in Measure if m.value in given)

    def _one(self, table: Mapping[str, Any], words: Mapping[str, Any], *path: str | int, default: str) -> Any:  # noqa: ANN401
        word = table.get(str(path[-1]), default)
        if word not in words:
            self._wrong(f"there is no {path[-1]} {word!r}", *path, expected=nearest(str(word), list(words)))
        return words[word]

    def _parameters(self, i: int, rule: Rule, table: Mapping[str, Any]) -> dict[str, Any]:
        at = ("clause", i, "parameters")
        given = table.get("parameters", {})
        if not isinstance(given, dict):
            self._wrong("parameters is no table", *at, expected="{ name = value }")
        if not rule.name:  # an own expression declares its parameters by giving them
            return {k: self._value(partial(self._values.words, v), *at, k) for k, v in given.items()}
        values = {k: spec.default for k, spec in rule.parameters.items()}
        for key, value in given.items():
            if key not in rule.parameters:
                known = list(rule.parameters)
                self._wrong(f"the rule {rule.name} has no parameter {key!r}", *at, key, expected=nearest(key, known))
            values[key] = self._value(partial(self._values.value, value, rule.parameters[key]), *at, key)
        return values

    def _value(self, read: Callable[[], Any], *path: str | int) -> Any:  # noqa: ANN401
        try:
            return read()
        except ValueError as e:
            self._wrong(str(e), *path)

    def _compile(self, i: int, clause: Clause, compiler: Compiler) -> None:
        try:
            compiler.compile(clause.when, clause.parameters)
        except WhenError as e:
            if clause.rule:  # the rule's own text is sound: one of the parameters does not fit it
                self._wrong(e.what, "clause", i, "parameters", expected=e.expected)
            line, column = self._places.value("clause", i, "when")
            column = column + e.column - 1 if e.line == 1 else e.column
            line += e.line - 1
            self.mistakes.append(SourceError(self._path, e.what, line=line, column=column, expected=e.expected))
            raise _WrongError from e
