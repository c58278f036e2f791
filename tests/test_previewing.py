"""What a verdict would say, before it is given."""

from pathlib import Path

import pytest

from comity.core.charter import Measure
from comity.core.errors import ComityError
from comity.core.queue import Item, Kind
from comity.core.verdicts import Change, Confirm, Impose, Note, Refuse, Reverse
from fake_homeserver import FakeHomeserver
from office_kit import DAY, HINT, MEMBERS, OLIVE, PRIZE, TOMASZ, TRAP, house
from test_due_process import muted, reported

pytestmark = pytest.mark.anyio
ANA = MEMBERS[0]


async def test_what_is_shown_before_is_what_is_sent_afterwards(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Of a reversal, another end, and a proposal that is followed, word for word; nothing is changed by looking."""
    async with house(tmp_path, fake) as live:
        item = Item(Kind.PROVISIONAL, await muted(live))
        version = (await live.case(item)).version
        change = Change("a day is enough", until=live.now() + DAY)
        (shown,) = await live.office.preview(item, change, OLIVE)
        (back,) = await live.office.preview(item, Reverse("a tea pot"), OLIVE)
        assert (await live.case(item)).version == version
        await live.done(item, change)
        assert await live.told(shown.text) == shown.text
        assert "a tea pot" in back.text

        await live.say(MEMBERS[1], PRIZE)
        (proposal,) = await live.waits(Kind.PROPOSAL)
        (shown,) = await live.office.preview(proposal, Confirm("prizes again"), OLIVE)
        assert shown.text.startswith("You are banned.")
        await live.done(proposal, Confirm("prizes again"))
        assert await live.told("You are banned.", "prizes again")


async def test_a_measure_from_a_report_is_shown_with_the_standing_it_would_make(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """The statement has the figures of the finding that is not there yet, and the reporter's words stand beside it."""
    async with house(tmp_path, fake) as live:
        item = await reported(live)
        impose = Impose("an advertisement", clause="3.1", measure=Measure.WARN, excerpt=HINT)
        shown, outcome = await live.office.preview(item, impose, TOMASZ)
        assert (shown.to, outcome.to) == ("member", "reporter")
        assert HINT in shown.text
        await live.done(item, impose, TOMASZ)
        figures = next(line for line in shown.text.splitlines() if line.startswith("Your standing is"))
        assert await live.told("You are warned.", figures, HINT)


async def test_what_cannot_be_given_says_why_and_what_nobody_reads_is_empty(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """A ban for what is not severe, and a proposal that is not followed."""
    async with house(tmp_path, fake) as live:
        item = await reported(live)
        with pytest.raises(ComityError, match="too little is known"):
            await live.office.preview(item, Impose("why", clause="3.1", measure=Measure.BAN, excerpt=HINT), OLIVE)
        with pytest.raises(ComityError, match="no clause"):
            await live.office.preview(item, Impose("why", clause="7", measure=Measure.WARN, excerpt=HINT), OLIVE)
        await live.say(MEMBERS[1], PRIZE)
        (proposal,) = await live.waits(Kind.PROPOSAL)
        assert await live.office.preview(proposal, Refuse("a joke"), OLIVE) == []
        assert await live.office.preview(proposal, Note("look again"), OLIVE) == []
        assert TRAP not in str(await live.office.preview(item, Refuse("nothing"), OLIVE))
