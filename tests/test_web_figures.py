"""Precision, overview, members and looks, and the public page, over a community that runs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from acting_pages import ACTING
from comity.core.access import Role
from comity.core.due_process import DEFAULT
from comity.core.queue import Kind
from comity.core.review import precision
from comity.core.verdicts import Confirm, Reverse, Verdict
from comity.core.who import Who
from comity.web.site.limits import Limits
from comity.web.site.public import precise
from comity.web.site.table import BY_NAME
from house_kit import HouseServed
from office_kit import MEMBERS, House
from site_kit import NEEDS_CHROMIUM, Client, Visiting, at_phone, axe_clean, pictures

pytest_plugins = ["house_kit"]
pytestmark = NEEDS_CHROMIUM
TRAP = "a free teapot for you, <b>dear</b> \u202eana"
ACCOUNT = "@m7:garden.example"


class _Lived(HouseServed):
    """With the charter's text, and a few things that happened."""

    review = False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HouseServed]:
    """A community in which five members set traps, six decisions were judged, and clause 3.1 is in shadow."""
    site = _Lived(tmp_path_factory.mktemp("figures"))
    site.start()

    async def live(live: House) -> None:
        for member in MEMBERS[:7]:
            await live.say(member, "milk first", TRAP)
        verdicts: list[Verdict] = [*[Confirm("looked at")] * 5, Reverse("kindly meant")]
        for verdict in verdicts:
            item = (await live.waits(Kind.PROVISIONAL))[0]
            await live.decide(item, verdict, Who("tomasz"))
        await live.office.shadow(1, "3.1", Who("olive"), on=True, reason="to try it")

    site.run(live)
    yield site
    site.stop()
    assert not site.errors, "\n".join(str(e["told"]) for e in site.errors)


@pytest.fixture
def mona(served: HouseServed) -> Iterator[Client]:
    """The moderator, without a browser."""
    with served.client(Role.MODERATOR) as made:
        yield made


@pytest.fixture
def olive(served: HouseServed) -> Iterator[Client]:
    """The operator, without a browser."""
    with served.client(Role.OPERATOR) as made:
        yield made


def test_every_role_gets_these_pages_as_the_table_says(served: HouseServed) -> None:
    """Who may not gets, to the letter, what a page that is not there gives; nobody meets an error."""
    places = {"number": str(served.member), "place": "0"}
    for role in (Role.OPERATOR, Role.MODERATOR, Role.NEUTRAL, Role.AUDITOR):
        with served.client(role) as client:
            missing = re.sub(r'name="back" value="[^"]*"', "", client.get("/console/nowhere").text)
            for name, may in ACTING.items():
                entry = BY_NAME[name]
                path = entry.path.replace("{community:int}", str(served.community))
                path = re.sub(r"\{(\w+):int\}", lambda found: places[found[1]], path)
                for method in entry.methods:
                    served.site.limits = Limits()
                    served.site.toasts.clear()
                    answer = client.get(path) if method == "GET" else client.send_form(path)
                    if role in may:
                        assert answer.status_code in {200, 303, 400, 404}, (role, name, answer.status_code)
                        assert method == "POST" or answer.status_code == 200 or "number" in entry.path, (role, name)
                    else:
                        assert answer.status_code == 404, (role, name, method)
                        assert re.sub(r'name="back" value="[^"]*"', "", answer.text) == missing, (role, name)
    served.do(lambda store: [store.charters.drop_draft(1, name) for name in ("olive", "mona")])


def test_precision_says_what_was_judged_and_what_only_finds(
    served: HouseServed, visit_site: Visiting, tmp_path: Path
) -> None:
    """Drawn with its interval, and told; a person puts a clause back with a reason, by keyboard, and it counts."""
    path = f"/console/{served.community}/precision"
    page = visit_site(path, Role.OPERATOR)
    trap = page.locator(".card", has_text="Do not set traps")
    expect(trap).to_contain_text("6 judged: 5 right, 1 wrong")
    expect(trap.locator("svg")).to_have_attribute("aria-label", re.compile("75 % right, surely between 4"))
    first = page.locator(".card").first
    expect(first).to_contain_text("Do not advertise")
    expect(first).to_contain_text("to try it")
    axe_clean(page)
    pictures(page, tmp_path, "precision")
    at_phone(page)
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("it is right")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Clause 3.1 counts again.")
    acts = served.do(lambda store: store.charters.clause_acts(served.community))
    assert (acts[0].clause_id, acts[0].shadow, acts[0].by, acts[0].reason) == ("3.1", False, "olive", "it is right")
    with served.client(Role.MODERATOR) as client:
        assert "Let it only find" not in client.get(path).text


def test_a_clause_that_fell_by_itself_says_so(served: HouseServed, olive: Client) -> None:
    """Since when and why stands beside it, and its reason is the figures."""

    async def fall(live: House) -> None:
        live.store.charters.add_clause_act(1, "2.2", "machine", "2 of 12 right", live.now(), shadow=True)
        await live.office.shadow(1, "2.2", Who("olive"), on=True, reason="x")
        live.store.charters.add_clause_act(1, "2.2", "machine", "2 of 12 right", live.now(), shadow=True)

    served.run(fall)
    assert "by itself: 2 of 12 right" in olive.get(f"/console/{served.community}/precision").text


def test_the_overview_has_its_figures_drawn_and_as_text(
    served: HouseServed, visit_site: Visiting, tmp_path: Path
) -> None:
    """What waits, what came in and was done, and who did it; whoever hears appeals only sees the way to their pages."""
    page = visit_site(f"/console/{served.community}", Role.MODERATOR)
    expect(page.locator("#figures")).to_contain_text("provisional decisions")
    expect(page.locator(".load")).to_contain_text(re.compile(r"tomasz\s*6"))
    assert page.locator(".charts svg").count() == 2
    axe_clean(page)
    page.get_by_text("The same as a table").click()
    expect(page.locator("#figures tbody tr")).to_have_count(1)
    for days in (7, 182):
        page.get_by_role("link", name=f"{days} days").click()
        expect(page.get_by_role("heading", name=f"The last {days} days")).to_be_visible()
    pictures(page, tmp_path, "overview")
    at_phone(page)
    with served.client(Role.NEUTRAL) as client:
        assert 'class="charts"' not in client.get(f"/console/{served.community}").text


def test_what_a_member_wrote_is_shown_after_a_reason_and_it_is_kept(
    served: HouseServed, visit_site: Visiting, tmp_path: Path
) -> None:
    """Found by a part of the name; no word of theirs before a reason is given; then auditors and the member read it."""
    page = visit_site(f"/console/{served.community}/members", Role.MODERATOR)
    axe_clean(page)
    page.keyboard.press("/")
    page.keyboard.type("m1:")
    expect(page.locator("#list .card")).to_have_count(1)
    page.locator("#list a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/members/\d+$"))
    assert "free teapot" not in page.content()
    axe_clean(page)
    pictures(page, tmp_path, "member")
    at_phone(page)
    page.get_by_role("button", name="Look", exact=True).click()  # the browser wants the reason first
    page.get_by_label("Why you look").fill("she asked me to")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".note.good")).to_contain_text("she asked me to")
    assert "free teapot" in page.content()
    assert page.locator(".veiled b").count() == 0  # markup is text
    axe_clean(page)

    number = int(page.url.rpartition("/")[2].partition("#")[0])
    (look,) = served.do(lambda store: store.process.looks(member=number))
    assert (look.by, look.reason) == ("mona", "she asked me to")
    seen = visit_site(f"/console/{served.community}/looks", Role.AUDITOR)
    expect(seen.locator("tbody")).to_contain_text("she asked me to")
    axe_clean(seen)
    at_phone(seen)
    pictures(seen, tmp_path, "looks")


def test_a_look_lasts_a_quarter_of_an_hour_and_is_nobody_elses(served: HouseServed, mona: Client) -> None:
    """Another moderator, and the same one later, gives a reason of their own; none without one."""
    number = served.do(lambda store: store.members(1, [MEMBERS[2]], [None])[0])
    path = f"/console/{served.community}/members/{number}"
    assert mona.send_form(f"{path}/look", reason=" ").status_code == 400
    assert mona.send_form(f"{path}/look", reason="a question of hers").status_code == 303
    assert "free teapot" in mona.get(path).text
    with served.hire("mira") as mira:
        assert "free teapot" not in mira.get(path).text
    served.wait(15 * 60_000 + 1000)
    assert "free teapot" not in mona.get(path).text
    assert mona.get(f"/console/{served.community}/members/999999").status_code == 404


def test_a_deputy_is_named_and_taken_back(served: HouseServed, mona: Client) -> None:
    """For a room of this community only; an undo stands beside it."""
    number = served.do(lambda store: store.members(1, [MEMBERS[3]], [None])[0])
    (room, *_), path = served.run(_rooms), f"/console/{served.community}/members/{number}"
    assert mona.send_form(f"{path}/deputy", room=str(room), do="name").status_code == 303
    assert number in served.do(lambda store: store.decisions.deputies(room))
    said = mona.get(path).text
    assert "Named as deputy." in said
    assert "Take the name back" in said
    assert mona.send_form(f"{path}/deputy", room=str(room), do="take").status_code == 303
    assert number not in served.do(lambda store: store.decisions.deputies(room))
    assert mona.send_form(f"{path}/deputy", room="4711", do="name").status_code == 404


async def _rooms(live: House) -> list[int]:
    return [number for number, _ in await live.office.rooms(1)]


def test_everybody_reads_the_charter_and_learns_of_nobody(
    served: HouseServed, visit_site: Visiting, tmp_path: Path
) -> None:
    """Clauses, terms, appeals, figures, changes; no account, pseudonym, message, name of staff or small figure."""

    async def reasons(live: House) -> None:
        await live.office.shadow(1, "9.1", Who("olive"), on=True, reason=f"because of {ACCOUNT}")

    served.run(reasons)
    page = visit_site("/c/tea-garden")
    for text in (
        "Do not set traps.",
        "72 hours",
        "How to appeal",
        "!comity me",
        "never opinion",
        "Clause 9.1 only finds",
    ):
        expect(page.locator("main")).to_contain_text(text)
    axe_clean(page)
    pictures(page, tmp_path, "public")
    at_phone(page)

    rows = served.do(lambda store: store.process.members([1], most=1000))
    assert len(rows) > 5
    with served.client(None) as client:
        sent = client.get("/c/tea-garden")
        body = sent.text
        assert "set-cookie" not in sent.headers
        with served.client(Role.OPERATOR) as signed_in:
            assert signed_in.get("/c/tea-garden").text == body
        assert client.get("/c/nowhere").status_code == 404
    personal = {row.pseudonym for row in rows} | {row.account or row.pseudonym for row in rows}
    personal |= {"teapot for you", "olive", "mona", "tomasz", "garden.example", "kindly meant"}
    assert [] == [each for each in personal if each in body]
    counted = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", body))
    assert counted["of them reversed"] == "fewer than 5"
    assert int(counted["decisions"]) >= 7


def test_precision_in_public_is_too_coarse_to_count_back() -> None:
    """Bounds are whole steps of 5 %, and nothing is told of fewer than five judgements."""
    for right, wrong in [(5, 0), (4, 1), (40, 3), (0, 9)]:
        bounds = precise(precision("1", "", right, wrong, DEFAULT))
        assert bounds is not None
        assert all(bound % 5 == 0 and 0 <= bound <= 100 for bound in bounds)
    assert precise(precision("1", "", 4, 0, DEFAULT)) is None
