"""Signing messages as Standard Webhooks 1.0 has it. Pure."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final

_PREFIX: Final = "whsec_"
_BYTES: Final = 32


def new_secret() -> str:
    """A secret to sign with: ``whsec_`` and 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signed(secret: str, id_: str, at: int, body: str) -> Mapping[str, str]:
    """The headers of a message. at: of this try, seconds since 1970. Raises ValueError if the secret is none.

    Source: Standard Webhooks, "Webhook headers" and "Signature scheme" (HMAC-SHA256 over ``id.timestamp.body``).
    """
    if not secret.startswith(_PREFIX):
        raise ValueError(f"a secret begins with {_PREFIX}")
    key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    made = hmac.digest(key, f"{id_}.{at}.{body}".encode(), hashlib.sha256)
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(made).decode()}",
    }
