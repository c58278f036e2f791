"""What every store promises about decisions, statements and the outbox."""

from collections.abc import Callable

import msgspec
import pytest

from comity.core.action import DONE, Action, Came, Do, Outcome
from comity.core.carried import Carried
from comity.core.charter import Measure
from comity.core.decision import Course, Decision, Enforced, Place
from comity.core.errors import LedgerMovedError
from comity.core.handover import Touched
from comity.core.ledger import GENESIS, Head
from comity.stores.contract import Refusal
from comity.stores.decisions_contract import Waits
from comity.stores.sql_outbox import MOST_TRIES
from comity.stores.sql_store import SqlStore
from store_decisions import HOUR, a_decision, a_hide, a_mute, a_statement, add, muting
from store_entries import MORNING, garden, post_findings

AGAIN = Outcome(Came.AGAIN, "the homeserver is away")
CANNOT = Outcome(Came.CANNOT, "we have too little say here")


@pytest.fixture
def filled(reopen: Callable[[], SqlStore]) -> Callable[[], SqlStore]:
    """Opens a store with a garden and six findings, a second time after closing it."""

    def opened() -> SqlStore:
        store = reopen()
        if not store.head().number:
            garden(store)
            post_findings(store, 6)
        return store

    return opened


@pytest.fixture
def store(filled: Callable[[], SqlStore]) -> SqlStore:
    """A store with a garden and six findings."""
    return filled()


def due(store: SqlStore, now: int = MORNING, limit: int = 100) -> list[str]:
    """Ids of what can be tried."""
    return [a.id for a in store.decisions.actions_due(now, limit)]


def there(store: SqlStore, number: int) -> Decision:
    """A decision that is there."""
    found = store.decisions.decision(number)
    assert found
    return found


def test_everything_of_a_decision_comes_back_as_it_was(filled: Callable[[], SqlStore]) -> None:
    """Decision, statement, actions and what they touch, after the store was closed."""
    store = filled()
    mute = a_decision(1, 6, findings=(1, 4))
    hide = a_decision(2, 6, measure=Measure.HIDE, room=1, hides=(Place(1, "$event-0"),), dry_run=True)
    ban = a_decision(3, 6, measure=Measure.BAN, course=Course.PROPOSED)
    add(store, mute, hide, ban, carried=muting(1))

    store = filled()
    cannot = Enforced(2, done=False, why="we have too little say there")
    assert [msgspec.structs.replace(mute, enforced=(cannot,)), hide, ban] == store.decisions.decisions()
    assert a_statement(mute) == store.decisions.statement(1)
    assert store.decisions.statement(3) is None
    assert ["d1-r1-2"] == due(store)
    assert [Touched(1, 1, "d1-r1-2")] == store.decisions.touched(1)
    assert ("machine", Course.IN_FORCE) == store.decisions.course(1)[0][1:3]
    assert 3 == store.decisions.last()


def test_a_decision_on_a_moved_head_is_refused_whole(store: SqlStore) -> None:
    """Nothing of it is kept, and deciding again on the new head goes well."""
    stale = store.head()
    post_findings(store, 1, start=6)
    with pytest.raises(LedgerMovedError, match="decide again"):
        store.decisions.add([a_decision(1, 6)], [a_statement(a_decision(1, 6))], muting(1), at=MORNING, after=stale)
    with pytest.raises(ValueError, match="was made on entry 6"):
        add(store, a_decision(1, 6), carried=muting(1))
    assert 0 == store.decisions.last()
    assert [] == due(store)
    add(store, a_decision(1, 7))


def test_ledger_and_decisions_are_kept_together_or_not_at_all(store: SqlStore) -> None:
    """What fails after the findings were posted takes them along."""

    def turn(number: int) -> None:
        with store.write():
            head = post_findings(store, 1, start=6)
            add(store, a_decision(number, head.number), carried=muting(number))

    with pytest.raises(ValueError, match="numbered from 1"):
        turn(2)
    assert (6, 0) == (store.head().number, store.decisions.last())
    turn(1)
    assert (7, 1) == (store.head().number, store.decisions.last())


def test_what_imposes_something_has_a_statement(store: SqlStore) -> None:
    """No decision without reasons: it is refused."""
    with pytest.raises(ValueError, match="no statement"):
        store.decisions.add([a_decision(1, 6)], [], Carried(), at=MORNING, after=store.head())


def test_what_no_machine_may_do_is_refused_by_the_tables_too(store: SqlStore) -> None:
    """Also for whoever writes into the file past us: too long, without end, for good, or changing what was decided."""
    add(store, a_decision(1, 6))
    for change in ("until = until + 1", "until = NULL", "measure = 'ban'", "by = ''"):
        with pytest.raises(store._db.failure):
            store._db.execute(f"UPDATE decision SET {change}")  # noqa: S608 - the test's own words
    for change in ("UPDATE course SET by = 'cleo'", "DELETE FROM course"):
        with pytest.raises(store._db.failure, match="stays"):
            store._db.execute(change)


def test_decisions_are_found_by_member_course_time_and_page(store: SqlStore) -> None:
    """In the order of their numbers, as many as asked for, beyond the last one seen."""
    later = {"at": MORNING + HOUR, "until": MORNING + 2 * HOUR}
    add(store, a_decision(1, 6), a_decision(2, 6, member=2), a_decision(3, 6, **later), a_decision(4, 6, dry_run=True))
    d = store.decisions

    def numbers(found: list[Decision]) -> list[int]:
        return [x.number for x in found]

    assert [1, 3, 4] == numbers(d.decisions(member=1))
    assert [3] == numbers(d.decisions(since=MORNING + 1))
    assert [2, 3] == numbers(d.decisions(beyond=1, most=2))
    assert [] == numbers(d.decisions(courses=[Course.ENDED]))
    assert [] == numbers(d.decisions(community=2))
    assert [1, 2] == numbers(d.in_force(MORNING))
    assert [1, 3] == numbers(d.in_force(MORNING + HOUR, member=1))
    assert [3] == numbers(d.ending(MORNING + 2 * HOUR))
    assert {1: [1, 3, 4], 2: [2], 3: []} == {m: numbers(x) for m, x in d.about([1, 2, 3], since=MORNING).items()}
    assert [1, 2, 3, 4] == numbers(d.resting_on([1, 99]))
    assert [2, 3] == [s.decision for s in d.statements(beyond=1, most=2)]


def test_a_measure_whose_time_is_over_ends_once(store: SqlStore) -> None:
    """And a proposal that nobody decided lapses; neither before its time."""
    ban = a_decision(2, 6, measure=Measure.BAN, course=Course.PROPOSED)
    add(store, a_decision(1, 6), ban, carried=muting(1))
    after = MORNING + 72 * HOUR
    assert isinstance(store.decisions.end(1, after - 1, Carried()), Refusal)
    back = Carried(actions=(a_mute("d1-r1-4", decision=1),), back=((1, 1),))
    ended, lapsed = store.decisions.end(1, after, back), store.decisions.end(2, after, Carried())
    assert isinstance(ended, Decision)
    assert isinstance(lapsed, Decision)
    assert (Course.ENDED, Course.LAPSED) == (ended.course, lapsed.course)
    assert [] == store.decisions.touched(1)
    assert [] == store.decisions.ending(after)
    assert isinstance(store.decisions.end(1, after, Carried()), Refusal)
    assert "d1-r1-4" in {q.action.id for q in store.decisions.queued(Waits.WAITING)}


def test_a_person_confirms_changes_refuses_and_follows(store: SqlStore) -> None:
    """Each is noted with who and why; a proposal that is followed gets its statement then."""
    ban = a_decision(2, 6, measure=Measure.BAN, course=Course.PROPOSED)
    add(store, a_decision(1, 6), ban, msgspec.structs.replace(ban, number=3))
    d, head = store.decisions, store.head()
    confirmed = d.confirm(1, "cleo", MORNING + HOUR, "it was a trap", until=None, after=head)
    assert isinstance(confirmed, Decision)
    assert (Course.CONFIRMED, None, "cleo", False) == (
        confirmed.course, confirmed.until, confirmed.by, confirmed.provisional,
    )  # fmt: skip
    changed = d.change(1, "dora", MORNING + 2 * HOUR, "a week will do", until=MORNING + 168 * HOUR, after=head)
    assert isinstance(changed, Decision)
    assert MORNING + 168 * HOUR == changed.until
    assert ["machine", "cleo", "dora"] == [s.by for s in d.course(1)]

    with pytest.raises(ValueError, match="statement"):
        d.confirm(2, "cleo", MORNING, "yes", until=None, after=head)
    followed = d.confirm(
        2, "cleo", MORNING, "yes", until=None, after=head, statement=a_statement(ban), carried=muting(2)
    )
    assert isinstance(followed, Decision)
    assert followed.measure is Measure.BAN
    assert d.statement(2)
    refused = d.refuse(3, "cleo", MORNING, "once is enough", after=head)
    assert isinstance(refused, Decision)
    assert Course.REFUSED is refused.course
    assert isinstance(d.confirm(3, "cleo", MORNING, "after all", until=None, after=head), Refusal)
    for by, why in (("machine", "it knows"), ("", "why"), ("cleo", " ")):
        with pytest.raises(ValueError, match="a person decides"):
            d.change(1, by, MORNING, why, until=None, after=head)


def test_a_reversal_takes_back_decision_and_findings_together(store: SqlStore) -> None:
    """The findings count no longer, what gives back is queued, and it is told who did it and why; all or nothing."""
    add(store, a_decision(1, 6, findings=(1, 4)), a_decision(2, 6, findings=(4,)), carried=muting(1))
    store.reverse(4, "it was a quotation", "dora", MORNING, after=store.head())
    stale = Head(6, store.head().seal)
    back = Carried(actions=(a_mute("d1-r1-4", decision=1),), back=((1, 1),))
    with pytest.raises(LedgerMovedError):
        store.decisions.reverse(1, "cleo", MORNING, "no trap", back, after=stale)
    head = store.decisions.reverse(1, "cleo", MORNING, "no trap", back, after=store.head())
    assert head == store.head()
    assert 8 == store.head().number
    assert Course.REVERSED is there(store, 1).course
    assert [2, 3, 5, 6] == store.in_force()[1].number.tolist()
    assert [2] == [d.number for d in store.decisions.resting_on([4]) if d.course is Course.IN_FORCE]
    assert isinstance(store.decisions.reverse(1, "cleo", MORNING, "again", back, after=store.head()), Refusal)
    other = store.decisions.reverse(2, "cleo", MORNING, "only this", Carried(), after=store.head(), findings=False)
    assert other == store.head() == head
    assert store.verify().whole


def test_actions_of_a_room_come_in_order_and_no_room_holds_up_another(store: SqlStore) -> None:
    """One that backs off holds up its room's changes of say, and neither hidden messages nor other rooms."""
    d = store.decisions
    d.queue([a_mute("a1"), a_mute("a2"), a_hide("h1"), a_hide("h2"), a_mute("b1", "#attic")], at=MORNING)
    assert ["a1", "a2", "h1", "h2", "b1"] == due(store)
    assert ["a1", "a2"] == due(store, limit=2)
    d.note_outcome("a1", AGAIN, MORNING)
    d.note_outcome("h1", AGAIN, MORNING)
    assert ["h2", "b1"] == due(store)
    assert ["a1", "a2", "h1", "h2", "b1"] == due(store, MORNING + 1000)
    assert (5, MORNING) == d.waiting()
    d.note_outcome("a1", DONE, MORNING)
    assert ["a2", "h2", "b1"] == due(store)


def test_what_must_come_first_comes_first_and_its_failure_is_passed_on(store: SqlStore) -> None:
    """A demotion waits for the promotion, in whatever queue; where that cannot be done, neither can what follows."""
    d = store.decisions
    d.queue([a_mute("p"), a_mute("q", "#attic", after=["p"]), a_mute("r", "#attic", after=["q"])], at=MORNING)
    assert ["p"] == due(store)
    d.note_outcome("p", DONE, MORNING)
    assert ["q"] == due(store)
    assert Waits.CANNOT is d.note_outcome("q", CANNOT, MORNING)
    assert [] == due(store)
    assert ["q", "r"] == [x.action.id for x in d.queued(Waits.CANNOT)]
    d.queue([a_mute("s", after=["r"])], at=MORNING)
    assert ["s"] == [x.action.id for x in d.queued(Waits.CANNOT, beyond="r")]
    with pytest.raises(ValueError, match="is not there"):
        d.queue([a_mute("t", after=["nothing"])], at=MORNING)


def test_an_action_that_never_works_is_given_up_shown_and_can_be_tried_again(store: SqlStore) -> None:
    """After so many tries, each later than the one before; a platform that says when to come back is not given up."""
    d, now = store.decisions, MORNING
    d.queue([a_mute("poison"), a_mute("next"), a_mute("patient", "#attic")], at=now)
    pauses = []
    while d.note_outcome("poison", AGAIN, now) is Waits.WAITING:
        (found,) = (q for q in d.queued(Waits.WAITING) if q.action.id == "poison")
        pauses.append(found.next_at - now)
        now = found.next_at
    assert MOST_TRIES - 1 == len(pauses)
    assert (1000, 2000, 600_000) == (pauses[0], pauses[1], max(pauses))
    (given_up,) = d.queued(Waits.GIVEN_UP)
    assert ("poison", "the homeserver is away") == (given_up.action.id, given_up.outcome and given_up.outcome.why)
    assert ["next", "patient"] == due(store, now)
    assert d.try_again("poison", now)
    assert not d.try_again("poison", now)
    assert ["poison", "next", "patient"] == due(store, now)
    for _ in range(MOST_TRIES + 5):
        assert Waits.WAITING is d.note_outcome("patient", Outcome(Came.AGAIN, "slowly", wait=4.5), now)
    assert "patient" not in due(store, now + 4499)
    assert "patient" in due(store, now + 4500)


def test_one_id_is_one_deed(store: SqlStore) -> None:
    """The same action twice is queued once, done is done, and an id with another meaning is refused."""
    d = store.decisions
    d.queue([a_hide("h")], at=MORNING)
    d.note_outcome("h", Outcome(Came.DONE, made="$redaction"), MORNING)
    d.queue([a_hide("h")], at=MORNING)
    assert [] == due(store)
    assert Waits.DONE is d.note_outcome("h", AGAIN, MORNING)
    found = d.outcome("h")
    assert found
    assert "$redaction" == found.made
    with pytest.raises(ValueError, match="means something else"):
        d.queue([a_mute("h")], at=MORNING)
    with pytest.raises(KeyError, match="no action x"):
        d.note_outcome("x", DONE, MORNING)


def test_a_decision_shows_what_became_of_it_in_each_room(store: SqlStore) -> None:
    """Done when all of its actions there are, and otherwise why not; what never changed is not given back."""
    second = a_mute("d1-r1-3", decision=1)
    add(store, a_decision(1, 6), carried=msgspec.structs.replace(muting(1), actions=(*muting(1).actions, second)))
    d = store.decisions
    d.note_outcome("d1-r1-2", DONE, MORNING)
    assert [2] == [e.room for e in there(store, 1).enforced]
    d.note_outcome("d1-r1-3", DONE, MORNING)
    assert Enforced(1, done=True) == there(store, 1).enforced[0]

    add(store, a_decision(2, 6), carried=muting(2))
    assert [Touched(1, 1, "d2-r1-2")] == d.touched(1)
    d.note_outcome("d2-r1-2", CANNOT, MORNING)
    assert Enforced(1, done=False, why="we have too little say here") == there(store, 2).enforced[0]
    assert [] == d.touched(1)


def test_many_waiting_in_one_room_do_not_hide_another_room(store: SqlStore) -> None:
    """Also when hundreds of the first back off."""
    d = store.decisions
    d.queue([a_hide(f"h{n}") for n in range(300)] + [a_hide("other", "#attic")], at=MORNING)
    assert "other" in due(store)
    for n in range(290):
        d.note_outcome(f"h{n}", AGAIN, MORNING)
    assert [*(f"h{n}" for n in range(290, 300)), "other"] == due(store)


def test_messages_to_one_account_come_in_order(store: SqlStore) -> None:
    """Nobody reads the second before the first; others are not held up."""
    told = [Action(id=f"t{n}", do=Do.TELL, account=account, text="tea") for n, account in enumerate("aab")]
    store.decisions.queue(told, at=MORNING)
    store.decisions.note_outcome("t0", AGAIN, MORNING)
    assert ["t2"] == due(store)


def test_deputies_stand_in_the_order_they_were_named(store: SqlStore) -> None:
    """Named once, and until the name is taken back; each room has its own."""
    d = store.decisions
    assert [True, True, False] == [d.name_deputy(1, m, "dora", MORNING) for m in (3, 1, 3)]
    assert ([3, 1], []) == (d.deputies(1), d.deputies(2))
    assert [True, False] == [d.name_deputy(1, 3, "dora", MORNING, named=False) for _ in range(2)]
    assert d.name_deputy(1, 2, "dora", MORNING)
    assert [1, 2] == d.deputies(1)


def test_a_new_store_has_decided_nothing(reopen: Callable[[], SqlStore]) -> None:
    """And says so."""
    empty = reopen()
    assert GENESIS == empty.head()
    assert 0 == empty.decisions.last()
    assert (0, None) == empty.decisions.waiting()
    assert isinstance(empty.decisions.end(1, MORNING, Carried()), Refusal)


def test_a_forgotten_member_is_in_no_action_any_more(store: SqlStore, all_bytes: Callable[[], bytes]) -> None:
    """Neither account nor what they were told is in the store's files; another community's actions are as they were."""
    attic = store.community("attic")
    store.members(attic, ["@ana:example.org"], [None])
    store.rooms(attic, ["#loft"])
    told = Action(id="d1-t", do=Do.TELL, decision=1, account="@ana:example.org", text="about your zinnias")
    carried = muting(1)
    add(store, a_decision(1, 6), carried=msgspec.structs.replace(carried, actions=(*carried.actions, told)))
    store.decisions.note_outcome("d1-t", DONE, MORNING)
    store.decisions.queue([a_mute("loft", "#loft")], at=MORNING)
    assert b"zinnias" in all_bytes()
    assert store.forget_account(1)
    assert ["loft"] == due(store)
    (gone,) = store.decisions.queued(Waits.CANNOT)
    assert ("d1-r1-2", "") == (gone.action.id, gone.action.account)
    assert ["d1-t"] == [q.action.id for q in store.decisions.queued(Waits.DONE)]
    store.forget_account(4)
    store.decisions.note_outcome("loft", DONE, MORNING)
    for trace in (b"@ana:example", b"zinnias"):
        assert trace not in all_bytes()
