"""Sessions: an opaque secret in a cookie, its hash in the store, and what proves that a form is ours."""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from comity.core.access import Role
from comity.core.who import Who
from comity.stores.access_contract import Access, PersonRow, SessionRow, TokenRow

BYTES: Final = 32
STAFF_IDLE: Final = dt.timedelta(hours=12)
STAFF_MOST: Final = dt.timedelta(days=7)
MEMBER_IDLE: Final = dt.timedelta(hours=2)
MEMBER_MOST: Final = dt.timedelta(hours=24)  # as long as the link it came by
USED_EVERY: Final = 60_000  # milliseconds: how exactly it is known when a session was last used


class Seen(NamedTuple):
    """Who asks. person: of the staff; member, community, pseudonym: a member's; roles: what they are, by community."""

    session: SessionRow
    roles: Mapping[int, frozenset[Role]]
    person: PersonRow | None = None
    member_of: Mapping[int, int] = {}
    community: int = 0
    pseudonym: str = ""

    def who(self, community: int) -> Who:
        """How their deeds in a community are signed."""
        if self.person is None:
            return Who(self.pseudonym, self.session.member or 0)
        neutral = Role.NEUTRAL in self.roles.get(community, ())
        return Who(self.person.name, self.member_of.get(community, 0), neutral)


def new_secret() -> str:
    """256 random bits, to be shown once."""
    return secrets.token_urlsafe(BYTES)


def hashed(secret: str) -> bytes:
    """What of a secret is kept. It has 256 random bits: there is nothing to be guessed that salt would slow down."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def csrf(secret: str) -> str:
    """What a form of this session carries: made of the cookie, which other sites can send but not read."""
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), b"comity form", "sha256")).rstrip(b"=").decode()


def csrf_holds(secret: str, given: str) -> bool:
    """Whether the form is one of this session's."""
    return hmac.compare_digest(csrf(secret).encode(), given.encode("utf-8", "replace"))


def seen(access: Access, secret: str, now: int) -> Seen | None:
    """Who the session's secret is of, if it goes on; runs where the store is read. now: milliseconds."""
    session = access.session(hashed(secret), now)
    if session is None:
        return None
    if session.person is not None:
        person, roles = access.person(session.person), access.roles(session.person)
        if person is None or not roles:
            return None  # whoever has no role any more is signed out with the last one
        return Seen(session, roles, person, {c: access.member_of(person.number, c) for c in roles})
    member = access.member_is(session.member or 0)
    if member is None:
        return None
    return Seen(session, {member[0]: frozenset({Role.MEMBER})}, community=member[0], pseudonym=member[1])


def opened(
    access: Access, now: dt.datetime, *, how: str, label: str, person: int | None = None, member: int | None = None
) -> str:
    """Open a session and return its secret. It is always a new one, whatever cookie came with the request."""
    secret = new_secret()
    at = millis(now)
    idle, most = (STAFF_IDLE, STAFF_MOST) if person is not None else (MEMBER_IDLE, MEMBER_MOST)
    session = SessionRow(
        hashed(secret), person, member, at, at, span(idle), at + span(most), how, label
    )  # fmt: skip
    access.open_session(session)
    return secret


def of_token(token: TokenRow) -> SessionRow:
    """What stands for a session where a token is used."""
    return SessionRow(token.hash, token.person, None, token.at, token.used, 0, token.until, "token", token.label)


def millis(now: dt.datetime) -> int:
    """Milliseconds since 1970."""
    return round(now.timestamp() * 1000)


def span(of: dt.timedelta) -> int:
    """A span in milliseconds."""
    return round(of.total_seconds() * 1000)


class Cookies(NamedTuple):
    """The cookies of a site. secure: it is reached by https; then their names bind them to this host and to https."""

    secure: bool

    def name(self, what: str) -> str:
        """The whole name of a cookie."""
        return f"__Host-comity-{what}" if self.secure else f"comity-{what}"

    def get(self, request: Request, what: str) -> str:
        """Its value, "" if there is none."""
        return request.cookies.get(self.name(what), "")

    def put(
        self, response: Response, what: str, value: str, *, strict: bool = True, seconds: int | None = None
    ) -> None:
        """Set it, out of scripts' reach; strict: not sent when another site leads here."""
        response.set_cookie(
            self.name(what),
            value,
            max_age=seconds,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="strict" if strict else "lax",
        )

    def drop(self, response: Response, what: str) -> None:
        """Take it back."""
        response.delete_cookie(self.name(what), path="/", secure=self.secure, httponly=True)


def browser(request: Request) -> str:
    """What browser it is, coarsely: enough to know one's own again, and not enough to know anybody by."""
    agent = request.headers.get("user-agent", "")
    families = (("Firefox", "Firefox"), ("Edg", "Edge"), ("Chrom", "Chromium"), ("Safari", "Safari"))
    systems = (
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    family = next((name for mark, name in families if mark in agent), "")
    system = next((name for mark, name in systems if mark in agent), "")
    return ", ".join(word for word in (family, system) if word) or "unknown"
