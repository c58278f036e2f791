"""Appeals in SQL, heard by somebody who decided nothing in the case."""

# ruff: noqa: S608 - what is put into these queries is our own names, and question marks

from collections.abc import Sequence
from typing import Any, Final

from comity.core.appeal import Appeal, Heard
from comity.stores.api_contract import Happened
from comity.stores.contract import Refusal
from comity.stores.process_tables import PARTIAL
from comity.stores.sql_api import happened
from comity.stores.sql_base import Page, Sql

_COLUMNS: Final = "number, at, due, community, member, decision, report, text, fast, heard, closed_at, by, reason"
_APPEAL: Final = f"SELECT {_COLUMNS} FROM appeal"
_APART: Final = PARTIAL.format(appeal="appeal.number", by="?", community="appeal.community")
_HEARD: Final = frozenset({Heard.UPHELD, Heard.REVERSED})


class SqlAppeals(Sql):
    """See ``process_contract``."""

    def add_appeal(self, appeal: Appeal, rank: int) -> Appeal | Refusal:
        """See ``Process.add_appeal``."""
        a = appeal
        with self._write():
            heard = self._one(
                "SELECT heard FROM appeal WHERE decision = ? AND report = ? AND heard <> 'withdrawn'",
                *(a.decision, a.report),
            )
            if heard:
                same = "an appeal against it is open" if heard[0] == Heard.OPEN else "an appeal against it was heard"
                return Refusal(same)
            number = self._figure(
                "INSERT INTO appeal (at, due, community, member, decision, report, text, fast, rank, heard, closed_at, "
                "by, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', NULL, '', '') RETURNING number",
                *(a.at, a.due, a.community, a.member, a.decision, a.report, a.text, int(a.fast), rank),
            )
            return self._hear(self._there(number), Happened.LODGED, a.at)

    def add_evidence(self, appeal: int, at: int, text: str) -> Appeal | Refusal:
        """See ``Process.add_evidence``."""
        with self._write():
            found = self.appeal(appeal)
            if found is None or found.heard is not Heard.OPEN:
                return Refusal("the appeal is not open any more")
            self._run(
                "INSERT INTO appeal_evidence (appeal, place, at, text) VALUES (?, ?, ?, ?)",
                *(appeal, len(found.evidence), at, text),
            )
            return self._there(appeal)

    def close_appeal(self, number: int, heard: Heard, by: str, reason: str, at: int) -> Appeal | Refusal:
        """See ``Process.close_appeal``."""
        if heard is Heard.OPEN or not reason.strip():
            raise ValueError("an appeal is closed with an outcome and a reason")
        # The same condition as the trigger's, within the same transaction: a database without it holds it as well.
        apart, names = (f" AND NOT ({_APART})", [by] * _APART.count("?")) if heard in _HEARD else ("", [])
        with self._write():
            done = self._run(
                "UPDATE appeal SET heard = ?, closed_at = ?, by = ?, reason = ? WHERE number = ? AND heard = 'open'"
                + apart,
                *(str(heard), at, by, reason, number, *names),
            )
            if done.rowcount > 0:
                return self._hear(self._there(number), Happened.HEARD, at)
            found = self.appeal(number)
        if found is None or found.heard is not Heard.OPEN:
            return Refusal(f"appeal {number} is not open any more")
        return Refusal("somebody else must hear it: you decided in this case, or are in it")

    def appeal(self, number: int) -> Appeal | None:
        """See ``ProcessReads.appeal``."""
        found = self._appeals("number = ?", number)
        return found[0] if found else None

    def appeals(
        self,
        *,
        community: int | None = None,
        member: int | None = None,
        decision: int | None = None,
        report: int | None = None,
        beyond: int = 0,
        before: int | None = None,
        most: int = 50,
    ) -> list[Appeal]:
        """See ``ProcessReads.appeals``."""
        page = Page(beyond, before)
        where, values = [page.where], [page.value]
        asked = {"community": community, "member": member, "decision": decision, "report": report}
        for name, value in asked.items():
            if value is not None:
                where.append(f"{name} = ?")
                values.append(value)
        return self._appeals(f"{' AND '.join(where)} ORDER BY {page.order} LIMIT ?", *values, most)

    def appeals_due(self, now: int, *, most: int = 100) -> list[Appeal]:
        """See ``Process.appeals_due``."""
        return self._appeals("heard = 'open' AND due <= ? ORDER BY due, number LIMIT ?", now, most)

    def deciders(self, appeal: int) -> set[str]:
        """See ``ProcessReads.deciders``."""
        return {by for (by,) in self._all("SELECT by FROM decided_in WHERE appeal = ? AND by <> ''", appeal)}

    def _appeals(self, where: str, *values: object) -> list[Appeal]:
        rows = self._all(f"{_APPEAL} WHERE {where}", *values)
        return [self._with_evidence(row) for row in rows]

    def _with_evidence(self, row: Sequence[Any]) -> Appeal:
        values = dict(zip(_COLUMNS.split(", "), row, strict=True))
        added = self._all("SELECT at, text FROM appeal_evidence WHERE appeal = ? ORDER BY place", row[0])
        values |= {"fast": bool(values["fast"]), "heard": Heard(values["heard"])}
        return Appeal(**values, evidence=tuple((at, text) for at, text in added))

    def _hear(self, appeal: Appeal, kind: Happened, at: int) -> Appeal:
        """Let webhooks hear of an appeal."""
        against = {"decision": appeal.decision} if appeal.decision else {"report": appeal.report}
        told = {"appeal": appeal.number, **against, "heard": str(appeal.heard), "due": appeal.due}
        with self._told():
            happened(self._db, kind, appeal.community, at, told, member=appeal.member)
        return appeal

    def _there(self, number: int) -> Appeal:
        found = self.appeal(number)
        if found is None:
            raise KeyError(number)
        return found
