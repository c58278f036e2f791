"""Looking after a community in a real browser: by mouse, by keyboard alone, on a telephone, and two at once."""

import re

import pytest
from playwright.sync_api import Page, expect

from comity.core.access import Role
from comity.core.charter import Measure
from comity.core.decision import Course
from comity.core.queue import Item, Kind
from comity.core.templates import Template
from comity.core.verdicts import UNDO
from house_kit import HouseServed
from office_kit import MEMBERS, OLIVE, PRIZE, TRAP, House
from site_kit import NEEDS_CHROMIUM, Visiting, at_phone, axe_clean

pytest_plugins = ["house_kit"]
pytestmark = NEEDS_CHROMIUM
ANA, BEN, CLEO = MEMBERS[:3]
SMALL = {"width": 360, "height": 740}


@pytest.fixture
def served(housed: HouseServed) -> HouseServed:
    """A site with an office."""
    return housed


async def scene(live: House) -> None:
    """A trap that is appealed, a raid of prizes, a report with a name that would turn the page around, and samples."""
    await live.say(ANA, TRAP)
    mute = next(d for d in live.decisions(ANA) if d.measure is Measure.MUTE)
    await live.office.appeal(1, live.number(ANA), "It was a joke.", decision=mute.number)
    for who in (BEN, CLEO):
        await live.say(who, PRIZE)
    text = "<b onclick=alert(1)>look</b> \u202egnp.exe"
    await live.office.report(1, live.number(BEN), member=live.number(ANA), room=1, event="$k", harm="spam", text=text)
    live.store.process.draw_samples(1, 0, b"a seed", 1000, live.now())
    template = Template("kind-words", "en", "You broke clause {clause}.", ("clause",))
    await live.office.save_template(1, template, OLIVE)


async def trap(live: House) -> Item:
    """Ana sets a trap; the mute that waits."""
    await live.say(ANA, TRAP)
    return Item(Kind.PROVISIONAL, next(d.number for d in live.decisions(ANA) if d.measure is Measure.MUTE))


async def course(live: House) -> Course:
    """Where Ana's mute stands."""
    return next(d.course for d in live.decisions(ANA) if d.measure is Measure.MUTE)


def current(page: Page) -> str:
    """The row that is walked to."""
    return page.locator("[data-rows] > .current").get_attribute("data-item") or ""


def test_a_decision_by_mouse_and_its_undo(visit_site: Visiting, served: HouseServed) -> None:
    """From the queue to the case, with a template and the words that will be sent, decided, and taken back."""
    item = served.run(trap)
    served.run(lambda live: live.office.save_template(1, Template("kind", "en", "You broke clause {clause}."), OLIVE))
    page = visit_site("/console/1/queue", Role.MODERATOR)
    page.get_by_role("link", name=f"provisional decision {item.number}", exact=True).click()
    excerpt = page.locator(".veiled").first
    assert "blur" in excerpt.evaluate("e => getComputedStyle(e).filter")
    page.get_by_text("Show", exact=False).first.click()
    expect(excerpt).to_have_css("filter", "none")
    expect(page.get_by_label("Measure", exact=True)).to_be_hidden()
    page.get_by_role("radio", name="Change").check()
    page.get_by_label("Measure", exact=True).select_option("slow")
    page.get_by_label("It lasts").select_option("1d")
    page.get_by_label("Begin with a template").select_option(label="kind (en)")
    expect(page.get_by_label("Reason")).to_have_value("You broke clause 2.1.")
    expect(page.locator("#preview")).to_contain_text("You can write only once a minute.")
    expect(page.locator("#preview")).to_contain_text("You broke clause 2.1.")
    page.get_by_role("button", name="Decide").click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text("Changed")
    expect(toast).to_contain_text(re.compile(r"\d+ s"))
    toast.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(f"{item.key}$"))
    served.wait(UNDO)
    assert served.run(course) is Course.IN_FORCE


def test_a_raid_by_keyboard_alone(visit_site: Visiting, served: HouseServed) -> None:
    """J and k walk, x selects, t decides together; a case opens with Enter, its verdict by number."""
    served.run(scene)
    page = visit_site("/console/1/queue?view=proposals", Role.MODERATOR)
    rows = page.locator("[data-item]").count()
    assert rows == 2
    page.keyboard.press("j")
    first = current(page)
    page.keyboard.press("x")
    page.keyboard.press("j")
    assert current(page) != first
    page.keyboard.press("x")
    expect(page.locator("#picked")).to_have_text("2 selected")
    page.keyboard.press("t")
    expect(page.get_by_role("heading", level=1)).to_have_text("Decide 2 together")
    page.keyboard.press("2")
    expect(page.get_by_label("Refuse")).to_be_checked()
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.id") != "reason":
        page.keyboard.press("Tab")
    page.keyboard.type("a joke about trowels")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("2 decided")
    served.wait(UNDO)
    assert served.run(lambda live: live.waits(Kind.PROPOSAL)) == []

    page.goto("/console/1/queue?view=provisional")
    page.keyboard.press("j")
    key = current(page)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{key}$"))
    page.keyboard.press("1")
    expect(page.get_by_label("Confirm")).to_be_checked()
    page.keyboard.press("b")
    expect(page).to_have_url(re.compile("/queue$"))


def test_two_at_once_see_each_other_live(visit_site: Visiting, served: HouseServed) -> None:
    """The lock appears in the other's list by itself; what is new waits behind a line; leaving gives the case back."""
    item = served.run(trap)
    mo = served.hire("mo")
    watching = visit_site("/console/1/queue", Role.MODERATOR)
    row = watching.locator(f'[data-item="{item.key}"]')
    expect(watching.locator("#live")).to_be_visible()
    expect(row).not_to_contain_text("has it open")
    before = watching.locator("[data-item]").all_text_contents()

    other = visit_site("/console/1/queue")
    other.context.add_cookies([{"name": served.cookie(Role.MODERATOR), "value": mo.secret, "url": served.url}])
    other.goto(f"/console/1/case/{item.key}")
    expect(row).to_contain_text("mo has it open")

    served.run(lambda live: live.say(BEN, PRIZE))
    expect(watching.locator("#news")).to_be_visible()
    assert len(watching.locator("[data-item]").all()) == len(before)
    watching.get_by_role("button", name="Show it").click()
    expect(watching.locator("[data-item]")).not_to_have_count(len(before))

    watching.goto(f"/console/1/case/{item.key}")
    expect(watching.locator("#verdict")).to_contain_text("mo has")
    expect(watching.locator("#verdict-form")).to_have_count(0)
    other.goto("/console/1/templates")  # leaving gives it back, and whoever waits has it by itself
    expect(watching.locator("#verdict-form")).to_have_count(1)

    watching.get_by_label("Confirm").check()
    watching.get_by_label("Reason").fill("surely a trap")
    hidden = next(d for d in served.run(_others) if d != item.number)
    served.run(lambda live: live.office.reverse(hidden, OLIVE, "a tea pot", findings=False))
    watching.get_by_role("button", name="Decide").click()
    expect(watching.get_by_role("alert")).to_contain_text(f"decision {hidden} is reversed, by olive: a tea pot")
    expect(watching.get_by_label("Reason")).to_have_value("surely a trap")
    mo.close()


async def _others(live: House) -> list[int]:
    return [d.number for d in live.decisions(ANA) if d.course is Course.IN_FORCE]


def test_every_page_fits_a_telephone_and_is_accessible(visit_site: Visiting, served: HouseServed) -> None:
    """Nothing sticks out at 360 pixels, axe finds nothing in light or dark, and names do no harm."""
    served.run(scene)
    keys: dict[str, Item] = {}
    for item in served.run(lambda live: live.waits()):
        keys.setdefault(str(item.kind), item)
    assert set(keys) == {"provisional", "proposal", "report", "appeal", "sample"}
    page = visit_site("/console/1/queue", Role.MODERATOR)
    together = "&".join(f"item={item.key}" for item in keys.values() if item.kind is Kind.PROPOSAL)
    paths = ["queue", "templates", f"queue/together?{together}", *(f"case/{item.key}" for item in keys.values())]
    for path in paths:
        page.goto(f"/console/1/{path}")
        axe_clean(page)
        at_phone(page)
        page.set_viewport_size({"width": SMALL["width"], "height": SMALL["height"]})
        assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"], path
        page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"/console/1/case/{keys['report'].key}")
    assert page.locator("b[onclick]").count() == 0
    expect(page.locator("blockquote .control").first).to_have_text("U+202E")


def test_without_script_a_case_is_decided_all_the_same(visit_site: Visiting, served: HouseServed) -> None:
    """Opening, reading what would be sent, deciding and taking back are forms and links."""
    item = served.run(trap)
    page = visit_site(f"/console/1/case/{item.key}", Role.MODERATOR, java_script_enabled=False)
    page.get_by_label("Confirm").check()
    page.get_by_label("Reason").fill("a trap")
    page.get_by_role("button", name="Show what they would read").click()
    expect(page.locator("#preview")).to_contain_text(f"A person looked at decision {item.number}")
    expect(page.get_by_label("Reason")).to_have_value("a trap")
    page.get_by_role("button", name="Decide").click()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(f"{item.key}$"))
