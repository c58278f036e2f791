"""What commands share: options, progress, the charter, the store and the inputs they work on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Protocol

import click

from comity.cli.printing import printable
from comity.core.charter import Charter
from comity.core.errors import ComityError
from comity.core.place import Place, is_address

DEFAULT_STORE: Final = Path("comity.sqlite")
DEFAULT_CHARTER: Final = Path(__file__).parent.parent / "data" / "charter.toml"
EPOCH: Final = date(1970, 1, 1)


def store_place(value: str) -> Place:
    """Where a store is, as a command was told: the address of a database as it is, else a file's path."""
    return value if is_address(value) else Path(value)


store_option = click.option(
    "--store",
    type=store_place,
    metavar="PLACE",
    default=str(DEFAULT_STORE),
    show_default=True,
    help="The ledger's file, or postgresql://USER@HOST/DATABASE.",
)
charter_option = click.option(
    "--charter",
    "charter_path",
    type=click.Path(path_type=Path),
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


def the_ledger(store: Place) -> Place:
    """A store that commands other than ``rate`` work on. Raises click.UsageError if its file is not there."""
    if isinstance(store, Path) and not store.exists():
        raise click.UsageError(f"there is no ledger at {printable(str(store))}; rate a chat first, or name --store")
    return store


def make_folder(file: Path) -> None:
    """The folder that a file is to lie in, new where needed. Raises ComityError if the file cannot be there."""
    if file.is_dir():
        raise ComityError(f"{file} is a directory: name a file in it")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise ComityError(f"{file}: its folder cannot be made: {e.strerror}") from e


def now() -> int:
    """Milliseconds since 1970."""
    return round(datetime.now(UTC).timestamp() * 1000)


def today(charter: Charter) -> int:
    """Days since 1970 on the charter's wall clock."""
    return (datetime.now(charter.zone).date() - EPOCH).days


@contextmanager
def told_in_json(total: int) -> Iterator[Step]:
    """How far it is, for a program that waits: a line of JSON for each step, with bytes read and events rated."""
    read = events = 0

    def step(more: int, rated: int, /) -> None:
        nonlocal read, events
        read, events = read + more, events + rated
        click.echo(f'{{"read": {read}, "of": {total}, "events": {events}}}', err=True)

    yield step


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
