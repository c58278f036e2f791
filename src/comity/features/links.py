"""Features of links: whether there is one, how many, and whose hosts they name.

A link is ``http://`` or ``https://`` and what follows up to a space, ``)`` or ``>``. A host is also found where it
stands bare (``example.org/gift``), since scams are often written so; what stands before an ``@`` in a link is none.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from comity.features.columns import Batch, Bytes, Column, Hashes, texts
from comity.features.kernels.hashing import hash_spans
from comity.features.pieces import Bools, Ints
from comity.features.registry import Evaluate, Parameter, Plan, Type, feature

_MOST_LABELS = 8  # a host deeper than this is matched by its last labels


@njit(cache=True, nogil=True)
def _links(buffer, colons, starts, ends, counts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    r"""Count ``https?://[^/\s][^\s)>]+`` for each text, looking only at the places where there is a colon."""
    row = 0
    for colon in colons:
        if colon + 4 >= len(buffer) or buffer[colon + 1] != 47 or buffer[colon + 2] != 47:
            continue
        s = colon - 1
        if s >= 0 and (buffer[s] | 32) == 115:
            s -= 1
        if s < 3 or (buffer[s] | 32) != 112 or (buffer[s - 1] | 32) != 116 or (buffer[s - 2] | 32) != 116:
            continue
        if (buffer[s - 3] | 32) != 104:
            continue
        while ends[row] <= colon:
            row += 1
        if s - 3 < starts[row]:
            continue
        a, b = buffer[colon + 3], buffer[colon + 4]
        if colon + 4 < ends[row] and a != 47 and a > 32 and b > 32 and b != 41 and b != 62:
            counts[row] += 1


@njit(cache=True, nogil=True)
def _host_byte(c):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    return 97 <= (c | 32) <= 122 or 48 <= c <= 57 or c == 45 or c == 46 or c >= 128


@njit(cache=True, nogil=True)
def _hosts(buffer, dots, starts, ends, rows, host_starts, host_ends):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Spans around the dots that read like hosts; returns how many."""
    found, row, covered = 0, 0, -1
    for dot in dots:
        if dot <= covered:
            continue
        while ends[row] <= dot:
            row += 1
        s, e = dot, dot
        while s > starts[row] and _host_byte(buffer[s - 1]):
            s -= 1
        while e < ends[row] and _host_byte(buffer[e]):
            e += 1
        covered = e
        # An address of mail, or what stands before an @ in a link: the host is behind it, and has its own dot or none.
        if s > starts[row] and buffer[s - 1] == 64:
            k = s - 2
            while k > starts[row] and buffer[k] > 32 and buffer[k] != 47:
                k -= 1
            if buffer[k] != 47:
                continue
        if e < ends[row] and buffer[e] == 64:
            continue
        while s < e and (buffer[s] == 46 or buffer[s] == 45):
            s += 1
        while e > s and (buffer[e - 1] == 46 or buffer[e - 1] == 45):
            e -= 1
        inner = False
        for k in range(s, e):
            inner |= buffer[k] == 46
        if inner:
            rows[found], host_starts[found], host_ends[found] = row, s, e
            found += 1
    return found


@njit(cache=True, nogil=True)
def _suffixes(buffer, host_starts, host_ends, most, owner, suffix_starts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Each host, and what is left of it after each of its dots but the last; returns how many."""
    found = 0
    for i in range(len(host_starts)):
        dots = 0
        for k in range(host_ends[i] - 1, host_starts[i] - 1, -1):
            if buffer[k] == 46:
                dots += 1
                if 1 < dots <= most:
                    owner[found], suffix_starts[found] = i, k + 1
                    found += 1
        owner[found], suffix_starts[found] = i, host_starts[i]
        found += 1
    return found


@njit(cache=True, nogil=True)
def _lowered(buffer, starts, ends, lower, lower_starts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The hosts one behind the other, in lower case (ASCII)."""
    to = 0
    for i in range(len(starts)):
        lower_starts[i] = to
        for k in range(starts[i], ends[i]):
            c = buffer[k]
            lower[to] = c + np.uint8(32) if np.uint8(c - 65) < 26 else c
            to += 1


class Hosts:
    """Hosts named in texts: rows (the text of each), spans in ``lower``, where they stand in lower case (ASCII)."""

    def __init__(self, batch: Batch) -> None:
        t = batch.texts
        dots = np.flatnonzero(t.buffer == 46)
        n = len(dots)
        rows, starts, ends = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
        found = _hosts(t.buffer, dots, t.starts, t.ends, rows, starts, ends)
        self.rows: Ints = rows[:found]
        lengths = ends[:found] - starts[:found]
        self.lower: Bytes = np.empty(int(lengths.sum()), np.uint8)
        self.starts: Ints = np.empty(found, np.int64)
        _lowered(t.buffer, starts[:found], ends[:found], self.lower, self.starts)
        self.ends: Ints = self.starts + lengths

    def strings(self) -> list[str]:
        """Each host as text."""
        raw = self.lower.tobytes()
        return [raw[s:e].decode() for s, e in zip(self.starts.tolist(), self.ends.tolist(), strict=True)]

    def suffixes(self, seed: int) -> tuple[Ints, Hashes]:
        """Rows and hashes of the hosts and of the domains above each."""
        room = len(self.rows) * (_MOST_LABELS + 1)
        owner, starts = np.empty(room, np.int64), np.empty(room, np.int64)
        n = _suffixes(self.lower, self.starts, self.ends, _MOST_LABELS, owner, starts)
        owner = owner[:n]
        return self.rows[owner], hash_spans(self.lower, starts[:n], self.ends[owner], np.uint64(seed))


def hosts(batch: Batch) -> Hosts:
    """The hosts of a batch, found once."""
    if "hosts" not in batch.made:
        batch.made["hosts"] = Hosts(batch)
    found: Hosts = batch.made["hosts"]
    return found


@feature(Type.NUMBER)
def links(_plan: Plan) -> Evaluate:
    """Number of links (http:// or https://) in the text."""

    def evaluate(batch: Batch) -> Column:
        t = batch.texts
        counts = np.zeros(len(batch), np.int64)
        _links(t.buffer, np.flatnonzero(t.buffer == 58), t.starts, t.ends, counts)
        return Column(counts, batch.text_known)

    return evaluate


@feature(Type.TRUTH, first="domains", domains=Parameter(Type.WORDS))
def host_in(plan: Plan, *, domains: list[str]) -> Evaluate:
    """Whether the text names a host that is one of the domains or below one, with http:// or bare."""
    known = np.unique(_hash_domains(domains, plan.seed))

    def evaluate(batch: Batch) -> Column:
        found = np.zeros(len(batch), np.bool_)
        named = hosts(batch)
        if len(named.rows) and len(known):
            rows, hashes = named.suffixes(plan.seed)
            found[rows[_among(hashes, known)]] = True
        return Column(found, batch.text_known)

    return evaluate


def domain(text: str) -> str:
    """A domain as it is compared: lower case, in its Unicode form. Raises ValueError if it is none."""
    bare = text.strip().lower().removeprefix("*.").strip(".")
    if "." not in bare or any(c in bare for c in "/:@ \0"):
        raise ValueError(f"{text!r} is no domain; expected a name such as example.org, without http:// and path")
    return bare


def _hash_domains(domains: list[str], seed: int) -> Hashes:
    t = texts([domain(d) for d in domains] or [""])
    return hash_spans(t.buffer, t.starts, t.ends, np.uint64(seed))


def _among(hashes: Hashes, known: npt.NDArray[np.uint64]) -> Bools:
    at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    result: Bools = known[at] == hashes
    return result
