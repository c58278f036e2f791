"""The record as evidence: what was said around a message, shown in a case, and never without a trace."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from comity.adapters.matrix.normalise import REPORT
from comity.core.queue import Item, Kind
from comity.core.who import Who
from comity.runner.evidence import Sought
from comity.stores.record.nearby import NEAR, Nearby
from fake_garden import message
from fake_homeserver import FakeHomeserver
from office_kit import DAY, MEMBERS, OLIVE, PRIZE, TOMASZ, TRAP, House, house
from record_garden import GARDEN, HOUR, MONDAY, Here, a_chat, an_event
from test_runner_kill import ROOMS

ANA, BEN, CLEO = MEMBERS[:3]


def texts(near: Nearby, event: str, *, before: int = 2, after: int = 2) -> list[str]:
    """The ids of what was said around an event."""
    return [e.id for e in near.around(event, MONDAY, MONDAY + 30 * DAY, before=before, after=after)]


@pytest.mark.parametrize("sealed", [False, True])
def test_around_a_message_are_those_next_to_it_in_its_room(tmp_path: Path, *, sealed: bool) -> None:
    """As many as asked for before and after, of that room alone, in order, sealed or not."""
    with Here.open(tmp_path) as here:
        here.say(a_chat(40, apart=60_000))
        if sealed:
            here.record.tend(MONDAY + HOUR, whole=True)
        near = Nearby(here.record.parts, GARDEN, MONDAY + HOUR)

        assert ["$event-9", "$event-12", "$event-15", "$event-18", "$event-21"] == texts(near, "$event-15")
        assert ["$event-0", "$event-3"] == texts(near, "$event-0", after=1)
        assert here.called("ana") == near.author("$event-15", MONDAY, MONDAY + DAY)
        assert [] == texts(near, "$event-99")
        assert "" == near.author("$event-99", MONDAY, MONDAY + DAY)


def test_around_a_message_is_only_what_was_said_that_day(tmp_path: Path) -> None:
    """What is far away in time is not around it; a week's end in between, and sealing, make no difference."""
    sunday = MONDAY + 7 * DAY - HOUR
    with Here.open(tmp_path) as here:
        here.say([an_event(0, sunday), an_event(3, sunday + 2 * HOUR), an_event(6, sunday + 2 * HOUR + NEAR + 1)])
        here.record.tend(sunday + HOUR, whole=True)
        here.say([an_event(9, sunday + 3 * HOUR), an_event(12, sunday + 4 * HOUR, kind="join", text=None)])

        near = Nearby(here.record.parts, GARDEN, sunday + DAY)
        assert ["$event-0", "$event-3", "$event-9"] == texts(near, "$event-3")


def test_what_is_gone_is_not_around_anything(tmp_path: Path) -> None:
    """What its author took back, or who wants to be forgotten said, is neither shown nor a message's author told."""
    with Here.open(tmp_path) as here:
        here.say(a_chat(40, apart=60_000))
        here.record.tend(MONDAY + HOUR, whole=True)
        gone = an_event(15, MONDAY + 2 * HOUR, id="$gone", kind="redaction", target="$event-12", text=None)
        here.say([msgspec.structs.replace(gone, member="@cleo:example.org")])

        near = Nearby(here.record.parts, GARDEN, MONDAY + HOUR)
        assert ["$event-6", "$event-9", "$event-15", "$event-18", "$event-21"] == texts(near, "$event-15")
        here.record.forget(GARDEN, here.called("ana"), MONDAY + 3 * HOUR)
        near = Nearby(here.record.parts, GARDEN, MONDAY + 3 * HOUR)
        assert [] == texts(near, "$event-15")
        assert "" == near.author("$event-15", MONDAY, MONDAY + DAY)


async def proposed(live: House) -> Item:
    """A prize is promised amid a chat; the proposal that waits."""
    await live.say(BEN, "milk first", "then the tea")
    await live.say(ANA, PRIZE)
    await live.say(BEN, "no thanks")
    return (await live.waits(Kind.PROPOSAL))[0]


@pytest.mark.anyio
async def test_a_case_shows_what_was_said_around_its_evidence(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Before and after it, by pseudonym; no room that is not recorded is shown."""
    async with house(tmp_path, fake, recorded=True) as live:
        case = await live.case(await proposed(live))
        (shown,) = case.evidence
        said = [(s.text, s.here) for s in shown.around]
        await live.say(CLEO, PRIZE, room=ROOMS[1])
        other = await live.case((await live.waits(Kind.PROPOSAL))[1])

    assert [("milk first", False), ("then the tea", False), (PRIZE, True), ("no thanks", False)] == said
    assert not {BEN, ANA} & {s.by for s in shown.around}
    assert () == other.evidence[0].around


@pytest.mark.anyio
async def test_looking_within_a_case_is_a_look_of_that_case(fake: FakeHomeserver, tmp_path: Path) -> None:
    """It needs no reason, and is kept once for each who looks, in store and chain; not for those who see nothing."""
    async with house(tmp_path, fake, recorded=True) as live:
        item = await proposed(live)
        ana = live.number(ANA)
        for by in (OLIVE, OLIVE, TOMASZ, Who("ana", member=ana)):
            await live.case(item, by)
        looks = live.store.process.looks(member=ana)
        links = [json.loads(body) for body in live.store.record.links()]
        live.wait(2 * HOUR)
        await live.case(item)
        again = live.store.process.looks(member=ana)

    assert {"olive", "tomasz"} == {look.by for look in looks}
    assert 2 == len(looks)
    assert all(item.key in look.reason for look in looks)
    assert {(look.number, look.by, 4) for look in looks} == {
        (link["look"], link["by"], link["shown"]) for link in links if link["what"] == "looked"
    }
    assert 3 == len(again)


@pytest.mark.anyio
async def test_whose_message_is_reported_is_known_from_the_record(fake: FakeHomeserver, tmp_path: Path) -> None:
    """On a page as from the platform, though nothing was found in it; and the case shows the message itself."""
    async with house(tmp_path, fake, recorded=True) as live:
        (event,) = await live.say(ANA, "the zinnias are out")
        by_page = await live.office.report(1, live.number(CLEO), room=1, event=event, harm="spam", text="look")
        unsaid = message(1, ROOMS[0], BEN, "", live.now()) | {
            "type": REPORT, "event_id": "$report-1", "content": {"event_id": event, "reason": "look"},
        }  # fmt: skip
        await live.runner._take_reports([unsaid], lambda: None)
        reports = live.store.process.reports(community=1, most=10)
        (shown,) = (await live.case(Item(Kind.REPORT, by_page.number))).evidence
        ana = live.number(ANA)

    assert [ana, ana] == [r.member for r in reports]
    assert "the zinnias are out" == shown.excerpt


@pytest.mark.anyio
async def test_a_record_that_cannot_be_read_in_time_stops_nothing(
    fake: FakeHomeserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The case is shown without what was said around it, while the loop turns; later it is there again."""
    async with house(tmp_path, fake, recorded=True) as live:
        item = await proposed(live)
        evidence = live.runner.office._files._surroundings._evidence
        monkeypatch.setattr(evidence, "_within", 0.0)
        blank = await live.case(item)
        key = tmp_path / "record.key"
        monkeypatch.setattr(evidence, "_within", 20.0)
        hidden = key.rename(tmp_path / "elsewhere.key")
        unread = await asyncio.gather(*(live.case(item) for _ in range(3)))
        hidden.rename(key)
        whole = await live.case(item)

    assert [()] * 4 == [file.evidence[0].around for file in (blank, *unread)]
    assert 4 == len(whole.evidence[0].around)


@pytest.mark.anyio
async def test_the_ledger_answers_first_whose_a_message_is(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Also of a room that is not recorded, if anything was found in it."""
    async with house(tmp_path, fake, recorded=True) as live:
        (trap,) = await live.say(ANA, TRAP, room=ROOMS[1])
        (plain,) = await live.say(ANA, "milk first", room=ROOMS[1])
        evidence, at = live.runner.office._files._surroundings._evidence, live.now()
        found = [await evidence.author(1, Sought(event, at - DAY, at + DAY)) for event in (trap, plain)]
        ana = live.number(ANA)

    assert [ana, 0] == found
