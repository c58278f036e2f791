"""The site over a live community with its office: what pages do is really done, at a false homeserver.

A test file says ``pytest_plugins = ["house_kit"]`` and has a fixture ``served`` that is ``housed``: then ``visit_site``
visits that one.

PYTEST_DONT_REWRITE: the tests import this before pytest loads it as a plugin, so its assertions bring their own words.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from comity.core.access import Role
from comity.stores.sqlite import SqliteStore
from comity.web.site import sessions
from comity.web.site.readers import Readers
from fake_homeserver import FakeHomeserver
from office_kit import MEMBERS, House, house
from site_kit import Client, Served

pytest_plugins = ["site_kit"]
T = TypeVar("T")


class HouseServed(Served):
    """A site with an office.

    live: the community that is looked after; member: the first of its members; review, more, durable, recorded: what
    ``house`` takes.
    """

    live: House
    review = True
    more = ""
    durable = False
    recorded = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "comity.sqlite", None, None)
        self._folder = folder

    def now(self) -> dt.datetime:
        """The site's clock, which is the office's."""
        later = self.live.later if hasattr(self, "live") else 0
        return super().now() + dt.timedelta(milliseconds=later)

    def run(self, work: Callable[[House], Coroutine[Any, Any, T]]) -> T:
        """Do something with the community, in its loop."""
        return asyncio.run_coroutine_threadsafe(work(self.live), self.loop).result(20)

    def wait(self, milliseconds: int) -> None:
        """Let time go by."""

        async def later(live: House) -> None:
            live.wait(milliseconds)

        self.run(later)

    def hire(self, name: str, role: Role = Role.MODERATOR, *, member: int = 0) -> Client:
        """One more of the staff, with a client; member: who is the same person."""

        def hired(store: SqliteStore) -> str:
            at = sessions.millis(self.now())
            person = store.access.add_person(name, "test", at)
            assert isinstance(person, int)
            store.access.grant(person, self.community, role, "test", at)
            if member:
                store.access.name_member(person, member, "test", at)
            return sessions.opened(store.access, self.now(), how="passkey", label="test", person=person)

        secret = self.do(hired)
        client = Client(self, None)
        client.secret = secret
        client.cookies.set(self.cookie(role), secret, domain="localhost.local")
        return client

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        fake = FakeHomeserver()
        await fake.start()
        try:
            async with house(
                self._folder,
                fake,
                review=self.review,
                more=self.more,
                durable=self.durable,
                recorded=self.recorded,
            ) as self.live:
                self.store = self.live.store
                with Readers(lambda: SqliteStore.open(self.path, durable=False, read_only=True)) as readers:
                    self._staff()
                    self.member = self.live.number(MEMBERS[0])
                    row = self.store.member(self.member)
                    self.pseudonym = row.pseudonym if row else ""
                    await self._answer(readers, self.live.office)
        finally:
            await fake.stop()


@pytest.fixture
def housed(tmp_path: Path) -> Iterator[HouseServed]:
    """A site with an office."""
    site = HouseServed(tmp_path)
    site.start()
    yield site
    site.stop()
    assert not site.errors, "\n".join(str(e["told"]) for e in site.errors)
