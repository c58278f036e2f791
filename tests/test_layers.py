"""The line inside the core, readers that know no other, what is pure, and what a new rule touches."""

import ast
from importlib import resources
from pathlib import Path

import pytest

import comity
from comity import rules
from comity.adapters.detect import formats
from commanding import run

SOURCE = Path(comity.__file__).parent
# The line of the core: each module imports only what stands before it here.
CORE = (
    *("ids", "place", "errors", "harm", "event", "ledger"),
    *("parameters", "interval", "tables", "days", "standing", "standings", "explanation", "rights"),
    *("due_process", "charter", "charter_changes"),
    *("globs", "policy", "policy_list", "policy_preview", "following", "action"),
    *(
        "decision",
        "case",
        "decide",
        "reversal",
        "held",
        "wording",
        "statement",
        "handover",
        "carried",
        "actions_of",
        "giving_back",
    ),
    *("access", "member_link", "who", "looking", "report", "review", "templates"),
    *("appeal", "verdicts", "queue", "case_file"),
    *("merkle", "retention"),
)
PURE = ("core", "features", "engine")


def imports() -> dict[str, set[str]]:
    """Every module of the package and those it imports, also within functions; without the package's own name."""
    found: dict[str, set[str]] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        name = ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        named: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{name} imports by a relative name"
                named |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
        found[name] = {n.removeprefix("comity.") for n in named if n.startswith("comity.")}
    return {name: {n for n in named if n in found} - {name} for name, named in found.items()}


IMPORTS = imports()


def test_the_core_is_a_line() -> None:
    """Inside the core a module imports only what stands earlier in the line."""
    place = {f"core.{name}": number for number, name in enumerate(CORE)}
    modules = {module for module in IMPORTS if module.startswith("core.")}
    assert set(place) == modules
    assert [] == [(m, o) for m in modules for o in IMPORTS[m] if o != "core" and place[o] >= place[m]]


def test_a_format_knows_no_other() -> None:
    """Readers of formats share what lies below them, and none imports another."""
    readers = {kind.__module__.removeprefix("comity.") for kind in formats().values()}
    assert len(readers) == len(formats())
    assert [] == [(m, o) for m in readers for o in IMPORTS[m] if o in readers or o == "adapters.detect"]


@pytest.mark.parametrize("module", sorted(m for m in IMPORTS if m.split(".")[0] in PURE))
def test_the_core_and_what_is_pure_see_no_clock_disk_or_chance(module: str) -> None:
    """Values and the time in, values out: nothing of the core, features or engine imports what could tell otherwise."""
    file = SOURCE.joinpath(*module.split("."))
    text = (file / "__init__.py" if file.is_dir() else file.with_suffix(".py")).read_text("utf-8")
    named = {a.name for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import) for a in n.names}
    named |= {str(n.module) for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ImportFrom)}
    assert not named & {"time", "random", "secrets", "os", "socket", "logging", "sqlite3", "subprocess", "tempfile"}
    assert "datetime.now(" not in text
    assert ".today()" not in text


def test_a_rule_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule file laid beside the others is a built-in rule: listed, shown with its example, and fit for a charter."""
    for file in resources.files(rules).iterdir():
        if file.name.endswith(".toml"):
            (tmp_path / file.name).write_text(file.read_text("utf-8"), "utf-8")
    (tmp_path / "kettle.toml").write_text(
        'name = "kettle"\ntitle = "Kettle"\nharm = "house"\nsentence = "it says kettle"\n'
        "when = \"kind == 'message' and matches('kettle')\"\n"
        '[[example]]\nfinds = ["12:00:00 ana: the kettle sings"]\nchat = "12:00:00 #garden ana: the kettle sings"\n',
        "utf-8",
    )
    before = set(rules.built_in())
    assert before == {file.stem for file in SOURCE.joinpath("rules").glob("*.toml")}
    monkeypatch.setattr(resources, "files", lambda _name: tmp_path)
    rules.built_in.cache_clear()
    try:
        assert before | {"kettle"} == set(rules.built_in())
        assert "the kettle sings" in run("rules", "kettle").stdout
        charter = tmp_path / "charter.toml"
        charter.write_text(
            '[charter]\ncommunity = "Tea"\n[[clause]]\nid = "1"\ntext = "No."\nrule = "kettle"\n', "utf-8"
        )
        assert run("charter", "check", charter).exit_code == 0
    finally:
        monkeypatch.undo()
        rules.built_in.cache_clear()
