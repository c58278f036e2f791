"""The clauses of a charter: each read, its expression checked, and refused where it goes beyond what we do."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from comity.backtracking import exponential
from comity.charter_mistakes import Reader, WrongError
from comity.core import harm as harms
from comity.core.charter import OF_THE_HOUSE, SEVERITIES, Clause, Measure, State
from comity.core.errors import SourceError
from comity.features.registry import FEATURES, Plan
from comity.language import FIELDS, Compiler, WhenError, nearest, rests_on_a_score
from comity.rule_values import RuleValues
from comity.rules import Rule, built_in
from comity.toml_places import Places

_CLAUSE = ("id", "text", "rule", "when", "harm", "sentence", "severity", "measures", "state", "parameters")


class ClauseReader(Reader):
    """Reads the clauses; lists of their ``file:`` parameters are looked for beside the file."""

    def __init__(self, path: str, document: Mapping[str, Any], places: Places) -> None:
        super().__init__(path, document, places)
        self._values = RuleValues(Path(path).parent)

    def clauses(self) -> list[Clause]:
        """All clauses that could be made; of the others, the mistakes are noted."""
        tables = self._document.get("clause", [])
        if not isinstance(tables, list) or not tables:
            self._note("there is no [[clause]]", "clause", expected="at least one [[clause]]")
            return []
        clauses: list[Clause] = []
        compiler = Compiler(Plan(0))
        for i, table in enumerate(tables):
            if not isinstance(table, dict):
                self._note("a clause is no table", "clause", expected="[[clause]]")
                continue
            try:
                clause = self._clause(i, table)
                self._compile(i, clause, compiler)
            except WrongError:
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
            review=self._rests_on_a_score(i, when),
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
        for n, word in enumerate(given):
            if word not in words:
                self._wrong(f"there is no measure {word!r}", *at, n, expected=nearest(str(word), words))
            if review:
                what = "a classifier's score never acts alone"
                self._wrong(what, *at, n, expected="no measures: a person looks at it")
            if harm.id == "house" and word not in OF_THE_HOUSE:
                self._wrong(f"a house rule cannot {word}: it acts lightly", *at, n, expected="warn, hide or slow")
        return tuple(m for m in Measure if m.value in given)

    def _parameters(self, i: int, rule: Rule, table: Mapping[str, Any]) -> dict[str, Any]:
        at = ("clause", i, "parameters")
        given = table.get("parameters", {})
        if not isinstance(given, dict):
            self._wrong("parameters is no table", *at, expected="{ name = value }")
        if not rule.name:  # an own expression declares its parameters by giving them
            for key in given:
                if key in FIELDS or key in FEATURES:
                    self._wrong(f"{key} is a field or feature already", *at, key, expected="a name of its own")
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

    def _rests_on_a_score(self, i: int, when: str) -> bool:
        try:
            return rests_on_a_score(when)
        except WhenError as e:
            self._wrong_at(i, e)

    def _compile(self, i: int, clause: Clause, compiler: Compiler) -> None:
        patterns = compiler.plan.patterns.regexes
        before = len(patterns)
        try:
            compiler.compile(clause.when, clause.parameters)
        except WhenError as e:
            if clause.rule:  # the rule's own text is sound: one of the parameters does not fit it
                self._wrong(e.what, "clause", i, "parameters", expected=e.expected)
            self._wrong_at(i, e)
        for regex in patterns[before:]:
            if text := exponential(regex):
                what = f"the pattern {regex.pattern!r} takes twice as long for each further letter of {text!r}"
                expected = "a pattern that repeats nothing which repeats itself: one message could hold up all others"
                self._wrong(what, "clause", i, "parameters" if clause.rule else "when", expected=expected)

    def _wrong_at(self, i: int, mistake: WhenError) -> NoReturn:
        """Note a mistake within the expression of a clause."""
        line, column = self._places.value("clause", i, "when")
        column = column + mistake.column - 1 if mistake.line == 1 else mistake.column
        line += mistake.line - 1
        self.mistakes.append(SourceError(self._path, mistake.what, line=line, column=column, expected=mistake.expected))
        raise WrongError from mistake
