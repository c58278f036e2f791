"""The engine: a charter compiled once, batches of events in, findings out. Pure but for the carried window state.

Live and replay run this same code. Cutting the stream into other batches changes no finding.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from comity.core.charter import Charter, Clause, State
from comity.core.errors import ComityError
from comity.core.event import Event
from comity.features.columns import Batch, Column, batch
from comity.features.patterns import PatternSet
from comity.features.pieces import Ints, Piece
from comity.features.registry import Plan
from comity.features.times import Calendar
from comity.language import Compiler, When

EXCERPT = 200  # characters of a message that a finding keeps as its evidence
__all__ = ["Engine", "Findings", "Turn", "excerpt"]


class ClauseError(ComityError):
    """A clause whose expression cannot be compiled; the charter's check says where."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What the rules say about a batch. rows: of it; clauses: positions in the engine's; both of shape (findings,)."""

    rows: Ints
    clauses: Ints

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a batch. batch: its columns; findings: in the order of events; unreadable: events without a time."""

    batch: Batch
    findings: Findings
    unreadable: list[Event]


class Engine:
    """Turns batches into findings by one charter.

    seed: of the hashes of identifiers (a secret of the store, so that carried state names nobody); patterns: shared by
    engines that look at the same batches, each of which is then scanned once; made ready when the first batch comes,
    and at once if they are not given. Raises ClauseError.
    """

    def __init__(self, charter: Charter, *, seed: int = 0, patterns: PatternSet | None = None) -> None:
        self.charter, self.plan = charter, Plan(seed, patterns)
        self.clauses: tuple[Clause, ...] = tuple(c for c in charter.clauses if c.state is not State.DRAFT)
        self._calendar = Calendar(charter.zone)
        self._compiler = Compiler(self.plan)
        self._whens: list[When] = []
        for clause in self.clauses:
            try:
                self._whens.append(self._compiler.compile(clause.when, clause.parameters))
            except ValueError as e:
                raise ClauseError(f"clause {clause.id}: {e}") from e
        if patterns is None:
            self.plan.patterns.compile()

    def columns(self, pieces: Sequence[Piece]) -> tuple[Batch, list[Event]]:
        """A batch of pieces of events; second, the events whose time cannot be read."""
        return batch(pieces, self._calendar, self.plan.seed)

    def turn(self, events: Sequence[Event]) -> Turn:
        """What the charter finds in events, in the order of their arrival."""
        columns, unreadable = self.columns([Piece(events)])
        return Turn(columns, self.find(columns), unreadable)

    def find(self, columns: Batch) -> Findings:
        """What the charter finds in a batch; what is carried moves on, so give each batch once."""
        if len(columns) == 0:
            return Findings(np.empty(0, np.int64), np.empty(0, np.int64))
        for look in self._compiler.every_batch:
            look(columns)
        rows, clauses = [], []
        for number, when in enumerate(self._whens):
            found = when.evaluate(columns).values.nonzero()[0]
            if len(found):
                rows.append(found)
                clauses.append(np.full(len(found), number, np.int64))
        if not rows:
            return Findings(np.empty(0, np.int64), np.empty(0, np.int64))
        all_rows, all_clauses = np.concatenate(rows), np.concatenate(clauses)
        order = np.argsort(all_rows, kind="stable")
        return Findings(all_rows[order], all_clauses[order])

    def figures(self, turn: Turn) -> list[str]:
        """For each finding, the figures its rule compared, as a compact JSON object."""
        out = [""] * len(turn.findings)
        for number in np.unique(turn.findings.clauses).tolist():
            at = np.flatnonzero(turn.findings.clauses == number)
            rows = turn.findings.rows[at]
            columns = {k: _at(e(turn.batch), rows) for k, e in self._whens[number].figures.items()}
            form = "{" + ",".join(json.dumps(k).replace("%", "%%") + ":%s" for k in columns) + "}"
            for i, values in zip(at.tolist(), zip(*columns.values(), strict=True) if columns else (), strict=False):
                out[i] = form % values
        return ["{}" if text == "" else text for text in out]

    @property
    def slow_patterns(self) -> list[str]:
        """Patterns that the one scan cannot express, and that are looked for message by message."""
        return self.plan.patterns.slow

    def dump(self) -> dict[str, bytes]:
        """The carried state, by what it counts."""
        return {name: state.dump() for name, state in self.plan.carried.items()}

    def load(self, states: Mapping[str, bytes]) -> list[str]:
        """Go on from a carried state; returns what has none there and so starts anew. Raises ValueError."""
        for name, state in self.plan.carried.items():
            if name in states:
                state.load(states[name])
        return [name for name in self.plan.carried if name not in states]


def excerpt(text: str | None) -> str:
    """The beginning of a message, as evidence: at most ``EXCERPT`` characters, on one line."""
    if not text:
        return ""
    cut = text[:EXCERPT] + "…" if len(text) > EXCERPT else text
    return cut if cut.isprintable() else "".join(c if c.isprintable() else " " for c in cut)


def _at(column: Column, rows: Ints) -> list[str]:
    if column.values.ndim == 0:
        return [_figure(column.values.item())] * len(rows)
    values = [_figure(v) for v in column.values[rows].tolist()]
    if column.known is None:
        return values
    return [v if k else "null" for v, k in zip(values, column.known[rows].tolist(), strict=True)]


def _figure(value: float) -> str:
    return str(int(value)) if value == int(value) else format(value, ".4g")
