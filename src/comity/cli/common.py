"""What commands share: options, progress, tables, the charter and the store they work on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import click
import msgspec

from comity.core.charter import Charter

DEFAULT_STORE = Path("comity.sqlite")
DEFAULT_CHARTER = Path(__file__).parent.parent / "data" / "charter.toml"

store_option = click.option(
    "--store",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_STORE,
    show_default=True,
    help="The ledger's file.",
)
charter_option = click.option(
    "--charter",
    "charter_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The community's charter; without it, charter.toml beside the export, else the default charter.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")


class Step(Protocol):
    """Tell that work has gone on: bytes read, and events rated."""

    def __call__(self, read: int, events: int, /) -> None:
        """Go on."""


def the_charter(path: Path | None, beside: Path | None = None) -> tuple[Charter, Path]:
    """The charter that was named, else the one beside an export, else the default one. Raises CharterError."""
    from comity.charter_file import load_charter  # noqa: PLC0415  slow to import

    if path is None and beside is not None:
        folder = beside if beside.is_dir() else beside.parent
        if (folder / "charter.toml").is_file():
            path = folder / "charter.toml"
    found = path or DEFAULT_CHARTER
    return load_charter(found), found


def print_json(value: Any) -> None:  # noqa: ANN401  whatever msgspec can write
    """One JSON object, indented for those who look."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def table(title: str, columns: list[str], rows: list[list[str]], *, right: tuple[int, ...] = ()) -> None:
    """A table for people; right: positions of the columns with figures."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415  slow to import
    from rich.console import Console  # noqa: PLC0415  the same
    from rich.table import Table  # noqa: PLC0415  the same
    from rich.text import Text  # noqa: PLC0415  the same

    drawn = Table(title=title, title_justify="left", box=SIMPLE_HEAD, title_style="bold")
    for i, name in enumerate(columns):
        drawn.add_column(name, justify="right" if i in right else "left")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(drawn)


@contextmanager
def progress(total: int, *, quiet: bool) -> Iterator[Step]:
    """A bar on the terminal while bytes are read; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield lambda _read, _events: None
        return
    from rich.console import Console  # noqa: PLC0415  slow to import
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415  the same

    bar = Progress(
        TextColumn("rating"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[events]:,} events"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=max(total, 1), events=0)
        done = 0

        def step(read: int, events: int, /) -> None:
            nonlocal done
            done += events
            bar.update(task, advance=read, events=done)

        yield step


def points(thousandths: int) -> str:
    """A standing for people, one decimal, rounded down so that no line seems reached that is not."""
    return f"{thousandths // 1000}.{thousandths % 1000 // 100}"


def signed(thousandths: int) -> str:
    """Points of a sum, three decimals and a sign."""
    sign = "−" if thousandths < 0 else "+"
    whole, rest = divmod(abs(thousandths), 1000)
    return f"{sign}{whole}.{rest:03}"


def printable(text: str) -> str:
    """A text from a chat, safe to print on a terminal: no control characters, no direction overrides."""
    return "".join(c if c.isprintable() else "�" for c in text)
