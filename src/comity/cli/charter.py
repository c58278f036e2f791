"""``comity charter``: write and check charters; ``compare`` stands in a file of its own."""

from datetime import timedelta
from pathlib import Path

import click

from comity.charter_file import load_charter
from comity.cli.common import DEFAULT_CHARTER, json_option
from comity.cli.compare import compare
from comity.cli.printing import counted, print_json, printable
from comity.core.charter import BY_A_PERSON, Charter
from comity.core.errors import ComityError
from comity.engine import Engine

_COMMUNITY = 'community = "Our community"'


def default_charter(community: str | None) -> str:
    """The charter to begin with, of a community of that name. Raises click.UsageError if it is no name."""
    text = DEFAULT_CHARTER.read_text("utf-8")
    if community is None:
        return text
    if not community.strip() or not community.isprintable():
        raise click.UsageError("the community's name is empty or has control characters in it; expected a name")
    quoted = community.replace("\\", "\\\\").replace('"', '\\"')
    return text.replace(_COMMUNITY, f'community = "{quoted}"')


def clauses_told(charter: Charter) -> str:
    """How many clauses there are, and in which state: ``18 clauses (17 live, 1 shadow)``."""
    states = ", ".join(
        f"{n} {s}" for s in ("live", "shadow", "draft") if (n := sum(c.state == s for c in charter.clauses))
    )
    return f"{counted(len(charter.clauses), 'clause')} ({states})"


def longest_told(charter: Charter) -> str:
    """How long an automatic measure lasts at most: ``72 hours``."""
    return counted(charter.longest // timedelta(hours=1), "hour")


@click.group()
def charter() -> None:
    """Write, check and compare charters."""


@charter.command(
    epilog="""\b
Example:
  comity charter init garden.toml --community "Tea garden" """
)
@click.argument("path", type=click.Path(path_type=Path), default=Path("charter.toml"))
@click.option("--community", help="Its name.")
def init(*, path: Path, community: str | None) -> None:
    """Write a charter to begin with, in plain words. It never overwrites one."""
    text = default_charter(community)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ComityError(f"{path} exists already; name another file, or remove it first") from None
    except OSError as e:
        raise ComityError(f"{path} cannot be written: {e.strerror}") from e
    shown = printable(str(path))
    click.echo(f"{shown} is written. Change what you like, then: comity charter check {shown}")


@charter.command(
    epilog="""\b
Example:
  comity charter check garden.toml

Exit status: 0 if the charter can be adopted, 1 if not: then each mistake stands there with file, line and column."""
)
@click.argument("path", type=click.Path(path_type=Path))
@json_option
def check(*, path: Path, as_json: bool) -> None:
    """Check a charter: words, types, bounds, and what no charter can do."""
    found = load_charter(path)
    engine = Engine(found)
    if as_json:
        clauses = [{"id": c.id, "rule": c.rule, "harm": c.harm, "state": str(c.state)} for c in found.clauses]
        print_json({"digest": found.digest(), "clauses": clauses, "slow_patterns": engine.slow_patterns})
        return
    click.echo(f"{printable(str(path))}: {clauses_told(found)}; automatic measures last {longest_told(found)} at most.")
    for clause in found.clauses:
        if by_hand := [m for m in clause.measures if m in BY_A_PERSON]:
            click.echo(f"Clause {printable(clause.id)}: {', '.join(by_hand)} only ever by a person.")
    for pattern in engine.slow_patterns:
        click.echo(f"Slow: the pattern {printable(pattern)!r} is looked for message by message.")
    click.echo(f"Digest: {found.digest()}")


charter.add_command(compare)
