"""A Merkle tree over byte strings: one hash that stands for all of them, and short proofs that one is among them.

Source: RFC 6962, "Certificate Transparency", section 2.1: a leaf is SHA-256(0x00 || bytes), a node
SHA-256(0x01 || left || right), and the left part of a tree is the largest full one that is smaller than the whole.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

EMPTY: Final = sha256(b"").digest()
_LEAF: Final = b"\0"
_NODE: Final = b"\1"


def leaf(data: bytes | memoryview) -> bytes:
    """The hash of a leaf, 32 bytes."""
    found = sha256(_LEAF)
    found.update(data)
    return found.digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash that stands for leaves (their hashes, in order), 32 bytes; of none, SHA-256 of nothing."""
    if not leaves:
        return EMPTY
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """What proves that a leaf is among others: the hashes beside its way to the root, from below.

    Raises IndexError if there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"there are leaves 0 to {len(leaves) - 1}, got {index}")
    beside, level = [], list(leaves)
    while len(level) > 1:
        other = index ^ 1
        if other < len(level):
            beside.append(level[other])
        level, index = _above(level), index // 2
    return beside


def proves(leaf_hash: bytes, index: int, size: int, beside: Sequence[bytes], root_hash: bytes) -> bool:
    """Whether a path shows that a leaf stands at ``index`` among ``size`` leaves with this root."""
    if not 0 <= index < size:
        return False
    found, left, at, last = leaf_hash, list(beside), index, size - 1
    while last:
        if at & 1 or at < last:
            if not left:
                return False
            other = left.pop(0)
            found = sha256(_NODE + other + found).digest() if at & 1 else sha256(_NODE + found + other).digest()
        at, last = at // 2, last // 2
    return not left and found == root_hash


class Growing:
    """A tree that leaves are added to, held as the roots of its full parts, the largest first: 32 bytes for each.

    size: leaves so far; parts: as ``dump`` gave them. Raises ValueError if there are not as many parts as belong to it.
    """

    def __init__(self, size: int = 0, parts: bytes = b"") -> None:
        self.size = size
        self._parts = [parts[i : i + 32] for i in range(0, len(parts), 32)]
        if size < 0 or len(self._parts) != size.bit_count() or len(parts) % 32:
            raise ValueError(f"{len(parts)} bytes are no tree of {size} leaves")

    def add(self, leaf_hash: bytes) -> None:
        """Add a leaf behind the others."""
        full = self.size
        self._parts.append(leaf_hash)
        while full & 1:
            right, left = self._parts.pop(), self._parts.pop()
            self._parts.append(sha256(_NODE + left + right).digest())
            full >>= 1
        self.size += 1

    def root(self) -> bytes:
        """The hash that stands for all leaves: what ``root`` gives for them."""
        if not self._parts:
            return EMPTY
        found = self._parts[-1]
        for part in reversed(self._parts[:-1]):
            found = sha256(_NODE + part + found).digest()
        return found

    def dump(self) -> bytes:
        """The parts, to go on from."""
        return b"".join(self._parts)


def _above(level: Sequence[bytes]) -> list[bytes]:
    """The nodes over a level; what is left over goes up as it is, which gives the tree of the RFC."""
    pairs = [sha256(_NODE + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs
