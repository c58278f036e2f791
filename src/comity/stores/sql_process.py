"""Due process in SQL that every store of ours runs; ``process_contract.Process`` says what the methods promise."""

# ruff: noqa: S608 - what is put into these queries is our own names, and question marks

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Final

import msgspec

from comity.core.decision import Decision
from comity.core.ledger import ACTIVITY
from comity.core.looking import Look
from comity.core.queue import Item, Kind
from comity.core.templates import Template, mistakes
from comity.stores.contract import ActivityRow, FindingRow, MemberRow
from comity.stores.process_contract import HandledRow, Medians, Overview
from comity.stores.sql_appeals import SqlAppeals
from comity.stores.sql_base import Page, marks
from comity.stores.sql_queue import SqlQueue
from comity.stores.sql_reports import SqlReports

_DAY: Final = 86_400_000
_BETWEEN: Final = "\n"  # an account and a name: nobody searches for it
_LAST_LETTER: Final = "\U0010ffff"  # behind every text that begins alike
_LOOK: Final = "SELECT number, at, community, by, what, reason, member, room FROM look"
# What waits, counted; without what has a verdict that is not carried out yet nothing would be counted twice either.
_WAITING: Final = {
    Kind.PROPOSAL: "decision WHERE provisional = 1 AND course IN ('proposed', 'in force') AND course = 'proposed'",
    Kind.PROVISIONAL: "decision WHERE provisional = 1 AND course IN ('proposed', 'in force') AND course = 'in force'",
    Kind.REPORT: "report WHERE came = 'open'",
    Kind.APPEAL: "appeal WHERE heard = 'open'",
    Kind.FINDING: "review WHERE came = 'open'",
    Kind.SAMPLE: "sample WHERE judged_at IS NULL",
}
_INBOUND: Final = {"decision": "decision", "report": "report", "appeal": "appeal", "finding": "review"}


class SqlProcess(SqlQueue, SqlReports, SqlAppeals):
    """All of due process over one connection."""

    # Looks, templates, names.

    def add_look(self, look: Look) -> Look:
        """See ``Process.add_look``."""
        with self._write():
            number = self._figure(
                "INSERT INTO look (at, community, by, member, room, what, reason) VALUES (?, ?, ?, ?, ?, ?, ?) "
                "RETURNING number",
                *(look.at, look.community, look.by, look.member, look.room, look.what, look.reason),
            )
        return msgspec.structs.replace(look, number=number)

    def looks(
        self,
        *,
        community: int | None = None,
        member: int | None = None,
        beyond: int = 0,
        before: int | None = None,
        most: int = 50,
    ) -> list[Look]:
        """See ``ProcessReads.looks``."""
        page = Page(beyond, before)
        where, values = [page.where], [page.value]
        for name, value in (("community", community), ("member", member)):
            if value is not None:
                where.append(f"{name} = ?")
                values.append(value)
        names = ("number", "at", "community", "by", "what", "reason", "member", "room")
        rows = self._all(f"{_LOOK} WHERE {' AND '.join(where)} ORDER BY {page.order} LIMIT ?", *values, most)
        return [Look(**dict(zip(names, row, strict=True))) for row in rows]

    def save_template(self, community: int, template: Template, by: str, at: int) -> None:
        """See ``Process.save_template``."""
        if wrong := mistakes(template):
            raise ValueError("; ".join(wrong))
        with self._write():
            self._run(
                "INSERT INTO template (community, name, language, text, required, at, by) VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (community, name, language) DO UPDATE SET text = excluded.text, "
                "required = excluded.required, at = excluded.at, by = excluded.by",
                *(community, template.name, template.language, template.text),
                *(msgspec.json.encode(template.required).decode(), at, by),
            )

    def templates(self, community: int, *, language: str = "") -> list[Template]:
        """See ``ProcessReads.templates``."""
        rows = self._all(
            "SELECT name, language, text, required FROM template WHERE community = ? AND (? = '' OR language = ?) "
            "ORDER BY name, language",
            *(community, language, language),
        )
        return [
            Template(name, tag, text, msgspec.json.decode(required, type=tuple[str, ...]))
            for name, tag, text, required in rows
        ]

    def know_as(self, community: int, name: str, member: int) -> None:
        """See ``Process.know_as``."""
        with self._write():
            self._run(
                "INSERT INTO known_as (community, name, member) VALUES (?, ?, ?) "
                "ON CONFLICT (community, name) DO UPDATE SET member = excluded.member",
                *(community, name, member),
            )

    def known_as(self, community: int, name: str) -> int:
        """See ``ProcessReads.known_as``."""
        row = self._one("SELECT member FROM known_as WHERE community = ? AND name = ?", community, name)
        return int(row[0]) if row else 0

    # Members.

    def members(
        self, communities: Sequence[int], *, text: str = "", beyond: int = 0, most: int = 50
    ) -> list[MemberRow]:
        """See ``ProcessReads.members``."""
        of = marks(communities)
        values: list[object] = []
        hit = "member"
        if text := text.strip():
            small = "".join(c.lower() if c.isascii() else c for c in text)  # as the databases' lower() does it
            escaped = small.replace("!", "!!").replace("%", "!%").replace("_", "!_")
            hit = (
                "(SELECT member AS number FROM account WHERE member > ? "
                "AND lower(account || ? || coalesce(name, '')) LIKE ? ESCAPE '!' UNION "
                f"SELECT number FROM member WHERE community IN {of} AND pseudonym >= ? AND pseudonym < ?) AS hit "
                "JOIN member ON member.number = hit.number"
            )
            values += [beyond, _BETWEEN, f"%{escaped}%", *communities, small, small + _LAST_LETTER]
        # The plus keeps the database from the index by pseudonym: it would sort all members for one page of them.
        rows = self._all(
            "SELECT member.number, member.community, member.pseudonym, account.account, account.name "
            f"FROM {hit} LEFT JOIN account ON account.member = member.number "
            f"WHERE +member.community IN {of} AND member.number > ? ORDER BY member.number LIMIT ?",
            *(*values, *communities, beyond, most),
        )
        return [MemberRow._make(row) for row in rows]

    def decisions_of(self, member: int, *, before: int | None = None, most: int = 50) -> list[Decision]:
        """See ``ProcessReads.decisions_of``."""
        rows = self._all(
            "SELECT number FROM decision WHERE member = ? AND number < ? ORDER BY number DESC LIMIT ?",
            *(member, 2**62 if before is None else before, most),
        )
        found = (self._decisions.decision(number) for (number,) in rows)
        return [d for d in found if d is not None]

    def findings_of(self, member: int, *, before: int | None = None, most: int = 50) -> list[FindingRow]:
        """See ``ProcessReads.findings_of``."""
        return self._findings(member, before=before, most=most)[::-1]

    def activity_of(self, member: int) -> list[ActivityRow]:
        """See ``ProcessReads.activity_of``."""
        rows = self._all(
            "SELECT number, day, messages FROM entry WHERE kind = ? AND member = ? "
            "AND number NOT IN (SELECT reverses FROM entry WHERE reverses IS NOT NULL) ORDER BY number",
            *(ACTIVITY, member),
        )
        return [ActivityRow._make(row) for row in rows]

    # Figures.

    def add_handled(self, community: int, item: Item, by: str, verdict: str, at: int, *, waited: int) -> None:
        """See ``Process.add_handled``."""
        with self._write():
            self._run(
                "INSERT INTO handled (community, at, by, kind, item, verdict, waited) VALUES (?, ?, ?, ?, ?, ?, ?)",
                *(community, at, by, str(item.kind), item.number, verdict, max(waited, 0)),
            )

    def handled(self, community: int, since: int, until: int) -> list[HandledRow]:
        """See ``ProcessReads.handled``."""
        rows = self._all(
            "SELECT at, by, kind, item, verdict, waited FROM handled WHERE community = ? AND at >= ? AND at < ? "
            "ORDER BY at, number",
            *(community, since, until),
        )
        return [HandledRow(at, by, Item(Kind(kind), item), what, waited) for at, by, kind, item, what, waited in rows]

    def overview(self, communities: Sequence[int], since: int, until: int) -> Overview:
        """See ``ProcessReads.overview``."""
        of = marks(communities)
        waiting = {
            str(kind): self._figure(f"SELECT count(*) FROM {table} AND community IN {of}", *communities)
            for kind, table in _WAITING.items()
        }
        span = f"WHERE community IN {of} AND at >= ? AND at < ?"
        asked = (*communities, since, until)
        came: Counter[int] = Counter()
        inbound = {}
        for name, table in _INBOUND.items():
            rows = self._all(f"SELECT at / {_DAY}, count(*) FROM {table} {span} GROUP BY at / {_DAY}", *asked)
            came.update({int(day): int(n) for day, n in rows})
            inbound[name] = sum(int(n) for _, n in rows)
        done = self._all(
            f"SELECT at / {_DAY}, by, kind, count(*) FROM handled {span} GROUP BY at / {_DAY}, by, kind", *asked
        )
        kinds: Counter[str] = Counter()
        people: Counter[str] = Counter()
        days: Counter[int] = Counter()
        for day, by, kind, n in done:
            kinds[kind] += int(n)
            people[by] += int(n)
            days[int(day)] += int(n)
        reversed_ = self._figure(f"SELECT count(*) FROM decision {span} AND course = 'reversed'", *asked)
        return Overview(
            waiting=waiting,
            inbound=inbound,
            handled=dict(kinds),
            decided=inbound["decision"],
            reversed=reversed_,
            by_person=dict(people),
            by_day=tuple((day, came[day], days[day]) for day in sorted({*came, *days})),
            report_median=self._median("report", of, asked),
            appeal_median=self._median("appeal", of, asked),
        )

    def medians(self, community: int, since: int, until: int) -> Medians:
        """See ``ProcessReads.medians``."""
        of, asked = marks([community]), (community, since, until)
        return Medians(self._median("report", of, asked), self._median("appeal", of, asked))

    def _median(self, table: str, of: str, asked: Sequence[object]) -> int | None:
        """Milliseconds from the beginning to the outcome of what was closed in a span."""
        rows = self._all(
            f"SELECT closed_at - at FROM {table} WHERE community IN {of} AND closed_at >= ? AND closed_at < ?",
            *asked,
        )
        return int(median(row[0] for row in rows)) if rows else None
