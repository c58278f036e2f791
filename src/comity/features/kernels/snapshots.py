"""What windows share: bounds of their settings, and snapshots that are put back whole or not at all."""

import struct
import zlib
from collections.abc import Sequence

MOST_GRACE = 3_600_000  # an hour in milliseconds
MOST_WITHIN = 1 << 53  # milliseconds; far from where sums with a time would overflow
MOST_ROWS = 1 << 29  # positions are 32 bits
VERSION = 2
_HEADER = struct.Struct("<4sHqqq")


def check(within: int, ceiling_rows: int, per_key: int) -> None:
    """Raise ValueError, with the setting's name, if one is out of bounds."""
    for name, value, most in (
        ("within", within, MOST_WITHIN),
        ("ceiling_rows", ceiling_rows, MOST_ROWS),
        ("per_key", per_key, MOST_ROWS),
    ):
        if not 1 <= value <= most:
            raise ValueError(f"{name} must be 1 to {most}, got {value}")


def sealed(kind: bytes, settings: tuple[int, int, int], parts: Sequence[bytes]) -> bytes:
    """A snapshot: kind of four bytes, version, settings (within, ceiling_rows, per_key), the parts, a CRC-32."""
    body = b"".join((_HEADER.pack(kind, VERSION, *settings), *parts))
    return body + struct.pack("<I", zlib.crc32(body))


def opened(data: bytes, kind: bytes, settings: tuple[int, int, int]) -> memoryview:
    """The parts of a snapshot. Raises ValueError if it is damaged, or of another kind, version or settings."""
    body = memoryview(data)[:-4]
    if len(data) < _HEADER.size + 4 or zlib.crc32(body).to_bytes(4, "little") != data[-4:]:
        raise ValueError("a snapshot must end in the checksum of what stands before it; this one is damaged")
    expected, found = (kind, VERSION, *settings), _HEADER.unpack_from(body)
    if found != expected:
        raise ValueError(
            f"a snapshot must be of this window {expected} (kind, version, within, ceiling_rows, per_key), got {found}"
        )
    return body[_HEADER.size :]
