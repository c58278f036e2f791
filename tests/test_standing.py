"""Standing: exact, the same in any order and shards, undone without a trace."""

import datetime as dt
import math
import subprocess
import sys
import zoneinfo
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.core import standing as one
from comity.core import tables
from comity.core.days import ActiveColumns, CountedColumns
from comity.core.harm import Severity
from comity.core.interval import quantile
from comity.core.parameters import BOUNDS, DEFAULT, UNIT, Parameters
from comity.core.standing import Counted, Standing, day_of, day_reaching, standing, without
from comity.core.standings import Standings, fold, fold_one, standings
from comity.core.tables import spread

TODAY = 20_000
MINOR, SERIOUS, SEVERE = Severity


class Row(NamedTuple):
    """A row of activity."""

    member: int
    day: int
    messages: int


class Found(NamedTuple):
    """A row of findings."""

    member: int
    day: int
    severity: int
    message: int
    reported: bool = False


DAYS = st.integers(TODAY - 190, TODAY + 2)
ROWS = st.lists(st.builds(Row, st.integers(0, 3), DAYS, st.integers(0, 30)), max_size=30)
NEAR = st.integers(TODAY - 25, TODAY + 1) | DAYS  # close enough to quieten one another
FOUND = st.lists(
    st.builds(Found, st.integers(0, 3), NEAR, st.sampled_from([1, 3, 6]), st.integers(0, 9), st.booleans()), max_size=25
)


def columns(rows: Sequence[Row], found: Sequence[Found]) -> tuple[ActiveColumns, CountedColumns]:
    """Rows as columns."""
    activity = np.array(rows, dtype=np.int64).reshape(-1, 3)
    findings = np.array(found, dtype=np.int64).reshape(-1, 5)
    return (
        ActiveColumns(*activity.T),
        CountedColumns(findings[:, 0], findings[:, 1], findings[:, 2], findings[:, 3], findings[:, 4].astype(bool)),
    )


def everybody(
    rows: Sequence[Row],
    found: Sequence[Found],
    parameters: Parameters = DEFAULT,
    verified: Sequence[bool] = (False,) * 4,
) -> Standings:
    """Four members' standing today."""
    return standings(*columns(rows, found), TODAY, members=4, verified=np.array(verified), parameters=parameters)


def plain(rows: Sequence[Row], found: Sequence[Found], member: int, *, verified: bool = False) -> Standing:
    """One member's standing today by the plain version."""
    counted = [
        Counted(entry, f.day, Severity(f.severity), f.message, f.reported)
        for entry, f in enumerate(found)
        if f.member == member
    ]
    activity = [(r.day, r.messages) for r in rows if r.member == member]
    return standing(activity, counted, TODAY, verified=verified)


def bits(found: Standings) -> bytes:
    """All figures of all members, to compare bit by bit."""
    return b"".join(a.tobytes() for a in (found.history, found.uncapped, found.weight, found.active_days, found.points))


def minor(*days: int, reported: bool = False, severity: Severity = MINOR) -> list[Counted]:
    """One finding a day, each on its own message."""
    return [Counted(entry, day, severity, 100 + entry, reported) for entry, day in enumerate(days)]


def test_a_newcomer_starts_at_95() -> None:
    """Nobody begins under suspicion, and a verified member a little higher."""
    assert standing({}, [], TODAY).exact == 95
    assert standing({}, [], TODAY, verified=True).points == 95_714


def test_findings_take_what_the_charter_says() -> None:
    """One finding without history: minor, serious, severe; the serious one touches the line of 50 exactly."""
    assert standing({}, minor(TODAY), TODAY).points == 79_032
    assert standing({}, minor(TODAY, severity=SERIOUS), TODAY).exact == 50
    assert standing({}, minor(TODAY, severity=SEVERE), TODAY).exact == Fraction(25, 2)
    assert standing({}, minor(TODAY), TODAY, verified=True).points == 81_944


@given(st.integers(1, 1000), st.data())
@settings(max_examples=25, deadline=None)
def test_exposure_is_the_logarithm_rounded_down(full: int, data: st.DataObject) -> None:
    """Thousandths m of a full day are the largest with (1 + full)^m <= (1 + n)^1000, in whole numbers."""
    n = data.draw(st.integers(0, full))
    m = int(tables.exposures(full)[n])
    assert (1 + full) ** m <= (1 + n) ** 1000
    assert m == 1000 or (1 + full) ** (m + 1) > (1 + n) ** 1000


def test_default_exposures() -> None:
    """One message is not a quarter of a day, twenty are a whole one."""
    assert [0, 227, 360, 455] == tables.exposures(20)[:4].tolist()
    assert [983, 1000] == tables.exposures(20)[-2:].tolist()


@given(st.integers(1, 10**7), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_spread_is_the_logarithm_rounded_down(k: int, doubling: int) -> None:
    """2^spread <= k^doubling < 2^(spread + 1)."""
    s = spread(k, doubling)
    assert 1 << s <= k**doubling < 1 << (s + 1)


@given(st.integers(1, 365), st.integers(1, 730), st.data())
@settings(max_examples=20, deadline=None)
def test_forgetting_is_the_power_of_two_rounded_to_nearest(half_life: int, forgotten: int, data: st.DataObject) -> None:
    """|D - 2^20 · 2^(-k/h)| <= 1/2, checked as powers of whole numbers; nothing is left at the end."""
    table = tables.left(half_life, forgotten)
    k = data.draw(st.integers(0, forgotten - 1))
    m = int(table[k])
    exact = Fraction(2) ** (21 * half_life - k)  # (2·2^20·2^(-k/h))^h
    assert (m == 0 or (2 * m - 1) ** half_life <= exact) and exact <= (2 * m + 1) ** half_life  # noqa: PT018 - one claim
    assert table[forgotten] == 0
    assert len(table) == forgotten + 1


def test_half_is_left_after_a_half_life_and_nothing_at_the_end() -> None:
    """30 days halve a weight, 180 end it."""
    table = tables.left(30, 180)
    assert [1 << 20, 1 << 19, 1 << 18] == table[[0, 30, 60]].tolist()
    assert table[179] > 0
    assert standing({}, minor(TODAY - 180, severity=SEVERE), TODAY) == standing({}, [], TODAY)


@given(ROWS, FOUND, st.lists(st.booleans(), min_size=4, max_size=4))
@settings(max_examples=150, deadline=None)
def test_all_members_at_once_agree_with_each_alone(rows: list[Row], found: list[Found], verified: list[bool]) -> None:
    """The fast version says of everybody, bit for bit, what the plain one says."""
    fast = everybody(rows, found, verified=verified)
    for member in range(4):
        slow = plain(rows, found, member, verified=verified[member])
        assert slow == fast.of(member)
        assert (slow.history, slow.uncapped, slow.weight, slow.active_days, slow.points, slow.newcomer) == (
            fast.history[member],
            fast.uncapped[member],
            fast.weight[member],
            fast.active_days[member],
            fast.points[member],
            fast.newcomer[member],
        )


@given(ROWS, FOUND, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_order_changes_nothing(rows: list[Row], found: list[Found], shuffle: object) -> None:
    """Rows may arrive in any order."""
    before = bits(everybody(rows, found))
    shuffle.shuffle(rows)  # type: ignore[attr-defined]
    shuffle.shuffle(found)  # type: ignore[attr-defined]
    assert before == bits(everybody(rows, found))


@given(ROWS, FOUND, st.data())
@settings(max_examples=60, deadline=None)
def test_batches_and_shards_change_nothing(rows: list[Row], found: list[Found], data: st.DataObject) -> None:
    """A day's messages may be counted in one row or, by several workers, in many."""
    parts = []
    for row in rows:
        cut = data.draw(st.integers(0, row.messages))
        parts += [row._replace(messages=cut), row._replace(messages=row.messages - cut)]
    assert bits(everybody(rows, found)) == bits(everybody(parts, found))


@given(ROWS, FOUND, FOUND)
@settings(max_examples=60, deadline=None)
def test_a_reversal_leaves_nothing_behind(rows: list[Row], found: list[Found], reversed_: list[Found]) -> None:
    """With some findings reversed, standing equals that of a ledger in which they never were."""
    counted = [
        Counted(e, f.day, Severity(f.severity), f.message, f.reported) for e, f in enumerate([*found, *reversed_])
    ]
    activity = one.active((r.day, r.messages) for r in rows)
    never = fold_one(activity, counted[: len(found)]).at(TODAY)
    for gone in counted[len(found) :]:
        summed_again = without(gone.entry, activity, [*counted[: len(found)], gone], TODAY)
        assert (summed_again.history, summed_again.weight) == (never.history[0], never.weight[0])
        assert summed_again.points == never.points[0]


def test_without_an_entry_that_is_not_there() -> None:
    """Asking for what would be without an unknown entry is an error, not the same standing."""
    with pytest.raises(KeyError, match="entry 7"):
        without(7, {}, minor(TODAY), TODAY)


@given(ROWS, FOUND, st.integers(TODAY - 190, TODAY), st.integers(0, 30))
@settings(max_examples=80, deadline=None)
def test_nothing_offsets_a_finding(rows: list[Row], found: list[Found], day: int, messages: int) -> None:
    """More activity never takes anything from the weight of findings, and the most it can weigh is the cap."""
    before, after = everybody(rows, found), everybody([*rows, Row(0, day, messages)], found)
    assert before.weight.tobytes() == after.weight.tobytes()
    assert after.history.max() <= DEFAULT.cap * UNIT


def test_any_history_is_worth_about_one_minor_finding() -> None:
    """Half a year of full days bears 0.64, 1.11, 1.76 minor findings more than none, at the lines 70, 50, 25."""
    veteran = dict.fromkeys(range(TODAY - 179, TODAY + 1), 500)
    history = standing(veteran, [], TODAY).history
    assert history == 10 * UNIT

    def bears(points: int, days: int) -> Fraction:
        """The weight B at which S is ``points``: p·(n0 + A + B) = α0 + B."""
        p = Fraction(100 - points, 500)
        return (p * (30 + days) - Fraction(3, 10)) / (1 - p)

    more = [bears(line, 10) - bears(line, 0) for line in (DEFAULT.suspended, DEFAULT.no_links, DEFAULT.muted)]
    assert [0.64, 1.11, 1.76] == [round(float(m), 2) for m in more]


def test_several_rules_on_one_message_count_once() -> None:
    """Only the heaviest finding on a message weighs."""
    same = [Counted(1, TODAY, MINOR, 5), Counted(2, TODAY, SERIOUS, 5), Counted(3, TODAY, MINOR, 5)]
    assert standing({}, same, TODAY) == standing({}, same[1:2], TODAY)


def test_a_bad_day_weighs_less_than_its_messages_one_by_one() -> None:
    """Eight findings in one day weigh 1 + 3/4, not eight; on eight days they would weigh nearly eight."""
    day = [Counted(e, TODAY, MINOR, e) for e in range(8)]
    assert standing({}, day, TODAY).weight == 1750 << 20
    assert standing({}, minor(*range(TODAY - 7, TODAY + 1)), TODAY).weight > 7 * UNIT


@given(st.lists(st.integers(0, 20), unique=True), st.data())
@settings(max_examples=40, deadline=None)
def test_reports_themselves_never_move_standing(weeks: list[int], data: st.DataObject) -> None:
    """A finding weighs the same whether a rule or a report began it, and reports in the week after add nothing."""
    days = [TODAY - 8 * week for week in weeks]
    plain_ones = minor(*days)
    reported = [msgspec.structs.replace(f, reported=data.draw(st.booleans())) for f in plain_ones]
    assert standing({}, plain_ones, TODAY) == standing({}, reported, TODAY)
    crowded = [*reported, *(Counted(1000 + e, day + 1, MINOR, 1000 + e, reported=True) for e, day in enumerate(days))]
    in_time = [f for f in crowded if f.day <= TODAY]
    assert standing({}, reported, TODAY) == standing({}, in_time, TODAY)


def test_reports_about_one_bad_week_are_one_bad_week() -> None:
    """After a finding that counts, reported ones as grave or less add nothing for a week; on the eighth day they do."""
    alone = standing({}, minor(TODAY - 8), TODAY)
    again = [Counted(9, TODAY - 1, MINOR, 9, reported=True)]
    later = [Counted(9, TODAY, MINOR, 9, reported=True)]
    assert alone == standing({}, minor(TODAY - 8) + again, TODAY)
    assert alone.weight < standing({}, minor(TODAY - 8) + later, TODAY).weight
    found_by_rule = [msgspec.structs.replace(again[0], reported=False)]
    assert alone.weight < standing({}, minor(TODAY - 8) + found_by_rule, TODAY).weight


@pytest.mark.parametrize("severity", [SERIOUS, SEVERE])
def test_a_minor_finding_buys_no_peace_for_a_graver_one(severity: Severity) -> None:
    """Reports of something graver count in that week too."""
    graver = Counted(9, TODAY, severity, 9, reported=True)
    assert standing({}, [*minor(TODAY - 1), graver], TODAY).weight >= DEFAULT.weight(severity) * UNIT


def test_what_weighed_nothing_quietens_nobody() -> None:
    """A week of quiet begins with a finding that counts, so complaints every six days still count every second time."""
    every_six_days = minor(*range(TODAY - 30, TODAY + 1, 6), reported=True)
    assert [1, 0, 1, 0, 1, 0] == [share.of for share in one.shares(every_six_days)]


def test_what_is_later_has_not_happened() -> None:
    """Standing on a day does not change when the next day comes."""
    rows, late = {TODAY - 3: 5, TODAY + 1: 9}, minor(TODAY - 2, TODAY + 1)
    assert standing(rows, late, TODAY) == standing({TODAY - 3: 5}, late[:1], TODAY)


def test_a_newcomer_has_been_active_on_fewer_than_three_days() -> None:
    """Messages do not make up for days, and a verified member never waits."""
    assert standing({TODAY: 500, TODAY - 1: 500, TODAY - 2: 0}, [], TODAY).newcomer
    assert not standing({TODAY: 1, TODAY - 1: 1, TODAY - 2: 1}, [], TODAY).newcomer
    assert not standing({}, [], TODAY, verified=True).newcomer


def test_the_day_a_line_is_reached_again() -> None:
    """It is the first such day, and None for what time alone does not bring."""
    bad = minor(TODAY, severity=SEVERE)
    day = day_reaching(53_000, {}, bad, TODAY)
    assert day is not None
    assert standing({}, bad, day).points >= 53_000 > standing({}, bad, day - 1).points
    assert day_reaching(53_000, {}, [], TODAY) == TODAY
    assert day_reaching(95_001, {}, bad, TODAY) is None
    assert day_reaching(95_000, {}, bad, TODAY) == TODAY + 180


def test_nothing_overflows_at_the_bounds() -> None:
    """The largest weights on every day for two years, and the numpy sums still equal Python's."""
    most = {name: most for name, (_, most) in BOUNDS.items()}
    lines = {"suspended": 70, "no_links": 50, "muted": 25, "margin": 3, "trusted": 85}
    parameters = Parameters(**{**most, **lines})
    days = range(TODAY - 729, TODAY + 1)
    found = [Counted(7 * day + s, day, s, 7 * day + s) for day in days for s in Severity]
    rows = dict.fromkeys(days, 10**12)
    slow, fast = standing(rows, found, TODAY, parameters=parameters), fold_one(rows, found, parameters).at(TODAY)
    assert (slow.weight, slow.history, slow.points) == (fast.weight[0], fast.history[0], fast.points[0])
    gentle = [Counted(1, TODAY, MINOR, 1)]
    assert (
        standing(rows, gentle, TODAY, parameters=parameters).points
        == fold_one(rows, gentle, parameters).at(TODAY).points[0]
    )


def test_more_findings_in_a_day_than_any_table_holds() -> None:
    """5,000 findings in one day weigh 1 + log2(5000)/4, exactly."""
    many = [Counted(e, TODAY, MINOR, e) for e in range(5000)]
    assert fold_one({}, many).at(TODAY).weight[0] == (1000 + int(250 * math.log2(5000))) << 20


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"cap": -1}, "cap must be 0 to 1000"),
        ({"half_life": 0}, "half_life must be 1 to 365"),
        ({"minor": 4}, "graver severity"),
        ({"muted": 60}, "lines must rise"),
        ({"prior": 40}, "prior_verified"),
        ({"prior_findings": 2000}, "too low ever to leave"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(wrong: dict[str, int], says: str) -> None:
    """A charter cannot set a trap: every error names the parameter and what would do."""
    with pytest.raises(ValueError, match=says):
        Parameters(**wrong)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Parameters)


@pytest.mark.parametrize(
    ("rows", "found", "says"),
    [
        ([Row(4, TODAY, 1)], [], "members must be 0 to 3"),
        ([Row(0, TODAY, -1)], [], "messages must be >= 0"),
        ([], [Found(0, TODAY, 2, 1)], "severities must be"),
        ([], [Found(-1, TODAY, 1, 1)], "members must be"),
    ],
)
def test_columns_that_make_no_sense_are_refused(rows: list[Row], found: list[Found], says: str) -> None:
    """An impossible row is an error that says what was expected, not a wrong standing."""
    with pytest.raises(ValueError, match=says):
        everybody(rows, found)


def test_columns_of_different_length_are_refused() -> None:
    """A cut column is an error."""
    activity, findings = columns([Row(0, TODAY, 1)], [])
    with pytest.raises(ValueError, match="same number of rows"):
        fold(activity._replace(day=activity.day[:0]), findings, members=4)


def test_the_interval_holds_the_standing_and_narrows() -> None:
    """S lies in its 90 % interval; who has shown more is known better."""
    found = everybody([Row(1, day, 20) for day in range(TODAY - 60, TODAY)], [Found(2, TODAY, 6, 1)])
    low, high = found.interval()
    assert (low[1], high[1]) == found.of(1).interval()
    assert (low <= found.points).all()
    assert (found.points <= high).all()
    assert high[1] - low[1] < high[0] - low[0]


def test_removal_can_be_proposed_only_when_even_the_kindest_reading_is_bad() -> None:
    """One severe finding is not enough; a week of them is."""
    once = [Found(0, TODAY, 6, 1)]
    week = [Found(1, TODAY - day, 6, day) for day in range(7)]
    found = everybody([], once + week)
    assert [False, True, False, False] == found.removal_may_be_proposed().tolist()
    days = np.full(4, DEFAULT.prior)
    assert [False, True, False, False] == (quantile(0.05, found.history, found.weight, days, DEFAULT) > 0.1).tolist()
    assert found.of(1).removal_may_be_proposed()
    assert not found.of(0).removal_may_be_proposed()


def test_the_day_is_that_of_the_charters_time_zone() -> None:
    """Half past eleven at night in UTC is tomorrow in Berlin; a time without a zone is an error."""
    late = dt.datetime(2026, 5, 9, 23, 30, tzinfo=dt.UTC)
    assert day_of(late, zoneinfo.ZoneInfo("Europe/Berlin")) == day_of(late, dt.UTC) + 1
    assert one.date_of(day_of(late, dt.UTC)) == dt.date(2026, 5, 9)
    with pytest.raises(ValueError, match="time zone"):
        day_of(late.replace(tzinfo=None), dt.UTC)


def test_the_core_needs_no_compiler_and_no_scipy_to_rate() -> None:
    """Standing and rights load without Numba, and without SciPy until somebody asks for an interval."""
    code = "import sys, comity.core.rights, comity.core.explanation; print({'numba', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
