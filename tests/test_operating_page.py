"""The page for operators names every setting, metric and command there is, and none that is not."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from comity import settings_file
from comity.cli.init import init
from comity.live.commands import COMMANDS, usage
from comity.live.metrics import Metrics
from comity.settings_file import DEFAULT_BIND

PAGE = (Path(__file__).parents[1] / "docs" / "operating.md").read_text()


def first_cells(heading: str) -> list[str]:
    """What stands in code in the first column of the tables of a section."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    return [word for row in rows if not row.startswith("**") for word in re.findall(r"`([^`]+)`", row)]


def test_every_setting_is_on_the_page() -> None:
    """The table has the words that are read, with the default that is taken."""
    tables = ("_SERVER", "_SIGN_IN", "_LOG", "_MATRIX", "_COMMUNITY", "_LIST", "_RECORD", "_RECORDED")
    known = {"store", "dry_run", *(word for t in tables for word in getattr(settings_file, t))}

    assert known == set(first_cells("Settings"))
    assert DEFAULT_BIND in PAGE


def test_every_metric_is_on_the_page() -> None:
    """By the name that Prometheus shows."""
    families = list(text_string_to_metric_families(Metrics().text()[0].decode()))
    shown = {f.name + ("_total" if f.type == "counter" else "") for f in families if f.name.startswith("comity_")}

    shown = {name for name in shown if not name.endswith("_created")}  # since when a counter counts
    assert shown == set(first_cells("Metrics")) - {"process_..."}


def test_every_command_is_on_the_page() -> None:
    """With what follows it."""
    page = {cell for cell in first_cells("Commands in a chat") if cell.startswith("!")}

    assert {usage(name).replace("on|off", "on") for name in COMMANDS} == page


def test_the_page_uses_options_that_are_there() -> None:
    """Whoever copies a line of the page gets no error about an option."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).replace("\\\n", " ")
    used = {
        o
        for line in blocks.splitlines()
        if " init" in line
        for o in re.findall(r" (--[a-z-]+)", line.partition(" init")[2])
    }
    known = {option for parameter in init.params for option in parameter.opts}

    assert used
    assert used <= known
