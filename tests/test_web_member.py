"""A member's own pages: what they show, what can be done there, and that nobody sees anybody else's."""

import html
import json
import re
from typing import Any, Final

import httpx
import pytest

from comity.core.access import Role
from comity.core.appeal import Heard
from comity.core.decision import Decision
from comity.core.ledger import NO_ACTIVITY, FindingColumns
from comity.core.queue import Item, Kind
from comity.core.verdicts import Confirm, Refuse, Reverse
from comity.web.site import member as member_pages
from comity.web.site.table import TABLE
from house_kit import HouseServed
from office_kit import DAY, MANAGER, MEMBERS, OLIVE, TOMASZ, TRAP, House
from test_runner_kill import ROOMS

pytest_plugins = ["house_kit"]
ANA, BO = MEMBERS[0], MEMBERS[1]
WHY: Final = "It was a recipe for tea."


@pytest.fixture
def served(housed: HouseServed) -> HouseServed:
    """The site of these tests has an office."""
    return housed


def text_of(answer: httpx.Response) -> str:
    """What a page says, without its markup."""
    main = answer.text.partition('<main id="main" tabindex="-1">')[2].partition("</main>")[0]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


def trapped(served: HouseServed, account: str = ANA) -> list[Decision]:
    """Let a member set a trap; what was decided."""

    async def deed(live: House) -> list[Decision]:
        live.staff("tomasz-of-the-house")
        await live.say(account, "milk first")
        await live.say(account, TRAP)
        return live.decisions(account)

    return served.run(deed)


def mute_of(decisions: list[Decision]) -> Decision:
    """The one that mutes."""
    return next(d for d in decisions if d.measure == "mute")


def test_a_member_sees_standing_rights_and_what_holds(served: HouseServed) -> None:
    """Figures, band, curve with its words, sums that add up, rights that are lacking, and the measure with its end."""
    found = trapped(served)
    with served.client(Role.MEMBER) as ana:
        page = ana.get("/me")
        said = text_of(page)
    points = served.run(lambda live: live.office.own(1, served.member)).summed

    assert 200 == page.status_code
    assert f"{points.points // 1000}.{points.points % 1000:03d} " in said
    assert 'class="plot"' in page.text
    assert "The same in words" in said
    assert "You cannot write." in said
    assert "until" in said
    assert "post links" in said
    assert f"/me/decision/{mute_of(found).number}" in page.text
    figures = [
        int(sign.replace("−", "-") + "1") * round(float(n) * 1000)
        for sign, n in re.findall(r"([+−])(\d+\.\d{3})", said)
    ]
    assert sum(figures) == points.points, "the lines add up to the standing, to the last thousandth"


def test_every_entry_says_what_it_weighs_and_what_would_be_without_it(served: HouseServed) -> None:
    """In plain words: the rule's sentence, the clause, one's own words, points, the day it is forgotten."""
    trapped(served)
    with served.client(Role.MEMBER) as ana:
        said = text_of(ana.get("/me/entries"))

    assert "a trap" in said
    assert "clause 2.1: Do not set traps." in said
    assert "You wrote: a free teapot for you" in said
    assert re.search(r"Takes [\d.]+ points today; forgotten on \d+ \w+ \d{4}\.", said)
    assert re.search(r"Without it your standing would be 95", said)


def test_pages_speak_the_members_language(served: HouseServed) -> None:
    """In German all of it is German, the statement too; the charter's own words stay as they were adopted."""
    mute = mute_of(trapped(served))
    with served.client(Role.MEMBER) as ana:
        ana.headers["Accept-Language"] = "de"
        page, said = ana.get("/me"), text_of(ana.get(f"/me/decision/{mute.number}"))

    assert '<html lang="de"' in page.text
    assert "Was du darfst" in page.text
    assert "Du kannst nicht schreiben." in said
    assert "Klausel 2.1 der Charta: Do not set traps." in said
    assert "Beschwerde einlegen" in said


def test_an_appeal_is_made_added_to_and_heard(served: HouseServed) -> None:
    """From the decision to the outcome: who hears it, until when, evidence while open, and the reason at the end."""
    mute = mute_of(trapped(served))
    with served.client(Role.MEMBER) as ana:
        before = text_of(ana.get(f"/me/decision/{mute.number}"))
        assert "It is heard by somebody who decided nothing in this case" in before
        assert "If nobody hears it within 14 days, it is decided in your favour." in before
        assert 400 == ana.send_form(f"/me/decision/{mute.number}/appeal", text=" ").status_code
        made = ana.send_form(f"/me/decision/{mute.number}/appeal", text=WHY)
        assert 303 == made.status_code
        where = made.headers["location"]
        said = text_of(ana.get(where))
        assert WHY in said
        assert "They have until" in said
        assert 303 == ana.send_form(f"{where}/add", text="Here is the recipe.").status_code
        assert "Here is the recipe." in text_of(ana.get(where))
        again = ana.send_form(f"/me/decision/{mute.number}/appeal", text=WHY)
        assert 400 == again.status_code
        assert "You have appealed against it already." in text_of(again)
        number = int(where.rpartition("/")[2])
        served.run(lambda live: live.done(Item(Kind.APPEAL, number), Reverse("a recipe indeed"), TOMASZ))
        over = text_of(ana.get(where))
        assert "What was decided is reversed." in over
        assert "a recipe indeed" in over
        assert "Add to it" not in over
        assert 400 == ana.send_form(f"{where}/add", text="too late").status_code
        assert "Half of all appeals here had their outcome within" in text_of(ana.get("/me/appeals"))
        entry = text_of(ana.get("/me/entries"))
    assert "Taken back: it should not have been" in entry


def test_an_appeal_is_taken_back_only_when_asked_twice(served: HouseServed) -> None:
    """The first press asks again; the second takes it back, and a new appeal is possible."""
    mute = mute_of(trapped(served))
    with served.client(Role.MEMBER) as ana:
        where = ana.send_form(f"/me/decision/{mute.number}/appeal", text=WHY).headers["location"]
        asked = ana.send_form(f"{where}/withdraw")
        assert "Really take it back?" in text_of(asked)
        assert "open" in text_of(ana.get(where))
        assert 303 == ana.send_form(f"{where}/withdraw", sure="yes").status_code
        assert "You took it back" in text_of(ana.get(where))
        assert 303 == ana.send_form(f"/me/decision/{mute.number}/appeal", text="On second thought.").status_code


def test_whoever_lost_management_is_led_to_the_fast_lane(served: HouseServed) -> None:
    """Their page says it first, with the three days; the appeal is marked, and due by then."""

    async def resigned(live: House) -> int:
        await live.say(MANAGER, "I resign")
        for item in await live.waits(Kind.PROPOSAL):
            await live.done(item, Confirm("as proposed"), TOMASZ)
        return live.number(MANAGER)

    served.member = served.run(resigned)
    with served.client(Role.MEMBER) as manager:
        page = manager.get("/me")
        said = text_of(page)
        assert "You may not manage for now: an appeal against that goes first." in said
        assert "within 3 days" in said
        (number,) = set(re.findall(r'href="/me/decision/(\d+)#appeal"', page.text))
        where = manager.send_form(f"/me/decision/{number}/appeal", text=WHY).headers["location"]
        assert "goes first" in text_of(manager.get(where))
    (appeal,) = served.do(lambda s: s.process.appeals(member=served.member))
    assert appeal.fast
    assert appeal.due - appeal.at == 3 * DAY


def test_a_report_is_taken_in_with_harmless_defaults_and_its_outcome_is_told(served: HouseServed) -> None:
    """Only what is named is needed; the receipt comes at once, and a refusal can be appealed against."""

    async def spoken(live: House) -> str:
        return (await live.say(BO, "my kettle is the best"))[0]

    event = served.run(spoken)
    with served.client(Role.MEMBER) as ana:
        form = ana.get("/me/report")
        assert "selected" not in form.text.partition('<select id="room"')[2].partition("</form>")[0]
        assert "Name a message or a member." in text_of(ana.send_form("/me/report/send", what=""))
        assert "That is you." in text_of(ana.send_form("/me/report/send", what=ANA))
        link = f"https://matrix.to/#/{ROOMS[0]}/{event}"
        sent = ana.send_form("/me/report/send", what=link, clause="3.1", text="He says it all day.")
        where = sent.headers["location"]
        receipt = text_of(ana.get(where))
        assert "It waits for a person." in receipt
        assert event in receipt
        assert "He says it all day." in receipt
        assert "you may have reported it already" in text_of(ana.send_form("/me/report/send", what=link))
        (report,) = served.do(lambda s: s.process.reports(reporter=served.member))
        assert "spam" == report.harm
        assert "page" == report.way
        served.run(lambda live: live.done(Item(Kind.REPORT, report.number), Refuse("kettles are fine"), OLIVE))
        refused = text_of(ana.get(where))
        assert "nothing follows from it" in refused
        assert "kettles are fine" in refused
        appeal = ana.send_form(f"{where}/appeal", text="It is advertising.").headers["location"]
        assert f"against the refusal of report {report.number}" in text_of(ana.get(appeal))
        assert "nothing follows" in text_of(ana.get("/me/report"))


def test_somebody_elses_is_the_same_as_what_is_not_there(served: HouseServed) -> None:
    """Decision, appeal and report of another member: to the letter the answer of a number nobody ever had."""
    mute = mute_of(trapped(served, ANA))
    with served.client(Role.MEMBER) as ana:
        appeal = ana.send_form(f"/me/decision/{mute.number}/appeal", text=WHY).headers["location"]
        served.run(lambda live: live.say(BO, "good morning"))
        report = ana.send_form("/me/report/send", what=BO).headers["location"]
    numbers = {
        "decision": mute.number,
        "appeal": int(appeal.rpartition("/")[2]),
        "report": int(report.rpartition("/")[2]),
    }
    ana_number, served.member = served.member, served.run(lambda live: _number(live, BO))
    assert ana_number != served.member
    with served.client(Role.MEMBER) as bo:
        for kind, number in numbers.items():
            for way, end in (("GET", ""), *(("POST", e) for e in ("/appeal", "/add", "/withdraw"))):
                if way == "POST" and not any(entry.path == f"/me/{kind}/{{number:int}}{end}" for entry in TABLE):
                    continue
                asked = [
                    bo.get(f"/me/{kind}/{n}")
                    if way == "GET"
                    else bo.send_form(f"/me/{kind}/{n}{end}", text="x", sure="yes")
                    for n in (number, 999_999)
                ]
                assert [404, 404] == [a.status_code for a in asked], (kind, end)
                assert same(asked[0], number) == same(asked[1], 999_999), (kind, end)
        assert "Nothing was decided about you" in text_of(bo.get("/me/decisions"))
        huge = bo.get(f"/me/decision/{10**30}")
        assert 404 == huge.status_code
    assert Heard.OPEN is served.do(lambda s: s.process.appeals(member=ana_number))[0].heard


async def _number(live: House, account: str) -> int:
    return live.number(account)


def same(answer: httpx.Response, number: int) -> str:
    """A page without the number that was asked for, which stands in the form of the frame."""
    return re.sub(rf"(/me/\w+/){number}\b", r"\1N", answer.text)


def test_every_page_of_members_needs_their_link(served: HouseServed) -> None:
    """Without a session, and with one of the staff, each says how to get a link, whether it is there or not."""
    entries = [e for e in TABLE if e.path.startswith("/me") and "token" not in e.path]
    assert all({Role.MEMBER} == e.roles for e in entries)
    pages = [e.path.replace("{number:int}", "1") for e in entries]
    for role in (None, Role.OPERATOR, Role.MODERATOR):
        with served.client(role) as client:
            said = {text_of(client.get(path)) for path in [*pages, "/me/nowhere"]}
        (one,) = said
        assert "!comity me" in one


def test_who_looked_is_read_once_no_case_is_open(served: HouseServed) -> None:
    """A look outside a case is shown with its reason; one made while a report waits comes when that is closed."""

    async def looked(live: House, why: str) -> None:
        await live.office.look(1, OLIVE, why, what="messages", member=live.number(ANA))

    served.run(lambda live: looked(live, "she asked for help"))
    served.wait(60_000)

    async def told(live: House) -> int:
        made = await live.office.report(1, live.number(BO), member=live.number(ANA), harm="spam", text="")
        return made.number

    report = served.run(told)
    served.wait(60_000)
    served.run(lambda live: looked(live, "somebody reported her"))
    with served.client(Role.MEMBER) as ana:
        page, taken = text_of(ana.get("/me/looks")), ana.get("/me/data/download").text
        assert "she asked for help" in page
        assert "somebody reported her" not in page
        assert "somebody reported her" not in taken
        served.run(lambda live: live.done(Item(Kind.REPORT, report), Refuse("nothing there"), OLIVE))
        assert "somebody reported her" in text_of(ana.get("/me/looks"))


def test_everything_can_be_taken_along_but_who_reported(served: HouseServed) -> None:
    """One whole JSON text with all there is, in the documented form; not a word of whoever reported."""
    found = trapped(served)

    async def reported(live: House) -> str:
        await live.office.report(1, live.number(BO), member=live.number(ANA), harm="spam", text="I am her neighbour")
        row = live.store.member(live.number(BO))
        return row.pseudonym if row else ""

    reporter = served.run(reported)
    with served.client(Role.MEMBER) as ana:
        ana.send_form(f"/me/decision/{mute_of(found).number}/appeal", text=WHY)
        answer = ana.get("/me/data/download")
        taken: dict[str, Any] = json.loads(answer.text)
        assert 200 == ana.get("/me/data").status_code

    assert "attachment" in answer.headers["content-disposition"]
    assert ANA == taken["member"]["account"]
    assert {d.number for d in found} == {d["decision"]["number"] for d in taken["decisions"]}
    assert all(d["statement"]["clause_id"] == "2.1" for d in taken["decisions"])
    assert {"machine"} == {step["by"] for d in taken["decisions"] for step in d["course"]}
    assert [WHY] == [a["text"] for a in taken["appeals"]]
    assert ["a free teapot for you"] == [f["excerpt"] for f in taken["findings"]]
    assert ["open"] == [r["came"] for r in taken["reported"]]
    assert taken["standing"]["points"] < taken["standing"]["start"]
    assert taken["sessions"]
    assert "neighbour" not in answer.text
    assert reporter not in answer.text


def test_to_be_forgotten_is_asked_twice_and_says_what_stays(served: HouseServed) -> None:
    """What is erased and what stays is said first; then the account is gone, and with it every way in."""
    trapped(served)
    link = served.link()
    with served.client(Role.MEMBER) as ana:
        first = text_of(ana.get("/me/forget"))
        assert "Erased at once" in first
        assert "What stays, and why" in first
        assert "A measure holds at this moment" in first
        assert "you could still appeal against it: until" in first
        asked = ana.send_form("/me/forget/now")
        assert "This cannot be taken back" in text_of(asked)
        assert served.do(lambda s: s.member(served.member)).account == ANA  # type: ignore[union-attr]
        done = ana.send_form("/me/forget/now", sure="yes")
        assert "You are forgotten" in text_of(done)
        assert 404 == ana.get("/me").status_code
        assert 404 == ana.get(link).status_code
    row = served.do(lambda s: s.member(served.member))
    assert row is not None
    assert row.account is None


def test_names_and_messages_of_others_are_text(served: HouseServed) -> None:
    """HTML and what turns the direction of writing are shown as what they are, wherever somebody's words stand."""
    evil = "<script>alert(1)</script> free teapot \u202e"

    async def deed(live: House) -> list[Decision]:
        live.store.members(1, [ANA], ["<b>Ana</b>\u202e"])
        await live.say(ANA, evil)
        return live.decisions(ANA)

    found = served.run(deed)
    with served.client(Role.MEMBER) as ana:
        where = ana.send_form(f"/me/decision/{found[0].number}/appeal", text=evil).headers["location"]
        for path in ("/me", "/me/entries", f"/me/decision/{found[0].number}", where, "/me/data", "/me/report"):
            page = ana.get(path).text
            assert "<script>alert" not in page, path
            assert "<b>Ana" not in page, path
            assert "\u202e" not in page, path


def test_ten_thousand_entries_come_in_pages(served: HouseServed) -> None:
    """Each page holds a few, none is missed or comes twice, and what they weigh together stands on the first page."""
    many = 10_000

    async def deed(live: House) -> None:
        await live.say(ANA, TRAP)
        realm = live.runner._realms["tea-garden"]
        now, day = live.now(), realm.day(served.now())
        clause = int(realm.clauses[0])
        columns = FindingColumns(
            at=[now - n * 60_000 for n in range(many)],
            day=[day - n % 170 for n in range(many)],
            member=[served.member] * many,
            room=[1] * many,
            clause=[clause] * many,
            event=[f"$old-{n}" for n in range(many)],
            excerpt=["tea"] * many,
            figures=["{}"] * many,
        )
        live.store.post(columns, NO_ACTIVITY, after=live.store.head())
        realm.recount(served.now())

    served.run(deed)
    with served.client(Role.MEMBER) as ana:
        assert f"{many + 1} entries" in text_of(ana.get("/me"))
        seen: list[int] = []
        page = ana.get("/me/entries")
        for _ in range(3):
            seen += [int(n) for n in re.findall(r'id="entry-(\d+)"', page.text)]
            assert len(page.content) < 100_000
            after = re.search(r'href="\?(before=\d+)" rel="next"', page.text)
            assert after
            page = ana.get(f"/me/entries?{after[1]}")
        assert "Without it your standing would be" in text_of(page)
        taken = json.loads(ana.get("/me/data/download", timeout=60).text)
    assert 3 * member_pages.PAGE == len(set(seen)) == len(seen)
    assert sorted(seen, reverse=True) == seen
    assert many + 1 == len({f["number"] for f in taken["findings"]})
