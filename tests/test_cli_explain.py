"""``comity explain``: every line, adding up exactly, on the day that is asked for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comity.book import Book
from comity.cli.common import the_charter
from comity.replay import Summary
from comity.stores.sqlite import SqliteStore
from comity.web.fill import fill
from comity.web.report import render
from commanding import CHARTER, UBUNTU, charter, chat, parsed, rated, run, written


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A rated chat, its charter beside it."""
    charter(tmp_path / "charter.toml")
    rated(written(tmp_path / "log.ndjson", chat(3)), "--store", tmp_path / "comity.sqlite")
    return tmp_path / "comity.sqlite"


def explained(*arguments: object) -> dict[str, Any]:
    """What ``comity explain --json`` says."""
    result = run("explain", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def adds_up(told: dict[str, Any]) -> None:
    """Hold an explanation to its promise: shown figures and exact ones both add up to the standing."""
    assert told["standing"] == told["start"] + sum(line["points"] for line in told["lines"])
    exact = sum(int(line["numerator"]) for line in told["lines"])
    assert told["standing"] == told["start"] + 1000 * exact // int(told["denominator"])


def with_findings(store: Path) -> Iterator[tuple[str, list[int]]]:
    """Pseudonym of every member with findings, and the numbers of those in force."""
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        book = Book(ledger, parsed())
        for member in book.with_findings.tolist():
            row = ledger.member(member)
            assert row is not None
            yield row.pseudonym, [f.number for f in ledger.findings(member)]


def test_it_adds_up_for_everybody(store: Path) -> None:
    """For every member with findings, today, in the past, when all is forgotten, the lines make up the standing."""
    count = 0
    for pseudonym, entries in with_findings(store):
        for more in ([], ["--on", "2026-03-20"], ["--on", "2026-01-01"], ["--on", "2031-01-01"]):
            told = explained(pseudonym, "--store", store, *more)
            adds_up(told)
            named = {line["entry"] for line in told["lines"] if line["kind"] == "finding"}
            assert named <= set(entries)
            count += len(named)
        assert told["standing"] == told["start"]  # nothing is left after years
        assert told["band"] == "good"
    assert count > 30


@pytest.mark.shared
@pytest.mark.skipif(not UBUNTU.is_dir(), reason="the public Ubuntu logs do not lie beside the checkout")
def test_it_adds_up_for_everybody_of_the_ubuntu_logs(tmp_path: Path) -> None:
    """In 14 years of a public channel, on the worst day of each member, and in the report of them all."""
    store = tmp_path / "ubuntu.sqlite"
    assert rated(UBUNTU, "--store", store)["events"] > 200_000
    by, _ = the_charter(None)
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        book = Book(ledger, by)
        assert len(book.lowest) > 20
        for member in book.with_findings.tolist():
            for day in {book.lowest.get(member, (0, book.today))[1], book.today}:
                told = book.explain(member, day)
                assert told.standing.points == told.start + sum(line.shown for line in told.lines)
                exact = 1000 * sum(line.numerator for line in told.lines) // told.denominator
                assert told.standing.points == told.start + exact == book.folded.at(day).points[member - 1]
        page = render(fill(book, Summary(), charter_name="charter.toml"))  # refuses a sum that does not add up
        assert "Standing in " in page


def test_the_band_is_that_of_the_day(tmp_path: Path) -> None:
    """On the day of a flood the member has lost what the band takes; later it is back, and neither is today's."""
    by = charter(tmp_path / "charter.toml", CHARTER.replace('severity = "minor"', 'severity = "severe"'))
    events = [
        e | {"at": f"2026-03-02T12:00:{i:02}Z", "member": "ana", "text": f"and {i}"} for i, e in enumerate(chat(1, 12))
    ]
    late = events[0] | {"id": "late", "at": "2026-08-20T12:00:00Z"}
    store = tmp_path / "comity.sqlite"
    rated(written(tmp_path / "log.ndjson", [*events, late]), "--store", store)
    bands = {
        day: explained("ana", "--store", store, "--on", day)["band"]
        for day in ("2026-03-01", "2026-03-02", "2026-03-20", "2026-06-20", "2026-08-20")
    }
    assert bands["2026-03-01"] == bands["2026-08-20"] == "good"
    assert bands["2026-03-02"] == "muted"
    assert bands["2026-03-20"] in {"muted", "no_links"}
    shown = run("explain", "ana", "--store", store, "--on", "2026-03-02")
    assert "on 2026-03-02: standing" in shown.stdout
    assert "muted" in shown.stdout.splitlines()[0]
    assert "May: nothing." in shown.stdout
    assert "The right to speak needs a standing of 28" in shown.stdout
    assert by.is_file()


def test_people_see_the_sum_and_what_each_finding_costs(store: Path) -> None:
    """A table from the start to the standing, with the evidence, and where each finding gone would leave it."""
    pseudonym, entries = next((p, e) for p, e in with_findings(store) if e)
    told = explained(pseudonym, "--store", store)
    shown = run("explain", pseudonym, "--store", store).stdout
    assert "start" in shown
    assert "+95.000" in shown
    assert f"entry {entries[0]}" in shown
    for line in told["lines"]:
        if line["kind"] == "finding":
            assert line["clause"] in {"1", "2", "3", "4"}
            assert line["excerpt"][:20] in shown
    days = run("explain", pseudonym, "--store", store, "--days").stdout
    assert days.count(" messages") + days.count(" message ") > shown.count(" messages") + shown.count(" message ")


def test_a_member_is_found_by_account_name_or_pseudonym(store: Path) -> None:
    """A whole name wins over a part of one; several that fit are named with their pseudonyms; nobody is said so."""
    told = explained("ana", "--store", store)
    assert told == explained("Ana", "--store", store) == explained(told["pseudonym"], "--store", store)
    assert told == explained(told["pseudonym"][:10], "--store", store)
    several = run("explain", "e", "--store", store)
    assert several.exit_code == 1
    assert "members are named so" in several.stderr
    nobody = run("explain", "zinnia", "--store", store)
    assert (nobody.exit_code, "there is no member 'zinnia'" in nobody.stderr) == (1, True)


def test_shadow_and_taken_back_are_told_apart(store: Path) -> None:
    """What does not count is named below the sum: findings of shadow clauses, and entries that were taken back."""
    pseudonym, entries = max(with_findings(store), key=lambda m: len(m[1]))
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        shadow = {i for i, c in enumerate(ledger.clause_rows(), 1) if c.state == "shadow"}
        (row,) = ledger.members_named(pseudonym)
        kinds = {f.number: f.clause in shadow for f in ledger.findings(row.number)}
    live = next(number for number in entries if not kinds[number])
    before = explained(pseudonym, "--store", store)
    assert run("reverse", live, "--reason", "asked for", "--by", "olive", "--store", store).exit_code == 0
    shown = run("explain", pseudonym, "--store", store)
    assert f"Taken back, and without a trace: entry {live}." in shown.stdout
    after = explained(pseudonym, "--store", store)
    adds_up(after)
    assert live not in {line.get("entry") for line in after["lines"]}
    without = next(line["without"] for line in before["lines"] if line.get("entry") == live)
    assert after["standing"] == without  # what was foretold is what came
    if any(kinds.values()):
        assert "of shadow clauses or for review: not counted" in shown.stdout


def test_a_rating_by_another_charter_is_pointed_out(store: Path, tmp_path: Path) -> None:
    """Whoever explains by another charter than the last rating's is told, and the output stays what it is."""
    other = charter(tmp_path / "other.toml", CHARTER.replace("= 4", "= 5"))
    assert run("explain", "ana", "--store", store).stderr == ""
    assert "another charter" in run("explain", "ana", "--store", store, "--charter", other).stderr


def test_without_a_ledger_there_is_nothing_to_explain(tmp_path: Path) -> None:
    """A store that is not there is a sentence, and is not made."""
    result = run("explain", "ana", "--store", tmp_path / "gone.sqlite")
    assert result.exit_code == 1
    assert "there is no ledger at" in result.stderr
    assert [] == list(tmp_path.iterdir())
