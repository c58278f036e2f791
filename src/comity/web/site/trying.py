"""What a charter would find, before it finds anything: the examples of its rules, and what somebody types."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from comity.core.charter import Charter, Clause, State
from comity.core.errors import ComityError
from comity.core.event import Event
from comity.engine import Engine
from comity.rules import Example, built_in
from comity.transcript import chat, told

MOST_LINES: Final = 200
_CLOCK: Final = 43_200  # seconds: plain lines are said from noon on, one a second


class Line(NamedTuple):
    """A line of a chat. expected: the rule's own example says that it is found."""

    text: str
    found: bool
    expected: bool


class Tried(NamedTuple):
    """An example, as a clause with its figures sees it. figures: those that the example brings itself, as text."""

    lines: tuple[Line, ...]
    figures: str


class Hit(NamedTuple):
    """A clause that finds one of the lines somebody typed."""

    clause_id: str
    sentence: str
    line: str
    state: str


def examples(charter: Charter, clause: Clause) -> list[Tried]:
    """The examples of a clause's rule, found with the clause's own figures; none for an expression of one's own.

    Lists are the example's, for those of a community rarely name what an example does. Raises ComityError.
    """
    rule = built_in().get(clause.rule)
    return [_example(charter, clause, example) for example in rule.example] if rule else []


def _example(charter: Charter, clause: Clause, example: Example) -> Tried:
    brought = {k: v for k, v in example.parameters.items() if isinstance(v, list)}
    events = chat(example.chat)
    found = _found(charter, [msgspec.structs.replace(clause, parameters={**clause.parameters, **brought})], events)
    lines = [told(event) for event in events]
    figures = ", ".join(f"{k} = {v}" for k, v in example.parameters.items() if not isinstance(v, list))
    return Tried(
        tuple(Line(line, n in found, line in example.finds) for n, line in enumerate(lines)),
        figures,
    )


def typed(charter: Charter, text: str, *, clause_id: str = "") -> list[Hit]:
    """What a charter, or one clause of it, finds in lines that somebody typed: plain ones, or of a transcript.

    Raises ComityError where a clause cannot be tried.
    """
    events = lines_of(text)
    clauses = [c for c in charter.clauses if (c.id == clause_id if clause_id else c.state is not State.DRAFT)]
    hits: list[Hit] = []
    for clause in clauses:
        rows = _found(charter, [clause], events)
        hits += (Hit(clause.id, clause.said, told(events[n]), str(clause.state)) for n in sorted(rows))
    return hits


def lines_of(text: str) -> list[Event]:
    """Lines as events: of a transcript if all of them are, else each as a message somebody writes, one a second."""
    lines = [line for line in (raw.strip() for raw in text.splitlines()) if line][:MOST_LINES]
    try:
        return chat("\n".join(lines))
    except ValueError:
        return chat("\n".join(f"{_clock(n)} #here somebody: {line}" for n, line in enumerate(lines)))


def _clock(n: int) -> str:
    at = _CLOCK + n
    return f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}"


def _found(charter: Charter, clauses: Sequence[Clause], events: list[Event]) -> set[int]:
    """Places of the events that any of the clauses finds; in whatever state they are."""
    live = tuple(msgspec.structs.replace(clause, state=State.LIVE) for clause in clauses)
    try:
        turn = Engine(msgspec.structs.replace(charter, clauses=live, time_zone="UTC")).turn(events)
    except ValueError as error:
        raise ComityError(f"it cannot be tried: {error}") from error
    return set(turn.findings.rows.tolist())
