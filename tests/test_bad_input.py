"""What is broken, torn, full, locked or far too large: a clear sentence, the right status, and nothing lost."""

import gzip
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from comity.stores.sqlite import SqliteStore
from commanding import (
    CHARTER,
    SMALL,
    activity,
    charter,
    chat,
    finished,
    rated,
    run,
    same,
    signalled,
    started,
    whole,
    written,
)


@pytest.fixture
def by(tmp_path: Path) -> Path:
    """A charter that is right."""
    return charter(tmp_path / "charter.toml")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where a store may come to be."""
    return tmp_path / "comity.sqlite"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("[charter\n", ":1:9:", "expected"),
        ('[charter]\ncommunity = "Tea"\n[[clause]]\nid = "1"\ntext = "t"\nrule = "flod"\n', ":6:9:", "flood"),
        (CHARTER.replace("allowed = 4", 'allowed = "many"'), ":9:", "number"),
        (CHARTER.replace('look_back = "30s"', 'look_back = "soon"'), ":9:", "duration"),
        (CHARTER.replace("allowed = 4", "allowed = 0"), ":9:", "least"),
        (CHARTER.replace("matches('nobody", "matchs('nobody"), ":38:", "matches"),
        (CHARTER.replace("matches('nobody waters')", "matches(7)"), ":38:", "text"),
        (CHARTER.replace('"minor"', '"miner"', 1), ":10:", "minor"),
    ],
)  # fmt: skip
def test_a_wrong_charter_is_refused_with_the_place(
    tmp_path: Path, store: Path, text: str, where: str, what: str
) -> None:
    """A charter with a mistake says file, line and column and what was expected; nothing is rated by it."""
    bad, log = charter(tmp_path / "bad.toml", text), written(tmp_path / "log.ndjson", chat(1, 5))
    for arguments in (["charter", "check", bad], ["rate", log, "--store", store, "--charter", bad]):
        result = run(*arguments)
        assert result.exit_code == 1
        assert f"comity: {bad}{where}" in result.stderr
        assert what in result.stderr
        assert "Traceback" not in result.output
    assert not store.exists()


def test_a_charter_that_cannot_be_read_is_refused(tmp_path: Path, store: Path) -> None:
    """A charter that is missing, a folder, or no text is named as what it is."""
    log, odd = written(tmp_path / "log.ndjson", chat(1, 5)), tmp_path / "odd.toml"
    odd.write_bytes(b'[charter]\ncommunity = "T\xff"\n')
    for path, what in (
        (tmp_path / "none.toml", "No such file"),
        (tmp_path, "directory"),
        (odd, ":2: byte 24 is not UTF-8"),
    ):
        result = run("rate", log, "--store", store, "--charter", path)
        assert result.exit_code == 1
        assert str(path) in result.stderr
        assert what in result.stderr
    assert not store.exists()


def test_a_torn_line_is_named_and_the_rest_is_rated(tmp_path: Path, store: Path, by: Path) -> None:
    """Lines that are no events, and bytes that are no UTF-8, are told with file and line; status 2; the rest counts."""
    events = chat(3, 60)
    lines = [json.dumps(e).encode() for e in events]
    lines[10], lines[20] = lines[10][:30], b'{"id": 7}'
    lines[30] = lines[30].replace(b'"text": "', b'"text": "\xff')
    log = tmp_path / "log.ndjson"
    log.write_bytes(b"\n".join(lines) + b"\n")
    result = run("rate", log, "--store", store, "--charter", by, "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 2
    assert [11, 21, 31] == [unread["line"] for unread in told["unread"]]
    assert told["unread_lines"] == 3
    assert told["events"] == 57
    said = run("rate", log, "--store", store, "--charter", by).stderr
    assert f"not read: {log}:11: " in said
    assert "expected" in said


def test_a_log_that_ends_in_mid_line_goes_on_when_it_has_grown(tmp_path: Path, store: Path, by: Path) -> None:
    """The torn last line is told; when the rest of it is there, it counts, and once."""
    log = written(tmp_path / "log.ndjson", chat(3, 60))
    data = log.read_bytes()
    log.write_bytes(data[: -len(data) // 3])
    first = run("rate", log, "--store", store, "--charter", by, "--json")
    assert first.exit_code == 2
    log.write_bytes(data)
    told = rated(log, "--store", store, "--charter", by)
    assert told["events"] + told["known_before"] == 60
    plain = tmp_path / "plain.sqlite"
    rated(log, "--store", plain, "--charter", by)
    same(store, plain, by)


def test_a_clock_that_runs_backwards_loses_nobody(tmp_path: Path, store: Path, by: Path) -> None:
    """A log from its end to its beginning counts every message, each on its own day, and so do days before 1970."""
    events = chat(3, 80)
    plain = tmp_path / "plain.sqlite"
    rated(written(tmp_path / "forward.ndjson", events), "--store", plain, "--charter", by)
    told = rated(written(tmp_path / "backward.ndjson", reversed(events)), "--store", store, "--charter", by)
    assert told["events"] == 80
    assert activity(plain) == activity(store)
    old = [
        events[0] | {"id": f"old{i}", "at": at} for i, at in enumerate(("1969-12-31T23:59:59Z", "0001-01-02T00:00:00Z"))
    ]
    told = rated(
        written(tmp_path / "old.ndjson", old), "--store", store, "--charter", by, "--report", tmp_path / "r.html"
    )
    assert told["events"] == 2


def test_an_event_without_a_time_is_named(tmp_path: Path, store: Path, by: Path) -> None:
    """A time that no calendar has costs its event, and is told."""
    events = chat(3, 10)
    events[4]["at"] = "2026-02-31T12:00:00Z"
    result = run("rate", written(tmp_path / "log.ndjson", events), "--store", store, "--charter", by, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["events"] == 9
    assert "2026-02-31" in result.stdout


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, store: Path, by: Path) -> None:
    """A log without anything in it ends in status 2 and a sentence, also as a report."""
    log = tmp_path / "log.txt"
    log.touch()
    result = run("rate", log, "--store", store, "--charter", by, "--report", tmp_path / "report.html")
    assert result.exit_code == 2
    assert f"not read: {log}: the file is empty" in result.stderr
    assert "no events" in (tmp_path / "report.html").read_text("utf-8")


def test_what_lies_beside_a_chat_is_passed_over(tmp_path: Path, store: Path) -> None:
    """A charter, a page and a picture in the folder of a chat are no mistake; named themselves, they are."""
    folder = tmp_path / "garden"
    folder.mkdir()
    by = charter(folder / "charter.toml")
    written(folder / "log.ndjson", chat(3, 10))
    page = folder / "README.md"
    page.write_text("# The garden\n\nA chat.\n", "utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\0\0")
    result = run("rate", folder, "--store", store, "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert told["unread_lines"] == 0
    assert {str(page), str(folder)} == set(told["passed_over"])
    assert told["charter"] == json.loads(run("charter", "check", by, "--json").stdout)["digest"]
    assert run("rate", page, "--store", store).exit_code == 2
    (folder / "log.ndjson").unlink()
    assert run("rate", folder, "--store", store).exit_code == 2  # nothing at all is a chat


def test_a_line_of_fifty_megabytes_is_left_out(tmp_path: Path, store: Path, by: Path) -> None:
    """One absurd line is named and costs no more than itself."""
    log = written(tmp_path / "log.ndjson", chat(3, 20))
    lines = log.read_bytes().splitlines(keepends=True)
    lines[5] = b'{"id": "' + b"x" * 50_000_000 + b'"}\n'
    log.write_bytes(b"".join(lines))
    result = run("rate", log, "--store", store, "--charter", by, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["events"], told["unread"][0]["line"]) == (2, 19, 6)


def test_a_bomb_is_not_unpacked(tmp_path: Path, store: Path, by: Path) -> None:
    """A zip and a gzip that blow up end with a sentence; what stood before the bomb is rated."""
    head = b"".join(json.dumps(e).encode() + b"\n" for e in chat(3, 20))
    bomb = head + (b" " * 1023 + b"\n") * 280_000
    squeezed = tmp_path / "log.zip"
    with zipfile.ZipFile(squeezed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("chat/log.ndjson", bomb)
    packed = tmp_path / "log.ndjson.gz"
    packed.write_bytes(gzip.compress(bomb, 6))
    for number, file in enumerate((squeezed, packed)):
        result = run("rate", file, "--store", store, "--charter", by, "--json")
        told = json.loads(result.stdout)
        assert result.exit_code == 2
        assert told["events"] == (20, 0)[number]  # the second is the same chat
        assert told["events"] + told["known_before"] == 20
        assert "times its size" in told["unread"][0]["what"]


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path, store: Path, by: Path) -> None:
    """A store that a later Comity wrote is refused by every command, and not a byte of it is changed."""
    log = written(tmp_path / "log.ndjson", chat(3, 20))
    rated(log, "--store", store, "--charter", by)
    with sqlite3.connect(store) as db:
        db.execute("UPDATE meta SET format = 99")
    db.close()
    before = store.read_bytes()
    for arguments in (
        ["rate", log, "--charter", by],
        ["explain", "ana"],
        ["verify"],
        ["reverse", 1, "--reason", "x", "--by", "y"],
    ):
        result = run(*arguments, "--store", store)
        assert result.exit_code == 1
        assert "format 99" in result.stderr
        assert "install a newer one" in result.stderr
    assert before == store.read_bytes()


def test_a_full_disk_loses_nothing_and_is_gone_on_from(tmp_path: Path, store: Path, by: Path) -> None:
    """A full disk is told with status 1; what was kept is whole, and the next run ends the job."""
    log = written(tmp_path / "log.ndjson", chat(3, 20_000))
    limit = "import resource as l, signal as s; s.signal(s.SIGXFSZ, s.SIG_IGN)\n"
    limit += f"l.setrlimit(l.RLIMIT_FSIZE, (3_500_000, {resource.RLIM_INFINITY}))\n"
    status, _, said = finished("rate", log, "--store", store, "--charter", by, before=limit + SMALL)
    assert status == 1
    assert str(store) in said
    assert "free some room" in said or "disk" in said
    assert "Traceback" not in said
    assert whole(store)
    told = rated(log, "--store", store, "--charter", by)
    assert told["known_before"] > 0
    assert told["events"] + told["known_before"] == 20_000
    plain = tmp_path / "plain.sqlite"
    rated(log, "--store", plain, "--charter", by)
    same(store, plain, by)


def test_two_ratings_do_not_write_one_store(tmp_path: Path, store: Path, by: Path) -> None:
    """The second is told who has it; to read it is allowed meanwhile."""
    log = written(tmp_path / "log.ndjson", chat(3, 20))
    rated(log, "--store", store, "--charter", by)
    with SqliteStore.open(store, durable=False):
        status, _, said = finished("rate", log, "--store", store, "--charter", by)
        assert status == 1
        assert f"process {os.getpid()}" in said
        assert "Traceback" not in said
        assert run("verify", "--store", store).exit_code == 0
        assert run("explain", "ana", "--store", store, "--charter", by).exit_code == 0


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: path.write_text("milk first\n", "utf-8"), "no Comity store"),
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE tea (x)").connection.close(), "another program"),
    ],
)
def test_what_is_no_store_is_not_written_to(
    tmp_path: Path, store: Path, by: Path, make: Callable[[Path], object], what: str
) -> None:
    """A folder, a text, or another program's database is refused and left as it was."""
    make(store)
    before = None if store.is_dir() else store.read_bytes()
    log = written(tmp_path / "log.ndjson", chat(3, 20))
    for arguments in (["rate", log, "--charter", by], ["verify"]):
        result = run(*arguments, "--store", store)
        assert result.exit_code == 1
        assert what in result.stderr
    assert before == (None if store.is_dir() else store.read_bytes())


@pytest.mark.parametrize("option", ["--store", "--report", "--findings"])
@pytest.mark.parametrize("place", ["/dev/null/x", "{tmp}", "{tmp}/log.ndjson/x"])
def test_places_that_cannot_be_written_are_named(tmp_path: Path, by: Path, option: str, place: str) -> None:
    """A store, report or findings file where none can be is one sentence with its path."""
    log = written(tmp_path / "log.ndjson", chat(3, 20))
    path = place.format(tmp=tmp_path)
    store = [] if option == "--store" else ["--store", tmp_path / "comity.sqlite"]
    result = run("rate", log, "--charter", by, *store, option, path)
    assert result.exit_code == 1
    assert path in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Traceback" not in result.output


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_may_only_be_read_is_named(tmp_path: Path, by: Path) -> None:
    """A store in a folder without the right to write is refused with what to do."""
    log, folder = written(tmp_path / "log.ndjson", chat(3, 20)), tmp_path / "locked"
    folder.mkdir(mode=0o500)
    result = run("rate", log, "--charter", by, "--store", folder / "comity.sqlite")
    assert result.exit_code == 1
    assert "may not be written" in result.stderr


def test_findings_are_there_whole_or_not_at_all(tmp_path: Path, store: Path, by: Path) -> None:
    """The file is put in its place at the end; a run that fails leaves the old one, and no piece of a new one."""
    log, found = written(tmp_path / "log.ndjson", chat(3, 200)), tmp_path / "found.ndjson"
    told = rated(log, "--store", store, "--charter", by, "--findings", found)
    kept = found.read_bytes()
    rows = [json.loads(line) for line in kept.splitlines()]
    assert sum(told["findings"].values()) == len(rows) > 0
    assert {"event", "rule", "clause", "harm", "severity", "counts", "sentence", "figures", "excerpt"} < set(rows[0])
    again = written(tmp_path / "again.ndjson", chat(3, 4_000))
    limit = "import resource as l, signal as s; s.signal(s.SIGXFSZ, s.SIG_IGN)\n"
    limit += f"l.setrlimit(l.RLIMIT_FSIZE, (300_000, {resource.RLIM_INFINITY}))\n"
    status, _, said = finished(
        "rate", again, "--store", tmp_path / "b.sqlite", "--charter", by, "--findings", found, before=limit
    )
    assert (status, "Traceback" in said) == (1, False)
    assert kept == found.read_bytes()
    assert [] == list(tmp_path.glob("*.part"))


def test_a_missing_log_is_named_before_anything_is_made(tmp_path: Path, store: Path, by: Path) -> None:
    """A path that is not there is the whole message, and no empty store is left behind."""
    result = run("rate", tmp_path / "gone.log", "--store", store, "--charter", by)
    assert (result.exit_code, result.stderr) == (
        1,
        f"comity: {tmp_path / 'gone.log'}: there is nothing here; expected a file or a folder\n",
    )
    assert not store.exists()


def test_a_stopped_rating_ends_cleanly_and_goes_on(tmp_path: Path, store: Path, by: Path) -> None:
    """Ctrl-C ends with status 130 and one sentence; what was committed is kept, and the next run goes on from there."""
    log = written(tmp_path / "log.ndjson", chat(3, 40_000))
    options = ("--store", store, "--charter", by, "--findings", tmp_path / "f")
    with started("rate", log, *options, before=signalled(100, 0.001, "SIGINT")) as child:
        _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert said.strip() == "comity: stopped. What was committed is kept; the same command goes on from there."
    assert whole(store)
    assert [] == list(tmp_path.glob("f*"))
    assert not store.with_name(store.name + ".lock").exists()
    told = rated(log, "--store", store, "--charter", by)
    assert 0 < told["known_before"] < 40_000
    assert told["events"] + told["known_before"] == 40_000


def test_a_closed_pipe_ends_without_a_word() -> None:
    """``comity rules | head`` says nothing on standard error, whatever it could not print."""
    reader, writer = os.pipe()
    os.close(reader)
    status, _, said = _with_stdout(writer)
    assert (status, said) == (1, "")


def test_a_full_output_is_told() -> None:
    """Output that cannot be written is an error, not silence."""
    status, _, said = _with_stdout(os.open("/dev/full", os.O_WRONLY))
    assert status == 1
    assert said == "comity: No space left on device\n"


def _with_stdout(handle: int) -> tuple[int, str, str]:
    code = "from comity.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "rules"], stdout=handle, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(handle)
    return done.returncode, "", done.stderr


EVIL = "\x1b]0;kettle\x07\x9b31m\u202eana\u2066\r\n\x00"


def test_names_and_texts_cannot_steer_a_terminal(tmp_path: Path, store: Path, by: Path) -> None:
    """Escapes, control characters and direction overrides reach no terminal: printed, as JSON, or in errors."""
    events = [
        e | {"name": f"{EVIL}{e['member']}", "text": f"{EVIL}WHO TOOK MY TROWEL", "at": f"2026-03-02T12:00:{i:02}Z"}
        for i, e in enumerate(chat(3, 60))
    ]
    log = written(tmp_path / "log.ndjson", events)
    shown = [
        run("rate", log, "--store", store, "--charter", by),
        run("rate", log, "--store", store, "--charter", by, "--json"),
        run("explain", "bo", "--store", store, "--charter", by),
        run("explain", "bo", "--store", store, "--charter", by, "--json"),
        run("explain", "a", "--store", store, "--charter", by),
        run("explain", EVIL.replace("\x00", ""), "--store", store, "--charter", by),
        run("rate", tmp_path / EVIL.replace("\x00", ""), "--store", store, "--charter", by),
        run("charter", "compare", by, charter(tmp_path / "b.toml", CHARTER.replace("= 4", "= 2")), log),
        run("rules", "\x1b[31m"),
        run("\x1b[31mrate"),
    ]
    assert [0, 0, 0, 0, 1, 1, 1, 0, 1, 1] == [result.exit_code for result in shown]
    assert "TROWEL" in shown[2].stdout
    for result in shown:
        assert {c for c in result.output if not c.isprintable()} <= {"\n"}
    told = json.loads(shown[3].stdout)
    assert EVIL.split("\r", maxsplit=1)[0] in told["name"]  # for machines nothing is lost


def test_a_file_name_that_is_no_text_is_rated(tmp_path: Path, store: Path, by: Path) -> None:
    """Names of files are bytes; one that is no UTF-8 is read, noted and told like any other."""
    log = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.ndjson"))
    shutil.copy(written(tmp_path / "log.ndjson", chat(3, 20)), log)
    told = rated(log, "--store", store, "--charter", by)
    assert told["events"] == 20
    assert run("rate", log, "--store", store, "--charter", by).exit_code == 0
    log.write_bytes(b"{\n")
    assert run("rate", log, "--store", store, "--charter", by).exit_code == 2
    assert run("rate", log, "--store", store, "--charter", by, "--json").exit_code == 2
