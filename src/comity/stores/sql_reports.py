"""Reports, findings in review, blind samples and judgements of clauses in SQL."""

# ruff: noqa: S608 - what is put into these queries is our own names, and question marks

from collections.abc import Collection, Sequence
from typing import Any, Final

from comity.core.decision import Decision
from comity.core.queue import rank
from comity.core.report import Came, Report
from comity.core.review import Source, draw
from comity.stores.api_contract import Happened
from comity.stores.contract import Refusal
from comity.stores.process_contract import Judged, ReviewRow, SampleRow
from comity.stores.sql_api import happened
from comity.stores.sql_base import Page, Sql, marks

_COLUMNS: Final = (
    "number, at, community, reporter, member, room, event, harm, text, way, rank, voices, came, closed_at, by, reason, "
    "decision"
)
_REPORT: Final = f"SELECT {_COLUMNS} FROM report"
_REVIEW: Final = (
    "SELECT entry, community, member, at, clause_id, harm, severity, rank, came, closed_at, by, reason, decision "
    "FROM review"
)
_SAMPLE: Final = "SELECT number, at, community, decision, judged_at, by, correct, reason FROM sample"


class SqlReports(Sql):
    """See ``process_contract``."""

    # Reports.

    def add_report(self, report: Report) -> Report | Refusal:
        """See ``Process.add_report``."""
        r = report
        with self._write():
            row = self._one(
                "INSERT INTO report (at, community, reporter, member, room, event, harm, text, way, rank, voices, "
                "came, closed_at, by, reason, decision) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', NULL, '', '', 0) "
                "ON CONFLICT (reporter, room, event, member) WHERE came = 'open' DO NOTHING RETURNING number",
                *(r.at, r.community, r.reporter, r.member, r.room, r.event, r.harm, r.text, r.way, r.rank, r.voices),
            )
            if row is not None:
                told: dict[str, object] = {"report": int(row[0]), "harm": r.harm}  # who reported is nobody's to hear
                happened(self._db, Happened.REPORTED, r.community, r.at, told, member=r.member)
        if row is None:
            return Refusal("you reported this already, and it is still looked at")
        found = self.report(row[0])
        if found is None:
            raise KeyError(row[0])
        return found

    def report(self, number: int) -> Report | None:
        """See ``ProcessReads.report``."""
        row = self._one(f"{_REPORT} WHERE number = ?", number)
        return _report(row) if row else None

    def reports(
        self,
        *,
        community: int | None = None,
        reporter: int | None = None,
        member: int | None = None,
        about: tuple[int, str] | None = None,
        beyond: int = 0,
        before: int | None = None,
        most: int = 50,
    ) -> list[Report]:
        """See ``ProcessReads.reports``."""
        page = Page(beyond, before)
        where: list[str] = [page.where]
        values: list[object] = [page.value, *([] if about is None else [*about])]
        if about is not None:
            where.append("room = ? AND event = ?")
        for name, value in (("community", community), ("reporter", reporter), ("member", member)):
            if value is not None:
                where.append(f"{name} = ?")
                values.append(value)
        return [
            _report(row)
            for row in self._all(f"{_REPORT} WHERE {' AND '.join(where)} ORDER BY {page.order} LIMIT ?", *values, most)
        ]

    def reporter_record(self, reporters: Collection[int]) -> dict[int, tuple[int, int]]:
        """See ``ProcessReads.reporter_record``."""
        some = sorted(set(reporters))
        if not some:
            return {}
        found = dict.fromkeys(some, (0, 0))
        rows = self._all(
            "SELECT reporter, sum(CASE WHEN came = 'followed' THEN 1 ELSE 0 END), "
            f"sum(CASE WHEN came = 'refused' THEN 1 ELSE 0 END) FROM report WHERE reporter IN {marks(some)} "
            "GROUP BY reporter",
            *some,
        )
        return found | {reporter: (int(followed), int(refused)) for reporter, followed, refused in rows}

    def rank_reports(self, numbers: Collection[int], rank: int, voices: int) -> None:
        """See ``Process.rank_reports``."""
        with self._write():
            for number in numbers:
                self._run(
                    "UPDATE report SET rank = ?, voices = ? WHERE number = ? AND came = 'open'", rank, voices, number
                )

    def close_reports(
        self, numbers: Collection[int], came: Came, by: str, reason: str, at: int, *, decision: int = 0
    ) -> list[Report]:
        """See ``Process.close_reports``."""
        closed = []
        with self._write():
            for number in sorted(numbers):
                done = self._run(
                    "UPDATE report SET came = ?, closed_at = ?, by = ?, reason = ?, decision = ? "
                    "WHERE number = ? AND came = 'open'",
                    *(str(came), at, by, reason, decision, number),
                )
                if done.rowcount > 0 and (report := self.report(number)) is not None:
                    closed.append(report)
        return closed

    # Findings in review.

    def add_review(self, rows: Sequence[ReviewRow]) -> None:
        """See ``Process.add_review``."""
        with self._write():
            for row in rows:
                self._run(
                    "INSERT INTO review (entry, community, member, at, clause_id, harm, severity, rank, came, "
                    "closed_at, by, reason, decision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    *row[:8],
                    str(row.came),
                    *row[9:],
                )

    def close_review(
        self, entries: Collection[int], came: Came, by: str, reason: str, at: int, *, decision: int = 0
    ) -> int:
        """See ``Process.close_review``."""
        with self._write():
            return sum(
                self._run(
                    "UPDATE review SET came = ?, closed_at = ?, by = ?, reason = ?, decision = ? "
                    "WHERE entry = ? AND came = 'open'",
                    *(str(came), at, by, reason, decision, entry),
                ).rowcount
                for entry in sorted(entries)
            )

    def review(self, entry: int) -> ReviewRow | None:
        """See ``ProcessReads.review``."""
        row = self._one(f"{_REVIEW} WHERE entry = ?", entry)
        return ReviewRow._make((*row[:8], Came(row[8]), *row[9:])) if row else None

    # Blind samples.

    def draw_samples(self, community: int, since: int, seed: bytes, sampled: int, at: int) -> list[int]:
        """See ``Process.draw_samples``."""
        with self._write():
            rows = self._all(
                "SELECT d.number, clause.harm FROM decision AS d JOIN clause ON clause.number = d.clause "
                "WHERE d.community = ? AND d.at >= ? AND d.dry_run = 0 AND d.course <> 'proposed' "
                "AND NOT EXISTS (SELECT 1 FROM sample WHERE sample.decision = d.number)",
                *(community, since),
            )
            harms = dict(rows)
            return [
                self._figure(
                    "INSERT INTO sample (at, community, decision, rank, judged_at, by, correct, reason) "
                    "VALUES (?, ?, ?, ?, NULL, '', NULL, '') RETURNING number",
                    *(at, community, number, rank(harms[number], None, 0)),
                )
                for number in draw(harms, seed, sampled)
            ]

    def sample(self, number: int) -> SampleRow | None:
        """See ``ProcessReads.sample``."""
        row = self._one(f"{_SAMPLE} WHERE number = ?", number)
        return SampleRow._make((*row[:6], None if row[6] is None else bool(row[6]), row[7])) if row else None

    def judge_sample(self, number: int, by: str, reason: str, at: int, *, correct: bool) -> SampleRow | Refusal:
        """See ``Process.judge_sample``."""
        with self._write():
            sample = self.sample(number)
            if sample is None or sample.judged_at is not None:
                return Refusal(f"sample {number} waits for nobody")
            decided = self._one(
                "SELECT 1 FROM course WHERE decision = ? AND (by = ? OR EXISTS (SELECT 1 FROM person_of AS a "
                "JOIN person_of AS b ON a.community = b.community AND a.member = b.member "
                "WHERE a.community = ? AND a.name = course.by AND b.name = ?))",
                *(sample.decision, by, sample.community, by),
            )
            if decided:
                return Refusal("somebody else must look: you decided about it")
            self._run(
                "UPDATE sample SET judged_at = ?, by = ?, correct = ?, reason = ? WHERE number = ?",
                *(at, by, int(correct), reason, number),
            )
        return sample._replace(judged_at=at, by=by, correct=correct, reason=reason)

    # Judgements of clauses.

    def judge(self, decision: Decision, *, correct: bool, source: Source, by: str, at: int) -> bool:
        """See ``Process.judge``."""
        with self._write():
            done = self._run(
                "INSERT INTO judgement (decision, community, clause_id, correct, source, by, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (decision) DO UPDATE SET correct = excluded.correct, "
                "source = excluded.source, by = excluded.by, at = excluded.at "
                "WHERE judgement.source <= excluded.source",
                *(decision.number, decision.community, decision.clause_id, int(correct), int(source), by, at),
            )
        return done.rowcount > 0

    def judged(self, community: int, clause_id: str = "") -> list[Judged]:
        """See ``ProcessReads.judged``."""
        dropped: dict[str, tuple[int, int | None]] = {}
        for clause, at, back_at in self._all(
            "SELECT clause_id, at, back_at FROM dropped WHERE community = ? ORDER BY at", community
        ):
            dropped[clause] = at, back_at
        since = {clause: back or 0 for clause, (_, back) in dropped.items()}
        counts: dict[str, list[int]] = {clause: [0, 0] for clause in dropped}
        for clause, correct, at in self._all(
            "SELECT clause_id, correct, at FROM judgement WHERE community = ? AND (? = '' OR clause_id = ?)",
            *(community, clause_id, clause_id),
        ):
            if at >= since.get(clause, 0):
                counts.setdefault(clause, [0, 0])[0 if correct else 1] += 1
        off = {clause: at for clause, (at, back_at) in dropped.items() if back_at is None}
        return [
            Judged(clause, right, wrong, off.get(clause))
            for clause, (right, wrong) in sorted(counts.items())
            if not clause_id or clause == clause_id
        ]

    def drop(self, community: int, clause_id: str, at: int, correct: int, wrong: int) -> None:
        """See ``Process.drop``."""
        with self._write():
            self._run(
                "INSERT INTO dropped (community, clause_id, at, correct, wrong, back_at, by, reason) "
                "VALUES (?, ?, ?, ?, ?, NULL, '', '')",
                *(community, clause_id, at, correct, wrong),
            )

    def put_back(self, community: int, clause_id: str, by: str, reason: str, at: int) -> bool:
        """See ``Process.put_back``."""
        with self._write():
            done = self._run(
                "UPDATE dropped SET back_at = ?, by = ?, reason = ? "
                "WHERE community = ? AND clause_id = ? AND back_at IS NULL",
                *(at, by, reason, community, clause_id),
            )
        return done.rowcount > 0


def _report(row: Sequence[Any]) -> Report:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    return Report(**values | {"came": Came(values["came"])})
