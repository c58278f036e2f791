"""Two charters over one log: who would be treated differently, and why, with nothing kept."""

import json
import tempfile
from pathlib import Path

import pytest

from commanding import CHARTER, charter, chat, rated, run, standings, written


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A chat."""
    return written(tmp_path / "log.ndjson", chat(7))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The charter that is in force."""
    return charter(tmp_path / "old.toml")


def test_a_program_that_waits_is_told_how_far_it_is(tmp_path: Path, log: Path, old: Path) -> None:
    """Lines of JSON on standard error, up to all of the log; lists are looked for beside the file that is named."""
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "hosts.txt").write_text("kettle.example\n")
    clause = """
[[clause]]
id = "8.1"
text = "No traps."
rule = "scam-link"
parameters = { domains = "file:hosts.txt" }
"""
    new = charter(tmp_path / "new.toml", CHARTER.replace("[[clause]]", f"{clause.strip()}\n\n[[clause]]", 1))
    assert run("charter", "compare", old, new, log).exit_code == 1
    result = run("charter", "compare", old, new, log, "--json", "--steps", "--beside", lists / "charter.toml")

    assert result.exit_code == 0, result.output
    steps = [json.loads(line) for line in result.stderr.splitlines()]
    assert (steps[-1]["read"], steps[-1]["of"]) == (log.stat().st_size, log.stat().st_size)
    assert steps[-1]["events"] == json.loads(result.stdout)["events"]


def test_the_same_charter_treats_nobody_differently(log: Path, old: Path) -> None:
    """A charter compared with itself says so in a sentence, and shows no table."""
    result = run("charter", "compare", old, old, log)
    assert result.exit_code == 0
    assert result.stdout == "No member would be treated differently under old.toml than under old.toml.\n"


def test_a_stricter_clause_is_told_by_member_and_reason(tmp_path: Path, log: Path, old: Path) -> None:
    """For each member the lowest standing under both, what was found, the rights at stake, and the clause's text."""
    new = charter(tmp_path / "new.toml", CHARTER.replace("allowed = 4", "allowed = 2"))
    result = run("charter", "compare", old, new, log, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["events"] == 400
    assert told["members"]
    for member in told["members"]:
        before, after = member["old"], member["new"]
        assert after["findings"]["1"] > before["findings"].get("1", 0)
        assert after["lowest"] <= before["lowest"]
        assert any(why.startswith("clause 1: ") and "Leave others room to speak." in why for why in member["why"])
        assert not member["gains"]
    weights = [len(m["gains"]) + len(m["losses"]) for m in told["members"]]
    assert weights == sorted(weights, reverse=True)
    assert told["summary"][0].startswith(f"{len(weights)} member")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('severity = "serious"', 'severity = "minor"'), "the same findings weigh otherwise"),
        (('measures = ["warn"]', 'measures = ["hide"]'), "the same findings have other measures"),
        (('[[clause]]\nid = "1"', '[standing]\nsuspended = 84\n\n[[clause]]\nid = "1"'), "lies in another band"),
    ],
)  # fmt: skip
def test_the_reason_is_what_was_changed(
    tmp_path: Path, log: Path, old: Path, change: tuple[str, str], why: str
) -> None:
    """Another weight, measure or line is named as such where the findings are the same."""
    new = charter(tmp_path / "new.toml", CHARTER.replace(*change, 1))
    told = json.loads(run("charter", "compare", old, new, log, "--json").stdout)
    assert told["members"]
    assert all(any(why in sentence for sentence in m["why"]) for m in told["members"])


def test_it_agrees_with_rating_twice(tmp_path: Path, log: Path, old: Path) -> None:
    """The lowest standing under the new charter is what rating by it says, for everybody who differs."""
    new = charter(tmp_path / "new.toml", CHARTER.replace("allowed = 4", "allowed = 2"))
    told = json.loads(run("charter", "compare", old, new, log, "--json").stdout)
    store = tmp_path / "comity.sqlite"
    rated(log, "--store", store, "--charter", new)
    last = standings(store, new)
    for member in told["members"]:
        assert member["new"]["lowest"] <= last[member["name"].lower()][2]


def test_nothing_is_kept(tmp_path: Path, log: Path, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the folder of the command nor in that of temporary files is anything left."""
    made = tmp_path / "tmp"
    made.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    monkeypatch.chdir(made)
    new = charter(tmp_path / "new.toml", CHARTER.replace("allowed = 4", "allowed = 2"))
    assert run("charter", "compare", old, new, log).exit_code == 0
    assert [] == list(made.iterdir())


def test_the_report_shows_both_charters(tmp_path: Path, log: Path, old: Path) -> None:
    """The report of a comparison names both, and is the report of the new one beside it."""
    report = tmp_path / "made here" / "compare.html"
    new = charter(tmp_path / "new.toml", CHARTER.replace("allowed = 4", "allowed = 2"))
    result = run("charter", "compare", old, new, log, "--report", report)
    assert result.exit_code == 0
    assert f"The report: {report}" in result.stdout
    page = report.read_text("utf-8")
    assert "old.toml and new.toml" in page
    assert 'id="comparison"' in page


def test_what_cannot_be_read_is_told(tmp_path: Path, log: Path, old: Path) -> None:
    """A torn line ends in status 2, and a log that is not there in status 1."""
    log.write_bytes(log.read_bytes() + b'{"id":\n')
    result = run("charter", "compare", old, old, log)
    assert result.exit_code == 2
    assert f"not read: {log}:401: " in result.stderr
    assert json.loads(run("charter", "compare", old, old, log, "--json").stdout)["unread_lines"] == 1
    assert run("charter", "compare", old, old, tmp_path / "gone").exit_code == 1
