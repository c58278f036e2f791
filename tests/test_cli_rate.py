"""``comity rate`` as people and machines meet it."""

import gzip
import os
import re
import subprocess
from pathlib import Path

import pytest

from comity.stores.sqlite import SqliteStore
from commanding import COMMAND, GARDEN, charter, chat, rated, run, standings, written

KEYS = {
    *("events", "messages", "known_before", "members", "rooms", "findings", "findings_by_clause", "entries", "head"),
    *("bands", "unread_lines", "unread", "passed_over", "slow_patterns", "first", "last", "today", "charter", "store"),
    *("report", "seconds"),
}  # fmt: skip


@pytest.fixture
def by(tmp_path: Path) -> Path:
    """A charter."""
    return charter(tmp_path / "charter.toml")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A chat."""
    return written(tmp_path / "log.ndjson", chat(7))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where the ledger is."""
    return tmp_path / "comity.sqlite"


def test_machines_get_one_object(log: Path, store: Path, by: Path) -> None:
    """The JSON has all its keys; what it counts is what is in the chat and in the ledger."""
    told = rated(log, "--store", store, "--charter", by)
    assert set(told) == KEYS
    assert (told["events"], told["messages"], told["known_before"], told["unread_lines"]) == (400, 400, 0, 0)
    assert (told["members"], told["rooms"]) == (8, 2)
    assert sum(told["findings"].values()) == sum(told["findings_by_clause"].values())
    assert set(told["findings"]) == {"flood", "repeated-line", "shouting", "unwanted-mentions", "5"}
    assert told["first"] == chat(7)[0]["at"].replace("Z", ".000Z")
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        assert told["entries"] == told["head"]["number"] == ledger.counts().entries
        assert sum(told["findings"].values()) == ledger.counts().findings
        assert told["head"]["seal"] == ledger.head().seal.hex()
    assert set(told["bands"]) <= {"muted", "no_links", "suspended", "good", "trusted"}


def test_the_same_log_twice_adds_nothing(log: Path, store: Path, by: Path) -> None:
    """Rated again, everything is known from before, and not an entry is added."""
    first = rated(log, "--store", store, "--charter", by)
    again = rated(log, "--store", store, "--charter", by)
    assert (again["events"], again["known_before"], again["findings"]) == (0, 400, {})
    assert first["head"] == again["head"]
    assert first["bands"] == again["bands"]
    shown = run("rate", log, "--store", store, "--charter", by).stdout
    assert "Known from before and not counted again: 400 events." in shown
    assert "Nothing new was found." in shown


def test_a_log_that_has_grown_goes_on(log: Path, store: Path, by: Path) -> None:
    """Only what is new is counted; the ledger then holds the whole."""
    whole = log.read_bytes()
    log.write_bytes(b"".join(whole.splitlines(keepends=True)[:150]))
    rated(log, "--store", store, "--charter", by)
    log.write_bytes(whole)
    grown = rated(log, "--store", store, "--charter", by)
    assert (grown["events"], grown["known_before"]) == (250, 150)


def test_another_community_in_the_store_is_told_apart(tmp_path: Path, log: Path, store: Path, by: Path) -> None:
    """The ledger's members are all, new or old; bands and the report are of the community that was rated."""
    rated(log, "--store", store, "--charter", by)
    other = written(tmp_path / "paste.ndjson", chat(8, 30, community="toothpaste"))
    report = tmp_path / "paste.html"
    told = rated(other, "--store", store, "--charter", by, "--report", report)
    alone = rated(other, "--store", tmp_path / "alone.sqlite", "--charter", by, "--report", tmp_path / "alone.html")
    assert told["members"] == 8 + alone["members"]
    assert told["bands"] == alone["bands"]
    assert told["findings"] == alone["findings"]
    figures = [re.findall(r"<dd>([\d,]+)</dd>", path.read_text("utf-8")) for path in (report, tmp_path / "alone.html")]
    assert figures[0] == figures[1]
    assert f"The ledger holds {told['members']} members, 4 rooms" in run("rate", other, "--store", store).stdout


def test_people_get_sentences_and_tables(log: Path, store: Path, by: Path) -> None:
    """What was read, by which charter, how much was found and whose standing fell; nothing of it with --quiet."""
    shown = run("rate", log, "--store", store, "--charter", by)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("400 new events, 400 messages among them, by charter.toml in ")
    for part in (
        "From 2026-03-02 to ",
        "What was found",
        "unwanted-mentions",
        "Whose standing fell lowest",
        "Why: comity",
    ):
        assert part in shown.stdout
    quiet = run("rate", log, "--store", store, "--charter", by, "--quiet")
    assert (quiet.exit_code, quiet.output) == (0, "")


def test_one_of_something_is_not_called_many(tmp_path: Path, store: Path, by: Path) -> None:
    """A chat of one message is one event, one member, one room."""
    shown = run("rate", written(tmp_path / "one.ndjson", chat(7, 1)), "--store", store, "--charter", by).stdout
    assert "1 new event, 1 message among them" in shown
    assert "The ledger holds 1 member, 1 room and 0 findings." in shown


def test_a_charter_beside_the_chat_is_taken(tmp_path: Path, log: Path, store: Path, by: Path) -> None:
    """Without --charter, charter.toml beside the export is the charter; without that, the default one."""
    beside = rated(log, "--store", store)
    assert beside["charter"] == rated(log, "--store", store, "--charter", by)["charter"]
    by.unlink()
    assert rated(log, "--store", tmp_path / "b.sqlite")["charter"] != beside["charter"]


def test_by_the_default_charter_a_community_goes_by_its_own_name(tmp_path: Path, log: Path, store: Path) -> None:
    """The default charter is nobody's: the report has the name that the export gives, not that of the charter."""
    (tmp_path / "apart").mkdir()
    report = tmp_path / "r.html"
    rated(log.rename(tmp_path / "apart" / "log.ndjson"), "--store", store, "--report", report)
    assert "Standing in tea-garden" in report.read_text("utf-8")


def test_a_store_and_a_report_in_a_new_folder(tmp_path: Path, log: Path, by: Path) -> None:
    """Folders that are not there yet are made; the report is whole and readable only by its owner."""
    store, report = tmp_path / "a" / "b" / "comity.sqlite", tmp_path / "c" / "report.html"
    told = rated(log, "--store", store, "--charter", by, "--report", report)
    assert told["report"] == str(report)
    assert "Standing in Tea garden" in report.read_text("utf-8")
    assert report.stat().st_mode & 0o077 == 0


def test_options_reach_the_reader(tmp_path: Path, store: Path, by: Path) -> None:
    """Time zone, format and community of a log that does not tell them are those that are given."""
    log = tmp_path / "log.txt"
    log.write_text(
        "--- Log opened Mon Mar 02 07:59:00 2026\n08:00 <ana> milk first\n08:01 <bo> then the tea\n", "utf-8"
    )
    options = ("--format", "irc", "--time-zone", "Europe/Vienna", "--community", "tea")
    told = rated(log, "--store", store, "--charter", by, *options)
    assert told["first"] == "2026-03-02T07:00:00.000Z"
    result = run("rate", log, "--store", store, "--charter", by, "--time-zone", "Europe/Wien")
    assert result.exit_code == 1
    assert "expected a name such as Europe/Vienna" in result.stderr


def test_an_event_dated_after_today_waits(tmp_path: Path, store: Path, by: Path) -> None:
    """A clock gone wrong in one line is told, makes nobody older, and draws no chart of eight thousand years."""
    events = chat(7)
    odd = events[0] | {"id": "odd", "at": "9999-12-31T12:00:00Z"}
    log, report = written(tmp_path / "odd.ndjson", [*events, odd]), tmp_path / "r.html"
    told = rated(log, "--store", store, "--charter", by, "--report", report)
    assert told["today"] < "2027"
    assert told["last"].startswith("9999")
    assert "Some events are dated up to 9999-12-31" in run("rate", log, "--store", store, "--charter", by).stdout
    plain = rated(written(tmp_path / "p.ndjson", events), "--store", tmp_path / "p.sqlite", "--charter", by)
    assert told["bands"] == plain["bands"]
    assert "9999" not in report.read_text("utf-8")


def test_what_make_run_does(tmp_path: Path) -> None:
    """The example rates from its folder into a new one with status 0, as the Makefile says, and the report is there."""
    makefile = (GARDEN.parents[1] / "Makefile").read_text("utf-8")
    line = next(text for text in makefile.splitlines() if "comity rate" in text)
    assert "EXAMPLE := examples/tea-garden" in makefile
    assert "EXPORT ?= $(EXAMPLE)" in makefile
    words = line.replace('"', "").replace("$(EXPORT)", str(GARDEN)).replace("$(OUT)", str(tmp_path / "out")).split()
    done = subprocess.run([COMMAND, *words[1:]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("not read")) == (0, 0), done.stderr
    assert "What was found" in done.stdout
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Standing in Tea Garden" in page
    assert (tmp_path / "out" / "comity.sqlite").stat().st_size > 0


def test_the_files_of_the_command_itself_are_no_chat(tmp_path: Path, by: Path) -> None:
    """A folder that holds store, report and findings of its own rating is rated again with status 0."""
    written(tmp_path / "log.ndjson", chat(7))
    names = {"--store": "comity.sqlite", "--report": "report.html", "--findings": "found.ndjson", "--charter": by.name}
    options = [part for option, name in names.items() for part in (option, tmp_path / name)]
    assert rated(tmp_path, *options)["passed_over"] == []
    again = rated(tmp_path, *options)
    assert (again["events"], again["known_before"], again["unread_lines"]) == (0, 400, 0)
    assert not {str(tmp_path / name) for name in names.values()} & set(again["passed_over"])


def test_standing_does_not_hang_on_the_way_the_log_came(tmp_path: Path, log: Path, store: Path, by: Path) -> None:
    """Plain, gzipped or named twice, the same events give the same whole numbers."""
    packed = tmp_path / "log.ndjson.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    rated(log, "--store", store, "--charter", by)
    rated(packed, log, log, "--store", tmp_path / "b.sqlite", "--charter", by)
    assert standings(store, by) == standings(tmp_path / "b.sqlite", by)


def test_a_wrong_command_says_what_would_be_right() -> None:
    """Mistyped commands, options and values end in status 1 with the nearest right one."""
    for arguments, what in (
        (["raet"], "Did you mean 'rate'?"),
        (["rate"], "Missing argument 'PATHS...'"),
        (["rate", "x", "--formt", "irc"], "--format"),
        (["rate", "x", "--format", "icq"], "'irc'"),
        (["charter", "chek"], "check"),
        (["completion", "ksh"], "'fish'"),
        (["rules", "floo"], "expected flood"),
        (["explain", "ana", "--on", "soon"], "%Y-%m-%d"),
        (["reverse", "0", "--reason", "x", "--by", "y"], "0 is not in the range"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1, arguments
        assert what in result.stderr
        assert "Traceback" not in result.output


def test_every_command_has_help_that_is_quick() -> None:
    """Each --help ends in status 0, says what the command is for, and shows an example."""
    commands = ["", "rate", "explain", "reverse", "verify", "rules", "completion", "charter"]
    for command in [*commands, "charter init", "charter check", "charter compare"]:
        result = run(*command.split(), "--help")
        assert result.exit_code == 0
        assert "comity" in result.stdout
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run([COMMAND, "--help"], capture_output=True, check=False, env=environment)
    assert b"click" in done.stderr
    assert not re.search(rb"\| +(numpy|numba|scipy|hyperscan)\n", done.stderr)
