"""From paths to readers: walk folders and zips, and tell each format by its content."""

import functools
import importlib.metadata
import os
import pkgutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from comity.adapters.reader import HEAD, Head, Options, Reader
from comity.adapters.source import Archive, BrokenInputError, Input, is_zip
from comity.core.errors import SourceError
from comity.core.event import Unread

_BUILT_IN = {
    "ndjson": "comity.adapters.ndjson:Ndjson",
    "telegram": "comity.adapters.telegram:Telegram",
    "discord": "comity.adapters.discord:Discord",
    "slack": "comity.adapters.slack:Slack",
    "matrix": "comity.adapters.matrix_export:MatrixExport",
    "whatsapp": "comity.adapters.whatsapp:WhatsApp",
    "irc": "comity.adapters.irc:Irc",
}
"""Asked in this order: what is told by keys before what is told by the look of lines."""
NOT_A_CHAT, NO_TEXT = "the format is not known", "files that are no text were passed over"
"""What is said of files beside a chat: of one that is in no format we know; of how many that hold no text at all."""
_MOST_BLOCK, _MOST_HELD = 500_000, 64 * 2**20
"""Bytes: a block for one input, and for all together. Blocks of this size stay in the processor's cache."""


class Plan(NamedTuple):
    """What will be read by whom. unread: what cannot be; read: bytes that no reader will use."""

    readers: list[Reader]
    unread: list[Unread]
    read: int


@functools.cache
def formats() -> Mapping[str, type[Reader]]:
    """Return every reader by name: the built-in ones, then those that other packages register as ``comity.formats``."""
    found = {name: pkgutil.resolve_name(where) for name, where in _BUILT_IN.items()}
    for entry in importlib.metadata.entry_points(group="comity.formats"):
        found.setdefault(entry.name, entry.load())
    return MappingProxyType(found)


def total_bytes(paths: Sequence[Path]) -> int:
    """Return the size on disk of everything under ``paths``; what cannot be looked at counts 0."""
    return sum(_size(file) for path in paths for file in _files(path, []))


def plan(paths: Sequence[Path], options: Options) -> Plan:
    """Find the readers for ``paths``. Raises SourceError if a path does not exist or a format is not known."""
    if options.format is not None and options.format not in formats():
        raise SourceError(options.format, "no such format", expected=", ".join(formats()))
    unread: list[Unread] = []
    containers: list[tuple[str, list[Input]]] = []
    for path in dict.fromkeys(paths):
        if not path.exists():
            raise SourceError(path, "there is nothing here", expected="a file or a folder")
        files = list(_files(path, unread))
        if not files and path.is_dir():
            unread.append(Unread(str(path), 0, "the folder holds no file that can be read", "exports of chats"))
        plain: list[Input] = []
        for file in files:
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            try:
                if is_zip(file):
                    containers.append((str(file), list(_members(file))))
                else:
                    plain.append(Input(file, name, _size(file)))
            except BrokenInputError as error:
                unread.append(Unread(str(file), 0, error.what, error.expected))
        containers.append((str(path) if path.is_dir() else "", plain))
    count = sum(len(inputs) for _, inputs in containers)
    block = max(16_384, min(_MOST_BLOCK, _MOST_HELD // max(1, count)))
    readers = [reader for shown, inputs in containers for reader in _readers(shown, inputs, options, block, unread)]
    return Plan(readers, unread, total_bytes(paths) - sum(reader.size for reader in readers))


def _readers(
    shown: str, inputs: Sequence[Input], options: Options, block: int, unread: list[Unread]
) -> Iterator[Reader]:
    """Readers for one folder, zip, or file. Pictures and sound beside a chat are counted, not named one by one."""
    choice = [formats()[options.format]] if options.format else list(formats().values())
    left = list(inputs)
    for one in choice:
        together, left = one.gather(left, options, block)
        yield from together
    passed = 0
    for source in left:
        try:
            data = source.head(HEAD)
        except BrokenInputError as error:
            unread.append(Unread(source.shown, 0, error.what, error.expected))
            continue
        if shown and b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            passed += 1
        elif not data.strip(b"\xef\xbb\xbf \t\r\n"):
            unread.append(Unread(source.shown, 0, "the file is empty", "an export of a chat"))
        elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
            unread.append(Unread(source.shown, 0, "the text is UTF-16", "the same text saved as UTF-8"))
        else:
            head = Head(source.name, data)
            kind = choice[0] if options.format else next((one for one in choice if one.recognises(head)), None)
            if kind is None:
                expected = "one of: " + ", ".join(one.title for one in formats().values())
                unread.append(Unread(source.shown, 0, NOT_A_CHAT, expected))
            else:
                yield kind([source], options, block)
    if passed:
        unread.append(Unread(shown, 0, f"{NO_TEXT}: {passed}", "chats as text or JSON"))


def _files(path: Path, unread: list[Unread]) -> Iterator[Path]:
    """Files under a path, sorted, hidden ones left out; a file itself always."""
    if not path.is_dir():
        yield path
        return

    def refuse(error: OSError) -> None:
        unread.append(Unread(str(error.filename), 0, f"it cannot be opened: {error.strerror}", "a folder to read"))

    for folder, folders, names in os.walk(path, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))


def _members(path: Path) -> Iterable[Input]:
    try:
        archive = Archive(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise BrokenInputError("the zip is damaged or ends too early", "a whole zip") from error
    for info in sorted(archive.zip.infolist(), key=lambda info: info.filename):
        parts = info.filename.split("/")
        if not info.is_dir() and parts[0] != "__MACOSX" and not any(part.startswith(".") for part in parts):
            yield Input(path, info.filename, info.compress_size, archive)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
