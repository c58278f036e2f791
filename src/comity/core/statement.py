"""The statement of reasons: what a member is told about a decision (Regulation (EU) 2022/2065, DSA, Art. 17(3)).

(a) measure, where, until when; (b) the facts, and whether a report began it; (c) automated means in finding and in
deciding; (e) the clause as the contractual ground, and why it applies; (f) how to appeal. Nothing is judged as illegal
content, so (d) never applies.
"""

import datetime as dt
import re
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from comity.core.charter import APPEAL_TERM, Charter, Measure
from comity.core.decide import Decided
from comity.core.event import moment
from comity.core.standing import Standing
from comity.core.wording import say, texts

REASON: Final = 200  # characters of a platform's reason field that we use
_APPEAL: Final = int(APPEAL_TERM.total_seconds() * 1000)
_DAY: Final = 86_400_000  # milliseconds
_SHORT: Final = 12  # characters of a clause that are worth showing
# What names somebody else in a member's own words: accounts, addresses, numbers of telephones and the like.
_OTHERS: Final = re.compile(r"@[^\s:]+:[^\s,;)]+|[^\s@]+@[^\s@]+\.[^\s@,;)]+|@\w[\w.\-]*|\+?\d(?:[\s()/.\-]?\d){5,}")
_NEEDS: Final = {
    Measure.SUSPEND: "management",
    Measure.WARN: "management",
    Measure.NO_LINKS: "links",
    Measure.MUTE: "writing",
    Measure.SLOW: "speed",
}


class Fact(msgspec.Struct, frozen=True):
    """A finding as its member reads it: entry; at: milliseconds since 1970; sentence; excerpt of their own words."""

    entry: int
    at: int
    sentence: str
    excerpt: str


class Figures(msgspec.Struct, frozen=True):
    """Standing in thousandths of a point: now, its 90 % interval, and before; line: that was crossed, 0 if none."""

    points: int
    low: int
    high: int
    before: int
    line: int


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement of reasons.

    decision: its number; room: as members call it, "" for all; at, until, appeal_until: milliseconds since 1970;
    undoable: whether the platform could take the measure back whole (Matrix brings no hidden message back).
    """

    decision: int
    at: int
    language: str
    time_zone: str
    community: str
    room: str
    measure: Measure
    until: int | None
    provisional: bool
    found_automatically: bool
    decided_automatically: bool
    clause_id: str
    clause_text: str
    facts: tuple[Fact, ...]
    figures: Figures
    appeal_until: int
    undoable: bool = True
    dry_run: bool = False


def state(decided: Decided, charter: Charter, *, room: str = "", undoable: bool = True) -> Statement:
    """The statement of a decision. room: the name of its room, "" where it holds in all; undoable: see ``Statement``.

    Raises ValueError for a proposal: nothing is imposed, and there is nothing to state.
    """
    d = decided.decision
    if d.proposed:
        raise ValueError(f"decision {d.number} is a proposal: its statement comes with a person's decision")
    facts = (Fact(f.entry, f.at, f.sentence, without_others(f.excerpt)) for f in decided.facts)
    return Statement(
        decision=d.number,
        at=d.at,
        language=charter.language,
        time_zone=charter.time_zone,
        community=charter.community,
        room=room,
        measure=d.measure,
        until=d.until,
        provisional=d.provisional,
        found_automatically=d.found_automatically,
        decided_automatically=d.decided_automatically,
        clause_id=d.clause_id,
        clause_text=d.clause_text,
        facts=tuple(facts),
        figures=figures(decided.before.standing, decided.now.standing, d.line),
        appeal_until=d.at + _APPEAL,
        undoable=undoable,
        dry_run=d.dry_run,
    )


def figures(before: Standing, now: Standing, line: int) -> Figures:
    """The figures of a statement."""
    return Figures(now.points, *now.interval(), before.points, line)


def as_text(s: Statement, *, page: str = "") -> str:
    """The whole statement as plain text for a direct message. page: the address of the member's page, "" for none."""
    of = s.language
    where = say(of, "in room", room=s.room) if s.room else say(of, "in all", community=s.community)
    lines = [say(of, str(s.measure)), where]
    if s.measure is Measure.HIDE:
        lines += [say(of, "no undo")] * (not s.undoable)
    elif s.measure not in {Measure.WARN, Measure.REMOVE}:
        lines.append(say(of, "until", until=_time(s, s.until)) if s.until is not None else say(of, "for good"))
    lines += [say(of, "dry run")] * s.dry_run + [say(of, "provisional")] * s.provisional
    lines.append(say(of, "facts"))
    for fact in s.facts:
        lines.append(say(of, "fact", at=_time(s, fact.at), sentence=fact.sentence))
        lines += [say(of, "excerpt", excerpt=fact.excerpt)] * bool(fact.excerpt)
    lines.append(say(of, "found by rule" if s.found_automatically else "found by report"))
    lines.append(say(of, "decided by machine" if s.decided_automatically else "decided by person"))
    lines.append(say(of, "ground", id=s.clause_id, text=s.clause_text))
    f = s.figures
    low, high, before = shown(f.low), shown(f.high), shown(f.before)
    standing = say(of, "figures", points=shown(f.points), low=low, high=high, before=before)
    if f.line and s.measure in _NEEDS:
        standing += " " + say(of, _NEEDS[s.measure], line=shown(f.line))
    lines += [standing, say(of, "appeal", until=_date(s, s.appeal_until))]
    lines += [say(of, "page", page=page)] * bool(page)
    return "\n".join(lines)


def as_sentence(s: Statement, *, page: str = "") -> str:
    """The statement in at most ``REASON`` characters, for a reason field that everybody in the room can read.

    No name, figure or excerpt stands in it. What is too long loses first the end of the clause's text, then the page.
    """

    def made(text: str, page: str) -> str:
        what = say(s.language, f"one {s.measure}")
        until = _date(s, s.appeal_until)
        return say(s.language, "one", what=what, id=s.clause_id, text=text, until=until, page=page).strip()

    text = " ".join(s.clause_text.split()).rstrip(".")
    for link in (page, ""):
        room = REASON - len(made("", link))
        if len(text) <= room or room >= _SHORT:
            return made(text if len(text) <= room else text[: room - 1].rstrip() + "…", link)
    return made("…", "")[:REASON]


def anonymised(s: Statement) -> Statement:
    """The statement for a report to the public: what was imposed for how long and why, from the day of the decision on.

    Without number, room, excerpt, and the times and figures that point at somebody.
    """
    day = s.at - s.at % _DAY
    return msgspec.structs.replace(
        s,
        decision=0,
        at=day,
        room="",
        until=None if s.until is None else day + s.until - s.at,
        facts=tuple(Fact(0, 0, fact.sentence, "") for fact in s.facts),
        figures=Figures(0, 0, 0, 0, 0),
        appeal_until=day + s.appeal_until - s.at,
    )


def without_others(text: str) -> str:
    """A member's own words without what names or reaches somebody else: accounts, addresses, long numbers."""
    return _OTHERS.sub("…", text)


def shown(points: int) -> str:
    """Thousandths of a point with one decimal, rounded down."""
    return f"{points // 1000}" if points % 1000 == 0 else f"{points // 1000}.{points % 1000 // 100}"


def _date(s: Statement, at: int) -> str:
    return _date_of(s.language, moment(at).astimezone(ZoneInfo(s.time_zone)))


def _date_of(language: str, at: dt.datetime) -> str:
    month = texts(language)["months"].split()[at.month - 1]
    return say(language, "date", day=at.day, month=month, year=at.year)


def _time(s: Statement, at: int) -> str:
    local = moment(at).astimezone(ZoneInfo(s.time_zone))
    return say(s.language, "time", date=_date_of(s.language, local), clock=f"{local:%H:%M}", zone=s.time_zone)
