"""Features of files: their types, and hashes on lists of the community (MD5 and SHA-256 exactly, PDQ by distance)."""

import re
from collections.abc import Callable

import numpy as np

from comity.core.event import Media
from comity.core.globs import globs
from comity.features.columns import Batch, Column
from comity.features.registry import Evaluate, Parameter, Plan, Type, feature

MOST_DISTANCE = 90  # of 256 bits; beyond, pictures have nothing in common but by chance
_HASH = re.compile(r"(?:md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}|pdq:[0-9a-f]{64})", re.IGNORECASE)


@feature(Type.NUMBER)
def files(_plan: Plan) -> Evaluate:
    """Number of files with the event."""

    def evaluate(batch: Batch) -> Column:
        counts = np.zeros(len(batch), np.int64)
        for i, media in batch.media.items():
            counts[i] = len(media)
        return Column(counts, batch.media_known)

    return evaluate


@feature(Type.TRUTH, first="types", types=Parameter(Type.WORDS))
def media_type_in(_plan: Plan, *, types: list[str]) -> Evaluate:
    """Whether a file's MIME type is one of the types; ``*`` stands for any characters (``application/x-*``)."""
    wanted = globs(types)
    return _any_file(lambda media: wanted(media.type.partition(";")[0].strip()))


@feature(
    Type.TRUTH,
    first="hashes",
    hashes=Parameter(Type.WORDS),
    distance=Parameter(Type.NUMBER, 31),
)
def media_hash_in(_plan: Plan, *, hashes: list[str], distance: int) -> Evaluate:
    """Whether a file's hash is listed (``md5:``, ``sha256:``), or a picture's PDQ within ``distance`` of 256 bits.

    Unknown where no file is listed and one has no hash of these kinds. 31 bits is the distance that PDQ's authors
    recommend (ThreatExchange, "PDQ & TMK + PDQF", 2019).
    """
    for h in hashes:
        if not _HASH.fullmatch(h):
            raise ValueError(f"{h!r} is no hash; expected md5:, sha256: or pdq: and its hexadecimal digits")
    if not 0 <= distance <= MOST_DISTANCE:
        raise ValueError(f"{distance} bits is no distance of near pictures; expected 0 to {MOST_DISTANCE}")
    exact = frozenset(h.lower() for h in hashes if not h.lower().startswith("pdq:"))
    near = np.array([_words(h) for h in hashes if h.lower().startswith("pdq:")], np.uint64).reshape(-1, 4)

    def listed(media: Media) -> bool | None:
        value = media.hash
        if value is None or not _HASH.fullmatch(value):
            return None
        if value.lower().startswith("pdq:"):
            bits = np.bitwise_count(near ^ np.array(_words(value), np.uint64)).sum(axis=1)
            return bool((bits <= distance).any())
        return value.lower() in exact

    return _any_file(listed)


def _words(pdq: str) -> list[int]:
    """A PDQ hash, ``pdq:`` and 64 hexadecimal digits, as four numbers of 64 bits."""
    return [int(pdq[4 + 16 * i : 20 + 16 * i], 16) for i in range(4)]


def _any_file(holds: Callable[[Media], bool | None]) -> Evaluate:
    """Whether it holds of a file; unknown where files are, or where it holds of none and is unknown of one."""

    def evaluate(batch: Batch) -> Column:
        found, known = np.zeros(len(batch), np.bool_), batch.media_known
        for i, media in batch.media.items():
            answers = {holds(m) for m in media}
            if True in answers:
                found[i] = True
            elif None in answers:
                known = np.ones(len(batch), np.bool_) if known is None else known.copy()
                known[i] = False
        return Column(found, known)

    return evaluate
