"""Running ``comity`` in tests: in this process, or as a process of its own, over small chats that a seed makes."""

import json
import random
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from comity.book import Book
from comity.charter_file import load_charter, parse_charter
from comity.cli import comity
from comity.core.charter import Charter
from comity.stores.sqlite import SqliteStore

SHARED = Path(__file__).parents[2] / "shared" / "data"
UBUNTU = SHARED / "irc-disentanglement" / "ubuntu"
GARDEN = Path(__file__).parents[1] / "examples" / "tea-garden"
COMMAND = Path(sys.executable).with_name("comity")
MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
MEMBERS = ("ana", "bo", "cleo", "dora", "emil", "fay", "gus", "hedy")
SAID = ("milk first", "then the tea", "and no sugar", "who has seen my trowel", "toothpaste is on the list", "it rains")
SHOUTED = ("WHO TOOK MY TROWEL", "THE KETTLE IS ON THE ROOF", "NOBODY WATERS THE PEAS")
CHARTER = """\
[charter]
community = "Tea garden"
time_zone = "Europe/Vienna"

[[clause]]
id = "1"
text = "Leave others room to speak."
rule = "flood"
parameters = { allowed = 4, look_back = "30s" }
severity = "minor"
measures = ["slow"]

[[clause]]
id = "2"
text = "Do not say the same thing again and again."
rule = "repeated-line"
parameters = { allowed = 2, look_back = "2m" }
severity = "minor"
measures = ["warn"]

[[clause]]
id = "3"
text = "Do not shout."
rule = "shouting"
parameters = { allowed = 1, look_back = "10m" }
severity = "minor"

[[clause]]
id = "4"
text = "Leave people alone who do not answer you."
rule = "unwanted-mentions"
parameters = { allowed = 2 }
severity = "serious"

[[clause]]
id = "5"
text = "The peas are not to be discussed."
when = "kind == 'message' and matches('nobody waters')"
harm = "house"
state = "shadow"
"""
# Blocks, batches and transactions small enough to be stopped between.
SMALL = "import comity.adapters.detect as d, comity.replay as r; d._MOST_BLOCK, r.BATCH, r.COMMIT = 16_384, 64, 512"
Said = dict[str, Any]


def run(*arguments: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(comity, [str(a) for a in arguments])


def rated(*arguments: object) -> dict[str, Any]:
    """What ``comity rate --json`` says, exit status 0."""
    result = run("rate", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def started(
    *arguments: object, before: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """The command as a process of its own; before: what is done in it first, in Python."""
    code = f"{before}\nfrom comity.cli import main\nmain()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def signalled(batch: int, seconds: float, name: str) -> str:
    """What to do before: small batches, and a signal to itself so many seconds after it began the n-th of them.

    However fast the machine is, the process is in the middle of its work then.
    """
    return f"""{SMALL}
import os, signal, threading
numbers, take = iter(range(1_000_000)), r.Rating.take
def taken(self, pieces, read):
    if next(numbers) == {batch}:
        threading.Timer({seconds}, os.kill, (os.getpid(), signal.{name})).start()
    take(self, pieces, read)
r.Rating.take = taken
"""


def finished(*arguments: object, before: str = "") -> tuple[int, str, str]:
    """Exit status, standard output and standard error of such a process."""
    with started(*arguments, before=before) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def charter(path: Path, text: str = CHARTER) -> Path:
    """A charter as a file."""
    path.write_text(text, "utf-8")
    return path


def parsed(text: str = CHARTER) -> Charter:
    """A charter as a value."""
    return parse_charter(text)


def chat(seed: int, messages: int = 400, *, community: str = "tea-garden") -> list[Said]:
    """A chat over some days: most talk, some flood, shout, repeat themselves or call for one who is silent."""
    chance = random.Random(seed)
    at, said = MORNING, list[Said]()
    while len(said) < messages:
        member, room = chance.choice(MEMBERS), chance.choice(("#garden", "#attic"))
        mood = chance.random()
        many = chance.randint(3, 9) if mood > 0.96 or mood < 0.02 else 1
        for _ in range(many):
            texts = SHOUTED if mood < 0.02 else SAID
            at += timedelta(seconds=chance.randint(1, 4) if many > 1 else chance.randint(20, 20_000))
            said.append(
                {
                    "id": f"e{len(said)}",
                    "at": at.isoformat().replace("+00:00", "Z"),
                    "kind": "message",
                    "community": community,
                    "room": room,
                    "member": member,
                    "name": member.title(),
                    "text": texts[0] if mood > 0.98 else chance.choice(texts),
                    "mentions": ["hedy"] if 0.96 < mood < 0.98 else [],
                }
            )
    return said[:messages]


def written(path: Path, events: Iterable[Said]) -> Path:
    """Events as an NDJSON file."""
    path.write_text("".join(json.dumps(e) + "\n" for e in events), "utf-8")
    return path


Standing = tuple[int, int, int]


def standings(store: Path, by: Charter | Path, day: int | None = None) -> dict[str, Standing]:
    """History, weight and points of every member by account: the same whole numbers in stores with other keys."""
    made = by if isinstance(by, Charter) else load_charter(by)
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        book = Book(ledger, made)
        now = book.folded.at(book.today if day is None else day)
        found = {}
        for number in range(1, book.members + 1):
            row = ledger.member(number)
            assert row is not None
            figures = (now.history[number - 1], now.weight[number - 1], now.points[number - 1])
            found[str(row.account)] = (int(figures[0]), int(figures[1]), int(figures[2]))
        return found


def findings(store: Path) -> list[tuple[object, ...]]:
    """Everything that findings in force say, by event and clause, but for the numbers that a store gives."""
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        clauses, rooms = ledger.clause_rows(), ledger.room_names()
        found: list[tuple[object, ...]] = []
        for member in range(1, ledger.counts().members + 1):
            row = ledger.member(member)
            assert row is not None
            found += [
                (f.event, clauses[f.clause - 1].id, f.at, f.day, rooms[f.room], row.account, f.excerpt, f.figures)
                for f in ledger.findings(member)
                if f.reversed_by is None
            ]
        return sorted(found)


def activity(store: Path) -> dict[tuple[str, int], int]:
    """Messages by account and day."""
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        found: dict[tuple[str, int], int] = {}
        columns = ledger.in_force()[0]
        for member, day, messages in zip(*(c.tolist() for c in columns[1:]), strict=True):
            row = ledger.member(member)
            assert row is not None
            key = str(row.account), day
            found[key] = found.get(key, 0) + messages
        return found


def whole(store: Path) -> bool:
    """Whether the ledger's chain is."""
    with SqliteStore.open(store, durable=False, read_only=True) as ledger:
        return ledger.verify().whole


def same(one: Path, other: Path, by: Charter | Path) -> None:
    """Hold two stores to the same findings, activity and standings."""
    assert findings(one) == findings(other)
    assert activity(one) == activity(other)
    assert standings(one, by) == standings(other, by)


def split(events: Sequence[Said], *at: int) -> list[Sequence[Said]]:
    """A chat cut at some places."""
    ends = [0, *at, len(events)]
    return [events[a:b] for a, b in pairwise(ends)]
