"""The parts stand in one direction, and a rule is one file."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import comity
from comity.rules import built_in

ROOT = Path(comity.__file__).parent
# What each part may import, besides itself. Adapters and stores see the core only, and never one another.
MAY: dict[str, set[str]] = {
    "core": set(),
    "rules": {"core"},
    "features": {"core"},
    "language": {"core", "features"},
    "engine": {"core", "features", "language"},
    "adapters": {"core"},
    "stores": {"core", "stores.contract"},
    "charter": {"core", "features", "language", "rules"},
    "turns": {"core", "features", "engine", "stores.contract"},
    "replay": {"core", "features", "engine", "turns", "stores.contract"},
    "book": {"core", "stores.contract"},
    "replayer": {"core", "features", "language", "engine", "turns", "replay", "book", "stores.contract"},
    "compare": {"core", "features", "engine", "replay", "book", "stores.contract"},
    "web": {"core", "charter", "engine", "rules", "replay", "book", "runner", "stores.contract"},
    "__main__": {"cli"},
    "settings": {"core", "charter"},
    "live": {"core", "language"},
    "runner": {"core", "charter", "features", "engine", "turns", "stores.contract", "adapters", "settings", "live"},
    "cli": {"core", "features", "language", "engine", "adapters", "stores", "charter", "replay", "book", "compare",
            "replayer", "web", "rules", "settings", "live", "runner", "stores.contract"},
}  # fmt: skip
# Modules that stand alone, by the part they belong to.
PART = {"logic": "language", "syntax": "language", "terms": "language", "charter_file": "charter",
        "backtracking": "charter", "charter_edit": "charter", "charter_clauses": "charter",
        "charter_mistakes": "charter",
        "rule_values": "charter", "toml_places": "charter", "transcript": "charter", "bands": "book",
        "settings_file": "settings", "replay_record": "replay", "replayed": "replayer",
        "importance": "compare"}  # fmt: skip


def part_of(module: str) -> str:
    """The part that a module such as ``comity.stores.sqlite`` belongs to."""
    words = module.split(".")[1:]
    if words[0:1] == ["stores"] and words[1:2] and words[1].endswith("contract"):
        return "stores.contract"
    first = words[0] if words else ""
    return PART.get(first, first)


def imports() -> Iterator[tuple[str, str]]:
    """Every import of one of our modules in another, also those within functions, as (from, to)."""
    for path in ROOT.rglob("*.py"):
        name = ".".join(("comity", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("comity."):
                for alias in node.names:
                    inner = ROOT / "/".join(node.module.split(".")[1:]) / f"{alias.name}.py"
                    yield name, f"{node.module}.{alias.name}" if inner.exists() else node.module
            elif isinstance(node, ast.Import):
                yield from ((name, a.name) for a in node.names if a.name.startswith("comity."))


def test_every_import_follows_the_line() -> None:
    """No part imports one that stands after it."""
    wrong = []
    for source, target in imports():
        a, b = part_of(source), part_of(target)
        if a not in {b, "stores.contract"} and b not in MAY.get(a, {"a part that is not named in this test"}):
            wrong.append(f"{source} imports {target}")

    assert wrong == []


def test_the_contract_of_stores_sees_the_core_only() -> None:
    """Whoever works with stores knows what they promise, and none of them."""
    of_contracts = {(a, part_of(b)) for a, b in imports() if part_of(a) == "stores.contract"}
    assert {"core"} == {b for _, b in of_contracts} - {"stores.contract"}
    assert ("comity.stores.contract", "stores.contract") not in of_contracts  # it stands first


def test_no_two_modules_import_each_other() -> None:
    """There is no ring of imports, however long, not even by imports within functions."""
    graph: dict[str, set[str]] = {}
    for a, b in imports():
        # The commands name the group they belong to when they print its completion: that one ring is click's own shape.
        if (a, b) != ("comity.cli.completion", "comity.cli"):
            graph.setdefault(a, set()).add(b)
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way, module))
        if module not in done:
            for other in sorted(graph.get(module, ())):
                visit(other, (*way, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


@pytest.mark.parametrize(
    "forbidden", ["socket", "requests", "urllib.request", "http.client", "random", "logging", "time"]
)
def test_the_core_has_no_effects(forbidden: str) -> None:
    """No clock, network, chance or log in what decides."""
    for path in [*(ROOT / "core").rglob("*.py"), *(ROOT / "features").rglob("*.py"), ROOT / "engine.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert forbidden not in {a.name for a in node.names}, path
            elif isinstance(node, ast.ImportFrom):
                assert node.module != forbidden, path


def test_a_rule_is_one_file() -> None:
    """The rules are just the TOML files of one folder, and no line of code names one."""
    files = {p.stem for p in (ROOT / "rules").glob("*.toml")}
    named = [
        (path.name, rule)
        for path in ROOT.rglob("*.py")
        for rule in files
        if f'"{rule}"' in path.read_text("utf-8")
    ]  # fmt: skip

    assert files == set(built_in())
    assert named == []
