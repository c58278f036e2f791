"""The report for everybody: by keyboard alone, on a phone, in the dark, on paper, without scripts, read aloud."""

import re

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from report_visit import DARIO, GARDEN, NEEDS_CHROMIUM, QUIET, Visit

pytest_plugins = ["report_visit"]
pytestmark = NEEDS_CHROMIUM

PHONE = {"width": 360, "height": 740}
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# The same kinds of things, fewer of each: a check of every cell takes its time.
SHORT = msgspec.structs.replace(GARDEN, days=GARDEN.days[:9], bands=GARDEN.bands[:9], people=GARDEN.people[:9])


def test_without_javascript_the_summary_is_there(visit: Visit) -> None:
    """Figures, findings by harm, clauses and the comparison's summary need no script, and the page says what does."""
    page = visit(java_script_enabled=False)

    expect(page.locator("h1")).to_have_text(GARDEN.title)
    expect(page.locator(".figures")).to_contain_text("14,502")
    expect(page.get_by_role("table", name="Findings by harm")).to_contain_text("Unwanted links")
    expect(page.locator(".clauses tbody tr")).to_have_count(len(GARDEN.clauses))
    expect(page.get_by_text("Nobody would be muted or removed.")).to_be_visible()
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.locator("noscript p")).to_contain_text("draws its charts and its list of members with JavaScript")
    expect(page.locator("#filters")).to_be_hidden()


def test_the_slash_can_be_switched_off(visit: Visit) -> None:
    """A shortcut of one character can be turned off (WCAG 2.2, 2.1.4), and stays off on the next visit."""
    page = visit()
    page.locator("#shortcut").uncheck()
    page.reload()
    page.keyboard.press("/")

    expect(page.get_by_label("Name or pseudonym")).not_to_be_focused()


def test_the_first_tab_skips_to_the_report_also_on_a_members_page(visit: Visit) -> None:
    """The skip link is the first stop, can be seen there, and does not lead away from the member."""
    page = visit(at=f"#member={DARIO.pseudonym}")
    expect(page.locator("#member h1")).to_be_focused()
    page.locator(".skip").focus()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")

    expect(page.locator("#member h1")).to_be_focused()
    assert page.evaluate("document.querySelector('a, button, input, [tabindex=\"0\"]').className") == "skip"


def test_a_chart_is_read_point_by_point_by_keyboard(visit: Visit) -> None:
    """Arrows, Home and End move along the points, and each is a sentence, for eyes and for a screen reader alike."""
    page = visit(at=f"#member={DARIO.pseudonym}")
    plot = page.get_by_role("slider", name="Standing over time")
    first, second, last = DARIO.curve[0], DARIO.curve[1], DARIO.curve[-1]

    def standing(thousandths: int) -> str:
        return f"standing {thousandths // 100 / 10:.1f}"

    plot.focus()
    for key, point in (("End", last), ("Home", first), ("ArrowRight", second), ("ArrowLeft", first)):
        page.keyboard.press(key)
        expect(plot).to_have_attribute("aria-valuetext", re.compile(re.escape(standing(point.standing))))
        expect(page.locator("#member .readout")).to_contain_text(standing(point.standing))
    page.keyboard.press("ArrowLeft")
    expect(plot).to_have_attribute("aria-valuenow", "0")


@pytest.mark.parametrize("view", ["", f"#member={DARIO.pseudonym}", f"#member={QUIET.pseudonym}"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 900}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(visit: Visit, view: str, scheme: str, viewport: dict[str, int]) -> None:
    """No view, light or dark, wide or narrow, breaks a rule of WCAG 2.2 AA that a machine can check."""
    page = visit(SHORT, at=view, color_scheme=scheme, viewport=viewport)
    for summary in page.locator("summary").all():
        if summary.is_visible():
            summary.click()

    results = Axe().run(page, options=AXE)

    assert 0 == results.violations_count, results.generate_report()


def test_a_phone_scrolls_in_one_direction_only(visit: Visit) -> None:
    """At 360 pixels nothing is wider than the page, in either view, and a tap opens a member."""
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    wide = "document.documentElement.scrollWidth"

    assert 360 == page.evaluate(wide)
    page.locator("#members-table tbody a").first.tap()
    expect(page.locator("#member h1")).to_be_visible()
    assert 360 == page.evaluate(wide)


def test_colours_follow_the_system_until_somebody_chooses(visit: Visit) -> None:
    """Dark where the system is dark; a press on the button changes it, and the next visit remembers."""
    page = visit(color_scheme="dark")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(paper)
    page.get_by_role("button", name="Light colours").click()
    light = page.evaluate(paper)
    page.reload()

    expect(page.get_by_role("button", name="Dark colours")).to_be_visible()
    assert dark != light
    assert light == page.evaluate(paper)


def test_who_wants_less_motion_gets_none(visit: Visit) -> None:
    """Nothing glides where the system asks for reduced motion."""
    motion = "getComputedStyle(document.documentElement).scrollBehavior"

    assert "smooth" == visit(reduced_motion="no-preference").evaluate(motion)
    assert "auto" == visit(reduced_motion="reduce").evaluate(motion)


def test_it_prints_dark_on_light_without_its_buttons(visit: Visit) -> None:
    """On paper the page is light whatever the screen was, and nothing is printed that only a finger could use."""
    page = visit(at=f"#member={DARIO.pseudonym}", color_scheme="dark")
    page.emulate_media(media="print")

    red, *_ = re.findall(r"\d+", page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert int(red) > 240
    for selector in (".bar", "footer", ".back"):
        expect(page.locator(selector)).to_be_hidden()
    expect(page.locator(".sum")).to_be_visible()
