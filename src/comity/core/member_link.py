"""The link by which a member enters their own page: signed, short-lived, for one pseudonym in one community."""

import base64
import binascii
import datetime as dt
import hmac
import struct
from typing import Final, NamedTuple

from comity.core.ids import KEY_BYTES, PSEUDONYM_BYTES

LASTS: Final = dt.timedelta(hours=24)
COMMAND: Final = "!comity me"  # what a member writes in a chat to get a new link
KEY: Final = "member link"  # the name of the key that links are signed with, in ``Access.key``
PATH_TO_PAGE: Final = "/me"
PATH: Final = f"{PATH_TO_PAGE}/in/"
_SHAPE: Final = struct.Struct(f">BIIQ{PSEUDONYM_BYTES}s")  # version, community, generation, until (s), pseudonym
_VERSION: Final = 1
_SEAL: Final = 16  # bytes
_PURPOSE: Final = b"comity member link\0"


class Entrance(NamedTuple):
    """What a link says. generation: the member's own at the time; a link of an older one is revoked."""

    community: int
    pseudonym: str
    generation: int
    until: dt.datetime


def member_link(key: bytes, community: int, pseudonym: str, now: dt.datetime, *, generation: int = 0) -> str:
    """The address, below ``public_url``, at which the member enters; good for 24 hours, as often as they like.

    key: the store's for links, 32 bytes; community: its number; pseudonym: 32 hexadecimal digits; generation: from 0.
    Raises ValueError for a key of another length or a pseudonym of another shape.
    Source: RFC 2104 (HMAC, with SHA-256, truncated to 128 bits), RFC 4648 section 5 (base64url).
    """
    if len(pseudonym) != 2 * PSEUDONYM_BYTES:
        raise ValueError(f"a pseudonym has {2 * PSEUDONYM_BYTES} hexadecimal digits, got {len(pseudonym)}")
    until = int((now + LASTS).timestamp())
    body = _SHAPE.pack(_VERSION, community, generation, until, bytes.fromhex(pseudonym))
    return PATH + base64.urlsafe_b64encode(body + _seal(key, body)).rstrip(b"=").decode()


def entrance(key: bytes, token: str, now: dt.datetime) -> Entrance | None:
    """What the last part of a link says; None if we did not make it, or its time is over.

    Whether its generation is still the member's is for whoever knows the member.
    """
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(sealed) != _SHAPE.size + _SEAL:
        return None
    body, seal = sealed[: _SHAPE.size], sealed[_SHAPE.size :]
    if not hmac.compare_digest(_seal(key, body), seal):
        return None
    version, community, generation, until, pseudonym = _SHAPE.unpack(body)
    if version != _VERSION or now.timestamp() >= until:
        return None
    return Entrance(community, pseudonym.hex(), generation, dt.datetime.fromtimestamp(until, dt.UTC))


def _seal(key: bytes, body: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"the key for links has {KEY_BYTES} bytes, got {len(key)}")
    return hmac.digest(key, _PURPOSE + body, "sha256")[:_SEAL]
