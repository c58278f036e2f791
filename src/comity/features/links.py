"""Features of links: whether there is one, how many, and whose hosts they name.

A link is ``http://`` or ``https://`` and what follows up to a space, ``)`` or ``>``. A host is also found where it
stands bare (``example.org/gift``), since scams are often written so; what stands before an ``@`` in a link is none.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from comity.features.columns import Batch, Bytes, Column, Hashes, texts
from comity.features.domains import ascii_forms, domain, hosts_in, with_parents
from comity.features.kernels.hashing import hash_spans
from comity.features.pieces import Bools, Ints
from comity.features.registry import Evaluate, Parameter, Plan, Type, feature

_MOST_LABELS = 8  # a host deeper than this is matched by its last labels


@njit(cache=True, nogil=True)
def _links(buffer: Bytes, colons: Ints, ends: Ints, counts: Ints) -> None:
    r"""Count ``https?://[^/\s][^\s)>]+`` for each text, looking only at the places where there is a colon."""
    row, covered = 0, -1
    for colon in colons:
        if colon <= covered or colon + 4 >= len(buffer) or buffer[colon + 1] != 47 or buffer[colon + 2] != 47:
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
        if colon + 4 >= ends[row] or buffer[colon + 3] == 47 or buffer[colon + 3] <= 32:
            continue
        end = colon + 4
        while end < ends[row] and buffer[end] > 32 and buffer[end] != 41 and buffer[end] != 62:
            end += 1
        if end > colon + 4:
            counts[row] += 1
            covered = end - 1


@njit(cache=True, nogil=True)
def _host_byte(c: Any) -> bool:  # noqa: ANN401  a byte, of whatever width once compiled
    return bool(97 <= (c | 32) <= 122 or 48 <= c <= 57 or c == 45 or c == 46 or c == 95 or c >= 128)


@njit(cache=True, nogil=True)
def _hosts(
    buffer: Bytes, dots: Ints, starts: Ints, ends: Ints, rows: Ints, host_starts: Ints, host_ends: Ints, beyond: Bools
) -> int:
    """Spans around the dots that read like hosts, and whether they go beyond ASCII; returns how many."""
    found, row, covered = 0, 0, -1
    # The last / or space before the span, looked for from ``past`` on; and the first of / ? # @ or space behind it.
    past, stop, ahead = 0, -1, 0
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
        while past < s:
            if buffer[past] <= 32 or buffer[past] == 47:
                stop = past
            past += 1
        in_link = stop > starts[row] and buffer[stop] == 47 and buffer[stop - 1] == 47
        if s > starts[row] and buffer[s - 1] == 64 and not in_link:
            continue  # an address of mail
        if e < ends[row] and buffer[e] == 64:
            continue  # what stands before an @, in an address or a link: the host is behind it
        if in_link and e < ends[row] and buffer[e] == 58:
            ahead = max(ahead, e)
            while ahead < ends[row] and buffer[ahead] > 32 and buffer[ahead] not in (35, 47, 63, 64):
                ahead += 1
            if ahead < ends[row] and buffer[ahead] == 64:
                continue  # a name and a word to sign in with
        while s < e and buffer[s] in (45, 46, 95):
            s += 1
        while e > s and buffer[e - 1] in (45, 46, 95):
            e -= 1
        inner, high = False, np.uint8(0)
        for k in range(s, e):
            inner |= buffer[k] == 46
            high |= buffer[k]
        if inner:
            rows[found], host_starts[found], host_ends[found], beyond[found] = row, s, e, high >= 128
            found += 1
    return found


@njit(cache=True, nogil=True)
def _suffixes(
    buffer: Bytes,
    host_starts: Ints,
    host_ends: Ints,
    most: int,
    owner: Ints,
    suffix_starts: Ints,
) -> int:
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
def _lowered(buffer: Bytes, starts: Ints, ends: Ints, lower: Bytes, lower_starts: Ints) -> None:
    """The hosts one behind the other, in lower case (ASCII)."""
    to = 0
    for i in range(len(starts)):
        lower_starts[i] = to
        for k in range(starts[i], ends[i]):
            c = buffer[k]
            lower[to] = c + np.uint8(32) if np.uint8(c - 65) < 26 else c
            to += 1


class Hosts:
    """Hosts named in texts: rows (the text of each), spans in ``lower``, where they stand in lower case (ASCII).

    foreign: stretches beyond ASCII, with the row of each, in which there may be hosts.
    """

    def __init__(self, batch: Batch) -> None:
        t = batch.texts
        dots = (t.buffer == 46).nonzero()[0]
        n = len(dots)
        rows, starts, ends = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
        beyond = np.empty(n, np.bool_)
        found = _hosts(t.buffer, dots, t.starts, t.ends, rows, starts, ends, beyond)
        rows, starts, ends, beyond = rows[:found], starts[:found], ends[:found], beyond[:found]
        self.foreign: list[tuple[int, str]] = []
        if beyond.any():
            far = np.flatnonzero(beyond)
            self.foreign = [(int(rows[i]), t.joined[starts[i] : ends[i]].decode()) for i in far]
            rows, starts, ends = rows[~beyond], starts[~beyond], ends[~beyond]
        self.rows: Ints = rows
        lengths = ends - starts
        self.lower: Bytes = np.empty(int(lengths.sum()), np.uint8)
        self.starts: Ints = np.empty(len(rows), np.int64)
        _lowered(t.buffer, starts, ends, self.lower, self.starts)
        self.ends: Ints = self.starts + lengths

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


def count_links(batch: Batch) -> Ints:
    """Links in each text, shape (events,); 0 where there is no text."""
    if "links" not in batch.made:
        t = batch.texts
        counts = np.zeros(len(batch), np.int64)
        _links(t.buffer, (t.buffer == 58).nonzero()[0], t.ends, counts)
        batch.made["links"] = counts
    found: Ints = batch.made["links"]
    return found


@feature(Type.NUMBER)
def links(_plan: Plan) -> Evaluate:
    """Number of links (http:// or https://) in the text."""
    return lambda batch: Column(count_links(batch), batch.text_known)


@feature(Type.TRUTH, first="domains", domains=Parameter(Type.WORDS))
def host_in(plan: Plan, *, domains: list[str]) -> Evaluate:
    """Whether the text names a host that is one of the domains or below one, with http:// or bare, or as ``xn--``."""
    names = frozenset(form for d in domains for form in domain(d))
    endings = frozenset(name.rpartition(".")[2] for name in names)
    known = np.unique(_hashes(sorted(names), plan.seed))

    def listed(span: str) -> bool:
        # Most stretches beyond ASCII are two words without a space between: their ending is none of a listed domain.
        near = [h for h in hosts_in(span) if not endings.isdisjoint(ascii_forms(h.rpartition(".")[2]))]
        return any(not names.isdisjoint(with_parents(f, _MOST_LABELS)) for h in near for f in ascii_forms(h))

    def evaluate(batch: Batch) -> Column:
        found = np.zeros(len(batch), np.bool_)
        if len(known):
            named = hosts(batch)
            if len(named.rows):
                rows, hashes = named.suffixes(plan.seed)
                found[rows[_among(hashes, known)]] = True
            for row, span in named.foreign:
                found[row] |= listed(span)
        return Column(found, batch.text_known)

    return evaluate


def _hashes(names: list[str], seed: int) -> Hashes:
    t = texts(names)
    return hash_spans(t.buffer, t.starts, t.ends, np.uint64(seed))


def _among(hashes: Hashes, known: npt.NDArray[np.uint64]) -> Bools:
    at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    result: Bools = known[at] == hashes
    return result
