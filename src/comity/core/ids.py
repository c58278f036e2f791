"""Pseudonyms: what a member is called in code and tables, in one community and in no other."""

import hmac
from typing import Final

KEY_BYTES: Final = 32
PSEUDONYM_BYTES: Final = 16


def pseudonym(key: bytes, account: str) -> str:
    """The member's pairwise pseudonym: 32 hexadecimal digits, the same for one account under one key.

    key: the community's, 32 bytes; account: the platform's own identifier, taken as it is, byte for byte of its UTF-8.
    Two communities have two keys, so nobody can tell from two pseudonyms whether they are one person's.
    Raises ValueError if the key has another length or the account is empty.
    Source: RFC 2104 (HMAC, with SHA-256; section 5 allows the truncation to 128 bits).
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"a community's key has {KEY_BYTES} bytes, got {len(key)}")
    if not account:
        raise ValueError("an account needs a name, got an empty one")
    return hmac.digest(key, account.encode(), "sha256")[:PSEUDONYM_BYTES].hex()
