"""The Merkle tree: that of RFC 6962, checked against its definition and against published values."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.core import merkle

LEAVES = st.lists(st.binary(max_size=4), max_size=40).map(lambda some: [merkle.leaf(s) for s in some])


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, to the letter."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\1" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


@given(LEAVES)
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    """Level by level, added one by one, or by recursion: one hash."""
    grown = merkle.Growing()
    for leaf in leaves:
        grown.add(leaf)

    assert by_definition(leaves) == merkle.root(leaves) == grown.root()
    assert merkle.Growing(grown.size, grown.dump()).root() == grown.root()


@given(LEAVES.filter(bool), st.data())
def test_a_path_proves_its_leaf_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    """For every leaf, at its own place, and nowhere else."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    root, beside = merkle.root(leaves), merkle.path(leaves, index)

    assert merkle.proves(leaves[index], index, len(leaves), beside, root)
    assert not merkle.proves(merkle.leaf(b"other tea"), index, len(leaves), beside, root)
    assert not merkle.proves(leaves[index], len(leaves), len(leaves), beside, root)
    assert not merkle.proves(leaves[index], index, len(leaves), [*beside, root], root)
    if beside:
        assert not merkle.proves(leaves[index], index, len(leaves), beside[1:], root)


def test_roots_of_the_reference_trees_come_out() -> None:
    """The eight leaves with which implementations of RFC 6962 are tested, and the roots that go round with them."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [merkle.leaf(bytes.fromhex(i)) for i in inputs]

    assert "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" == merkle.root(leaves[:1]).hex()
    assert "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" == merkle.root(leaves[:2]).hex()
    assert "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" == merkle.root(leaves).hex()


def test_what_is_no_tree_is_an_error() -> None:
    """Parts that do not belong to a size, and leaves that are not there."""
    with pytest.raises(ValueError, match="no tree of 3 leaves"):
        merkle.Growing(3, bytes(32))
    with pytest.raises(IndexError):
        merkle.path([bytes(32)], 1)
