"""``comity rules``: what there is to build a charter from."""

import click

from comity.cli.common import json_option
from comity.cli.printing import print_json, printable, table
from comity.core.harm import HARMS
from comity.features.registry import FEATURES
from comity.language import FIELDS
from comity.rules import Rule, built_in

_FEW = 3  # texts of a list that are shown


@click.command(
    epilog="""\b
Examples:
  comity rules            all built-in rules
  comity rules flood      one of them, with its parameters and examples
  comity rules --harms    the published harms
  comity rules --features what an expression can look at"""
)
@click.argument("name", required=False)
@click.option("--harms", is_flag=True, help="Show the harms a clause can name.")
@click.option("--features", is_flag=True, help="Show what a `when` expression can look at.")
@json_option
def rules(*, name: str | None, harms: bool, features: bool, as_json: bool) -> None:
    """Show the built-in rules, the harms, and what an expression can look at."""
    if harms:
        rows = [[h.id, h.title, h.matrix, h.category] for h in HARMS.values()]
        _show("Harms", ["harm", "title", "MSC4456", "DSA category"], rows, as_json=as_json)
    elif features:
        fields = [[n, "field", _short(t)] for n, t in FIELDS.items()]
        calls = [[f"{f.name}({', '.join(f.parameters)})", _short(f.returns), f.doc] for f in FEATURES.values()]
        _show("What an expression can look at", ["word", "is", "meaning"], [*fields, *calls], as_json=as_json)
    elif name is not None:
        _one(_find(name), as_json=as_json)
    else:
        rows = [[r.name, r.harm, _sentence(r)] for r in built_in().values()]
        _show("Built-in rules", ["rule", "harm", "finds"], rows, as_json=as_json)


def _short(type_: str) -> str:
    """A type without its examples."""
    return str(type_).split(" such")[0].split(" (")[0]


def _find(name: str) -> Rule:
    known = built_in()
    if name not in known:
        from comity.language import nearest  # noqa: PLC0415  only for a mistake

        raise click.UsageError(f"there is no rule {printable(name)!r}; expected {nearest(name, list(known))}")
    return known[name]


def _sentence(rule: Rule) -> str:
    return rule.sentence.format(**{k: s.default for k, s in rule.parameters.items()})


def _show(title: str, columns: list[str], rows: list[list[str]], *, as_json: bool) -> None:
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        table(title, columns, rows)


def _one(rule: Rule, *, as_json: bool) -> None:
    if as_json:
        print_json(rule)
        return
    click.echo(f"{rule.name}: {rule.title} ({rule.harm}, {HARMS[rule.harm].title})\n\n{rule.about}\n")
    click.echo(f"Finds: {_sentence(rule)}\n  when {' '.join(rule.when.split())}\n")
    for name, spec in rule.parameters.items():
        bounds = ", ".join(f"{w} {b}" for w, b in (("least", spec.least), ("most", spec.most)) if b is not None)
        value = spec.default
        if isinstance(value, list) and len(value) > _FEW:
            value = f"{len(value)} texts"
        told = (f"{value} {spec.unit}".strip(), f"({bounds})" if bounds else "", spec.doc)
        click.echo(f"  {name} = {'  '.join(part for part in told if part)}")
    for example in rule.example:
        given = ", ".join(f"{k} = {v}" for k, v in example.parameters.items())
        click.echo("\nExample" + (f" with {given}" if given else "") + ":")
        for line in example.chat.strip().splitlines():
            clock, _, rest = line.strip().partition(" ")
            said = rest.partition(" ")[2].strip()
            found = any(f.startswith(clock) and f.split(": ")[-1] in said for f in example.finds)
            click.echo(f"  {'found ' if found else '      '} {line.strip()}")
