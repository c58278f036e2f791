"""What the report shows, as plain values: filled by replay, drawn by ``comity.web.report``.

Points are integers in thousandths of a point of standing (0 to 100,000), so that the sums shown really add up.
Days are ISO dates in the charter's time zone; times are RFC 3339.
"""

from typing import Literal

import msgspec

Band = Literal["newcomer", "trusted", "good", "suspended", "no_links", "muted"]
State = Literal["shadow", "live"]
SumKind = Literal["start", "history", "cap", "finding", "floor", "total"]


class HarmCount(msgspec.Struct, frozen=True, gc=False):
    """A harm by id, its title in plain words, and how many findings name it."""

    harm: str
    title: str
    findings: int


class Day(msgspec.Struct, frozen=True):
    """One day of the group. findings: by harm id. A day on which nothing happened may be left out."""

    day: str
    messages: int
    members: int
    findings: dict[str, int] = {}


class ClauseRow(msgspec.Struct, frozen=True, gc=False):
    """A clause of the charter and what it found; members: how many of them a finding names."""

    id: str
    text: str
    rule: str
    harm: str
    severity: str
    state: State
    findings: int
    members: int


class BandDay(msgspec.Struct, frozen=True, gc=False):
    """How many of the members active within 180 days stand in each band at the day's end."""

    day: str
    newcomer: int
    trusted: int
    good: int
    suspended: int
    no_links: int
    muted: int


class BandLine(msgspec.Struct, frozen=True, gc=False):
    """A line between two bands. standing: thousandths of a point; label: what ends below it, in a few words."""

    standing: int
    label: str


class CurvePoint(msgspec.Struct, frozen=True, gc=False):
    """Standing at a day's end, with its 90 % interval, in thousandths of a point."""

    day: str
    standing: int
    low: int
    high: int
    band: Band


class EntryRow(msgspec.Struct, frozen=True, gc=False):
    """A ledger entry with its evidence.

    excerpt: the cited text, the only message text in a report; figures: what the rule counted, in words;
    weight_today and without_it: thousandths of a point, without_it None where it makes no difference to ask;
    forgotten_on: ISO date, or empty once forgotten; counted: whether it moves standing; note: why not, or what else to
    know.
    """

    number: int
    at: str
    clause: str
    rule: str
    harm: str
    severity: str
    room: str
    event: str
    excerpt: str
    figures: str
    weight_today: int
    without_it: int | None
    forgotten_on: str
    counted: bool
    note: str = ""


class SumLine(msgspec.Struct, frozen=True, gc=False):
    """One line of the addition behind a standing. points: thousandths, signed; a total is the sum of the others."""

    label: str
    points: int
    kind: SumKind


class Person(msgspec.Struct, frozen=True):
    """A member as the report shows them. standing, low, high: thousandths of a point, low and high the 90 % interval.

    rights and lost: rights held and suspended, by name; missing: what is missing for the next right, a sentence;
    curve: empty where nothing was ever found; sum: the lines that make up the standing, ending with one total.
    """

    pseudonym: str
    name: str
    first_day: str
    last_day: str
    active_days: int
    messages: int
    standing: int
    low: int
    high: int
    band: Band
    newcomer: bool = False
    verified: bool = False
    rights: list[str] = []
    lost: list[str] = []
    missing: str = ""
    curve: list[CurvePoint] = []
    entries: list[EntryRow] = []
    sum: list[SumLine] = []


class ComparisonRow(msgspec.Struct, frozen=True):
    """A member whom two charters would treat differently: what they gain, what they lose, and why."""

    pseudonym: str
    name: str
    old_standing: int
    new_standing: int
    old_band: Band
    new_band: Band
    gains: list[str] = []
    losses: list[str] = []
    why: list[str] = []


class Comparison(msgspec.Struct, frozen=True):
    """Two charters over the same log. summary: sentences; rows: only members who would be treated differently."""

    old_name: str
    new_name: str
    rows: list[ComparisonRow]
    summary: list[str] = []


class Report(msgspec.Struct, frozen=True):
    """Everything one report shows.

    first and last: RFC 3339, the span of the events, empty where there are none; time_zone: IANA name;
    unread: pieces of input that could not be read; people_left_out: members counted but not listed;
    band_lines: where the charter draws its lines.
    """

    title: str
    community: str
    charter_name: str
    time_zone: str
    first: str
    last: str
    events: int
    messages: int
    members: int
    rooms: int
    unread: int
    days: list[Day]
    harms: list[HarmCount]
    clauses: list[ClauseRow]
    bands: list[BandDay]
    people: list[Person]
    people_left_out: int = 0
    comparison: Comparison | None = None
    band_lines: tuple[BandLine, ...] = (
        BandLine(70_000, "management"),
        BandLine(50_000, "links and media"),
        BandLine(25_000, "speaking"),
    )
