"""Each built-in rule does what its own examples say, and its page can be written from its file."""

from pathlib import Path

import pytest

from comity.core.charter import Charter, Clause, State
from comity.core.harm import HARMS, Severity, refused
from comity.engine import Engine
from comity.rule_values import RuleValues
from comity.rules import Example, Rule, built_in
from comity.transcript import chat, told

EXAMPLES = [pytest.param(r, e, id=f"{n}-{i}") for n, r in built_in().items() for i, e in enumerate(r.example, 1)]


def charter_of(rule: Rule, parameters: dict[str, object]) -> Charter:
    """A charter of one live clause."""
    values = RuleValues(Path())
    given = {k: values.value(v, rule.parameters[k]) for k, v in parameters.items()}
    clause = Clause(
        id="1", text="a clause", rule=rule.name, harm=rule.harm, severity=Severity.MINOR, measures=(), state=State.LIVE,
        when=rule.when, sentence=rule.sentence, parameters={k: s.default for k, s in rule.parameters.items()} | given,
    )  # fmt: skip
    return Charter(community="tea", language="en", time_zone="UTC", clauses=(clause,))


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_rule_finds_just_what_its_example_says(rule: Rule, example: Example) -> None:
    """The lines an example names are found, and no other line of its chat."""
    turn = Engine(charter_of(rule, example.parameters)).turn(chat(example.chat))

    assert example.finds == [told(turn.batch.events[i]) for i in turn.findings.rows]


@pytest.mark.parametrize("rule", built_in().values(), ids=built_in().keys())
def test_a_rule_is_complete(rule: Rule) -> None:
    """A rule has a published harm, an example, a unit for each figure, and a sentence that can be said."""
    assert rule.harm in HARMS
    assert not refused(rule.harm)
    assert rule.example
    for name, spec in rule.parameters.items():
        numeric = isinstance(spec.default, int | float) and not isinstance(spec.default, bool)
        assert spec.unit or not numeric, f"{name} has no unit"
    assert rule.sentence.format(**{k: s.default for k, s in rule.parameters.items()})
    assert rule.about
