"""Replay: whatever is cut, killed, doubled, shuffled or taken back, the ledger says the same."""

import gc
import random
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.book import Book
from comity.core.days import ActiveColumns, CountedColumns
from comity.core.standings import fold
from comity.replay import uncollected
from comity.stores.sqlite import SqliteStore
from commanding import (
    CHARTER,
    MEMBERS,
    SAID,
    SMALL,
    activity,
    charter,
    chat,
    findings,
    parsed,
    rated,
    run,
    same,
    signalled,
    split,
    standings,
    started,
    whole,
    written,
)


def test_a_rating_killed_at_any_moment_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """Killed again and again and then run to the end, ledger and standings are those of an undisturbed run."""
    chance = random.Random(4711)
    log, by = written(tmp_path / "log.ndjson", chat(1, 18_000)), charter(tmp_path / "charter.toml")
    first, killed, calm = (tmp_path / name for name in ("first.sqlite", "killed.sqlite", "calm.sqlite"))
    rated(written(tmp_path / "one.ndjson", chat(1, 1)), "--store", first, "--charter", by)  # keys that copies share
    shutil.copy(first, killed)
    shutil.copy(first, calm)
    heads = []
    for batches in (20, 60, 100):  # of some 200: a moment near there, wherever that finds the rating
        dying = signalled(batches + chance.randrange(20), chance.random() * 0.02, "SIGKILL")
        with started("rate", log, "--store", killed, "--charter", by, before=dying) as child:
            child.communicate()
        assert child.returncode == -signal.SIGKILL
        assert whole(killed)
        with SqliteStore.open(killed, durable=False, read_only=True) as store:
            heads.append(store.head().number)
    for each in (killed, calm):
        with started("rate", log, "--store", each, "--charter", by, before=SMALL) as child:
            child.communicate()
        assert child.returncode == 0

    assert sorted(set(heads)) == heads
    with SqliteStore.open(killed, durable=False) as one, SqliteStore.open(calm, durable=False) as other:
        assert heads[-1] < other.head().number
        assert other.head().number == one.head().number  # seals differ, for salts are drawn anew
        assert other.counts() == one.counts()
        read = [sum(source.events for run_ in s.runs() for source in run_.sources) for s in (one, other)]
        assert [18_000, 18_000] == read  # the runs account for every event once
    same(killed, calm, by)


lines = st.lists(
    st.tuples(
        st.sampled_from(MEMBERS[:3]),
        st.sampled_from(["#garden", "#attic"]),
        st.integers(0, 40),
        st.sampled_from([*SAID[:2], "WHO TOOK MY TROWEL", "NOBODY WATERS THE PEAS"]),
        st.sampled_from([[], ["bo"], ["cleo"]]),
    ),
    max_size=40,
)


@settings(max_examples=25, deadline=None)
@given(lines=lines, data=st.data())
def test_cutting_a_log_anywhere_changes_nothing(
    lines: list[tuple[str, str, int, str, list[str]]], data: st.DataObject
) -> None:
    """A log rated when it was short, and again when it has grown, has the findings and standings of the whole."""
    events, at = [], 0
    for number, (member, room, gap, text, mentions) in enumerate(lines):
        at += gap
        clock = f"2026-03-02T{20 + at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}Z"
        events.append(
            {"id": f"e{number}", "at": clock, "kind": "message", "community": "tea", "room": room, "member": member}
            | {"text": text, "mentions": mentions}
        )
    cut = data.draw(st.integers(0, len(events)))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        log, by = place / "log.ndjson", charter(place / "charter.toml")
        for part in (events[:cut], events):
            written(log, part)
            run("rate", log, "--store", place / "cut.sqlite", "--charter", by, "--quiet")
        run("rate", log, "--store", place / "whole.sqlite", "--charter", by, "--quiet")
        same(place / "cut.sqlite", place / "whole.sqlite", by)


@pytest.fixture
def by(tmp_path: Path) -> Path:
    """The charter."""
    return charter(tmp_path / "garden.toml")


@pytest.fixture
def at_once(tmp_path: Path, by: Path) -> Path:
    """A store with the whole of a chat."""
    store = tmp_path / "at once.sqlite"
    rated(written(tmp_path / "whole.ndjson", chat(7)), "--store", store, "--charter", by)
    assert {"1", "2", "3", "4", "5"} == {f[1] for f in findings(store)}
    return store


def test_overlapping_exports_count_each_event_once(tmp_path: Path, by: Path, at_once: Path) -> None:
    """Three exports that overlap say what one says, and an export rated twice adds nothing."""
    events, store = chat(7), tmp_path / "parts.sqlite"
    known = 0
    for number, part in enumerate((events[:200], events[120:330], events[300:], events)):
        told = rated(written(tmp_path / f"{number}.ndjson", part), "--store", store, "--charter", by)
        known += told["known_before"]
    assert known == 80 + 30 + 400
    assert told["events"] == 0
    same(store, at_once, by)


def test_files_side_by_side_are_one_log(tmp_path: Path, by: Path, at_once: Path) -> None:
    """A log in three files, named in any order, has the findings and standings of the log in one."""
    files = [written(tmp_path / f"{n}.ndjson", part) for n, part in enumerate(split(chat(7), 90, 250))]
    for order in ((0, 1, 2), (2, 0, 1)):
        store = tmp_path / f"{order}.sqlite"
        told = rated(*(files[n] for n in order), "--store", store, "--charter", by)
        assert told["events"] == 400
        same(store, at_once, by)


def test_late_events_keep_their_own_day(tmp_path: Path, by: Path, at_once: Path) -> None:
    """Events that come in another order, and long after later ones, are counted all the same, each on its own day."""
    events = chat(7)
    random.Random(3).shuffle(events)
    store = tmp_path / "late.sqlite"
    for number, part in enumerate(split(events, 150, 151)):
        rated(written(tmp_path / f"{number}.ndjson", part), "--store", store, "--charter", by)
    assert activity(at_once) == activity(store)
    # What a rule over time finds hangs on the order of arrival; what one looks for in a single message does not.
    assert [f for f in findings(at_once) if f[1] == "5"] == [f for f in findings(store) if f[1] == "5"]


def test_standing_can_be_summed_in_parts_and_in_any_order(at_once: Path, by: Path) -> None:
    """Columns cut into shards, their rows shuffled, and put together in any order fold to the same bits."""
    chance = np.random.default_rng(5)
    with SqliteStore.open(at_once, durable=False, read_only=True) as store:
        book = Book(store, parsed(by.read_text("utf-8")))
        active = np.stack([book.activity.member - 1, book.activity.day, book.activity.messages])
        which = book.counted
        found = np.stack(
            [c[which] for c in (book.findings.member - 1, book.findings.day, book.severity, book.findings.message)]
        )
        expected = book.standings
    for _ in range(5):
        parts = [chance.permuted(np.arange(c.shape[1])) for c in (active, found)]
        shards = [np.array_split(p, 3) for p in parts]
        mixed = [np.concatenate([s[i] for i in chance.permutation(3)]) for s in shards]
        a, f = active[:, mixed[0]], found[:, mixed[1]]
        folded = fold(
            ActiveColumns(*a),
            CountedColumns(f[0], f[1], f[2], f[3], np.zeros(f.shape[1], np.bool_)),
            members=book.members,
            parameters=book.charter.standing,
        )
        now = folded.at(book.today)
        for one, other in ((expected.history, now.history), (expected.weight, now.weight)):
            assert one.tolist() == other.tolist()
        assert expected.points.tolist() == now.points.tolist()


def test_what_is_taken_back_leaves_no_trace(tmp_path: Path, by: Path, at_once: Path) -> None:
    """When every finding of a clause is reversed, standings equal those of a charter under which none was made."""
    with SqliteStore.open(at_once, durable=False, read_only=True) as store:
        numbers = [
            f.number
            for member in range(1, store.counts().members + 1)
            for f in store.findings(member)
            if store.clause_rows()[f.clause - 1].id == "1"
        ]
    assert len(numbers) > 5
    before = standings(at_once, by)
    for number in numbers:
        result = run("reverse", number, "--reason", "it was asked for", "--by", "olive", "--store", at_once)
        assert result.exit_code == 0
    without = tmp_path / "without.sqlite"
    text = CHARTER.replace('id = "1"', 'id = "1"\nstate = "draft"')
    rated(tmp_path / "whole.ndjson", "--store", without, "--charter", charter(tmp_path / "draft.toml", text))

    assert before != standings(at_once, by)
    assert standings(without, by) == standings(at_once, by)
    assert whole(at_once)


def test_two_exports_numbered_from_one_are_two_communities(tmp_path: Path, by: Path) -> None:
    """The same ids at the same times in two communities are different events, and their members different members."""
    store = tmp_path / "two.sqlite"
    for name in ("tea-garden", "toothpaste"):
        told = rated(
            written(tmp_path / f"{name}.ndjson", chat(7, 50, community=name)), "--store", store, "--charter", by
        )
        assert (told["events"], told["known_before"]) == (50, 0)
    assert told["members"] == 2 * len({e["member"] for e in chat(7, 50)})
    assert told["rooms"] == 4


def test_a_member_goes_by_the_last_name(tmp_path: Path, by: Path) -> None:
    """Who changes their name and changes it back is called by it again, within a file and from file to file."""
    store = tmp_path / "names.sqlite"
    steps: list[list[str | None]] = [["Ana", "Anna", "Ana"], ["Annie"], ["Ana", None]]
    for number, names in enumerate(steps):
        events = [
            e | {"id": f"{number}-{i}", "member": "ana", "name": names[i]} for i, e in enumerate(chat(1, len(names)))
        ]
        rated(written(tmp_path / f"{number}.ndjson", events), "--store", store, "--charter", by)
        with SqliteStore.open(store, durable=False, read_only=True) as ledger:
            (row,) = ledger.members_named("ana")
            assert row.name == ("Ana", "Annie", "Ana")[number]


def flood(first: int, last: int) -> list[dict[str, str]]:
    """Messages a second apart."""
    return [
        {"id": f"f{i}", "at": f"2026-03-02T12:00:{i:02}Z", "kind": "message", "community": "tea", "room": "#garden"}
        | {"member": "ana", "text": f"and {i}"}
        for i in range(first, last)
    ]


def test_counts_over_time_begin_anew_where_the_charter_changed(tmp_path: Path) -> None:
    """They go on under the same charter; under another they begin anew, also under an old one, and that is said."""
    store, said = tmp_path / "changed.sqlite", "The charter has changed since the last rating"
    strict = charter(tmp_path / "strict.toml", CHARTER.replace("allowed = 4", "allowed = 3"))
    longer = charter(tmp_path / "longer.toml", CHARTER.replace('"30s"', '"40s"'))
    steps = ((strict, 0, 3, False), (strict, 3, 5, False), (longer, 5, 8, True), (strict, 8, 10, True))
    found = []
    for by, first, last, anew in steps:
        log = written(tmp_path / f"{first}.ndjson", flood(first, last))
        result = run("rate", log, "--store", store, "--charter", by)
        assert anew == (said in result.stdout)
        found.append(len(findings(store)))
    # 3 are too few; with them before, the 4th and 5th are too many; then no count reaches the line again.
    assert [0, 2, 2, 2] == found


def test_a_window_state_of_another_version_begins_anew(tmp_path: Path, by: Path) -> None:
    """A carried state that cannot be read costs a count that begins anew, and never the rating."""
    store = tmp_path / "older.sqlite"
    rated(written(tmp_path / "0.ndjson", flood(0, 5)), "--store", store, "--charter", by)
    with SqliteStore.open(store, durable=False) as ledger:
        broken = {name: b"not what it was" for name in ledger.window_states() if name != "names"}
        assert broken
        ledger.save_window_states(broken)
    result = run("rate", written(tmp_path / "1.ndjson", flood(5, 9)), "--store", store, "--charter", by)
    assert result.exit_code == 0
    assert "it counts from here on" in result.stdout


def test_the_collector_is_left_as_it_was() -> None:
    """A rating switches off the search for circles, and however it ends, it is on again afterwards."""
    assert gc.isenabled()
    within = []
    with suppress(ValueError), uncollected():
        within.append(gc.isenabled())
        raise ValueError
    assert [False] == within
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
