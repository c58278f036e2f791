"""Characters, letters, capitals, stacked marks and mixed words of each text, counted in one pass over the bytes."""

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt
from numba import njit

from comity.features.columns import Batch, Texts
from comity.features.pieces import Ints

_CLASSES = 0x20000  # planes 0 and 1: all letters with case are there
_UPPER, _LOWER, _LETTER, _MARK = 1, 2, 4, 8
# Alphabets whose letters pass for one another (UTS 39, mixed-script confusables).
_SCRIPTS = {"LATIN": 16, "CYRILLIC": 32, "GREEK": 64, "CHEROKEE": 128}
_ALL_SCRIPTS = 16 + 32 + 64 + 128


@cache
def _classes() -> npt.NDArray[np.uint8]:
    """What each character is, as bits; made when the first text that is not ASCII comes."""
    table = np.zeros(_CLASSES, np.uint8)
    for code in range(128, _CLASSES):
        category = unicodedata.category(chr(code))
        if category[0] == "L":
            script = _SCRIPTS.get(unicodedata.name(chr(code), "").split(" ", 1)[0], 0)
            table[code] = _LETTER | script | (_UPPER if category in {"Lu", "Lt"} else _LOWER if category == "Ll" else 0)
        elif category in {"Mn", "Me"}:
            table[code] = _MARK
    return table


@njit(cache=True, nogil=True)
def _count_ascii(buffer, starts, ends, upper, lower, plain):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for i in range(len(starts)):
        capital, small, high = np.int64(0), np.int64(0), np.uint8(0)
        for k in range(starts[i], ends[i]):
            c = buffer[k]
            capital += np.uint8(c - 65) < 26
            small += np.uint8(c - 97) < 26
            high |= c
        upper[i], lower[i], plain[i] = capital, small, high < 128


@njit(cache=True, nogil=True)
def _count_all(buffer, starts, ends, rows, classes, counts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for i in rows:
        characters = upper = lower = letters = marks = run = mixed = 0
        scripts = np.uint8(0)
        k = starts[i]
        while k < ends[i]:
            c = np.int64(buffer[k])
            if c < 128:
                size, code = 1, c
            elif c < 224:
                size, code = 2, ((c & 31) << 6) | (buffer[k + 1] & 63)
            elif c < 240:
                size, code = 3, ((c & 15) << 12) | ((buffer[k + 1] & 63) << 6) | (buffer[k + 2] & 63)
            else:
                size = 4
                code = (
                    ((c & 7) << 18) | ((buffer[k + 1] & 63) << 12) | ((buffer[k + 2] & 63) << 6) | (buffer[k + 3] & 63)
                )
            k += size
            characters += 1
            bits = 0
            if code < 128:
                bits = 21 if 65 <= code <= 90 else 22 if 97 <= code <= 122 else 0
            elif code < len(classes):
                bits = classes[code]
            upper += bits & 1
            lower += (bits >> 1) & 1
            letters += (bits >> 2) & 1
            if bits & 8:
                run += 1
                marks = max(marks, run)
                continue
            run = 0
            if bits & 4:
                scripts |= np.uint8(bits & _ALL_SCRIPTS)
            else:
                mixed += scripts & (scripts - np.uint8(1)) != 0
                scripts = np.uint8(0)
        mixed += scripts & (scripts - np.uint8(1)) != 0
        counts[5, i] = mixed
        counts[0, i], counts[1, i], counts[2, i] = characters, upper, lower
        counts[3, i], counts[4, i] = letters, marks


class Letters:
    """Counts for each text, shape (texts,).

    characters; upper, lower: letters of that case; letters; marks: longest run; mixed: words of several alphabets.
    """

    def __init__(self, texts: Texts) -> None:
        n = len(texts.starts)
        counts = np.zeros((6, n), np.int64)
        plain = np.empty(n, np.bool_)
        _count_ascii(texts.buffer, texts.starts, texts.ends, counts[1], counts[2], plain)
        counts[0] = texts.ends - texts.starts
        np.add(counts[1], counts[2], out=counts[3])
        if not plain.all():
            _count_all(texts.buffer, texts.starts, texts.ends, np.flatnonzero(~plain), _classes(), counts)
        self.characters: Ints = counts[0]
        self.upper: Ints = counts[1]
        self.lower: Ints = counts[2]
        self.letters: Ints = counts[3]
        self.marks: Ints = counts[4]
        self.mixed: Ints = counts[5]


def letters(batch: Batch) -> Letters:
    """The counts of a batch, made once."""
    if "letters" not in batch.made:
        batch.made["letters"] = Letters(batch.texts)
    counts: Letters = batch.made["letters"]
    return counts
