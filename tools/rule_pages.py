"""Write the pages of ``docs/rules/``: one for each built-in rule, and one of everything an expression can look at."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from comity.charter_file import load_charter
from comity.core.charter import Clause
from comity.core.event import KINDS, ROLES
from comity.core.harm import HARMS
from comity.features.registry import FEATURES, Feature, Parameter, Type
from comity.language import FIELDS
from comity.rules import Example, ParameterSpec, Rule, built_in
from comity.transcript import chat, told

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = ROOT / "docs" / "rules"
CHARTER: Final = ROOT / "src" / "comity" / "data" / "charter.toml"
NOTE: Final = "<!-- Written by tools/rule_pages.py from the rule's file: change that, then run `make docs`. -->"
_MOST_IN_A_CELL: Final = 60  # characters of a default; a longer one stands below the table
_FIELDS: Final = {
    "kind": "What kind of event it is: " + ", ".join(KINDS) + ".",
    "role": "What the member was at that moment: " + ", ".join(ROLES) + ".",
    "member": "Whose event it is.",
    "room": "Where it happened.",
    "community": "The community it happened in.",
    "name": "The name displayed then.",
    "reply_to": "The event it answers.",
    "target": "The event or member that an edit, redaction, reaction, report or role is about.",
    "mentions": "How many different members it mentions.",
    "messages_before": "How many messages the member wrote in this community before it.",
}
_TYPES: Final = {
    Type.TRUTH: "truth",
    Type.NUMBER: "number",
    Type.DURATION: "duration",
    Type.TEXT: "text",
    Type.WORDS: "list of texts",
    Type.KEY: "identifier",
    Type.KEYS: "identifiers",
    Type.KIND: "kind",
    Type.ROLE: "role",
}


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    clauses = {c.rule: c for c in load_charter(CHARTER).clauses if c.rule}
    made = {f"{rule.name}.md": rule_page(rule, clauses.get(rule.name)) for rule in built_in().values()}
    return {"README.md": index(), **made}


def index() -> str:
    """The page of all rules, fields and features."""
    rules = [[f"[{r.name}]({r.name}.md)", HARMS[r.harm].title, sentence(r)] for r in built_in().values()]
    fields = [[f"`{name}`", _TYPES[kind], _FIELDS[name]] for name, kind in FIELDS.items()]
    features = [
        [f"`{form(f)}`", _TYPES[f.returns], code(f.doc)] for f in sorted(FEATURES.values(), key=lambda f: f.name)
    ]
    harms = [[f"`{h.id}`", h.title, h.sentence, f"`{h.category}`"] for h in HARMS.values()]
    return f"""{NOTE}

# Rules

A rule is a sentence and an expression. It says what it finds, and decides nothing: what follows is in the charter's
clause that names it. [How to write a charter](../charter.md) says how the two come together.

{table(["rule", "harm", "finds, with its own figures"], rules)}

# What an expression can look at

Expressions are for those who want a rule of their own. [How to write a charter](../charter.md#your-own-rule) explains
them.

## Fields

What the event itself tells. All but `kind`, `member`, `room` and `community` may be missing: then they are unknown.

{table(["word", "is a", "meaning"], fields)}

## Features

What is worked out from the event, and from those before it. A parameter in brackets may be left out.

{table(["call", "gives a", "meaning"], features)}

- A **truth** is true, false or unknown.
- A **number** and a **duration** can be compared, with `<`, `<=`, `>`, `>=`, `==` and `!=`. A duration is written
  `'30s'`, `'10m'`, `'24h'` or `'7d'`: seconds, minutes, hours, days.
- An **identifier** names something without saying what it is: a member, a room, a text. It can be compared with `==`
  and `in`, and counted by. **Identifiers** are one of them, or several in parentheses: `per=(room, member)`.
- A **list of texts** stands in the charter, or in a file beside it.

# Harms

What a finding can be about. The list is closed. Its words are those of MSC4456, a proposal for Matrix, where each
begins with `m.`; `house` is our own. The category is what a statement of reasons names under the Digital Services Act
(DSA) of the EU.
There is no word here for an opinion or an untrue claim.

{table(["harm", "title", "what it covers", "category"], harms)}
"""


def rule_page(rule: Rule, clause: Clause | None) -> str:
    """The page of one rule. clause: of the default charter, for the text that members read."""
    harm = HARMS[rule.harm]
    published = (
        f"Published as `{harm.matrix}` (MSC4456), and in statements of reasons under the DSA as `{harm.category}`."
    )
    when = f"```python\n{rule.when.strip()}\n```"
    parts = [
        NOTE,
        f"# {rule.title}",
        f"The rule `{rule.name}` finds: **{sentence(rule)}**.",
        code(rule.about),
        f"Harm: **{harm.title}**. {harm.sentence} {published}",
        f"## When it finds\n\n{when}\n\n[Rules](README.md#what-an-expression-can-look-at) explains the words.",
    ]
    if rule.review:
        parts.insert(
            5, "What it finds never counts by itself, and a clause with it has no measures: a person looks at it."
        )
    if rule.parameters:
        parts.append(f"## Parameters\n\n{parameters(rule.parameters)}")
    parts.append("## Examples\n\n" + "\n\n".join(map(example, rule.example)))
    parts.append(f"## In a charter\n\n```toml\n{in_a_charter(rule, clause)}\n```")
    return "\n\n".join(parts) + "\n"


def sentence(rule: Rule) -> str:
    """The rule's sentence with the parameters it brings."""
    return rule.sentence.format(**{name: spec.default for name, spec in rule.parameters.items()})


def parameters(specs: Mapping[str, ParameterSpec]) -> str:
    """A table of parameters, and below it the defaults that are too long for one."""
    rows, long = [], []
    for name, spec in specs.items():
        shown = f"`{toml(spec.default)}`"
        if len(shown) > _MOST_IN_A_CELL:
            texts = spec.default if isinstance(spec.default, list) else [str(spec.default)]
            long.append(f"The default of `{name}`:\n\n```text\n" + "\n".join(texts) + "\n```")
            shown = f"{len(texts)} texts, below" if isinstance(spec.default, list) else "a pattern, below"
        low, high = spec.least, spec.most
        bounds = " ".join([f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None))
        rows.append([f"`{name}`", shown, spec.unit, bounds.replace(" at most", ", at most"), code(spec.doc)])
    return "\n\n".join([table(["name", "default", "unit", "bounds", "meaning"], rows), *long])


def example(one: Example) -> str:
    """A chat, line by line, with those marked that are found."""
    events, left = chat(one.chat), list(one.finds)
    lines = []
    for event, line in zip(events, filter(None, map(str.strip, one.chat.splitlines())), strict=True):
        found = told(event) in left
        if found:
            left.remove(told(event))
        lines.append(f"{'found >' if found else '       '} {line}")
    given = ", ".join(f"`{name} = {toml(value)}`" for name, value in one.parameters.items())
    what = f"With {given}:" if given else "With its own figures:"
    return f"{what}\n\n```text\n" + "\n".join(lines) + "\n```"


def in_a_charter(rule: Rule, clause: Clause | None) -> str:
    """A clause that names the rule: that of the default charter, or one without measures."""
    lines = [
        "[[clause]]",
        f'id = "{clause.id if clause else "9.1"}"',
        f"text = {toml(clause.text if clause else rule.title + '.')}",
        f'rule = "{rule.name}"',
    ]
    shown: dict[str, Any] = {
        k: v.default for k, v in rule.parameters.items() if len(toml(v.default)) <= _MOST_IN_A_CELL
    }
    for one in rule.example[::-1]:
        shown |= {k: v for k, v in one.parameters.items() if isinstance(v, list)}
    shown = {k: v for k, v in shown.items() if v != []}
    if shown:
        lines.append("parameters = { " + ", ".join(f"{k} = {toml(v)}" for k, v in shown.items()) + " }")
    lines.append(f'severity = "{clause.severity.name.lower() if clause else "minor"}"')
    if clause and clause.measures:
        lines.append(f"measures = {toml([str(m) for m in clause.measures])}")
    if clause and clause.state != "live":
        lines.append(f'state = "{clause.state}"')
    return "\n".join(lines)


def form(feature: Feature) -> str:
    """How a feature is called."""
    return f"{feature.name}({', '.join(_argument(feature, name, p) for name, p in feature.parameters.items())})"


def _argument(feature: Feature, name: str, parameter: Parameter) -> str:
    if parameter.optional:
        return f"[{name}]"
    if parameter.default is not None:
        return f"[{name}={toml(parameter.default)}]"
    return name if name in feature.positional else f"{name}=..."


def toml(value: Any) -> str:  # noqa: ANN401  a parameter is of any type
    """A parameter's value as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case str() if "\\" in value or '"' in value:
            return f"'{value}'"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


def code(text: str) -> str:
    """Code as Markdown writes it, from a docstring's double backticks."""
    return text.replace("``", "`")


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; a bar within a cell does not end it."""
    lines = [[c.replace("|", "\\|") for c in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *lines])


def main() -> int:
    """Write the pages, or with ``--check`` name those that are not what would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is another")
    parser.add_argument("folder", nargs="?", type=Path, default=PAGES)
    args = parser.parse_args()
    made = pages()
    there = {path.name: path.read_text("utf-8") for path in args.folder.glob("*.md")}
    if args.check:
        wrong = sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
        for name in wrong:
            print(f"{args.folder / name} is not what tools/rule_pages.py writes; run `make docs`", file=sys.stderr)
        return 1 if wrong else 0
    args.folder.mkdir(parents=True, exist_ok=True)
    for name in there.keys() - made.keys():
        (args.folder / name).unlink()
    for name, page in made.items():
        (args.folder / name).write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
