"""The tour: what docs/tour.md leads through is so, from the message to the standing restored.

With COMITY_PICTURES=1 the pictures of the page are made anew.
"""

import base64
import os
import re
from typing import Final

from playwright.sync_api import Browser, Page, ViewportSize, expect

from example_living import ROOT, Living, be
from report_visit import NEEDS_CHROMIUM

pytest_plugins = ["report_visit", "example_living"]  # their ``browser`` and ``garden``
TOUR: Final = ROOT / "docs" / "tour.md"
PICTURES: Final = ROOT / "docs" / "pictures"
MOST: Final = 150_000  # bytes of a picture
WITHIN: Final = 30_000  # milliseconds
SIZE: Final[ViewportSize] = {"width": 1100, "height": 760}
_SHOWN: Final = re.compile(r"!\[[^\]]{10,}\]\(pictures/([a-z-]+\.webp)\)")
_AS_WEBP: Final = """async (url) => {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", 0.9);
}"""


def picture(page: Page, name: str) -> None:
    """Make a picture of the page, if pictures are asked for."""
    if os.environ.get("COMITY_PICTURES"):
        PICTURES.mkdir(exist_ok=True)
        page.wait_for_timeout(400)
        shot = base64.b64encode(page.screenshot(animations="disabled")).decode()
        blank = page.context.browser.new_page()  # type: ignore[union-attr]  # Chromium writes WebP, a quarter of a PNG
        url: str = blank.evaluate(_AS_WEBP, f"data:image/png;base64,{shot}")
        blank.close()
        (PICTURES / f"tour-{name}.webp").write_bytes(base64.b64decode(url.partition(",")[2]))


def standing(page: Page) -> float:
    """The standing that a member's own page shows."""
    return float(page.locator("dl.figures dd").first.inner_text())


def signed_in(browser: Browser, garden: Living, who: str) -> Page:
    """A page of the console, of somebody of the staff."""
    page = browser.new_context(viewport=SIZE).new_page()
    page.goto(f"{garden.console}/console")
    page.get_by_role("button", name="Tea Garden's door").click()
    if who == "mira":
        picture(page, "door")
    page.get_by_role("button", name=f"I am {who}").click()
    page.wait_for_url(re.compile(r"/console/\d+$"))
    return page


@NEEDS_CHROMIUM[0]
@NEEDS_CHROMIUM[1]
def test_the_whole_line_can_be_walked(garden: Living, browser: Browser) -> None:
    """A finding, a decision, a statement, an appeal, a reversal by somebody else; and the standing is what it was."""
    chat = browser.new_context(viewport=SIZE).new_page()
    be(chat, garden, "wen", "garden")
    expect(chat.get_by_text("Managed by Mariam.")).to_be_visible()
    picture(chat, "chat")

    be(chat, garden, "wen", "attic")
    chat.get_by_text("Things to try").click()
    chat.get_by_role("button", name="Call nine members").click()
    log = chat.get_by_role("log")
    expect(log.get_by_text("Hidden under clause 1.5").last).to_be_visible(timeout=WITHIN)
    picture(chat, "hidden")

    chat.get_by_role("link", name="Direct messages", exact=True).click()
    statement = chat.get_by_role("log")
    expect(statement).to_contain_text("You can appeal until", timeout=WITHIN)
    picture(chat, "statement")

    own = chat.context.new_page()
    own.goto(statement.get_by_role("link").last.get_attribute("href") or "")
    own.get_by_role("main").get_by_role("button").first.click()
    own.wait_for_url("**/me")
    lowered = standing(own)
    assert lowered < 70
    picture(own, "standing")
    own.get_by_role("link", name="You can write only once a minute.").click()
    own.get_by_role("textbox").fill("I only wanted to invite them. I did not know that it rings for everybody.")
    own.get_by_role("textbox").scroll_into_view_if_needed()
    picture(own, "appeal")
    own.get_by_role("main").get_by_role("button", name="Appeal").click()
    own.wait_for_url(re.compile(r"/me/appeal/\d+"))

    mira = signed_in(browser, garden, "mira")
    mira.get_by_role("link", name="Queue").first.click()
    picture(mira, "queue")
    mira.get_by_role("link", name=re.compile("^Appeals")).click()
    mira.get_by_role("link", name=re.compile(r"^appeal \d+")).first.click()
    expect(mira.get_by_text("I did not know that it rings")).to_be_visible()
    mira.get_by_label("Reverse").check()
    mira.get_by_label("Reason", exact=True).fill("An invitation to a tasting, kindly meant; nobody was disturbed.")
    picture(mira, "case")
    mira.get_by_role("button", name="Decide", exact=True).click()

    expect(statement).to_contain_text("kindly meant", timeout=WITHIN)
    picture(chat, "reversed")
    own.goto(f"{garden.console}/me")
    assert standing(own) > 95
    picture(own, "restored")
    be(chat, garden, "wen", "attic")
    for text in ("Thank you, Mira.", "And the tasting is on Friday."):
        chat.get_by_placeholder("A message to #attic").fill(text)
        chat.keyboard.press("Enter")
        expect(chat.get_by_role("log").get_by_text(text, exact=True)).to_be_visible(timeout=WITHIN)


def test_every_picture_is_there_and_light() -> None:
    """What the page shows exists, has a description and is below 150 kB; nothing else lies beside it."""
    shown = _SHOWN.findall(TOUR.read_text("utf-8"))
    there = sorted(path.name for path in PICTURES.glob("tour-*"))

    assert sorted(shown) == there
    assert TOUR.read_text("utf-8").count("](pictures/") == len(shown)
    assert [] == [name for name in there if (PICTURES / name).stat().st_size > MOST]
