"""How often: a bucket of tokens for each who asks, refilled with time; in memory, and bounded."""

from collections import OrderedDict
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple

_MOST: Final = 20_000  # buckets; the ones longest unused go first, and they are full by then or somebody floods us
_NET: Final = 64  # bits of an IPv6 address that are one household's


class Limit(NamedTuple):
    """burst: asked for at once; every: seconds until one more is allowed."""

    burst: int
    every: float


# One for each address and one for each session: an address may be a whole school's, and so gets four times as much.
LIMITS: Final[Mapping[str, Limit]] = {
    "static": Limit(400, 0.02),
    "page": Limit(120, 0.1),
    "search": Limit(40, 0.5),
    "link": Limit(20, 6.0),
    "sign-in": Limit(20, 6.0),
    "api": Limit(120, 0.1),
}
_ADDRESS: Final = 4


class Limits:
    """Remembers who asked how often."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def wait(self, limit: str, now: float, *, address: str, session: str = "") -> float:
        """Seconds until this may be asked for again; 0.0: now, and it counts.

        now: any clock's seconds that only grow; address: of who asks, "" if unknown; session: "" without one.
        """
        burst, every = LIMITS[limit]
        keys = [((limit, f"a {net(address)}"), burst * _ADDRESS, every / _ADDRESS)]
        if session:
            keys.append(((limit, f"s {session}"), burst, every))
        left = [(key, self._left(key, most, pace, now), pace) for key, most, pace in keys]
        longest = max((1.0 - tokens) * pace for _, tokens, pace in left)
        if longest > 0.0:
            return longest
        for key, tokens, _ in left:
            self._buckets[key] = tokens - 1.0, now
            self._buckets.move_to_end(key)
        while len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        return 0.0

    def _left(self, key: tuple[str, str], most: int, pace: float, now: float) -> float:
        tokens, at = self._buckets.get(key, (float(most), now))
        return min(float(most), tokens + max(0.0, now - at) / pace)


def net(address: str) -> str:
    """The address as one who asks: of IPv6 only the network, since a household has 2^64 addresses."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return f"{IPv6Address(int(found) >> (128 - _NET) << (128 - _NET))}/{_NET}"
    return str(found)
