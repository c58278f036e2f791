"""Deciding: new findings and what they amount to in, decisions out. Pure; deciding twice decides nothing new."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from comity.core.case import Case, Found, Person, Rated, is_house, leads_nowhere
from comity.core.charter import BY_A_PERSON, OF_THE_HOUSE, Clause, Measure
from comity.core.decision import EVERYWHERE, LONGEST, MACHINE, Course, Decision, Place
from comity.core.harm import Severity
from comity.core.rights import RIGHTS, Band, Right

HOUR: Final = 3_600_000
WARNED_FOR: Final = 24 * HOUR  # a clause warns a member once in this time
REMEMBERED: Final = 30 * 24 * HOUR  # so long a warning comes "before" what follows it
WORTH_PROLONGING: Final = HOUR  # a measure is prolonged where it would end at least this much later

_LADDER: Final = tuple(Measure)
_LOST: Final = ((Right.MANAGE, Measure.SUSPEND), (Right.LINKS, Measure.NO_LINKS), (Right.SPEAK, Measure.MUTE))


class Decided(msgspec.Struct, frozen=True):
    """A decision and what its statement needs. facts: findings it rests on; before, now: how the member is rated."""

    decision: Decision
    facts: tuple[Found, ...]
    before: Rated
    now: Rated


class _Wish(msgspec.Struct, frozen=True):
    """A measure that something asks for. line: of standing, in thousandths of a point, 0 where a clause asks."""

    measure: Measure
    facts: tuple[Found, ...]
    room: int
    line: int = 0


def decide(case: Case) -> list[Decided]:
    """What follows from the new findings of one turn, numbered from ``case.first`` on.

    Automatic measures end after the charter's longest time and are provisional; what needs a person is proposed and
    imposes nothing. A measure in force is not made again, only prolonged where it would end at least an hour later.
    """
    found: list[Decided] = []
    muted = dict(case.muted)
    for person in case.people:
        counted = () if person.exempt else tuple(f for f in person.found if not leads_nowhere(f))
        for wish in _together(_wishes(case, person, counted)):
            decision = _decision(case, person, wish, case.first + len(found), muted)
            if decision is not None:
                facts = tuple(f for f in wish.facts if f.entry in decision.findings)
                found.append(Decided(decision, facts, person.before, person.now))
    return found


def asks(rated: Rated) -> frozenset[Measure]:
    """What a member's bands ask for: slow mode by the whole standing, the loss of a right without house findings."""
    lost = {measure for right, measure in _LOST if right not in RIGHTS[rated.firm]}
    if rated.band <= Band.SUSPENDED and Measure.MUTE not in lost:  # who cannot write cannot write too quickly
        lost.add(Measure.SLOW)
    return frozenset(lost)


def _wishes(case: Case, person: Person, counted: tuple[Found, ...]) -> Iterable[_Wish]:
    """Everything that clauses and standing ask for, the gravest clause first."""
    yielded: set[str] = set()
    for lead in sorted(counted, key=_gravest):
        if lead.clause.id in yielded:
            continue
        yielded.add(lead.clause.id)
        facts = tuple(f for f in counted if f.clause.id == lead.clause.id)
        for measure in lead.clause.measures:
            yield from _of_clause(case, person, lead.clause, measure, facts)
    if counted:
        yield from _of_standing(case, person, counted)


def _of_clause(
    case: Case, person: Person, clause: Clause, measure: Measure, facts: tuple[Found, ...]
) -> Iterable[_Wish]:
    if is_house(clause) and measure not in OF_THE_HOUSE:
        return
    if measure is Measure.SUSPEND and not _may_suspend(case, person, facts):
        measure = Measure.WARN
    if measure in {Measure.REMOVE, Measure.BAN}:
        # A ban is graver than a removal: it too waits for a standing beyond doubt, unless the finding itself is severe,
        # or standing has nothing to do with it: what a list says, a person looks at.
        severe = measure is Measure.BAN and clause.severity is Severity.SEVERE
        if not severe and not any(f.listed for f in facts) and not person.now.standing.removal_may_be_proposed():
            return
    yield _Wish(measure, facts, _where(clause, measure, facts))


def _of_standing(case: Case, person: Person, counted: tuple[Found, ...]) -> Iterable[_Wish]:
    """What the bands ask for; no right is asked for where all that is new is under house clauses."""
    p, asked = case.charter.standing, asks(person.now)
    serious = tuple(f for f in counted if not is_house(f.clause))
    lines = {Measure.SUSPEND: p.suspended, Measure.NO_LINKS: p.no_links, Measure.MUTE: p.muted}
    if Measure.SLOW in asked:
        yield _Wish(Measure.SLOW, counted, EVERYWHERE, 1000 * p.suspended)
    if not serious:
        return
    for measure, line in lines.items():
        if measure in asked:
            warn = measure is Measure.SUSPEND and not _may_suspend(case, person, serious)
            yield _Wish(Measure.WARN if warn else measure, serious, EVERYWHERE, 1000 * line)
    if Measure.MUTE in asked and person.now.standing.removal_may_be_proposed():
        yield _Wish(Measure.REMOVE, serious, EVERYWHERE, 1000 * p.muted)


def _may_suspend(case: Case, person: Person, facts: Sequence[Found]) -> bool:
    """A warning comes first, and something is found after it, unless what was found is severe."""
    if any(f.clause.severity is Severity.SEVERE for f in facts):
        return True
    return warned(person.decisions, case.at, max(f.entry for f in facts), dry_run=case.dry_run)


def warned(decisions: Sequence[Decision], at: int, entry: int, *, dry_run: bool) -> bool:
    """Whether a warning that was not taken back came before an entry, and not too long ago."""
    return any(
        d.measure is Measure.WARN
        and d.course is not Course.REVERSED
        and d.dry_run == dry_run
        and at - REMEMBERED <= d.at <= at
        and d.head < entry
        for d in decisions
    )


def _where(clause: Clause, measure: Measure, facts: Sequence[Found]) -> int:
    """What is minor, a warning, or about messages holds where it was found; anything graver in all rooms."""
    rooms = {f.room for f in facts}
    local = clause.severity is Severity.MINOR or measure in {Measure.WARN, Measure.HIDE}
    return rooms.pop() if local and len(rooms) == 1 else EVERYWHERE


def _together(wishes: Iterable[_Wish]) -> list[_Wish]:
    """One wish a measure; warnings and hidden messages one a clause, and each message hidden once."""
    kept: dict[tuple[Measure, str], _Wish] = {}
    hidden: set[Place] = set()
    for wish in wishes:
        facts = wish.facts
        if wish.measure is Measure.HIDE:
            facts = tuple(f for f in facts if Place(f.room, f.event) not in hidden)
            hidden |= {Place(f.room, f.event) for f in facts}
            if not facts:
                continue
        alone = wish.measure in {Measure.WARN, Measure.HIDE}
        key = wish.measure, min(facts, key=_gravest).clause.id if alone else ""
        other = kept.get(key)
        if other is None:
            kept[key] = _Wish(wish.measure, facts, wish.room, wish.line)
            continue
        facts = (*other.facts, *(f for f in facts if f not in other.facts))
        room = other.room if other.room == wish.room else EVERYWHERE
        kept[key] = _Wish(wish.measure, facts, room, min(other.line, wish.line))
    return sorted(kept.values(), key=lambda w: _LADDER.index(w.measure))


def _decision(case: Case, person: Person, wish: _Wish, number: int, muted: dict[int, int]) -> Decision | None:
    """The decision a wish leads to, or None where there is nothing new to decide."""
    same = [d for d in person.decisions if d.measure is wish.measure and d.dry_run == case.dry_run]
    used = {entry for d in same for entry in d.findings}
    gone = {place for d in same for place in d.hides}
    facts = [f for f in wish.facts if f.entry not in used and Place(f.room, f.event) not in gone]
    if not facts:
        return None
    lead = min(facts, key=_gravest)
    if wish.measure in BY_A_PERSON:
        open_already = any(d.proposed or d.imposes(case.at) for d in same)
        extends = None if open_already else 0
    elif wish.measure is Measure.WARN:
        said = [d for d in same if d.course is not Course.REVERSED and case.at - d.at < WARNED_FOR]
        recent = any(d.clause_id == lead.clause.id for d in said)
        extends = None if recent else 0
    else:
        extends = 0 if wish.measure is Measure.HIDE else _prolonged(same, wish.room, case.at, _until(case, wish))
    if extends is None:
        return None
    proposal = wish.measure in BY_A_PERSON
    if wish.measure is Measure.MUTE and not extends:
        proposal = not _room_for_a_mute(case, wish.room, muted)
    return Decision(
        number=number,
        at=case.at,
        community=case.community,
        member=person.member,
        room=wish.room,
        measure=wish.measure,
        clause=lead.number,
        clause_id=lead.clause.id,
        clause_text=lead.clause.text,
        severity=lead.clause.severity,
        findings=tuple(sorted({f.entry for f in facts})),
        hides=tuple(sorted({Place(f.room, f.event) for f in facts})) if wish.measure is Measure.HIDE else (),
        found_automatically=not any(f.reported for f in facts),
        by=MACHINE,
        until=_until(case, wish),
        course=Course.PROPOSED if proposal else Course.IN_FORCE,
        line=wish.line,
        extends=extends,
        head=case.head,
        dry_run=case.dry_run,
    )


def _until(case: Case, wish: _Wish) -> int:
    longest = min(int(case.charter.longest.total_seconds() * 1000), LONGEST)
    return case.at + (min(longest, WARNED_FOR) if wish.measure is Measure.WARN else longest)


def _prolonged(same: Sequence[Decision], room: int, at: int, until: int) -> int | None:
    """The decision that a new one would prolong, 0 for none, or None where nothing is to be decided."""
    before = [d for d in same if d.imposes(at) and d.covers(room)]
    if any(d.proposed for d in same) or any(d.until is None or not d.provisional for d in before):
        return None  # a person is to decide, or decided until when
    if not before:
        return 0
    last = max(before, key=lambda d: (d.until or 0, d.number))
    return last.number if until >= (last.until or 0) + WORTH_PROLONGING else None


def _room_for_a_mute(case: Case, room: int, muted: dict[int, int]) -> bool:
    """Whether one more can be muted there, counting it if so: what many need at once, a person decides."""
    everywhere = muted.setdefault(EVERYWHERE, 0)
    rooms = [room] if room else list(muted)
    if max(muted.get(r, everywhere) for r in rooms) >= case.most_muted:
        return False
    for r in rooms:
        muted[r] = muted.get(r, everywhere) + 1
    return True


def _gravest(found: Found) -> tuple[int, int]:
    return -found.clause.severity, found.entry
