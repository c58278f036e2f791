"""Decisions in SQL that every store of ours runs; ``decisions_contract.Decisions`` says what the methods promise."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec

from comity.core.carried import Carried
from comity.core.charter import Measure
from comity.core.decision import HOLDING, MACHINE, NEXT, Course, Decision, Enforced, Place
from comity.core.errors import LedgerMovedError
from comity.core.harm import Severity
from comity.core.ledger import Head
from comity.core.statement import Statement
from comity.stores.api_contract import Happened
from comity.stores.contract import Refusal
from comity.stores.decisions_contract import StepRow
from comity.stores.sql_api import happened
from comity.stores.sql_outbox import SqlOutbox

_COLUMNS: Final = (
    "number, at, community, member, room, measure, clause, clause_id, clause_text, severity, head, until, hides, "
    "found_automatically, by, provisional, course, line, extends, dry_run"
)
_OPEN: Final = "course IN ('proposed', 'in force', 'confirmed')"  # as the index decision_open has it, to the letter


class SqlDecisions(SqlOutbox):
    """The decisions of a store, and its outbox."""

    # Making decisions.

    def last(self) -> int:
        """See ``Decisions.last``."""
        with self._db.told():
            number: int = self._db.execute("SELECT coalesce(max(number), 0) FROM decision").fetchone()[0]
        return number

    def add(
        self, decisions: Sequence[Decision], statements: Sequence[Statement], carried: Carried, *, at: int, after: Head
    ) -> None:
        """See ``Decisions.add``."""
        with self._ledger.write():
            self._check_head(after)
            numbers = [d.number for d in decisions]
            first = self.last() + 1
            if numbers != list(range(first, first + len(numbers))):
                raise ValueError(f"decisions must be numbered from {first} on, got {numbers}")
            stated = {s.decision for s in statements}
            for d in decisions:
                if d.head != after.number:
                    raise ValueError(f"decision {d.number} was made on entry {d.head}, the ledger is at {after.number}")
                if not d.proposed and d.number not in stated:
                    raise ValueError(f"decision {d.number} has no statement")
                self._insert(d)
            self._carry(statements, carried, at)

    def _insert(self, d: Decision) -> None:
        values = (
            *(d.number, d.at, d.community, d.member, d.room, d.measure, d.clause, d.clause_id, d.clause_text),
            *(d.severity, d.head, d.until, msgspec.json.encode(d.hides).decode(), d.found_automatically, d.by),
            *(d.provisional, d.course, d.line, d.extends, d.dry_run),
        )
        self._db.execute(f"INSERT INTO decision ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608 - our own names
        self._db.executemany("INSERT INTO rests_on VALUES (?, ?)", ((entry, d.number) for entry in d.findings))
        self._step(d.number, d.at, d.by, d.course, "")
        happened(self._db, Happened.MADE, d.community, d.at, _told(d), member=d.member)

    def _carry(self, statements: Iterable[Statement], carried: Carried, at: int) -> None:
        self._db.executemany(
            "INSERT INTO statement VALUES (?, ?)",
            ((s.decision, msgspec.json.encode(s).decode()) for s in statements),
        )
        self.queue(carried.actions, at=at)
        self._db.executemany(
            "INSERT INTO enforced VALUES (?, ?, ?, ?) ON CONFLICT (decision, room) DO UPDATE SET "
            "done = excluded.done, why = excluded.why",
            ((number, e.room, e.done, e.why) for number, rows in carried.enforced.items() for e in rows),
        )
        self._db.executemany("DELETE FROM touched WHERE room = ? AND member = ?", carried.back)
        self._db.executemany(
            "INSERT INTO touched VALUES (?, ?, ?, ?) ON CONFLICT (room, member) "
            "DO UPDATE SET action = excluded.action, stands_for = excluded.stands_for",
            map(msgspec.structs.astuple, carried.touched),
        )

    def _step(self, number: int, at: int, by: str, course: Course, reason: str) -> None:
        self._db.execute(
            "INSERT INTO course VALUES (?, (SELECT count(*) FROM course WHERE decision = ?), ?, ?, ?, ?)",
            (number, number, at, by, course, reason),
        )

    def _check_head(self, after: Head) -> None:
        head = self._ledger.head()
        if head != after:
            raise LedgerMovedError(
                f"{self._db.place}: this was decided after entry {after.number}, the ledger is at entry {head.number}: "
                "decide again"
            )

    # Reading them.

    def decision(self, number: int) -> Decision | None:
        """See ``Decisions.decision``."""
        found = self._read("number = :number", number=number)
        return found[0] if found else None

    def decisions(
        self,
        *,
        community: int | None = None,
        member: int | None = None,
        courses: Collection[Course] = (),
        since: int | None = None,
        beyond: int = 0,
        most: int = 100,
    ) -> list[Decision]:
        """See ``Decisions.decisions``."""
        where = "number > :beyond" + _whose(community, member)
        if since is not None:
            where += " AND at >= :since"
        if courses:
            where += f" AND course IN ({self._db.texts(':courses')})"
        return self._read(
            f"{where} ORDER BY number LIMIT :most",
            community=community,
            member=member,
            courses=_json(sorted(map(str, courses))),
            since=since,
            beyond=beyond,
            most=most,
        )

    def about(self, members: Collection[int], *, since: int) -> dict[int, list[Decision]]:
        """See ``Decisions.about``."""
        found: dict[int, list[Decision]] = {member: [] for member in members}
        for d in self._read(
            f"member IN ({self._db.numbers(':members')}) AND (at >= :since OR {_OPEN}) ORDER BY number",
            members=_json(sorted(found)),
            since=since,
        ):
            found[d.member].append(d)
        return found

    def in_force(self, now: int, *, community: int | None = None, member: int | None = None) -> list[Decision]:
        """See ``Decisions.in_force``."""
        return self._read(
            f"number IN (SELECT number FROM decision {self._db.by_index('decision_open')} WHERE {_OPEN}) "  # noqa: S608 - our own names
            "AND course <> 'proposed' AND dry_run = 0 AND at <= :now "
            f"AND (until IS NULL OR until > :now) {_whose(community, member)} ORDER BY number",
            now=now,
            community=community,
            member=member,
        )

    def ending(self, now: int, *, most: int = 100) -> list[Decision]:
        """See ``Decisions.ending``."""
        return self._read(
            f"{_OPEN} AND until <= :now ORDER BY until, number LIMIT :most",
            now=now,
            most=most,
        )

    def resting_on(self, entries: Collection[int]) -> list[Decision]:
        """See ``Decisions.resting_on``."""
        which = f"SELECT decision FROM rests_on WHERE entry IN ({self._db.numbers(':entries')})"  # noqa: S608 - our own names
        return self._read(f"number IN ({which}) ORDER BY number", entries=_json(sorted(entries)))

    def course(self, number: int) -> list[StepRow]:
        """See ``Decisions.course``."""
        with self._db.told():
            rows = self._db.execute(
                "SELECT at, by, course, reason FROM course WHERE decision = ? ORDER BY place", (number,)
            ).fetchall()
        return [StepRow(at, by, Course(course), reason) for at, by, course, reason in rows]

    def _read(self, where: str, **values: Any) -> list[Decision]:  # noqa: ANN401 - whatever a database takes
        with self._db.told():
            rows = self._db.execute(f"SELECT {_COLUMNS} FROM decision WHERE {where}", values).fetchall()  # noqa: S608 - our own names
            if not rows:
                return []
            findings: dict[int, list[int]] = {row[0]: [] for row in rows}
            enforced: dict[int, list[Enforced]] = {row[0]: [] for row in rows}
            of = f"WHERE decision IN ({self._db.numbers('?')}) ORDER BY decision"
            numbers = (_json(sorted(findings)),)
            for number, entry in self._db.execute(f"SELECT decision, entry FROM rests_on {of}, entry", numbers):  # noqa: S608 - our own names
                findings[number].append(entry)
            for number, room, done, why in self._db.execute(
                f"SELECT decision, room, done, why FROM enforced {of}, room",  # noqa: S608 - our own names
                numbers,
            ):
                enforced[number].append(Enforced(room, bool(done), why))
        return [self._decision(row, findings[row[0]], enforced[row[0]]) for row in rows]

    def _decision(self, row: tuple[Any, ...], findings: list[int], enforced: list[Enforced]) -> Decision:
        values = dict(zip(_COLUMNS.split(", "), row, strict=True))
        return Decision(
            **values
            | {
                "measure": Measure(values["measure"]),
                "severity": Severity(values["severity"]),
                "course": Course(values["course"]),
                "hides": msgspec.json.decode(values["hides"], type=tuple[Place, ...]),
                "found_automatically": bool(values["found_automatically"]),
                "provisional": bool(values["provisional"]),
                "dry_run": bool(values["dry_run"]),
                "findings": tuple(findings),
                "enforced": tuple(enforced),
            }
        )

    # What becomes of them.

    def end(self, number: int, at: int, carried: Carried) -> Decision | Refusal:
        """See ``Decisions.end``."""
        with self._ledger.write():
            found = self._to(number, {Course.ENDED, Course.LAPSED})
            if isinstance(found, Refusal):
                return found
            if found.until is None or found.until > at:
                return Refusal(f"decision {number} is not over yet")
            self._move(number, Course.LAPSED if found.proposed else Course.ENDED, MACHINE, at, "its time is over")
            self._carry((), carried, at)
        return self._there(number)

    def confirm(
        self,
        number: int,
        by: str,
        at: int,
        reason: str,
        *,
        until: int | None,
        after: Head,
        statement: Statement | None = None,
        carried: Carried | None = None,
    ) -> Decision | Refusal:
        """See ``Decisions.confirm``."""
        _by_a_person(by, reason)
        with self._ledger.write():
            self._check_head(after)
            found = self._to(number, {Course.CONFIRMED})
            if isinstance(found, Refusal):
                return found
            if found.proposed == (statement is None):
                raise ValueError("a proposal that is followed gets its statement then, and nothing else does")
            self._move(number, Course.CONFIRMED, by, at, reason, until=until)
            self._carry([statement] if statement else [], carried or Carried(), at)
        return self._there(number)

    def change(
        self, number: int, by: str, at: int, reason: str, *, until: int | None, after: Head
    ) -> Decision | Refusal:
        """See ``Decisions.change``."""
        _by_a_person(by, reason)
        with self._ledger.write():
            self._check_head(after)
            found = self.decision(number)
            if found is None or found.course not in HOLDING:
                return Refusal(f"decision {number} is not in force")
            self._move(number, Course.CONFIRMED, by, at, reason, until=until)
        return self._there(number)

    def refuse(self, number: int, by: str, at: int, reason: str, *, after: Head) -> Decision | Refusal:
        """See ``Decisions.refuse``."""
        _by_a_person(by, reason)
        with self._ledger.write():
            self._check_head(after)
            found = self._to(number, {Course.REFUSED})
            if isinstance(found, Refusal):
                return found
            self._move(number, Course.REFUSED, by, at, reason)
        return self._there(number)

    def reverse(
        self, number: int, by: str, at: int, reason: str, carried: Carried, *, after: Head, findings: bool = True
    ) -> Head | Refusal:
        """See ``Decisions.reverse``."""
        _by_a_person(by, reason)
        head = after
        with self._ledger.write():
            self._check_head(after)
            found = self._to(number, {Course.REVERSED})
            if isinstance(found, Refusal):
                return found
            for entry in found.findings if findings else ():
                reversed_ = self._ledger.reverse(entry, reason, by, at, after=head)
                if isinstance(reversed_, Head):  # otherwise it was taken back already
                    head = reversed_
            self._move(number, Course.REVERSED, by, at, reason)
            told = _told(found) | {"course": str(Course.REVERSED)}
            happened(self._db, Happened.REVERSED, found.community, at, told, member=found.member)
            self._carry((), carried, at)
        return head

    def _to(self, number: int, courses: set[Course]) -> Decision | Refusal:
        found = self.decision(number)
        if found is None:
            return Refusal(f"there is no decision {number}: the last one is {self.last()}")
        if not NEXT.get(found.course, frozenset()) & courses:
            return Refusal(f"decision {number} is {found.course}, and cannot be {' or '.join(sorted(courses))}")
        return found

    def _move(self, number: int, course: Course, by: str, at: int, reason: str, **until: int | None) -> None:
        if course is Course.CONFIRMED:
            if (end := until["until"]) is not None and end <= at:
                raise ValueError("a measure must last some time: reverse it, or let it end")
            self._db.execute(
                "UPDATE decision SET course = ?, by = ?, provisional = 0, until = ? WHERE number = ?",
                (course, by, end, number),
            )
        else:
            self._db.execute("UPDATE decision SET course = ? WHERE number = ?", (course, number))
        self._step(number, at, by, course, reason)

    def _there(self, number: int) -> Decision:
        found = self.decision(number)
        if found is None:
            raise KeyError(number)
        return found

    # Statements and deputies.

    def statement(self, number: int) -> Statement | None:
        """See ``Decisions.statement``."""
        found = self._statements("decision = ?", number)
        return found[0] if found else None

    def statements(self, *, beyond: int = 0, most: int = 100) -> list[Statement]:
        """See ``Decisions.statements``."""
        return self._statements("decision > ? ORDER BY decision LIMIT ?", beyond, most)

    def _statements(self, where: str, *values: int) -> list[Statement]:
        with self._db.told():
            rows = self._db.execute(f"SELECT body FROM statement WHERE {where}", values).fetchall()  # noqa: S608 - our own names
        return [msgspec.json.decode(body, type=Statement) for (body,) in rows]

    def deputies(self, room: int) -> list[int]:
        """See ``Decisions.deputies``."""
        with self._db.told():
            rows = self._db.execute("SELECT member FROM deputy WHERE room = ? ORDER BY place", (room,)).fetchall()
        return [member for (member,) in rows]

    def name_deputy(self, room: int, member: int, by: str, at: int, *, named: bool = True) -> bool:
        """See ``Decisions.name_deputy``."""
        with self._ledger.write():
            if not named:
                gone = self._db.execute("DELETE FROM deputy WHERE room = ? AND member = ?", (room, member))
                return gone.rowcount > 0
            new = self._db.execute(
                "INSERT INTO deputy VALUES "
                "(?, ?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM deputy WHERE room = ?)) "
                "ON CONFLICT (room, member) DO NOTHING",
                (room, member, by, at, room),
            )
            return new.rowcount > 0


def _by_a_person(by: str, reason: str) -> None:
    if not by.strip() or by == MACHINE or not reason.strip():
        raise ValueError("a person decides this, and says why: got no name, the machine's, or no reason")


def _told(d: Decision) -> dict[str, object]:
    """What a webhook hears of a decision: nothing that anybody wrote."""
    return {
        "decision": d.number, "measure": str(d.measure), "clause": d.clause_id, "course": str(d.course),
        "until": d.until, "provisional": d.provisional, "automatic": d.decided_automatically, "dry_run": d.dry_run,
    }  # fmt: skip


def _whose(community: int | None, member: int | None) -> str:
    """Conditions, each behind an AND, for what is asked about one community or member only."""
    named = (("community", community), ("member", member))
    return "".join(f" AND {name} = :{name}" for name, number in named if number is not None)


def _json(values: Sequence[object]) -> str:
    return msgspec.json.encode(values).decode()
