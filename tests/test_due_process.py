"""Due process, line by line: statement, report, appeal, second look, precision, looking, and who may decide what."""

import json
from pathlib import Path

import msgspec
import pytest

from comity.core.appeal import Appeal, Heard
from comity.core.charter import APPEAL_TERM, Measure
from comity.core.decision import Course
from comity.core.errors import ComityError
from comity.core.event import Event, moment, rfc3339
from comity.core.queue import Item, Kind, Query
from comity.core.report import Came
from comity.core.templates import Template
from comity.core.verdicts import UNDO, Change, Confirm, Escalate, Impose, Judge, Note, Refuse, Reverse, Uphold
from comity.core.who import Who
from comity.runner.hearing import THE_TERM
from comity.stores.process_contract import Stage
from fake_garden import message
from fake_homeserver import FakeHomeserver
from office_kit import ALL, DAY, HINT, MANAGER, MEMBERS, NEUTRAL, OLIVE, OTHER, PRIZE, TOMASZ, TRAP, House, house
from test_runner_kill import ROOMS

pytestmark = pytest.mark.anyio
ANA, BEN, CLEO, DORA = MEMBERS[:4]
TERM = int(APPEAL_TERM.total_seconds() * 1000)


async def muted(live: House, who: str = ANA) -> int:
    """Somebody sets a trap and is muted for it; the number of the mute."""
    await live.say(who, "milk first", TRAP)
    (mute,) = [d for d in live.decisions(who) if d.measure is Measure.MUTE]
    return mute.number


async def reported(
    live: House, event: str = "$kettle", *, of: str = ANA, by: str = CLEO, text: str = "please look"
) -> Item:
    """Somebody reports a message; the item that waits."""
    report = await live.office.report(
        1, live.number(by), member=live.number(of), room=1, event=event, harm="spam", text=text
    )
    return Item(Kind.REPORT, report.number)


# Statements.


async def test_every_decision_has_a_statement_that_says_what_why_and_how_to_appeal(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """Measure, facts, clause, who decided, and the six months; it comes by direct message after the act."""
    async with house(tmp_path, fake) as live:
        number = await muted(live)
        statement = live.store.decisions.statement(number)
        assert statement is not None
        assert statement.appeal_until == statement.at + TERM
        assert statement.clause_id == "2.1"
        assert [f.excerpt for f in statement.facts] == [TRAP]
        assert statement.decided_automatically
        told = await live.told("You cannot write.", "clause 2.1", TRAP, "You can appeal until")
        assert "Decided by automated means" in told


# Reports.


async def test_a_report_gets_a_receipt_and_an_outcome(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Whoever reports is told that it is here, and what came of it; all reports of one message are closed together."""
    async with house(tmp_path, fake) as live:
        item = await reported(live)
        await reported(live, by=BEN)
        await live.told("Your report 1 is here")
        before = live.points(ANA)
        assert await live.done(item, Refuse("only a kettle")) == "Nothing follows from 2 reports."
        await live.told("Somebody looked at your report 1", "only a kettle")
        await live.told("Somebody looked at your report 2", "only a kettle")
        assert await live.waits() == []
        assert live.points(ANA) == before


async def test_a_report_from_the_platform_is_a_report(fake: FakeHomeserver, tmp_path: Path) -> None:
    """An event of kind "report" waits for a person and is answered, in the transaction of its turn, once."""
    async with house(tmp_path, fake) as live:
        realm = live.runner._realms["tea-garden"]
        at = rfc3339(moment(live.now()))
        event = Event("$r1", at, "report", "tea-garden", ROOMS[0], CLEO, target="$kettle", text="an advertisement")
        turns = live.runner._turns
        for _ in range(2):
            with live.store.write():
                live.runner._outbox.add(turns.hear(realm, [event], live.now()))
        assert await live.waits() == [Item(Kind.REPORT, 1)]
        await live.told("Your report 1 is here")


async def test_reports_by_members_who_report_together_are_one_voice(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Two who always report the same weigh like one; independent reporters and those who were right weigh more."""
    async with house(tmp_path, fake) as live:
        for n in range(4):
            item = await reported(live, f"$old-{n}", by=BEN)
            await reported(live, f"$old-{n}", by=CLEO)
            await live.done(item, Refuse("nothing in it"))
        for n in range(3):
            await live.done(
                await reported(live, f"$true-{n}", by=DORA, of=MEMBERS[5 + n]),
                Impose("an advertisement", clause="3.1", measure=Measure.WARN, excerpt=HINT),
            )
        together = await reported(live, "$gang", by=BEN)
        await reported(live, "$gang", by=CLEO)
        right = await reported(live, "$right", by=DORA)
        assert await live.waits() == [right, together]
        p = live.store.process
        first, second = p.item(together, live.now()), p.item(right, live.now())
        assert first is not None
        assert second is not None
        assert (first.voices, second.voices) == (1, 1)
        assert first.rank < second.rank


async def test_a_report_that_is_followed_becomes_a_decision_of_a_person(fake: FakeHomeserver, tmp_path: Path) -> None:
    """With a finding, a statement that says it began with a report, and no word of who reported."""
    async with house(tmp_path, fake) as live:
        item = await reported(live, text="she sells kettles")
        bare = Impose("no selling", clause="3.1", measure=Measure.SLOW, until=live.now() + DAY)
        refused = await live.decide(item, bare)
        assert refused.state is Stage.REFUSED
        assert "needs evidence" in refused.outcome
        whole = msgspec.structs.replace(bare, excerpt=HINT, until=live.now() + DAY)
        assert "follows from 1 report: slow" in await live.done(item, whole)
        (decision,) = live.decisions(ANA)
        assert (decision.by, decision.found_automatically, decision.course) == ("olive", False, Course.CONFIRMED)
        told = await live.told("once a minute", "no selling")
        assert "Found because somebody reported it." in told
        assert CLEO not in told
        await live.told("something was done about it")
        (report,) = live.store.process.reports(member=live.number(ANA))
        assert (report.came, report.decision) == (Came.FOLLOWED, decision.number)


async def test_whoever_reported_can_appeal_against_a_refusal(fake: FakeHomeserver, tmp_path: Path) -> None:
    """It is heard by somebody else than who refused, and then the report waits again."""
    async with house(tmp_path, fake) as live:
        await live.done(await reported(live), Refuse("only a kettle"))
        with pytest.raises(ComityError, match="only whoever reported"):
            await live.office.appeal(1, live.number(BEN), "it sells", report=1)
        await live.office.appeal(1, live.number(CLEO), "it sells", report=1)
        (item,) = await live.waits(Kind.APPEAL)
        with pytest.raises(ComityError, match="you decided in this case"):
            await live.decide(item, Uphold("still a kettle"))
        await live.done(item, Reverse("it does sell"), TOMASZ)
        await live.told("what was decided is reversed", "it does sell")
        assert await live.waits() == [Item(Kind.REPORT, 2)]


async def test_a_crowd_that_reports_a_bad_day_does_not_make_it_a_bad_month(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """What began with a report, and came within days of what is as grave, weighs nothing; also after a restart."""
    async with house(tmp_path, fake) as live:
        await live.say(ANA, HINT)
        live.later += DAY
        before = _counted(live, ANA)
        await live.done(
            await reported(live), Impose("another one", clause="3.1", measure=Measure.WARN, excerpt="a second kettle")
        )
        found = _counted(live, ANA)
        assert (found[0], found[1]) == (before[0], [False, True])
    async with house(tmp_path, fake) as live:
        live.later += DAY
        assert _counted(live, ANA) == found


def _counted(live: House, who: str) -> tuple[int, list[bool]]:
    """A member's standing today, and of each finding that counts whether a report began it."""
    counting, number = live.runner._realms["tea-garden"].counting, live.number(who)
    counted = [c.reported for c in counting.counted(number)]
    return counting.rated(number, live.now() // DAY).standing.points, counted


# Appeals.


async def test_a_reversed_decision_leaves_nothing_behind(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Standing is exactly what it was, the mute is gone, and the member is told by whom it was heard: somebody else."""
    async with house(tmp_path, fake) as live:
        await live.say(ANA, "milk first", "then the tea")
        before = live.points(ANA)
        number = await muted(live)
        after = live.points(ANA)
        assert after < before
        appeal = await live.office.appeal(1, live.number(ANA), "It was a tea pot.", decision=number)
        await live.told(f"Your appeal {appeal.number} is here", "decided in your favour")
        item = Item(Kind.APPEAL, appeal.number)
        assert (await live.case(item, TOMASZ)).appeal == appeal
        await live.done(item, Reverse("a tea pot indeed"), TOMASZ)
        await live.told("what was decided is reversed", "a tea pot indeed")
        realm = live.runner._realms["tea-garden"]
        assert live.number(ANA) not in realm.in_force
        assert live.decisions(ANA, Course.IN_FORCE) == []
        assert live.store.verify().whole
        await live.say(BEN, "milk first", "then the tea", "milk first", "a teapot")  # the same, but for the trap
        assert live.points(ANA) == live.points(BEN) >= before


async def test_nobody_hears_an_appeal_against_what_they_decided(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Neither who confirmed it in a chat under another name, nor who is in the case; somebody else upholds it."""
    async with house(tmp_path, fake) as live:
        number = await muted(live)
        live.runner._desk._persons.confirm(number, OTHER)
        appeal = await live.office.appeal(1, live.number(ANA), "It was a tea pot.", decision=number)
        item = Item(Kind.APPEAL, appeal.number)
        for by, why in (
            (Who("dahlia", live.number(OTHER)), "you decided"),
            (Who("anise", live.number(ANA)), "about you"),
        ):
            assert why in (await live.case(item, by)).barred
            with pytest.raises(ComityError, match=why):
                await live.decide(item, Uphold("right"), by)
        assert "upheld" in await live.done(item, Uphold("a trap"), TOMASZ)
        await live.told("what was decided is upheld", "a trap")
        with pytest.raises(ComityError, match="was heard"):
            await live.office.appeal(1, live.number(ANA), "again", decision=number)


async def test_an_appeal_is_open_for_six_months_and_once(fake: FakeHomeserver, tmp_path: Path) -> None:
    """By the member it is about, one at a time; a day later than six months it is too late."""
    async with house(tmp_path, fake) as live:
        number, ana = await muted(live), live.number(ANA)
        with pytest.raises(ComityError, match="only the member"):
            await live.office.appeal(1, live.number(BEN), "for her", decision=number)
        with pytest.raises(ComityError, match="says why"):
            await live.office.appeal(1, ana, "  ", decision=number)
        appeal = await live.office.appeal(1, ana, "It was a tea pot.", decision=number)
        with pytest.raises(ComityError, match="is open"):
            await live.office.appeal(1, ana, "once more", decision=number)
        added = await live.office.add_evidence(appeal.number, ana, "Ben saw it")
        assert [text for _, text in added.evidence] == ["Ben saw it"]
        await live.office.withdraw(appeal.number, ana)
        live.later += TERM + DAY
        with pytest.raises(ComityError, match="six months"):
            await live.office.appeal(1, ana, "late", decision=number)


@pytest.mark.parametrize(("days", "text"), [(14, TRAP), (3, "I resign")], ids=["fourteen days", "three of management"])
async def test_an_appeal_that_nobody_hears_lapses_in_the_members_favour(
    fake: FakeHomeserver, tmp_path: Path, days: int, text: str
) -> None:
    """Not a moment before the charter's term, and then by the clock alone; sooner where management was lost."""
    async with house(tmp_path, fake) as live:
        who = MANAGER if days == 3 else ANA
        await live.say(who, text)
        measure = Measure.SUSPEND if who == MANAGER else Measure.MUTE
        (decision,) = [d for d in live.decisions(who) if d.measure is measure]
        appeal = await live.office.appeal(1, live.number(who), "Look again.", decision=decision.number)
        assert appeal.due == appeal.at + days * DAY
        live.wait(days * DAY - 60_000)
        found = live.store.process.appeal(appeal.number)
        assert found == appeal
        live.wait(60_000)
        found = live.store.process.appeal(appeal.number)
        assert found is not None
        assert found.heard is Heard.LAPSED
        now = live.store.decisions.decision(decision.number)
        assert now is not None
        assert now.course is Course.REVERSED
        assert live.store.decisions.course(decision.number)[-1].by == THE_TERM
        await live.told("Nobody heard your appeal", "in your favour")


async def test_where_nobody_else_can_hear_it_an_appeal_waits_for_a_neutral(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """With one moderator, who decided, it is marked for somebody from outside; with a second one it is not."""
    async with house(tmp_path, fake) as live:
        live.staff("olive")
        for who in (ANA, BEN):
            number = await muted(live, who)
            (item,) = [i for i in await live.waits(Kind.PROVISIONAL) if i.number == number]
            await live.done(item, Confirm("a trap"))
            await live.office.appeal(1, live.number(who), "It was a tea pot.", decision=number)
            live.staff("tomasz" if who == ANA else "emil")
        outside = await live.office.items(Query(communities=ALL, escalated=True))
        assert [w.item for w in outside] == [Item(Kind.APPEAL, 1)]
        await live.done(Item(Kind.APPEAL, 1), Reverse("no trap"), NEUTRAL)
        assert live.decisions(ANA, Course.CONFIRMED) == []


async def test_an_appeal_against_what_is_reversed_already_needs_no_hearing(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """Whoever decided sees the mistake first, in a chat: the appeal is closed, and nobody is asked to hear it."""
    async with house(tmp_path, fake) as live:
        number = await muted(live)
        appeal = await live.office.appeal(1, live.number(ANA), "It was a tea pot.", decision=number)
        live.runner._desk._persons.reverse(number, OTHER, "my mistake")
        found = live.store.process.appeal(appeal.number)
        assert found is not None
        assert found.heard is Heard.WITHDRAWN
        assert "my mistake" in found.reason
        assert await live.waits(Kind.APPEAL) == []


# Verdicts.


async def test_a_verdict_can_be_taken_back_for_ten_seconds(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Until then nothing follows from it; afterwards it is done, and the item waits no more."""
    async with house(tmp_path, fake) as live:
        number = await muted(live)
        item = Item(Kind.PROVISIONAL, number)
        given = await live.office.decide(item, Confirm("a trap"), OLIVE, (await live.case(item)).version)
        live.wait(UNDO - 1000)
        assert item not in await live.waits()
        await live.office.undo(given.number, OLIVE)
        live.wait(UNDO)
        assert live.decisions(ANA, Course.CONFIRMED) == []
        assert item in await live.waits()
        await live.done(item, Confirm("a trap"))
        (decision,) = live.decisions(ANA, Course.CONFIRMED)
        assert (decision.number, decision.by) == (number, "olive")
        with pytest.raises(ComityError, match="does not wait"):
            await live.case(item)


async def test_two_persons_cannot_decide_on_the_same_state(fake: FakeHomeserver, tmp_path: Path) -> None:
    """The second has an old version; and while one has the item open, another's verdict is not taken."""
    async with house(tmp_path, fake) as live:
        first, _second = [i for i in await _two_traps(live) if i.kind is Kind.PROVISIONAL][:2]
        seen = (await live.case(first, TOMASZ)).version
        await live.office.lock(first, OLIVE)
        with pytest.raises(ComityError, match="olive has"):
            await live.office.lock(first, TOMASZ)
        with pytest.raises(ComityError, match="olive has"):
            await live.office.decide(first, Confirm("a trap"), TOMASZ, seen)
        await live.office.release(first, OLIVE)
        await live.say(ANA, TRAP)
        with pytest.raises(ComityError, match="look again"):
            await live.office.decide(first, Confirm("a trap"), TOMASZ, seen)
        given = await live.office.decide(first, Confirm("a trap"), TOMASZ, (await live.case(first)).version)
        # Somebody in the chat is quicker: the verdict comes too late, and says so.
        live.runner._desk._persons.reverse(first.number, OTHER, "no trap")
        live.wait(UNDO)
        late = live.store.process.intent(given.number)
        assert late is not None
        assert late.state is Stage.REFUSED
        assert any("of tomasz" in line and "too late" in line for line in live.runner._telling._notices)


async def _two_traps(live: House) -> list[Item]:
    await muted(live)
    return await live.waits()


async def test_a_raid_is_decided_together(fake: FakeHomeserver, tmp_path: Path) -> None:
    """What one turn brought under one clause gets one verdict, each decision a course of its own."""
    async with house(tmp_path, fake) as live:
        at = live.now() - 1
        await live.runner.take([message(900 + n, ROOMS[0], m, TRAP, at) for n, m in enumerate(MEMBERS[:6])])
        waiting = await live.waits(Kind.PROVISIONAL)
        others = [w.item for w in await live.office.alike(waiting[0])]
        assert {*others, waiting[0]} == {*waiting}
        seen = {item: (await live.case(item)).version for item in waiting}
        given = await live.office.decide_all(seen, Confirm("a raid"), OLIVE)
        assert not [x for x in given.values() if isinstance(x, str)]
        live.wait(UNDO)
        assert await live.waits(Kind.PROVISIONAL) == []
        assert {d.by for m in MEMBERS[:6] for d in live.decisions(m, Course.CONFIRMED)} == {"olive"}


async def test_a_decision_can_be_changed_to_another_end_or_measure(fake: FakeHomeserver, tmp_path: Path) -> None:
    """What it took is given back where the new measure takes less; the finding stays, and the member is told."""
    async with house(tmp_path, fake) as live:
        number, until = await muted(live), live.now() + 2 * DAY
        item = Item(Kind.PROVISIONAL, number)
        await live.done(item, Change("two days are enough", until=until))
        (decision,) = live.decisions(ANA, Course.CONFIRMED)
        assert decision.until == until
        other = await muted(live, BEN)
        said = await live.done(
            Item(Kind.PROVISIONAL, other), Change("slower is enough", until=until, measure=Measure.SLOW)
        )
        assert "slow" in said
        (slow,) = live.decisions(BEN, Course.CONFIRMED)
        old = live.store.decisions.decision(other)
        assert old is not None
        assert (slow.measure, slow.by, slow.findings) == (Measure.SLOW, "olive", old.findings)
        assert old.course is Course.REVERSED
        assert [d.measure for d in live.runner._realms["tea-garden"].in_force[live.number(BEN)]][-1] is Measure.SLOW


async def test_nobody_decides_about_themselves_or_what_they_reported(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Also under the name they have as a moderator."""
    async with house(tmp_path, fake) as live:
        number = await muted(live)
        with pytest.raises(ComityError, match="about you"):
            await live.decide(Item(Kind.PROVISIONAL, number), Reverse("I did nothing"), Who("anise", live.number(ANA)))
        item = await reported(live)
        with pytest.raises(ComityError, match="you reported it"):
            await live.decide(item, Refuse("never mind"), Who("clove", live.number(CLEO)))


async def test_a_proposal_shows_the_statement_it_would_make_and_what_each_measure_takes(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """Everything a person needs is in one value; following it bans with a statement, refusing it does nothing."""
    async with house(tmp_path, fake) as live:
        await live.say(ANA, PRIZE)
        await live.say(BEN, PRIZE)
        first, second = await live.waits(Kind.PROPOSAL)
        case = await live.case(first)
        assert "You are banned." in case.preview
        assert [s.excerpt for s in case.evidence] == [PRIZE]
        assert case.standing is not None
        assert case.standing.start + sum(line.shown for line in case.standing.lines) == case.standing.points
        assert case.standing.low <= case.standing.points <= case.standing.high
        assert len(case.curve) == 180
        (provisional,) = [d for d in live.decisions(ANA) if d.measure is Measure.MUTE]
        effects = (await live.case(Item(Kind.PROVISIONAL, provisional.number))).effects
        mute = next(e for e in effects if e.measure is Measure.MUTE)
        assert "speak" in mute.loses
        assert len(mute.rooms) == len(ROOMS)
        assert live.store.decisions.statement(first.number) is None
        await live.done(first, Confirm("nobody gets a trowel"))
        await live.told("You are banned.", "nobody gets a trowel", "Decided by a person.")
        await live.done(second, Refuse("a joke"))
        assert [d.course for d in live.decisions(BEN) if d.measure is Measure.BAN] == [Course.REFUSED]


async def test_notes_skips_and_escalations_are_there_for_whoever_looks_next(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """A note is done at once; who passes over says why; an escalation waits for somebody from outside."""
    async with house(tmp_path, fake) as live:
        item = Item(Kind.PROVISIONAL, await muted(live))
        version = (await live.case(item)).version
        await live.office.decide(item, Note("she asked me about it"), OLIVE, version)
        with pytest.raises(ComityError, match="say why"):
            await live.office.skip(item, OLIVE, " ")
        await live.office.skip(item, OLIVE, "a friend of mine")
        await live.office.decide(item, Escalate("we all know her"), OLIVE, version)
        case = await live.case(item, TOMASZ)
        assert [n.text for n in case.notes] == ["she asked me about it"]
        assert [s.text for s in case.skips] == ["a friend of mine"]
        assert case.item.escalated
        assert case.version == version


async def test_a_finding_in_review_waits_for_a_person_and_counts_only_then(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """Nothing follows by itself; what a person makes of it is a finding and a decision of theirs."""
    async with house(tmp_path, fake, review=True) as live:
        await live.say(ANA, HINT)
        await live.say(BEN, HINT)
        first, second = await live.waits(Kind.FINDING)
        assert live.decisions(ANA) == []
        await live.done(first, Refuse("a gift"))
        await live.done(second, Impose("a trap", clause="2.1", measure=Measure.WARN))
        assert live.decisions(ANA) == []
        (decision,) = live.decisions(BEN)
        assert (decision.clause_id, decision.measure, decision.by) == ("2.1", Measure.WARN, "olive")
        assert decision.found_automatically  # by a rule: no report began it
        assert await live.waits() == []


# Second looks and precision.


async def test_a_blind_second_look_does_not_see_the_first_verdict(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Neither measure, course nor standing; it is given by somebody else, and is counted for the clause."""
    async with house(tmp_path, fake) as live:
        number = await muted(live)
        await live.done(Item(Kind.PROVISIONAL, number), Confirm("a trap"))
        drawn = live.store.process.draw_samples(1, 0, b"a seed", 1000, live.now())
        assert drawn
        (item,) = [i for i in await live.waits(Kind.SAMPLE) if _sampled(live, i) == number]
        case = await live.case(item, TOMASZ)
        assert case.blind
        assert (case.decision, case.standing, case.item.measure) == (None, None, None)
        assert (case.before, case.effects, case.preview) == ((), (), "")
        assert [s.excerpt for s in case.evidence] == [TRAP]
        with pytest.raises(ComityError, match="you decided about it"):
            await live.decide(item, Judge("still a trap", right=True), OLIVE)
        await live.done(item, Judge("a tea pot", right=False), TOMASZ)
        (p,) = [x for x in await live.office.precision(1) if x.clause_id == "2.1"]
        assert (p.right, p.wrong) == (0, 1)


def _sampled(live: House, item: Item) -> int:
    sample = live.store.process.sample(item.number)
    return sample.decision if sample else 0


async def test_a_clause_that_is_surely_wrong_too_often_drops_to_shadow_by_itself(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """Not before ten were judged; then it only finds, also after a restart, until a person puts it back."""
    async with house(tmp_path, fake) as live:
        for n, member in enumerate(MEMBERS[:10]):
            await live.say(member, HINT)
            (p,) = [x for x in await live.office.precision(1) if x.clause_id == "3.1"]
            assert (p.wrong, p.dropped_at) == (n, None)
            warning = live.decisions(member)[0]
            await live.done(Item(Kind.PROVISIONAL, warning.number), Reverse("a gift"))
        (p,) = [x for x in await live.office.precision(1) if x.clause_id == "3.1"]
        assert p.under
        assert p.high < 0.8
        assert p.dropped_at is not None
        await live.say(MEMBERS[10], HINT)
        assert live.decisions(MEMBERS[10]) == []
        assert any("Clause 3.1 only finds from now on" in line for line in live.runner._telling._notices)
        later = live.later
    async with house(tmp_path, fake) as live:
        live.later = later
        await live.say(MEMBERS[10], HINT)
        assert live.decisions(MEMBERS[10]) == []
        await live.office.shadow(1, "3.1", OLIVE, on=False, reason="the pattern is mended")
        (p,) = [x for x in await live.office.precision(1) if x.clause_id == "3.1"]
        assert (p.wrong, p.dropped_at) == (0, None)
        live.wait(1000)
        await live.say(MEMBERS[11], HINT)
        assert [d.measure for d in live.decisions(MEMBERS[11])] == [Measure.WARN, Measure.SLOW]


# Looking, and what a member sees.


async def test_who_looks_outside_a_case_says_why_and_the_member_reads_it(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Without a reason there is no look; with one it stands in the member's own file."""
    async with house(tmp_path, fake) as live:
        ana = live.number(ANA)
        with pytest.raises(ComityError, match="the member can read it"):
            await live.office.look(1, OLIVE, "", what="messages", member=ana)
        await live.office.look(1, OLIVE, "she asked for help", what="messages", member=ana)
        file = await live.office.member(1, ana)
        assert [(x.by, x.reason) for x in file.looks] == [("olive", "she asked for help")]


async def test_a_member_takes_everything_along_but_who_reported_them(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Standing, entries, decisions, statements, appeals, notes and looks; forgotten, nobody can tell who it was."""
    async with house(tmp_path, fake) as live:
        number = await muted(live)
        await reported(live, text="I am her neighbour")
        ana = live.number(ANA)
        file = await live.office.member(1, ana)
        assert number in file.appealable
        assert number in file.in_force
        taken = json.loads(await live.office.everything_about(1, ana))
        assert taken["decisions"][0]["statement"]["clause_id"] == "2.1"
        assert len(taken["reported"]) == 1
        assert "neighbour" not in json.dumps(taken)
        cleo = live.store.member(live.number(CLEO))
        assert cleo is not None
        assert cleo.pseudonym not in json.dumps(taken)
        assert await live.office.forget(1, ana)
        row = live.store.member(ana)
        assert row is not None
        assert row.account is None
        assert not await live.office.forget(1, ana)
        with pytest.raises(ComityError, match="no such member"):
            await live.office.member(1, 999)


async def test_templates_of_reasons_name_their_mistakes(fake: FakeHomeserver, tmp_path: Path) -> None:
    """One that leaves out what it must say is not saved."""
    async with house(tmp_path, fake) as live:
        with pytest.raises(ComityError, match=r"\{until\} is missing"):
            await live.office.save_template(1, Template("spam", "en", "Clause {clause}.", ("clause", "until")), OLIVE)


async def test_the_overview_says_what_there_was_to_do_and_who_did_it(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Inbound, handled, reversed, and how long reports and appeals took."""
    async with house(tmp_path, fake) as live:
        begun = live.now()
        number = await muted(live)
        await live.office.appeal(1, live.number(ANA), "It was a tea pot.", decision=number)
        live.later += 60_000
        await live.done(Item(Kind.APPEAL, 1), Reverse("a pot"), TOMASZ)
        await live.done(await reported(live), Refuse("no"))
        found = await live.office.overview(ALL, begun - 60_000, live.now() + 1)
        assert (found.inbound["report"], found.inbound["appeal"], found.handled) == (1, 1, {"appeal": 1, "report": 1})
        assert found.by_person == {"tomasz": 1, "olive": 1}
        assert found.reversed >= 1
        assert found.appeal_median is not None
        assert 60_000 <= found.appeal_median < 120_000
        assert found.report_median is not None


async def test_an_appeal_by_somebody_who_is_gone_is_still_an_appeal(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Whoever is forgotten is told nothing any more; what they appealed against is heard all the same."""
    async with house(tmp_path, fake) as live:
        number = await muted(live)
        made = await live.office.appeal(1, live.number(ANA), "It was a tea pot.", decision=number)
        assert isinstance(made, Appeal)
        await live.office.forget(1, made.member)
        await live.done(Item(Kind.APPEAL, made.number), Uphold("a trap"), TOMASZ)
