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


def leaf(data: bytes) -> bytes:
    """The hash of a leaf, 32 bytes."""
    return sha256(_LEAF + data).digest()


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


def _above(level: Sequence[bytes]) -> list[bytes]:
    """The nodes over a level; what is left over goes up as it is, which gives the tree of the RFC."""
    pairs = [sha256(_NODE + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs
