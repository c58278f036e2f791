"""Errors a person can act on: what happened, where, and what was expected."""

from pathlib import Path


class ComityError(Exception):
    """Anything that a person can put right; its text says how."""


class SourceError(ComityError):
    """Something written in a file is wrong.

    path: the file; line and column: from 1, 0 where the file as a whole is meant; what: what is wrong;
    expected: what would have been right, or the nearest valid word.
    """

    def __init__(self, path: Path | str, what: str, *, line: int = 0, column: int = 0, expected: str = "") -> None:
        self.path, self.what, self.line, self.column, self.expected = str(path), what, line, column, expected
        where = ":".join([self.path, *(str(n) for n in (line, column) if n)])
        super().__init__(f"{where}: {what}" + (f"; expected {expected}" if expected else ""))


class StoreError(ComityError):
    """A store cannot be read or written: newer version, full disk, locked by another process, broken chain."""


class LedgerMovedError(ComityError):
    """The ledger's head is no longer the one that was decided on: decide again, then post."""
