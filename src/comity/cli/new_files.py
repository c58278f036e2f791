"""Writing several new files, all or none of them."""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from comity.core.errors import ComityError

PRIVATE: Final = 0o600
OPEN: Final = 0o644


class NewFile(NamedTuple):
    """A file to write. mode: its rights, less what the process's mask takes."""

    path: Path
    text: str
    mode: int = PRIVATE


def write_together(files: Sequence[NewFile], *, force: bool = False) -> None:
    """Write files so that all are there afterwards, or all is as before; force: replace those that are there.

    Raises ComityError if one is there already and is not to be replaced, or if one cannot be written.
    """
    if not force and (there := [str(f.path) for f in files if os.path.lexists(f.path)]):
        raise ComityError(f"{', '.join(there)} exists already; name another folder, or replace it with --force")
    mark = secrets.token_hex(4)
    fresh = {f.path: f.path.with_name(f".{f.path.name}.{mark}.new") for f in files}
    kept = {f.path: f.path.with_name(f".{f.path.name}.{mark}.old") for f in files}
    placed: list[Path] = []
    try:
        for file in files:
            _write(fresh[file.path], file)
        for path, new in fresh.items():
            if force and os.path.lexists(path):
                os.link(path, kept[path], follow_symlinks=False)
                new.replace(path)
            else:
                os.link(new, path)  # unlike a renaming, never over a file that came meanwhile
            placed.append(path)
    except BaseException as e:
        for path in placed:
            _put_back(path, kept[path])
        if isinstance(e, OSError):
            where = next((p for p in (e.filename2, e.filename) if p), files[0].path)
            raise ComityError(f"{where} cannot be written: {e.strerror}; nothing was written") from e
        raise
    finally:
        for path in (*fresh.values(), *kept.values()):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _write(path: Path, file: NewFile) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, file.mode)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(file.text)
        opened.flush()
        os.fsync(handle)


def _put_back(path: Path, kept: Path) -> None:
    with suppress(OSError):
        if os.path.lexists(kept):
            kept.replace(path)
        else:
            path.unlink()
