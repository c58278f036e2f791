"""How fast it is: every figure as a ratio in one run, each measured in a process of its own, in CPU seconds.

Usage: throughput.py [--events FOLDER] [--work FOLDER] [--most N]

The events and the plain rules to compare with are made by ``generate_events.py`` and ``reference.py`` in the folder
``--events`` (by default ``../shared/bench`` beside the checkout). ``--most`` bounds the largest burst file: 16 million
events need 5.3 GB.
"""

import argparse
import gc
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DEFAULT = HERE.parent / "src/comity/data/charter.toml"
SEEDS = (20260901, 1, 2)
ROUNDS = 3


def parse(path: Path) -> dict[str, Any]:
    """Parsing alone: our event decoded from blocks of half a megabyte, garbage collection off, and nothing else."""
    import msgspec  # noqa: PLC0415  each child pays for its own imports

    from comity.core.event import Event  # noqa: PLC0415  the same

    decoder, events, rest = msgspec.json.Decoder(Event), 0, b""
    gc.disable()
    start = time.process_time()
    with path.open("rb") as file:
        while block := file.read(500_000):
            joined = rest + block
            end = joined.rfind(b"\n") + 1
            events += len(decoder.decode_lines(memoryview(joined)[:end]))
            rest = joined[end:]
    return {"events": events, "cpu": time.process_time() - start}


def parse_lines(path: Path) -> dict[str, Any]:
    """Parsing alone as it is mostly written: line by line."""
    import msgspec  # noqa: PLC0415  each child pays for its own imports

    from comity.core.event import Event  # noqa: PLC0415  the same

    decode, events = msgspec.json.Decoder(Event).decode, 0
    start = time.process_time()
    with path.open("rb") as file:
        for line in file:
            decode(line)
            events += 1
    return {"events": events, "cpu": time.process_time() - start}


def rate(path: Path, charter: str, found: Path | None = None) -> dict[str, Any]:
    """The whole line: read, find, evidence, ledger in SQLite with seals, standing of everybody at the end."""
    from comity.adapters.exports import Options, read  # noqa: PLC0415  each child pays for its own imports
    from comity.book import Book  # noqa: PLC0415  the same
    from comity.charter_file import load_charter  # noqa: PLC0415  the same
    from comity.cli.findings_file import FindingsFile  # noqa: PLC0415  the same
    from comity.engine import Engine  # noqa: PLC0415  the same
    from comity.replay import Rating  # noqa: PLC0415  the same
    from comity.stores.sqlite import SqliteStore  # noqa: PLC0415  the same

    rules = load_charter(Path(charter))
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(rules)
        with (
            SqliteStore.open(Path(folder) / "a.sqlite", durable=False) as store,
            FindingsFile.open(found, engine) as file,
        ):
            _warm(engine.charter)
            start = time.process_time()
            summary = Rating(engine, store, on_findings=file.write if file else None).run(
                read([path], Options(), lines=True)
            )
            book = Book(store, rules)
            standings = book.standings.points
            cpu = time.process_time() - start
        return {
            "events": summary.events,
            "cpu": cpu,
            "findings": sum(summary.findings.values()),
            "members": len(standings),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def live(keys: int) -> dict[str, Any]:
    """One event at a time, with so many active keys in the windows' state; quantiles in milliseconds."""
    import msgspec  # noqa: PLC0415  each child pays for its own imports

    from comity.charter_file import load_charter  # noqa: PLC0415  the same
    from comity.core.event import Event  # noqa: PLC0415  the same
    from comity.engine import Engine  # noqa: PLC0415  the same

    def event(n: int, member: int, at_ms: int) -> Event:
        seconds, ms = divmod(at_ms, 1000)
        at = f"2026-03-01T{12 + seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}Z"
        text = f"a cup of tea number {member} in the garden, and the weather is fine"
        return Event(
            id=f"${n}", at=at, kind="message", community="tea", room=f"#r{member % 500}", member=f"@u{member}",
            name=f"u{member}", role="member", text=text, mentions=[], messages_before=50,
            account_created_at="2020-01-01T00:00:00Z",
        )  # fmt: skip

    engine = Engine(load_charter(DEFAULT))
    # Every member speaks within 25 seconds, so that each is a key in every window.
    for first in range(0, keys, 8192):
        engine.turn([event(n, n, n * 25_000 // keys) for n in range(first, min(first + 8192, keys))])
    gc.collect()
    gc.freeze()
    times = []
    for n in range(20_000):
        one = event(keys + n, (n * 7919) % keys, 25_000 + n // 10)
        start = time.perf_counter_ns()
        turn = engine.turn([one])
        engine.figures(turn)
        times.append(time.perf_counter_ns() - start)
    times = sorted(times[1_000:])
    state = sum(len(s) for s in engine.dump().values())
    return {
        "median_ms": times[len(times) // 2] / 1e6,
        "p99_ms": times[len(times) * 99 // 100] / 1e6,
        "p999_ms": times[len(times) * 999 // 1000] / 1e6,
        "state_mb": state / 1e6,
        "version": msgspec.__version__,
    }


def recompute(members: int) -> dict[str, Any]:
    """Standing of everybody, from their entries: three active days each, a finding for every tenth."""
    import numpy as np  # noqa: PLC0415  each child pays for its own imports

    from comity.core.days import ActiveColumns, CountedColumns  # noqa: PLC0415  the same
    from comity.core.standings import standings  # noqa: PLC0415  the same

    r = np.random.default_rng(7)
    who = np.repeat(np.arange(members), 3)
    active = ActiveColumns(who, r.integers(20_000, 20_180, len(who)), r.integers(1, 40, len(who)))
    found = np.arange(0, members, 10)
    severity = r.choice(np.array([1, 3, 6]), len(found))
    day = r.integers(20_000, 20_180, len(found))
    counted = CountedColumns(found, day, severity, np.arange(len(found)), np.zeros(len(found), np.bool_))
    start = time.process_time()
    result = standings(active, counted, 20_180, members=members)
    return {"cpu": time.process_time() - start, "members": len(result.points)}


def _warm(charter: object) -> None:
    """Load the compiled kernels before the clock starts: a process does that once, however long the log is."""
    from comity.engine import Engine  # noqa: PLC0415  each child pays for its own imports
    from comity.transcript import chat  # noqa: PLC0415  the same

    Engine(charter).turn(chat("12:00:00 #garden ana (manager, 1 message): a cup of tea\n12:00:01 #garden bo joins"))  # type: ignore[arg-type]


CHILDREN: dict[str, Callable[..., dict[str, Any]]] = {
    "parse": lambda path: parse(Path(path)),
    "parse_lines": lambda path: parse_lines(Path(path)),
    "rate": lambda path, charter, found="": rate(Path(path), charter, Path(found) if found else None),
    "live": lambda keys: live(int(keys)),
    "recompute": lambda members: recompute(int(members)),
}


def child(*words: str) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--child", *words], check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def best(*words: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """The quickest of some rounds: what the code needs, not what the neighbours took."""
    return min((child(*words) for _ in range(rounds)), key=lambda r: r["cpu"])


def speed(result: dict[str, Any]) -> float:
    """Events per CPU second."""
    return float(result["events"] / result["cpu"])


def same_rows(truth: Path, found: Path) -> bool:
    """Whether the same events were found by the same rules."""
    expected = {row["id"]: sorted(row["rules"]) for row in map(json.loads, truth.read_text().splitlines())}
    got: dict[str, list[str]] = {}
    for row in map(json.loads, found.read_text().splitlines()):
        got.setdefault(row["event"], []).append(row["clause"])
    return expected == {k: sorted(v) for k, v in got.items()}


def eight_rules(bench: Path, work: Path) -> list[tuple[str, str, str]]:
    """The eight stateless rules against plain Python and against parsing alone; rows equal for each seed."""
    charter = str(HERE / "eight_rules.toml")
    equal = []
    for seed in SEEDS:
        events, truth, found = work / f"e{seed}.ndjson", work / "truth.ndjson", work / "found.ndjson"
        subprocess.run([sys.executable, bench / "generate_events.py", "200000", events, str(seed)], check=True)
        done = subprocess.run(
            [sys.executable, bench / "reference.py", events, truth], check=True, capture_output=True, text=True
        )
        child("rate", str(events), charter, str(found))
        equal.append(same_rows(truth, found))
    reference = float(json.loads(done.stdout)["events_per_cpu_second"])
    big = work / "e1m.ndjson"
    subprocess.run([sys.executable, bench / "generate_events.py", "1000000", big], check=True)
    alone, lines, ours = (
        best("parse", str(big)),
        best("parse_lines", str(big), rounds=1),
        best("rate", str(big), charter),
    )
    return [
        ("eight rules, rows equal to the reference", f"{sum(equal)} of {len(equal)} seeds", "all"),
        ("plain Python (reference)", f"{reference:,.0f} events/cpu-s", ""),
        ("parsing alone, in blocks", f"{speed(alone):,.0f} events/cpu-s", ""),
        ("parsing alone, line by line", f"{speed(lines):,.0f} events/cpu-s", ""),
        ("eight rules with findings and ledger", f"{speed(ours):,.0f} events/cpu-s", ""),
        ("  against plain Python", f"{speed(ours) / reference:.1f} times", "5"),
        ("  against parsing in blocks", f"{speed(ours) / speed(alone):.2f}", "0.33"),
        ("  against parsing line by line", f"{speed(ours) / speed(lines):.2f}", ""),
    ]


def bursts(bench: Path, work: Path, most: int) -> list[tuple[str, str, str]]:
    """The default charter with windows, ledger and standing on files of 1, 4 and 16 million events."""
    rows = []
    for millions in (m for m in (1, 4, 16) if m * 1_000_000 <= most):
        events = work / f"burst{millions}m.ndjson"
        if not events.exists():
            subprocess.run(
                [
                    sys.executable,
                    bench / "generate_events.py",
                    str(millions * 1_000_000),
                    events,
                    "20260901",
                    "--burst",
                ],
                check=True,
            )
        rounds = ROUNDS if millions == 1 else 1
        alone, ours = best("parse", str(events), rounds=rounds), best("rate", str(events), str(DEFAULT), rounds=rounds)
        per_mille = 1000 * ours["findings"] / ours["events"]
        rows += [
            (
                f"default charter, {millions} million events",
                f"{speed(ours):,.0f} events/cpu-s, {per_mille:.0f} findings per 1,000 events",
                "",
            ),
            ("  against parsing in blocks", f"{speed(ours) / speed(alone):.2f}", "0.25"),
            ("  peak memory", f"{ours['peak_mb']:,.0f} MB", "500 MB"),
        ]
    return rows


def decisions() -> list[tuple[str, str, str]]:
    """One live event, and everybody's standing."""
    one, all_ = child("live", "1000000"), child("recompute", "1000000")
    return [
        ("one live event, a million keys in state", f"median {one['median_ms']:.2f} ms", ""),
        ("  99th percentile", f"{one['p99_ms']:.2f} ms", "1 ms"),
        ("  99.9th percentile", f"{one['p999_ms']:.2f} ms", ""),
        ("standing of a million members", f"{all_['cpu']:.2f} cpu-s", ""),
    ]


def machine() -> str:
    """What it was measured on."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    cpu = names[0].split(":", 1)[1].strip() if names else platform.processor()
    return f"{len(names)} x {cpu}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--events", type=Path, default=HERE.parent.parent / "shared/bench")
    parser.add_argument("--work", type=Path, help="where event files are kept between runs")
    parser.add_argument("--most", type=int, default=16_000_000)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(CHILDREN[options.child[0]](*options.child[1:])))
        return
    with tempfile.TemporaryDirectory() as folder:
        work = options.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        rows = [] if (options.events / "reference.py").exists() else [("events and reference", "not there", "")]
        if not rows:
            print("eight rules ...", file=sys.stderr)
            rows += eight_rules(options.events, work)
            print("default charter ...", file=sys.stderr)
            rows += bursts(options.events, work, options.most)
        print("decisions ...", file=sys.stderr)
        rows += decisions()
    print(f"{machine()}\n\n| what | measured | to reach |\n| --- | --- | --- |")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
