"""What commands print: figures and words for people, JSON for machines; nothing that could steer a terminal."""

import re
import sys
from typing import Any

import click
import msgspec


def print_json(value: Any) -> None:  # noqa: ANN401  whatever msgspec can write
    r"""One JSON value, indented for those who look; what does not print is escaped (``\u202e``), as JSON allows."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    click.echo(re.sub(r"[^\n\x20-\x7e]", _escaped, text))


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character.isprintable():
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))


def printable(text: str) -> str:
    """A text from a chat, safe to print on a terminal: no control characters, no direction overrides."""
    return "".join(c if c.isprintable() else "�" for c in text)


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


def points(thousandths: int) -> str:
    """A standing for people, one decimal, rounded down so that no line seems reached that is not."""
    return f"{thousandths // 1000}.{thousandths % 1000 // 100}"


def signed(thousandths: int) -> str:
    """Points of a sum, three decimals and a sign."""
    sign = "−" if thousandths < 0 else "+"
    whole, rest = divmod(abs(thousandths), 1000)
    return f"{sign}{whole}.{rest:03}"


def counted(number: int, what: str, many: str = "") -> str:
    """``1 message``, ``2 messages``, ``1,000 communities``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {many or what + 's'}"
