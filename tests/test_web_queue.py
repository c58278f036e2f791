"""The queue and its cases over a real community: who sees what, who has what open, and what a verdict does."""

import re

import pytest

from comity.core.access import Role
from comity.core.charter import Measure
from comity.core.decision import Course, Decision
from comity.core.queue import LOCKED_FOR, Item, Kind
from comity.core.templates import Template
from comity.core.verdicts import UNDO, Confirm, Reverse
from comity.core.who import Who
from comity.web.site import sessions
from comity.web.site.table import BY_NAME
from desk_pages import DESK
from house_kit import HouseServed
from office_kit import HINT, MEMBERS, OLIVE, PRIZE, TRAP, House
from site_kit import Client

pytest_plugins = ["house_kit"]
ANA, BEN, CLEO, DORA = MEMBERS[:4]
REASON = "the kettle was a trap"


@pytest.fixture
def served(housed: HouseServed) -> HouseServed:
    """A site with an office."""
    return housed


async def trap(live: House) -> Item:
    """Ana sets a trap and is muted for it; the mute that waits."""
    await live.say(ANA, TRAP)
    return Item(Kind.PROVISIONAL, next(d.number for d in live.decisions(ANA) if d.measure is Measure.MUTE))


async def sampled(live: House) -> tuple[Item, Item]:
    """The same, confirmed by mona and drawn for a second look."""
    mute = await trap(live)
    version = (await live.case(mute, Who("mona"))).version
    await live.office.decide(mute, Confirm("surely a trap"), Who("mona"), version)
    live.wait(UNDO)
    live.store.process.draw_samples(1, 0, b"a seed", 1000, live.now())
    return mute, next(i for i in await live.waits(Kind.SAMPLE) if _of(live, i) == mute.number)


def _of(live: House, item: Item) -> int:
    found = live.store.process.sample(item.number)
    return found.decision if found else 0


async def appealed(live: House) -> Item:
    """Ana appeals against the mute."""
    mute = await trap(live)
    made = await live.office.appeal(1, live.number(ANA), "It was a joke.", decision=mute.number)
    return Item(Kind.APPEAL, made.number)


def queue(client: Client, **asked: str) -> list[str]:
    """The keys of the items on the queue's page."""
    page = client.get("/console/1/queue", params=asked)
    assert page.status_code == 200
    return re.findall(r'data-item="([a-z]+-\d+)"', page.text)


def opened(client: Client, item: Item) -> dict[str, str]:
    """Open a case; what its form would send along."""
    page = client.get(f"/console/1/case/{item.key}")
    assert page.status_code == 200, page.text
    return {name: _field(page.text, name) for name in ("version", "seen") if f'name="{name}"' in page.text}


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


def give(client: Client, item: Item, form: dict[str, str], verdict: str, **more: str) -> tuple[int, str]:
    """Send a verdict; the status, and where it leads or what the page says."""
    fields = {"verdict": verdict, "reason": REASON} | form | more
    sent = client.send_form(f"/console/1/case/{item.key}/decide", **fields)
    return sent.status_code, sent.headers.get("location", sent.text)


# Who sees what.


def test_what_is_for_whom(served: HouseServed) -> None:
    """Moderators see all, whoever is neutral what is theirs; operator and auditor have no queue at all."""
    item = served.run(appealed)
    with served.client(Role.MODERATOR) as moderator, served.client(Role.NEUTRAL) as neutral:
        assert {key.partition("-")[0] for key in queue(moderator)} == {"provisional", "appeal"}
        assert queue(neutral) == [item.key]
        mute = next(key for key in queue(moderator) if key.startswith("provisional"))
        nowhere = neutral.get("/console/1/case/report-4711")
        refused = neutral.get(f"/console/1/case/{mute}")
        assert (refused.status_code, refused.text.replace(mute, "report-4711")) == (404, nowhere.text)
        sent = moderator.send_form(f"/console/1/case/{mute}/decide", **opened(moderator, Item.of(mute)),
                                   verdict="escalate", reason="too near to me")  # fmt: skip
        assert sent.status_code == 303
        assert mute in queue(neutral, view="escalated")
        assert neutral.get(f"/console/1/case/{mute}").status_code == 200


def test_views_search_and_order(served: HouseServed) -> None:
    """Each view has its kinds; a clause, a harm and a pseudonym find; nonsense in the address does no harm."""
    item = served.run(trap)
    served.run(lambda live: live.say(BEN, HINT))
    with served.client(Role.MODERATOR) as client:
        assert queue(client, view="findings") == [key for key in queue(client) if key.startswith("finding")] != []
        assert item.key in queue(client, q="2.1")
        assert {key.partition("-")[0] for key in queue(client, harm="spam")} == {"finding", "provisional"}
        assert queue(client, harm="violence") == []
        assert queue(client, q=served.pseudonym[:6], view="provisional") == queue(client, view="provisional")
        assert set(queue(client, order="age")) == set(queue(client))
        assert queue(client, view="mine") == []
        opened(client, item)
        assert queue(client, view="mine") == [item.key]
        assert queue(client, after="tea", view="nothing") == queue(client)


def test_whose_it_is_not_gets_what_a_page_that_is_not_there_gives(served: HouseServed) -> None:
    """Real requests to every page of the queue: operator, auditor and member learn nothing, not even that it waits."""
    item = served.run(trap)
    mine = [BY_NAME[name] for name in DESK]
    for role in (Role.OPERATOR, Role.AUDITOR, Role.NEUTRAL, Role.MEMBER):
        with served.client(role) as client:
            nowhere = client.get("/console/nowhere")
            for entry in (e for e in mine if role not in DESK[e.name]):
                path = entry.path.replace("{community:int}", "1").replace("{item}", item.key)
                for method in entry.methods:
                    got = client.get(path) if method == "GET" else client.send_form(path)
                    if role is Role.MEMBER:
                        assert got.status_code in {303, 404}, (role, path)
                    else:
                        assert (got.status_code, _main(got.text)) == (404, _main(nowhere.text)), (role, path)
    assert served.run(course) is Course.IN_FORCE


async def course(live: House) -> Course:
    """Where Ana's mute stands."""
    return next(d.course for d in live.decisions(ANA) if d.measure is Measure.MUTE)


def _main(page: str) -> str:
    return page.partition('<main id="main"')[2]


@pytest.mark.parametrize("key", ["report", "report-x", "tea-1", "report-99999999999999999999", "report--1", "%00-1"])
def test_an_address_of_nothing_is_answered_as_one_that_is_over(served: HouseServed, key: str) -> None:
    """By every page of a case, and nothing fails."""
    with served.client(Role.MODERATOR) as client:
        assert client.get(f"/console/1/case/{key}").status_code == 404
        for page in ("decide", "preview", "lock", "release", "skip"):
            assert client.send_form(f"/console/1/case/{key}/{page}", reason="x", verdict="confirm").status_code == 404
        assert client.get("/console/1/queue/together", params={"item": key}).status_code == 200
        after = f"{9**40}.{9**40}.{key}"
        assert client.get("/console/1/queue", params={"after": after, "q": "\0"}).status_code == 200


def test_the_pages_speak_german_and_have_no_script_of_their_own(served: HouseServed) -> None:
    """Every text is there in both languages, and nothing that the policy forbids."""
    item = served.run(appealed)
    with served.client(Role.MODERATOR) as client:
        client.headers["accept-language"] = "de"
        mute = next(key for key in queue(client) if key.startswith("provisional"))
        for path in ("queue", "templates", f"queue/together?item={mute}", f"case/{item.key}", f"case/{mute}"):
            page = client.get(f"/console/1/{path}")
            assert (page.status_code, 'lang="de"' in page.text) == (200, True)
            assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=|javascript:", page.text), path
        assert "Was sie lesen würden" in page.text


# Who has it open.


def test_a_case_is_whose_who_opened_it(served: HouseServed) -> None:
    """The second moderator sees who has it and has no form; sent all the same it is refused; then it is free again."""
    item = served.run(trap)
    path = f"/console/1/case/{item.key}"
    with served.client(Role.MODERATOR) as mona, served.hire("mo") as mo:
        form = opened(mona, item)
        page = mo.get(path).text
        assert "mona has" in page
        assert 'name="version"' not in page
        status, said = give(mo, item, form, "confirm")
        assert (status, "mona has" in said) == (409, True)
        assert "mona has" in mo.send_form(f"{path}/lock").text
        served.wait(LOCKED_FOR - 1000)
        assert "yours" in mona.send_form(f"{path}/lock").text
        served.wait(2000)
        assert "mona has" in mo.get(path).text
        assert mona.send_form(f"{path}/release").status_code == 303
        assert opened(mo, item)["version"] == form["version"]


def test_whoever_looks_at_an_old_state_is_told_what_changed(served: HouseServed) -> None:
    """A verdict on a state that moved in between is refused, with who did what; what was written stays."""
    item = served.run(trap)
    other = served.run(lambda live: _other(live, item))
    with served.client(Role.MODERATOR) as mona:
        form = opened(mona, item)
        served.run(lambda live: live.done(other, Reverse("a tea pot", findings=False), OLIVE))
        status, said = give(mona, item, form, "confirm")
        served.run(lambda live: live.office.reverse(item.number, OLIVE, "all of it"))
        gone, became = give(mona, item, form, "confirm")

    assert status == 409
    assert (gone, f"decision {item.number} is reversed, by olive: all of it" in became) == (404, True)
    assert f"decision {other.number} is reversed, by olive: a tea pot" in said
    assert REASON in said
    assert [] == [d for d in served.run(_confirmed) if d == item.number]


async def _other(live: House, item: Item) -> Item:
    hidden = next(d for d in live.decisions(ANA) if d.number != item.number)
    return Item(Kind.PROVISIONAL, hidden.number)


async def _confirmed(live: House) -> list[int]:
    return [d.number for d in live.decisions(ANA, Course.CONFIRMED)]


def test_passing_over_needs_a_reason_and_gives_it_back(served: HouseServed) -> None:
    """Whoever looks next reads who passed it over, and it is free."""
    item = served.run(trap)
    with served.client(Role.MODERATOR) as mona, served.hire("mo") as mo:
        opened(mona, item)
        assert mona.send_form(f"/console/1/case/{item.key}/skip").status_code == 400
        assert mona.send_form(f"/console/1/case/{item.key}/skip", reason="I know her").status_code == 303
        page = mo.get(f"/console/1/case/{item.key}").text
        assert "I know her" in page
        assert 'name="version"' in page


# Verdicts.


def test_a_verdict_can_be_taken_back_for_ten_seconds_and_then_holds(served: HouseServed) -> None:
    """The line that says so has the button; after ten seconds it is too late, and the decision is confirmed."""
    item = served.run(trap)
    with served.client(Role.MODERATOR) as mona:
        status, to = give(mona, item, opened(mona, item), "confirm")
        assert (status, to) == (303, "/console/1/queue")
        page = mona.get(to).text
        assert 'data-seconds="10"' in page
        assert item.key not in queue(mona)
        intents = _field(page, "intents")
        assert (
            mona.send_form("/console/1/queue/undo", intents=intents, back=item.key)
            .headers["location"]
            .endswith(item.key)
        )
        assert item.key in queue(mona)
        give(mona, item, opened(mona, item), "confirm")
        intents = _field(mona.get("/console/1/queue").text, "intents")
        served.wait(UNDO)
        mona.send_form("/console/1/queue/undo", intents=intents)
        assert "could not be taken back" in mona.get("/console/1/queue").text
    assert item.number in served.run(_confirmed)


@pytest.mark.parametrize(
    ("verdict", "fields", "why"),
    [
        ("", {}, "Choose a verdict"),
        ("uphold", {}, "Choose a verdict"),
        ("confirm", {"reason": " "}, "Say why"),
        ("confirm", {"reason": "it holds until {until}"}, "Fill in {until}"),
        ("impose", {"clause": "2.1", "measure": "mute"}, "Choose a verdict"),
    ],
)
def test_a_verdict_that_is_none_says_what_is_missing(
    served: HouseServed, verdict: str, fields: dict[str, str], why: str
) -> None:
    """The page comes back with the reason why, and nothing is decided."""
    item = served.run(trap)
    with served.client(Role.MODERATOR) as mona:
        form = opened(mona, item)
        status, said = give(mona, item, form, verdict, **fields)
    assert status == 400
    assert why in said
    assert [] == served.run(_confirmed)


def test_an_end_and_a_measure_can_be_changed(served: HouseServed) -> None:
    """The mute becomes slow mode for a day, and the member's statement says so beforehand."""
    item = served.run(trap)
    with served.client(Role.MODERATOR) as mona:
        form = opened(mona, item) | {"verdict": "change", "measure": "slow", "lasts": "1d", "reason": REASON}
        shown = mona.post(
            f"/console/1/case/{item.key}/preview",
            data=form,
            headers={"Origin": served.url, "HX-Request": "true", "X-CSRF": _csrf(mona)},
        ).text
        assert "You can write only once a minute." in shown
        assert "<html" not in shown
        status, _ = give(mona, item, form, "change", measure="slow", lasts="1d")
        assert status == 303
    served.wait(UNDO)
    assert [Measure.SLOW] == [d.measure for d in served.run(_by_mona)]


async def _by_mona(live: House) -> list[Decision]:
    return [d for d in live.decisions(ANA) if d.by == "mona"]


def _csrf(client: Client) -> str:
    return sessions.csrf(client.secret)


def test_a_report_becomes_a_measure(served: HouseServed) -> None:
    """Voices and how far they are trusted are shown, and the measure rests on what was copied from the room."""

    async def reported(live: House) -> Item:
        made = [
            await live.office.report(
                1, live.number(who), member=live.number(ANA), room=1, event="$k", harm="spam", text="<b>look</b>"
            )
            for who in (BEN, CLEO)
        ]
        return Item(Kind.REPORT, made[0].number)

    item = served.run(reported)
    with served.client(Role.MODERATOR) as mona:
        page = mona.get(f"/console/1/case/{item.key}").text
        assert "2 independent voices" in page
        assert "14 to 86 %, likely 50 %" in page
        assert "<b>look" not in page
        assert "&lt;b&gt;look" in page
        form = opened(mona, item)
        more = {"clause": "2.1", "measure": "warn", "excerpt": HINT}
        assert give(mona, item, form, "impose", **(more | {"clause": ""}))[0] == 400
        status, why = give(mona, item, form, "impose", **(more | {"clause": "3.1"}))
        assert (status, "no clause 3.1 that counts" in why) == (409, True)
        assert give(mona, item, form, "impose", **more)[0] == 303
    served.wait(UNDO)
    assert [Measure.WARN] == [d.measure for d in served.run(_by_mona)]


def test_a_raid_is_decided_together(served: HouseServed) -> None:
    """What is alike has one verdict with one reason; one that moved is named and left; all can be taken back."""

    async def raid(live: House) -> list[Item]:
        for who in (ANA, BEN, CLEO):
            await live.say(who, PRIZE)
        return await live.waits(Kind.PROPOSAL)

    items = served.run(raid)
    assert len(items) == 3
    with served.client(Role.MODERATOR) as mona:
        page = mona.get("/console/1/queue/together", params={"item": [i.key for i in items]}).text
        assert "Decide 3 together" in page
        form = {f"version-{i.key}": _field(page, f"version-{i.key}") for i in items}
        form[f"version-{items[0].key}"] = "another.1.1.0"
        sent = mona.post(
            "/console/1/queue/together",
            data={"csrf": _csrf(mona), "item": [i.key for i in items], "verdict": "refuse", "reason": "a joke", **form},
            headers={"Origin": served.url},
        )
        assert sent.status_code == 200
        assert "something was decided or found" in sent.text
        assert queue(mona, view="proposals") == [items[0].key]
        intents = _field(mona.get("/console/1/queue").text, "intents")
        assert 1 <= len(intents.split(","))
        served.wait(UNDO)
        assert served.run(lambda live: live.waits(Kind.PROPOSAL)) == [items[0]]


# Appeals and second looks.


def test_an_appeal_is_not_offered_to_who_decided_and_refused_all_the_same(served: HouseServed) -> None:
    """Whoever confirmed the mute does not see its appeal in the queue; posted all the same, nothing is heard."""

    async def confirmed(live: House) -> Item:
        mute = await trap(live)
        version = (await live.case(mute, Who("mona"))).version
        await live.office.decide(mute, Confirm("a trap, says mona"), Who("mona"), version)
        live.wait(UNDO)
        made = await live.office.appeal(1, live.number(ANA), "It was a joke.", decision=mute.number)
        await live.office.add_evidence(made.number, live.number(ANA), "Ask the gardener.")
        return Item(Kind.APPEAL, made.number)

    item = served.run(confirmed)
    with served.client(Role.MODERATOR) as mona, served.client(Role.NEUTRAL) as nell:
        assert item.key not in queue(mona)
        page = mona.get(f"/console/1/case/{item.key}").text
        assert "you decided in this case" in page
        assert 'name="version"' not in page
        form = opened(nell, item)
        assert give(mona, item, form, "uphold")[0] == 409
        assert item.key in queue(nell)
        page = nell.get(f"/console/1/case/{item.key}").text
        assert all(text in page for text in ("It was a joke.", "Ask the gardener.", "favour"))
        assert ">mona<" not in page  # who decided is told by role
        assert "somebody of the staff" in page
        assert give(nell, item, opened(nell, item), "reverse")[0] == 303
    served.wait(UNDO)
    assert [d.course for d in served.run(_mutes)] == [Course.REVERSED]


async def _mutes(live: House) -> list[Decision]:
    return [d for d in live.decisions(ANA) if d.measure is Measure.MUTE]


def test_a_second_look_has_nothing_of_the_first_verdict_in_its_bytes(served: HouseServed) -> None:
    """Not who decided, not the reason, the measure, the standing or that it was taken back, by whatever was decided."""
    mute, item = served.run(sampled)
    with served.client(Role.NEUTRAL) as nell:
        confirmed = nell.get(f"/console/1/case/{item.key}")
        listed = nell.get("/console/1/queue", params={"view": "samples"}).text
        served.run(lambda live: live.office.reverse(mute.number, OLIVE, "a tea pot after all"))
        reversed_ = nell.get(f"/console/1/case/{item.key}")
        assert give(nell, item, opened(nell, item), "judge", right="no")[0] == 303
    with served.client(Role.MODERATOR) as mona:
        assert item.key not in queue(mona)
        assert "you decided about it" in mona.get(f"/console/1/case/{item.key}").text

    assert confirmed.status_code == 200
    for page in (confirmed.text, reversed_.text, listed):
        for told in ("surely a trap", "mona", "Muted", "confirmed", "reversed", "taken back", "tea pot", "olive"):
            assert told not in page.replace('class="left"', ""), told
    hidden = re.compile(r'value="\d{13}"|csrf" value="[^"]+"|data-csrf="[^"]+"|X-CSRF": "[^"]+"|\?[0-9a-f]{12}')
    assert hidden.sub("", confirmed.text) == hidden.sub("", reversed_.text)


# Templates.


def test_a_template_that_leaves_out_what_a_member_must_know_is_not_saved(served: HouseServed) -> None:
    """Each mistake stands at its field; a good one begins a reason with what is known of the case."""
    path = "/console/1/templates"
    with served.client(Role.MODERATOR) as mona:
        bad = mona.send_form(path, **{"name": "Kind Words", "language": "e!", "text": "Dear {member}",
                                      "needs-clause": "yes"})  # fmt: skip
        assert bad.status_code == 400
        for field, why in (("name", "is no name"), ("language", "is no language"), ("text", "{clause} is missing")):
            at = bad.text.index(f'name="{field}"', bad.text.index('id="template-form"'))
            assert why in bad.text[at : at + 900], field
        unread = mona.send_form(f"{path}/check", name="x", language="en", text="Dear {member", reason="x").text
        assert "cannot be read" in unread
        good = {"name": "kind-words", "language": "en", "text": "You broke clause {clause}.", "needs-clause": "yes"}
        assert mona.send_form(path, **good).status_code == 303
        item = served.run(trap)
        assert 'value="You broke clause 2.1."' in mona.get(f"/console/1/case/{item.key}").text
    kept = served.do(lambda store: store.process.templates(1))
    assert kept == [Template("kind-words", "en", "You broke clause {clause}.", ("clause",))]
