"""The example community is what its script writes, and what its page says of it."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from comity.adapters.exports import Options, read
from comity.charter_file import load_charter
from comity.core.charter import Charter, State
from comity.core.event import Event
from comity.core.explanation import explain, grouped
from comity.core.rights import Band, curve
from comity.core.standing import Counted, date_of, day_reaching
from comity.engine import Engine, Turn

ROOT = Path(__file__).parent.parent
GARDEN = ROOT / "examples" / "tea-garden"
FOUND = {
    ("1.1", "Bruno"), ("1.2", "Cressida"), ("1.3", "Minty"), ("1.4", "Barnaby"), ("1.5", "Salma"), ("1.6", "Wobble"),
    ("2.1", "Lucky Spoon"), ("2.2", "Goldleaf"), ("2.3", "Goldleaf"), ("2.4", "Leafline"), ("2.5", "Lucky Spoon"),
    ("2.6", "Tock"), ("3.1", "Sorrel"), ("3.2", "0liver"), ("3.3", "Corin"), ("4.2", "Free Teapots"),
    ("4.3", "Wobble"), ("5.1", "Marta"),
}  # fmt: skip


def script(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the script that makes the example."""
    command = [sys.executable, ROOT / "tools" / "tea_garden.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """The chat, as any export is read."""
    chunks = list(read([GARDEN / "chat.ndjson"], Options()))
    assert not [unread for chunk in chunks for unread in chunk.unread]
    return [event for chunk in chunks for event in chunk.events]


@pytest.fixture(scope="module")
def charter() -> Charter:
    """Its charter."""
    return load_charter(GARDEN / "charter.toml")


@pytest.fixture(scope="module")
def engine(charter: Charter) -> Engine:
    """An engine of that charter."""
    return Engine(charter)


@pytest.fixture(scope="module")
def turn(engine: Engine, events: list[Event]) -> Turn:
    """What it finds in the whole chat."""
    return engine.turn(events)


def test_the_script_writes_the_same_bytes_again(tmp_path: Path) -> None:
    """Who changes what the people say sees it in the diff, and nothing else changes by chance; another byte is told."""
    made = tmp_path / "chat.ndjson"
    assert script(made).returncode == 0
    assert (GARDEN / "chat.ndjson").read_bytes() == made.read_bytes()

    made.write_bytes(made.read_bytes().replace(b"kettle", b"cattle", 1))
    assert script("--check", made).returncode == 1


def test_the_events_tell_one_story(events: list[Event]) -> None:
    """Ids are unique, times ascend, what an event is about came before it, and messages are counted on."""
    place = {event.id: number for number, event in enumerate(events)}
    assert len(events) == len(place)
    assert [event.at for event in events] == sorted(event.at for event in events)
    members = {event.member for event in events}
    said: dict[str, int] = {}
    for number, event in enumerate(events):
        for about in filter(None, (event.reply_to, event.target if event.kind != "role" else None)):
            assert place[about] < number
        assert set(event.mentions or ()) <= members
        before = event.messages_before or 0
        assert before == said.get(event.member, before)
        said[event.member] = before + (event.kind == "message")


def test_what_is_found_is_what_the_page_says(engine: Engine, turn: Turn) -> None:
    """Every rule of the charter has somebody to find, and of those who only talk about tea nobody is found."""
    named: Counter[tuple[str, str]] = Counter()
    raiders = set()
    for row, clause in zip(turn.findings.rows, turn.findings.clauses, strict=True):
        event, found = turn.batch.events[row], engine.clauses[clause]
        if found.rule == "raid":
            raiders.add(event.member)
        else:
            named[found.id, str(event.name)] += 1
    assert FOUND == set(named)
    assert len(raiders) == 24
    joined = [e for e in turn.batch.events if e.kind == "join" and e.at.startswith("2026-03-26T19:30")]
    assert len(joined) == 40
    assert raiders < {e.member for e in joined}
    live = {c.id for c in engine.clauses if c.state is State.LIVE} - {"4.1"}
    assert live <= {clause for clause, _ in named}


def test_bruno_floods_twice_and_heals(charter: Charter, engine: Engine, turn: Turn) -> None:
    """What he did is not forgiven by anybody: it weighs less every day, until he has all his rights again."""
    days, counted, messages = turn.batch.days, [], Counter[int]()
    for row, event in enumerate(turn.batch.events):
        if event.member == "bruno" and event.kind == "message":
            messages[int(days[row])] += 1
    for entry, (row, clause) in enumerate(zip(turn.findings.rows, turn.findings.clauses, strict=True), 1):
        if turn.batch.events[row].member == "bruno" and engine.clauses[clause].counts:
            counted.append(Counted(entry, int(days[row]), engine.clauses[clause].severity, int(row)))
    points = curve(messages, counted, int(days[0]), int(days[-1]), parameters=charter.standing)
    bands = {date_of(p.day).isoformat(): p.band for p in points}

    assert bands["2026-03-07"] == Band.GOOD
    assert bands["2026-03-08"] == Band.SUSPENDED
    assert 55_000 <= min(p.points for p in points) < 56_000
    assert bands["2026-03-25"] == Band.SUSPENDED
    assert bands["2026-04-03"] == Band.GOOD


def test_the_people_do_not_say_the_same_things_over_and_over(events: list[Event]) -> None:
    """It reads like a group of people: most is said once, and no member says a sentence more than three times."""
    said = [(e.member, e.text) for e in events if e.kind == "message" and e.member not in {"almanac", "cressida"}]
    assert len({text for _, text in said}) > 0.8 * len(said)
    assert Counter(said).most_common(1)[0][1] <= 3


def test_nothing_in_it_leads_anywhere(events: list[Event]) -> None:
    """Every host in the chat and in its list is of the domain that is kept for examples, or is matrix.to."""
    hosts = [w.split("/")[2] for e in events for w in (e.text or "").split() if w.startswith("http")]
    lines = (GARDEN / "scam-domains.txt").read_text("utf-8").splitlines()
    listed = [line.split("#")[0].strip() for line in lines]
    assert hosts
    assert all(host.endswith(".example") or host == "matrix.to" for host in [*hosts, *filter(None, listed)])


def test_the_chat_is_plain_ndjson(events: list[Event]) -> None:
    """What is unknown is left out of a line, not written as null."""
    lines = [json.loads(line) for line in (GARDEN / "chat.ndjson").read_text("utf-8").splitlines()]
    assert len(lines) == len(events)
    assert not [line for line in lines if None in line.values()]


def test_the_page_of_concepts_follows_salma_as_she_is_found(engine: Engine, turn: Turn) -> None:
    """The figures a newcomer reads there are those of the example, finding and reversal included."""
    page = (ROOT / "docs" / "concepts.md").read_text("utf-8")
    days, messages = turn.batch.days, Counter[int]()
    for row, event in enumerate(turn.batch.events):
        if event.member == "salma" and event.kind == "message":
            messages[int(days[row])] += 1
    pairs = zip(turn.findings.rows.tolist(), turn.findings.clauses.tolist(), strict=True)
    ((entry, row, clause),) = [(n, r, c) for n, (r, c) in enumerate(pairs, 1) if turn.batch.events[r].member == "salma"]
    found = Counted(entry, int(days[row]), engine.clauses[clause].severity, row)
    told = explain(messages, [found], found.day)
    lines = {line.kind: line for line in grouped(told.lines)}
    active = lines["activity"]

    assert f'"id": "{turn.batch.events[row].id}"' in page
    assert f"| entry {found.entry}, 19 March, clause 1.5 | −{-lines['finding'].shown / 1000:.3f} | 95.3 |" in page
    assert f"| {active.days} active days, {active.messages} messages | +{active.shown / 1000:.3f} | |" in page
    assert f"| standing | {told.standing.points / 1000:.3f} | |" in page
    assert (lines["finding"].without or 0) // 100 == 953
    low, high = (points // 100 / 10 for points in told.standing.interval())
    assert f"here {low} to {high}" in page
    back = day_reaching(73_000, messages, [found], found.day)
    assert back is not None
    assert f"again on {date_of(back):%-d %B %Y}" in page
