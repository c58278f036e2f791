"""What a turn over files and a live one share: numbers for names, findings as entries, and carried states."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from comity.core.charter import Clause
from comity.core.ledger import ClauseRow, FindingColumns
from comity.engine import Engine, Turn, excerpt
from comity.features.columns import Batch
from comity.features.kernels.hashing import mix
from comity.features.memory import Memory
from comity.features.pieces import Ints
from comity.stores.contract import Store

_CURRENT: Final = "names"  # among the window states: the names of those of the last commit, as JSON


class Numbers:
    """A store's numbers of communities, rooms and members, asked for once each, within its transactions.

    What a transaction that was rolled back had numbered is numbered again: then ``forget``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.forget()

    def forget(self) -> None:
        """Ask the store again."""
        self._members, self._rooms = Memory(), dict[int, int]()
        self._last_names, self._renamed = np.zeros(1024, np.uint64), dict[int, str]()
        self._communities: dict[str, int] = {}

    def members(self, batch: Batch) -> Ints:
        """The member's number of each event; a name that is new is kept at the next ``keep_names``."""
        account = mix(batch.hashes("community").values, batch.hashes("member").values)
        numbers = self._members.find(account, lambda rows: self._register(batch, rows))
        self._note_names(batch, numbers)
        return numbers

    def rooms(self, batch: Batch, rows: Ints) -> list[int]:
        """The room's number of each of some events."""
        keys = mix(batch.hashes("community").values, batch.hashes("room").values)[rows].tolist()
        for i, key in zip(rows.tolist(), keys, strict=True):
            if key not in self._rooms:
                community = self.community(batch.string("community", i))
                (self._rooms[key],) = self._store.rooms(community, [batch.string("room", i)])
        return [self._rooms[key] for key in keys]

    def community(self, name: str) -> int:
        """A community's number."""
        if name not in self._communities:
            self._communities[name] = self._store.community(name)
        return self._communities[name]

    def keep_names(self) -> None:
        """Keep the last name of each member that differs from the one they had."""
        if self._renamed:
            self._store.rename(list(self._renamed), list(self._renamed.values()))
            self._renamed.clear()

    def _note_names(self, batch: Batch, numbers: Ints) -> None:
        names, known = batch.hashes("name")
        end = int(numbers.max()) + 1
        if end > len(self._last_names):
            self._last_names = np.concatenate([self._last_names, np.zeros(end, np.uint64)])
        differ = self._last_names[numbers] != names
        if known is not None:
            differ &= known
        if not differ.any():
            return
        named = np.isin(numbers, numbers[differ])
        rows = np.flatnonzero(named if known is None else named & known)[::-1]
        last = rows[np.unique(numbers[rows], return_index=True)[1]]
        self._last_names[numbers[last]] = names[last]
        self._renamed.update(zip(numbers[last].tolist(), batch.strings("name")[0].some(last), strict=True))

    def _register(self, batch: Batch, rows: Ints) -> Ints:
        numbers = np.empty(len(rows), np.int64)
        by_community: dict[str, list[int]] = {}
        for place, i in enumerate(rows.tolist()):
            by_community.setdefault(batch.string("community", i), []).append(place)
        for name, places in by_community.items():
            accounts = [batch.string("member", rows[p]) for p in places]
            numbers[places] = self._store.members(self.community(name), accounts, [None] * len(accounts))
        return numbers


def clause_row(engine: Engine, clause: Clause) -> ClauseRow:
    """A clause as entries refer to it; what only a person looks at is kept like a shadow, for it does not count."""
    return ClauseRow(
        charter=engine.charter.digest(),
        id=clause.id,
        rule=clause.rule,
        harm=clause.harm,
        severity=clause.severity.name.lower(),
        state=str(clause.state) if clause.counts or clause.state != "live" else "review",
        text=clause.text,
        measures=" ".join(clause.measures),
    )


def clause_numbers(engine: Engine, store: Store) -> Ints:
    """The store's number of each of the engine's clauses, shape (clauses,)."""
    return np.array(store.clauses([clause_row(engine, c) for c in engine.clauses]), np.int64)


def finding_columns(
    turn: Turn, figures: Sequence[str], members: Ints, rooms: Sequence[int], clauses: Ints
) -> FindingColumns:
    """The findings of a turn as entries of a ledger.

    figures, rooms: of each finding; members: the number of each event's; clauses: numbers of the engine's clauses.
    """
    batch, rows = turn.batch, turn.findings.rows
    return FindingColumns(
        at=batch.at[rows].tolist(),
        day=batch.days[rows].tolist(),
        member=members[rows].tolist(),
        room=list(rooms),
        clause=clauses[turn.findings.clauses].tolist(),
        event=batch.strings("id")[0].some(rows),
        excerpt=[excerpt(text) for text in batch.texts.some(rows)],
        figures=list(figures),
    )


class States:
    """The window states of an engine, as they are kept from one commit to the next, under names of their own.

    prefix: tells engines apart that share a store. anew: the counts over time that go on from nothing, because the
    charter of the last commit did not have them; empty where there was none before.
    """

    def __init__(self, engine: Engine, kept: Mapping[str, bytes], prefix: str = "") -> None:
        self._engine, self._prefix = engine, prefix
        current = msgspec.json.decode(kept.get(prefix + _CURRENT, b"[]"), type=list[str])
        # What another charter counted misses the events of this run: going on from it could find what never was.
        self._stale = {prefix + name: b"" for name in current if name not in engine.plan.carried}
        anew = []
        for name in engine.plan.carried:
            try:
                if name in current:
                    engine.load({name: kept[prefix + name]})
                else:
                    anew.append(name)
            except ValueError:  # of another version of the feature
                anew.append(name)
        self.anew = anew if current else []

    def dump(self) -> dict[str, bytes]:
        """What to keep now."""
        states = self._engine.dump()
        named = {self._prefix + name: state for name, state in states.items()}
        return {**self._stale, **named, self._prefix + _CURRENT: msgspec.json.encode(list(states))}
