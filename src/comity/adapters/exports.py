"""Exports of chats from many platforms, as one stream of events in time order."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from comity.adapters.detect import NO_TEXT, NOT_A_CHAT, formats, plan, total_bytes
from comity.adapters.merge import merge
from comity.adapters.reader import Chunk, Options, Reader

__all__ = ["NOT_A_CHAT", "NO_TEXT", "Chunk", "Options", "Reader", "formats", "read", "total_bytes"]


def read(paths: Sequence[Path], options: Options) -> Iterator[Chunk]:
    """Read files, folders and zips into chunks of at most 4,096 events, in time order across files.

    Memory stays bounded whatever their size. What cannot be read is named in ``Chunk.unread`` and the rest goes on; the
    ``read`` of all chunks adds up to ``total_bytes(paths)``. Raises SourceError, before anything is read, if a path
    does not exist or ``options.format`` is not known.
    """
    found = plan(paths, options)
    return _read(found.readers, Chunk([], found.unread, found.read))


def _read(readers: Sequence[Reader], first: Chunk) -> Iterator[Chunk]:
    if first.unread or first.read:
        yield first
    yield from merge(readers)
