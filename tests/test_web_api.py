"""The API: who may, what it gives, what it refuses and how, and that nothing is done twice."""

import re
from typing import Final

import httpx
import pytest

from api_kit import Caller, token_of
from comity.core.access import SCOPES, Role, Scope, roles_that
from comity.core.verdicts import UNDO
from comity.stores.process_contract import Stage
from comity.web.api import calls
from comity.web.api.call import NOTHING
from comity.web.site.limits import Limits
from comity.web.site.table import TABLE, Refusal
from house_kit import HouseServed
from office_kit import CHARTER, MEMBERS, OTHER

pytest_plugins = ["api_kit"]
STAFF: Final = [Role.OPERATOR, Role.MODERATOR, Role.NEUTRAL, Role.AUDITOR]
CALLS: Final = [entry for entry in TABLE if entry.api and entry.refusal is Refusal.TOKEN]
TAKES: Final = {name: call.takes is not NOTHING for name, call in calls.CALLS.items()}


def of_kind(client: Caller, kind: str) -> str:
    """The key of something of a kind that waits."""
    first = client.get("queue", params={"kind": kind}).json()["items"][0]["item"]
    return f"{first['kind']}-{first['number']}"


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and sentence of what must be a problem as RFC 9457 has it."""
    assert "application/problem+json" == answer.headers["content-type"], answer.text
    assert answer.status_code == answer.json()["status"]
    return answer.status_code, answer.json()["detail"]


# Who may.


def test_every_token_gets_every_route_as_the_table_says(live_api: HouseServed) -> None:
    """By role, and by scope: whoever may not gets, to the letter, what a route that is not there gives."""
    reached = set()
    for role in STAFF:
        for scope in Scope if role is Role.MODERATOR else [Scope.READ, Scope.DECIDE]:
            with Caller(live_api, token_of(live_api, role, frozenset({scope}))) as client:
                missing = client.get("nowhere").text
                for entry in CALLS:
                    live_api.site.limits = Limits()
                    path = re.sub(
                        r"\{\w+(:int)?\}", "4711", entry.path.replace("{community:int}", str(live_api.community))
                    )
                    answer = client.request(entry.methods[0], path)
                    if role in entry.roles and scope is entry.scope:
                        reached.add(entry.name)
                        what = 415 if TAKES[entry.name] else 404 if "4711" in path else 200
                        assert what == answer.status_code, (role, entry.name, answer.text)
                    else:
                        assert (404, missing) == (answer.status_code, answer.text), (role, scope, entry.name)
    assert {entry.name for entry in CALLS} == reached


def test_no_scope_is_wider_than_it_says() -> None:
    """Whatever a token is made for, each call that it opens is one of what its scope holds."""
    for entry in CALLS:
        assert entry.scope is not None
        held = [roles_that(may) - {Role.MEMBER} for may in SCOPES[entry.scope]]
        assert entry.roles in held or entry.roles == set(STAFF), entry.name


def test_without_a_token_there_is_nothing_to_see(live_api: HouseServed) -> None:
    """What is there and what is not answer alike, and say how to ask."""
    with Caller(live_api, "") as client:
        answers = [client.get("queue"), client.get("nowhere"), client.get("/api/v1/x"), client.post("reports")]

    assert {401} == {problem(a)[0] for a in answers}
    assert 1 == len({a.text for a in answers})
    assert "Bearer" == answers[0].headers["www-authenticate"]


def test_a_token_is_good_in_one_community(live_api: HouseServed, mona: Caller) -> None:
    """Another one is as if it were not there."""
    assert [{"number": live_api.community, "name": "tea-garden"}] == mona.get("/api/v1/communities").json()
    assert 404 == mona.get("/api/v1/communities/4711/queue").status_code


# What waits, and verdicts.


def test_a_case_is_decided_as_it_was_seen(live_api: HouseServed, mona: Caller) -> None:
    """The version comes as the case's ETag and goes along with the verdict; after ten seconds it is carried out."""
    item = of_kind(mona, "provisional")
    case = mona.get(f"queue/{item}")
    verdict = {"verdict": {"verdict": "confirm", "reason": "a trap it is"}}
    unversioned = mona.post(f"queue/{item}/verdict", json=verdict)
    outdated = mona.post(f"queue/{item}/verdict", json=verdict, headers={"If-Match": '"of yesterday"'})
    told = mona.post(f"queue/{item}/preview", json=verdict)
    given = mona.post(f"queue/{item}/verdict", json=verdict, headers={"If-Match": case.headers["etag"]})
    number = given.json()["number"]
    live_api.wait(UNDO)

    assert (428, 412) == (problem(unversioned)[0], problem(outdated)[0])
    assert [("member", True)] == [(t["to"], "lets it stand" in t["text"]) for t in told.json()]
    assert (202, "waiting") == (given.status_code, given.json()["state"])
    assert Stage.DONE == mona.get(f"verdicts/{number}").json()["state"]
    assert 404 == mona.get(f"queue/{item}").status_code
    assert number in [intent["number"] for intent in mona.get("verdicts").json()]


def test_a_verdict_can_be_taken_back(live_api: HouseServed, mona: Caller) -> None:
    """By whoever gave it, within ten seconds, and then nothing follows from it."""
    item = of_kind(mona, "provisional")
    version = mona.get(f"queue/{item}").json()["version"]
    given = mona.post(
        f"queue/{item}/verdict", json={"verdict": {"verdict": "reverse", "reason": "no"}, "version": version}
    )
    number = given.json()["number"]
    with Caller(live_api, token_of(live_api, Role.NEUTRAL)) as other:
        foreign = other.post(f"verdicts/{number}/undo")
    undone = mona.post(f"verdicts/{number}/undo")
    live_api.wait(UNDO)

    assert (404, 204) == (foreign.status_code, undone.status_code)
    assert "undone" == mona.get(f"verdicts/{number}").json()["state"]
    assert 200 == mona.get(f"queue/{item}").status_code


def test_an_item_is_locked_released_and_passed_over(mona: Caller) -> None:
    """As by hand; somebody else is told who has it."""
    item = of_kind(mona, "report")
    locked = mona.post(f"queue/{item}/lock")
    of = mona.get(f"queue/{item}").json()["item"]["locked_by"]
    released = mona.post(f"queue/{item}/release")
    skipped = mona.post(f"queue/{item}/skip", json={"reason": "I know them"})

    assert [204] * 3 == [a.status_code for a in (locked, released, skipped)]
    assert "mona" == of
    assert ["mona"] == mona.get(f"queue/{item}").json()["item"]["skipped_by"]
    assert 422 == problem(mona.post(f"queue/{item}/skip", json={"reason": " "}))[0]


def test_a_list_comes_in_parts(mona: Caller) -> None:
    """Each part says where the next begins, and together they are the whole, once."""
    whole = [row["item"] for row in mona.get("queue").json()["items"]]
    parts, after = [], ""
    for _ in range(len(whole) + 1):
        part = mona.get("queue", params={"most": 1, "after": after}).json()
        parts += [row["item"] for row in part["items"]]
        if not (after := part["next"]):
            break

    assert len(whole) >= 2
    assert whole == parts


# Once.


def test_what_is_sent_twice_is_done_once(mona: Caller) -> None:
    """The same key gets the same answer, to the letter, and another request under it is refused."""
    new = {"reporter": OTHER, "about": MEMBERS[5], "text": "left the kettle on"}
    first, second = (mona.post("reports", json=new, headers={"Idempotency-Key": "tea-1"}) for _ in range(2))
    other = mona.post("reports", json=new | {"text": "and the light"}, headers={"Idempotency-Key": "tea-1"})
    without = mona.post("reports", json=new)

    assert (201, first.text) == (second.status_code, second.text)
    assert "true" == second.headers["idempotent-replayed"]
    assert 422 == problem(other)[0]
    assert 409 == problem(without)[0]  # it is open already
    outcome = mona.get(f"reports/{first.json()['number']}/outcome").json()
    assert ("open", None) == (outcome["came"], outcome["closed_at"])


def test_a_key_is_its_owners_own(mona: Caller, olive: Caller) -> None:
    """Somebody else's same key means something else."""
    mine = mona.post("reports", json={"reporter": OTHER, "about": MEMBERS[6]}, headers={"Idempotency-Key": "tea-2"})
    hers = olive.post("reports", json={"reporter": OTHER, "about": MEMBERS[7]}, headers={"Idempotency-Key": "tea-2"})

    assert (201, 201) == (mine.status_code, hers.status_code)
    assert mine.json()["number"] != hers.json()["number"]


def test_what_did_not_change_is_not_sent_again(mona: Caller) -> None:
    """A version that is known is answered with 304."""
    first = mona.get("templates")
    again = mona.get("templates", headers={"If-None-Match": first.headers["etag"]})
    saved = mona.post("templates", json={"name": "links", "language": "en", "text": "No links in {room}."})
    then = mona.get("templates", headers={"If-None-Match": first.headers["etag"]})

    assert (304, b"") == (again.status_code, again.content)
    assert (204, 200) == (saved.status_code, then.status_code)
    assert ["links"] == [template["name"] for template in then.json()]


# Members.


def test_nobody_is_looked_at_without_a_reason(live_api: HouseServed, mona: Caller) -> None:
    """First one says why; then member and findings can be read, without the account, and the look is there to see."""
    number = live_api.live.number(MEMBERS[0])
    before = mona.get(f"members/{number}")
    looked = mona.post(f"members/{number}/looks", json={"reason": "a trap was set twice"})
    after, findings = mona.get(f"members/{number}"), mona.get(f"members/{number}/findings")

    assert 403 == problem(before)[0]
    assert 201 == looked.status_code
    assert ("", ["2.1"]) == (after.json()["account"], [f["clause_id"] for f in findings.json()["items"]])
    assert "a trap was set twice" in [look["reason"] for look in after.json()["looks"]]
    assert MEMBERS[0] not in after.text


def test_members_are_told_by_pseudonym(mona: Caller) -> None:
    """A search by account finds a member, and gives no account out."""
    found = mona.get("members", params={"text": MEMBERS[1]})

    assert 1 == len(found.json()["items"])
    assert MEMBERS[1] not in found.text


def test_figures_decisions_and_who_looked_are_for_the_operator(olive: Caller) -> None:
    """What was decided with its statement, how often clauses are right, and the log of looks."""
    decisions = olive.get("decisions").json()["items"]
    number = decisions[0]["number"]

    assert {"number", "measure", "course"} <= decisions[0].keys()
    assert "machine" == olive.get(f"decisions/{number}").json()["course"][0]["by"]
    assert "2.1" in olive.get(f"decisions/{number}/statement").json()["text"]
    assert ["2.1", "2.2", "2.3", "3.1", "9.1"] == [p["clause_id"] for p in olive.get("precision").json()]
    assert len(decisions) <= olive.get("overview").json()["decided"]
    assert 200 == olive.get("looks").status_code
    assert 404 == olive.get("queue").status_code


def test_a_charters_mistakes_are_told_by_line(olive: Caller) -> None:
    """With what was expected; one without mistakes says what it would change."""
    wrong = olive.post("charter/check", json={"text": "[charter]\ncommunity = 7\n"})
    right = olive.post("charter/check", json={"text": CHARTER.replace("No talk of gnomes.", "No gnomes.")})

    assert 422 == problem(wrong)[0]
    assert "charter.toml:2" in " ".join(wrong.json()["errors"])
    assert 200 == right.status_code
    assert right.json()["changes"]


# What is refused.


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 422),
        (b'{"reason": ' + b"[" * 100_000, "application/json", 422),
        (b'{"reason": 7}', "application/json", 422),
        (b'{"reason": "x", "raison": "y"}', "application/json", 422),
        (b'{"reason": ""}', "application/json", 422),
        (b"reason=x", "application/x-www-form-urlencoded", 415),
        (b" " * (1 << 20) + b"{}", "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(mona: Caller, content: bytes, kind: str, status: int) -> None:
    """With a sentence, and nothing in the log."""
    item = of_kind(mona, "report")

    assert status == problem(mona.post(f"queue/{item}/skip", content=content, headers={"Content-Type": kind}))[0]


@pytest.mark.parametrize(
    "query", ["most=0", "most=201", "most=x", "most=1&most=2", "nothing=1", "after=x", "after=1.1.report-" + "9" * 40]
)
def test_a_query_that_means_nothing_is_refused(mona: Caller, query: str) -> None:
    """Nothing is silently left out."""
    assert 400 == problem(mona.get(f"queue?{query}"))[0]


def test_another_method_is_told_what_there_is(mona: Caller) -> None:
    """405, with what can be done there."""
    answer = mona.delete("queue")

    assert 405 == problem(answer)[0]
    assert "GET" == answer.headers["allow"]


# One's own.


def test_a_member_appeals_by_the_session_of_their_page(live_api: HouseServed) -> None:
    """Standing, decisions and appeals of one's own; a change needs the session's proof, from a page of ours."""
    with live_api.client(Role.MEMBER) as client:
        me = client.get("/api/v1/me").json()
        decision = client.get("/api/v1/me/decisions").json()["items"][0]["number"]
        new = {"text": "it was a recipe", "decision": decision}
        bare = client.post("/api/v1/me/appeals", json=new)
        proof = {"X-CSRF": me["csrf"], "Origin": live_api.url}
        made = client.post("/api/v1/me/appeals", json=new, headers=proof)
        number = made.json()["number"]
        added = client.post(f"/api/v1/me/appeals/{number}/evidence", json={"text": "page 4"}, headers=proof)
        foreign = client.post("/api/v1/me/appeals/4711/withdraw", headers=proof)

        assert live_api.pseudonym == me["pseudonym"]
        assert 403 == problem(bare)[0]
        assert (201, "open") == (made.status_code, made.json()["heard"])
        assert "page 4" == added.json()["evidence"][0][1]
        assert 404 == problem(foreign)[0]
        with Caller(live_api, token_of(live_api, Role.NEUTRAL)) as nell:
            assert number in [a["number"] for a in nell.get("appeals").json()["items"]]
            case = nell.get(f"queue/appeal-{number}").json()
            assert "it was a recipe" == case["appeal"]["text"]
        withdrawn = client.post(f"/api/v1/me/appeals/{number}/withdraw", headers=proof)
        assert 204 == withdrawn.status_code
    with live_api.client() as nobody:
        assert 404 == problem(nobody.get("/api/v1/me"))[0]


def test_who_decided_is_not_told_to_whoever_hears_an_appeal(live_api: HouseServed, mona: Caller) -> None:
    """By role alone, also in what was decided before."""
    item = of_kind(mona, "provisional")
    version = mona.get(f"queue/{item}").json()["version"]
    verdict = {"verdict": {"verdict": "confirm", "reason": "it stays"}, "version": version}
    assert 202 == mona.post(f"queue/{item}/verdict", json=verdict).status_code
    live_api.wait(UNDO)
    decision = int(item.partition("-")[2])

    async def appealed() -> int:
        member = live_api.store.decisions.decision(decision)
        assert member is not None
        made = await live_api.live.office.appeal(live_api.community, member.member, "a mistake", decision=decision)
        return made.number

    number = live_api.run(lambda _: appealed())
    with Caller(live_api, token_of(live_api, Role.NEUTRAL)) as nell:
        seen = nell.get(f"queue/appeal-{number}")
        assert 200 == seen.status_code
        assert "mona" not in seen.text
        assert "somebody" in [step["by"] for step in seen.json()["decision"]["steps"]]
