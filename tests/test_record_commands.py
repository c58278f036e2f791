"""``comity record``: what an operator, a member who asks, and somebody who checks can do at a prompt."""

import json
from collections.abc import Sequence
from pathlib import Path

import click.testing
import pytest

from comity.cli import comity
from comity.core.carried import Carried
from comity.core.charter import Measure
from comity.core.decision import Course
from comity.core.ledger import NO_ACTIVITY
from comity.core.retention import DAY
from comity.stores.record.keys import keeper
from comity.stores.record.places import Folder
from comity.stores.record.record import Record
from comity.stores.sqlite import SqliteStore
from record_garden import GARDEN, HOUR, PEOPLE, ROOMS, a_chat
from store_decisions import a_decision, a_statement
from store_entries import LINKS, some_findings
from test_record_live import TEXT

Run = click.testing.Result


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a key and a store, in which the garden's rooms are recorded, and forty messages of yesterday."""
    monkeypatch.setenv("COMITY_RECORD_KEY_AT", f"file:{tmp_path / 'record.key'}")
    assert "Keep a copy" in run("key", tmp_path / "record.key").output
    with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
        number = store.community(GARDEN)
        accounts = [f"@{p}:example.org" for p in PEOPLE]
        store.members(number, accounts, [p.title() for p in PEOPLE])
    for room in ROOMS:
        assert "Tell the room" in run("room", GARDEN, room, "--store", tmp_path / "comity.sqlite").output
    with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
        from comity.cli.common import now  # noqa: PLC0415 - these commands live in the present

        record = opened(store, tmp_path)
        with store.write():
            record.append(a_chat(40, at=now() - 3 * DAY))
    return tmp_path


def opened(store: SqliteStore, path: Path) -> Record:
    """The record as the commands open it."""
    return Record.open(store.record, Folder(path / "comity.sqlite.record"), keeper(f"file:{path / 'record.key'}"), 0)


def run(*words: object) -> Run:
    """Run a command of the record, which must succeed."""
    done = tried(*words)
    assert done.exit_code == 0, done.output
    return done


def tried(*words: object) -> Run:
    """Run a command of the record."""
    return click.testing.CliRunner().invoke(comity, ["record", *map(str, words)], standalone_mode=True)


def lines(done: Run) -> Sequence[dict[str, object]]:
    """The events that a command printed."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_status_says_what_is_kept(path: Path) -> None:
    """How much, of which rooms, for how long, and what goes next."""
    store = path / "comity.sqlite"
    before = run("status", "--store", store).output
    assert "40 events in 0 segments, 40 not sealed yet" in before
    assert "40 events sealed" in run("tend", "--all", "--store", store).output
    found = json.loads(run("status", "--store", store, "--json").output)

    assert (40, 0) == (found["events"], found["unsealed"])
    assert found["goes_next"] > found["since"] + 180 * DAY
    assert {*ROOMS} == {room["room"] for room in found["rooms"]}


def test_nobody_looks_without_a_reason_or_in_secret(path: Path) -> None:
    """Without one nothing is shown; with one it is shown, and stands in the store and in the chain."""
    store = path / "comity.sqlite"
    refused = tried("search", GARDEN, "--by", "olive", "--member", "Ana", "--store", store)
    assert refused.exit_code == 1
    assert "say why you look" in refused.output

    done = run("search", GARDEN, "--by", "olive", "--reason", "a question about tea", "--member", "Ana",
               "--room", "#garden", "--store", store)  # fmt: skip
    assert ["$event-0", "$event-15", "$event-30"] == [e["id"] for e in lines(done)]
    with SqliteStore.open(store, durable=False) as ledger:
        (look,) = ledger.process.looks(member=1)
        bodies = [json.loads(body) for body in ledger.record.links()]
    assert ("olive", "a question about tea") == (look.by, look.reason)
    assert [3] == [body["shown"] for body in bodies if body["what"] == "looked"]


def test_members_get_what_is_theirs_and_can_have_it_erased(path: Path) -> None:
    """A copy under their own account; and afterwards nothing, nowhere, nor which account they were."""
    store = path / "comity.sqlite"
    run("export", GARDEN, "@ana:example.org", path / "ana.ndjson", "--store", store)
    own = [json.loads(line) for line in (path / "ana.ndjson").read_text().splitlines()]
    assert 8 == len(own)
    assert {"@ana:example.org"} == {e["member"] for e in own}

    assert "8 gone (forgotten)" in run("forget", GARDEN, "@ana:example.org", "--yes", "--store", store).output
    found = lines(run("search", GARDEN, "--by", "olive", "--reason", "to see", "--store", store))
    assert 32 == len(found)
    with SqliteStore.open(store, durable=False) as ledger:
        assert ledger.members_named("ana") == []
    assert "whole" in run("verify", "--deep", "--store", store).output


def test_a_change_is_found_without_a_key(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody who has the files can check them, against a head that was published as well."""
    store = path / "comity.sqlite"
    run("tend", "--all", "--store", store)
    (path / "head.json").write_text(run("head", "--store", store).output)
    monkeypatch.delenv("COMITY_RECORD_KEY_AT")
    assert "is whole: 1 segment" in run("verify", "--store", store, "--noted", path / "head.json").output
    (file,) = (path / "comity.sqlite.record").iterdir()
    data = bytearray(file.read_bytes())
    data[1000] ^= 1
    file.write_bytes(data)
    done = tried("verify", "--store", store)

    assert done.exit_code == 1
    assert "was changed within bytes 0 to" in done.output
    assert "name it with --key" in tried("verify", "--deep", "--store", store).output


def test_verifying_the_ledger_verifies_its_record_as_well(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key, wherever the store says it lies; what is wrong is told with its place, and is no success."""
    store, folder = path / "comity.sqlite", path / "comity.sqlite.record"
    run("tend", "--all", "--store", store)
    monkeypatch.delenv("COMITY_RECORD_KEY_AT")
    whole = verified("--store", store)
    assert 0 == whole.exit_code
    assert "The ledger is whole" in whole.stdout
    assert f"The record in {folder} is whole: 1 segment" in whole.stdout

    moved = path / "moved"
    folder.rename(moved)
    missing = verified("--store", store)
    assert 1 == missing.exit_code
    assert "missing: the file of segment" in missing.stderr
    assert 0 == verified("--store", store, "--folder", moved).exit_code
    (file,) = moved.iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    told = json.loads(verified("--store", store, "--folder", moved, "--json").stdout)
    assert [False, False] == [told["whole"], told["record"]["whole"]]
    assert str(moved) == told["record"]["where"]
    assert "has lost its end" in told["record"]["faults"][0]


def test_verifying_what_is_served_needs_the_settings_only(path: Path) -> None:
    """They name the store and where the record lies; a record that cannot be is told."""
    run("tend", "--all", "--store", path / "comity.sqlite")
    (path / "comity.sqlite.record").rename(path / "said")
    (path / "comity.toml").write_text(TEXT)
    assert f"The record in {path / 'said'} is whole: 1 segment" in verified("--settings", path / "comity.toml").stdout
    with SqliteStore.open(path / "bare.sqlite", durable=False) as store:
        assert store.head().number == 0
    assert "has no record yet" in verified("--store", path / "bare.sqlite", "--folder", path / "said").stderr
    bare = json.loads(verified("--store", path / "bare.sqlite", "--json").stdout)
    assert [True, None] == [bare["whole"], bare["record"]]


def verified(*words: object) -> Run:
    """What ``comity verify`` says."""
    return click.testing.CliRunner().invoke(comity, ["verify", *map(str, words)])


def test_what_a_decision_rests_on_can_be_proved(path: Path) -> None:
    """A file for each message, which can be checked by somebody who has nothing else."""
    store = path / "comity.sqlite"
    run("tend", "--all", "--store", store)
    with SqliteStore.open(store, durable=False) as ledger:
        ledger.clauses([LINKS])
        ledger.rooms(1, ["#garden"])
        finding = some_findings(1)._replace(event=["$event-15"], member=[1], clause=[1])
        head = ledger.post(finding, NO_ACTIVITY, after=ledger.head())
        d = a_decision(1, head.number, findings=(1,), clause=1)
        ledger.decisions.add([d], [a_statement(d)], Carried(), at=d.at, after=head)
    run("prove", 1, path / "proofs", "--store", store)
    (proof,) = (path / "proofs").iterdir()

    assert "cup 15" in run("check", proof).output
    proof.write_text(proof.read_text().replace("cup 15", "cup 51"))
    assert "a letter of it was changed" in tried("check", proof).output


def test_a_look_for_a_decision_that_waits_is_part_of_its_case(path: Path) -> None:
    """So the member reads of it once the case is over, and at once where there is none."""
    store = path / "comity.sqlite"
    with SqliteStore.open(store, durable=False) as ledger:
        ledger.clauses([LINKS])
        ledger.rooms(1, ["#garden"])
        head = ledger.post(some_findings(1)._replace(member=[1], clause=[1]), NO_ACTIVITY, after=ledger.head())
        waits = a_decision(1, head.number, clause=1, measure=Measure.BAN, course=Course.PROPOSED)
        over = a_decision(2, head.number, clause=1, course=Course.CONFIRMED)
        ledger.decisions.add([waits, over], [a_statement(over)], Carried(), at=over.at, after=head)
    for case in (1, 2):
        run("search", GARDEN, "--by", "olive", "--case", case, "--member", "Ana", "--store", store)
    with SqliteStore.open(store, durable=False) as ledger:
        looks = {look.reason: look.case for look in ledger.process.looks(member=1)}

    assert {"decision 1. Part of the case proposal-1": "proposal-1", "decision 2.": ""} == looks


def test_holds_are_seen_and_end(path: Path) -> None:
    """Who ordered one, why and until when stands in the status; it can be ended before."""
    store = path / "comity.sqlite"
    run("hold", "tea", GARDEN, "--by", "operator", "--reason", "a court asked", "--days", 30, "--store", store)
    assert "by operator: all of it. a court asked" in run("status", "--store", store).output
    run("release", "tea", "--by", "operator", "--reason", "it asks no more", "--store", store)
    assert "a court asked" not in run("status", "--store", store).output


def test_keys_can_be_changed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on the new key opens the record, and the old one does not."""
    store = path / "comity.sqlite"
    run("key", path / "new.key")
    assert "wrapped anew" in run("rotate", f"file:{path / 'new.key'}", "--store", store).output
    assert "is wrapped by" in tried("status", "--store", store).output
    monkeypatch.setenv("COMITY_RECORD_KEY_AT", "env:GARDEN_KEY")
    assert "the environment has no GARDEN_KEY" in tried("status", "--store", store).output
    monkeypatch.setenv("GARDEN_KEY", (path / "new.key").read_text())
    assert "40 events" in run("status", "--store", store).output
    (path / "new.key").chmod(0o644)
    assert "can be read by others" in tried("status", "--key", f"file:{path / 'new.key'}", "--store", store).output
    assert HOUR
