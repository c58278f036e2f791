"""What ``comity charter compare`` tells: rights first, then clauses, then who; for people and for machines."""

from collections.abc import Mapping, Sequence

import click

from comity.cli.printing import counted, points, printable, table
from comity.compare import Difference, Treatment
from comity.core.review import Precision
from comity.importance import by_clause, by_right
from comity.web.curves import band_name
from comity.web.report_data import Comparison, ComparisonRow

_SHOWN = 20
Judged = Mapping[str, Precision]  # by clause id; those of which something was judged


def told(old: str, new: str, differences: Sequence[Difference]) -> Comparison:
    """The differences between two charters, by their names, in sentences and rows."""
    losing = sum(bool(d.losses) for d in differences)
    gaining = sum(bool(d.gains) for d in differences)
    who = counted(len(differences), "member") if differences else "No member"
    summary = [f"{who} would be treated differently under {new} than under {old}."]
    if losing or gaining:
        summary.append(
            f"{losing:,} would have lost a right that they kept; {gaining:,} would have kept one that they lost."
        )
    elif differences:
        summary.append("Nobody would have lost or kept a right because of it.")
    rows = [
        ComparisonRow(
            pseudonym=d.pseudonym,
            name=d.name,
            old_standing=d.old.lowest,
            new_standing=d.new.lowest,
            old_band=band_name(d.old.band, newcomer=False),
            new_band=band_name(d.new.band, newcomer=False),
            gains=[str(r) for r in d.gains],
            losses=[str(r) for r in d.losses],
            why=list(d.why),
        )
        for d in differences
    ]
    return Comparison(old, new, rows, summary)


def for_machines(differences: Sequence[Difference], judged: Judged) -> dict[str, object]:
    """Rights, clauses and members, each the most important first."""
    return {
        "rights": [{**row._asdict(), "right": str(row.right)} for row in by_right(differences)],
        "clauses": [{**row._asdict(), "precision": judged.get(row.clause_id)} for row in by_clause(differences)],
        "members": [_json(d) for d in differences],
    }


def for_people(comparison: Comparison, differences: Sequence[Difference], judged: Judged) -> None:
    """Print sentences and tables."""
    for sentence in comparison.summary:
        click.echo(printable(sentence))
    if rights := by_right(differences):
        table(
            "Which rights",
            ["right", "members who would lose it", "who would keep it"],
            [[str(r.right), f"{r.losing:,}", f"{r.gaining:,}"] for r in rights],
            right=(1, 2),
        )
    if clauses := by_clause(differences):
        columns = ["clause", "lose a right", "keep one", "found of, newly", "no longer", "findings", "right so far"]
        rows = [
            [printable(c.clause_id), f"{c.losing:,}", f"{c.gaining:,}", f"{c.more:,}", f"{c.fewer:,}",
             f"{c.findings:+,}", _precision(judged.get(c.clause_id))]
            for c in clauses
        ]  # fmt: skip
        kept = len(columns) if judged else len(columns) - 1
        table("By which clause", columns[:kept], [row[:kept] for row in rows], right=(1, 2, 3, 4, 5))
    rows = [
        [
            printable(d.name or d.pseudonym),
            f"{points(d.old.lowest)} → {points(d.new.lowest)}",
            f"{_band(d.old)} → {_band(d.new)}",
            "; ".join(map(printable, d.why)),
        ]
        for d in differences[:_SHOWN]
    ]
    if rows:
        table("Who would be treated differently", ["member", "lowest standing", "band then", "why"], rows)
    if len(differences) > _SHOWN:
        click.echo(f"{len(differences) - _SHOWN:,} more: use --json or --report to see all.")


def _precision(found: Precision | None) -> str:
    if found is None:
        return "nothing judged yet"
    return f"{100 * found.low:.0f} to {100 * found.high:.0f} % ({found.right + found.wrong:,} judged)"


def _json(d: Difference) -> dict[str, object]:
    return {
        "name": d.name,
        "pseudonym": d.pseudonym,
        "old": _treatment(d.old),
        "new": _treatment(d.new),
        "gains": [str(r) for r in d.gains],
        "losses": [str(r) for r in d.losses],
        "why": list(d.why),
    }


def _treatment(treatment: Treatment) -> dict[str, object]:
    return {"lowest": treatment.lowest, "band": treatment.band.name.lower(), "findings": dict(treatment.found)}


def _band(treatment: Treatment) -> str:
    return treatment.band.name.lower().replace("_", " ")
