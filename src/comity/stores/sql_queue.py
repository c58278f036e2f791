"""The queue in SQL: what waits, whose it is now, and verdicts until they are carried out."""

# ruff: noqa: S608 - what is put into these queries is our own names, and question marks

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from comity.core.charter import Measure
from comity.core.harm import Severity
from comity.core.ledger import FINDING
from comity.core.queue import LOCKED_FOR, NOT_FROM_REPORTS, URGENT, After, Item, Kind, Query, Waiting
from comity.core.verdicts import Verdict
from comity.core.who import Who
from comity.stores.contract import Refusal
from comity.stores.process_contract import Intent, NoteRow, Stage
from comity.stores.sql_base import Sql, marks

_URGENCY: Final = "".join(
    f" WHEN clause.harm = '{harm}' OR clause.harm LIKE '{harm}.%' THEN {100 * URGENT[harm]}"
    for harm in sorted(URGENT, key=len, reverse=True)
)
# How urgent each clause is, worked out once and not for every decision that waits.
_URGENT: Final = (
    f"WITH urgent AS MATERIALIZED (SELECT number, harm, (CASE{_URGENCY} ELSE 0 END) AS urgency FROM clause) "
)
_DECISION: Final = f"""
SELECT {{}} AS kind, d.number AS item, d.community AS community, d.member AS member, d.at AS at,
  coalesce(d.until, 0) AS due, urgent.urgency + 10 * d.severity + {NOT_FROM_REPORTS} AS rank,
  urgent.harm AS harm, d.severity AS severity, d.clause_id AS clause_id, d.measure AS measure, 0 AS voices
FROM decision AS d JOIN urgent ON urgent.number = d.clause
WHERE d.provisional = 1 AND d.course IN ('proposed', 'in force')"""
# Everything that waits, in one shape; 0 and '' where there is none, for a union has one type a column.
_SOURCES: Final = {
    Kind.PROPOSAL: _DECISION.format("'proposal'") + " AND d.course = 'proposed'",
    Kind.PROVISIONAL: _DECISION.format("'provisional'") + " AND d.course = 'in force'",
    # What many reported is one item: the first report of it.
    Kind.REPORT: """
SELECT 'report' AS kind, d.number AS item, d.community AS community, d.member AS member, d.at AS at, 0 AS due,
  d.rank AS rank, d.harm AS harm, 0 AS severity, '' AS clause_id, '' AS measure, d.voices AS voices
FROM report AS d WHERE d.came = 'open'
AND NOT EXISTS (SELECT 1 FROM report AS o WHERE d.event <> '' AND o.event = d.event AND o.room = d.room
  AND o.community = d.community AND o.came = 'open' AND o.number < d.number)
AND NOT EXISTS (SELECT 1 FROM report AS o WHERE d.event = '' AND o.event = '' AND o.member = d.member
  AND o.community = d.community AND o.came = 'open' AND o.number < d.number)""",
    Kind.APPEAL: """
SELECT 'appeal' AS kind, d.number AS item, d.community AS community, d.member AS member, d.at AS at, d.due AS due,
  d.rank AS rank, '' AS harm, 0 AS severity, '' AS clause_id, '' AS measure, 0 AS voices
FROM appeal AS d WHERE d.heard = 'open'""",
    Kind.FINDING: """
SELECT 'finding' AS kind, d.entry AS item, d.community AS community, d.member AS member, d.at AS at, 0 AS due,
  d.rank AS rank, d.harm AS harm, d.severity AS severity, d.clause_id AS clause_id, '' AS measure, 0 AS voices
FROM review AS d WHERE d.came = 'open'""",
    # Without the measure: whoever looks a second time is not to see what was decided the first time.
    Kind.SAMPLE: """
SELECT 'sample' AS kind, d.number AS item, d.community AS community, decision.member AS member, d.at AS at, 0 AS due,
  d.rank AS rank, '' AS harm, 0 AS severity, decision.clause_id AS clause_id, '' AS measure, 0 AS voices
FROM sample AS d JOIN decision ON decision.number = d.decision WHERE d.judged_at IS NULL""",
}
_LINE: Final = """
{urgent}SELECT w.kind, w.item, w.community, w.member, w.at, w.due, w.rank, w.harm, w.severity, w.clause_id, w.measure,
  w.voices,
  coalesce(member.pseudonym, ''), coalesce(escalated.at, 0), coalesce(item_lock.by, ''), coalesce(item_lock.until, 0)
FROM ({waiting}) AS w
LEFT JOIN member ON member.number = w.member
LEFT JOIN escalated ON escalated.kind = w.kind AND escalated.item = w.item
LEFT JOIN item_lock ON item_lock.kind = w.kind AND item_lock.item = w.item AND item_lock.until > ?
WHERE """
# How many of a member's findings were taken back; they are looked up as ``sql_read.findings`` does it.
_TAKEN_BACK: Final = """
SELECT count(*) FROM entry WHERE reverses IN (
  SELECT number FROM finding_of WHERE member = ?
  UNION ALL SELECT number FROM entry WHERE number > (SELECT indexed FROM meta) AND kind = ? AND member = ?)"""
_NUMBER: Final = {Kind.FINDING: "d.entry"}
# What tells that the queue is another: how much waits, and what came last; each is read from an index alone.
_OPEN: Final = (
    "decision WHERE provisional = 1 AND course IN ('proposed', 'in force')",
    "report WHERE came = 'open'",
    "appeal WHERE heard = 'open'",
    "review WHERE came = 'open'",
    "sample WHERE judged_at IS NULL",
    "intent WHERE state = 'waiting'",
    "item_lock",
    "escalated",
)
_LAST: Final = {"decision": "number", "report": "number", "appeal": "number", "intent": "number", "item_lock": "until"}
_INTENT: Final = "SELECT number, kind, item, community, at, due, body, state, over_at, outcome FROM intent"


class _Body(msgspec.Struct, frozen=True):
    """What is kept of a verdict as JSON."""

    by: Who
    verdict: Verdict
    version: str


class SqlQueue(Sql):
    """Items, locks, skips, escalations, notes and intents; see ``process_contract``."""

    # What waits.

    def items(self, query: Query, now: int, *, after: After | None = None, most: int = 50) -> list[Waiting]:
        """See ``ProcessReads.items``."""
        parts, values = [], list[object]()
        for kind in query.kinds or tuple(Kind):
            parts.append(f"{_SOURCES[kind]} AND d.community IN {marks(query.communities)}")
            values += query.communities
        where, more = _own(query, after)
        values += more
        joined, more = _joined(query)
        order = f" ORDER BY {'' if query.oldest else 'w.rank DESC, '}w.at, w.kind, w.item LIMIT ?"
        waiting = f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS w WHERE {where}"
        if not joined:  # what else belongs to a line is looked up for one page, and not for all that waits
            waiting += order
            values.append(most)
        sql = _LINE.format(urgent=_URGENT, waiting=waiting) + (joined or "1 = 1") + order
        values += [now, *more]
        return self._waiting(self._all(sql, *values, most))

    def item(self, item: Item, now: int) -> Waiting | None:
        """See ``ProcessReads.item``."""
        source = f"{_SOURCES[item.kind]} AND {_NUMBER.get(item.kind, 'd.number')} = ?"
        found = self._waiting(
            self._all(_LINE.format(urgent=_URGENT, waiting=source) + "w.item = ?", item.number, now, item.number)
        )
        return found[0] if found else None

    def _waiting(self, rows: Sequence[Any]) -> list[Waiting]:
        skipped: dict[tuple[str, int], list[str]] = {}
        numbers = [row[1] for row in rows]
        for kind, item, by in (
            self._all(f"SELECT kind, item, by FROM skipped WHERE item IN {marks(numbers)} ORDER BY at", *numbers)
            if rows
            else ()
        ):
            skipped.setdefault((kind, item), []).append(by)
        return [_line(row, tuple(skipped.get((row[0], row[1]), ()))) for row in rows]

    def version(self, item: Item) -> str:
        """See ``ProcessReads.version``."""
        of = {
            Kind.REPORT: "SELECT member, came FROM report WHERE number = ?",
            Kind.APPEAL: "SELECT coalesce(decision.member, appeal.member), heard || CAST((SELECT count(*) FROM "
            "appeal_evidence AS e WHERE e.appeal = appeal.number) AS TEXT) FROM appeal "
            "LEFT JOIN decision ON decision.number = appeal.decision WHERE appeal.number = ?",
            Kind.FINDING: "SELECT member, came FROM review WHERE entry = ?",
            Kind.SAMPLE: "SELECT 0, CASE WHEN judged_at IS NULL THEN 'open' ELSE 'judged' END FROM sample "
            "WHERE number = ?",
        }.get(item.kind, "SELECT member, course FROM decision WHERE number = ?")
        row = self._one(of, item.number)
        if row is None:
            return ""
        member, state = row
        if item.kind is Kind.SAMPLE:  # what else is known would tell what was decided the first time
            return str(state)
        steps = self._figure(
            "SELECT count(*) FROM decision JOIN course ON course.decision = decision.number WHERE decision.member = ?",
            member,
        )
        last = self._findings(member, most=1)
        back = self._figure(_TAKEN_BACK, member, FINDING, member)
        return f"{state}.{steps}.{last[0].number if last else 0}.{back}".replace(" ", "-")

    def stamp(self) -> str:
        """See ``ProcessReads.stamp``."""
        counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in _OPEN)
        last = ", ".join(f"(SELECT coalesce(max({key}), 0) FROM {table})" for table, key in _LAST.items())
        return ".".join(str(figure) for figure in self._one(f"SELECT {counts}, {last}") or ())

    # Whose it is.

    def lock(self, item: Item, by: str, now: int) -> Refusal | None:
        """See ``Process.lock``."""
        with self._write():
            done = self._run(
                "INSERT INTO item_lock (kind, item, by, until) VALUES (?, ?, ?, ?) ON CONFLICT (kind, item) DO UPDATE "
                "SET by = excluded.by, until = excluded.until WHERE item_lock.by = excluded.by OR item_lock.until <= ?",
                *(str(item.kind), item.number, by, now + LOCKED_FOR, now),
            )
            if done.rowcount > 0:
                return None
            row = self._one("SELECT by FROM item_lock WHERE kind = ? AND item = ?", str(item.kind), item.number)
        return Refusal(f"{row[0]} has {item.key} open")

    def release(self, item: Item, by: str) -> bool:
        """See ``Process.release``."""
        with self._write():
            gone = self._run(
                "DELETE FROM item_lock WHERE kind = ? AND item = ? AND by = ?", str(item.kind), item.number, by
            )
        return gone.rowcount > 0

    def skip(self, item: Item, by: str, reason: str, at: int) -> None:
        """See ``Process.skip``."""
        if not reason.strip():
            raise ValueError("whoever passes something over says why, got an empty reason")
        with self._write():
            self._run(
                "INSERT INTO skipped (kind, item, by, at, reason) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (kind, item, by) DO UPDATE SET at = excluded.at, reason = excluded.reason",
                *(str(item.kind), item.number, by, at, reason),
            )
            self.release(item, by)

    def skips(self, item: Item) -> list[tuple[str, int, str]]:
        """See ``ProcessReads.skips``."""
        sql = "SELECT by, at, reason FROM skipped WHERE kind = ? AND item = ? ORDER BY at, by"
        return [(by, at, reason) for by, at, reason in self._all(sql, str(item.kind), item.number)]

    def escalate(self, item: Item, by: str, reason: str, at: int) -> None:
        """See ``Process.escalate``."""
        with self._write():
            self._run(
                "INSERT INTO escalated (kind, item, at, by, reason) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (kind, item) DO NOTHING",
                *(str(item.kind), item.number, at, by, reason),
            )
            self.release(item, by)

    def add_note(self, item: Item, by: str, text: str, at: int, *, community: int, member: int) -> int:
        """See ``Process.add_note``."""
        with self._write():
            return self._figure(
                "INSERT INTO case_note (community, kind, item, member, at, by, text) VALUES (?, ?, ?, ?, ?, ?, ?) "
                "RETURNING number",
                *(community, str(item.kind), item.number, member, at, by, text),
            )

    def notes(self, *, item: Item | None = None, member: int | None = None) -> list[NoteRow]:
        """See ``ProcessReads.notes``."""
        sql = "SELECT number, kind, item, at, by, text FROM case_note WHERE "
        if item is not None:
            rows = self._all(f"{sql}kind = ? AND item = ? ORDER BY number", str(item.kind), item.number)
        else:
            rows = self._all(f"{sql}member = ? ORDER BY number", member)
        return [NoteRow(number, Item(Kind(kind), n), at, by, text) for number, kind, n, at, by, text in rows]

    # Verdicts until they are carried out.

    def add_intent(self, intent: Intent) -> Intent | Refusal:
        """See ``Process.add_intent``."""
        item = intent.item
        with self._write():
            other = self._one(
                "SELECT by FROM item_lock WHERE kind = ? AND item = ? AND by <> ? AND until > ?",
                *(str(item.kind), item.number, intent.by.name, intent.at),
            )
            if other:
                return Refusal(f"{other[0]} has {item.key} open")
            body = msgspec.json.encode(_Body(intent.by, intent.verdict, intent.version)).decode()
            row = self._one(
                "INSERT INTO intent (kind, item, community, at, due, by, body, state, over_at, outcome) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', NULL, '') "
                "ON CONFLICT (kind, item) WHERE state = 'waiting' DO NOTHING RETURNING number",
                *(str(item.kind), item.number, intent.community, intent.at, intent.due, intent.by.name, body),
            )
            if row is None:
                return Refusal(f"somebody gave a verdict on {item.key} just now")
            self.release(item, intent.by.name)
        return msgspec.structs.replace(intent, number=row[0])

    def undo_intent(self, number: int, by: str, now: int) -> Refusal | None:
        """See ``Process.undo_intent``."""
        with self._write():
            done = self._run(
                "UPDATE intent SET state = 'undone', over_at = ? "
                "WHERE number = ? AND by = ? AND state = 'waiting' AND due > ?",
                *(now, number, by, now),
            )
            if done.rowcount > 0:
                return None
        found = self.intent(number)
        if found is None or found.by.name != by:
            return Refusal(f"verdict {number} is not yours")
        return Refusal("it is done by now" if found.state is not Stage.UNDONE else "it is taken back already")

    def intent(self, number: int) -> Intent | None:
        """See ``ProcessReads.intent``."""
        row = self._one(f"{_INTENT} WHERE number = ?", number)
        return _intent(row) if row else None

    def intents(self, by: str, *, most: int = 20) -> list[Intent]:
        """See ``ProcessReads.intents``."""
        return [_intent(row) for row in self._all(f"{_INTENT} WHERE by = ? ORDER BY number DESC LIMIT ?", by, most)]

    def intents_due(self, now: int, *, most: int = 100) -> list[Intent]:
        """See ``Process.intents_due``."""
        sql = f"{_INTENT} WHERE state = 'waiting' AND due <= ? ORDER BY number LIMIT ?"
        return [_intent(row) for row in self._all(sql, now, most)]

    def finish_intent(self, number: int, state: Stage, outcome: str, at: int) -> bool:
        """See ``Process.finish_intent``."""
        with self._write():
            done = self._run(
                "UPDATE intent SET state = ?, outcome = ?, over_at = ? WHERE number = ? AND state = 'waiting'",
                *(str(state), outcome, at, number),
            )
        return done.rowcount > 0


def _own(query: Query, after: After | None) -> tuple[str, list[object]]:
    """The conditions on what waits itself, with their values."""
    where = ["NOT EXISTS (SELECT 1 FROM intent AS i WHERE i.kind = w.kind AND i.item = w.item AND i.state = 'waiting')"]
    values: list[object] = []
    if query.harm:
        where.append("(w.harm = ? OR w.harm LIKE ?)")
        values += [query.harm, f"{query.harm}.%"]
    if query.not_skipped_by:
        where.append("NOT EXISTS (SELECT 1 FROM skipped AS s WHERE s.kind = w.kind AND s.item = w.item AND s.by = ?)")
        values.append(query.not_skipped_by)
    if after is not None:
        last = str(after.item.kind)
        older = "(w.at > ? OR (w.at = ? AND (w.kind > ? OR (w.kind = ? AND w.item > ?))))"
        where.append(older if query.oldest else f"(w.rank < ? OR (w.rank = ? AND {older}))")
        values += [] if query.oldest else [after.rank, after.rank]
        values += [after.at, after.at, last, last, after.item.number]
    return " AND ".join(where), values


def _joined(query: Query) -> tuple[str, list[object]]:
    """The conditions on what belongs to it, with their values; "" if there are none."""
    where: list[str] = []
    values: list[object] = []
    if text := query.text.strip():
        where.append("(w.clause_id = ? OR w.kind || '-' || CAST(w.item AS TEXT) = ? OR member.pseudonym LIKE ?)")
        values += [text, text, text.replace("%", "").replace("_", "") + "%"]
    if query.escalated is not None:
        where.append(f"escalated.at IS {'NOT ' if query.escalated else ''}NULL")
    if query.locked_by:
        where.append("item_lock.by = ?")
        values.append(query.locked_by)
    return " AND ".join(where), values


def _line(row: Sequence[Any], skipped: tuple[str, ...]) -> Waiting:
    kind, item, community, member, at, due, rank, harm, severity, clause, measure, voices, *rest = row
    pseudonym, escalated, locked_by, locked_until = rest
    return Waiting(
        item=Item(Kind(kind), item),
        community=community,
        at=at,
        rank=rank,
        member=member,
        pseudonym=pseudonym,
        due=due or None,
        harm=harm,
        severity=Severity(severity) if severity else None,
        clause_id=clause,
        measure=Measure(measure) if measure else None,
        voices=voices,
        escalated=bool(escalated),
        locked_by=locked_by,
        locked_until=locked_until,
        skipped_by=skipped,
    )


def _intent(row: Sequence[Any]) -> Intent:
    number, kind, item, community, at, due, body, state, over_at, outcome = row
    kept = msgspec.json.decode(body, type=_Body)
    return Intent(
        number=number,
        item=Item(Kind(kind), item),
        community=community,
        at=at,
        due=due,
        by=kept.by,
        verdict=kept.verdict,
        version=kept.version,
        state=Stage(state),
        over_at=over_at,
        outcome=outcome,
    )
