"""Exports of chats from many platforms, as one stream of events in time order."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from comity.adapters.detect import NO_TEXT, NOT_A_CHAT, formats, plan, total_bytes
from comity.adapters.merge import merge
from comity.adapters.reader import Chunk, Options, Reader

__all__ = ["NOT_A_CHAT", "NO_TEXT", "Chunk", "Options", "Reader", "formats", "read", "total_bytes"]


def read(paths: Sequence[Path], options: Options, *, lines: bool = False) -> Iterator[Chunk]:
    """Read files, folders and zips into chunks of at most 4,096 events, in time order across files.

    lines: one file of our own NDJSON may come as lines that were not looked at yet: ``Chunk.lines`` instead of events.

    Memory stays bounded whatever their size. What cannot be read is named in ``Chunk.unread`` and the rest goes on; the
    ``read`` of all chunks adds up to ``total_bytes(paths)``. Raises SourceError, before anything is read, if a path
    does not exist or ``options.format`` is not known.
    """
    found = plan(paths, options)
    return _read(found.readers, Chunk([], found.unread, found.read), lines=lines)


def _read(readers: Sequence[Reader], first: Chunk, *, lines: bool) -> Iterator[Chunk]:
    if first.unread or first.read:
        yield first
    yield from readers[0].line_chunks() if lines and len(readers) == 1 else merge(readers)
