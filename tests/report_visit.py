"""Opening a report in Chromium, and what every visit must keep: no request, no error, no dialog.

PYTEST_DONT_REWRITE: the tests import this before pytest loads it as a plugin, so its assertions bring their own words.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, cast

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from comity.web.report import write_report
from comity.web.report_data import Report
from report_fixture import garden

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: tools/chromium.py installs it where it may"),
]
GARDEN = garden()
DARIO = next(person for person in GARDEN.people if person.entries)  # others share the name, with figures behind
QUIET = next(person for person in GARDEN.people if not person.entries)


class Visit(Protocol):
    """Opens a report, the garden if none is named, at an address in it, in a browser set up as asked."""

    def __call__(self, report: Report = GARDEN, *, at: str = "", **context: object) -> Page:
        """Open it; context: what Playwright's ``new_context`` takes."""
        ...


@pytest.fixture(scope="module")  # no longer: while it runs, no other test could start an event loop
def browser() -> Iterator[Browser]:
    """Chromium, once for all tests of a file."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Report], Path]:
    """Writes a report once, however many tests open it."""
    written: dict[int, tuple[Report, Path]] = {}

    def file(report: Report) -> Path:
        if id(report) not in written:
            path = tmp_path_factory.mktemp("report") / "report.html"
            write_report(report, path)
            written[id(report)] = (report, path)
        return written[id(report)][1]

    return file


@pytest.fixture
def visit(browser: Browser, files: Callable[[Report], Path]) -> Iterator[Visit]:
    """Opens a report, and afterwards holds it to what every visit must keep: no request, no error, no dialog."""
    pages: list[Page] = []
    requests: list[str] = []
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def open_(report: Report = GARDEN, *, at: str = "", **context: object) -> Page:
        page = browser.new_context(**cast("Any", context)).new_page()
        page.set_default_timeout(5_000)
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(files(report).as_uri() + at)
        pages.append(page)
        return page

    yield open_
    for page in pages:
        page.context.close()
    assert all(url.startswith("file://") and url.split("#")[0].endswith("/report.html") for url in requests), requests
    assert [] == complaints, complaints
