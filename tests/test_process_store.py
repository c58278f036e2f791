"""What every store promises about reports, the queue, intents, appeals, looks and judgements."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from comity.core.appeal import Appeal, Heard
from comity.core.charter import Measure
from comity.core.decision import Course
from comity.core.ledger import NO_FINDINGS, ActivityColumns
from comity.core.looking import Look
from comity.core.queue import LOCKED_FOR, After, Item, Kind, Query
from comity.core.report import Came, Report
from comity.core.review import Source
from comity.core.templates import Template
from comity.core.verdicts import UNDO, Confirm, Verdict
from comity.core.who import Who
from comity.stores.contract import Refusal
from comity.stores.opening import open_store
from comity.stores.process_contract import Intent, ReviewRow, Stage
from comity.stores.sql_store import SqlStore
from store_decisions import HOUR, a_decision, add
from store_entries import MORNING, garden, post_findings

ALL = Query(communities=(1,))
OLIVE, TOMASZ = Who("olive"), Who("tomasz")


@pytest.fixture
def store(reopen: Callable[[], SqlStore]) -> SqlStore:
    """A store with a garden, six findings, and two decisions that wait: a proposal and a provisional mute."""
    made = reopen()
    garden(made)
    head = post_findings(made, 6)
    add(
        made,
        a_decision(1, head.number, course=Course.PROPOSED, measure=Measure.BAN),
        a_decision(2, head.number, findings=(1, 4), at=MORNING + 1),
    )
    return made


def a_report(**more: object) -> Report:
    """Cleo reports a message of Ana's."""
    whole = Report(
        number=0, at=MORNING, community=1, reporter=3, member=1, room=1, event="$event-1", harm="spam", rank=35
    )
    return msgspec.structs.replace(whole, **more)


def an_appeal(**more: object) -> Appeal:
    """Ana appeals against decision 2."""
    whole = Appeal(
        number=0, at=MORNING, due=MORNING + HOUR, community=1, member=1, decision=2, text="It was a tea pot."
    )
    return msgspec.structs.replace(whole, **more)


def an_intent(by: Who, item: Item, at: int = MORNING, verdict: Verdict | None = None) -> Intent:
    """Somebody's verdict."""
    said = verdict or Confirm("looked at")
    return Intent(number=0, item=item, community=1, at=at, due=at + UNDO, by=by, verdict=said, version="1")


def keys(store: SqlStore, query: Query = ALL, now: int = MORNING) -> list[str]:
    """What waits, in order."""
    return [w.item.key for w in store.process.items(query, now)]


def kept(done: Appeal | Report | Intent | Refusal) -> int:
    """The number of what was kept."""
    assert not isinstance(done, Refusal), done.why
    return done.number


def test_one_list_has_everything_that_waits_the_most_urgent_first(store: SqlStore) -> None:
    """Proposals, provisional decisions, reports, appeals, findings in review and samples stand in one order."""
    p = store.process
    kept(p.add_report(a_report(harm="child_safety", rank=335)))
    kept(p.add_appeal(an_appeal(), 60))
    p.add_review([ReviewRow(5, 1, 2, MORNING, "3.1", "spam.flooding", 1, 15)])
    assert p.draw_samples(1, 0, b"seed", 1000, MORNING) == [1]  # nothing that is only proposed

    assert keys(store) == ["report-1", "proposal-1", "provisional-2", "sample-1", "appeal-1", "finding-5"]
    assert keys(store, Query(communities=(1,), harm="spam")) == ["proposal-1", "provisional-2", "finding-5"]
    assert keys(store, Query(communities=(1,), kinds=(Kind.APPEAL,))) == ["appeal-1"]
    assert keys(store, Query(communities=(1,), text="3.1")) == ["finding-5"]
    assert keys(store, Query(communities=(1,), text="report-1")) == ["report-1"]
    assert keys(store, Query(communities=(2,))) == []
    sample = p.item(Item(Kind.SAMPLE, 1), MORNING)
    assert sample is not None
    assert sample.measure is None  # whoever looks a second time does not see the first verdict


def test_pages_of_the_queue_are_the_queue(store: SqlStore) -> None:
    """Page by page nothing is missing and nothing comes twice, also among what ranks alike."""
    p = store.process
    for n in range(25):
        kept(p.add_report(a_report(event=f"$more-{n}", at=MORNING + n // 5, rank=30 + n % 3)))
    whole, paged, after = keys(store), list[str](), None
    for _ in range(len(whole)):
        page = p.items(ALL, MORNING, after=after, most=4)
        if not page:
            break
        paged += [w.item.key for w in page]
        after = After.of(After(page[-1].rank, page[-1].at, page[-1].item).key)

    assert len(whole) == 27
    assert paged == whole


def test_an_item_is_one_persons_at_a_time_until_time_is_over(store: SqlStore) -> None:
    """A second person is told who has it; ten minutes later, or when it is given back, it is theirs."""
    p, item = store.process, Item(Kind.PROPOSAL, 1)
    assert p.lock(item, "olive", MORNING) is None
    assert p.lock(item, "olive", MORNING + 1000) is None  # renewed
    assert p.lock(item, "tomasz", MORNING + LOCKED_FOR) == Refusal("olive has proposal-1 open")
    assert isinstance(p.add_intent(an_intent(TOMASZ, item)), Refusal)
    found = p.item(item, MORNING)
    assert found is not None
    assert found.locked_by == "olive"
    assert p.lock(item, "tomasz", MORNING + LOCKED_FOR + 1000) is None
    assert not p.release(item, "olive")
    assert p.release(item, "tomasz")


def test_what_somebody_passed_over_comes_no_more_to_them(store: SqlStore) -> None:
    """They say why, others read it, and it still waits."""
    p, item = store.process, Item(Kind.PROPOSAL, 1)
    with pytest.raises(ValueError, match="says why"):
        p.skip(item, "olive", " ", MORNING)
    p.skip(item, "olive", "I know her well", MORNING)
    assert keys(store, Query(communities=(1,), not_skipped_by="olive")) == ["provisional-2"]
    assert keys(store, Query(communities=(1,), not_skipped_by="tomasz")) == ["proposal-1", "provisional-2"]
    assert p.skips(item) == [("olive", MORNING, "I know her well")]
    p.escalate(item, "olive", "I know her well", MORNING)
    assert keys(store, Query(communities=(1,), escalated=True)) == ["proposal-1"]


def test_a_verdict_can_be_taken_back_until_it_is_due(store: SqlStore) -> None:
    """By whoever gave it and nobody else; meanwhile the item is in nobody's list, and takes no second verdict."""
    p, item = store.process, Item(Kind.PROVISIONAL, 2)
    first = kept(p.add_intent(an_intent(OLIVE, item)))
    assert keys(store) == ["proposal-1"]
    assert isinstance(p.add_intent(an_intent(TOMASZ, item)), Refusal)
    assert p.undo_intent(first, "tomasz", MORNING) == Refusal(f"verdict {first} is not yours")
    assert p.undo_intent(first, "olive", MORNING + UNDO - 1) is None
    assert keys(store) == ["proposal-1", "provisional-2"]

    second = kept(p.add_intent(an_intent(OLIVE, item)))
    assert p.intents_due(MORNING + UNDO - 1) == []
    (due,) = p.intents_due(MORNING + UNDO)
    assert (due.number, due.by, due.verdict, due.item) == (second, OLIVE, Confirm("looked at"), item)
    assert p.undo_intent(second, "olive", MORNING + UNDO) == Refusal("it is done by now")
    assert p.finish_intent(second, Stage.DONE, "Decision 2 stands.", MORNING + UNDO)
    assert not p.finish_intent(second, Stage.DONE, "again", MORNING + UNDO)
    assert [i.state for i in p.intents("olive")] == [Stage.DONE, Stage.UNDONE]


def test_the_version_changes_with_every_decision_about_the_member(store: SqlStore) -> None:
    """Whoever decides on an old state is told, whether the change was a verdict or a finding."""
    p, item = store.process, Item(Kind.PROVISIONAL, 2)
    seen = [p.version(item)]
    store.decisions.confirm(2, "olive", MORNING + 5, "right", until=MORNING + HOUR, after=store.head())
    seen.append(p.version(item))
    store.reverse(4, "a mistake", "olive", MORNING + 6, after=store.head())
    seen.append(p.version(item))
    post_findings(store, 3, start=6)
    seen.append(p.version(item))
    assert len(set(seen)) == 4
    assert p.version(item) == seen[-1]
    assert p.version(Item(Kind.REPORT, 99)) == ""


def test_a_report_is_made_once_and_closed_once(store: SqlStore) -> None:
    """The same reporter's second about the same is refused while the first is open; both outcomes are remembered."""
    p = store.process
    first = kept(p.add_report(a_report()))
    assert isinstance(p.add_report(a_report(text="again")), Refusal)
    kept(p.add_report(a_report(reporter=2)))
    assert [r.reporter for r in p.reports(about=(1, "$event-1"))] == [3, 2]
    p.rank_reports([first], 39, 2)
    (closed,) = p.close_reports([first], Came.FOLLOWED, "olive", "a trap", MORNING + 9, decision=2)
    assert (closed.came, closed.rank, closed.voices, closed.decision) == (Came.FOLLOWED, 39, 2, 2)
    assert p.close_reports([first], Came.REFUSED, "olive", "no", MORNING + 10) == []
    kept(p.add_report(a_report()))
    assert p.reporter_record([2, 3]) == {2: (0, 0), 3: (1, 0)}


def test_there_is_one_open_appeal_against_a_decision(store: SqlStore) -> None:
    """It can be added to while it is open, and its outcome is final."""
    p = store.process
    number = kept(p.add_appeal(an_appeal(), 60))
    assert p.add_appeal(an_appeal(), 60) == Refusal("an appeal against it is open")
    added = p.add_evidence(number, MORNING + 5, "Ben saw the pot")
    assert isinstance(added, Appeal)
    assert added.evidence == ((MORNING + 5, "Ben saw the pot"),)
    assert [a.number for a in p.appeals_due(MORNING + HOUR)] == [number]
    done = p.close_appeal(number, Heard.UPHELD, "tomasz", "it was a trap", MORNING + 9)
    assert isinstance(done, Appeal)
    assert (done.heard, done.by) == (Heard.UPHELD, "tomasz")
    assert isinstance(p.add_evidence(number, MORNING + 10, "more"), Refusal)
    assert isinstance(p.close_appeal(number, Heard.REVERSED, "emil", "no trap", MORNING + 11), Refusal)
    assert p.add_appeal(an_appeal(), 60) == Refusal("an appeal against it was heard")


@pytest.mark.parametrize("alias", [False, True], ids=["same name", "second name"])
def test_no_store_keeps_an_outcome_by_somebody_who_decided_in_the_case(store: SqlStore, *, alias: bool) -> None:
    """Neither by the method, nor past it by a statement of SQL; also under another name, or for a related decision."""
    p = store.process
    ben = store.member(2)
    assert ben is not None
    # Ben refused the proposal, which rests on the same finding as the decision that is appealed.
    store.decisions.refuse(1, ben.pseudonym, MORNING + 2, "too hard", after=store.head())
    if alias:
        p.know_as(1, "olive", 2)
    name = "olive" if alias else ben.pseudonym
    number = kept(p.add_appeal(an_appeal(), 60))
    assert ben.pseudonym in p.deciders(number)
    refused = p.close_appeal(number, Heard.UPHELD, name, "right", MORNING + 5)
    assert refused == Refusal("somebody else must hear it: you decided in this case, or are in it")
    ana = store.member(1)
    assert ana is not None
    assert isinstance(p.close_appeal(number, Heard.REVERSED, ana.pseudonym, "I say so", MORNING + 5), Refusal)
    with pytest.raises(store._db.failure, match="somebody who decided nothing"):
        store._db.execute(
            "UPDATE appeal SET heard = 'upheld', by = ?, reason = 'r', closed_at = 1 WHERE number = ?", (name, number)
        )
    assert isinstance(p.close_appeal(number, Heard.UPHELD, "tomasz", "right", MORNING + 5), Appeal)


def test_a_sample_is_judged_by_somebody_else(store: SqlStore) -> None:
    """Once, and not by anybody who decided about it; the same seed draws the same."""
    p = store.process
    store.decisions.confirm(2, "olive", MORNING + 5, "right", until=MORNING + HOUR, after=store.head())
    assert p.draw_samples(1, 0, b"seed", 1000, MORNING) == [1]
    assert p.draw_samples(1, 0, b"seed", 1000, MORNING) == []
    assert isinstance(p.judge_sample(1, "olive", "still right", MORNING + 6, correct=True), Refusal)
    done = p.judge_sample(1, "tomasz", "a tea pot", MORNING + 6, correct=False)
    assert not isinstance(done, Refusal)
    assert (done.correct, done.by) == (False, "tomasz")
    assert isinstance(p.judge_sample(1, "emil", "hm", MORNING + 7, correct=True), Refusal)


def test_an_appeals_word_counts_more_than_a_second_looks_and_that_more_than_the_first(store: SqlStore) -> None:
    """Each decision is judged once; after a clause is put back, what was judged before counts no more."""
    p, d = store.process, store.decisions.decision(2)
    assert d is not None
    assert p.judge(d, correct=True, source=Source.DECIDER, by="olive", at=MORNING)
    assert p.judge(d, correct=False, source=Source.APPEAL, by="tomasz", at=MORNING + 1)
    assert not p.judge(d, correct=True, source=Source.SAMPLE, by="emil", at=MORNING + 2)
    assert p.judged(1) == [("3.2", 0, 1, None)]
    p.drop(1, "3.2", MORNING + 3, 0, 1)
    assert p.judged(1, "3.2") == [("3.2", 0, 1, MORNING + 3)]
    assert p.put_back(1, "3.2", "olive", "the list is mended", MORNING + 4)
    assert not p.put_back(1, "3.2", "olive", "again", MORNING + 5)
    assert p.judged(1) == [("3.2", 0, 0, None)]


def test_what_a_member_reads_comes_in_pages_the_last_first(store: SqlStore) -> None:
    """Findings, appeals, reports and looks: those before the last one seen, and nothing is missed or comes twice."""
    p = store.process
    for n in range(5):
        p.add_report(a_report(event=f"$event-{n}"))
        p.add_look(Look(number=0, at=MORNING + n, community=1, by="olive", what="messages", reason="asked", member=1))
    p.add_appeal(an_appeal(), 35)

    def pages(ask: Callable[[int | None], list[int]]) -> list[list[int]]:
        found = [ask(1 << 40)]
        while found[-1]:
            found.append(ask(found[-1][-1]))
        return found[:-1]

    assert [[5, 4], [3, 2], [1]] == pages(lambda n: [r.number for r in p.reports(reporter=3, before=n, most=2)])
    assert [[5, 4], [3, 2], [1]] == pages(lambda n: [x.number for x in p.looks(member=1, before=n, most=2)])
    assert [[1]] == pages(lambda n: [a.number for a in p.appeals(member=1, before=n, most=2)])
    every = [f.number for f in store.findings(1)][::-1]
    paged = pages(lambda n: [f.number for f in p.findings_of(1, before=n, most=2)])
    assert len(every) > 1
    assert every == [number for page in paged for number in page]
    assert every[:2] == [f.number for f in p.findings_of(1, most=2)]


def test_a_members_activity_and_the_time_that_outcomes_took_can_be_read(store: SqlStore) -> None:
    """Own messages by day, of this member alone; medians of what was closed in the span, and none without any."""
    p = store.process
    head = store.head()
    store.post(NO_FINDINGS, ActivityColumns([1, 2, 1], [20_000, 20_000, 20_001], [3, 4, 5]), after=head)
    assert [(20_000, 3), (20_001, 5)] == [(a.day, a.messages) for a in p.activity_of(1)]
    assert (None, None) == p.medians(1, 0, MORNING)
    for n, waited in enumerate((HOUR, 3 * HOUR, 5 * HOUR)):
        report = p.add_report(a_report(event=f"$event-{n}"))
        assert isinstance(report, Report)
        p.close_reports([report.number], Came.REFUSED, "olive", "no", MORNING + waited)
    assert (3 * HOUR, None) == p.medians(1, MORNING, MORNING + 10 * HOUR)


def test_a_look_stays(store: SqlStore) -> None:
    """It says who looked at whom and why; it cannot be without a reason, changed, or taken out."""
    p = store.process
    with pytest.raises(ValueError, match="says who they are and why"):
        Look(number=0, at=1, community=1, by="olive", what="messages", reason=" ")
    look = p.add_look(Look(number=0, at=1, community=1, by="olive", what="messages", reason="a question", member=1))
    assert p.looks(member=1) == p.looks(community=1) == [look]
    for sql in ("UPDATE look SET reason = 'x'", "DELETE FROM look"):
        with pytest.raises(store._db.failure, match="who looked stays"):
            store._db.execute(sql)


def test_a_template_is_checked_when_it_is_saved(store: SqlStore) -> None:
    """A placeholder that is required and missing, unknown, or torn is named, and nothing is kept."""
    p = store.process
    for text, wrong in (("Sorry.", "{clause} is missing"), ("{clause} {tea}", "no placeholder {tea}"), ("{", "braces")):
        with pytest.raises(ValueError, match=wrong):
            p.save_template(1, Template("spam", "en", text, ("clause",)), "olive", MORNING)
    saved = Template("spam", "en", "Clause {clause} says it.", ("clause",))
    p.save_template(1, saved, "olive", MORNING)
    assert p.templates(1) == p.templates(1, language="en") == [saved]
    assert p.templates(1, language="de") == []


def test_members_are_found_by_a_part_of_what_they_are_called(store: SqlStore) -> None:
    """By account, name or the start of a pseudonym, page by page; a sign of SQL's is only a sign."""
    p = store.process
    assert [m.number for m in p.members([1])] == [1, 2, 3]
    assert [m.number for m in p.members([1], beyond=1, most=1)] == [2]
    assert [m.name for m in p.members([1], text="AN")] == ["Ana"]
    assert p.members([1], text="%") == []
    ana = store.member(1)
    assert ana is not None
    assert [m.number for m in p.members([1], text=ana.pseudonym[:9])] == [1]


def test_the_overview_adds_up(store: SqlStore) -> None:
    """What waits, came in, was done and by whom, and how long it took, are counted from what is kept."""
    p = store.process
    number = kept(p.add_report(a_report()))
    p.close_reports([number], Came.REFUSED, "olive", "only tea", MORNING + 3000)
    p.add_handled(1, Item(Kind.REPORT, number), "olive", "refuse", MORNING + 3000, waited=3000)
    found = p.overview([1], MORNING - 1, MORNING + HOUR)
    assert (found.waiting["proposal"], found.waiting["provisional"], found.waiting["report"]) == (1, 1, 0)
    assert (found.inbound, found.decided, found.reversed) == (
        {"decision": 2, "report": 1, "appeal": 0, "finding": 0},
        2,
        0,
    )
    assert (found.handled, found.by_person, found.report_median, found.appeal_median) == (
        {"report": 1},
        {"olive": 1},
        3000,
        None,
    )
    assert found.by_day == ((MORNING // 86_400_000, 3, 1),)


def test_reading_works_beside_the_writer(store: SqlStore, place: Path | str) -> None:
    """A connection that only reads sees the queue and the figures, and can change nothing."""
    with open_store(place, durable=False, read_only=True) as beside:
        assert keys(beside) == keys(store)
        assert [d.number for d in beside.process.decisions_of(1, most=1)] == [2]
        assert [f.number for f in beside.process.findings_of(1)] == [4, 1]
