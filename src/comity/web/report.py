"""The report: one HTML file without any outside reference, for people who would rather look."""

import base64
import datetime as dt
import hashlib
import os
import tempfile
import zoneinfo
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path

import jinja2
from markupsafe import Markup

from comity.web.report_data import Report
from comity.web.report_pack import pack

# One script and one style block, in this order; the page's policy allows exactly these two by their hashes.
SCRIPTS = ("dom.js", "charts.js", "overview.js", "tables.js", "member.js", "main.js")
STYLES = ("page.css", "parts.css")


def write_report(report: Report, path: Path) -> None:
    """Write the report as one HTML file, whole or not at all.

    Only its owner can read it, for it holds names and quotations.
    Raises ValueError if a member's sum does not add up, OSError if the file cannot be written; what stood at ``path``
    before then still stands there.
    """
    page = render(report).encode("utf-8", "backslashreplace")
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def render(report: Report) -> str:
    """Render the report as HTML. Raises ValueError if a member's sum does not add up or a day is no ISO date."""
    style, script = _asset(STYLES), _asset(SCRIPTS)
    head, chunks = pack(report)
    return _template().render(
        report=report,
        span=_span(report),
        most=max((harm.findings for harm in report.harms), default=0),
        harm_titles={harm.harm: harm.title for harm in report.harms},
        style=style,
        script=script,
        policy=_policy(style, script),
        head=head,
        chunks=chunks,
    )


def _policy(style: str, script: str) -> str:
    """Content security policy: the two blocks of the page itself and nothing else, from nowhere."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _hash(block: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()


@cache
def _asset(names: tuple[str, ...]) -> Markup:
    folder = resources.files("comity.web") / "report"
    texts = [(folder / name).read_text("utf-8") for name in names]
    return Markup("\n" + "\n".join(texts))  # noqa: S704 - files of this package, no input


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("comity.web", "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["whole"] = "{:,}".format
    return environment.get_template("page.html")


def _span(report: Report) -> str:
    """The report's days in words, in the charter's time zone; in UTC, and saying so, where that zone is not known."""
    if not report.first:
        return "no events"
    try:
        zone: dt.tzinfo = zoneinfo.ZoneInfo(report.time_zone)
        name = report.time_zone
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        zone, name = dt.UTC, "UTC"
    days = _unique(_day(dt.datetime.fromisoformat(at).astimezone(zone)) for at in (report.first, report.last))
    return f"{' to '.join(days)}, days in {name}"


def _unique(days: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(days))


def _day(at: dt.datetime) -> str:
    return f"{at.day} {at:%B} {at.year}"
