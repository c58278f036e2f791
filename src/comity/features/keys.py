"""Keys of texts: equal for texts that differ only in case, spaces and punctuation."""

import re
import unicodedata

import numpy as np
from numba import njit

from comity.features.columns import Hashes, Texts, texts
from comity.features.kernels.hashing import hash_spans, load64, store64
from comity.features.pieces import Bools

_HIGHS = np.uint64(0x8080808080808080)
_BETWEEN = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """The text without case, spaces and punctuation (Unicode NFKC, casefold, one space between words)."""
    return _BETWEEN.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


@njit(forceinline=True)
def _within(word, first, last):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The high bit of each byte of ASCII from ``first`` to ``last``."""
    ones = np.uint64(0x0101010101010101)
    return (word + ones * np.uint64(128 - first)) & ~(word + ones * np.uint64(127 - last)) & _HIGHS


@njit(cache=True, nogil=True)
def _plain_ascii(buffer, starts, ends, out, out_ends, ascii_only):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """``plain`` of each ASCII text, written to ``out`` at its own start; says which texts are not ASCII.

    Eight bytes at a time where they are words with one space between them, as most of a text is.
    """
    for i in range(len(starts)):
        to, k, end = starts[i], starts[i], ends[i]
        high = np.uint8(0)
        gap = False
        while k < end:
            if k + 8 <= end:
                word = load64(buffer, k)
                if word & _HIGHS == 0:
                    word |= _within(word, 65, 90) >> np.uint64(2)  # capitals to small letters
                    spaces = _within(word, 32, 32)
                    letters = _within(word, 97, 122) | _within(word, 48, 57)
                    at_start = spaces & np.uint64(0x80) != 0 and (gap or to == starts[i])
                    if letters | spaces == _HIGHS and spaces & (spaces << np.uint64(8)) == 0 and not at_start:
                        if gap and to > starts[i]:
                            out[to] = 32
                            to += 1
                        store64(out, to, word)
                        gap = spaces >> np.uint64(63) != 0
                        to += 7 if gap else 8
                        k += 8
                        continue
            for j in range(k, min(k + 8, end)):
                c = buffer[j]
                high |= c
                if np.uint8(c - 65) < 26:
                    c += np.uint8(32)
                if np.uint8(c - 97) < 26 or np.uint8(c - 48) < 10:
                    if gap and to > starts[i]:
                        out[to] = 32
                        to += 1
                    gap = False
                    out[to] = c
                    to += 1
                else:
                    gap = True
            k = min(k + 8, end)
        out_ends[i] = to
        ascii_only[i] = high < 128


def keys_of(t: Texts, seed: int) -> tuple[Hashes, Bools]:
    """Keys of shape (texts,), and which texts have one: an empty text, or one of punctuation alone, has none."""
    out = np.empty(len(t.buffer) + 8, np.uint8)
    ends, ascii_only = np.empty_like(t.ends), np.empty(len(t.ends), np.bool_)
    _plain_ascii(t.buffer, t.starts, t.ends, out, ends, ascii_only)
    keys = hash_spans(out, t.starts, ends, np.uint64(seed))
    some = ends > t.starts
    rows = np.flatnonzero(~ascii_only)
    if len(rows):
        forms = texts([plain(t.joined[t.starts[i] : t.ends[i]].decode()) for i in rows])
        keys[rows] = hash_spans(forms.buffer, forms.starts, forms.ends, np.uint64(seed))
        some[rows] = forms.ends > forms.starts
    return keys, some
