"""How large and how fast the record is: every figure measured in one run, on events of half a year.

Usage: record.py [--events FOLDER] [--work FOLDER] [--most MILLIONS] [--compare]

Events are made by ``generate_events.py`` in the folder ``--events`` (by default ``../shared/bench`` beside the
checkout), given ids as Matrix has them (44 random characters) and spread over 26 weeks. ``--most``: how far the curve
goes, 1, 4 or 20 million; the last takes ten minutes and 6 GB. ``--compare``: only two charters, over a record of as
many millions and over the same events as NDJSON.
"""

import argparse
import base64
import gc
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from comity.core.event import Event, moment, rfc3339
from comity.core.retention import WEEK, end_of, start_of, week_of
from comity.stores.record.keys import LocalKeeper
from comity.stores.record.places import Folder
from comity.stores.record.reading import Query, Reading
from comity.stores.record.record import Record
from comity.stores.record.verify import verify
from comity.stores.sqlite import SqliteStore

HERE = Path(__file__).parent
NO_SECRET = b"a key that is no secret at all.."
KEEPER = LocalKeeper(NO_SECRET)
WEEKS = 26
FIRST = start_of(week_of(1_767_571_200_000))  # a Monday in January 2026
NOW = FIRST + (WEEKS + 1) * WEEK
BLOCK = 20_000
ONE_MILLION = 1_000_000


def spread(source: Path, count: int, community: str = "") -> Iterator[list[Event]]:
    """Blocks of events with other ids, spread over half a year; the source again and again, until there are enough.

    community: of all of them, where it is given.
    """
    chance, decoder, made = random.Random(1), msgspec.json.Decoder(Event), 0
    while made < count:
        with source.open("rb") as file:
            while made < count and (lines := file.readlines(BLOCK * 330)):
                events = decoder.decode_lines(b"".join(lines))[: count - made]
                for e in events:
                    e.id = "$" + base64.urlsafe_b64encode(chance.randbytes(32))[:43].decode()
                    e.at = rfc3339(moment(FIRST + made * WEEKS * WEEK // count))
                    e.community = community or e.community
                    made += 1
                yield events


def build(source: str, folder: str, millions: str, community: str = "") -> dict[str, Any]:
    """A record of so many million events, sealed as they come; and the same events as NDJSON where they are few."""
    count, at = int(float(millions) * ONE_MILLION), Path(folder)
    appending = sealing = 0.0
    plain = 0
    with SqliteStore.open(at / "store.sqlite", durable=True) as store:
        record, known = Record.open(store.record, Folder(at / "record"), KEEPER, FIRST), set[tuple[str, str]]()
        store.record.keep("head", "where", str(at / "record").encode())
        out = (at / "events.ndjson").open("wb") if count <= ONE_MILLION or community else None
        for events in spread(Path(source), count, community):
            lines = msgspec.json.Encoder().encode_lines(events)
            plain += len(lines)
            if out:
                out.write(lines)
            for e in events:
                if (e.community, e.room) not in known:
                    known.add((e.community, e.room))
                    store.community(e.community)
                    record.begin_room(e.community, e.room, 366, FIRST)
            start = time.process_time()
            for i in range(0, len(events), 1000):
                with store.write():
                    record.append(events[i : i + 1000])
            appending += time.process_time() - start
            start = time.process_time()
            record.tend(end_of(week_of(FIRST)))  # seals when there is enough, and joins nothing yet
            sealing += time.process_time() - start
        start = time.process_time()
        record.tend(FIRST + 1, whole=True)
        sealing += time.process_time() - start
        start = time.process_time()
        record.tend(NOW)
        joining = time.process_time() - start
        status = record.status(NOW)
        if out:
            out.close()
    return {
        "events": count,
        "bytes": status.size / count,
        "plain": plain / count,
        "segments": status.segments,
        "append": count / appending,
        "seal": count / sealing,
        "join": count / joining,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def opened(folder: str) -> tuple[SqliteStore, Record]:
    """The record that ``build`` made."""
    store = SqliteStore.open(Path(folder) / "store.sqlite", durable=False)
    return store, Record.open(store.record, Folder(Path(folder) / "record"), KEEPER, NOW)


def member(folder: str) -> dict[str, Any]:
    """One member in one room over half a year: the first time in a fresh process, and then again."""
    store, record = opened(folder)
    who = store.record.pseudonyms("c6", ["@u86:ex.org"])["@u86:ex.org"]
    query = Query(community="c6", member=who, room="!r6-1:ex.org")
    times = []
    for _ in range(6):
        start = time.perf_counter()
        found = len(Reading(record.parts, NOW).find(query))
        times.append(time.perf_counter() - start)
    store.close()
    return {"found": found, "first_ms": times[0] * 1000, "again_ms": min(times[1:]) * 1000}


def forget(folder: str) -> dict[str, Any]:
    """Erasing one member who wrote as much as any."""
    store, record = opened(folder)
    who = store.record.pseudonyms("c7", ["@u87:ex.org"])["@u87:ex.org"]
    start = time.perf_counter()
    done = record.forget("c7", who, NOW)
    seconds = time.perf_counter() - start
    store.close()
    return {"seconds": seconds, "gone": sum(done.left_out.values()), "made": done.made}


def check(folder: str, deep: str) -> dict[str, Any]:
    """Verifying everything, or everything and each event."""
    store, record = opened(folder)
    verify(record.parts)  # from memory, not from the disk: what is measured is the code
    start = time.process_time()
    verdict = verify(record.parts, deep=deep == "deep")
    cpu = time.process_time() - start
    store.close()
    return {"whole": verdict.whole, "mb_s": verdict.size / cpu / 1e6, "cpu": cpu}


def rate(folder: str, how: str) -> dict[str, Any]:
    """The default charter over the record, or over the same events as NDJSON."""
    from comity.adapters.exports import Options, read  # noqa: PLC0415  each child pays for its own imports
    from comity.charter_file import load_charter  # noqa: PLC0415  the same
    from comity.engine import Engine  # noqa: PLC0415  the same
    from comity.replay import Rating  # noqa: PLC0415  the same
    from comity.replay_record import chunks  # noqa: PLC0415  the same

    charter = load_charter(HERE.parent / "src/comity/data/charter.toml")
    store, record = opened(folder)
    list(chunks([record.parts.read(record.parts.rows.segments()[0]).slice(0, 10)]))  # load the kernels
    with tempfile.TemporaryDirectory() as work, SqliteStore.open(Path(work) / "a.sqlite", durable=False) as out:
        engine = Engine(charter)
        gc.collect()
        start = time.process_time()
        if how == "record":
            summary = Rating(engine, out, once=True).run(chunks(Reading(record.parts, NOW).weeks()))
        elif how == "reading":
            events = sum(c.piece.n for c in chunks(Reading(record.parts, NOW).weeks()))
        else:
            summary = Rating(engine, out).run(read([Path(folder) / "events.ndjson"], Options(), lines=True))
        cpu = time.process_time() - start
    store.close()
    if how != "reading":
        events = summary.events
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    findings = 0 if how == "reading" else sum(summary.findings.values())
    return {"events": events, "findings": findings, "speed": events / cpu, "mb": peak}


def compare(folder: str, how: str) -> dict[str, Any]:
    """The default charter and a stricter one: over NDJSON, or over the record by so many workers."""
    from comity.adapters.exports import Options, read  # noqa: PLC0415  each child pays for its own imports
    from comity.charter_file import load_charter  # noqa: PLC0415  the same
    from comity.cli.compare_record import Asked, prepared  # noqa: PLC0415  the same
    from comity.cli.record_options import Where  # noqa: PLC0415  the same
    from comity.compare import compare as compared  # noqa: PLC0415  the same

    at, text = Path(folder), (HERE.parent / "src/comity/data/charter.toml").read_text("utf-8")
    (at / "new.toml").write_text(text.replace("allowed = 12", "allowed = 8").replace("allowed = 3", "allowed = 0"))
    old, new = load_charter(HERE.parent / "src/comity/data/charter.toml"), load_charter(at / "new.toml")
    os.environ["RECORD_KEY"] = NO_SECRET.hex()
    start, before = time.perf_counter(), cpu_seconds()
    if how == "ndjson":
        with compared(
            old, new, read([at / "events.ndjson"], Options(), lines=True),
            open_store=lambda path: SqliteStore.open(path, durable=False),
        ) as (differences, summary, _):  # fmt: skip
            events, found = summary.events, len(differences)
    else:
        there = Where(at / "store.sqlite", str(at / "record"), "env:RECORD_KEY")
        finished = at / f"finished-{how}"
        asked = Asked(where=there, community="c", days=None, workers=int(how), finished=finished)
        with prepared(asked) as comparison:
            some, _ = comparison.compare(old, new, lambda _done, _rated: None)
            events, found = comparison.total // 2, len(some)
    return {"events": events, "found": found, "wall": time.perf_counter() - start, "cpu": cpu_seconds() - before}


def cpu_seconds() -> float:
    """Of this process, and of those it began that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def encryption(folder: str) -> dict[str, Any]:
    """What encrypting adds to a segment, in bytes and in reading time."""
    import pyarrow as pa  # noqa: PLC0415  each child pays for its own imports
    import pyarrow.parquet as pq  # noqa: PLC0415  the same

    from comity.stores.record import segment as s  # noqa: PLC0415  the same

    store, record = opened(folder)
    largest = max(record.parts.rows.segments(), key=lambda each: each.events)
    rows = record.parts.read(largest)
    sizes, times = [], []
    for key in (None, b"k" * 32):
        data = s.written(rows, "bench", key)
        sizes.append(len(data))
        best = 9.0
        for _ in range(5):
            start = time.process_time()
            properties = s.unlocked("bench", key)
            pq.ParquetFile(pa.BufferReader(data), decryption_properties=properties).read(use_threads=False)
            best = min(best, time.process_time() - start)
        times.append(best)
    store.close()
    return {"size": sizes[1] / sizes[0] - 1, "time": times[1] / times[0] - 1}


CHILDREN: dict[str, Callable[..., dict[str, Any]]] = {
    "build": build, "member": member, "forget": forget, "check": check, "rate": rate, "encryption": encryption,
    "compare": compare,
}  # fmt: skip


def child(*words: object) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, "--child", *map(str, words)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def rows_of(source: Path, work: Path, millions: int) -> Iterator[tuple[str, str, str]]:
    """The rows for a record of so many million events; of one million all of them."""
    at = work / f"{millions}m"
    at.mkdir()
    made = child("build", source, at, millions)
    what = f"{millions} million events"
    yield f"{what}: bytes an event", f"{made['bytes']:.1f} in {made['segments']} segments", "90"
    yield "where NDJSON has", f"{made['plain']:.0f}", ""
    one = child("member", at)
    yield (
        f"{what}: one member, one room, half a year",
        f"{one['again_ms']:.0f} ms, {one['first_ms']:.0f} ms at first ({one['found']} events)",
        "100 ms, 1 s",
    )
    if millions == 1:
        yield "append, in turns of 1,000", f"{made['append']:,.0f} events/cpu-s", ""
        yield "seal", f"{made['seal']:,.0f} events/cpu-s", "50,000"
        yield "join the parts of a week", f"{made['join']:,.0f} events/cpu-s", ""
        yield "peak memory of all that", f"{made['mb']:,.0f} MB", "1 GB"
        locked = child("encryption", at)
        yield "encryption adds, bytes", f"{100 * locked['size']:.1f} %", "3 %"
        yield "encryption adds, time of reading", f"{100 * locked['time']:.0f} %", "3 %"
        yield "verify", f"{child('check', at, 'files')['mb_s']:,.0f} MB/cpu-s", "200 MB/s"
        deep = child("check", at, "deep")
        yield (
            "verify every event",
            f"{deep['mb_s']:,.0f} MB/cpu-s, {made['events'] / deep['cpu']:,.0f} events/cpu-s",
            "",
        )
        best = {how: max((child("rate", at, how) for _ in range(2)), key=lambda r: r["speed"])
                for how in ("ndjson", "record", "reading")}  # fmt: skip
        yield "default charter over NDJSON", f"{best['ndjson']['speed']:,.0f} events/cpu-s", ""
        record = best["record"]
        ratio = record["speed"] / best["ndjson"]["speed"]
        yield "default charter over the record", f"{record['speed']:,.0f} events/cpu-s, {ratio:.2f} of it", "1"
        yield "reading alone", f"{best['reading']['speed']:,.0f} events/cpu-s", ""
        yield "peak memory", f"{record['mb']:,.0f} MB", "1 GB"
        same = record["findings"] == best["ndjson"]["findings"]
        yield "findings", f"{record['findings']:,}, {'the same' if same else 'NOT the same'}", "the same"
    gone = child("forget", at)
    yield f"{what}: erase a member", f"{gone['seconds']:.2f} s ({gone['gone']} events, {gone['made']} segments)", ""
    shutil.rmtree(at)


def comparing(source: Path, work: Path, millions: int) -> Iterator[tuple[str, str, str]]:
    """The rows for two charters over a record of one community."""
    at = work / "compared"
    at.mkdir()
    child("build", source, at, millions, "c")
    runs = {how: child("compare", at, how) for how in ("ndjson", "1", "2")}
    again = child("compare", at, "2")
    per_core = {how: run["events"] / run["cpu"] for how, run in runs.items()}
    faster = runs["1"]["wall"] / runs["2"]["wall"]
    yield f"two charters over {millions} million events, NDJSON", f"{per_core['ndjson']:,.0f} events/cpu-s", ""
    yield "over the record, one process", f"{per_core['1']:,.0f} events/cpu-s", "1 of NDJSON"
    yield "over the record, two workers", f"{per_core['2']:,.0f} events/cpu-s", ""
    seconds = f"{runs['1']['wall']:.1f} s and {runs['2']['wall']:.1f} s"
    yield "one process and two workers, by the clock", f"{seconds}: {faster:.2f} times", "1.8 times"
    yield "again, all weeks finished", f"{again['wall']:.2f} s", ""
    found = {run["found"] for run in (*runs.values(), again)}
    yield "members treated otherwise", f"{found.pop():,}, {'NOT the same' if found else 'the same'}", "the same"
    shutil.rmtree(at)


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--events", type=Path, default=HERE.parent.parent / "shared/bench")
    parser.add_argument("--work", type=Path, help="where events and records are made, and deleted")
    parser.add_argument("--most", type=int, default=4, help="millions of events")
    parser.add_argument("--compare", action="store_true", help="only two charters over one record")
    options = parser.parse_args()
    if options.child:
        print(json.dumps(CHILDREN[options.child[0]](*options.child[1:])))
        return
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        work, source = Path(folder), Path(folder) / "source.ndjson"
        subprocess.run([sys.executable, options.events / "generate_events.py", str(ONE_MILLION), source], check=True)
        print("| what | measured | to reach |\n| --- | --- | --- |")
        for millions in [options.most] if options.compare else [m for m in (1, 4, 20) if m <= options.most]:
            for row in comparing(source, work, millions) if options.compare else rows_of(source, work, millions):
                print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
