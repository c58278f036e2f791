"""What members and managers are told: once, without repeating itself, and not about what was taken back."""

import re
from pathlib import Path

import httpx
import pytest

from comity.core.carried import Carried
from comity.core.decision import Course
from comity.core.event import moment
from comity.core.member_link import KEY, PATH, entrance
from comity.runner import telling
from comity.stores.sqlite import SqliteStore
from fake_garden import BOT, Garden, message
from fake_homeserver import FakeHomeserver
from homeserver import Synapse
from running import SCAM, room_with, serving, until, write
from running import direct as direct_to
from running import settings as live_settings
from test_runner_kill import MEMBERS, ROOMS, settings
from test_runner_unwell import garden, now, running, soon, started

pytestmark = pytest.mark.anyio


def flood(count: int) -> list[dict[str, object]]:
    """So many harmless messages of one member in one room within a second."""
    at = now()
    return [message(n, ROOMS[0], MEMBERS[0], f"the kettle sings {n}", at + n) for n in range(count)]


async def test_what_was_decided_alike_is_told_once(fake: FakeHomeserver, tmp_path: Path) -> None:
    """A flood of which four messages are hidden gives one statement of hiding, with the numbers of the other three."""
    well = garden(fake)
    async with running(tmp_path, fake) as (runner, _store):
        await soon(lambda: not runner.ready())
        for said in flood(7):
            await runner.take([said])
        await soon(lambda: any("What you wrote is hidden." in text for _, text in well.sent))

    (text,) = [text for room, text in well.sent if room.startswith("!direct")]
    assert text.count("What you wrote is hidden.") == 1
    assert "The same was decided in decisions " in text


async def test_what_was_taken_back_before_it_was_told_is_not_told(
    fake: FakeHomeserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member is not told why something was decided that has already been reversed."""
    monkeypatch.setattr(telling, "EVERY", 600.0)  # nobody is told before the test says so
    well = garden(fake)
    async with running(tmp_path, fake) as (runner, store):
        await soon(lambda: not runner.ready())
        for said in flood(4):
            await runner.take([said])
        d = store.decisions
        made = d.decisions()
        assert made
        with store.write():
            for decision in made:
                d.reverse(decision.number, "olive", now(), "it was a song", Carried(), after=store.head())
        assert {Course.REVERSED} == {x.course for x in d.decisions()}
        runner._telling.tell_members(now() + 60_000)
        await soon(lambda: not runner._telling._owed)

    assert [] == [text for room, text in well.sent if room.startswith("!direct")]


HOME = "https://comity.garden.example"
ASK = "!comity me"


def with_pages(folder: Path, fake: FakeHomeserver) -> Path:
    """Settings of a community whose members have pages."""
    path = settings(folder, fake.base_url, 1)
    path.write_text(path.read_text("utf-8").replace("[server]\n", f'[server]\npublic_url = "{HOME}"\n'), "utf-8")
    return path


def direct(well: Garden) -> list[str]:
    """What was sent by direct message."""
    return [text for room, text in well.sent if room.startswith("!direct")]


def leads_to(text: str, store: SqliteStore) -> str:
    """The account whose page the link in a text opens, "" if it holds none that does."""
    links = [word for word in text.split() if word.startswith(HOME + PATH)]
    said = entrance(store.access.key(KEY), links[0].removeprefix(HOME + PATH), moment(now())) if links else None
    if said is None:
        return ""
    member = store.access.member_called(said.community, said.pseudonym)
    assert member is not None
    assert store.access.generation(member) == said.generation
    row = store.member(member)
    return (row.account if row else None) or ""


async def test_a_statement_brings_its_reader_the_link_and_a_room_only_the_address(
    fake: FakeHomeserver, tmp_path: Path
) -> None:
    """The direct message opens the member's own page; the reason that everybody reads names the page and no link."""
    well = garden(fake)
    async with started(tmp_path, with_pages(tmp_path, fake)) as (runner, store):
        await soon(lambda: not runner.ready())
        for said in flood(4):
            await runner.take([said])
        await soon(lambda: bool(direct(well)) and not store.decisions.waiting()[0])
        (text,) = direct(well)
        assert "What you wrote is hidden." in text
        assert MEMBERS[0] == leads_to(text, store)
        reasons = [str(asked.body) for asked in fake.asked if "redact" in asked.words]

    assert reasons
    assert all(f"{HOME}/me" in reason and PATH not in reason for reason in reasons)


@pytest.mark.parametrize("room", [ROOMS[0], "!direct1"])
async def test_whoever_asks_gets_a_link_once(fake: FakeHomeserver, tmp_path: Path, room: str) -> None:
    """In a community's room or in a direct message: one link to whoever asked, however often the event comes."""
    well = garden(fake)
    async with started(tmp_path, with_pages(tmp_path, fake)) as (runner, store):
        await soon(lambda: not runner.ready())
        await runner.take([message(1, ROOMS[0], MEMBERS[0], "milk first", now())])
        asked = message(2, room, MEMBERS[0], f" {ASK.upper()} ", now())
        await runner.take([asked])
        await runner.take([asked])
        await runner.take([message(3, room, MEMBERS[0], ASK, now())])  # hammering brings no second one
        await runner.take([message(4, room, MEMBERS[1], "where is my page?", now()), message(5, room, BOT, ASK, now())])
        await soon(lambda: bool(direct(well)) and not store.decisions.waiting()[0])
        (text,) = direct(well)

        assert MEMBERS[0] == leads_to(text, store)
        assert "Tea garden" in text


async def test_strangers_and_old_questions_get_no_link(fake: FakeHomeserver, tmp_path: Path) -> None:
    """Who is no member anywhere is answered nothing, and nobody is for what they asked long ago."""
    well = garden(fake)
    async with started(tmp_path, with_pages(tmp_path, fake)) as (runner, store):
        await soon(lambda: not runner.ready())
        await runner.take([message(1, ROOMS[0], MEMBERS[0], "milk first", now())])
        await runner.take([message(2, "!direct1", "@stranger:elsewhere.example", ASK, now())])
        await runner.take([message(3, "!direct1", MEMBERS[0], ASK, now() - 2 * 3_600_000)])

        assert 0 == store.decisions.waiting()[0]
    assert [] == direct(well)


async def test_a_link_that_was_revoked_is_not_sent_again(fake: FakeHomeserver, tmp_path: Path) -> None:
    """After a member closed their page everywhere, a new link is of the new generation, and the old one is over."""
    well = garden(fake)
    async with started(tmp_path, with_pages(tmp_path, fake)) as (runner, store):
        await soon(lambda: not runner.ready())
        await runner.take(
            [
                message(1, ROOMS[0], MEMBERS[0], "milk first", now()),
                message(2, ROOMS[0], MEMBERS[0], ASK, now() - 120_000),
            ]
        )
        await soon(lambda: len(direct(well)) == 1)
        (member,) = store.members(1, [MEMBERS[0]], [None])
        store.access.revoke_links(member)
        await runner.take([message(3, ROOMS[0], MEMBERS[0], ASK, now())])
        await soon(lambda: len(direct(well)) == 2)

        assert MEMBERS[0] == leads_to(direct(well)[1], store)
        with pytest.raises(AssertionError):
            leads_to(direct(well)[0], store)


async def test_the_link_of_a_statement_opens_the_page_on_a_real_homeserver(synapse: Synapse, tmp_path: Path) -> None:
    """From a message that is hidden to the member's own page in a browser; a link that was asked for opens it too."""
    async with synapse.member() as olive, synapse.member() as sam:
        room = await room_with(olive, synapse, sam)
        path = live_settings(tmp_path, synapse, rooms=[room])
        home = f"http://localhost:{synapse.push_port}"
        path.write_text(path.read_text("utf-8").replace("[server]\n", f'[server]\npublic_url = "{home}"\n'), "utf-8")
        async with serving(path):
            await write(sam, room, SCAM)

            async def links(count: int) -> list[str]:
                words = [word for text in await direct_to(sam, synapse) for word in text.split()]
                found = [word for word in words if word.startswith(home + PATH)]
                return found if len(found) >= count else []

            await until(lambda: links(1))
            # Muted in the room, sam asks in the direct message.
            (private,) = [r for r in await sam.joined_rooms() if r != room]
            await write(sam, private, ASK)
            await until(lambda: links(2))
            for link in await links(2):
                async with httpx.AsyncClient(base_url=home) as browser:
                    assert "Open my page" in (await browser.get(link)).text
                    entered = await browser.post(link, headers={"Origin": home})
                    assert (303, "/me") == (entered.status_code, entered.headers["location"])
                    page = (await browser.get("/me")).text
                    assert "You cannot write." in page
                    (decision,) = set(re.findall(r'href="(/me/decision/\d+)">You cannot write', page))
                    assert "Do not post links to scams." in (await browser.get(decision)).text
