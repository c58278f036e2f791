"""Strings to 64 bits: spans of one joined buffer, found and hashed without making a single Python string.

The hash is XXH64 (Yann Collet, "xxHash fast digest algorithm", version 0.1.1), so that what is stored can be checked,
and made again, by anything else. It spreads well, but is no cryptographic hash: who may choose long strings freely can
make two of them collide, even without the seed.
"""

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from comity.features.kernels.arrays import column

uint64 = np.uint64  # Numba makes a float of an unsigned and a signed integer: each constant says which it is
Bytes = NDArray[np.uint8]
Whole = Any  # int or a numpy integer: the same once compiled

P1, P2, P3, P4, P5 = (
    uint64(0x9E3779B185EBCA87),
    uint64(0xC2B2AE3D27D4EB4F),
    uint64(0x165667B19E3779F9),
    uint64(0x85EBCA77C2B2AE63),
    uint64(0x27D4EB2F165667C5),
)
ONES, SEVENS = uint64(0x0101010101010101), uint64(0x7F7F7F7F7F7F7F7F)

# Buffers that may not be written, as of bytes, come as they are.
_BUFFER = types.Array(types.uint8, 1, "C", readonly=True)
_INTS, _HASHES = types.int64[::1], types.uint64[::1]


def _load(bits: int) -> Any:  # noqa: ANN401 - Numba has no type for its intrinsics
    """A function that reads an unsigned number of so many bits at any place of a buffer."""

    @intrinsic
    def load(typingctx: Any, buffer: Any, at: Any) -> Any:  # noqa: ANN401, ARG001 - the signature that Numba asks for
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ANN401 - the same
            array = context.make_array(signature.args[0])(context, builder, args[0])
            place = builder.bitcast(builder.gep(array.data, [args[1]]), ir.IntType(bits).as_pointer())
            number = builder.load(place)
            number.align = 1
            return builder.zext(number, ir.IntType(64)) if bits < 64 else number

        return types.uint64(buffer, types.int64), generate

    return load


load64, _load32 = _load(64), _load(32)


def _store() -> Any:  # noqa: ANN401 - Numba has no type for its intrinsics
    """A function that writes an unsigned number of 64 bits at any place of a buffer."""

    @intrinsic
    def store(typingctx: Any, buffer: Any, at: Any, number: Any) -> Any:  # noqa: ANN401, ARG001 - the signature that Numba asks for
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ANN401 - the same
            array = context.make_array(signature.args[0])(context, builder, args[0])
            place = builder.bitcast(builder.gep(array.data, [args[1]]), ir.IntType(64).as_pointer())
            builder.store(args[2], place, align=1)
            return context.get_dummy_value()

        return types.void(buffer, types.int64, types.uint64), generate

    return store


store64 = _store()


def _count_trailing_zeros() -> Any:  # noqa: ANN401 - Numba has no type for its intrinsics
    """A function that counts the zeros below the lowest bit that is set."""

    @intrinsic
    def count(typingctx: Any, x: Any) -> Any:  # noqa: ANN401, ARG001 - the signature that Numba asks for
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ANN401, ARG001 - the same
            return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

        return types.int64(x), generate

    return count


trailing_zeros = _count_trailing_zeros()


@njit(forceinline=True)
def _left(x: Whole, bits: Whole) -> Whole:
    return (x << uint64(bits)) | (x >> uint64(64 - bits))


@njit(forceinline=True)
def _round(lane: Whole, word: Whole) -> Whole:
    return _left(lane + word * P2, 31) * P1


@njit(forceinline=True)
def _xxh64(buffer: Bytes, start: Whole, end: Whole, seed: Whole) -> Whole:
    at = start
    if end - start >= 32:
        a, b, c, d = seed + P1 + P2, seed + P2, seed, seed - P1
        while at + 32 <= end:
            a = _round(a, load64(buffer, at))
            b = _round(b, load64(buffer, at + 8))
            c = _round(c, load64(buffer, at + 16))
            d = _round(d, load64(buffer, at + 24))
            at += 32
        h = _left(a, 1) + _left(b, 7) + _left(c, 12) + _left(d, 18)
        h = (h ^ _round(uint64(0), a)) * P1 + P4
        h = (h ^ _round(uint64(0), b)) * P1 + P4
        h = (h ^ _round(uint64(0), c)) * P1 + P4
        h = (h ^ _round(uint64(0), d)) * P1 + P4
    else:
        h = seed + P5
    h += uint64(end - start)
    while at + 8 <= end:
        h = _left(h ^ _round(uint64(0), load64(buffer, at)), 27) * P1 + P4
        at += 8
    if at + 4 <= end:
        h = _left(h ^ (_load32(buffer, at) * P1), 23) * P2 + P3
        at += 4
    while at < end:
        h = _left(h ^ (uint64(buffer[at]) * P5), 11) * P1
        at += 1
    h = (h ^ (h >> uint64(33))) * P2
    h = (h ^ (h >> uint64(29))) * P3
    return h ^ (h >> uint64(32))


@njit(types.boolean(_BUFFER, _INTS, _INTS, types.uint64, _HASHES), cache=True)
def _hash(buffer: Bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], seed: Whole, out: Any) -> bool:  # noqa: ANN401
    """Hash every span; False at the first that is none of this buffer."""
    for i in range(starts.size):
        if not 0 <= starts[i] <= ends[i] <= buffer.size:
            return False
        out[i] = _xxh64(buffer, starts[i], ends[i], seed)
    return True


@njit(types.int64(_BUFFER, types.uint8, _INTS, _INTS), cache=True)
def _split(buffer: Bytes, separator: Whole, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Whole:
    """Find the spans between separators, eight bytes at a time; return -1 if their number is not that of starts."""
    pattern, low, found, start = uint64(separator) * ONES, SEVENS, 0, 0
    starts[0] = 0
    for at in range(0, buffer.size, 8):
        if at + 8 <= buffer.size:
            word = load64(buffer, at) ^ pattern
        else:
            word = ~uint64(0)
            for i in range(at, buffer.size):
                word ^= (uint64(0xFF) ^ uint64(buffer[i] ^ separator)) << uint64(8 * (i - at))
        # The high bit of each byte that is the separator, and of no other (no borrow runs from byte to byte).
        hits = ~(((word & low) + low) | word | low)
        while hits:
            end = at + (trailing_zeros(hits) >> 3)
            if found + 1 >= starts.size:
                return -1
            ends[found] = end
            found += 1
            start = end + 1
            starts[found] = start
            hits &= hits - uint64(1)
    ends[found] = buffer.size
    return found + 1 if found + 1 == starts.size else -1


@njit(forceinline=True)
def mixed(a: Whole, b: Whole) -> Whole:
    """What ``mix`` gives for two keys."""
    h = a + uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> uint64(27))) ^ b
    h = (h ^ (h >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> uint64(27))) * uint64(0x94D049BB133111EB)
    return h ^ (h >> uint64(31))


@njit(types.void(_HASHES, _HASHES, _HASHES), cache=True)
def _mix(a: Any, b: Any, out: Any) -> None:  # noqa: ANN401
    for i in range(a.size):
        out[i] = mixed(a[i], b[i])


def hash_spans(
    buffer: Bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], seed: int | np.uint64
) -> NDArray[np.uint64]:
    """XXH64 of each span of a buffer, the same in every process and on every machine.

    buffer: bytes, shape (bytes,), also one that may not be written; starts, ends: positions in it, end not included,
    shape (n,); seed: 0 to 2^64 - 1. Returns (n,). Raises ValueError if a span is none of this buffer.
    """
    starts = column(starts, np.int64)
    out = np.empty(starts.size, np.uint64)
    if not _hash(
        np.ascontiguousarray(buffer, np.uint8), starts, column(ends, np.int64, starts.size), uint64(seed), out
    ):
        raise ValueError(f"every span must start, then end, within the {buffer.size} bytes of its buffer")
    return out


def split(buffer: Bytes, separator: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Where the ``count`` strings that were joined by a separator byte start and end in the buffer.

    buffer: shape (bytes,); separator: 0 to 255; count: >= 0. Returns starts and ends, both (count,), or None if the
    number of strings is another: one of them holds the separator. No strings fit an empty buffer alone.
    """
    starts, ends = np.empty(count, np.int64), np.empty(count, np.int64)
    if count == 0:
        return (starts, ends) if buffer.size == 0 else None
    found = _split(np.ascontiguousarray(buffer, np.uint8), separator, starts, ends)
    return (starts, ends) if found == count else None


def mix(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One key for a row's two keys; (a, b) and (b, a) differ, and for one ``a`` no two ``b`` share a key.

    a, b: shape (n,). Returns (n,). Raises ValueError if their lengths differ.
    Source: the finalizer of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
    """
    a = column(a, np.uint64)
    out = np.empty(a.size, np.uint64)
    _mix(a, column(b, np.uint64, a.size), out)
    return out
