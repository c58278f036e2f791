"""Two charters over the record: the same as over logs, on several cores, stopped and gone on with."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from comity.cli.common import now
from comity.core.carried import Carried
from comity.core.event import Event, milliseconds, moment, rfc3339
from comity.core.ledger import NO_ACTIVITY
from comity.core.retention import DAY
from comity.core.review import Source
from comity.stores.sqlite import SqliteStore
from commanding import CHARTER, charter, chat, run, written
from store_decisions import a_decision, a_statement
from store_entries import LINKS, some_findings
from test_record_commands import opened
from test_record_commands import run as run_record

ROOM = "#garden"


@pytest.fixture
def where(tmp_path: Path) -> Path:
    """A folder with two charters, a chat of some weeks as a log, and the same chat recorded and partly sealed."""
    old = charter(tmp_path / "old.toml")
    new = charter(tmp_path / "new.toml", CHARTER.replace("allowed = 4", "allowed = 2"))
    assert old != new
    run_record("key", tmp_path / "record.key")
    said = chat(7, 600)
    shift = now() - 2 * DAY - milliseconds(said[-1]["at"])
    events = [{**e, "at": rfc3339(moment(milliseconds(e["at"]) + shift))} for e in said]
    written(tmp_path / "log.ndjson", events)
    with SqliteStore.open(tmp_path / "comity.sqlite", durable=False) as store:
        record, converted = opened(store, tmp_path), [msgspec.convert(e, Event) for e in events]
        for community in {e.community for e in converted}:
            members = sorted({e.member for e in converted})
            store.members(store.community(community), members, [None] * len(members))
            for room in {e.room for e in converted}:
                record.begin_room(community, room, 180, now() - 120 * DAY)
        with store.write():
            record.append(converted[:500])
        record.tend(now(), whole=True)
        with store.write():
            record.append(converted[500:])
        store.record.keep("head", "where", str(tmp_path / "comity.sqlite.record").encode())
    return tmp_path


def compared(where: Path, *more: object) -> dict[str, object]:
    """What the command tells of the record."""
    key = f"file:{where / 'record.key'}"
    done = run(
        "charter", "compare", where / "old.toml", where / "new.toml", "--record", "--store", where / "comity.sqlite",
        "--key", key, "--json", *more,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    told: dict[str, object] = json.loads(done.stdout)
    return told


def without_pseudonyms(told: dict[str, object]) -> list[tuple[object, ...]]:
    """Members by name, without what differs from store to store."""
    members: list[dict[str, Any]] = told["members"]  # type: ignore[assignment]

    def figures(side: dict[str, Any]) -> tuple[object, ...]:
        return side["lowest"], side["band"], tuple(sorted(side["findings"].items()))

    return sorted((m["name"].lower(), figures(m["old"]), figures(m["new"]), *m["gains"], *m["losses"]) for m in members)


def test_the_record_tells_what_the_log_tells(where: Path) -> None:
    """By two workers or by none: the same members, standings, rights, clauses and events as over the same log."""
    log = json.loads(
        run("charter", "compare", where / "old.toml", where / "new.toml", where / "log.ndjson", "--json").stdout
    )
    one = compared(where, "--workers", 1, "--finished", where / "one")
    two = compared(where, "--workers", 2, "--finished", where / "two")

    assert one == two
    assert log["members"]
    assert without_pseudonyms(one) == without_pseudonyms(log)
    assert {**one, "members": 0} == {**log, "members": 0}
    assert len(list((where / "one").iterdir())) == len(list((where / "two").iterdir())) > 10


def test_what_was_finished_is_used_again(where: Path) -> None:
    """Beside the ledger, under names that tell nothing; the same comparison then rates nothing, and says the same."""
    first = compared(where, "--steps")
    kept = sorted((where / "comity.sqlite.finished").iterdir())
    times = [file.stat().st_mtime_ns for file in kept]

    assert kept
    assert compared(where) == first
    assert [file.stat().st_mtime_ns for file in kept] == times


def test_who_is_forgotten_is_in_no_finished_week(where: Path) -> None:
    """When anything is gone from the record, what was finished goes with it; tending alone leaves it for a week."""
    compared(where)
    words = ("--store", where / "comity.sqlite", "--key", f"file:{where / 'record.key'}")
    run_record("tend", *words)
    assert list((where / "comity.sqlite.finished").iterdir())
    run_record("forget", "tea-garden", "ana", "--yes", *words)
    assert not list((where / "comity.sqlite.finished").iterdir())
    told: list[dict[str, object]] = compared(where)["members"]  # type: ignore[assignment]
    assert "ana" not in {member["name"] for member in told}


def test_the_most_important_comes_first(where: Path) -> None:
    """Rights by how many would lose them, then clauses by rights and members, with how often each was right."""
    with SqliteStore.open(where / "comity.sqlite", durable=False) as store:
        community = store.community("tea-garden")
        store.clauses([LINKS])
        store.rooms(community, [ROOM])
        head = store.post(
            some_findings(5)._replace(member=[1] * 5, room=[1] * 5, clause=[1] * 5), NO_ACTIVITY, after=store.head()
        )
        for n in range(1, 6):
            d = a_decision(n, head.number, findings=(n,), clause=1, clause_id="1", community=community)
            store.decisions.add([d], [a_statement(d)], Carried(), at=d.at, after=head)
            assert store.process.judge(d, correct=n > 1, source=Source.SAMPLE, by="olive", at=now())
    milder = charter(where / "new.toml", CHARTER.replace("allowed = 4", "allowed = 1").replace('"minor"', '"severe"'))
    told = compared(where)

    assert milder.exists()
    rights = [(r["losing"] + r["gaining"], r["losing"]) for r in told["rights"]]  # type: ignore[attr-defined]
    assert rights == sorted(rights, reverse=True)
    assert rights[0][1] > 0
    clauses: list[dict[str, object]] = told["clauses"]  # type: ignore[assignment]
    assert clauses[0]["clause_id"] == "1"
    assert {c["clause_id"]: c["precision"] and c["precision"]["right"] for c in clauses}["1"] == 4  # type: ignore[index]
    shown = run(
        "charter", "compare", where / "old.toml", where / "new.toml", "--record", "--store", where / "comity.sqlite",
        "--key", f"file:{where / 'record.key'}",
    )  # fmt: skip
    assert shown.exit_code == 0
    order = [shown.stdout.index(title) for title in ("Which rights", "By which clause", "Who would be treated")]
    assert order == sorted(order)
    assert "(5 judged)" in shown.stdout


def test_it_can_be_stopped(where: Path) -> None:
    """Ctrl-C ends the workers with it, leaves nothing half, and the next run tells all."""
    key = f"file:{where / 'record.key'}"
    words = ["charter", "compare", where / "old.toml", where / "new.toml", "--record", "--store"]
    words += [where / "comity.sqlite", "--key", key, "--workers", 2, "--steps"]
    command = [sys.executable, "-m", "comity", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert json.loads(process.stderr.readline())["read"] == 0
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert not list(where.glob("*.finished/*.new"))
    assert compared(where)["events"] == 600


def test_one_community_at_a_time(where: Path) -> None:
    """Where several are recorded, one must be named; one that is not recorded is none."""
    run_record("room", "other", ROOM, "--store", where / "comity.sqlite", "--key", f"file:{where / 'record.key'}")
    with pytest.raises(AssertionError, match="name the --community whose record is meant: other, tea-garden"):
        compared(where)
    with pytest.raises(AssertionError, match="name the --community"):
        compared(where, "--community", "nowhere")
    assert compared(where, "--community", "tea-garden")["members"]
    assert compared(where, "--community", "other")["events"] == 0


def test_without_the_key_nothing_is_read(where: Path) -> None:
    """It is asked for by name; and a log and the record are not compared over at once."""
    words = ("charter", "compare", where / "old.toml", where / "new.toml")
    done = run(*words, "--record", "--store", where / "comity.sqlite")
    assert done.exit_code == 1
    assert "needs the record's key" in done.output
    assert run(*words).exit_code == 1
    assert run(*words, where / "log.ndjson", "--record").exit_code == 1
