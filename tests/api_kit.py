"""The API for tests: a live community with its office, tokens for who asks, and a client that sends them.

PYTEST_DONT_REWRITE: the tests import this before pytest loads it as a plugin, so its assertions bring their own words.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from comity.core.access import Role, Scope
from comity.stores.access_contract import TokenRow
from comity.web.site import sessions
from house_kit import HouseServed
from office_kit import HINT, MEMBERS, OTHER, TRAP, House

pytest_plugins = ["house_kit"]
ALL = frozenset(Scope)


def token_of(served: HouseServed, role: Role, scopes: frozenset[Scope] = ALL) -> str:
    """A new token of who has this role, for a day."""
    secret = f"comity_{sessions.new_secret()}"
    at = sessions.millis(served.now())
    until = at + sessions.span(dt.timedelta(days=1))
    row = TokenRow(
        0, sessions.hashed(secret), served.people[role], served.community, "test", scopes, at, until, 0
    )  # fmt: skip
    served.do(lambda s: s.access.add_token(row))
    return secret


class Caller(httpx.Client):
    """Calls the API by a token; a path that begins with no slash is one of the community's."""

    def __init__(self, served: HouseServed, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        super().__init__(base_url=served.url, headers=headers, timeout=10)
        self._community = f"/api/v1/communities/{served.community}/"

    def request(self, method: str, url: httpx.URL | str, **how: Any) -> httpx.Response:  # noqa: ANN401  what httpx takes
        """See ``httpx.Client.request``."""
        path = str(url)
        return super().request(method, path if path.startswith("/") else self._community + path, **how)


@pytest.fixture(scope="module")
def live_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HouseServed]:
    """A live community: two set traps, one advertised, and one was reported."""
    site = HouseServed(tmp_path_factory.mktemp("api"))
    site.start()

    async def begin(live: House) -> None:
        for member in MEMBERS:
            live.number(member)
        await live.say(MEMBERS[0], TRAP)
        await live.say(MEMBERS[1], TRAP)
        await live.say(MEMBERS[2], HINT)
        await live.office.report(
            site.community, live.number(OTHER), member=live.number(MEMBERS[3]), harm="", text="tea spilled"
        )

    site.run(begin)
    yield site
    site.stop()
    assert not site.errors, "\n".join(str(e["told"]) for e in site.errors)


@pytest.fixture
def mona(live_api: HouseServed) -> Iterator[Caller]:
    """The moderator, by a token that may do all she may."""
    with Caller(live_api, token_of(live_api, Role.MODERATOR)) as client:
        yield client


@pytest.fixture
def olive(live_api: HouseServed) -> Iterator[Caller]:
    """The operator, by a token that may do all she may."""
    with Caller(live_api, token_of(live_api, Role.OPERATOR)) as client:
        yield client
