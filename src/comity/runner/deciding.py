"""From findings to what is kept of them: entries, decisions with statements, and the actions that begin them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, cast

import numpy as np

from comity.core.action import Action
from comity.core.actions_of import begin
from comity.core.carried import Carried
from comity.core.case import Case, Found, Person, exempt, is_house, leads_nowhere
from comity.core.charter import Measure, State
from comity.core.decide import REMEMBERED, Decided, decide
from comity.core.decision import EVERYWHERE, Decision
from comity.core.event import KINDS, ROLES, Kind, Role, moment
from comity.core.handover import Stays
from comity.core.ledger import ActivityColumns, FindingColumns
from comity.core.queue import rank
from comity.core.standing import Counted
from comity.core.statement import Statement, as_sentence, state
from comity.engine import Engine, Findings, Turn, excerpt
from comity.features.columns import Batch
from comity.features.pieces import Ints
from comity.live.metrics import Metrics
from comity.runner.lists import NOBODY, Listed, Looked
from comity.runner.people import People
from comity.runner.realm import Realm
from comity.runner.telling import Telling
from comity.stores.process_contract import ProcessStore, ReviewRow
from comity.turns import Numbers, finding_columns

_REDACTION: Final = KINDS.index("redaction")
_MANAGER: Final = ROLES.index("manager")


class Made(NamedTuple):
    """What was decided.

    rows: of members with new findings, the row of the last; before: what was in force about those with new decisions.
    """

    decisions: list[Decision]
    actions: list[Action]
    rows: dict[int, int]
    before: dict[int, list[Decision]]


class Deciding:
    """Decides on the findings of turns, within the store's transaction. page: the address of members' pages, or ""."""

    def __init__(self, store: ProcessStore, people: People, telling: Telling, metrics: Metrics, page: str) -> None:
        self._store, self._people, self._telling, self._metrics = store, people, telling, metrics
        self._page = page

    def decide(
        self,
        realm: Realm,
        turn: Turn,
        members: Ints,
        activity: ActivityColumns,
        *,
        numbers: Numbers,
        now: int,
        looked: Looked = NOBODY,
    ) -> Made:
        """Post what was found and counted, and keep what follows from it. looked: what lists say of who came."""
        turn = without_cleaning(turn)
        figures = realm.engine.figures(turn)
        rooms = numbers.rooms(turn.batch, turn.findings.rows)
        columns = finding_columns(turn, figures, members, rooms, realm.clauses)
        columns = _with_listed(columns, turn.batch, members, numbers, looked.listed)
        after = self._store.head()
        head = self._store.post(columns, activity, after=after)
        self._for_review(realm, turn, columns, after.number)
        found = _found(realm, turn, columns, after.number, looked.listed)
        rows = dict(zip(columns.member, [*turn.findings.rows.tolist(), *(x.row for x in looked.listed)], strict=True))
        for line in looked.told:
            self._telling.notice(line)
        self._count(realm, turn.findings, realm.engine, looked.listed)
        serious = {m: some for m, mine in found.items() if (some := [f for f in mine if f.clause.counts])}
        if not serious:
            return Made([], [], rows, {})
        accounts = {m: turn.batch.string("member", rows[m]) for m in serious}
        people = self._persons(realm, serious, accounts, now)
        decided = decide(
            Case(
                at=now,
                charter=realm.charter,
                community=realm.number,
                head=head.number,
                first=self._store.decisions.last() + 1,
                people=people,
                muted=realm.muted(),
                dry_run=realm.dry_run,
            )
        )
        if not decided:
            return Made([], [], rows, {})
        made = [x.decision for x in decided]
        statements = self._statements(realm, decided)
        carried = self._carried(realm, made, statements, accounts, now)
        self._store.decisions.add(made, statements, carried, at=now, after=head)
        before = realm.remember(d for d in made if not d.proposed and not d.dry_run)
        self._note(realm, made, carried.asks)
        return Made(made, list(carried.actions), rows, before)

    def _for_review(self, realm: Realm, turn: Turn, columns: FindingColumns, before: int) -> None:
        """Have a person look at findings from which nothing follows by itself."""
        clauses = [realm.engine.clauses[position] for position in turn.findings.clauses.tolist()]
        rows = [
            ReviewRow(
                entry=before + 1 + n,
                community=realm.number,
                member=columns.member[n],
                at=columns.at[n],
                clause_id=c.id,
                harm=c.harm,
                severity=int(c.severity),
                rank=rank(c.harm, c.severity),
            )
            for n, c in enumerate(clauses)
            if c.review and c.state is State.LIVE
        ]
        if rows:
            self._store.process.add_review(rows)

    def _persons(
        self, realm: Realm, found: Mapping[int, Sequence[Found]], accounts: Mapping[int, str], now: int
    ) -> list[Person]:
        day = realm.day(moment(now))
        known = self._store.decisions.about(found, since=now - REMEMBERED)
        people = []
        for m, mine in found.items():
            role = mine[-1].role
            was = realm.counting.rated(m, day)
            first: dict[str, int] = {}
            for f in mine:
                if f.listed:  # somebody else's judgement, of nothing done here
                    realm.counting.found_beside(m, f.entry)
                    continue
                message = first.setdefault(f.event, f.entry)
                counted = Counted(f.entry, realm.day(moment(f.at)), f.clause.severity, message)
                realm.counting.found(m, counted, house=is_house(f.clause))
            people.append(
                Person(
                    member=m,
                    found=mine,
                    before=was,
                    now=realm.counting.rated(m, day),
                    decisions=known[m],
                    exempt=exempt(accounts[m], role, ours={self._people.bot}, ghost=self._people.ghost),
                )
            )
        return people

    def _statements(self, realm: Realm, decided: Iterable[Decided]) -> list[Statement]:
        found = []
        for x in decided:
            d = x.decision
            if not d.proposed:
                found.append(
                    state(x, realm.charter, room=self._people.label(d.room), undoable=d.measure is not Measure.HIDE)
                )
        return found

    def _carried(
        self,
        realm: Realm,
        made: Sequence[Decision],
        statements: Sequence[Statement],
        accounts: Mapping[int, str],
        now: int,
    ) -> Carried:
        if realm.dry_run or all(d.proposed for d in made):
            return Carried()
        reasons = {s.decision: as_sentence(s, page=self._page) for s in statements}
        where = {room for d in made for room in _rooms(d)}
        rooms = self._people.rooms(realm, accounts, () if EVERYWHERE in where else where, realm.day(moment(now)))
        held = {m: realm.in_force.get(m, []) for m in accounts}
        return begin(made, rooms, held, reasons)

    def _note(self, realm: Realm, made: Sequence[Decision], asks: Sequence[tuple[int, Stays]]) -> None:
        for d in made:
            mode = "dry_run" if d.dry_run else "live"
            self._metrics.decisions.labels(realm.id, d.measure, "machine", mode).inc()
        if not realm.dry_run:
            self._telling.owe(d for d in made if not d.proposed)
        why: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        for room, stays in asks:
            why[stays.decision, stays.why].append(self._people.label(room))
        for (decision, reason), rooms in why.items():
            self._telling.notice(f"Decision {decision}, {', '.join(rooms)}: {reason}.")

    def _count(self, realm: Realm, findings: Findings, engine: Engine, listed: Sequence[Listed]) -> None:
        for x in listed:
            self._metrics.findings.labels(realm.id, x.clause.rule or x.clause.id, str(x.clause.state)).inc()
        numbers, counts = np.unique(findings.clauses, return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            clause = engine.clauses[number]
            self._metrics.findings.labels(realm.id, clause.rule or clause.id, str(clause.state)).inc(count)


def without_cleaning(turn: Turn) -> Turn:
    """A turn without findings about managers who take messages out of view: that is their office."""
    rows, roles = turn.findings.rows, turn.batch.roles
    cleaning = (turn.batch.kinds[rows] == _REDACTION) & (roles.values[rows] == _MANAGER)
    if roles.known is not None:
        cleaning &= roles.known[rows]
    if not cleaning.any():
        return turn
    return Turn(turn.batch, Findings(rows[~cleaning], turn.findings.clauses[~cleaning]), turn.unreadable)


def _with_listed(
    columns: FindingColumns, batch: Batch, members: Ints, numbers: Numbers, listed: Sequence[Listed]
) -> FindingColumns:
    """The findings, and after them who is listed."""
    if not listed:
        return columns
    rows = np.array([x.row for x in listed], np.int64)
    return FindingColumns(
        at=[*columns.at, *batch.at[rows].tolist()],
        day=[*columns.day, *batch.days[rows].tolist()],
        member=[*columns.member, *members[rows].tolist()],
        room=[*columns.room, *numbers.rooms(batch, rows)],
        clause=[*columns.clause, *(x.number for x in listed)],
        event=[*columns.event, *batch.strings("id")[0].some(rows)],
        excerpt=[*columns.excerpt, *(excerpt(text) for text in batch.texts.some(rows))],
        figures=[*columns.figures, *(x.figures for x in listed)],
    )


def _found(
    realm: Realm, turn: Turn, columns: FindingColumns, before: int, listed: Sequence[Listed]
) -> dict[int, list[Found]]:
    """The new findings by member; the first has the entry after ``before``, and who is listed comes last."""
    found: defaultdict[int, list[Found]] = defaultdict(list)
    clauses = [realm.engine.clauses[position] for position in turn.findings.clauses.tolist()]
    of_rules = [(row, c, c.said, False) for row, c in zip(turn.findings.rows.tolist(), clauses, strict=True)]
    of_lists = [(x.row, x.clause, x.sentence, True) for x in listed]
    for n, (row, clause, sentence, by_list) in enumerate([*of_rules, *of_lists]):
        one = Found(
            entry=before + 1 + n,
            at=columns.at[n],
            room=columns.room[n],
            number=columns.clause[n],
            clause=clause,
            event=columns.event[n],
            kind=kind_of(turn.batch, row),
            role=role_of(turn.batch, row),
            excerpt=columns.excerpt[n],
            sentence=sentence,
            listed=by_list,
        )
        if not leads_nowhere(one):
            found[columns.member[n]].append(one)
    return found


def kind_of(batch: Batch, row: int) -> Kind:
    """The kind of an event."""
    return cast("Kind", KINDS[batch.kinds[row]])


def role_of(batch: Batch, row: int) -> Role | None:
    """The role of whoever an event is of, None if unknown."""
    values, known = batch.roles
    return cast("Role", ROLES[values[row]]) if known is None or known[row] else None


def _rooms(decision: Decision) -> Collection[int]:
    return {p.room for p in decision.hides} if decision.measure is Measure.HIDE else {decision.room}
