"""The API's description: whole, true, and held against the real server by requests of every kind."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import hypothesis
import pytest
import schemathesis
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from api_kit import token_of
from comity.core.access import Role
from comity.web.api import calls, openapi
from comity.web.site.table import TABLE, Refusal
from house_kit import HouseServed
from site_kit import at_phone, axe_clean

pytest_plugins = ["api_kit"]
EACH: Final = 12  # requests of a kind to an operation
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
]


@pytest.fixture
def token(live_api: HouseServed, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of somebody who is everything, so that every operation can be reached."""
    monkeypatch.setattr(live_api.site.limits, "wait", lambda *_asked, **_by: 0.0)  # as often as one likes
    for role in (Role.OPERATOR, Role.AUDITOR):
        live_api.do(lambda s, r=role: s.access.grant(live_api.people[Role.MODERATOR], live_api.community, r, "test", 1))  # type: ignore[misc]
    return token_of(live_api, Role.MODERATOR)


def test_every_route_of_the_api_is_described() -> None:
    """By the path and method of the table, with what it takes and gives; one without a call cannot be described."""
    described = openapi.described(calls.CALLS)
    told = {(path, method.upper()) for path, methods in described["paths"].items() for method in methods}
    routes = {
        (entry.path.replace(":int", ""), entry.methods[0])
        for entry in TABLE
        if entry.api and entry.refusal is not Refusal.NONE
    }

    assert routes == told
    for methods in described["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["description"]
            assert operation["security"]
            good = next(answer for status, answer in operation["responses"].items() if status < "300")
            assert "content" in good or "204" in operation["responses"]
    with pytest.raises(KeyError, match="api-queue"):
        openapi.described({name: call for name, call in calls.CALLS.items() if name != "api-queue"})


def test_no_reference_leads_nowhere(live_api: HouseServed) -> None:
    """What is served is JSON whose every component is there."""
    with live_api.client() as client:
        described = client.get("/api/v1/openapi.json").json()

    def references(part: object) -> Iterator[str]:
        if isinstance(part, dict):
            yield from [part["$ref"]] if "$ref" in part else []
            yield from (r for value in part.values() for r in references(value))
        elif isinstance(part, list):
            yield from (r for value in part for r in references(value))

    there = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert set(references(described)) <= there
    assert "3.1.0" == described["openapi"]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
def test_the_server_is_as_it_is_described(live_api: HouseServed, token: str, mode: GenerationMode) -> None:
    """Requests as described, and requests that are not: no error of ours, no answer that the description has not.

    What is wrong is refused, and so is whoever has no token. The same requests in every run.
    """
    with live_api.client(Role.MEMBER) as member:
        proof = {"X-CSRF": member.get("/api/v1/me").json()["csrf"], "Origin": live_api.url}
        cookie = {live_api.cookie(Role.MEMBER): member.secret}
    schema = schemathesis.openapi.from_dict(openapi.described(calls.CALLS))
    schema.config.update(base_url=live_api.url)
    settings = hypothesis.settings(
        max_examples=EACH,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )

    statuses: Counter[int] = Counter()

    def ask(case: Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE and "community" in case.path_parameters:
            case.path_parameters["community"] = live_api.community
        if "/me" in case.operation.path:
            checks = [check for check in CHECKS if check not in {ignored_auth, negative_data_rejection}]
            answer = case.call_and_validate(checks=checks, headers=proof, cookies=cookie)
        else:
            answer = case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})
        statuses[answer.status_code] += 1

    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        settings(hypothesis.given(case=result.ok().as_strategy(generation_mode=mode))(ask))()
    assert statuses[200] > EACH if mode is GenerationMode.POSITIVE else statuses[400] + statuses[422] > EACH, statuses


def test_the_description_can_be_read(live_api: HouseServed, browser: Any) -> None:  # noqa: ANN401
    """As a page without scripts of others, for everybody, also on a telephone."""
    page = browser.new_page(base_url=live_api.url)
    page.goto("/api/v1/docs")
    page.locator("#call-decide summary").click()
    assert page.get_by_text("the version of the case").or_(page.locator("#call-decide table")).first.is_visible()
    axe_clean(page)
    at_phone(page)
    page.close()
