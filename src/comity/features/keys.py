"""Keys of texts: equal for texts that differ only in case, spaces and punctuation."""

import re
import unicodedata

import numpy as np
from numba import njit

from comity.features.columns import Hashes, Texts, texts
from comity.features.kernels.hashing import hash_spans
from comity.features.pieces import Bools

_BETWEEN = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """The text without case, spaces and punctuation (Unicode NFKC, casefold, one space between words)."""
    return _BETWEEN.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


@njit(cache=True, nogil=True)
def _plain_ascii(buffer, starts, ends, out, out_ends, ascii_only):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """``plain`` of each ASCII text, written to ``out`` at its own start; says which texts are not ASCII."""
    for i in range(len(starts)):
        to = starts[i]
        high = np.uint8(0)
        gap = False
        for k in range(starts[i], ends[i]):
            c = buffer[k]
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
        out_ends[i] = to
        ascii_only[i] = high < 128


def keys_of(t: Texts, seed: int) -> tuple[Hashes, Bools]:
    """Keys of shape (texts,), and which texts have one: an empty text, or one of punctuation alone, has none."""
    out = np.empty(len(t.buffer) + 1, np.uint8)
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
