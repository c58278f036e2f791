"""Sign-in at a provider by OpenID Connect: code flow with PKCE, state and nonce. Of the account a hash is kept."""

import hashlib
import hmac
import secrets
import time
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlencode

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from comity.core.errors import ComityError

_WITHIN: Final = 10.0  # seconds that the provider may take
_KNOWN: Final = 3600.0  # seconds that what it says of itself is taken to hold
_LEEWAY: Final = 60  # seconds that its clock may differ
_ALGORITHMS: Final = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]  # never "none", and no shared secrets


class ProviderError(ComityError):
    """The provider does not answer as OpenID Connect has it."""


class Begun(NamedTuple):
    """A sign-in under way. person: whose account it is to become, with the enrolment's hash; 0 to sign in."""

    state: str
    nonce: str
    verifier: str
    person: int
    enrolment: bytes


class Provider:
    """A provider. issuer: its address, as its tokens name it; name: what people call it; back: where it leads back."""

    def __init__(self, *, issuer: str, client_id: str, client_secret: str, name: str, back: str) -> None:
        self.issuer, self.name = issuer.rstrip("/"), name
        self._id, self._secret, self._back = client_id, client_secret, back
        self._known: dict[str, Any] = {}
        self._until = 0.0

    async def begin(self, person: int = 0, secret: bytes = b"") -> tuple[str, Begun]:
        """Where to send the browser, and what its return must match. Raises ProviderError."""
        about = await self._about()
        begun = Begun(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(64), person, secret)
        asked = {
            "response_type": "code",
            "client_id": self._id,
            "redirect_uri": self._back,
            "scope": "openid",  # nothing else: no name, no address
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": create_s256_code_challenge(begun.verifier),
            "code_challenge_method": "S256",
        }
        return f"{about['authorization_endpoint']}?{urlencode(asked)}", begun

    async def subject(self, begun: Begun, state: str, code: str, issuer: str) -> bytes | None:
        """The hash of the account that signed in; None if the answer is not the one to what was begun.

        issuer: what the answer names as its own, "" if nothing (RFC 9207). Raises ProviderError.
        """
        if not hmac.compare_digest(begun.state.encode(), state.encode()) or not code:
            return None
        if issuer and issuer.rstrip("/") != self.issuer:
            return None
        about = await self._about()
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "code_verifier": begun.verifier,
            "client_id": self._id,
        }
        answer = await self._ask("POST", about["token_endpoint"], data=sent, auth=(self._id, self._secret))
        keys = await self._ask("GET", about["jwks_uri"])
        try:
            token = jwt.decode(
                str(answer["id_token"]), KeySet.import_key_set(cast("Any", keys)), algorithms=_ALGORITHMS
            )
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={"iss": {"values": [about["issuer"]]}, "aud": {"value": self._id}},
                params={
                    "nonce": begun.nonce,
                    "client_id": self._id,
                    "access_token": answer.get("access_token"),
                },
            )
            claims.validate(now=int(time.time()), leeway=_LEEWAY)
        except (JoseError, KeyError, ValueError, TypeError):
            return None
        whole = f"{about['issuer']}\0{claims['sub']}"
        return hashlib.sha256(whole.encode()).digest()

    async def _about(self) -> dict[str, Any]:
        if time.monotonic() > self._until:
            about = await self._ask("GET", f"{self.issuer}/.well-known/openid-configuration")
            wanted = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"}
            if not wanted <= about.keys() or str(about["issuer"]).rstrip("/") != self.issuer:
                raise ProviderError(f"{self.issuer} does not say what it is as OpenID Connect Discovery has it")
            self._known, self._until = about, time.monotonic() + _KNOWN
        return self._known

    async def _ask(self, method: str, url: str, **sent: Any) -> dict[str, Any]:  # noqa: ANN401  httpx's own
        try:
            async with httpx.AsyncClient(timeout=_WITHIN, follow_redirects=False) as client:
                answer = await client.request(method, url, headers={"Accept": "application/json"}, **sent)
                found = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderError(f"{self.issuer} does not answer well ({type(error).__name__})") from error
        if not isinstance(found, dict):
            raise ProviderError(f"{self.issuer} answers with something else than a JSON object")
        return found
