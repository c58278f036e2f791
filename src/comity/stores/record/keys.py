"""Keys: one for each segment, wrapped by a key that never lies beside them; to destroy a key destroys what it locks."""

import base64
import binascii
import os
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.core.errors import ComityError, StoreError
from comity.stores.record_contract import RecordTables

KEY_BYTES: Final = 32  # AES-256
NONCE_BYTES: Final = 12
_KIND: Final = "key"
_GROUP: Final = "comity.keepers"  # entry points: other ways to keep the wrapping key


class KeeperError(ComityError):
    """The key that wraps the others cannot be used; its text says what to do."""


class Keeper(Protocol):
    """What wraps keys: a file's key, or a service that keeps its key to itself (a KMS)."""

    @property
    def id(self) -> str:
        """Which key it is, without telling it."""

    def wrap(self, secret: bytes, about: bytes) -> bytes:
        """Lock a key. about: what it is for; it can be unlocked for nothing else."""

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """Unlock a key. Raises KeeperError if it was locked by another key or for something else."""


class LocalKeeper:
    """A key of 32 bytes in this process's memory (AES-256-GCM)."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise KeeperError(f"the record's key has {KEY_BYTES} bytes, got {len(key)}: make one with `record key`")
        self._cipher = AESGCM(key)
        self.id = sha256(b"comity record key" + key).hexdigest()[:16]

    def wrap(self, secret: bytes, about: bytes) -> bytes:
        """See ``Keeper.wrap``."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, about)

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """See ``Keeper.unwrap``."""
        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], about)
        except (InvalidTag, ValueError) as error:
            raise KeeperError(f"the key of {about.decode(errors='replace')} was changed in the store") from error


def keeper(where: str) -> Keeper:
    """The wrapping key at ``file:PATH``, ``env:NAME``, or a scheme that a package registers as an entry point.

    It is written as 64 hexadecimal digits or in base64. Raises KeeperError, saying what to do.
    """
    scheme, _, rest = where.partition(":")
    if scheme == "file":
        return LocalKeeper(_from_file(Path(rest)))
    if scheme == "env":
        written = os.environ.get(rest, "")
        if not written:
            raise KeeperError(f"the environment has no {rest}: set it to the record's key")
        return LocalKeeper(_decoded(written, f"the environment's {rest}"))
    for entry in entry_points(group=_GROUP, name=scheme):
        made: Keeper = entry.load()(rest)
        return made
    raise KeeperError(f"{where!r} names no key: expected file:PATH or env:NAME")


def new_key_file(path: Path) -> Keeper:
    """Make a wrapping key in a file that nobody else can read. Raises KeeperError if there is a file."""
    key = os.urandom(KEY_BYTES)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, key.hex().encode() + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
    except FileExistsError as error:
        raise KeeperError(f"{path} is there already: a key is never overwritten") from error
    except OSError as error:
        raise KeeperError(f"{path}: the key cannot be written: {error.strerror}") from error
    return LocalKeeper(key)


def _from_file(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise KeeperError(f"{path} can be read by others: chmod 600 it")
        return _decoded(path.read_text("ascii", "replace"), str(path))
    except OSError as error:
        raise KeeperError(f"{path}: the record's key cannot be read: {error.strerror}") from error


def _decoded(written: str, where: str) -> bytes:
    written = written.strip()
    try:
        return bytes.fromhex(written) if len(written) == 2 * KEY_BYTES else base64.b64decode(written, validate=True)
    except (ValueError, binascii.Error) as error:
        raise KeeperError(f"{where}: no key; expected 64 hexadecimal digits, or base64") from error


class _Wrapped(msgspec.Struct, frozen=True):
    keeper: str
    body: bytes


class Keys:
    """The keys of segments and frames, wrapped in the store's rows. Changes belong into its ``write()``."""

    def __init__(self, tables: RecordTables, keeper: Keeper) -> None:
        self._tables, self._keeper = tables, keeper
        self._open: dict[str, bytes] = {}

    def new(self, name: str) -> bytes:
        """A key that nobody had before; kept with ``keep`` or not at all."""
        key = self._open[name] = os.urandom(KEY_BYTES)
        return key

    def keep(self, name: str) -> None:
        """Keep a new key, wrapped."""
        wrapped = _Wrapped(self._keeper.id, self._keeper.wrap(self._open[name], name.encode()))
        self._tables.keep(_KIND, name, msgspec.msgpack.encode(wrapped))

    def get(self, name: str) -> bytes:
        """The key of this name. Raises StoreError if it was destroyed, KeeperError if it is wrapped by another key."""
        if name in self._open:
            return self._open[name]
        row = self._tables.row(_KIND, name)
        if row is None:
            raise StoreError(f"the key of {name} was destroyed: nobody can read it any more")
        key = self._open[name] = self._unwrapped(name, row)
        return key

    def destroy(self, names: Iterable[str]) -> None:
        """Destroy keys: what they lock is lost from the end of the transaction on."""
        names = list(names)
        self._tables.drop(_KIND, names)
        self.forget(names)

    def forget(self, names: Iterable[str]) -> None:
        """Drop keys from memory only."""
        for name in names:
            self._open.pop(name, None)

    def rotate(self, to: Keeper) -> int:
        """Wrap all keys by another wrapping key, in one transaction; returns how many. What they lock stays as is."""
        with self._tables.write():
            rows = self._tables.rows(_KIND)
            for name, row in rows.items():
                wrapped = _Wrapped(to.id, to.wrap(self._unwrapped(name, row), name.encode()))
                self._tables.drop(_KIND, [name])  # so that the old wrapping is overwritten
                self._tables.keep(_KIND, name, msgspec.msgpack.encode(wrapped))
        self._keeper = to
        return len(rows)

    def _unwrapped(self, name: str, row: bytes) -> bytes:
        try:
            wrapped = msgspec.msgpack.decode(row, type=_Wrapped)
        except msgspec.MsgspecError as error:
            raise KeeperError(f"the key of {name} was changed in the store") from error
        if self._keeper.id and wrapped.keeper != self._keeper.id:
            raise KeeperError(
                f"the key of {name} is wrapped by {wrapped.keeper}, and this is {self._keeper.id}: name that one"
            )
        return self._keeper.unwrap(wrapped.body, name.encode())
