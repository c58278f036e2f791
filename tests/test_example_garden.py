"""The living example: it starts by itself, a visitor walks through it in a browser, and nothing is left running."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from example_living import ROOT, Living, be, start
from local_comity import COMITY
from report_visit import NEEDS_CHROMIUM
from site_kit import PHONE, axe_clean

pytest_plugins = ["report_visit", "example_living"]  # their ``browser`` and ``garden``
STAFF: Final = ("olive", "mo", "mira", "nora", "ada")
WITHIN: Final = 20_000  # milliseconds


@pytest.fixture
def visit(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor's own browser; whatever it complains about fails the test."""
    context = browser.new_context()
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    yield context
    context.close()
    assert [] == complaints


pytestmark = NEEDS_CHROMIUM


def test_a_visitor_floods_and_is_told_why(garden: Living, visit: BrowserContext) -> None:
    """Messages beyond the charter's are hidden in view, and the statement comes with clause, appeal and own page."""
    page = visit.new_page()
    be(page, garden, "gwen")
    page.get_by_text("Things to try").click()
    page.get_by_role("button", name="Say far too much").click()

    log = page.get_by_role("log")
    expect(log.get_by_text("the lid moves", exact=True).last).to_be_visible(timeout=WITHIN)
    expect(log.get_by_text("hidden by Comity").last).to_be_visible(timeout=WITHIN)
    expect(log).to_contain_text("Hidden under clause 1.1 (Leave others room to speak")
    page.get_by_role("link", name="Direct messages", exact=True).click()
    statement = page.get_by_role("log")
    expect(statement).to_contain_text("Your standing is", timeout=WITHIN)
    for what in ("clause 1.1 of the charter", "by automated means", "You can appeal until", "somebody else will look"):
        expect(statement).to_contain_text(what)
    own = visit.new_page()
    answer = own.goto(statement.get_by_role("link").last.get_attribute("href") or "")
    assert answer
    assert answer.ok


@pytest.mark.parametrize("who", STAFF)
def test_staff_signs_in_at_the_examples_door(garden: Living, visit: BrowserContext, who: str) -> None:
    """Whoever one says one is at the provider, one is in the console: by the sign-in that any provider has."""
    page = visit.new_page()
    page.goto(f"{garden.console}/console")
    page.get_by_role("button", name="Tea Garden's door").click()
    page.get_by_role("button", name=f"I am {who}").click()

    page.wait_for_url(re.compile(rf"{garden.console}/console/\d+"))
    expect(page.get_by_text(who, exact=True).first).to_be_attached()


def test_what_was_played_can_be_seen(garden: Living, visit: BrowserContext) -> None:
    """A scam is hidden, a crowd is muted, the deputy manages and the manager does not; the others talk on."""
    page = visit.new_page()
    be(page, garden, "hanna", "garden")
    log = page.get_by_role("log")

    expect(page.get_by_text("Managed by Mariam.")).to_be_visible(timeout=WITHIN)
    expect(log).to_contain_text("Mariam manages this room now.")
    expect(log).to_contain_text("Oliver is muted.")
    expect(log).to_contain_text("clause 2.1")
    expect(log).to_contain_text("clause 4.1")
    be(page, garden, "oliver", "garden")
    expect(page.get_by_text("You are muted here for now")).to_be_visible()


def test_a_message_is_written_by_keyboard(garden: Living, visit: BrowserContext) -> None:
    """Written, sent with Enter, there for everybody else without loading anything anew; a link leads nowhere."""
    page, other = visit.new_page(), visit.new_page()
    be(page, garden, "noor", "help")
    other.goto(f"{garden.chat}/rooms/help")
    page.get_by_placeholder("A message to #help").focus()
    page.keyboard.type("Is <b>mint</b> hardy? https://mint.example/now")
    page.keyboard.press("Enter")

    line = other.get_by_role("log").get_by_text("Is <b>mint</b> hardy? https://mint.example/now")
    expect(line).to_be_visible(timeout=WITHIN)
    expect(page.get_by_placeholder("A message to #help")).to_have_value("")
    assert 0 == line.get_by_role("link").count()


def test_pages_are_for_everybody(garden: Living, visit: BrowserContext) -> None:
    """On a phone, light and dark: nothing that axe finds, and nothing wider than the screen."""
    page = visit.new_page()
    page.set_viewport_size(PHONE)
    for path in ("/rooms/garden", "/direct"):
        page.goto(f"{garden.chat}{path}")
        axe_clean(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.goto(f"{garden.console}/console")
    page.get_by_role("button", name="Tea Garden's door").click()
    page.get_by_role("heading", name="Who are you here?").wait_for()
    axe_clean(page)


def test_it_ends_by_itself_when_told_to(tmp_path: Path) -> None:
    """With --for it ends after a while, ledger and record whole; a second one in its folder is refused meanwhile."""
    process = start(tmp_path, "--for", "1")
    assert process.stdout
    first = process.stdout.readline()
    second = subprocess.run(
        [sys.executable, ROOT / "tools" / "example_garden.py", "--folder", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    told, failed = process.communicate(timeout=60)

    assert str(tmp_path) in first
    assert "it is running already" in second.stderr
    assert (1, 1) == (second.returncode, second.stderr.count("\n"))
    assert (0, "") == (process.returncode, failed)
    assert "Ending Comity" in told
    store = tmp_path / "comity" / "comity.sqlite"
    for words in (("verify",), ("record", "verify")):
        checked = subprocess.run(
            [COMITY, *words, "--store", store], capture_output=True, text=True, check=False, timeout=60
        )
        assert (0, "") == (checked.returncode, checked.stderr)
        assert "is whole" in checked.stdout
