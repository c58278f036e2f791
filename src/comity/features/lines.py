"""A block of NDJSON as raw columns: most lines by a kernel, the others by whoever read the block."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np

from comity.core.event import Event, Media, Unread
from comity.features.columns import spans
from comity.features.kernels.lines import MEDIA, PAD, STRINGS, scan
from comity.features.pieces import Bools, Ints, Piece, Strings

_END = b"\n" * PAD
_SHORTEST = 64  # bytes of a line; where there are more lines than this allows for, they are counted first
_ALWAYS = 5  # of ``STRINGS``, those that every event has


class Lines(Protocol):
    """Whole lines of NDJSON as they were read."""

    @property
    def data(self) -> bytes:
        """The lines; quicker if ``PAD`` newlines stand behind them."""

    def decode(self, where: Sequence[tuple[int, int]]) -> tuple[list[Event | None], list[Unread]]:
        """The events of some lines, given by start and end, ascending; None where there is none to be read."""


class _Block:
    """What the kernel says of a block, by row; see ``kernels.lines.scan``."""

    def __init__(self, data: bytes) -> None:
        data = data if data.endswith(_END) else data + _END
        if not self._scanned(data, len(data) // _SHORTEST + 1):
            self._scanned(data, data.count(b"\n") + 1)

    def _scanned(self, data: bytes, most: int) -> bool:
        """Whether there are at most so many lines."""
        size = len(data) - PAD
        strings, used = np.empty((len(STRINGS) + 1, size + PAD), np.uint8), np.zeros(len(STRINGS) + 1, np.int64)
        codes, numbers = np.empty((2, most), np.int8), np.empty((3, most), np.int64)
        lines = np.empty((2, most), np.int64)
        outs = (strings, used, numbers[0], codes[0], codes[1], numbers[1], numbers[2], lines)
        n = scan(np.frombuffer(data, np.uint8), size, *outs, not _is_utf8(data))
        if n < 0:
            return False
        self.given, self.mentions, self.before = numbers[:, :n]
        self.kinds, self.roles = codes[:, :n]
        self.lines = lines[:, :n]
        self.other = self.lines[0] >= 0
        ends = np.maximum(used - 1, 0).tolist()
        *self.strings, self.mentioned = [row[:end].tobytes() for row, end in zip(strings, ends, strict=True)]
        return True

    def keep(self, rows: Bools) -> None:
        """Leave out the rows of lines that are no events."""
        self.given, self.mentions, self.before = self.given[rows], self.mentions[rows], self.before[rows]
        self.kinds, self.roles, self.other = self.kinds[rows], self.roles[rows], self.other[rows]

    def known(self, field: int) -> Bools | None:
        """Where a field is given; None: everywhere."""
        if field < _ALWAYS:
            return None
        known = (self.given >> field & 1) == 1
        return None if known.all() else known

    def piece(self, media: dict[int, tuple[Media, ...]] | None = None) -> Piece:
        """The rows as a piece."""
        return Piece.of_columns(
            strings={f: Strings(self.strings[i], self.known(i)) for i, f in enumerate(STRINGS)},
            kinds=self.kinds,
            roles=self.roles,
            mentions=self.mentions,
            mentioned=self.mentioned,
            messages_before=self.before,
            media=media or {},
            media_known=self.known(MEDIA),
        )


def piece(lines: Lines) -> tuple[Piece, list[Unread]]:
    """The columns of all events in a block; second, what could not be read."""
    block = _Block(lines.data)
    others = np.flatnonzero(block.other)
    if not len(others):
        return block.piece(), []
    events, unread = lines.decode(list(zip(*block.lines[:, others].tolist(), strict=True)))
    keep = np.ones(len(block.other), np.bool_)
    keep[others] = [e is not None for e in events]
    if not keep.all():
        block.keep(keep)
    return _woven(block, Piece([e for e in events if e is not None])), unread


def _woven(block: _Block, side: Piece) -> Piece:
    """The rows of the kernel, and between them those of a piece of its own."""
    other = block.other
    called = np.maximum(block.mentions, 0)
    called[other] = np.maximum(side.mentions, 0)
    block.mentioned = _weave(block.mentioned, side.mentioned, called, other)
    block.kinds[other], block.roles[other] = side.kinds, side.roles
    block.mentions[other], block.before[other] = side.mentions, side.messages_before
    given = np.zeros(side.n, np.int64)
    one = np.ones(len(other), np.int64)
    columns = [*(side.strings[f].known for f in STRINGS), side.media_known]
    for field, known in zip([*range(len(STRINGS)), MEDIA], columns, strict=True):
        given |= (1 if known is None else known.astype(np.int64)) << field
    block.given[other] = given
    block.strings = [
        _weave(strings, side.strings[f].joined, one, other) for strings, f in zip(block.strings, STRINGS, strict=True)
    ]
    rows = np.flatnonzero(other)
    return block.piece({int(rows[i]): files for i, files in side.media.items()})


def _weave(plain: bytes, side: bytes, counts: Ints, other: Bools) -> bytes:
    """Strings joined by NUL, in the order of rows: so many a row, of the side where ``other``, else of the plain."""
    totals = [int(counts[~other].sum()), int(counts[other].sum())]
    sources = [spans(each, total) for each, total in zip((plain, side), totals, strict=True)]
    done, parts = [0, 0], []
    edges = [0, *(np.flatnonzero(np.diff(other)) + 1).tolist(), len(other)] if len(other) else [0]
    for start, end in pairwise(edges):
        which, count = int(other[start]), int(counts[start:end].sum())
        if count:
            source, first = sources[which], done[which]
            done[which] += count
            parts.append(source.joined[source.starts[first] : source.ends[first + count - 1]])
    return b"\0".join(parts)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
