"""Where a store is: a file, or the address of a database."""

from pathlib import Path
from typing import TypeAlias

Place: TypeAlias = Path | str


def is_address(place: Place) -> bool:
    """Whether a place is the address of a database, ``postgresql://USER@HOST/DATABASE``, and no file."""
    return isinstance(place, str) and place.startswith(("postgresql://", "postgres://"))
