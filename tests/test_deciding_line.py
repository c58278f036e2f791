"""The line from a finding to what a member is told, and back, through a real store."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from comity.core.action import DONE, Action, Do, Outcome, Say
from comity.core.actions_of import begin, tell
from comity.core.carried import Room
from comity.core.case import Case, Found, Person, Rated, rated
from comity.core.charter import Measure
from comity.core.decide import REMEMBERED, decide
from comity.core.decision import Course, Decision
from comity.core.giving_back import end
from comity.core.handover import Office, Somebody
from comity.core.harm import Severity
from comity.core.ledger import NO_ACTIVITY, FindingColumns
from comity.core.reversal import falls
from comity.core.rights import Band
from comity.core.standing import Counted
from comity.core.statement import as_sentence, as_text, state
from comity.stores.sqlite import SqliteStore
from deciding import DAY, HOUR, SCAM, START, charter
from store_entries import garden, opened

PAGE = "https://garden.example/me"
ACCOUNTS = {1: "@ana:example.org", 2: "@ben:example.org", 3: "@cleo:example.org"}


class Live:
    """A loop in small: one community, a platform of two rooms whose levels it keeps, and a store."""

    def __init__(self, store: SqliteStore) -> None:
        self.store, self.by = store, charter()
        garden(store)
        self.levels = {(r, m): Say.MANAGER if m == 1 else Say.MEMBER for r in (1, 2) for m in ACCOUNTS}
        self.told: list[str] = []

    def rooms(self) -> list[Room]:
        """As the adapter and the store know them."""
        d, names = self.store.decisions, self.store.room_names()
        found = []
        for number in (1, 2):
            touched = {t.member: t for t in d.touched(number)}
            people = []
            for m, account in ACCOUNTS.items():
                t = touched.get(m)
                people.append(
                    Somebody(
                        member=m, account=account, level=self.levels[number, m], band=Band.TRUSTED, points=90_000 + m,
                        held=bool(d.in_force(START, member=m)), touched=t.action if t else "",
                        stands_for=t.stands_for if t else 0,
                    )
                )  # fmt: skip
            office = Office(number=number, room=names[number], people=people, deputies=d.deputies(number))
            found.append(Room(office=office))
        return found

    def counted(self, member: int, *, most: int = 1 << 60) -> list[Counted]:
        """A member's findings in force."""
        rows = [f for f in self.store.findings(member) if f.reversed_by is None and f.number <= most]
        return [Counted(f.number, f.day, Severity.SEVERE, f.number) for f in rows]

    def turn(self, member: int, at: int) -> list[Decision]:
        """A scam by a member: found, posted, decided, told and queued in one transaction."""
        store = self.store
        with store.write():
            before = rated({}, self.counted(member), (), at // DAY)
            columns = FindingColumns([at], [at // DAY], [member], [1], [2], [f"$at-{at}"], ["free teapots"], ["{}"])
            head = store.post(columns, NO_ACTIVITY, after=store.head())
            found = Found(
                entry=head.number, at=at, room=1, number=2, clause=SCAM, event=f"$at-{at}", excerpt="free teapots",
                sentence="a link to a trap",
            )  # fmt: skip
            person = Person(
                member=member, found=[found], before=before, now=rated({}, self.counted(member), (), at // DAY),
                decisions=store.decisions.about([member], since=at - REMEMBERED)[member],
            )  # fmt: skip
            first = store.decisions.last() + 1
            case = Case(at=at, charter=self.by, community=1, head=head.number, first=first, people=[person])
            decided = decide(case)
            statements = [state(d, self.by) for d in decided if not d.decision.proposed]
            reasons = {s.decision: as_sentence(s, page=PAGE) for s in statements}
            held = {member: store.decisions.in_force(at, member=member)}
            decisions = [d.decision for d in decided]
            carried = begin(decisions, self.rooms(), held, reasons)
            message = tell(ACCOUNTS[member], {s.decision: as_text(s, page=PAGE) for s in statements})
            told = (message,) if message else ()
            carried = msgspec.structs.replace(carried, actions=(*carried.actions, *told))
            store.decisions.add(decisions, statements, carried, at=at, after=head)
        return decisions

    def act(self, now: int) -> list[str]:
        """Carry out what is due until nothing is; what was done, in order."""
        done = []
        names = {name: number for number, name in self.store.room_names().items()}
        who = {account: m for m, account in ACCOUNTS.items()}
        while due := self.store.decisions.actions_due(now):
            for action in due:
                self.store.decisions.note_outcome(action.id, self.carry_out(action, names, who), now)
                done.append(f"{action.do} {action.account or action.event} {action.to or ''}".strip())
        return done

    def carry_out(self, action: Action, names: Mapping[str, int], who: Mapping[str, int]) -> Outcome:
        """As an adapter does."""
        if action.do is Do.LEVEL:
            key, to = (names[action.room], who[action.account]), action.to
            was = self.levels[key]
            if to is Say.BEFORE:
                undone = self.store.decisions.outcome(action.undoes)
                assert undone
                to = Say(undone.before)
            assert to
            self.levels[key] = to
            return msgspec.structs.replace(DONE, before=was.value)
        if action.do is Do.TELL:
            self.told.append(action.text)
        return DONE

    def without(self, decision: Decision) -> Rated:
        """How the member would have been rated then, without what was taken back."""
        return rated({}, self.counted(decision.member, most=decision.head), (), decision.at // DAY)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A new community."""
    with opened(tmp_path / "comity.sqlite") as store:
        yield Live(store)


def test_a_manager_who_posts_a_scam_is_hidden_muted_and_replaced_and_told_why(live: Live) -> None:
    """In order: the message, the successor, the manager, the statement; and it is kept with what became of it."""
    decisions = live.turn(1, START)
    done = live.act(START)
    assert f"hide $at-{START}" == done[0]
    for room in (1, 2):
        assert (Say.MUTED, Say.MANAGER) == (live.levels[room, 1], live.levels[room, 3])
    (told,) = (t for t in live.told if "free teapots" in t)
    assert told.count("You can appeal until") == len(decisions)
    mute = next(d for d in live.store.decisions.decisions(member=1) if d.measure is Measure.MUTE)
    assert [(1, True), (2, True)] == [(e.room, e.done) for e in mute.enforced]
    assert [Measure.HIDE] == [d.measure for d in live.turn(1, START + 1) if not d.proposed]


def test_after_72_hours_that_nobody_looked_everybody_has_what_they_had(live: Live) -> None:
    """The measures end one after the other, and the room is as before."""
    before = dict(live.levels)
    live.turn(1, START)
    live.act(START)
    assert before != live.levels
    now, d = START + 72 * HOUR, live.store.decisions
    while over := d.ending(now):
        with live.store.write():
            left = [x for x in d.in_force(START, member=1) if x.number != over[0].number]
            d.end(over[0].number, now, end(over[0], live.rooms(), left, undone=False, reason="its time is over"))
        live.act(now)
    assert before == live.levels
    assert [] == d.in_force(now)
    assert {Course.ENDED, Course.LAPSED} >= {x.course for x in d.decisions()}


def test_one_reversal_takes_back_all_that_rested_on_the_finding(live: Live) -> None:
    """A person reverses the first with its finding; what would not have been falls too, and all is as before."""
    before = dict(live.levels)
    live.turn(1, START)
    live.act(START)
    d, now = live.store.decisions, START + HOUR

    def back(x: Decision) -> None:
        left = [y for y in d.in_force(now, member=1) if y.number != x.number]
        carried = end(x, live.rooms(), left, undone=True, reason="it was a quotation")
        d.reverse(x.number, "dora", now, "it was a quotation", carried, after=live.store.head(), findings=True)
        live.act(now)

    back(d.decisions()[0])
    in_force = set(live.store.in_force()[1].number.tolist())
    for fallen in falls(d.decisions(), live.without, in_force):
        back(fallen)
    assert before == live.levels
    assert [] == d.in_force(now)
    assert not in_force
    assert live.store.verify().whole
