"""The frame of every page: for everybody, by keyboard, without script, with hostile texts, and live."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect

from comity.core.access import Role
from comity.web.site.live import KEPT, Live
from comity.web.site.render import ago, exact, told
from comity.web.site.texts import LANGUAGES, catalogue, preferred
from site_kit import NEEDS_CHROMIUM, Served, Visiting, at_phone, axe_clean

pytest_plugins = ["site_kit"]
HOSTILE = "\u202e<img src=x onerror=alert(1)></title></script>\u2066\x1btea {{ 7 * 7 }}"
PAGES = [
    (None, "/console/sign-in"),
    (None, "/console/enrol/over"),
    (None, "LINK"),
    (Role.MODERATOR, "/console/nowhere"),
    (Role.OPERATOR, "/console/1"),
    (Role.OPERATOR, "/console/1/staff"),
    (Role.OPERATOR, "/console/1/tokens"),
    (Role.OPERATOR, "/console/account"),
    (Role.AUDITOR, "/console/1/staff/acts"),
    (Role.MEMBER, "/me/sessions"),
]


@NEEDS_CHROMIUM[0]
@NEEDS_CHROMIUM[1]
@pytest.mark.parametrize(("role", "path"), PAGES)
def test_axe_finds_nothing_on_any_page(visit_site: Visiting, served: Served, role: Role | None, path: str) -> None:
    """WCAG 2.2 AA as far as axe can tell, light and dark; and on a telephone nothing sticks out to the side."""
    page = visit_site(served.link() if path == "LINK" else path, role)

    axe_clean(page)
    at_phone(page)


@NEEDS_CHROMIUM[0]
@NEEDS_CHROMIUM[1]
def test_the_palette_goes_anywhere_by_keyboard_alone(visit_site: Visiting) -> None:
    """Ctrl-K, some letters in order, Enter; Escape closes it, and a question mark shows all keys."""
    page = visit_site("/console/1", Role.OPERATOR)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to …")).to_be_focused()
    page.keyboard.type("zzz")
    expect(page.get_by_text("Nothing by that name.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    axe_clean(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("stf")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Staff", exact=True)).to_be_visible()


@NEEDS_CHROMIUM[0]
@NEEDS_CHROMIUM[1]
def test_j_and_k_go_through_a_list_unless_letters_are_switched_off(visit_site: Visiting) -> None:
    """One row after the other, with the focus in it; criterion 2.1.4 asks for a way to switch such keys off."""
    page = visit_site("/console/1/staff", Role.OPERATOR)
    rows = page.locator("[data-rows] > li")
    for key, row in (("j", 0), ("j", 1), ("k", 0), ("k", 0)):
        page.locator("main").focus()
        page.keyboard.press(key)
        expect(rows.nth(row)).to_have_class(re.compile("current"))
    page.get_by_text("olive").first.click()
    page.get_by_label("Keys of one letter").uncheck()
    page.get_by_role("button", name="Apply").click()
    page.locator("main").focus()
    page.keyboard.press("j")

    expect(page.locator(".current")).to_have_count(0)


@NEEDS_CHROMIUM[0]
@NEEDS_CHROMIUM[1]
def test_language_and_colours_are_kept_without_any_script(visit_site: Visiting) -> None:
    """A form does it, and the way back is the page it was sent from."""
    page = visit_site("/console/1/staff", Role.OPERATOR, java_script_enabled=False)
    page.get_by_text("olive").first.click()
    page.get_by_label("Colours").select_option("dark")
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Apply").click()

    expect(page.get_by_role("heading", name="Team", exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("html")).to_have_attribute("lang", "de")


@NEEDS_CHROMIUM[0]
@NEEDS_CHROMIUM[1]
def test_a_role_is_given_and_taken_back_and_the_last_operator_stays(visit_site: Visiting) -> None:
    """Each says what was done; what was taken can be given back with one press."""
    page = visit_site("/console/1/staff", Role.OPERATOR)
    mona = page.get_by_role("listitem").filter(has_text="mona")
    mona.get_by_role("combobox").select_option("auditor")
    mona.get_by_role("button", name="Give").click()
    expect(page.get_by_text("mona is auditor now.")).to_be_visible()
    expect(mona).to_contain_text("moderator auditor")
    mona.get_by_role("combobox").select_option("auditor")
    mona.get_by_role("button", name="Take").click()
    expect(page.get_by_text("mona is auditor no longer.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("mona is auditor now.")).to_be_visible()
    page.get_by_role("listitem").filter(has_text="olive").get_by_role("button", name="Take").click()

    expect(page.get_by_text("A community keeps at least one operator")).to_be_visible()


@NEEDS_CHROMIUM[0]
@NEEDS_CHROMIUM[1]
def test_a_search_narrows_a_list_as_one_types(visit_site: Visiting) -> None:
    """The part that changes is asked for, and the address can be passed on."""
    page = visit_site("/console/1/staff", Role.OPERATOR)
    page.keyboard.press("/")
    page.keyboard.type("AD")

    expect(page.locator("[data-rows] > li")).to_have_count(1)
    expect(page.locator("[data-rows]")).to_contain_text("ada")
    expect(page).to_have_url(re.compile(r"\?q=AD$"))


def test_hostile_text_stays_text(served: Served) -> None:
    """Markup is told as it was written, and what would turn or hide text is shown as its code."""
    with served.client(Role.OPERATOR) as client:
        made = client.send_form("/console/1/tokens", label=HOSTILE, days="7", **{"scope-read": "1"})

    assert 200 == made.status_code
    assert "<img" not in made.text
    assert "&lt;img src=x" in made.text
    assert '<span class="control">U+202E</span>' in made.text
    assert '<span class="control">U+001B</span>' in made.text
    assert "{{ 7 * 7 }}" in made.text
    assert "\u202e" not in made.text.partition("<main")[2].partition('class="hidden-text"')[0]


@given(st.text())
def test_whatever_is_told_is_isolated_and_has_no_markup_of_its_own(text: str) -> None:
    """One bdi around it, nothing that steers direction in it, and no element but our own."""
    shown = str(told(text))

    assert shown.startswith("<bdi>")
    assert shown.endswith("</bdi>")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00-\x09\x0b-\x1f]", shown)
    inner = re.sub(r'<span class="control">U\+[0-9A-F]{4,6}</span>', "", shown[5:-6])
    assert "<" not in inner
    assert ">" not in inner


def test_a_token_is_shown_once_and_kept_as_a_hash(served: Served) -> None:
    """It is on the answer to making it, and on no page after it; in the store it is nowhere."""
    with served.client(Role.OPERATOR) as client:
        made = client.send_form("/console/1/tokens", label="tea", days="7", **{"scope-read": "1"})
        secret = re.findall(r"comity_[\w-]{43}", made.text)[0]
        refused = client.send_form("/console/1/tokens", label="", days="999")
        again = client.get("/console/1/tokens")

    assert 400 == refused.status_code
    assert 3 == refused.text.count('class="error"')
    assert secret not in again.text
    assert "tea" in again.text
    assert secret.encode() not in b"".join(file.read_bytes() for file in served.path.parent.glob("*.sqlite*"))


# Live.


def test_a_change_is_heard_at_once_and_after_a_break(served: Served) -> None:
    """Topics only, of communities one has a role in; with the last event's id, nothing in between is missed."""

    def lines(answer: Iterator[str], until: str) -> str:
        heard = ""
        for line in answer:
            heard += line + "\n"
            if until in heard and not line:
                return heard
        raise AssertionError(heard)

    with served.client(Role.MODERATOR) as client:
        with client.stream("GET", "/console/live") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            told_so_far = answer.iter_lines()
            lines(told_so_far, "hello")
            served.publish("queue", "proposal 7")
            heard = lines(told_so_far, "queue")
            last = re.findall("id: (.*)", heard)[-1]
            assert "data: proposal 7" in heard
        served.publish("appeals")
        with client.stream("GET", "/console/live", headers={"Last-Event-ID": last}) as answer:
            assert "event: appeals" in lines(answer.iter_lines(), "appeals")
        with client.stream("GET", "/console/live", headers={"Last-Event-ID": "other-3"}) as answer:
            assert "event: anew" in lines(answer.iter_lines(), "hello")


@NEEDS_CHROMIUM[0]
@NEEDS_CHROMIUM[1]
def test_a_list_changes_while_somebody_looks_at_it(visit_site: Visiting, served: Served) -> None:
    """What somebody else did is there without loading the page anew."""
    page = visit_site("/console/1/staff", Role.OPERATOR)
    expect(page.locator("#live")).to_be_visible()
    with served.client(Role.OPERATOR) as other:
        other.send_form("/console/1/staff/add", name="rosa", role="neutral")

    expect(page.get_by_role("listitem").filter(has_text="rosa")).to_contain_text("neutral")


def test_what_was_missed_is_told_or_said_to_be_lost() -> None:
    """Of the last two thousand changes each can be resumed from; before that it is said that all is to be read anew."""
    live = Live()
    first = live.last
    live.publish(1, "queue")
    assert [("queue", 1)] == [(moved.topic, moved.community) for moved in live.since(first) or []]
    for _ in range(KEPT):
        live.publish(1, "queue")

    assert live.since(first) is None
    assert [] == live.since(live.last)
    assert live.since("") is None
    for topic, about in (("two words", ""), ("queue", "a\nevent: forged")):
        with pytest.raises(ValueError, match="one word"):
            live.publish(1, topic, about)


# Words.


def test_every_language_says_everything_and_fills_in_the_same_values() -> None:
    """One table a language, all with the same keys and the same places to fill."""
    places = {
        tag: {key: sorted(re.findall(r"\{(\w+)\}", text)) for key, text in catalogue(tag).items()} for tag in LANGUAGES
    }

    assert places["en"] == places["de"]


def test_every_text_a_template_asks_for_is_there() -> None:
    """No page can fail for a missing word."""
    folder = Path(__file__).parents[1] / "src" / "comity" / "web" / "site"
    asked = {
        (file.name, key)
        for file in [*folder.glob("templates/*.html"), *folder.glob("*.py")]
        for key in re.findall(r"""\bt\(["']([^"']+)["'][,)]""", file.read_text("utf-8"))
    }

    assert len(asked) > 60
    assert [] == sorted((file, key) for file, key in asked if key not in catalogue("en"))


def test_the_language_is_what_was_chosen_or_what_the_browser_prefers() -> None:
    """The first by weight that there is; English if none."""
    said = [preferred(*given) for given in (("de-AT,en;q=0.5",), ("fr, de;q=0.8",), ("en;q=0.2,de;q=0.9",), ("fr",), ("", "de"), ("de;q=0",), ("de;q=x",))]  # fmt: skip  # noqa: E501

    assert ["de", "de", "de", "en", "de", "en", "en"] == said


def test_times_are_told_coarsely_and_exactly() -> None:
    """Rounded down, in both directions; the exact moment with its zone."""
    now = dt.datetime(2026, 3, 12, 14, 3, tzinfo=dt.UTC)
    spans = [dt.timedelta(seconds=59), dt.timedelta(minutes=59), dt.timedelta(hours=47), dt.timedelta(hours=-3)]

    assert ["just now", "59 min ago", "1 d ago", "in 3 h"] == [ago(now - span, now, "en") for span in spans]
    assert "12. März 2026, 14:03 Uhr (UTC)" == exact(now, "de")
