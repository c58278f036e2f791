"""The smaller commands: verify, reverse, rules, charter init and check, completion."""

import json
import os
import shutil
import sqlite3
import subprocess
import tomllib
from pathlib import Path

import pytest

from comity.charter_file import load_charter
from comity.core.harm import HARMS
from comity.features.registry import FEATURES
from comity.rules import built_in
from comity.stores.sqlite import SqliteStore
from commanding import charter, chat, rated, run, started, written


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A rated chat."""
    path = tmp_path / "comity.sqlite"
    rated(written(tmp_path / "log.ndjson", chat(3)), "--store", path, "--charter", charter(tmp_path / "charter.toml"))
    return path


def test_verify_says_that_the_ledger_is_whole(store: Path) -> None:
    """Whole is status 0 and the head; against that head, noted, it is whole again, also after more was added."""
    told = json.loads(run("verify", "--store", store, "--json").stdout)
    shown = run("verify", "--store", store)
    assert shown.exit_code == 0
    assert f"{told['entries']} entries, each sealed to the one before" in shown.stdout
    assert f"Head: {told['head']}" in shown.stdout
    run("reverse", 1, "--reason", "asked for", "--by", "olive", "--store", store)
    assert run("verify", "--store", store, "--noted", told["head"]).exit_code == 0


@pytest.mark.parametrize(
    "change",
    ["UPDATE entry SET excerpt = 'kettle' WHERE number = 2", "DELETE FROM entry WHERE number = 3"],
)
def test_verify_finds_what_was_changed(store: Path, change: str) -> None:
    """An entry that was changed or removed is named, with status 1."""
    with sqlite3.connect(store) as db:
        db.executescript("DROP TRIGGER entry_is_final; DROP TRIGGER entry_stays")
        db.execute(change)
    db.close()
    result = run("verify", "--store", store)
    assert result.exit_code == 1
    assert "The ledger is NOT whole." in result.stderr
    told = json.loads(run("verify", "--store", store, "--json").stdout)
    assert (told["whole"], told["entry"]) == (False, 2 if "UPDATE" in change else 3)


def test_a_noted_head_shows_a_ledger_made_anew(tmp_path: Path, store: Path) -> None:
    """A whole chain that is not the noted one is not whole; a head that is none is a mistake in the command."""
    told = json.loads(run("verify", "--store", store, "--json").stdout)
    other = tmp_path / "other.sqlite"
    rated(tmp_path / "log.ndjson", "--store", other, "--charter", tmp_path / "charter.toml")
    assert run("verify", "--store", other, "--noted", told["head"]).exit_code == 1
    for wrong in ("1829", "x:y", f"{told['head']}zz"):
        result = run("verify", "--store", store, "--noted", wrong)
        assert result.exit_code == 1
        assert "expected NUMBER:SEAL" in result.stderr


def test_an_entry_is_taken_back_once(store: Path) -> None:
    """A reversal is an entry of its own; a second one, one of a reversal, or of no entry is refused in a sentence."""
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        last = ledger.head().number
    words = ["--reason", "asked for", "--by", "olive", "--store", store]
    assert run("reverse", 1, *words).stdout == f"Entry 1 is taken back by entry {last + 1}.\n"
    for entry, why in ((1, "already reversed"), (last + 1, "those are final"), (10**6, "there is no entry")):
        result = run("reverse", entry, *words)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"comity: entry {entry} cannot be taken back: ")
        assert why in result.stderr
    assert run("verify", "--store", store).exit_code == 0


@pytest.mark.parametrize("empty", ["", "  ", "\x1b[2J"])
def test_a_reversal_needs_a_reason_and_a_name(store: Path, empty: str) -> None:
    """Neither can be blank or unprintable, and nothing is written then."""
    before = json.loads(run("verify", "--store", store, "--json").stdout)
    for reason, who in ((empty, "olive"), ("asked for", empty)):
        result = run("reverse", 1, "--reason", reason, "--by", who, "--store", store)
        assert result.exit_code == 1
        assert "says nothing that can be shown" in result.stderr
    assert before == json.loads(run("verify", "--store", store, "--json").stdout)


def test_rules_shows_all_there_is() -> None:
    """Every rule, harm and feature is listed, and as JSON too; each rule shows its parameters and its examples."""
    for arguments, names in (
        ([], set(built_in())),
        (["--harms"], set(HARMS)),
        (["--features"], {"kind", "role", *(f"{name}(" for name in FEATURES)}),
    ):
        shown = run("rules", *arguments).stdout
        assert all(name in shown for name in names)
        assert len(json.loads(run("rules", *arguments, "--json").stdout)) >= len(names)
    for name, rule in built_in().items():
        shown = run("rules", name).stdout
        assert rule.about in shown
        assert all(f"  {parameter} = " in shown for parameter in rule.parameters)
        assert shown.count("Example") == len(rule.example)
        assert shown.count("  found ") >= sum(bool(example.finds) for example in rule.example)
        assert json.loads(run("rules", name, "--json").stdout)["name"] == name


def test_a_charter_to_begin_with(tmp_path: Path) -> None:
    """It is written with the community's name, whatever is in it, passes its check, and is never written over."""
    path = tmp_path / "garden.toml"
    name = 'The "Tea" \\ garden'
    assert run("charter", "init", path, "--community", name).exit_code == 0
    assert tomllib.loads(path.read_text("utf-8"))["charter"]["community"] == name == load_charter(path).community
    checked = run("charter", "check", path)
    assert checked.exit_code == 0
    assert "automatic measures last 72 hours at most" in checked.stdout
    again = run("charter", "init", path)
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)
    assert name == load_charter(path).community
    for where, what in ((tmp_path / "no" / "x.toml", "cannot be written"), (tmp_path, "exists already")):
        result = run("charter", "init", where)
        assert (result.exit_code, what in result.stderr) == (1, True)
    assert run("charter", "init", tmp_path / "b.toml", "--community", "a\nb").exit_code == 1
    assert not (tmp_path / "b.toml").exists()


def test_a_check_for_machines(tmp_path: Path) -> None:
    """The digest names exactly this charter: another comment is the same charter, another figure another."""
    path = charter(tmp_path / "a.toml")
    told = json.loads(run("charter", "check", path, "--json").stdout)
    assert [c["id"] for c in told["clauses"]] == ["1", "2", "3", "4", "5"]
    path.write_text("# tea\n" + path.read_text("utf-8"), "utf-8")
    assert told["digest"] == json.loads(run("charter", "check", path, "--json").stdout)["digest"]
    path.write_text(path.read_text("utf-8").replace("= 4", "= 5"), "utf-8")
    assert told["digest"] != json.loads(run("charter", "check", path, "--json").stdout)["digest"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_that_shell(shell: str) -> None:
    """The script names the command; where the shell is installed, it can read it."""
    script = run("completion", shell).stdout
    assert "_COMITY_COMPLETE" in script
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=script, text=True, check=False).returncode == 0


def test_completion_completes() -> None:
    """Asked the way a shell asks, the command names its commands and options."""
    environment = {**os.environ, "_COMITY_COMPLETE": "bash_complete", "COMP_WORDS": "comity ra", "COMP_CWORD": "1"}
    with started(before="import sys; sys.argv[0] = 'comity'", environment=environment) as child:
        said, _ = child.communicate(timeout=30)
    assert said.splitlines() == ["plain,rate"]
