"""Times: texts to milliseconds as Python's datetime reads them, and milliseconds to days as zoneinfo tells them."""

import datetime as dt
import zoneinfo
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from comity.core.event import EPOCH, milliseconds, moment
from comity.features.columns import texts
from comity.features.times import NOT_A_TIME, Calendar, parse_spans

MOMENTS = st.datetimes(timezones=st.just(dt.UTC) | st.timezones(), allow_imaginary=False)
DIGITS = st.text("0123456789-:T.Zz+ t", min_size=15, max_size=30)


def parsed(strings: Sequence[str]) -> list[int | None]:
    """What the column says; None where a text is no time."""
    return [None if v == NOT_A_TIME else v for v in parse_spans(*texts(strings)).tolist()]


def told(text: str) -> int | None:
    """What Python's datetime says, as far as there is such a time in UTC."""
    try:
        at = dt.datetime.fromisoformat(text)
        if at.tzinfo is None:
            return None
        return (at.astimezone(dt.UTC) - EPOCH) // dt.timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None


@settings(max_examples=300, deadline=None)
@given(st.lists(MOMENTS.map(lambda m: m.isoformat()) | DIGITS, min_size=1, max_size=8))
@example(["2024-02-29T12:00:00Z", "2023-02-29T12:00:00Z", "2026-04-31T00:00:00Z", "2026-12-31T23:59:59.999Z"])
@example(["2026-01-30T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-31T00:00:00.000Z", "0000-03-29T00:00:00Z"])
@example(["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:59.999Z"])
@example(["2026-01-01t00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T23:59:60Z", "2026-01-01T00:00:00.12Z", ""])
@example(["1969-12-31T23:59:59.999Z", "1600-02-29T00:00:00Z", "1900-02-28T00:00:00Z", "2026-00-10T00:00:00Z"])
@example(["2026-01-00T00:00:00Z", "2026-01-01T00:00:00+14:00", "2026-01-01T00:00:00.1234567Z", "2026-01-01T00:00:00"])
def test_a_time_is_what_datetime_says(strings: list[str]) -> None:
    """Offsets, leap days, fractions, the first and the last year, and anything that is no time."""
    assert [told(s) for s in strings] == parsed(strings)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.datetimes(), min_size=1, max_size=20))
def test_every_day_there_is_is_read(moments: list[dt.datetime]) -> None:
    """The usual form, with and without milliseconds, over all years."""
    strings = [f"{m.isoformat(timespec='milliseconds')}Z" for m in moments]
    whole = [f"{m.replace(microsecond=0).isoformat()}Z" for m in moments]

    assert [milliseconds(s) for s in strings] == parsed(strings)
    assert [milliseconds(s) for s in whole] == parsed(whole)


def test_every_day_of_four_hundred_years_is_read() -> None:
    """No day of the calendar's whole cycle is off by one."""
    days = [dt.date(1900, 1, 1) + dt.timedelta(days=d) for d in range(0, 146_097, 7)]
    first = (dt.date(1900, 1, 1) - dt.date(1970, 1, 1)).days

    assert [(first + 7 * i) * 86_400_000 for i in range(len(days))] == parsed([f"{d}T00:00:00Z" for d in days])


def day(at: int, zone: zoneinfo.ZoneInfo) -> int:
    """The day on the wall clock, as zoneinfo says."""
    return (moment(at).astimezone(zone).date() - dt.date(1970, 1, 1)).days


ODD = [
    "UTC", "Europe/Vienna", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham",
    "Africa/Monrovia", "Pacific/Apia", "America/Caracas", "Asia/Pyongyang", "Africa/Casablanca", "Antarctica/Troll",
    "Pacific/Kiritimati", "Etc/GMT+12", "Europe/Amsterdam", "America/Scoresbysund",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_days_are_those_of_zoneinfo(name: str) -> None:
    """Around every change of the clocks, to the second, and in times that are in no order."""
    zone = zoneinfo.ZoneInfo(name)
    draw = np.random.default_rng(len(name))
    base = [
        milliseconds(f"{y}-{m:02}-01T00:00:00Z") for y in (1905, 1937, 1972, 2011, 2015, 2026) for m in range(1, 13)
    ]
    around = (np.repeat(base, 40) + draw.integers(-40 * 86_400, 40 * 86_400, 40 * len(base)) * 1000).tolist()
    midnights = [(at + shift) for at in around[::5] for shift in (-at % 86_400_000 + s for s in (-1, 0, 1))]
    times = [*around, *midnights]

    calendar = Calendar(zone)
    assert [day(at, zone) for at in times] == calendar.days(np.array(times, np.int64)).tolist()
    assert [day(at, zone) for at in times[:50]] == [int(calendar.days(np.array([at]))[0]) for at in times[:50]]


def test_a_change_within_a_quarter_of_an_hour_is_seen() -> None:
    """Where clocks left the sun's time, they changed at any second; the day is right on both sides."""
    for name in ("Africa/Monrovia", "Europe/Amsterdam", "America/New_York", "Asia/Kolkata", "Europe/Dublin"):
        zone = zoneinfo.ZoneInfo(name)
        changes, step = [], 86_400_000
        for at in range(milliseconds("1880-01-01T00:00:00Z"), milliseconds("1975-01-01T00:00:00Z"), step):
            if moment(at).astimezone(zone).utcoffset() != moment(at + step).astimezone(zone).utcoffset():
                low, high = at, at + step
                while high - low > 1:
                    middle = (low + high) // 2
                    same = moment(middle).astimezone(zone).utcoffset() == moment(at).astimezone(zone).utcoffset()
                    low, high = (middle, high) if same else (low, middle)
                changes += [high + s for s in (-2_700_000, -600_000, -1, 0, 1, 600_000, 2_700_000)]
            if len(changes) > 200:
                break
        assert [day(at, zone) for at in changes] == Calendar(zone).days(np.array(changes, np.int64)).tolist(), name


def test_the_first_and_the_last_hours_there_are_have_a_day() -> None:
    """No time that can be read is too early or too late for any zone."""
    edges = [milliseconds("0001-01-01T00:00:00Z"), milliseconds("9999-12-31T23:59:59.999Z")]
    for name in ODD:
        days = Calendar(zoneinfo.ZoneInfo(name)).days(np.array(edges, np.int64))
        assert np.abs(days - np.array([at // 86_400_000 for at in edges])).max() <= 1
