"""Features of files: their types, and hashes on lists of the community (MD5 and SHA-256 exactly, PDQ by distance)."""

import fnmatch
import re
from collections.abc import Callable

import numpy as np

from comity.core.event import Media
from comity.features.columns import Batch, Column
from comity.features.registry import Evaluate, Parameter, Plan, Type, feature

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
    wanted = re.compile("|".join(fnmatch.translate(t) for t in types) or r"(?!)", re.IGNORECASE)
    return _any_file(lambda media: wanted.match(media.type) is not None)


@feature(
    Type.TRUTH,
    first="hashes",
    hashes=Parameter(Type.WORDS),
    distance=Parameter(Type.NUMBER, 31),
)
def media_hash_in(_plan: Plan, *, hashes: list[str], distance: int) -> Evaluate:
    """Whether a file's hash is listed (``md5:``, ``sha256:``), or a picture's PDQ within ``distance`` of 256 bits.

    31 bits is the distance that PDQ's authors recommend (ThreatExchange, "PDQ & TMK + PDQF", 2019).
    """
    for h in hashes:
        if not _HASH.fullmatch(h):
            raise ValueError(f"{h!r} is no hash; expected md5:, sha256: or pdq: and its hexadecimal digits")
    exact = frozenset(h.lower() for h in hashes if not h.lower().startswith("pdq:"))
    near = [int(h[4:], 16) for h in hashes if h.lower().startswith("pdq:")]

    def listed(value: str | None) -> bool:
        if value is None or not _HASH.fullmatch(value):
            return False
        if value.lower().startswith("pdq:"):
            bits = int(value[4:], 16)
            return any((bits ^ other).bit_count() <= distance for other in near)
        return value.lower() in exact

    return _any_file(lambda media: listed(media.hash))


def _any_file(holds: Callable[[Media], bool]) -> Evaluate:
    def evaluate(batch: Batch) -> Column:
        found = np.zeros(len(batch), np.bool_)
        found[[i for i, media in batch.media.items() if any(holds(m) for m in media)]] = True
        return Column(found, batch.media_known)

    return evaluate
