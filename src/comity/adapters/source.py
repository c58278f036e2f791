"""Where exports come from: one file, or one member of a zip, read forward as bytes, decompressed, within limits.

A file is opened anew for every block, so that a thousand rooms can be read side by side without a thousand open files.
"""

import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol, cast

import zstandard

RAW_BLOCK = 262_144
"""Bytes read from the disk at once behind a decompressor."""
MOST_EXPANDED = 256 * 2**20
MOST_RATIO = 200
"""Reading stops once more than MOST_EXPANDED bytes came out of an input at more than MOST_RATIO times its own size:
chat logs pack 5 to 30 times, and a bomb 1,000 times and more."""
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_WINDOW = 2**27
_SEAL = b"\x00comity: the end\x00"
"""Fed to the decoder behind a zstd file's last byte: it comes out again only if the last frame was whole."""


class BrokenInputError(Exception):
    """An input that cannot be read on from here. What was read before stands."""

    def __init__(self, what: str, expected: str) -> None:
        self.what, self.expected = what, expected
        super().__init__(f"{what}; expected {expected}")


class Stream(Protocol):
    """Bytes read forward. ``consumed`` counts the bytes of the input file used so far, compressed where it is."""

    consumed: int

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, and none only at the end. Raises BrokenInputError if it cannot go on."""
        ...

    def readinto(self, view: memoryview, /) -> int:
        """Fill ``view`` from its start; return how many bytes, 0 only at the end. Raises as ``read`` does."""
        ...


class FileBytes:
    """The bytes of a file as they stand on the disk."""

    def __init__(self, path: Path) -> None:
        self.path, self.consumed = path, 0

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes from where the last read ended."""
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(self.consumed)
                data = file.read(size)
        except OSError as error:
            raise refused(error) from error
        self.consumed += len(data)
        return data

    def readinto(self, view: memoryview, /) -> int:
        """Fill ``view`` without a copy in between."""
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(self.consumed)
                size = file.readinto(view)
        except OSError as error:
            raise refused(error) from error
        self.consumed += size
        return size


class _Unpacked(ABC):
    """What all decompressors share: the ceiling."""

    def __init__(self) -> None:
        self.consumed, self._out = 0, 0

    @abstractmethod
    def read(self, size: int, /) -> bytes:
        """As Stream.read."""

    def readinto(self, view: memoryview, /) -> int:
        """As Stream.readinto."""
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _let_through(self, data: bytes) -> bytes:
        self._out += len(data)
        if self._out > MOST_EXPANDED and self._out > MOST_RATIO * max(1, self.consumed):
            raise BrokenInputError(
                f"it expands to more than {MOST_RATIO} times its size, {self._out >> 20} MiB so far; the rest was left",
                "a chat export, or its parts unpacked by hand",
            )
        return data


class _Gunzip(_Unpacked):
    """RFC 1952, any number of members one after the other."""

    def __init__(self, raw: Stream) -> None:
        super().__init__()
        self._raw = raw
        self._decoder, self._input, self._whole = zlib.decompressobj(31), b"", False

    def read(self, size: int, /) -> bytes:
        while True:
            self._input = self._input or self._raw.read(RAW_BLOCK)
            self.consumed = self._raw.consumed
            if not self._input:
                if data := self._decoder.decompress(b"", size):
                    return self._let_through(data)
                if self._whole or self._decoder.eof:
                    return b""
                self._whole = True
                raise BrokenInputError("the gzip file ends too early", "a whole gzip file")
            if self._decoder.eof:
                self._input = self._input.lstrip(b"\0")
                if not self._input:
                    continue
                self._decoder = zlib.decompressobj(31)
            try:
                data = self._decoder.decompress(self._input, size)
            except zlib.error as error:
                raise BrokenInputError("the gzip file is damaged here", "a whole gzip file") from error
            self._input = self._decoder.unconsumed_tail or self._decoder.unused_data
            if data:
                return self._let_through(data)


class _Unzstd(_Unpacked):
    """RFC 8878, any number of frames. The library passes over a torn last frame in silence; the seal does not."""

    def __init__(self, raw: Stream) -> None:
        super().__init__()
        self._raw = raw
        self._sealed, self._done, self._held = False, False, b""
        decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        self._reader = decoder.stream_reader(
            cast("IO[bytes]", _Feed(self._feed)), read_size=RAW_BLOCK, read_across_frames=True
        )

    def _feed(self, size: int) -> bytes:
        data = self._raw.read(size)
        self.consumed = self._raw.consumed
        if not data and not self._sealed:
            self._sealed = True
            return zstandard.ZstdCompressor().compress(_SEAL)
        return data

    def read(self, size: int, /) -> bytes:
        while not self._done:
            try:
                data = self._reader.read(size)
            except zstandard.ZstdError as error:
                self._done = True
                what = "ends too early" if self._sealed else "is damaged here"
                raise BrokenInputError(f"the zstd file {what}", "a whole zstd file") from error
            held = self._held + data
            if data:
                self._held = held[-len(_SEAL) :]
                if ready := held[: -len(_SEAL)]:
                    return self._let_through(ready)
            else:
                self._done = True
                if held != _SEAL:
                    raise BrokenInputError("the zstd file ends too early", "a whole zstd file")
        return b""


@dataclass(frozen=True, slots=True)
class _Feed:
    read: Callable[[int], bytes]


@dataclass(slots=True)
class Archive:
    """A zip, its list of members read once and shared by all that read from it."""

    path: Path
    zip: zipfile.ZipFile = field(init=False)

    def __post_init__(self) -> None:
        self.zip = zipfile.ZipFile(self.path)


class _Member(_Unpacked):
    """One member of a zip. Bytes used are taken as even along the member."""

    def __init__(self, archive: Archive, info: zipfile.ZipInfo) -> None:
        super().__init__()
        self._info = info
        try:
            self._file = archive.zip.open(info)
        except RuntimeError as error:
            raise BrokenInputError("it is locked with a password", "a zip without a password") from error
        except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
            raise BrokenInputError("this member of the zip is damaged", "a whole zip") from error

    def read(self, size: int, /) -> bytes:
        try:
            data = self._file.read(size)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise BrokenInputError("this member of the zip is damaged", "a whole zip") from error
        self.consumed = self._info.compress_size * (self._out + len(data)) // max(1, self._info.file_size)
        return self._let_through(data)


@dataclass(frozen=True, slots=True)
class Input:
    """One file, or one member of a zip. name: its path inside the folder or zip, with slashes; size: bytes on disk."""

    path: Path
    name: str
    size: int
    archive: Archive | None = None

    @property
    def shown(self) -> str:
        """How messages name it: the path, and after ``!`` the member."""
        return str(self.path) if self.archive is None else f"{self.path}!{self.name}"

    @property
    def compressed(self) -> bool:
        """Whether more bytes come out than go in."""
        return self.archive is not None or _magic(self.path) in {_GZIP, _ZSTD}

    def open(self) -> Stream:
        """Open it for reading from the start, decompressing gzip and zstd by their first bytes.

        Raises BrokenInputError if it cannot be opened.
        """
        if self.archive is not None:
            return _Member(self.archive, self.archive.zip.getinfo(self.name))
        match _magic(self.path):
            case start if start == _GZIP:
                return _Gunzip(FileBytes(self.path))
            case start if start == _ZSTD:
                return _Unzstd(FileBytes(self.path))
            case _:
                return FileBytes(self.path)

    def head(self, size: int) -> bytes:
        """Return its first bytes, up to ``size``, and fewer where it is short or broken."""
        data = b""
        try:
            stream = self.open()
            while len(data) < size and (more := stream.read(size - len(data))):
                data += more
        except BrokenInputError:
            if not data:
                raise
        return data


def refused(error: OSError) -> BrokenInputError:
    """Say what the system said, in our words."""
    return BrokenInputError(f"it cannot be opened: {error.strerror or error}", "a file this user may read")


def is_zip(path: Path) -> bool:
    """Whether the file is a zip, by its first bytes."""
    return _magic(path, 4) in {b"PK\x03\x04", b"PK\x05\x06"}


def _magic(path: Path, size: int = 4) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BrokenInputError("it is no regular file", "a file or a folder")
        with path.open("rb", buffering=0) as file:
            start = file.read(size)
    except OSError as error:
        raise refused(error) from error
    return _GZIP if start.startswith(_GZIP) else start
