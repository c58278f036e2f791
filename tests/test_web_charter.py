"""The charter's pages: written, checked, tried, compared, proposed and published, over a community that runs."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page, expect

from comity.core.access import Role
from comity.core.who import Who
from comity.stores.charter_contract import VersionRow, Way
from comity.web.site import sessions
from comity.web.site.comparing import rules_log
from house_kit import HouseServed
from office_kit import MEMBERS, House
from site_kit import NEEDS_CHROMIUM, Client, Visiting, at_phone, axe_clean, pictures

pytest_plugins = ["house_kit"]
pytestmark = NEEDS_CHROMIUM
FLOOD = """
[[clause]]
id = "1.1"
text = "Leave others room to speak."
rule = "flood"
parameters = { allowed = 3, look_back = "10m" }  # as agreed in spring
severity = "minor"
measures = ["slow"]
"""


class _Written(HouseServed):
    """With the charter's text, so that it can be changed."""

    review = False
    more = FLOOD


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HouseServed]:
    """A site over a running community whose charter has a text."""
    site = _Written(tmp_path_factory.mktemp("charter"))
    site.start()
    yield site
    site.stop()
    assert not site.errors, "\n".join(str(e["told"]) for e in site.errors)


@pytest.fixture
def base(served: HouseServed) -> Iterator[str]:
    """The path of the charter's pages; drafts are gone afterwards."""
    yield f"/console/{served.community}/charter"
    served.do(lambda store: [store.charters.drop_draft(served.community, name) for name in ("olive", "mona")])


@pytest.fixture
def client(served: HouseServed) -> Iterator[Client]:
    """The operator, without a browser."""
    with served.client(Role.OPERATOR) as made:
        yield made


@pytest.fixture
def mona(served: HouseServed) -> Iterator[Client]:
    """A moderator, without a browser."""
    with served.client(Role.MODERATOR) as made:
        yield made


def holds(served: HouseServed) -> VersionRow:
    """The version that holds."""
    row = served.do(lambda store: store.charters.current(served.community))
    assert row is not None
    return row


def text_of(served: HouseServed) -> str:
    """The text that holds."""
    return holds(served).text


def draft_of(served: HouseServed, name: str = "olive") -> str:
    """What somebody is writing."""
    row = served.do(lambda store: store.charters.draft(served.community, name))
    return row.text if row else ""


def save(served: HouseServed, text: str, role: Role = Role.OPERATOR) -> None:
    """Save a draft as a browser without scripts does: with its line ends."""
    with served.client(role) as client:
        done = client.send_form(f"/console/{served.community}/charter/draft", text=text.replace("\n", "\r\n"))
    assert done.status_code == 303


def test_mistakes_stand_at_their_place_as_one_types(served: HouseServed, base: str, visit_site: Visiting) -> None:
    """A misspelt rule is told with line, column and the nearest word; the mistake leads there; mending it clears it."""
    page = visit_site(base, Role.OPERATOR)
    text = page.locator("#text")
    line = text_of(served).split("\n").index('rule = "flood"') + 1
    text.fill(text_of(served).replace('"flood"', '"floood"'))
    expect(page.locator("#checked")).to_contain_text("One mistake")
    expect(page.locator(".mistakes")).to_contain_text(f"Line {line}, column 9: there is no rule 'floood'")
    expect(page.locator(".mistakes")).to_contain_text("flood", use_inner_text=True)
    page.locator(".mistakes a").click()
    at = page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]")
    assert at == ["text", text.input_value().index("floood")]
    axe_clean(page)

    text.fill(text_of(served).replace('id = "1.1"', 'id = "1.7"'))
    expect(page.locator("#checked")).to_contain_text("No mistakes, 6 clauses.")
    expect(page.locator(".changes")).to_contain_text("New clause 1.7:")
    assert 'id = "1.7"' in draft_of(served)  # kept, though nobody pressed anything
    at_phone(page)


def test_a_clause_is_changed_in_its_form_and_nothing_else(served: HouseServed, base: str, client: Client) -> None:
    """The text keeps its remarks; what is out of bounds is told as in the text; examples are tried with the figures."""
    form = {"text": "Leave room.", "severity": "serious", "state": "live", "measures": "warn", "p.allowed": "7"}
    assert client.send_form(f"{base}/clause/5", **form).status_code == 303
    changed = draft_of(served)
    assert re.search(r"parameters = \{ allowed = 7 *\}  # as agreed in spring", changed)
    assert 'text = "Leave room."' in changed
    assert 'severity = "serious"' in changed
    assert 'measures = ["warn"]' in changed
    assert changed.partition('id = "1.1"')[0] == text_of(served).partition('id = "1.1"')[0]

    said = client.get(f"{base}/clause/5").text
    assert "The rule&#39;s own examples" in said
    assert "not found with your figures" in said
    client.send_form(f"{base}/clause/5", **{**form, "p.allowed": "1"})
    assert "<b>found</b>" in client.get(f"{base}/clause/5").text
    client.send_form(f"{base}/clause/5", **{**form, "p.allowed": "-1"})
    assert "out of bounds; expected at least 1" in client.get(f"{base}/clause/5").text
    assert client.get(f"{base}/clause/99").status_code == 404


def test_a_line_of_ones_own_is_tried(base: str, mona: Client) -> None:
    """The draft says which clauses speak up at it, and markup in it is text."""
    hostile = "a free teapot <script>alert(1)</script> \u202e"
    said = mona.send_form(f"{base}/try", line=hostile).text
    assert "<b><bdi>2.1</bdi></b>" in said
    assert "<script>alert" not in said
    assert "U+202E" in said
    assert "It would find nothing" in mona.send_form(f"{base}/try", line="milk first").text
    assert "It would find nothing" in mona.send_form(f"{base}/try", line="a free teapot", clause="1.1").text


def test_compare_review_and_publish_by_keyboard(
    served: HouseServed, base: str, visit_site: Visiting, tmp_path: Path
) -> None:
    """Who would be treated differently is shown by clause and by member; then it is published and holds at once."""
    before = holds(served)
    chat = [
        {
            "id": f"e{n}", "at": f"2026-05-01T12:00:0{n}.000Z", "kind": "message", "community": "tea", "room": "#g",
            "member": "ana", "name": "Ana <b>", "text": f"cup {n}",
        }
        for n in range(8)
    ]  # fmt: skip
    log = tmp_path / "chat.ndjson"
    log.write_bytes(b"\n".join(msgspec.json.encode(event) for event in chat))
    save(served, text_of(served).replace('severity = "minor"\nmeasures = ["slow"]', 'severity = "severe"'))

    page = visit_site(base, Role.OPERATOR)
    page.keyboard.press("c")
    page.wait_for_url("**/compare")
    page.locator("#files").set_input_files(log)
    page.get_by_role("button", name="Compare").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By clause")).to_be_visible(timeout=30_000)
    expect(page.locator("#comparison")).to_contain_text("Ana <b>")
    expect(page.locator("#comparison")).to_contain_text("same findings")
    axe_clean(page)
    at_phone(page)
    page.get_by_role("link", name="Review and publish").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/review")
    expect(page.locator(".changes")).to_contain_text("Clause 1.1: severe instead of minor")
    axe_clean(page)
    page.get_by_label("Why").fill("it was too mild")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/versions/{before.number + 1}")
    expect(page.locator(".toast")).to_contain_text("holds from now on")
    row = holds(served)
    assert (row.by, row.way, row.reason) == ("olive", Way.PUBLISHED, "it was too mild")
    assert draft_of(served) == ""

    async def flood(live: House) -> int:
        await live.say(MEMBERS[3], "one", "two", "three", "four")
        return live.number(MEMBERS[3])

    member = served.run(flood)
    (found,) = served.do(lambda store: store.findings(member))
    clause = served.do(lambda store: store.clause_rows()[found.clause - 1])
    assert (clause.id, clause.severity) == ("1.1", "severe")


def test_a_comparison_can_be_ended_and_one_runs_at_a_time(served: HouseServed, base: str, client: Client) -> None:
    """Ending it leaves nothing behind; a second one is refused while one is under way."""
    save(served, text_of(served) + "\n# a remark\n")
    lines = b"\n".join(
        msgspec.json.encode(
            {
                "id": str(n),
                "at": "2026-05-01T12:00:00.000Z",
                "kind": "message",
                "community": "tea",
                "room": "#g",
                "member": f"m{n % 50}",
                "text": "a cup of tea",
            }
        )
        for n in range(60_000)
    )
    proof = {"csrf": sessions.csrf(client.secret)}
    headers = {"Origin": served.url}
    begun = client.post(
        f"{base}/compare", data={**proof, "log": "files"}, files={"files": ("x.ndjson", lines)}, headers=headers
    )
    assert begun.status_code == 303
    again = client.post(f"{base}/compare", data={**proof, "log": "examples"}, headers=headers)
    assert again.status_code == 400
    assert "under way" in again.text
    ended = client.send_form(begun.headers["location"])
    assert ended.status_code == 303
    assert "ended; nothing of it is kept" in client.get(begun.headers["location"]).text


def test_a_moderator_proposes_and_an_operator_answers(
    served: HouseServed, base: str, mona: Client, client: Client
) -> None:
    """Who may not publish cannot; a proposal is taken over and published, or declined with a reason."""
    save(served, text_of(served).replace("No talk of gnomes.", "No talk of elves."), Role.MODERATOR)
    assert mona.send_form(f"{base}/publish", reason="x").status_code == 404
    assert mona.send_form(f"{base}/shadow", clause="2.1", do="shadow", reason="x").status_code == 404
    where = mona.send_form(f"{base}/propose", reason="elves are worse").headers["location"]
    assert "elves are worse" in client.get(base).text
    assert client.send_form(where, do="decline").status_code == 400
    assert client.send_form(where, do="take").status_code == 303
    number = holds(served).number
    published = client.send_form(f"{base}/publish", reason="as mona proposed")
    assert published.headers["location"].endswith(f"/versions/{number + 1}")
    assert f"published as version {number + 1}" in mona.get(where).text
    assert "No talk of elves." in text_of(served)


def test_what_somebody_else_published_meanwhile_is_told(served: HouseServed, base: str, client: Client) -> None:
    """A draft that began on an older version is refused with the reason, and is still there."""
    save(served, text_of(served) + "\n# mine\n")
    mine = draft_of(served)

    async def publish(live: House) -> None:
        row = (await live.office.charter(1)).row
        assert row is not None
        text = row.text.replace("elves", "pixies").replace("gnomes", "pixies")
        await live.office.publish(1, text, Who("mira"), "pixies", base=row.number)

    served.run(publish)
    refused = client.send_form(f"{base}/publish", reason="mine")
    assert refused.status_code == 400
    assert "was published since you began" in refused.text
    assert draft_of(served) == mine
    assert "holds by now" in client.get(base).text


def test_every_page_of_the_charter_is_readable(
    served: HouseServed, base: str, visit_site: Visiting, tmp_path: Path
) -> None:
    """On a desk and a telephone, in light and dark, in English and German."""
    save(served, text_of(served) + "\n# a remark\n")
    page: Page = visit_site(base, Role.OPERATOR)
    for path in ("", "/clause/5", "/try", "/review", "/compare", "/versions", "/versions/1"):
        page.goto(base + path)
        axe_clean(page)
        pictures(page, tmp_path, "charter" + path.replace("/", "-"))
        at_phone(page)
        page.set_viewport_size({"width": 1280, "height": 900})


def test_the_last_days_can_be_compared_over_and_that_is_a_look(served: HouseServed, base: str, client: Client) -> None:
    """Where they are recorded it is offered, and stands among the looks with who did it; elsewhere it is not."""

    class Days:
        days = 28

        async def lay_out(self, community: int, folder: Path) -> list[Path]:
            assert community == served.community
            return [rules_log(folder)]

    assert "last 28 days" not in client.get(f"{base}/compare").text
    save(served, text_of(served) + "\n# days\n")
    served.site.log_of_days = Days()
    try:
        assert "last 28 days" in client.get(f"{base}/compare").text
        begun = client.send_form(f"{base}/compare", log="days")
        assert begun.status_code == 303
        client.send_form(begun.headers["location"])  # it is ended: what it finds is another test's
    finally:
        served.site.log_of_days = None
    looks = served.do(lambda store: store.process.looks(community=served.community))
    assert [(look.by, look.member) for look in looks] == [("olive", 0)]
