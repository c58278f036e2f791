"""The site for tests: a real server on loopback over a real store with the example community, and who looks at it.

A test file says ``pytest_plugins = ["site_kit"]`` and, for pages in a browser, ``pytestmark = NEEDS_CHROMIUM``.

PYTEST_DONT_REWRITE: the tests import this before pytest loads it as a plugin, so its assertions bring their own words.
"""

import asyncio
import datetime as dt
import shutil
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar, cast

import httpx
import pytest
import structlog
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner
from playwright.sync_api import Browser, ConsoleMessage, Page

from comity.cli import comity
from comity.core.access import STAFF, Role
from comity.core.member_link import KEY, member_link
from comity.live.app import State, app
from comity.live.listen import listen
from comity.live.metrics import Metrics
from comity.runner.office import Office
from comity.stores.sqlite import SqliteStore
from comity.web.site import sessions
from comity.web.site.app import routes
from comity.web.site.gate import Page as SitePage
from comity.web.site.openid import Provider
from comity.web.site.readers import Readers
from comity.web.site.shared import Site
from report_visit import NEEDS_CHROMIUM as NEEDS_CHROMIUM  # noqa: PLC0414  from here, with the rest of the kit

pytest_plugins = ["report_visit"]  # its ``browser``

GARDEN: Final = Path(__file__).parents[1] / "examples" / "tea-garden"
NAMES: Final = {Role.OPERATOR: "olive", Role.MODERATOR: "mona", Role.NEUTRAL: "nell", Role.AUDITOR: "ada"}
PHONE: Final[Any] = {"width": 390, "height": 844}
DESK: Final[Any] = {"width": 1280, "height": 900}
AXE: Final = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
T = TypeVar("T")


class Served:
    """A site that is being served.

    url: where; path: the store; community: the example's number; people: its staff, by role; member: the number of a
    member with findings; pseudonym: what she goes by; shift: how far the site's clock is ahead of the real one.
    """

    def __init__(
        self, path: Path, pages: dict[str, SitePage] | None, office: Callable[[SqliteStore], Office] | None
    ) -> None:
        self.shift = dt.timedelta()
        self.path, self._pages, self._office = path, pages, office
        self._ready = threading.Event()
        self._line = listen("127.0.0.1", 0)  # not ``create_server``: asyncio lets its connections wait for each other
        self.url = f"http://localhost:{self._line.getsockname()[1]}"
        self.provider: Provider | None = None
        self._failed: BaseException | None = None
        self.errors: list[structlog.typing.EventDict] = []
        self._thread = threading.Thread(target=self._run, name="site", daemon=True)

    def now(self) -> dt.datetime:
        """The site's clock."""
        return dt.datetime.now(dt.UTC) + self.shift

    def start(self) -> None:
        """Serve."""
        self._thread.start()
        assert self._ready.wait(20), "the site does not come up"
        if self._failed:
            raise self._failed

    def stop(self) -> None:
        """Stop, and wait until it is over."""
        self.loop.call_soon_threadsafe(self._end)
        self._thread.join(20)
        assert not self._thread.is_alive(), "the site does not end"

    def do(self, deed: Callable[[SqliteStore], T]) -> T:
        """Do something with the store, where the site itself does it: in its loop."""

        async def done() -> T:
            return deed(self.store)

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(20)

    def publish(self, topic: str, about: str = "") -> None:
        """Say that something changed in the community."""

        async def said() -> None:
            self.site.live.publish(self.community, topic, about)

        asyncio.run_coroutine_threadsafe(said(), self.loop).result(20)

    def session(self, role: Role) -> str:
        """A new session of who has this role; the cookie's value."""
        if role is Role.MEMBER:
            return self.do(
                lambda s: sessions.opened(s.access, self.now(), how="link", label="test", member=self.member)
            )
        person = self.people[role]
        return self.do(lambda s: sessions.opened(s.access, self.now(), how="passkey", label="test", person=person))

    def cookie(self, role: Role) -> str:
        """The cookie's name for this role."""
        return "comity-me" if role is Role.MEMBER else "comity-staff"

    def client(self, role: Role | None = None) -> "Client":
        """A client without a browser, signed in as this role if one is named."""
        return Client(self, role)

    def link(self) -> str:
        """The path of a link for the member."""
        generation = self.do(lambda s: s.access.generation(self.member))
        key = self.do(lambda s: s.access.key(KEY))
        return member_link(key, self.community, self.pseudonym, self.now(), generation=generation)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  it is raised where the test waits
            self._failed = error
            self._ready.set()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        with (
            SqliteStore.open(self.path, durable=False) as self.store,
            Readers(lambda: SqliteStore.open(self.path, durable=False, read_only=True)) as readers,
        ):
            self._people()
            await self._answer(readers, self._office(self.store) if self._office else None)

    async def _answer(self, readers: Readers, office: Office | None) -> None:
        """Answer requests until it is to stop."""
        state = State(Metrics(), list)

        def end() -> None:
            state.stopping = server.should_exit = True

        self._end = end
        self.site = Site(
            url=self.url,
            store=self.store,
            readers=readers,
            log=structlog.wrap_logger(None, processors=[self._noted]),
            office=office,
            provider=self.provider,
            now=self.now,
        )
        made = routes(self.site, self._pages) if self._pages else routes(self.site)
        config = uvicorn.Config(
            app(state, made),
            lifespan="off",
            ws="none",
            log_config=None,
            timeout_graceful_shutdown=3,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[self._line]))
        while not server.started and not serving.done():  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        self._ready.set()
        await serving

    def _noted(self, _logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """Keep what the site logs as an error; the test that provokes one takes it out again."""
        if method in {"error", "critical"}:
            error = event.get("exc_info")
            self.errors.append({**event, "told": "".join(traceback.format_exception(error)) if error else ""})
        raise structlog.DropEvent

    def _people(self) -> None:
        self._staff()
        salma = self.store.members_named("salma")[0]
        self.member, self.pseudonym = salma.number, salma.pseudonym

    def _staff(self) -> None:
        """Let there be somebody of each role."""
        access = self.store.access
        self.community = next(iter(access.communities()))
        self.people: dict[Role, int] = {}
        millis = sessions.millis(self.now())
        for role in STAFF:
            person = access.add_person(NAMES[role], "test", millis)
            assert isinstance(person, int)
            access.grant(person, self.community, role, "test", millis)
            self.people[role] = person


class Client(httpx.Client):
    """Asks as a browser would that has no scripts: it keeps cookies and says where a form is from."""

    def __init__(self, served: Served, role: Role | None) -> None:
        super().__init__(base_url=served.url, follow_redirects=False, timeout=10)
        self.secret = served.session(role) if role else ""
        if role:
            self.cookies.set(served.cookie(role), self.secret, domain="localhost.local")

    def send_form(self, path: str, **fields: str) -> httpx.Response:
        """Send a form as a page of the site would, with its proof."""
        proof = {"csrf": sessions.csrf(self.secret)} if self.secret else {}
        return self.post(path, data=proof | fields, headers={"Origin": str(self.base_url).rstrip("/")})


class Serving(Protocol):
    """Starts a site; pages: instead of the real ones; office: makes what acts."""

    def __call__(
        self,
        *,
        pages: dict[str, SitePage] | None = None,
        office: Callable[[SqliteStore], Office] | None = None,
        provider: Callable[[str], Provider] | None = None,
    ) -> Served:
        """Start it."""
        ...


class Visiting(Protocol):
    """Opens a page in Chromium as somebody."""

    def __call__(self, path: str, role: Role | None = None, **context: object) -> Page:
        """Open it; context: what Playwright's ``new_context`` takes."""
        ...


@pytest.fixture(scope="session")
def garden_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the example community, to be copied."""
    path = tmp_path_factory.mktemp("garden") / "garden.sqlite"
    rated = CliRunner().invoke(comity, ["rate", str(GARDEN / "chat.ndjson"), "--store", str(path), "--quiet"])
    assert rated.exit_code == 0, rated.output
    return path


@pytest.fixture
def serve(garden_store: Path, tmp_path: Path) -> Iterator[Serving]:
    """Starts sites, each over a copy of the example's store, and stops them."""
    started: list[Served] = []

    def start(
        *,
        pages: dict[str, SitePage] | None = None,
        office: Callable[[SqliteStore], Office] | None = None,
        provider: Callable[[str], Provider] | None = None,
    ) -> Served:
        path = tmp_path / f"site-{len(started)}.sqlite"
        shutil.copy(garden_store, path)
        served = Served(path, pages, office)
        served.provider = provider(served.url) if provider else None
        served.start()
        started.append(served)
        return served

    yield start
    for served in started:
        served.stop()
        assert not served.errors, "\n".join(str(e["told"]) for e in served.errors)


@pytest.fixture
def served(serve: Serving) -> Served:
    """The site with its real pages."""
    return serve()


@pytest.fixture
def visit_site(browser: Browser, served: Served) -> Iterator[Visiting]:
    """Opens pages of ``served``, and afterwards holds every visit to: nothing from elsewhere, no error, no dialog."""
    pages: list[Page] = []
    complaints: list[str] = []
    elsewhere: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            complaints.append(message.text)

    def asked(url: str) -> None:
        if not url.startswith((served.url, "data:")):
            elsewhere.append(url)

    def open_(path: str, role: Role | None = None, **context: object) -> Page:
        settings: dict[str, object] = {"viewport": DESK, "locale": "en", "base_url": served.url} | context
        here = browser.new_context(**cast("Any", settings))
        if role is not None:
            here.add_cookies([{"name": served.cookie(role), "value": served.session(role), "url": served.url}])
        page = here.new_page()
        page.set_default_timeout(5_000)
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda request: asked(request.url))
        page.goto(path)
        pages.append(page)
        return page

    yield open_
    for page in pages:
        page.context.close()
    assert [] == elsewhere, elsewhere
    assert [] == complaints, complaints


def at_phone(page: Page) -> Page:
    """The page on a telephone; it must fit: nothing sticks out to the side."""
    page.set_viewport_size(PHONE)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"], f"{page.url} is {wide} pixels wide on a telephone of {PHONE['width']}"
    return page


def axe_clean(page: Page) -> None:
    """Hold the page to WCAG 2.2 AA as far as axe can tell, in light and in dark colours."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=cast("Any", scheme), reduced_motion="reduce")
        found = Axe().run(page, options=cast("Any", AXE))
        assert found.violations_count == 0, f"{page.url}, {scheme}: {found.generate_report()}"
    page.emulate_media(color_scheme="light")


def pictures(page: Page, folder: Path, name: str) -> list[Path]:
    """The page as four pictures: desk and telephone, light and dark."""
    made = []
    for where, size in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=cast("Any", scheme), reduced_motion="reduce")
            made.append(folder / f"{name}-{where}-{scheme}.png")
            page.screenshot(path=made[-1], full_page=True)
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
    return made
