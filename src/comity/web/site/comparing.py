"""Two charters over the same log, worked out in a process of its own: the command ``comity charter compare``."""

import asyncio
import contextlib
import datetime as dt
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

import msgspec

from comity.core.errors import ComityError
from comity.rules import built_in
from comity.transcript import chat

SHOWN: Final = 200  # members whom a page shows
KEPT: Final = 5  # comparisons that are kept, of each community
LONGEST: Final = dt.timedelta(minutes=30)
_COMMAND: Final = (sys.executable, "-m", "comity", "charter", "compare")
_FOLDER: Final = "comity-console-compare-"
_LINE: Final = 1 << 16  # bytes of a line of the command's


class Log(Protocol):
    """What was said in a community over its last days, such as the record holds it."""

    days: int

    async def lay_out(self, community: int, folder: Path) -> Sequence[Path]:
        """Write it into files of a folder that the command can read; none if there is nothing."""


class State(StrEnum):
    """How far a comparison is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Treated(msgspec.Struct, frozen=True):
    """How a charter would have treated a member. lowest: thousandths of a point."""

    lowest: int
    band: str
    findings: dict[str, int]


class Differs(msgspec.Struct, frozen=True):
    """A member whom the charters would treat differently."""

    name: str
    pseudonym: str
    old: Treated
    new: Treated
    gains: list[str]
    losses: list[str]
    why: list[str]


class Result(msgspec.Struct, frozen=True):
    """What a comparison found."""

    events: int
    summary: list[str]
    members: list[Differs]
    unread_lines: int


class ByClause(msgspec.Struct, frozen=True, kw_only=True):
    """What changes by a clause: how many more and fewer members it would have acted on, and how many more findings."""

    clause_id: str
    more: int
    fewer: int
    findings: int


@dataclass(slots=True, kw_only=True)
class Comparison:
    """One comparison. of: bytes to read, 0 until known; problem: why it failed."""

    number: int
    community: int
    by: str
    log: str
    began: dt.datetime
    state: State = State.RUNNING
    read: int = 0
    of: int = 0
    events: int = 0
    problem: str = ""
    result: Result | None = None
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def share(self) -> int:
        """How far it is, in percent."""
        return min(100, 100 * self.read // self.of) if self.of else 0

    @property
    def clauses(self) -> list[ByClause]:
        """What changes, by clause; those that change most come first."""
        more: Counter[str] = Counter()
        fewer: Counter[str] = Counter()
        findings: Counter[str] = Counter()
        for member in self.result.members if self.result else ():
            for id_ in {*member.old.findings, *member.new.findings}:
                was, now = member.old.findings.get(id_, 0), member.new.findings.get(id_, 0)
                findings[id_] += now - was
                more[id_] += was == 0 < now
                fewer[id_] += now == 0 < was
        changed = {id_ for id_ in findings if findings[id_] or more[id_] or fewer[id_]}
        rows = (
            ByClause(clause_id=id_, more=more[id_], fewer=fewer[id_], findings=findings[id_]) for id_ in sorted(changed)
        )
        return sorted(rows, key=lambda row: row.more + row.fewer, reverse=True)


class Comparisons:
    """Comparisons of all communities, one at a time in each; in memory only: nothing of them is kept."""

    def __init__(self) -> None:
        self._all: dict[int, list[Comparison]] = {}
        self._number = 0

    def of(self, community: int) -> Sequence[Comparison]:
        """Those of a community, the last first."""
        return self._all.get(community, [])[::-1]

    def one(self, community: int, number: int) -> Comparison | None:
        """One of a community's."""
        return next((c for c in self.of(community) if c.number == number), None)

    def begin(self, community: int, by: str, log: str, began: dt.datetime, *, work: "Work", folder: Path) -> Comparison:
        """Begin one; folder: with what ``work`` reads, gone when it is over. Raises ComityError if one is under way."""
        if any(c.state is State.RUNNING for c in self.of(community)):
            shutil.rmtree(folder, ignore_errors=True)
            raise ComityError("a comparison is under way: wait for it, or end it")
        self._number += 1
        made = Comparison(number=self._number, community=community, by=by, log=log, began=began)
        made.task = asyncio.create_task(_run(made, work, folder))
        self._all[community] = [*self._all.get(community, []), made][-KEPT:]
        return made

    async def end(self, comparison: Comparison) -> None:
        """End one that is under way."""
        if comparison.task is not None and comparison.state is State.RUNNING:
            comparison.task.cancel()
            await asyncio.gather(comparison.task, return_exceptions=True)


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared. beside: the file beside which lists are looked for."""

    old: Path
    new: Path
    logs: tuple[Path, ...]
    beside: Path


def new_folder() -> Path:
    """A folder for one comparison, for our own eyes; what a process that was killed left of an older one goes."""
    over = time.time() - 2 * LONGEST.total_seconds()
    for left in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime < over:
                shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=_FOLDER))


def rules_log(folder: Path) -> Path:
    """The chats that the built-in rules bring as their examples, a day each, as a log."""
    path, encode = folder / "examples.ndjson", msgspec.json.Encoder().encode
    with path.open("wb") as file:
        day = dt.date(2026, 1, 1)
        for rule in built_in().values():
            for example in rule.example:
                for event in chat(example.chat, day=day):
                    file.write(encode(event) + b"\n")
                day += dt.timedelta(days=1)
    return path


async def _run(comparison: Comparison, work: Work, folder: Path) -> None:
    nice = shutil.which("nice")
    command = [*(("nice", "-n", "10") if nice else ()), *_COMMAND, "--json", "--steps", "--beside", str(work.beside)]
    try:
        async with asyncio.timeout(LONGEST.total_seconds()):
            comparison.process = await asyncio.create_subprocess_exec(
                *command,
                str(work.old),
                str(work.new),
                *map(str, work.logs),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_LINE,
            )
            out, problem = await asyncio.gather(_all(comparison.process.stdout), _steps(comparison))
            await comparison.process.wait()
        comparison.result = msgspec.json.decode(out, type=Result) if out else None
        comparison.state = State.DONE if comparison.result else State.FAILED
        comparison.problem = "" if comparison.result else problem.replace(str(folder), "").strip()
    except asyncio.CancelledError:
        comparison.state = State.CANCELLED
        raise
    except (TimeoutError, OSError, ValueError, msgspec.MsgspecError) as error:
        comparison.state, comparison.problem = State.FAILED, str(error) or type(error).__name__
    finally:
        await _kill(comparison)
        shutil.rmtree(folder, ignore_errors=True)


async def _steps(comparison: Comparison) -> str:
    """Follow how far it is; the last lines that say something else."""
    process, said = comparison.process, list[str]()
    while process and process.stderr and (line := await process.stderr.readline()):
        try:
            step = msgspec.json.decode(line, type=dict[str, int])
            comparison.read, comparison.of, comparison.events = step["read"], step["of"], step["events"]
        except (msgspec.MsgspecError, KeyError):
            said = [*said, line.decode(errors="replace")][-5:]
    return "".join(said)


async def _all(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.read() if stream else b""


async def _kill(comparison: Comparison) -> None:
    process = comparison.process
    if process is not None and process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
