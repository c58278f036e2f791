"""What every store promises; each kind of store stands in ``store_kinds``."""

from collections.abc import Callable

import numpy as np
import pytest

from comity.core.errors import LedgerMovedError
from comity.core.ledger import GENESIS, NO_ACTIVITY, NO_FINDINGS, FindingColumns, Head
from comity.stores.contract import Refusal, SourceRow, Store
from store_entries import DAY, FLOOD, LINKS, MORNING, garden, post_activity, post_findings, some_activity, some_findings


@pytest.fixture
def store(reopen: Callable[[], Store]) -> Store:
    """A new store."""
    return reopen()


def test_a_new_store_is_empty_and_whole(store: Store) -> None:
    """The chain begins before its first entry."""
    assert GENESIS == store.head()
    assert store.verify().whole
    assert 0 == sum(store.counts())


def test_what_was_committed_is_there_when_the_store_is_opened_again(reopen: Callable[[], Store]) -> None:
    """Numbers, entries, hashes, window states and progress all come back as they were."""
    store = reopen()
    here = garden(store)
    head = post_findings(store, 40)
    head = post_activity(store, 9)
    store.add_seen([(493_888, np.array([1, 2**64 - 1], np.uint64))])
    store.save_window_states({"flood": b"\0state"})
    run = store.start_run("c0ffee", MORNING)
    store.save_source(run, SourceRow("chat.ndjson", 4096, 49, 40, 1))

    again = reopen()
    assert head == again.head() == Head(49, head.seal)
    assert here == garden(again)
    assert again.verify().whole
    assert [1, 2**64 - 1] == again.seen(493_888).tolist()
    assert {"flood": b"\0state"} == again.window_states()
    assert (SourceRow("chat.ndjson", 4096, 49, 40, 1),) == again.runs()[0].sources
    assert [FLOOD, LINKS] == again.clause_rows()


def test_one_account_is_one_member_in_its_community_and_another_elsewhere(store: Store) -> None:
    """Members are told apart by community and account, numbered without gaps, and called by pairwise pseudonyms."""
    garden, attic = store.community("garden"), store.community("attic")

    assert [1, 2, 1] == store.members(garden, ["ana", "ben", "ana"], ["Ana", None, None])
    assert [3, 2] == store.members(garden, ["cleo", "ben"], [None, None])
    assert [4] == store.members(attic, ["ana"], ["Ana"])
    names = [store.member(number) for number in (1, 2, 3, 4)]
    assert 4 == len({member.pseudonym for member in names if member})
    assert store.member(5) is None
    with pytest.raises(ValueError, match="no community 9"):
        store.members(9, ["ana"], [None])


def test_a_name_is_kept_until_there_is_another(store: Store) -> None:
    """The last name given is shown; where none is given, the one before stays."""
    here = store.community("garden")
    for names, expected in ((["Ana"], "Ana"), ([None], "Ana"), (["Anna"], "Anna"), ([None], "Anna")):
        store.members(here, ["ana"], names)
        found = store.member(1)
        assert found
        assert expected == found.name


def test_members_are_found_by_account_name_and_pseudonym(store: Store) -> None:
    """A part of account or name will do, in whatever case and alphabet, and the beginning of a pseudonym."""
    here = store.community("garden")
    store.members(here, ["@ana:example.org", "@ben:example.org"], ["Äńa 100%", "Ben"])
    ana, ben = store.member(1), store.member(2)
    assert ana
    assert ben

    for text in ("ana", "@ANA:", "äŃA", "100%", ana.pseudonym[:9]):
        assert [ana] == store.members_named(text)
    assert [ana, ben] == store.members_named("example.org")
    assert [ana] == store.members_named("example.org", most=1)
    assert [ana] == store.members_named("%")
    assert [] == store.members_named("cleo")


def test_a_clause_that_differs_anywhere_is_another(store: Store) -> None:
    """Findings keep the severity and state they were made under."""
    shadow = FLOOD._replace(state="shadow")

    assert [1, 2, 1] == store.clauses([FLOOD, shadow, FLOOD])
    assert [2, 3] == store.clauses([shadow, LINKS])
    assert [FLOOD, shadow, LINKS] == store.clause_rows()


def test_rooms_are_numbered_by_community(store: Store) -> None:
    """The same name elsewhere is another room."""
    assert [1, 2, 1] == store.rooms(store.community("garden"), ["#tea", "#cake", "#tea"])
    assert [3] == store.rooms(store.community("attic"), ["#tea"])


def test_a_post_that_was_decided_on_an_older_head_is_refused(store: Store) -> None:
    """Whoever comes second must decide again; nothing of the late post is kept."""
    garden(store)
    before = store.head()
    head = post_findings(store, 2)

    with pytest.raises(LedgerMovedError, match="decided after entry 0, the ledger is at entry 2"):
        store.post(some_findings(1), NO_ACTIVITY, after=before)
    with pytest.raises(LedgerMovedError):
        store.reverse(1, "late", "cleo", MORNING, after=before)
    assert head == store.head()
    assert 2 == store.counts().entries


def test_entries_are_numbered_in_the_order_they_were_posted(store: Store) -> None:
    """Findings first, so that whoever posts knows each one's number."""
    garden(store)
    store.post(some_findings(2), some_activity(3), after=GENESIS)
    activity, findings = store.in_force()

    assert [1, 2] == findings.number.tolist()
    assert [3, 4, 5] == activity.number.tolist()


@pytest.mark.parametrize("count", [1, 31, 32, 33, 5000])
def test_what_is_posted_is_what_is_read(store: Store, count: int) -> None:
    """Any number of rows comes back as it went in, and whole."""
    here = garden(store)
    posted, active = some_findings(count), some_activity(count)
    store.post(posted, active, after=GENESIS)
    activity, findings = store.in_force()
    rows = sorted(row for member in here.members for row in store.findings(member))

    assert list(posted[:5]) == [column.tolist() for column in findings[1:6]]
    assert list(active) == [column.tolist() for column in activity[1:]]
    assert [list(column) for column in posted[5:]] == [
        [row.event for row in rows],
        [row.excerpt for row in rows],
        [row.figures for row in rows],
    ]
    assert 2 * count == store.verify().entries
    assert store.verify().whole


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (some_findings(3)._replace(member=[1, 2, 4]), "members 1 to 3, got 1 to 4"),
        (some_findings(3)._replace(room=[1, 2, 0]), "rooms 1 to 2, got 0 to 2"),
        (some_findings(3)._replace(clause=[3, 1, 1]), "clauses 1 to 2, got 1 to 3"),
        (some_findings(3)._replace(event=["$one"]), r"one length, got \[1, 3\]"),
        (some_findings(3)._replace(at=[], day=[]), r"one length, got \[0, 3\]"),
    ],
)
def test_a_post_that_names_what_is_not_there_leaves_nothing(
    store: Store, columns: FindingColumns, message: str
) -> None:
    """Not even the rows before the wrong one, nor anything else of the same transaction."""
    garden(store)

    def post() -> None:
        with store.write():
            post_findings(store, 5)
            store.add_seen([(1, np.array([5], np.uint64))])
            store.post(columns, NO_ACTIVITY, after=store.head())

    with pytest.raises(ValueError, match=message):
        post()
    assert GENESIS == store.head()
    assert [] == store.seen(1).tolist()
    assert store.verify().whole


def test_activity_has_at_least_one_message(store: Store) -> None:
    """Nothing said is no activity."""
    garden(store)
    with pytest.raises(ValueError, match="messages must be >= 1, got 0"):
        store.post(NO_FINDINGS, some_activity(2)._replace(messages=[1, 0]), after=GENESIS)


def test_a_reversed_entry_counts_no_more_and_is_still_shown(store: Store) -> None:
    """What is in force is what it would be had the entry never been; the member's page says what became of it."""
    here = garden(store)
    post_findings(store, 6)
    post_activity(store, 3)
    head = store.reverse(4, "it was a quotation", "cleo", MORNING, after=store.head())
    assert isinstance(head, Head)
    store.reverse(8, "counted twice", "cleo", MORNING, after=head)
    activity, findings = store.in_force()

    assert [1, 2, 3, 5, 6] == findings.number.tolist()
    assert [7, 9] == activity.number.tolist()
    assert {1: None, 4: 10} == {row.number: row.reversed_by for row in store.findings(here.members[0])}
    assert 2 == store.counts().reversals
    assert store.verify().whole


def test_what_cannot_be_reversed_is_refused_with_a_reason(store: Store) -> None:
    """A reversal is final, so is a reversed entry; a refusal is a value and changes nothing."""
    garden(store)
    post_findings(store, 2)
    head = store.reverse(1, "it was a quotation", "cleo", MORNING, after=store.head())
    assert isinstance(head, Head)

    for number, why in ((1, "already reversed by entry 3"), (3, "itself a reversal"), (9, "there is no entry 9")):
        refusal = store.reverse(number, "again", "cleo", MORNING, after=head)
        assert isinstance(refusal, Refusal)
        assert why in refusal.why
    with pytest.raises(ValueError, match="why and by whom"):
        store.reverse(2, " ", "cleo", MORNING, after=head)
    assert head == store.head()


def test_what_is_in_force_can_be_asked_for_one_community_and_from_a_day_on(store: Store) -> None:
    """Another community's entries, and those from before memory, are left out."""
    garden(store)
    attic = store.community("attic")
    (dora,) = store.members(attic, ["dora"], ["Dora"])
    store.post(some_findings(1)._replace(member=[dora]), some_activity(1)._replace(member=[dora]), after=GENESIS)
    post_activity(store, 9)

    activity, findings = store.in_force(attic)
    assert ([dora], [dora]) == (activity.member.tolist(), findings.member.tolist())
    activity, findings = store.in_force(1, since=DAY + 1)
    assert [DAY + 1, DAY + 1, DAY + 1, DAY + 2, DAY + 2, DAY + 2] == activity.day.tolist()
    assert 0 == len(findings.number)


def test_several_findings_about_one_event_share_its_number(store: Store) -> None:
    """Standing counts only the heaviest of them, so it must see that they are about one."""
    garden(store)
    store.post(some_findings(4)._replace(event=["$a", "$b", "$a", "$c"]), NO_ACTIVITY, after=GENESIS)

    assert [1, 2, 1, 4] == store.in_force()[1].message.tolist()


def test_a_members_findings_are_the_same_before_and_after_a_run_ends(store: Store) -> None:
    """The index that is filled when a run ends changes how fast they are found, not what is found."""
    here = garden(store)
    run = store.start_run("c0ffee", MORNING)
    post_findings(store, 30)
    before = [store.findings(member) for member in here.members]
    store.finish_run(run, MORNING + 1)
    assert before == [store.findings(member) for member in here.members]
    post_findings(store, 6, start=30)

    assert [10 + 2] * 3 == [len(store.findings(member)) for member in here.members]
    assert MORNING + 1 == store.runs()[0].finished


def test_a_forgotten_account_leaves_the_chain_whole(store: Store) -> None:
    """The mapping is gone, entries and pseudonym stay; the account, should it speak again, is the same member."""
    here = garden(store)
    post_findings(store, 6)
    before = store.member(1)
    assert before

    assert store.forget_account(1)
    assert before._replace(account=None, name=None) == store.member(1)
    assert [] == store.members_named("ana")
    assert 2 == len(store.findings(1))
    assert store.verify().whole
    assert not store.forget_account(1)
    assert [1] == store.members(here.community, ["@ana:example.org"], ["Ana"])
    assert before == store.member(1)


def test_a_transaction_is_kept_whole_or_not_at_all(store: Store) -> None:
    """After an error even the numbers given in it are given again, to whoever comes first."""
    here = garden(store)

    def fail() -> None:
        with store.write():
            assert [4] == store.members(here.community, ["dora"], ["Dora"])
            store.rooms(here.community, ["#cellar"])
            post_findings(store, 3)
            store.save_window_states({"flood": b"x"})
            raise RuntimeError("power")

    with pytest.raises(RuntimeError, match="power"):
        fail()
    assert GENESIS == store.head()
    assert {} == store.window_states()
    assert 3 == store.counts().members
    assert [4, 5] == store.members(here.community, ["emil", "dora"], [None, None])
    assert [3] == store.rooms(here.community, ["#shed"])
    store.post(some_findings(1)._replace(member=[5], room=[3]), NO_ACTIVITY, after=GENESIS)
    assert store.verify().whole


def test_hashes_come_back_by_hour_in_order(store: Store) -> None:
    """Each hour holds what was added to it, whichever batch it came with."""
    first, second = np.array([3, 2**63], np.uint64), np.array([1], np.uint64)
    store.add_seen([(7, first), (8, second)])
    store.add_seen([(7, second), (9, np.zeros(0, np.uint64))])

    assert [3, 2**63, 1] == store.seen(7).tolist()
    assert [1] == store.seen(8).tolist()
    assert [] == store.seen(9).tolist()
    assert np.uint64 == store.seen(9).dtype


def test_a_window_state_replaces_the_one_of_its_name(store: Store) -> None:
    """Others stay as they are."""
    store.save_window_states({"flood": b"1", "repeat": b"2"})
    store.save_window_states({"flood": b"3"})

    assert {"flood": b"3", "repeat": b"2"} == store.window_states()


def test_a_source_is_noted_once_a_run(store: Store) -> None:
    """The last note says how far it was read."""
    run, other = store.start_run("c0ffee", MORNING), store.start_run("decaf", MORNING)
    for position in (10, 20):
        store.save_source(run, SourceRow("chat.ndjson", position, 1, 0, 0))

    assert [(run, (SourceRow("chat.ndjson", 20, 1, 0, 0),)), (other, ())] == [
        (row.number, row.sources) for row in store.runs()
    ]


def test_a_head_kept_elsewhere_shows_that_the_ledger_was_sealed_anew(store: Store) -> None:
    """Who can write the store can seal it anew; a noted head still tells."""
    garden(store)
    noted = post_findings(store, 5)
    post_findings(store, 5, start=5)

    assert store.verify(noted=noted).whole
    verdict = store.verify(noted=Head(5, bytes(32)))
    assert (5, "entry 5 or one before it was changed and all sealed anew") == (verdict.number, verdict.what)
    assert (11, "missing at the end: entries 11 to 12") == store.verify(noted=Head(12, bytes(32)))[1:]


def test_verifying_tells_how_far_it_is(store: Store) -> None:
    """Progress grows up to the number of entries."""
    garden(store)
    post_findings(store, 5000)
    told: list[int] = []
    store.verify(told.append)

    assert sorted(told) == told
    assert 5000 == told[-1]


def undone(store: Store, cuts: list[int]) -> Head:
    """The head after posting so many findings at a time, in a transaction that is then undone."""

    def post() -> None:
        with store.write():
            for i, count in enumerate(cuts):
                post_findings(store, count, start=sum(cuts[:i]))
            heads.append(store.head())
            raise RuntimeError("undo")

    heads: list[Head] = []
    with pytest.raises(RuntimeError, match="undo"):
        post()
    return heads[0]


@pytest.mark.parametrize("cuts", [[1] * 70, [0, 33, 37], [2048, 1, 0, 52], [100, 2100]])
def test_cutting_a_post_anywhere_changes_no_seal(
    store: Store, cuts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many small commits and one large one make the same chain, given the same members and salts."""
    monkeypatch.setattr("comity.stores.salts.urandom", bytes)
    garden(store)

    assert undone(store, [sum(cuts)]) == undone(store, cuts)
    assert GENESIS == store.head()
