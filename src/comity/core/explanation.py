"""What a standing is made of, line by line, adding up exactly: nobody has to take a number on trust.

S - S0 = Σ 500·α0·a/(n0·N) over active days - Σ 500·(n0 - α0)·b/(n0·N) over findings, with N = n0 + A + B: the
difference of the two fractions S and S0, split over what A and B are sums of. What the cap takes from history and what
the floor at 0 adds are lines of their own, so that the sum holds for everybody.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from comity.core.harm import Severity
from comity.core.parameters import DEFAULT, Parameters
from comity.core.standing import (
    Counted,
    Standing,
    active,
    day_weight,
    shares,
    standing,
    without,
)
from comity.core.tables import exposures, left

WHY: Mapping[str, str] = {
    "same message": "another finding on the same message counts instead",
    "after another": "it began with a report, shortly after another finding that counts",
}


class Line(msgspec.Struct, frozen=True):
    """One line of an explanation.

    kind: what it is about ("cap": the most that history can weigh; "floor": standing is never below 0); numerator:
    points, over the explanation's ``denominator``; shown: thousandths of a point; day and messages: of activity, day of
    a finding; days: how many active days it stands for; weight: what is left of it today, in thousandths · 2^-20;
    forgotten: the day from which nothing is left. Of a finding only: entry, severity, why it weighs nothing (empty if
    it weighs something), and without: standing without it, in thousandths of a point.
    """

    kind: Literal["activity", "finding", "cap", "floor"]
    numerator: int
    weight: int = 0
    shown: int = 0
    day: int | None = None
    days: int = 0
    messages: int = 0
    forgotten: int | None = None
    entry: int | None = None
    severity: Severity | None = None
    why: str = ""
    without: int | None = None


class Explanation(msgspec.Struct, frozen=True):
    """A standing and its lines: findings by day, then activity by day, then cap and floor where they act.

    start: S0 in thousandths of a point; denominator: of every line's numerator. The numerators add up to (S -
    S0)·denominator, the shown figures to ``standing.points`` - start, both exactly.
    """

    standing: Standing
    start: int
    denominator: int
    lines: tuple[Line, ...]


def explain(
    activity: Mapping[int, int] | Iterable[tuple[int, int]],
    findings: Sequence[Counted],
    day: int,
    *,
    verified: bool = False,
    parameters: Parameters = DEFAULT,
    each: bool = True,
) -> Explanation:
    """Every line a member's standing on a day is made of; arguments and errors as for ``standing.standing``.

    each: whether what standing would be without it is worked out for every finding; else ask ``withouts`` for some.
    """
    by_day = active(activity)
    now = standing(by_day, findings, day, verified=verified, parameters=parameters)
    gain = 500 * parameters.prior_findings  # per thousandth of history
    loss = 500 * (1000 * parameters.days(verified=verified) - parameters.prior_findings)  # per thousandth of findings

    points_without = withouts(now, by_day, findings) if each else None
    lines = [*_findings(findings, day, parameters, loss, points_without), *_activity(by_day, day, parameters, gain)]
    if cut := now.uncapped - now.history:
        lines.append(Line("cap", -gain * cut, -cut))
    denominator = 1000 * parameters.days(verified=verified) * now.total
    below = 100 - 500 * now.harm
    if below < 0:
        lines.append(Line("floor", int(-below * denominator)))
    start = parameters.start(verified=verified)
    return Explanation(now, start, denominator, _shown(lines, denominator, now.points - start))


def grouped(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The same lines with all active days as one ("12 active days"), in the place of the first; sums stay."""
    kept: list[Line] = []
    place: int | None = None
    for line in lines:
        if line.kind != "activity":
            kept.append(line)
        elif place is None:
            place = len(kept)
            kept.append(msgspec.structs.replace(line, day=None))
        else:
            sofar = kept[place]
            kept[place] = msgspec.structs.replace(
                sofar,
                numerator=sofar.numerator + line.numerator,
                weight=sofar.weight + line.weight,
                shown=sofar.shown + line.shown,
                days=sofar.days + line.days,
                messages=sofar.messages + line.messages,
                forgotten=max(sofar.forgotten or 0, line.forgotten or 0),
            )
    return tuple(kept)


def _findings(
    findings: Sequence[Counted],
    day: int,
    parameters: Parameters,
    loss: int,
    points_without: Callable[[int], int] | None,
) -> list[Line]:
    """Remembered findings with what is left of them: the day's weight split evenly, odd units to the first."""
    decay = left(parameters.half_life, parameters.forgotten)
    lines = []
    for share in shares(findings, parameters):
        found, age = share.finding, day - share.finding.day
        if not 0 <= age < parameters.forgotten:
            continue
        weight = 0
        if share.of:
            each, odd = divmod(day_weight(found.severity, share.of, parameters) * int(decay[age]), share.of)
            weight = each + (share.place < odd)
        lines.append(
            Line(
                "finding",
                -loss * weight,
                weight,
                day=found.day,
                forgotten=found.day + parameters.forgotten,
                entry=found.entry,
                severity=found.severity,
                why=WHY[share.why] if share.why else "",
                without=points_without(found.entry) if points_without else None,
            )
        )
    return lines


def withouts(now: Standing, by_day: Mapping[int, int], findings: Sequence[Counted]) -> Callable[[int], int]:
    """What gives the points (thousandths) without a finding, by its entry: the standing it is told by, made of these.

    Quick for each, unless one of the findings began with a report. Raises KeyError for an entry that is not among them.
    """
    p = now.parameters
    if any(f.reported for f in findings):
        # Whether one that began with a report counts depends on what came days before: then all are summed anew.
        return lambda entry: without(entry, by_day, findings, now.day, verified=now.verified, parameters=p).points
    decay = left(p.half_life, p.forgotten)
    of = {f.entry: f for f in findings}
    together: dict[tuple[int, int], list[Counted]] = {}  # those on one message of one day, of which the heaviest counts
    for f in findings:
        together.setdefault((f.day, f.message), []).append(f)
    counts: dict[int, Counter[Severity]] = {}
    for (on, _), some in together.items():
        counts.setdefault(on, Counter())[max(f.severity for f in some)] += 1

    def points(entry: int) -> int:
        gone = of[entry]
        some, before = together[gone.day, gone.message], counts[gone.day]
        after = before - Counter([max(f.severity for f in some)])
        after += Counter([max(f.severity for f in some if f.entry != entry)] if len(some) > 1 else [])
        lighter = _heavy(before, p) - _heavy(after, p)
        return msgspec.structs.replace(now, weight=now.weight - lighter * int(decay[now.day - gone.day])).points

    return points


def _heavy(counts: Mapping[Severity, int], parameters: Parameters) -> int:
    """What the findings of a day weigh, by how many of each severity count."""
    return sum(day_weight(severity, count, parameters) for severity, count in counts.items())


def _activity(by_day: Mapping[int, int], day: int, parameters: Parameters, gain: int) -> list[Line]:
    decay, exposure = left(parameters.half_life, parameters.forgotten), exposures(parameters.full_day)
    lines = []
    for active_day, messages in by_day.items():
        if messages and 0 <= day - active_day < parameters.forgotten:
            weight = int(exposure[min(messages, parameters.full_day)]) * int(decay[day - active_day])
            until = active_day + parameters.forgotten
            lines.append(
                Line("activity", gain * weight, weight, day=active_day, days=1, messages=messages, forgotten=until)
            )
    return lines


def _shown(lines: Sequence[Line], denominator: int, total: int) -> tuple[Line, ...]:
    """Round every line to thousandths of a point so that they add up to ``total``: by the largest remainder.

    Lines of nothing stay nothing. Possible, because the exact lines add up to less than one away from ``total``.
    """
    parts = [divmod(1000 * line.numerator, denominator) for line in lines]
    missing = total - sum(floor for floor, _ in parts)
    largest_rest_first = sorted((i for i, line in enumerate(lines) if line.numerator), key=lambda i: (-parts[i][1], i))
    up = set(largest_rest_first[:missing])
    return tuple(msgspec.structs.replace(line, shown=parts[i][0] + (i in up)) for i, line in enumerate(lines))
