"""The store in one SQLite file: write-ahead log, one writer, one transaction a batch."""

from pathlib import Path
from typing import Self

from comity.stores.lock import StoreLock
from comity.stores.sql_store import SqlStore
from comity.stores.sqlite_db import SqliteDb
from comity.stores.sqlite_file import check_place, connect


class SqliteStore(SqlStore):
    """A store in one SQLite file; ``contract.Store`` says what its methods promise. To be used by one thread."""

    def __init__(self, path: Path, db: SqliteDb, lock: StoreLock | None) -> None:
        """Use ``open``."""
        super().__init__(db)
        self.path = path
        self._lock = lock

    @classmethod
    def open(cls, path: Path | str, *, durable: bool, read_only: bool = False, beside: bool = False) -> Self:
        """Open the store at ``path``, new if there is none; only one process at a time can have it open for writing.

        durable: every commit is on the disk when it returns (live, where something was acknowledged); otherwise a power
        cut may lose the last whole commits, which a replay simply makes again. The end of the process loses none either
        way. beside: also while another has it open, for what is read anew in each transaction, as the record's tables
        are, and nothing else; by one process at a time as well. Raises StoreError if that cannot be, saying what to do;
        what is refused is left as it is.
        """
        path = Path(path)
        check_place(path, read_only=read_only)
        lock = None if read_only else StoreLock(path, beside=beside).take()
        try:
            return cls(path, connect(path, durable=durable, read_only=read_only), lock)
        except BaseException:
            if lock:
                lock.release()
            raise

    def close(self) -> None:
        """Close the file and let the next writer in; what was not committed is gone."""
        super().close()
        if self._lock:
            self._lock.release()
