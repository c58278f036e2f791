"""Reports to draw: half a year of a tea garden, and a town of 20,000."""

import datetime as dt

import numpy as np

from comity.web.report_data import (
    Band,
    BandDay,
    ClauseRow,
    Comparison,
    ComparisonRow,
    CurvePoint,
    Day,
    EntryRow,
    HarmCount,
    Person,
    Report,
    SumLine,
)

FIRST = dt.date(2025, 3, 1)
LAST = dt.date(2025, 8, 31)
SPAN = (LAST - FIRST).days
NAMES = [
    "Ana",
    "Bela",
    "Cleo",
    "Dario",
    "Edda",
    "Fenn",
    "Greta",
    "Hugo",
    "Ines",
    "Jonah",
    "Kaja",
    "Lino",
    "Mira",
    "Nils",
]
NAMES += ["Oda", "Piet", "Quinn", "Rosa", "Sami", "Tove"]
HARMS = [
    HarmCount("spam.flooding", "Flooding", 41),
    HarmCount("spam.links", "Unwanted links", 17),
    HarmCount("spam.mentions", "Mentions of everyone", 9),
    HarmCount("house", "House rules", 6),
    HarmCount("impersonation", "Look-alike names", 2),
]
_FLOOD = "Leave room for others: at most ten messages in half a minute."
_SHOP = "No links to shops. We talk about tea, we do not sell it."
_CALL = "Call everyone only when the kettle is on fire."
_BISCUITS = "Keep biscuits to #biscuits."
_NAME = "Be yourself: no name that looks like a gardener's."
CLAUSES = [
    ClauseRow("2.1", _FLOOD, "flood", "spam.flooding", "minor", "live", 41, 12),
    ClauseRow("2.2", _SHOP, "shop_link", "spam.links", "serious", "live", 17, 6),
    ClauseRow("2.3", _CALL, "mass_mention", "spam.mentions", "minor", "live", 9, 5),
    ClauseRow("3.1", _BISCUITS, "biscuits", "house", "minor", "shadow", 6, 4),
    ClauseRow("4.2", _NAME, "look_alike", "impersonation", "severe", "live", 2, 2),
]
RIGHTS = ["speak", "links", "media", "invite"]


def iso(offset: int) -> str:
    """The day so many days after the first one."""
    return (FIRST + dt.timedelta(days=offset)).isoformat()


def band_of(standing: int) -> Band:
    """The band of a standing in thousandths of a point."""
    lines: list[tuple[int, Band]] = [(85_000, "trusted"), (70_000, "good"), (50_000, "suspended"), (25_000, "no_links")]
    return next((band for line, band in lines if standing >= line), "muted")


def garden() -> Report:
    """A group of sixty with findings, a clause in shadow, newcomers, and a second charter to compare with."""
    draw = np.random.default_rng(7)
    people = [_member(index, draw) for index in range(60)]
    return Report(
        title="Tea Garden, spring and summer 2025",
        community="Tea Garden",
        charter_name="Tea Garden charter, second edition",
        time_zone="Europe/Lisbon",
        first="2025-03-01T07:12:09.000Z",
        last="2025-08-31T20:40:00.000Z",
        events=15_310,
        messages=14_502,
        members=60,
        rooms=4,
        unread=3,
        days=[_day(offset, draw) for offset in range(SPAN + 1) if offset % 37 != 20],
        harms=HARMS,
        clauses=CLAUSES,
        bands=[_bands(offset) for offset in range(SPAN + 1)],
        people=people,
        comparison=_comparison(people),
    )


def large(members: int = 20_000, points: int = 20) -> Report:
    """A town: so many members, each with a curve of so many points, one in ten with findings."""
    draw = np.random.default_rng(11)
    people = [_member(index, draw, points=points, curve_for_all=True) for index in range(members)]
    days = [_day(offset, draw) for offset in range(SPAN + 1)]
    garden_ = garden()
    return Report(
        **{name: getattr(garden_, name) for name in garden_.__struct_fields__}
        | {
            "people": people,
            "days": days,
            "members": members + 4_000,
            "people_left_out": 4_000,
            "title": "A whole town",
        }
    )


def _day(offset: int, draw: np.random.Generator) -> Day:
    wave = 1 + 0.5 * np.sin(offset / 9) + (0.8 if offset % 7 in (0, 1) else 0)
    findings = {harm.harm: int(draw.poisson(harm.findings / 120)) for harm in HARMS}
    messages = int(draw.poisson(60 * wave))
    return Day(
        iso(offset), messages, min(messages, int(draw.poisson(14 * wave))), {k: n for k, n in findings.items() if n}
    )


def _bands(offset: int) -> BandDay:
    grown = offset / SPAN
    late = 1 if offset > 70 else 0
    return BandDay(
        iso(offset), 14 - int(6 * grown), int(24 * grown), 18 + int(8 * grown), 2 * late, late, int(90 < offset < 110)
    )


def _member(index: int, draw: np.random.Generator, *, points: int = 27, curve_for_all: bool = False) -> Person:
    found = (3 if index == 3 else 1 + index % 4) if index % 10 == 3 else 0
    active = int(draw.integers(1, 120))
    messages = active * int(draw.integers(1, 9))
    history = 20 * active
    costs = [int(cost) for cost in draw.integers(1_201, 19_999, found)]
    counts = [index % 20 == 3 or turn != 1 for turn in range(found)]
    total = 95_000 + history - sum(cost for cost, counted in zip(costs, counts, strict=True) if counted)
    entries = [
        _entry(index * 10 + turn, turn, cost, total=total, clause=CLAUSES[int(draw.integers(0, 3)) if counted else 3])
        for turn, (cost, counted) in enumerate(zip(costs, counts, strict=True))
    ]
    lines = [SumLine("Start, as everybody", 95_000, "start"), SumLine(f"{active} active days", history, "history")]
    lines += [
        SumLine(f"Entry {entry.number}, clause {entry.clause}, {entry.at[:10]}", -entry.weight_today, "finding")
        for entry in entries
        if entry.counted
    ]
    newcomer = active < 3 and not found
    band: Band = "newcomer" if newcomer else band_of(total)
    allowed = {"muted": 0, "no_links": 1, "suspended": 3, "newcomer": 1}.get(band, 4)
    return Person(
        pseudonym=f"{(index * 2654435761) % 2**48:012x}{index:04x}",
        name=f"{NAMES[index % 20]}{'' if index < 20 else ' ' + str(index // 20)}",
        first_day=iso(index % 60),
        last_day=iso(SPAN - index % 50),
        active_days=active,
        messages=messages,
        standing=total,
        low=_interval(total, found)[0],
        high=_interval(total, found)[1],
        band=band,
        newcomer=newcomer,
        verified=index % 9 == 0,
        rights=RIGHTS[:allowed],
        lost=[] if newcomer else RIGHTS[allowed:],
        missing="Links need three active days; this is the second." if newcomer else "",
        curve=_curve(total, found, points, draw) if found or curve_for_all else [],
        entries=entries,
        sum=[*lines, SumLine("Standing today", total, "total")],
    )


def _entry(number: int, turn: int, cost: int, *, total: int, clause: ClauseRow) -> EntryRow:
    counted = clause.state == "live"
    return EntryRow(
        number=number,
        at=f"{iso(150 - 12 * turn)}T{8 + turn:02d}:14:31.000Z",
        clause=clause.id,
        rule=clause.rule,
        harm=clause.harm,
        severity=clause.severity,
        room="#garden",
        event=f"$event-{number}",
        excerpt=["Kettle! Kettle! Kettle!", "My shop has tea: https://tea.example/", "@room where is my cup?"][
            turn % 3
        ],
        figures="14 messages in #garden within 30 seconds; allowed are 10.",
        weight_today=cost if counted else 0,
        without_it=total + cost if counted else None,
        forgotten_on=iso(330 - 12 * turn),
        counted=counted,
        note="" if counted else "The clause is in shadow.",
    )


def _curve(total: int, found: int, points: int, draw: np.random.Generator) -> list[CurvePoint]:
    steps = np.linspace(0, SPAN, points).astype(int)
    path = 95_000 + np.linspace(0, total - 95_000, points) - 9_000 * np.abs(np.sin(np.linspace(0, 6, points)))
    path[-1] = total
    curve = []
    for offset, value in zip(steps, path.clip(0, 100_000).astype(int), strict=True):
        around = int(draw.integers(2_000, 9_000))
        low, high = max(0, int(value) - around), min(100_000, int(value) + around // 2)
        curve.append(CurvePoint(iso(int(offset)), int(value), low, high, band_of(int(value))))
    curve[-1] = CurvePoint(curve[-1].day, total, *_interval(total, found), band_of(total))
    return curve


def _interval(total: int, found: int) -> tuple[int, int]:
    return max(0, total - 2_000 - 4_000 * found), min(100_000, total + 1_500 + 1_000 * found)


def _comparison(people: list[Person]) -> Comparison:
    rows = [
        ComparisonRow(
            pseudonym=person.pseudonym,
            name=person.name,
            old_standing=person.standing,
            new_standing=person.standing - 6_500 * turn,
            old_band=person.band,
            new_band=band_of(person.standing - 6_500 * turn),
            losses=["invite"],
            why=["Clause 2.3 becomes serious: one finding weighs three times as much."],
        )
        for turn, person in enumerate((p for p in people if p.entries), start=1)
    ]
    return Comparison(
        "Tea Garden charter, second edition",
        "third draft",
        rows,
        [f"{len(rows)} of 60 members would be treated differently.", "Nobody would be muted or removed."],
    )
