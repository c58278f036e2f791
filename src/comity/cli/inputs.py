"""What a command reads: exports, told apart from what only lies beside them, and what was left out of them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from comity.adapters.exports import NO_TEXT, NOT_A_CHAT, Chunk
from comity.cli.printing import counted, printable
from comity.core.event import Unread
from comity.replay import Summary

_NAMED: Final = 10  # one by one; beyond, they are counted


class Inputs:
    """Chunks of exports, without complaints about files that only lie beside a chat: pictures, lists, the charter.

    paths: what was named to be read, and so is always meant as a chat; own: files that this command reads or writes.
    """

    def __init__(self, paths: Iterable[Path], chunks: Iterable[Chunk], *, own: Iterable[Path | None] = ()) -> None:
        self._named, self._chunks = {str(p) for p in paths}, chunks
        self._own = {str(p.resolve()) for p in own if p is not None}
        self.beside: list[Unread] = []

    def __iter__(self) -> Iterator[Chunk]:
        for chunk in self._chunks:
            if chunk.unread:
                beside = [u for u in chunk.unread if self._only_beside(u)]
                self.beside += [u for u in beside if str(Path(u.path).resolve()) not in self._own]
                yield chunk._replace(unread=[u for u in chunk.unread if u not in beside])
            else:
                yield chunk

    def _only_beside(self, unread: Unread) -> bool:
        return unread.what.startswith(NO_TEXT) or (unread.what == NOT_A_CHAT and unread.path not in self._named)


def status(summary: Summary, inputs: Inputs) -> int:
    """0, or 2 if something could not be read, or if all there was is no chat."""
    nothing = not summary.events + summary.twice and bool(inputs.beside)
    return 2 if summary.unread or nothing else 0


def tell_left_out(summary: Summary, beside: Sequence[Unread]) -> None:
    """Name on standard error what was not read."""
    if beside:
        names = [printable(u.path) if u.what == NOT_A_CHAT else f"{printable(u.path)} ({u.what})" for u in beside]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        click.echo(f"passed over, for it is no chat: {', '.join(names[:_NAMED])}{more}", err=True)
    for unread in summary.named[:_NAMED]:
        where = f"{unread.path}:{unread.line}" if unread.line else unread.path
        expected = f"; expected {unread.expected}" if unread.expected else ""
        click.echo(f"not read: {printable(f'{where}: {unread.what}{expected}')}", err=True)
    if summary.unread > len(summary.named[:_NAMED]):
        click.echo(f"not read: {counted(summary.unread - len(summary.named[:_NAMED]), 'more piece')}", err=True)


def clean(path: Path | str) -> str:
    """A path as text that can be written anywhere: bytes that are no UTF-8 become ``?``."""
    return str(path).encode("utf-8", "replace").decode()


def unread_json(unread: Iterable[Unread]) -> list[dict[str, object]]:
    """What could not be read, for machines."""
    return [{"path": clean(u.path), "line": u.line, "what": u.what, "expected": u.expected} for u in unread]
