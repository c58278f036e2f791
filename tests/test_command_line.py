"""The command as a user runs it: rate, explain, compare, verify; and what it says when something is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from comity.cli import comity
from comity.core.errors import ComityError
from comity.core.event import Event
from comity.transcript import chat

ROOT = Path(__file__).parents[1]
FLOOD = "\n".join(f"12:00:{i:02} #garden ana: cup {i} of tea" for i in range(20)) + "\n12:01:00 #garden bo: thank you"


def lines(events: list[Event]) -> str:
    """Events as NDJSON."""
    import msgspec  # noqa: PLC0415  only here

    return "".join(msgspec.json.encode(e).decode() + "\n" for e in events)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A chat in which ana floods."""
    path = tmp_path / "chat.ndjson"
    path.write_text(lines(chat(FLOOD)))
    return path


def run(*words: object, expected: int = 0) -> str:
    """What a command prints; expected: its exit status."""
    done = CliRunner().invoke(comity, [str(w) for w in words])
    assert done.exit_code == expected, done.output
    return done.output


def rated(log: Path, *more: object, expected: int = 0) -> Any:  # noqa: ANN401  what JSON holds
    """The JSON of a rating into a store beside the log."""
    return json.loads(run("rate", log, "--store", log.parent / "a.sqlite", "--json", *more, expected=expected))


def explained(log: Path, member: str) -> Any:  # noqa: ANN401  what JSON holds
    """The JSON of an explanation."""
    return json.loads(run("explain", member, "--store", log.parent / "a.sqlite", "--json"))


def test_a_rating_tells_machines_what_it_came_to(log: Path) -> None:
    """One JSON object with events, members, rooms, findings by rule, unread lines and seconds."""
    told = rated(log)

    assert (21, 2, 1, 0) == (told["events"], told["members"], told["rooms"], told["unread_lines"])
    assert {"flood": 8} == told["findings"]
    assert told["seconds"] > 0


def test_rating_a_log_again_counts_nothing_twice(log: Path) -> None:
    """What is known is known; a log that has grown adds what is new, and ends as if rated in one go."""
    whole = lines(chat(FLOOD))
    log.write_text("".join(whole.splitlines(keepends=True)[:15]))
    rated(log)
    log.write_text(whole)

    grown, again = rated(log), rated(log)
    once = log.parent / "once" / "chat.ndjson"
    once.parent.mkdir()
    once.write_text(whole)
    rated(once)

    assert (6, 15) == (grown["events"], grown["known_before"])
    assert (0, 21) == (again["events"], again["known_before"])
    keys = ("standing", "interval", "band", "start")
    assert [explained(once, "ana")[k] for k in keys] == [explained(log, "ana")[k] for k in keys]


def test_an_explanation_adds_up_exactly(log: Path) -> None:
    """The shown points add up to the standing, and the numerators to the exact difference from the start."""
    rated(log)
    told = explained(log, "ana")

    assert told["standing"] == told["start"] + sum(line["points"] for line in told["lines"])
    assert 8 == sum(line["kind"] == "finding" for line in told["lines"])


def test_a_reversal_leaves_no_trace_in_standing(log: Path) -> None:
    """When all her findings are taken back, ana stands as if she had never flooded."""
    rated(log)
    store = log.parent / "a.sqlite"
    for line in explained(log, "ana")["lines"]:
        if line["kind"] == "finding":
            run("reverse", line["entry"], "--reason", "a game", "--by", "olive", "--store", store)
    after = explained(log, "ana")

    assert {"activity"} == {line["kind"] for line in after["lines"]}
    assert after["standing"] >= after["start"]
    run("verify", "--store", store)


def test_findings_are_written_a_line_each(log: Path) -> None:
    """Each line names event, rule and clause, and there are as many as were found."""
    path = log.parent / "findings.ndjson"
    rated(log, "--findings", path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]

    assert 8 == len(rows)
    assert {("flood", "1.1")} == {(row["rule"], row["clause"]) for row in rows}
    assert all(row["event"] for row in rows)


def test_a_bad_line_is_named_and_the_rest_is_rated(log: Path) -> None:
    """Torn lines, bytes that are no UTF-8 and times that are none: file and line are told, the exit status is 2."""
    good = log.read_bytes()
    bad_time = good.splitlines()[0].replace(b"2026-05-01T12", b"yesterday")
    log.write_bytes(b'{"id": "torn", "at": \n' + b'{"id": "\xff"}\n' + bad_time + b"\n" + good + b'{"id": "mid')
    told = rated(log, expected=2)

    assert 21 == told["events"]
    assert 4 == told["unread_lines"]
    assert {1, 2} <= {u["line"] for u in told["unread"]}


def test_an_empty_file_is_told_and_loses_nothing(log: Path) -> None:
    """An empty file beside a good one is named; the good one is rated."""
    (log.parent / "empty.ndjson").write_text("")

    assert 21 == rated(log, log.parent / "empty.ndjson", expected=2)["events"]


def test_a_bad_charter_is_refused_with_its_place(log: Path) -> None:
    """File, line, column and the nearest word; nothing is rated and no store is made."""
    charter = log.parent / "charter.toml"
    charter.write_text('[charter]\ncommunity = "tea"\n\n[[clause]]\nid = "1"\ntext = "t"\nrule = "floood"\n')
    with pytest.raises(ComityError, match=r"charter\.toml:7:9: there is no rule 'floood'; expected flood"):
        comity.main(["rate", str(log), "--store", str(log.parent / "a.sqlite")], standalone_mode=False)

    assert not (log.parent / "a.sqlite").exists()


def test_a_comparison_names_who_would_be_treated_differently(log: Path) -> None:
    """A stricter flood clause: ana is named with what changes, bo is not, and nothing is kept."""
    old, new = log.parent / "old.toml", log.parent / "new.toml"
    run("charter", "init", old)
    new.write_text(old.read_text().replace("allowed = 12", "allowed = 3"))
    before = sorted(p.name for p in log.parent.iterdir())
    told = json.loads(run("charter", "compare", old, new, log, "--json"))

    assert ["ana"] == [m["name"] for m in told["members"]]
    assert {"1.1": 17} == told["members"][0]["new"]["findings"]
    assert sorted(p.name for p in log.parent.iterdir()) == before


def test_the_ledger_tells_when_it_was_changed(log: Path) -> None:
    """An entry changed behind the ledger's back is found, and the exit status is 1."""
    import sqlite3  # noqa: PLC0415  only here

    rated(log)
    store = log.parent / "a.sqlite"
    run("verify", "--store", store)
    with sqlite3.connect(store) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute("UPDATE entry SET excerpt = 'coffee' WHERE number = 3")
    db.close()

    assert "NOT whole" in run("verify", "--store", store, expected=1)


@pytest.mark.parametrize("word", ["rate", "explain", "reverse", "charter", "rules", "verify", "completion"])
def test_every_command_explains_itself(word: str) -> None:
    """Each command has a help with examples; the group's says how to begin."""
    assert "xample" in run(word, "--help") or word == "charter"
    assert word in run("--help")
