"""Bands carry rights, are left only above their line, and say what is missing."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.core.harm import Severity
from comity.core.parameters import DEFAULT, UNIT, Parameters
from comity.core.rights import (
    NEWCOMER,
    RIGHTS,
    Band,
    Right,
    band_after,
    bands_over,
    curve,
    missing,
    rights,
    step,
    with_trust,
)
from comity.core.standing import Counted, Standing, standing
from comity.core.standings import fold_one

TODAY = 20_000
FINDINGS = st.lists(
    st.tuples(st.integers(TODAY - 60, TODAY), st.sampled_from(Severity), st.integers(0, 50), st.booleans()), max_size=10
).map(lambda rows: [Counted(entry, *row) for entry, row in enumerate(rows)])
ACTIVITY = st.dictionaries(st.integers(TODAY - 100, TODAY), st.integers(1, 40), max_size=20)


def at(points: float, active_days: int = 0) -> Standing:
    """A standing of about so many points, never above."""
    p = (100 - points) / 500
    weight = int((p * 30 - 0.3) / (1 - p) * UNIT) + 1
    return Standing(TODAY, 0, 0, weight, active_days, False, DEFAULT)  # noqa: FBT003 - not verified


@pytest.mark.parametrize(
    ("points", "band"),
    [
        (94, Band.GOOD),
        (70.01, Band.GOOD),
        (69.9, Band.SUSPENDED),
        (50.01, Band.SUSPENDED),
        (49.9, Band.NO_LINKS),
        (25.01, Band.NO_LINKS),
        (24.9, Band.MUTED),
    ],
)
def test_lines_of_70_50_and_25(points: float, band: Band) -> None:
    """From good standing a member falls to the band the figure says at once."""
    assert band == band_after(Band.GOOD, at(points))


def test_on_the_line_is_not_under_it() -> None:
    """A first serious finding brings exactly 50, and links stay."""
    now = standing({}, [Counted(1, TODAY, Severity.SERIOUS, 1)], TODAY)
    assert now.exact == 50
    assert band_after(Band.GOOD, now) == Band.SUSPENDED


@pytest.mark.parametrize(
    ("before", "points", "band"),
    [
        (Band.SUSPENDED, 72.9, Band.SUSPENDED),
        (Band.SUSPENDED, 73.01, Band.GOOD),
        (Band.NO_LINKS, 52.9, Band.NO_LINKS),
        (Band.NO_LINKS, 53.01, Band.SUSPENDED),
        (Band.NO_LINKS, 71, Band.SUSPENDED),
        (Band.MUTED, 27.9, Band.MUTED),
        (Band.MUTED, 80, Band.GOOD),
    ],
)
def test_a_band_is_left_only_three_points_above_its_line(before: Band, points: float, band: Band) -> None:
    """Nobody's rights flicker while standing wavers about a line."""
    assert band == band_after(before, at(points))


@given(st.sampled_from(Band), st.integers(0, 95), st.integers(0, 12))
@settings(max_examples=80)
def test_evaluating_twice_changes_nothing(before: Band, points: int, active_days: int) -> None:
    """How often a standing is looked at does not decide the band, and fast and plain versions agree."""
    now = at(points, active_days)
    band = band_after(before, now)
    assert band == band_after(band, now)
    figures = np.array([now.points])
    level = step(np.array([before], np.int8), figures, DEFAULT)
    assert band == with_trust(level, figures, np.array([active_days]), DEFAULT)[0]


def test_a_lower_band_never_has_a_right_that_a_higher_one_lacks() -> None:
    """Rights only grow with standing."""
    for lower, higher in itertools.pairwise(Band):
        assert RIGHTS[lower] < RIGHTS[higher]
    assert RIGHTS[Band.TRUSTED] == set(Right)
    assert not RIGHTS[Band.MUTED]


def test_newcomers_have_no_links_or_media_whatever_their_standing() -> None:
    """The policy for newcomers acts beside the band; verified members are none."""
    stranger, checked = standing({}, [], TODAY), standing({}, [], TODAY, verified=True)
    assert rights(Band.GOOD, newcomer=stranger.newcomer) == RIGHTS[Band.GOOD] - {Right.LINKS, Right.MEDIA}
    assert rights(Band.GOOD, newcomer=checked.newcomer) == RIGHTS[Band.GOOD]


def test_trust_takes_ten_active_days_and_85_points() -> None:
    """Neither days nor points alone."""
    assert band_after(Band.GOOD, at(90, active_days=10)) == Band.TRUSTED
    assert band_after(Band.GOOD, at(90, active_days=9)) == Band.GOOD
    assert band_after(Band.TRUSTED, at(84.9, active_days=50)) == Band.GOOD


@given(ACTIVITY, FINDINGS, st.booleans())
@settings(max_examples=30, deadline=None)
def test_bands_over_days_are_those_of_each_day(
    activity: dict[int, int],
    findings: list[Counted],
    verified: bool,  # noqa: FBT001 - drawn by Hypothesis, by name
) -> None:
    """Stepping everybody through the days gives what following one member by hand gives, and so does the curve."""
    first = TODAY - 60
    stepped = bands_over(fold_one(activity, findings), first, TODAY, verified=np.array([verified]))
    found = {day: Band(int(bands[0])) for day, bands in stepped}
    band = Band.GOOD
    drawn = curve(activity, findings, TODAY - 20, TODAY, verified=verified)
    for day in range(first, TODAY + 1):
        now = standing(activity, findings, day, verified=verified)
        band = band_after(band, now)
        assert band == found[day]
        if day >= TODAY - 20:
            point = drawn[day - TODAY + 20]
            assert (point.day, point.points, point.band) == (day, now.points, band)
            assert point.low <= point.points <= point.high


def test_bands_go_on_from_where_they_were() -> None:
    """Cutting the days anywhere gives the same bands."""
    folded = fold_one({}, [Counted(1, TODAY, Severity.SEVERE, 1)])
    whole = [int(b[0]) for _, b in bands_over(folded, TODAY, TODAY + 90)]
    begin = list(bands_over(folded, TODAY, TODAY + 40))
    rest = bands_over(folded, TODAY + 41, TODAY + 90, before=begin[-1][1])
    assert whole == [int(b[0]) for _, b in begin] + [int(b[0]) for _, b in rest]
    assert sorted(set(whole)) == [Band.MUTED, Band.NO_LINKS, Band.SUSPENDED, Band.GOOD]


@given(ACTIVITY, FINDINGS, st.sampled_from(Right))
@settings(max_examples=60, deadline=None)
def test_the_day_named_for_a_right_brings_it(activity: dict[int, int], findings: list[Counted], right: Right) -> None:
    """If nothing new happens, a right that lacks points is there on the day named and not a day before."""
    first = min([TODAY, *(f.day for f in findings)])
    band = Band.GOOD
    for day in range(first, TODAY + 1):
        band = band_after(band, standing(activity, findings, day))
    now = standing(activity, findings, TODAY)
    lacking = missing(right, band, now, activity, findings)
    if lacking is None:
        assert right in rights(band, newcomer=now.newcomer)
        return
    assert lacking.needed or lacking.active_days
    assert lacking.sentence().endswith(".")
    if lacking.on is not None:
        for day in range(TODAY + 1, lacking.on + 1):
            assert right not in RIGHTS[band]
            band = band_after(band, standing(activity, findings, day))
        assert right in RIGHTS[band] or lacking.active_days or right in {Right.MENTION_EVERYONE, Right.WRITE_NOTES}


def test_the_sentence_names_figures_and_the_day() -> None:
    """A member reads what is missing and when it comes back by itself."""
    findings = [Counted(1, TODAY, Severity.SEVERE, 1)]
    activity = {TODAY - 1: 3, TODAY - 2: 3, TODAY - 3: 3}
    now = standing(activity, findings, TODAY)
    lacking = missing(Right.LINKS, Band.MUTED, now, activity, findings)
    assert lacking is not None
    assert lacking.sentence() == (
        "The right to post links needs a standing of 53 (yours is 15.5). "
        "Without anything new your standing is there again on 6 November 2024."
    )


def test_a_newcomer_reads_how_many_days_are_missing() -> None:
    """For a newcomer it is not points that are missing."""
    now = standing({TODAY: 2}, [], TODAY)
    lacking = missing(Right.LINKS, Band.GOOD, now, {TODAY: 2}, [])
    assert lacking is not None
    assert lacking.sentence() == "The right to post links needs 2 more active days."


def test_slow_mode_holds_below_good_standing_for_those_who_may_speak() -> None:
    """Slow mode comes with the suspended rights and goes with them."""
    assert [b for b in Band if b.slow] == [Band.NO_LINKS, Band.SUSPENDED]


def test_parameters_move_the_lines() -> None:
    """A charter with other lines has other bands."""
    kind = Parameters(suspended=60, no_links=40, muted=10)
    now = standing({}, [Counted(1, TODAY, Severity.SERIOUS, 1)], TODAY, parameters=kind)
    assert band_after(Band.GOOD, now) == Band.SUSPENDED
    assert NEWCOMER == {Right.LINKS, Right.MEDIA}
