"""The book: everybody's standing, of the communities and the day that are asked for."""

import random
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.bands import Days, bands_on
from comity.book import Book
from comity.core.days import ActiveColumns, CountedColumns
from comity.core.parameters import Parameters
from comity.core.rights import bands_over, curve
from comity.core.standings import Folded, fold
from comity.stores.sqlite import SqliteStore
from commanding import CHARTER, charter, chat, findings, parsed, rated, run, standings, written

DAY = date(2026, 3, 2).toordinal() - date(1970, 1, 1).toordinal()


def folded(seed: int, days: int, findings_: int, parameters: Parameters) -> Folded:
    """Four members with activity and findings at random days."""
    chance = np.random.default_rng(seed)

    def some(least: int, most: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return chance.integers(least, most, count)

    active = ActiveColumns(some(0, 4, 60), some(0, days, 60), some(1, 30, 60))
    severity = chance.choice(np.array([1, 3, 6]), findings_)
    found = CountedColumns(
        some(0, 4, findings_), some(0, days, findings_), severity, np.arange(findings_), np.zeros(findings_, np.bool_)
    )
    return fold(active, found, members=4, parameters=parameters)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32), days=st.integers(1, 900), count=st.integers(0, 12), wanted=st.sets(st.integers(0, 1200))
)
def test_bands_on_some_days_are_those_of_following_every_day(
    seed: int, days: int, count: int, wanted: set[int]
) -> None:
    """Days that are left out, because nothing is remembered on them, would have changed no band."""
    here = folded(seed, days, count, Parameters(forgotten=90))
    daily = {day: bands.tolist() for day, bands in bands_over(here, 0, 1200)}
    found = [(day, now.day, bands.tolist()) for day, now, bands in bands_on(wanted, here)]
    assert [(day, day, daily[day]) for day in sorted(wanted)] == found


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), wanted=st.lists(st.integers(-50, 700), max_size=30))
def test_leaving_rows_aside_changes_no_standing(seed: int, wanted: list[int]) -> None:
    """Asked for days in any order, a fold that leaves forgotten and coming rows aside says what the whole one says."""
    here = folded(seed, 500, 12, Parameters(forgotten=90))
    days = Days(here)
    for day in wanted:
        one, other = days.at(day), here.at(day)
        for name in ("history", "uncapped", "weight", "active_days", "points"):
            assert getattr(other, name).tolist() == getattr(one, name).tolist()


def test_a_wrong_century_costs_no_time() -> None:
    """Bands after eight thousand years are worked out from the days on which something is remembered."""
    here = folded(1, 100, 8, Parameters())
    looked_at: list[int] = []
    at = Folded.at

    def counting(self: Folded, day: int, **more: None) -> object:
        looked_at.append(day)
        return at(self, day, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Folded, "at", counting)
        list(bands_on([3_000_000], here))
    assert len(looked_at) < 400


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A chat of two communities, rated."""
    path, by = tmp_path / "comity.sqlite", charter(tmp_path / "charter.toml")
    rated(written(tmp_path / "tea.ndjson", chat(7)), "--store", path, "--charter", by)
    rated(written(tmp_path / "paste.ndjson", chat(8, 60, community="toothpaste")), "--store", path, "--charter", by)
    return path


def test_a_book_is_of_the_communities_it_is_asked_for(store: Path) -> None:
    """Members, findings and days of another community in the same store are in no figure."""
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        whole, tea, paste = Book(ledger, parsed()), *(Book(ledger, parsed(), communities=[n]) for n in (1, 2))
        assert len(tea.active) + len(paste.active) == len(whole.active)
        assert not set(tea.active.tolist()) & set(paste.active.tolist())
        assert {1} == {ledger.member(m).community for m in tea.active.tolist()}  # type: ignore[union-attr]
        for member in tea.active.tolist():
            assert whole.explain(member, tea.today) == tea.explain(member)


def test_the_band_of_a_day_is_the_band_of_that_day(store: Path) -> None:
    """Asked for a past or a coming day, a band is the one that following every day leads to."""
    chance = random.Random(2)
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        book = Book(ledger, parsed(), communities=[1])
        assert book.first is not None
        seen = set()
        for member in book.with_findings.tolist():
            last = book.today + 200
            drawn = curve(book.activity_of(member), book.counted_of(member), book.first, last)
            for point in chance.sample(drawn, 40):
                assert point.band == book.band(member, point.day)
                seen.add(point.band)
            assert drawn[book.today - book.first].band == book.band(member) == book.band(member, book.today)
            if book.counted_of(member):
                assert min(p.points for p in drawn) == book.lowest[member][0]
        assert len(seen) > 2


def test_a_day_after_today_does_not_count_yet(tmp_path: Path) -> None:
    """One line with a wrong clock makes nobody a century older; where all is later, this machine's clock is wrong."""
    path, by = tmp_path / "clock.sqlite", charter(tmp_path / "charter.toml")
    events = chat(7)
    odd = events[0] | {"id": "odd", "at": "9999-12-31T23:59:59Z", "text": "milk first"}
    rated(written(tmp_path / "log.ndjson", [*events, odd]), "--store", path, "--charter", by)
    plain = tmp_path / "plain.sqlite"
    rated(written(tmp_path / "plain.ndjson", events), "--store", plain, "--charter", by)
    with SqliteStore.open(path, durable=False, read_only=True) as ledger:
        book = Book(ledger, parsed(), not_after=DAY + 3650)
        last = max(int(d) for d in book.activity.day)
        assert last > DAY + 2_000_000
        assert (book.today < DAY + 3650, book.later) == (True, last)
        assert standings(plain, parsed()) == standings(path, parsed(), book.today)
        early = Book(ledger, parsed(), not_after=DAY - 1)
        assert (early.today, early.later) == (last, None)


def test_old_findings_stay_as_they_were_decided(store: Path, tmp_path: Path) -> None:
    """A charter that is milder from today on takes nothing back: what was found keeps its clause and its severity."""
    before, found = standings(store, parsed()), findings(store)
    shadow = CHARTER.replace('id = "1"', 'id = "1"\nstate = "shadow"').replace('"serious"', '"minor"')
    mild = charter(tmp_path / "mild.toml", shadow)
    rated(written(tmp_path / "more.ndjson", chat(9, 1)), "--store", store, "--charter", mild, "--quiet")
    assert found == findings(store)
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        assert {"live", "shadow"} >= {c.state for c in ledger.clause_rows() if c.id == "1"}
    weights = {account: weight for account, (_, weight, _) in before.items()}
    assert weights == {account: weight for account, (_, weight, _) in standings(store, mild).items()}


def test_an_empty_ledger_is_a_book(tmp_path: Path) -> None:
    """A store in which nothing happened has no first day, nobody, and no band to follow."""
    path = tmp_path / "empty.sqlite"
    with SqliteStore.open(path, durable=False) as ledger:
        book = Book(ledger, parsed())
        assert (book.first, book.today, len(book.active), book.bands, book.lowest) == (None, 0, 0, {}, {})


def test_standing_adds_up_exactly_for_everybody(store: Path) -> None:
    """For every member with findings, the lines shown and the exact lines add up to the standing, on several days."""
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        book = Book(ledger, parsed())
        for member in book.with_findings.tolist():
            for day in (book.today, book.today - 3, book.today + 40):
                told = book.explain(member, day)
                assert told.start + sum(line.shown for line in told.lines) == told.standing.points
                exact = sum(line.numerator for line in told.lines)
                points = 1000 * exact // told.denominator + told.start  # both rounded down; the start is whole
                assert points == told.standing.points
                assert int(book.folded.at(day).points[member - 1]) == told.standing.points


def test_a_member_of_one_message_is_found_by_name(store: Path) -> None:
    """Everybody in the store can be explained, also those of whom nothing was found."""
    for account in ("ana", "hedy"):
        result = run("explain", account, "--store", store, "--charter", store.with_name("charter.toml"))
        assert result.exit_code == 1
        assert "2 members are named so" in result.output  # one in each community
