"""The salts of what members wrote: with one, an excerpt is sealed; without it, what was erased cannot be guessed."""

from os import urandom

import numpy as np

from comity.core.ledger import ID, SALT_BYTES


def draw(count: int) -> list[bytes]:
    """Salts for so many findings, 16 random bytes each, never to be used again."""
    salts: list[bytes] = np.frombuffer(urandom(SALT_BYTES * count), ID).tolist()
    return salts
