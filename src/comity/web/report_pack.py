"""The report's data as compact JSON for the page: arrays instead of objects, texts named once, days as numbers.

A head with what the overview needs, and the members' details in chunks that the page parses when one of them is opened:
20,000 members with 20 points each open at once, also on a phone.
"""

import datetime as dt
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, get_args

from markupsafe import Markup

from comity.web.report_data import Band, Comparison, CurvePoint, EntryRow, Person, Report

CHUNK = 200
BAND_LABELS: dict[Band, str] = {
    "newcomer": "Newcomer",
    "trusted": "Trusted",
    "good": "In good standing",
    "suspended": "Management suspended",
    "no_links": "No links or media",
    "muted": "Muted",
}
_BANDS: dict[str, int] = {band: index for index, band in enumerate(get_args(Band))}
_EPOCH = dt.date(1970, 1, 1).toordinal()
# Inside a script element only "<" can end or change it; U+2028 and U+2029 end a line for older readers.
_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


class Texts:
    """Texts that recur, each kept once. ``self[text]`` is its number, given at first sight."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __getitem__(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def script_json(value: object) -> Markup:
    """Write a value as JSON that is harmless inside a script element, also with half a surrogate pair in a text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
    return Markup(text.encode("utf-8", "backslashreplace").decode())  # noqa: S704 - every "<" is escaped above


def pack(report: Report) -> tuple[Markup, list[Markup]]:
    """Pack a report into its head and its chunks of ``CHUNK`` members each, as JSON.

    Raises ValueError if a member's sum does not add up to the standing shown, or names an unknown band.
    """
    texts = Texts()
    details = [_detail(person, texts) for person in report.people]
    head = {
        "zone": report.time_zone,
        "chunk": CHUNK,
        "harms": [[harm.harm, harm.title] for harm in report.harms],
        "bands": [[band, BAND_LABELS[band]] for band in get_args(Band)],
        "lines": [[line.standing, line.label] for line in report.band_lines],
        "clauses": {clause.id: [clause.text, clause.state] for clause in report.clauses},
        "days": [[number(day.day), day.messages, day.members, day.findings] for day in report.days],
        "bandDays": [[number(day.day), *(getattr(day, band) for band in get_args(Band))] for day in report.bands],
        "people": [_row(person) for person in report.people],
        "comparison": _comparison(report.comparison),
        "texts": list(texts.numbers),
    }
    chunks = [script_json(details[start : start + CHUNK]) for start in range(0, len(details), CHUNK)]
    return script_json(head), chunks


@lru_cache(maxsize=65_536)
def number(day: str) -> int:
    """Days since 1970 of an ISO date. Raises ValueError if it is none."""
    return dt.date.fromisoformat(day).toordinal() - _EPOCH


def _row(person: Person) -> list[Any]:
    flags = person.newcomer + 2 * person.verified
    days = (number(person.first_day), number(person.last_day), person.active_days, person.messages)
    points = (person.standing, person.low, person.high, _band(person))
    return [person.pseudonym, person.name, *days, *points, flags, len(person.entries)]


def _detail(person: Person, texts: Texts) -> list[Any]:
    _check(person)
    return [
        [texts[right] for right in person.rights],
        [texts[right] for right in person.lost],
        texts[person.missing],
        _curve(person.curve),
        [_entry(entry, texts) for entry in sorted(person.entries, key=_when, reverse=True)],
        [[texts[line.label], line.points, line.kind] for line in person.sum],
    ]


def _check(person: Person) -> None:
    """An addition that does not add up would be worse than none."""
    if not person.sum:
        return
    lines, total = person.sum[:-1], person.sum[-1]
    added = sum(line.points for line in lines)
    if total.kind != "total" or not added == total.points == person.standing:
        raise ValueError(
            f"the sum of {person.pseudonym} must end with a total that its lines add up to and that is the standing, "
            f"{person.standing}; got lines of {added} and a {total.kind} of {total.points}"
        )


def _curve(curve: Sequence[CurvePoint]) -> list[int]:
    """Each point as five differences from the one before (day, standing, low, high, band): half the digits."""
    flat: list[int] = []
    before = (0, 0, 0, 0, 0)
    for point in curve:
        now = (number(point.day), point.standing, point.low, point.high, _band(point))
        flat += [after - ahead for after, ahead in zip(now, before, strict=True)]
        before = now
    return flat


def _when(entry: EntryRow) -> tuple[str, int]:
    return entry.at, entry.number


def _entry(entry: EntryRow, texts: Texts) -> list[Any]:
    about = (entry.clause, entry.rule, entry.harm, entry.severity, entry.room)
    weighs = (
        entry.weight_today,
        entry.without_it,
        entry.forgotten_on and number(entry.forgotten_on),
        int(entry.counted),
    )
    return [
        entry.number,
        entry.at,
        *(texts[text] for text in about),
        entry.event,
        entry.excerpt,
        entry.figures,
        *weighs,
        texts[entry.note],
    ]


def _comparison(comparison: Comparison | None) -> list[list[Any]] | None:
    if comparison is None:
        return None
    return [
        [
            row.pseudonym,
            row.name,
            row.old_standing,
            row.new_standing,
            _BANDS[row.old_band],
            _BANDS[row.new_band],
            row.gains,
            row.losses,
            row.why,
        ]
        for row in comparison.rows
    ]


def _band(holder: Person | CurvePoint) -> int:
    if holder.band not in _BANDS:
        raise ValueError(f"a band is one of {', '.join(_BANDS)}; got {holder.band!r}")
    return _BANDS[holder.band]
