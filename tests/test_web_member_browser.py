"""A member's own pages in a real browser: by mouse on a telephone, by keyboard alone, and clear to everybody."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from comity.core.access import Role
from house_kit import HouseServed
from site_kit import NEEDS_CHROMIUM, Visiting, at_phone, axe_clean, pictures
from test_web_member import BO, WHY, mute_of, trapped

pytest_plugins = ["house_kit"]
pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def served(housed: HouseServed) -> HouseServed:
    """The site of these tests has an office."""
    return housed


def test_the_way_from_the_link_to_the_appeal_in_a_browser(served: HouseServed, visit_site: Visiting) -> None:
    """By mouse on a telephone: link, standing, measure, statement, appeal; nothing sticks out to the side."""
    mute = mute_of(trapped(served))
    page = visit_site(served.link())
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_role("button", name="Open my page").click()
    expect(page.get_by_role("heading", name="Your page")).to_be_visible()
    expect(page.get_by_role("img", name="Your standing on each of the last 180 days")).to_be_visible()
    at_phone(page)
    page.get_by_role("link", name="You cannot write.").click()
    expect(page.get_by_role("heading", name="Muted")).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    at_phone(page)
    page.get_by_label("Why should it be decided otherwise?").fill(WHY)
    page.get_by_role("button", name="Appeal", exact=True).click()
    expect(page.get_by_text("Your appeal is here.")).to_be_visible()
    expect(page.get_by_text(WHY)).to_be_visible()
    at_phone(page)
    assert [mute.number] == [a.decision for a in served.do(lambda s: s.process.appeals(member=served.member))]


def test_a_report_is_sent_by_keyboard_alone(served: HouseServed, visit_site: Visiting) -> None:
    """By the palette to the form, through its fields in order, to the receipt; and down the list by j."""
    trapped(served, BO)
    page = visit_site("/me", Role.MEMBER)
    page.keyboard.press("Control+k")
    page.keyboard.type("report")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Report something")).to_be_visible()
    page.get_by_label("What do you report?").focus()
    page.keyboard.type(BO)
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.type("He was rude about kettles.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It waits for a person.")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("report")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your reports")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Report 1")).to_be_visible()


def test_every_page_is_clear_to_everybody(served: HouseServed, visit_site: Visiting, tmp_path: Path) -> None:
    """Each in light and dark, on a desk and a telephone: nothing that axe finds, and nothing that sticks out."""
    mute = mute_of(trapped(served))
    with served.client(Role.MEMBER) as ana:
        served.run(lambda live: live.say(BO, "good morning"))
        appeal = ana.send_form(f"/me/decision/{mute.number}/appeal", text=WHY).headers["location"]
        report = ana.send_form("/me/report/send", what=BO).headers["location"]
    paths = ["/me", "/me/entries", "/me/decisions", f"/me/decision/{mute.number}", "/me/appeals", appeal]
    paths += ["/me/report", report, "/me/data", "/me/looks", "/me/forget", "/me/sessions"]
    page = visit_site("/me", Role.MEMBER)
    for path in paths:
        look_at(page, path, tmp_path)


def look_at(page: Page, path: str, folder: Path) -> None:
    """Hold one page to it, and leave its pictures in the test's folder."""
    page.goto(path)
    axe_clean(page)
    at_phone(page)
    pictures(page, folder, path.strip("/").replace("/", "-"))
