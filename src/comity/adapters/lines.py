"""Text by lines in bounded memory: blocks of whole lines, long lines left out, bytes that are not UTF-8 named."""

from collections.abc import Iterator
from typing import NamedTuple

from comity.adapters.source import BrokenInputError, Stream

LONGEST_LINE = 16 * 2**20
"""Bytes; a longer line is left out and named. No platform lets a message of this size through."""
_BOM = b"\xef\xbb\xbf"


class Blocks:
    """Cut a stream into blocks of whole lines of about ``size`` bytes.

    Iterating gives views that hold until the next one is asked for; only the last may lack its newline. An empty view
    stands for a line over LONGEST_LINE that was left out. A stream that breaks raises BrokenInputError after its last
    whole line. offset: bytes of the stream before the block just given out.
    """

    def __init__(self, stream: Stream, size: int) -> None:
        self._stream, self._size, self.offset = stream, size, 0

    def __iter__(self) -> Iterator[memoryview]:
        buffer = bytearray(self._size)
        view, have, left_out = memoryview(buffer), 0, 0
        while True:
            if have == len(buffer):
                if len(buffer) > LONGEST_LINE:
                    left_out, have = left_out + have, 0
                else:
                    wider = bytearray(len(buffer) * 2)
                    wider[:have] = buffer
                    buffer, view = wider, memoryview(wider)
            more = self._stream.readinto(view[have:])
            end = have + more
            if left_out:
                start = buffer.find(b"\n", 0, end) + 1
                if not start and more:
                    left_out, have = left_out + end, 0
                    continue
                yield view[:0]
                self.offset += left_out + (start or end)
                left_out, rest = 0, bytes(view[start:end]) if start else b""
                view[: len(rest)] = rest
                end = len(rest)
            elif not more:
                if end:
                    yield view[:end]
                return
            whole = buffer.rfind(b"\n", 0, end) + 1
            if whole:
                yield view[:whole]
                self.offset += whole
                rest = bytes(view[whole:end])
                view[: len(rest)] = rest
                end = len(rest)
            have = end


class Lines(NamedTuple):
    """A block of text lines. first: number of the first line, from 1; lines: without their ends.

    damaged: numbers of the lines that held bytes that are not UTF-8, now U+FFFD; too_long: this one line was left out.
    """

    first: int
    lines: list[str]
    damaged: list[int]
    too_long: bool = False


def text(stream: Stream, size: int) -> Iterator[Lines]:
    """Read UTF-8 text by blocks of lines. Raises BrokenInputError as Blocks does."""
    number = 1
    for view in Blocks(stream, size):
        if not view:
            yield Lines(number, [], [], too_long=True)
            number += 1
            continue
        data = bytes(view)
        if number == 1:
            data = data.removeprefix(_BOM)
        damaged: list[int] = []
        try:
            content = data.decode()
        except UnicodeDecodeError:
            content = data.decode(errors="replace")
            damaged = [number + n for n, line in enumerate(data.split(b"\n")) if not _is_utf8(line)]
        if "\r" in content:
            content = content.replace("\r\n", "\n")
        lines = content.removesuffix("\n").split("\n")
        yield Lines(number, lines, damaged)
        number += len(lines)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def newlines(stream: Stream, upto: int) -> int:
    """Count the newlines in the first ``upto`` bytes."""
    count, block = 0, 2**20
    while upto > 0:
        try:
            data = stream.read(min(block, upto))
        except BrokenInputError:
            break
        if not data:
            break
        count, upto = count + data.count(b"\n"), upto - len(data)
    return count
