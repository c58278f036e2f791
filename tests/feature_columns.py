"""What features say of events, in tests: short ways to ask."""

from collections.abc import Sequence

import numpy as np

from comity.core.event import Event
from comity.engine import Engine
from comity.features.columns import Batch, Column
from comity.features.registry import FEATURES, Plan
from provoking_chats import charter, own_clause


def message(text: str | None = None, number: int = 0, **fields: object) -> Event:
    """A message."""
    common = {"at": "2026-05-01T12:00:00Z", "kind": "message", "community": "tea", "room": "#garden", "member": "ana"}
    return Event(id=str(number), text=text, **{**common, **fields})  # type: ignore[arg-type]


def batch_of(events: Sequence[Event]) -> Batch:
    """Columns of events, by no charter."""
    return Engine(charter()).turn(events).batch


def column(name: str, events: Sequence[Event], /, **parameters: object) -> list[object]:
    """What a feature says of each event; None where it is unknown."""
    plan = Plan(0)
    found: Column = FEATURES[name].build(plan, **parameters)(batch_of(events))
    known = np.ones(len(events), np.bool_) if found.known is None else found.known
    return [v if k else None for v, k in zip(found.values.tolist(), known.tolist(), strict=True)]


def fires(when: str, events: Sequence[Event], **parameters: object) -> list[int]:
    """For which events a rule with this expression fires."""
    rows: list[int] = Engine(charter(own_clause(when, **parameters))).turn(events).findings.rows.tolist()
    return rows
