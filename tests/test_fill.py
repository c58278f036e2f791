"""The report is filled with what the book says, in words that fit their numbers."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from comity.book import Book
from comity.replay import Summary
from comity.stores.sqlite import SqliteStore
from comity.web import people
from comity.web.fill import fill
from comity.web.report import render
from comity.web.report_data import Person, Report
from commanding import CHARTER, charter, chat, parsed, rated, run, written

VIENNA = ZoneInfo("Europe/Vienna")


@pytest.fixture
def filled(tmp_path: Path) -> Callable[..., Report]:
    """The report of some events, each rendered as well: a sum that does not add up is refused there."""

    def make(events: list[dict[str, object]], *, taken_back: int = 0, text: str = CHARTER) -> Report:
        store, by = tmp_path / "comity.sqlite", charter(tmp_path / "charter.toml", text)
        rated(written(tmp_path / "log.ndjson", events), "--store", store, "--charter", by)
        if taken_back:
            run("reverse", taken_back, "--reason", "asked for", "--by", "olive", "--store", store)
        with SqliteStore.open(store, durable=False, read_only=True) as ledger:
            summary = Summary(events=len(events), rooms={1, 2})
            report = fill(Book(ledger, parsed(text)), summary, charter_name="charter.toml")
        assert report.title in render(report)
        return report

    return make


def person(report: Report, name: str) -> Person:
    """One of the report's people."""
    (found,) = (p for p in report.people if p.name == name)
    return found


def test_figures_are_those_of_the_ledger(filled: Callable[..., Report]) -> None:
    """Members, messages, days, findings and people agree with each other and with the chat."""
    events = chat(3)
    report = filled(events)
    assert (
        report.messages
        == len(events)
        == sum(day.messages for day in report.days)
        == sum(p.messages for p in report.people)
    )
    assert report.members == len(report.people) == len({e["member"] for e in events})
    found = sum(harm.findings for harm in report.harms)
    assert found == sum(c.findings for c in report.clauses) == sum(sum(d.findings.values()) for d in report.days)
    assert found == sum(len(p.entries) for p in report.people)
    assert [day.day for day in report.days] == sorted(day.day for day in report.days)
    last = report.bands[-1]
    assert last.day == report.days[-1].day
    counted = last.newcomer + last.trusted + last.good + last.suspended + last.no_links + last.muted
    assert counted == report.members
    for name in ("trusted", "suspended", "no_links", "muted"):
        assert getattr(last, name) == sum(p.band == name for p in report.people)


def test_numbers_and_words_fit(filled: Callable[..., Report]) -> None:
    """One day is no days, dates are said, and rules and harms have their titles."""
    flood = [
        e | {"member": "ana", "name": "Ana", "at": f"2026-03-02T12:00:{i:02}Z", "text": f"{i}"}
        for i, e in enumerate(chat(3, 7))
    ]
    one = flood[0] | {"id": "one", "member": "bo", "name": "Bo"}
    report = filled([*flood, one])
    ana = person(report, "Ana")
    labels = [line.label for line in ana.sum]
    assert labels[0] == "every member's start"
    assert "finding of 2 March 2026, entry 1" in labels
    assert "1 active day, 7 messages" in labels
    assert {"Flooding"} == {entry.rule for entry in ana.entries} == {entry.harm for entry in ana.entries}
    assert all(entry.figures.startswith("count ") for entry in ana.entries)
    assert person(report, "Bo").entries == []
    assert report.events == 8


def test_days_are_those_of_the_charter(filled: Callable[..., Report]) -> None:
    """Half past eleven at night in UTC is tomorrow in Vienna: in the days, the span, and each member's days."""
    report = filled([chat(3, 1)[0] | {"at": "2026-03-02T23:30:00Z", "name": "Ana"}])
    assert [day.day for day in report.days] == ["2026-03-03"]
    assert person(report, "Ana").first_day == "2026-03-03"
    assert "3 March 2026, days in Europe/Vienna" in render(report)
    west = filled([chat(3, 1)[0]], text=CHARTER.replace("Europe/Vienna", "Pacific/Honolulu"))
    assert west.first[:10] in {"2026-03-01", "2026-03-02"}


def test_an_entry_says_why_it_does_not_count(filled: Callable[..., Report]) -> None:
    """Taken back, of a shadow clause, or forgotten: each stands beside its entry, and does not count."""
    events = chat(3)
    late = events[0] | {"id": "late", "at": "2027-01-31T12:00:00Z"}
    report = filled([*events, late], taken_back=1)
    entries = {entry.number: entry for p in report.people for entry in p.entries}
    assert entries[1].note.startswith("taken back by entry ")
    assert {e.note for e in entries.values() if e.clause == "5"} == {"a shadow clause finds, but does not count"}
    rest = [e for e in entries.values() if e.number != 1 and e.clause != "5"]
    assert {"forgotten"} == {e.note for e in rest}
    assert not any(e.counted for e in entries.values())
    assert {c.state for c in report.clauses if c.id == "5"} == {"shadow"}


def test_a_large_group_shows_those_with_findings(
    filled: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the most that can be listed, those with findings stay, and how many are left out is said."""
    events = chat(3)
    quiet = [events[0] | {"id": f"q{i}", "member": f"quiet {i}", "name": f"Quiet {i}"} for i in range(30)]
    monkeypatch.setattr(people, "MOST_PEOPLE", 10)
    monkeypatch.setattr(people, "MOST_WITH_PAGES", 2)
    report = filled([*events, *quiet])
    assert (len(report.people), report.people_left_out) == (10, report.members - 10)
    with_pages = [p for p in report.people if p.entries]
    assert len(with_pages) == 2
    assert max(p.standing for p in with_pages) <= min(p.standing for p in report.people if p not in with_pages)


def test_curves_end_where_standing_is(filled: Callable[..., Report]) -> None:
    """The last point of a curve is today's standing, interval and band; it dips on the day of each counted finding."""
    report = filled(chat(3))
    drawn = [p for p in report.people if p.curve]
    assert len(drawn) > 3
    for p in drawn:
        end = p.curve[-1]
        assert (end.day, end.standing, end.low, end.high, end.band) == (
            report.days[-1].day,
            p.standing,
            p.low,
            p.high,
            p.band,
        )
        days = {point.day for point in p.curve}
        found = {datetime.fromisoformat(e.at).astimezone(VIENNA).date().isoformat() for e in p.entries if e.counted}
        assert found <= days
