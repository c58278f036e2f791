"""Tamper evidence: whatever is done to segments, links, frames or what the store knows of them is found and located."""
# ruff: noqa: S608 - every statement is this file's own

import random
import re
import shutil
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from comity.core import merkle
from comity.core.retention import DAY
from comity.stores.record.links import DECODER, HeadError, read_head
from comity.stores.record.proofs import Proof, ProofError, check, prove
from comity.stores.record.segment import PIECE
from comity.stores.record.verify import verify
from record_garden import GARDEN, HOUR, MONDAY, Here, a_chat, after_weeks
from store_entries import post_findings


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store with a record of three segments, one of them of several pieces, and three frames."""
    path = tmp_path_factory.mktemp("whole")
    with Here.open(path) as here:
        from store_entries import garden  # noqa: PLC0415 - its community is another

        garden(here.store)
        post_findings(here.store, 5)
        chat = a_chat(1500, apart=1000)
        here.say(
            [msgspec.structs.replace(e, text=f"{e.text} {sha256(e.id.encode()).hexdigest()}") for e in chat], a_turn=500
        )
        here.record.tend(MONDAY + DAY, whole=True)
        here.say(a_chat(30, start=2000, at=MONDAY + 7 * DAY))
        here.record.tend(after_weeks(1, days=2), whole=True)
        here.say(a_chat(20, start=3000, at=after_weeks(2)))
        here.record.tend(after_weeks(2, days=1), whole=True)
        here.say(a_chat(30, start=4000, at=after_weeks(2, days=1)))
        assert here.verify().whole
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def changed(path: Path, *statements: str) -> tuple[str, ...]:
    """What verifying says, after somebody has written to the store by hand."""
    with closing(sqlite3.connect(path / "comity.sqlite", isolation_level=None)) as db:
        for trigger in ("record_link_is_final", "record_link_stays", "entry_is_final", "entry_stays"):
            db.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            db.execute(statement)
    with Here.open(path) as here:
        return verify(here.record.parts).faults


def segments(path: Path) -> list[str]:
    """Names of the segments, by week."""
    with Here.open(path) as here:
        return [s.name for s in here.record.parts.rows.segments()]


def test_every_changed_byte_of_a_file_is_found_and_located(path: Path) -> None:
    """A sample of bytes of every file, the first and the last among them, each to within 16 KiB."""
    chance = random.Random(5)
    names = segments(path)
    assert (path / "record" / f"{names[0]}.parquet").stat().st_size > 2 * PIECE
    for name in names:
        file = path / "record" / f"{name}.parquet"
        data = file.read_bytes()
        for at in {0, len(data) - 1, *(chance.randrange(len(data)) for _ in range(12))}:
            file.write_bytes(data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :])
            start = at // PIECE * PIECE
            end = min(start + PIECE, len(data)) - 1
            assert (f"the file of segment {name} was changed within bytes {start} to {end}",) == changed(path)
        file.write_bytes(data)
    assert () == changed(path)


def test_every_changed_byte_of_a_link_is_found_and_located(path: Path) -> None:
    """Each link of the chain, whatever letter of it is changed, also where it goes on being a link."""
    chance = random.Random(6)
    with closing(sqlite3.connect(path / "comity.sqlite", isolation_level=None)) as db:
        db.execute("DROP TRIGGER record_link_is_final")
        bodies = dict(db.execute("SELECT number, body FROM record_link").fetchall())
        for number, body in bodies.items():
            for at in chance.sample(range(len(body)), 12):
                other = body[:at] + bytes([body[at] ^ 1 << chance.randrange(3)]) + body[at + 1 :]
                db.execute("UPDATE record_link SET body = ? WHERE number = ?", (other, number))
                with Here.open(path) as here:
                    faults = verify(here.record.parts).faults
                assert re.search(rf"links? {number}\b", " ".join(faults)), (at, faults)
            db.execute("UPDATE record_link SET body = ? WHERE number = ?", (body, number))
    assert () == changed(path)


def test_every_changed_byte_of_a_frame_is_found_and_located(path: Path) -> None:
    """Body, seal, key and count of each frame."""
    with closing(sqlite3.connect(path / "comity.sqlite", isolation_level=None)) as db:
        rows = db.execute("SELECT number, body, seal FROM record_frame").fetchall()
        assert 3 == len(rows)
        for number, body, seal in rows:
            for column, value in (("body", body), ("seal", seal)):
                for at in range(0, len(value), 7):
                    other = value[:at] + bytes([value[at] ^ 4]) + value[at + 1 :]
                    db.execute(f"UPDATE record_frame SET {column} = ? WHERE number = ?", (other, number))
                    assert any(f"frame {number} was changed" in f for f in changed(path))
                db.execute(f"UPDATE record_frame SET {column} = ? WHERE number = ?", (value, number))
    assert ("frame 11 was changed",) == changed(path, "UPDATE record_frame SET events = 9 WHERE number = 11")


def test_the_key_of_a_frame_is_part_of_it(path: Path) -> None:
    """A frame that names another key is another frame."""
    assert ("frame 10 was changed",) == changed(path, "UPDATE record_frame SET key = 'x' WHERE number = 10")


def test_missing_added_and_swapped_files_are_found(path: Path) -> None:
    """With the segment they belong to."""
    one, two, three = segments(path)
    folder = path / "record"
    for step in ("swap", "missing", "added", "short", "long"):
        copy = folder.with_name("safe")
        shutil.copytree(folder, copy)
        first, second = folder / f"{one}.parquet", folder / f"{two}.parquet"
        if step == "swap":
            a, b = first.read_bytes(), second.read_bytes()
            first.write_bytes(b)
            second.write_bytes(a)
            expected = {
                f"swapped: the file of segment {one} is that of segment {two}",
                f"swapped: the file of segment {two} is that of segment {one}",
            }
        elif step == "missing":
            second.unlink()
            expected = {f"missing: the file of segment {two}"}
        elif step == "added":
            shutil.copy(first, folder / "2026-05-04-f00d.parquet")
            expected = {"added: file 2026-05-04-f00d.parquet, which no link names"}
        elif step == "short":
            size = first.stat().st_size
            first.write_bytes(first.read_bytes()[:-100])
            expected = {f"the file of segment {one} has lost its end, from byte {size - 100} on"}
        else:
            size = first.stat().st_size
            first.write_bytes(first.read_bytes() + b"more")
            found = changed(path)
            assert f"something was added to the file of segment {one}, from byte {size} on" in found
            expected = set(found)
        assert expected == set(changed(path)), step
        shutil.rmtree(folder)
        copy.rename(folder)
    assert three


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DELETE FROM record_link WHERE number = 5", "missing: link 5"),
        ("DELETE FROM record_link WHERE number = (SELECT max(number) FROM record_link)", "missing at the end: link 7"),
        ("INSERT INTO record_link SELECT 8, body FROM record_link WHERE number = 7", "added: link 8"),
        ("DELETE FROM record_frame WHERE number = 10", "missing: frame 10"),
        ("DELETE FROM record_frame WHERE number = 11", "missing at the end: frame 11"),
        (
            "UPDATE entry SET seal = zeroblob(32) WHERE number = 5",
            "entry 5 of the ledger is not the one that link 5 was made after",
        ),
    ],
)
def test_missing_and_added_rows_are_found(path: Path, statement: str, fault: str) -> None:
    """Of the chain, of the frames, and of the ledger that the chain rests on."""
    assert fault in changed(path, statement)


def test_swapped_links_and_frames_are_found(path: Path) -> None:
    """Whole rows in each other's place."""
    swap = (
        "UPDATE {0} SET number = -1 WHERE number = {1}",
        "UPDATE {0} SET number = {1} WHERE number = {2}",
        "UPDATE {0} SET number = {2} WHERE number = -1",
    )
    faults = changed(path, *(s.format("record_link", 5, 6) for s in swap))
    assert "swapped: links 5 and 6" in faults
    assert "frame 7 was changed" not in faults
    with closing(sqlite3.connect(path / "comity.sqlite", isolation_level=None)) as db:
        first = db.execute("SELECT min(number) FROM record_frame").fetchone()[0]
        for s in swap:
            db.execute(s.format("record_frame", first, first + 1))
    assert f"frame {first} was changed" in changed(path)


def test_what_the_store_knows_of_a_segment_is_part_of_it(path: Path) -> None:
    """Card, leaves and key: without any of them it is not whole."""
    one, two, three = segments(path)
    faults = changed(
        path,
        f"DELETE FROM record_row WHERE kind = 'segment' AND name = '{one}'",
        f"UPDATE record_row SET body = zeroblob(64) WHERE kind = 'leaves' AND name = '{two}'",
        f"UPDATE record_row SET body = substr(body, 2) WHERE kind = 'segment' AND name = '{three}'",
    )

    assert any(f"missing: what the store knows of segment {one}" in f for f in faults)
    assert f"the leaves of segment {two} were changed in the store" in faults
    assert any(f"what the store knows of segment {three} was changed" in f for f in faults)


def test_a_head_that_was_noted_finds_what_was_made_anew(path: Path) -> None:
    """Whoever writes the whole chain anew cannot make the root that was signed and published before."""
    with Here.open(path) as here:
        noted = here.record.head(after_weeks(2))
        assert () == verify(here.record.parts, noted=noted).faults
    with closing(sqlite3.connect(path / "comity.sqlite", isolation_level=None)) as db:
        db.execute("DROP TRIGGER record_link_is_final")
        before, bodies = bytes(32), []
        for number, body in db.execute("SELECT number, body FROM record_link ORDER BY number").fetchall():
            link = msgspec.structs.replace(DECODER.decode(body), before=before.hex(), at=1)
            bodies.append(msgspec.json.encode(link))
            before = sha256(bodies[-1]).digest()
            db.execute("UPDATE record_link SET body = ? WHERE number = ?", (bodies[-1], number))
        tree = merkle.Growing()
        for body in bodies:
            tree.add(merkle.leaf(body))
        head = tree.size.to_bytes(8, "big") + before + tree.dump()
        db.execute("UPDATE record_row SET body = ? WHERE kind = 'head' AND name = 'links'", (head,))
    with Here.open(path) as here:
        assert () == verify(here.record.parts).faults
        (fault,) = verify(here.record.parts, noted=noted).faults
    assert "was changed and all made anew" in fault


def test_a_head_is_signed(path: Path) -> None:
    """Not a letter of it can be changed."""
    with Here.open(path) as here:
        text = msgspec.json.encode(here.record.head(MONDAY))
    assert read_head(text).size == 7
    for wrong in (text.replace(b'"size":7', b'"size":8'), text.replace(b'"root":"', b'"root":"0'), b"{}", b"["):
        with pytest.raises(HeadError):
            read_head(wrong)


def test_an_event_can_be_shown_to_be_in_the_record(path: Path) -> None:
    """By itself, to somebody who has nothing but the proof; and no letter of it can be another."""
    with Here.open(path) as here:
        proof = prove(here.record.parts, GARDEN, here.called("ben"), "$event-1", MONDAY)
    event = check(msgspec.json.decode(msgspec.json.encode(proof), type=Proof))
    assert ("$event-1", "and no sugar, cup 1") == (event.id, (event.text or "")[:19])
    for wrong in (
        {"line": proof.line.replace("sugar", "honey")},
        {"row": proof.row ^ 1},
        {"salt": "00" * 16},
        {"beside": proof.beside[:-1]},
        {"link": proof.link.replace('"at":', '"at":1')},
        {"number": proof.number - 1},
        {"salt": "no"},
    ):
        with pytest.raises(ProofError):
            check(msgspec.structs.replace(proof, **wrong))


def test_deep_verifying_reads_every_event(path: Path) -> None:
    """A segment whose key was replaced is whole from outside, and is found out from within."""
    (name, *_) = segments(path)
    with Here.open(path) as here:
        with here.store.write():
            here.record.parts.keys.new(name)
            here.record.parts.keys.keep(name)
        assert () == verify(here.record.parts).faults
        assert any(name in fault for fault in verify(here.record.parts, deep=True).faults)
    assert HOUR
