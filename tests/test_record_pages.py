"""The record on pages: a case shows it blurred to whoever decides, and the member reads who looked when it is over."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from comity.core.access import Role
from comity.core.looking import Look
from comity.core.queue import Item, Kind
from comity.core.verdicts import Confirm
from comity.core.who import Who
from house_kit import HouseServed
from office_kit import MEMBERS, PRIZE, TRAP, House

pytest_plugins = ["house_kit"]
ANA, BEN = MEMBERS[:2]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[HouseServed]:
    """A site with an office over a community that is recorded."""
    site = HouseServed(tmp_path)
    site.recorded = True
    site.start()
    yield site
    site.stop()
    assert not site.errors, "\n".join(str(e["told"]) for e in site.errors)


async def waiting(live: House, what: str, kind: Kind) -> Item:
    """Ana says something amid a chat; the case that waits."""
    await live.say(BEN, "milk first & then the tea")
    await live.say(ANA, what)
    return (await live.waits(kind))[0]


def test_what_was_said_around_the_evidence_is_veiled(served: HouseServed) -> None:
    """It is on the page of the case, folded away and blurred, by pseudonyms."""
    item = served.run(lambda live: waiting(live, PRIZE, Kind.PROPOSAL))
    with served.client(Role.MODERATOR) as mona:
        page = mona.get(f"/console/1/case/{item.key}").text
    around = re.findall(r'<ul class="plain around">(.*?)</ul>', page, re.DOTALL)
    veiled = [html.unescape(text) for text in re.findall(r'<blockquote class="veiled"><bdi>(.*?)</bdi>', around[0])]

    assert ["milk first & then the tea", PRIZE] == veiled
    assert BEN not in around[0]
    assert served.pseudonym[:8] in around[0]


@pytest.mark.parametrize(("what", "kind"), [(PRIZE, Kind.PROPOSAL), (TRAP, Kind.PROVISIONAL)])
def test_a_member_reads_who_looked_in_a_case_once_it_is_over(served: HouseServed, what: str, kind: Kind) -> None:
    """Neither their page nor what they take along tells it before; both do afterwards, with the case."""
    item = served.run(lambda live: waiting(live, what, kind))
    served.wait(60_000)
    with served.client(Role.MODERATOR) as mona, served.client(Role.MEMBER) as ana:
        assert 200 == mona.get(f"/console/1/case/{item.key}").status_code
        served.wait(60_000)
        assert served.run(looks)
        for page in ("/me/looks", "/me/data/download"):
            assert item.key not in ana.get(page).text
        served.run(lambda live: live.done(item, Confirm("surely so"), Who("mona")))
        for page in ("/me/looks", "/me/data/download"):
            assert item.key in ana.get(page).text


async def looks(live: House) -> bool:
    """Whether somebody looked at Ana."""
    return bool(live.store.process.looks(member=live.number(ANA)))


@pytest.mark.parametrize(
    ("reason", "case"),
    [("part of the case report-12", "report-12"), ("she asked for help", ""), ("about report-12, again", "")],
)
def test_a_look_knows_its_case(reason: str, case: str) -> None:
    """By the end of its reason; a look outside of one has none."""
    assert case == Look(number=1, at=0, community=1, by="olive", what="messages", reason=reason).case
