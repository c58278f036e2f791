"""A provider of sign-ins for the example alone: it asks "who are you here?" and believes the answer.

Sign-in to the console is the real one, by OpenID Connect; what a real provider would ask, a password or a key, is left
out, because everything here is on one machine and ends with it. Whoever runs Comity names a provider of their own.
Source: OpenID Connect Core 1.0 (code flow), Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (issuer in the answer).
"""

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote, urlencode

from aiohttp import web
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import RSAKey

PATH: Final = "/door"
LASTS: Final = 300.0  # seconds in which a code can be used
_ALGORITHM: Final = "RS256"


class Client(NamedTuple):
    """Who may send people here. back: where they are led back to, and nowhere else."""

    id: str
    secret: str
    back: str


class Issued(NamedTuple):
    """A code that was given out. until: of the monotonic clock."""

    who: str
    nonce: str
    challenge: str
    until: float


class SignIns:
    """The provider. issuer: its address; who: people that can sign in, each with a sentence about them.

    page: makes the page on which one chooses, of the people and the fields to be sent along.
    """

    def __init__(
        self,
        issuer: str,
        client: Client,
        who: Mapping[str, str],
        page: Callable[[Mapping[str, str], Mapping[str, str]], web.Response],
    ) -> None:
        self.issuer, self._client, self._who, self._page = issuer, client, who, page
        self._key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(8), "use": "sig"})
        self._codes: dict[str, Issued] = {}

    def routes(self) -> list[web.RouteDef]:
        """What a provider answers."""
        return [
            web.get(f"{PATH}/.well-known/openid-configuration", self._about),
            web.get(f"{PATH}/keys", self._keys),
            web.get(f"{PATH}/who", self._ask),
            web.post(f"{PATH}/who", self._choose),
            web.post(f"{PATH}/token", self._token),
        ]

    async def _about(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/who",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [_ALGORITHM],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _keys(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": [self._key.as_dict(private=False)]})

    async def _ask(self, request: web.Request) -> web.Response:
        asked = self._asked(request.query)
        return _wrong("invalid_request") if asked is None else self._page(self._who, asked)

    async def _choose(self, request: web.Request) -> web.Response:
        given = {name: str(value) for name, value in (await request.post()).items()}
        asked, who = self._asked(given), given.get("who", "")
        if asked is None or who not in self._who:
            return _wrong("invalid_request")
        code = secrets.token_urlsafe(24)
        self._codes[code] = Issued(who, asked["nonce"], asked["code_challenge"], time.monotonic() + LASTS)
        answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        raise web.HTTPSeeOther(f"{self._client.back}?{urlencode(answer)}")

    async def _token(self, request: web.Request) -> web.Response:
        given = {name: str(value) for name, value in (await request.post()).items()}
        if not self._known(request, given):
            return _wrong("invalid_client", 401)
        issued = self._codes.pop(given.get("code", ""), None)
        verifier = given.get("code_verifier", "")
        if issued is None or issued.until < time.monotonic() or given.get("redirect_uri") != self._client.back:
            return _wrong("invalid_grant")
        if not hmac.compare_digest(create_s256_code_challenge(verifier).encode(), issued.challenge.encode()):
            return _wrong("invalid_grant")
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": issued.who, "aud": self._client.id, "nonce": issued.nonce}
        token = jwt.encode(
            {"alg": _ALGORITHM, "kid": self._key.kid}, {**claims, "iat": now, "exp": now + int(LASTS)}, self._key
        )
        answer = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": token}
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

    def _asked(self, query: Mapping[str, str]) -> dict[str, str] | None:
        """What a request to sign in holds; None unless it is one, from the one client there is, with PKCE."""
        names = ("client_id", "redirect_uri", "response_type", "state", "nonce", "code_challenge")
        asked = {name: query.get(name, "") for name in (*names, "code_challenge_method")}
        wanted = {
            "client_id": self._client.id,
            "redirect_uri": self._client.back,
            "response_type": "code",
            "code_challenge_method": "S256",
        }
        return asked if all(asked.values()) and wanted.items() <= asked.items() else None

    def _known(self, request: web.Request, given: Mapping[str, str]) -> bool:
        """Whether the client says who it is, by header (RFC 6749, section 2.3.1)."""
        kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        known = hmac.compare_digest(unquote(secret).encode(), self._client.secret.encode())
        return kind.lower() == "basic" and unquote(name) == self._client.id == given.get("client_id") and known


def _wrong(error: str, status: int = 400) -> web.Response:
    return web.json_response({"error": error}, status=status, headers={"Cache-Control": "no-store"})
