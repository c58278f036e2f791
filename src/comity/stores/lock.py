"""One writer at a time, and one who looks after the record: a lock file beside the store for each, held while open."""

import fcntl
import os
from pathlib import Path
from typing import Self

from comity.core.errors import StoreError


class StoreLock:
    """An ``flock`` on a file beside the store, which says who holds it; it ends with the process, however that ends.

    beside: of whoever looks after the record while another writes the store.
    """

    def __init__(self, store: Path, *, beside: bool = False) -> None:
        self._path = store.with_name(store.name + (".record.lock" if beside else ".lock"))
        self._what = f"the record of {store} is being looked after" if beside else f"{store} is being written"
        self._file = -1

    def take(self) -> Self:
        """Take the lock. Raises StoreError with the holder's process number if another has it."""
        while self._file < 0:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(file, 20).decode(errors="replace").strip() or "of unknown number"
                os.close(file)
                raise StoreError(
                    f"{self._what} by process {holder}: wait until it is done, or end it; it can be read meanwhile"
                ) from None
            if self._is_there(file):
                os.ftruncate(file, 0)
                os.write(file, f"{os.getpid()}\n".encode())
                self._file = file
            else:  # its last holder removed the file between our opening and locking it
                os.close(file)
        return self

    def release(self) -> None:
        """Remove the lock file and let go; nothing happens if the lock is not held."""
        if self._file >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = -1

    def _is_there(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False
