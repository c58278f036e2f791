"""Activity and findings of many members as columns, summed to one row for each (member, day).

Columns may come in any order and in any number of parts: rows of one (member, day) add up before anything is rounded,
and whatever follows is sums of whole numbers.
"""

from typing import Final, NamedTuple

import numpy as np

from comity.core.harm import Severity
from comity.core.interval import Flags, Ints
from comity.core.parameters import Parameters
from comity.core.tables import exposures, spread

_NEVER: Final = -(1 << 60)
_TABLE: Final = 1024
_AT_ONCE: Final = 131_072  # findings that are sorted together, about


class ActiveColumns(NamedTuple):
    """Own messages by day; several rows may name one (member, day). All of shape (rows,).

    member: from 0; day: days since 1970; messages: >= 0.
    """

    member: Ints
    day: Ints
    messages: Ints


class CountedColumns(NamedTuple):
    """Findings in force; every rule that found the same event is a row. All of shape (rows,).

    member: from 0; day: days since 1970; severity: 1, 3, or 6; message: number of the event; reported: began with a
    report.
    """

    member: Ints
    day: Ints
    severity: Ints
    message: Ints
    reported: Flags


def fold_activity(activity: ActiveColumns, parameters: Parameters) -> tuple[Ints, Ints, Ints]:
    """Exposure in thousandths of each active day: (member, day, exposure), sorted, each of shape (active days,)."""
    member, day, messages = activity
    if not len(member):
        return (_none := np.zeros(0, dtype=np.int64)), _none, _none
    if messages.min() < 0:
        raise ValueError(f"messages must be >= 0, got {messages.min()}")
    # A part above a full day's messages makes the day full whatever else there is, so it may be cut. Then it fits
    # beside the key, and one sort of plain numbers does it all, several times faster than sorting rows.
    first, full = int(day.min()), parameters.full_day
    span = int(day.max()) - first + 1
    if int(member.max() + 1) * span * (full + 1) >= 1 << 62:
        raise ValueError(f"{span} days are too many for so many members: give the remembered ones")
    packed = (member * span + (day - first)) * (full + 1) + np.minimum(messages, full)
    packed = np.sort(packed[messages > 0])
    key, part = np.divmod(packed, full + 1)
    starts = starts_of(key)
    member, age = np.divmod(key[starts], span)
    total = np.add.reduceat(part, starts) if len(starts) else part
    return member, age + first, exposures(full)[np.minimum(total, full)]


def fold_counted(findings: CountedColumns, members: int, parameters: Parameters) -> tuple[Ints, Ints, Ints]:
    """Weight in thousandths of each day on which findings count: (member, day, weight), sorted, of shape (days,)."""
    if not len(findings.member):
        return (_none := np.zeros(0, dtype=np.int64)), _none, _none
    if not np.isin(findings.severity, list(Severity)).all():
        raise ValueError(f"severities must be 1, 3, or 6, got {np.unique(findings.severity)}")
    if len(findings.member) <= _AT_ONCE:
        return _fold_counted(findings, members, parameters)
    # A member's sum is of that member's rows alone; some members at a time need a fraction of the memory.
    part_of = np.cumsum(np.bincount(findings.member, minlength=members)) // _AT_ONCE
    parts = []
    for part in np.unique(part_of[findings.member]).tolist():
        rows = part_of[findings.member] == part
        some = CountedColumns(*(column[rows] for column in findings))
        parts.append(_fold_counted(some, members, parameters))
    member, day, weight = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return member, day, weight


def _fold_counted(findings: CountedColumns, members: int, parameters: Parameters) -> tuple[Ints, Ints, Ints]:
    order = np.lexsort((findings.message, findings.day, findings.member))
    member, day, severity, message = (column[order] for column in findings[:4])
    reported = findings.reported[order]
    one = starts_of(member, day, message)
    soft = reported & (severity < Severity.SEVERE)  # those a finding before can quieten
    firm = np.maximum.reduceat(np.where(soft, 0, severity), one)
    mild = np.maximum.reduceat(np.where(soft, severity, 0), one)
    minor = np.where(soft & (severity == Severity.MINOR), 1, 0)
    minor = np.maximum(
        np.maximum.reduceat(minor, one), firm
    )  # what is left of the message if its serious report is quiet
    mild[mild <= firm] = 0
    member, day = member[one], day[one]
    days = starts_of(member, day)

    def count(which: Flags) -> Ints:
        return np.add.reduceat(which.astype(np.int64), days)

    kinds = [
        *(count((mild == 0) & (firm == severity)) for severity in Severity),
        count((mild == Severity.MINOR) & (firm == 0)),
        count((mild == Severity.SERIOUS) & (minor == 0)),
        count((mild == Severity.SERIOUS) & (firm == 0) & (minor == Severity.MINOR)),
        count((mild == Severity.SERIOUS) & (firm == Severity.MINOR)),
    ]
    member, day = member[days], day[days]
    counts = _counting(member, day, kinds, members, parameters)
    weight = np.zeros(len(member), dtype=np.int64)
    for which, number in zip(Severity, counts, strict=True):
        weight += np.where(number > 0, parameters.weight(which) * (1000 + _spread(number, parameters.doubling)), 0)
    some = weight > 0
    return member[some], day[some], weight[some]


def _counting(
    member: Ints, day: Ints, kinds: list[Ints], members: int, parameters: Parameters
) -> tuple[Ints, Ints, Ints]:
    """How many findings count of each (member, day), by severity; rows sorted by member and day.

    kinds: messages whose firm finding is minor, serious, severe; whose reported one is minor; serious; serious beside a
    reported minor; serious beside a firm minor.
    """
    firm_minor, firm_serious, severe, minor, serious, serious_or_minor, serious_or_firm = kinds
    counts = firm_minor.copy(), firm_serious.copy(), severe
    last_any, last_serious = np.full(members, _NEVER), np.full(members, _NEVER)
    reported = serious + serious_or_minor + serious_or_firm
    uncertain = np.zeros(members, dtype=np.bool_)
    uncertain[member[(minor + reported) > 0]] = True
    rows = np.flatnonzero(uncertain[member])
    starts = starts_of(member[rows])
    place = np.arange(len(rows)) - np.repeat(
        starts, np.diff([*starts, len(rows)])
    )  # of the day among its member's days
    by_place = rows[np.argsort(place, kind="stable")]
    # What counts today decides what is quiet tomorrow: first the first day of every member, then the second of all ...
    for at in np.split(by_place, np.cumsum(np.bincount(place))[:-1]) if len(rows) else ():
        who, today = member[at], day[at]
        loud = today - last_any[who] > parameters.quiet_days
        loud_serious = today - last_serious[who] > parameters.quiet_days
        counts[1][at] += np.where(loud_serious, reported[at], 0)
        counts[0][at] += np.where(loud, minor[at], 0) + np.where(loud_serious, 0, serious_or_firm[at])
        counts[0][at] += np.where(~loud_serious & loud, serious_or_minor[at], 0)
        grave = counts[1][at] + counts[2][at] > 0
        last_serious[who] = np.where(grave, today, last_serious[who])
        last_any[who] = np.where(grave | (counts[0][at] > 0), today, last_any[who])
    return counts


def _spread(findings: Ints, doubling: int) -> Ints:
    table = np.array([0, *(spread(k, doubling) for k in range(1, _TABLE))], dtype=np.int64)
    found = table[np.minimum(findings, _TABLE - 1)]
    for many in np.unique(findings[findings >= _TABLE]):
        found[findings == many] = spread(int(many), doubling)
    return found


def starts_of(*sorted_columns: Ints) -> Ints:
    """Where a new group of equal rows begins."""
    if not len(sorted_columns[0]):
        return np.zeros(0, dtype=np.int64)
    changes = np.zeros(len(sorted_columns[0]) - 1, dtype=np.bool_)
    for column in sorted_columns:
        changes |= column[1:] != column[:-1]
    return np.concatenate(([0], np.flatnonzero(changes) + 1))
