"""The pages of the rules say what the rules are."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from comity.charter_file import parse_charter
from comity.features.registry import FEATURES
from comity.language import FIELDS
from comity.rules import built_in

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "rules"
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])


def script(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the script that writes the pages."""
    command = [sys.executable, ROOT / "tools" / "rule_pages.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_every_page_is_what_the_script_writes(tmp_path: Path) -> None:
    """Who changes a rule changes its page too; a page that differs, is missing or is left over is named."""
    checked = script("--check")
    assert checked.returncode == 0, checked.stderr

    assert script(tmp_path).returncode == 0
    (tmp_path / "flood.md").write_text("another page")
    (tmp_path / "raid.md").unlink()
    (tmp_path / "tea.md").write_text("a rule that is no more")
    again = script("--check", tmp_path)
    assert again.returncode == 1
    assert [line.split()[0].rpartition("/")[2] for line in again.stderr.splitlines()] == [
        "flood.md",
        "raid.md",
        "tea.md",
    ]


@pytest.mark.parametrize("name", built_in())
def test_the_clause_of_a_page_can_be_adopted(name: str) -> None:
    """What a page shows can be copied into a charter as it stands."""
    page = (PAGES / f"{name}.md").read_text("utf-8")
    (clause,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    charter = parse_charter(f'[charter]\ncommunity = "tea"\n\n{clause}')
    assert [c.rule for c in charter.clauses] == [name]


@pytest.mark.parametrize("name", built_in())
def test_a_page_marks_as_many_lines_as_its_rule_finds(name: str) -> None:
    """A reader sees in the examples just what is found."""
    page = (PAGES / f"{name}.md").read_text("utf-8")
    assert page.count("\nfound > ") == sum(len(e.finds) for e in built_in()[name].example)


def test_all_words_of_expressions_are_explained() -> None:
    """No field or feature is left for the reader to guess."""
    page = (PAGES / "README.md").read_text("utf-8")
    assert not [word for word in FEATURES if f"`{word}(" not in page]
    assert not [word for word in FIELDS if f"| `{word}` |" not in page]


@pytest.mark.parametrize("page", DOCS, ids=[str(p.relative_to(ROOT)) for p in DOCS])
def test_no_link_between_pages_is_broken(page: Path) -> None:
    """A link to a file finds one, and a link to a heading finds that heading."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, heading = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if heading and file.suffix == ".md":
            titles = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert heading in anchors, f"{page.name} links to {target}"
