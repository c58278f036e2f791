"""An explanation adds up, exactly, and tells what each finding costs."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.core.explanation import Explanation, Line, explain, grouped
from comity.core.harm import Severity
from comity.core.parameters import DEFAULT, Parameters
from comity.core.standing import Counted, standing, without

TODAY = 20_000
ACTIVITY = st.dictionaries(st.integers(TODAY - 185, TODAY + 1), st.integers(0, 40), max_size=25)
FINDINGS = st.lists(
    st.tuples(st.integers(TODAY - 185, TODAY + 1), st.sampled_from(Severity), st.integers(0, 5), st.booleans()),
    max_size=12,
).map(lambda rows: [Counted(entry, *row) for entry, row in enumerate(rows)])


def findings_of(explanation: Explanation) -> list[Line]:
    """Its lines about findings."""
    return [line for line in explanation.lines if line.kind == "finding"]


@given(ACTIVITY, FINDINGS, st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_lines_add_up_exactly(activity: dict[int, int], findings: list[Counted], verified: bool) -> None:  # noqa: FBT001 - drawn
    """The fractions add up to S - S0, the shown figures to what is shown, and grouping changes neither."""
    explanation = explain(activity, findings, TODAY, verified=verified)
    now, n0 = explanation.standing, 1000 * DEFAULT.days(verified=verified)
    start = 100 * n0 - 500 * DEFAULT.prior_findings  # S0·n0
    for lines in (explanation.lines, grouped(explanation.lines)):
        assert (now.exact * n0 - start) * explanation.denominator == n0 * sum(line.numerator for line in lines)
        assert now.points - explanation.start == sum(line.shown for line in lines)
    for line in explanation.lines:
        assert abs(line.shown * explanation.denominator - 1000 * line.numerator) < explanation.denominator
    assert now == standing(activity, findings, TODAY, verified=verified)


@given(ACTIVITY, FINDINGS)
@settings(max_examples=60, deadline=None)
def test_weights_of_findings_add_up_to_b(activity: dict[int, int], findings: list[Counted]) -> None:
    """A day's weight is split over its findings without a unit lost or made."""
    explanation = explain(activity, findings, TODAY)
    assert explanation.standing.weight == sum(line.weight for line in findings_of(explanation))


@given(ACTIVITY, FINDINGS, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_findings_does_not_matter(
    activity: dict[int, int], findings: list[Counted], shuffle: object
) -> None:
    """The same ledger gives the same lines, whichever way it is read."""
    shuffled = list(findings)
    shuffle.shuffle(shuffled)  # type: ignore[attr-defined]
    assert explain(activity, findings, TODAY) == explain(activity, shuffled, TODAY)


@given(ACTIVITY, FINDINGS)
@settings(max_examples=40, deadline=None)
def test_every_finding_says_what_standing_would_be_without_it(
    activity: dict[int, int], findings: list[Counted]
) -> None:
    """The figure is that of summing all others again, and every remembered finding is there."""
    lines = {line.entry: line for line in findings_of(explain(activity, findings, TODAY))}
    assert lines.keys() == {f.entry for f in findings if 0 <= TODAY - f.day < 180}
    for entry, line in lines.items():
        assert entry is not None
        assert line.without == without(entry, activity, findings, TODAY).points


def test_a_finding_that_weighs_nothing_is_shown_and_says_why() -> None:
    """Two rules on one message, and a report in the week after: three lines, one weight, two reasons."""
    findings = [
        Counted(1, TODAY - 3, Severity.SERIOUS, 5),
        Counted(2, TODAY - 3, Severity.MINOR, 5),
        Counted(3, TODAY - 1, Severity.MINOR, 6, reported=True),
    ]
    first, second, third = findings_of(explain({}, findings, TODAY))
    assert first.weight > 0 == second.weight == third.weight
    assert not first.why
    assert "same message" in second.why
    assert "report" in third.why
    assert second.shown == third.shown == 0


def test_each_line_says_when_it_is_forgotten() -> None:
    """On that day it is gone, the day before it is not."""
    findings = [Counted(1, TODAY, Severity.MINOR, 5)]
    (line,) = explain({}, findings, TODAY).lines
    assert line.forgotten == TODAY + 180
    assert explain({}, findings, line.forgotten - 1).lines
    assert not explain({}, findings, line.forgotten).lines


def test_what_the_cap_takes_is_a_line() -> None:
    """A long history is shown in full, and so is what of it does not count."""
    explanation = explain(dict.fromkeys(range(TODAY - 100, TODAY), 20), [], TODAY)
    assert explanation.lines[-1].kind == "cap"
    assert explanation.lines[-1].numerator < 0
    assert explanation.standing.points == 96_250


def test_what_the_floor_adds_is_a_line() -> None:
    """Standing never goes below nothing, and the explanation says what that spares."""
    explanation = explain({}, [Counted(e, TODAY - e, Severity.SEVERE, e) for e in range(9)], TODAY)
    assert explanation.standing.points == 0
    assert explanation.lines[-1].kind == "floor"
    assert explanation.lines[-1].shown > 0


def test_grouped_activity_is_one_line() -> None:
    """Twelve active days are one line that says so."""
    lines = grouped(explain(dict.fromkeys(range(TODAY - 12, TODAY), 3), [], TODAY).lines)
    (line,) = lines
    assert (line.days, line.messages, line.day, line.forgotten) == (12, 36, None, TODAY + 179)


def test_an_explanation_follows_the_charters_parameters() -> None:
    """Other parameters, other figures, the same exactness."""
    other = Parameters(half_life=10, cap=3, serious=4, prior=40, prior_verified=50, doubling=500)
    findings = [Counted(1, TODAY - 2, Severity.SERIOUS, 5), Counted(2, TODAY - 2, Severity.SERIOUS, 6)]
    explanation = explain({TODAY: 4}, findings, TODAY, parameters=other)
    assert explanation.standing.points - explanation.start == sum(line.shown for line in explanation.lines)
    assert explanation.standing.weight == sum(line.weight for line in findings_of(explanation))
    assert msgspec.json.decode(msgspec.json.encode(explanation), type=Explanation) == explanation
