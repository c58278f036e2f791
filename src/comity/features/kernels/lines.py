"""Events as NDJSON straight to columns, for the lines that most are: no escape in a string, no field of another type.

Such a line is read without a single Python object. Any other line is only pointed at, and a JSON library reads it: what
an event is, and what is wrong with one, is said in one place.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.core.event import KINDS, ROLES
from comity.features.kernels.hashing import load64, store64, trailing_zeros

uint64 = np.uint64  # Numba makes a float of an unsigned and a signed integer: each constant says which it is
PAD = 24  # bytes that have to stand behind the lines, for they are read eight at a time, three times for a name
NONE = -1
# The fields, strings first: what comes of each is a span.
STRINGS = ("id", "at", "community", "room", "member", "name", "text", "account_created_at", "reply_to", "target")
FIELDS = (*STRINGS, "kind", "role", "mentions", "messages_before", "media")
KIND, ROLE, MENTIONS, BEFORE, MEDIA = (
    FIELDS.index(f) for f in ("kind", "role", "mentions", "messages_before", "media")
)
_NEEDED = sum(1 << FIELDS.index(f) for f in ("id", "at", "kind", "community", "room", "member"))
_OPTIONAL = ((1 << len(FIELDS)) - 1) & ~_NEEDED
_START = len(FIELDS)

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Whole = Any  # int or a numpy integer: the same once compiled

_ONES, _HIGHS = uint64(0x0101010101010101), uint64(0x8080808080808080)
_QUOTES, _SLASHES, _SPACES = uint64(0x2222222222222222), uint64(0x5C5C5C5C5C5C5C5C), uint64(0x2020202020202020)


def _words(names: tuple[str, ...]) -> tuple[Hashes, Ints]:
    """Names as three words of eight bytes each, shape (names, 3), and how long they are."""
    words = np.zeros((len(names), 3), np.uint64)
    for i, name in enumerate(names):
        words[i] = np.frombuffer(name.encode().ljust(24, b"\0"), "<u8")
    return words, np.array([len(name) for name in names], np.int64)


_FIELD_WORDS, _FIELD_LENGTHS = _words(FIELDS)
_KIND_WORDS, _KIND_LENGTHS = _words(KINDS)
_ROLE_WORDS, _ROLE_LENGTHS = _words(ROLES)


@njit(forceinline=True)
def _is(buffer: Bytes, at: Whole, words: Hashes, length: Whole, name: Whole) -> Whole:
    """Whether a name, and the quote that ends it, stand at a place."""
    if buffer[at + length] != 34:
        return False
    left, place = length, 0
    while left > 8:
        if load64(buffer, at + 8 * place) != words[name, place]:
            return False
        left -= 8
        place += 1
    mask = uint64(0xFFFFFFFFFFFFFFFF) >> uint64(64 - 8 * left)
    return load64(buffer, at + 8 * place) & mask == words[name, place]


@njit(forceinline=True)
def _which(buffer: Bytes, at: Whole, words: Hashes, lengths: Ints) -> Whole:
    for i in range(lengths.size):
        if _is(buffer, at, words, lengths[i], i):
            return i
    return NONE


@njit(forceinline=True)
def _special(word: Whole) -> Whole:
    """The high bit of the first byte that is a quote, a backslash or a control character, and perhaps of later ones."""
    quote, slash = word ^ _QUOTES, word ^ _SLASHES
    found = ((quote - _ONES) & ~quote) | ((slash - _ONES) & ~slash) | ((word - _SPACES) & ~word)
    return found & _HIGHS


@njit(forceinline=True)
def _string(buffer: Bytes, at: Whole) -> Whole:
    """Where the string that begins at a place ends, at its quote; NONE if something else comes first."""
    found = _special(load64(buffer, at))
    while not found:
        at += 8
        found = _special(load64(buffer, at))
    at += trailing_zeros(found) >> 3
    return at if buffer[at] == 34 else np.int64(NONE)


@njit(forceinline=True)
def _spaces(buffer: Bytes, at: Whole) -> Whole:
    while buffer[at] == 32:
        at += 1
    return at


@njit(forceinline=True)
def _null(buffer: Bytes, at: Whole) -> Whole:
    return load64(buffer, at) & uint64(0xFFFFFFFF) == uint64(0x6C6C756E)


@njit(forceinline=True)
def _copy(source: Bytes, start: Whole, end: Whole, target: Bytes, to: Whole) -> Whole:
    """Copy a span and a NUL behind it; returns where the next may begin. Up to seven bytes behind may be written."""
    for k in range(0, end - start, 8):
        store64(target, to + k, load64(source, start + k))
    to += end - start
    target[to] = 0
    return to + 1


@njit(cache=True, nogil=True)
def scan(
    buffer: Bytes,
    size: Whole,
    strings: Bytes,
    used: Ints,
    given: Ints,
    kinds: NDArray[np.int8],
    roles: NDArray[np.int8],
    mentions: Ints,
    before: Ints,
    lines: Ints,
    plain_bytes: Whole,
) -> Whole:
    """Read the lines in ``buffer[:size]``, each ended by a newline but perhaps the last.

    Returns the number of rows, -1 if there is no room for so many. Behind ``size`` stand ``PAD`` newlines. Blank lines
    are no rows. lines: shape (2, rows), start and end of each line that has to be read otherwise, -1 for the rest,
    which this is about: strings: shape (fields of strings + 1, size + PAD), each field's strings one after the other, a
    NUL behind each, empty where there is none, and in the last row all who are mentioned; used: how many bytes of each;
    given: by row, a bit for each field that is there and not null; kinds, roles, before, mentions (how many): -1 where
    unknown. plain_bytes: whether a line with a byte beyond ASCII has to be read otherwise.
    """
    after, ends = np.full(_START + 1, 0), np.zeros(len(STRINGS), np.int64)
    at, row = 0, 0
    while at < size:
        if buffer[at] == 10:
            at += 1
            continue
        if row == given.size:
            return NONE
        kinds[row] = roles[row] = mentions[row] = before[row] = lines[0, row] = lines[1, row] = NONE
        seen, there, last, plain, p, called = 0, 0, _START, False, at, used[len(STRINGS)]
        if buffer[p] == 123:
            p = _spaces(buffer, p + 1)
            while buffer[p] == 34:
                p += 1
                field = after[last]
                if not _is(buffer, p, _FIELD_WORDS, _FIELD_LENGTHS[field], field):
                    field = _which(buffer, p, _FIELD_WORDS, _FIELD_LENGTHS)
                    if field < 0:
                        break
                    after[last] = field
                last = field
                p = _spaces(buffer, p + _FIELD_LENGTHS[field] + 1)
                if buffer[p] != 58 or seen >> field & 1:
                    break
                seen |= 1 << field
                p = _spaces(buffer, p + 1)
                c = buffer[p]
                if c == 34 and field < KIND:
                    end = _string(buffer, p + 1)
                    if end < 0:
                        break
                    ends[field] = _copy(buffer, p + 1, end, strings[field], used[field])
                    p = end + 1
                elif c == 34 and field == KIND:
                    kinds[row] = _which(buffer, p + 1, _KIND_WORDS, _KIND_LENGTHS)
                    if kinds[row] < 0:
                        break
                    p += _KIND_LENGTHS[kinds[row]] + 2
                elif c == 34 and field == ROLE:
                    roles[row] = _which(buffer, p + 1, _ROLE_WORDS, _ROLE_LENGTHS)
                    if roles[row] < 0:
                        break
                    p += _ROLE_LENGTHS[roles[row]] + 2
                elif c == 110 and _null(buffer, p) and _OPTIONAL >> field & 1:
                    p += 4
                    there -= 1 << field
                elif field == BEFORE and 48 <= c <= 57:
                    number, first = np.int64(0), p
                    while 48 <= buffer[p] <= 57 and p - first < 18:
                        number = 10 * number + np.int64(buffer[p] - 48)
                        p += 1
                    if (c == 48 and p - first > 1) or p - first == 18:
                        break
                    before[row] = number
                elif field == MENTIONS and c == 91:
                    count, p = 0, _spaces(buffer, p + 1)
                    while buffer[p] == 34:
                        end = _string(buffer, p + 1)
                        if end < 0:
                            break
                        called = _copy(buffer, p + 1, end, strings[len(STRINGS)], called)
                        count += 1
                        p = _spaces(buffer, end + 1)
                        if buffer[p] != 44:
                            break
                        p = _spaces(buffer, p + 1)
                        if buffer[p] != 34:
                            p = end  # so that no bracket stands there
                    if buffer[p] != 93:
                        break
                    mentions[row] = count
                    p += 1
                elif field == MEDIA and c == 91 and buffer[p + 1] == 93:
                    p += 2
                else:
                    break
                there += 1 << field
                p = _spaces(buffer, p)
                if buffer[p] == 44:
                    p = _spaces(buffer, p + 1)
                elif buffer[p] == 125:
                    p = _spaces(buffer, p + 1)
                    p += buffer[p] == 13
                    plain = buffer[p] == 10 and there & _NEEDED == _NEEDED
                    break
                else:
                    break
        if plain and plain_bytes:
            for k in range(at, p):
                plain &= buffer[k] < 128
        if plain:
            for f in range(len(STRINGS)):
                if not there >> f & 1:
                    strings[f, used[f]] = 0
                    ends[f] = used[f] + 1
                used[f] = ends[f]
            used[len(STRINGS)] = called
        else:
            p = at
            while buffer[p] != 10:
                p += 1
            kinds[row] = roles[row] = mentions[row] = before[row] = NONE
            there, lines[0, row], lines[1, row] = 0, at, p
        given[row] = there
        at = p + 1
        row += 1
    return row
