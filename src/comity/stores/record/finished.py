"""What a replay of the record has finished, kept for the next: locked by the record's key, and for a week at most."""

import contextlib
import os
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.core.errors import StoreError
from comity.core.retention import DAY
from comity.stores.record.keys import KEY_BYTES, NONCE_BYTES, Keeper, KeeperError

KEPT: Final = 7 * DAY
_SUFFIX: Final = ".week"
_SIZE: Final = 2  # bytes of the length of the wrapped key


class FinishedWeeks:
    """Weeks that were rated, each a file in a folder; who has no key reads nothing in it, nor what it is about.

    now: milliseconds since 1970; what is older than a week goes when this is made. The files hold pseudonyms, days and
    numbers, and nothing of what was said.
    """

    def __init__(self, folder: Path, keeper: Keeper, now: int) -> None:
        self._folder, self._keeper = folder, keeper
        sweep(folder, now - KEPT)

    def get(self, name: str) -> bytes | None:
        """What was kept under a name; None if there is nothing, or if it was changed or locked by another key."""
        try:
            data = self._file(name).read_bytes()
            end = _SIZE + int.from_bytes(data[:_SIZE], "big")
            key = self._keeper.unwrap(data[_SIZE:end], _about(name))
            return AESGCM(key).decrypt(data[end : end + NONCE_BYTES], data[end + NONCE_BYTES :], _about(name))
        except (OSError, KeeperError, InvalidTag, ValueError):
            return None

    def keep(self, name: str, body: bytes) -> None:
        """Keep it whole, or not at all. Raises StoreError if it cannot be written."""
        key, nonce = os.urandom(KEY_BYTES), os.urandom(NONCE_BYTES)
        wrapped = self._keeper.wrap(key, _about(name))
        file = self._file(name)
        new = file.with_suffix(f"{_SUFFIX}.new")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            locked = AESGCM(key).encrypt(nonce, body, _about(name))
            new.write_bytes(len(wrapped).to_bytes(_SIZE, "big") + wrapped + nonce + locked)
            new.replace(file)
        except OSError as error:
            raise StoreError(f"{file}: a finished week cannot be kept: {error.strerror}") from error

    def _file(self, name: str) -> Path:
        return self._folder / f"{sha256(name.encode()).hexdigest()[:32]}{_SUFFIX}"


def sweep(folder: Path, before: int | None = None) -> None:
    """Delete finished weeks from a folder: those kept before a time, milliseconds since 1970, or all."""
    for file in [*folder.glob(f"*{_SUFFIX}"), *folder.glob(f"*{_SUFFIX}.new")]:
        with contextlib.suppress(OSError):  # another process may have deleted it
            if before is None or file.stat().st_mtime * 1000 < before:
                file.unlink()


def _about(name: str) -> bytes:
    return b"comity replay " + name.encode()
