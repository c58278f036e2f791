"""What a store promises about people and access: staff and their roles, ways in, sessions, links, tokens."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from comity.core.access import Role, Scope
from comity.stores.contract import Refusal


class PersonRow(NamedTuple):
    """Somebody of the staff. name: a pseudonym of their own choosing; handle: random, what passkeys know them by."""

    number: int
    name: str
    handle: bytes
    at: int


class StaffRow(NamedTuple):
    """A person and what they are in one community."""

    person: PersonRow
    roles: frozenset[Role]


class PasskeyRow(NamedTuple):
    """A passkey. id and public_key: the authenticator's; signs: its counter; at, used: milliseconds, 0 for never."""

    id: bytes
    person: int
    public_key: bytes
    signs: int
    label: str
    at: int
    used: int


class SubjectRow(NamedTuple):
    """An account at a provider of sign-ins, as a hash."""

    hash: bytes
    person: int
    at: int
    used: int


class SessionRow(NamedTuple):
    """A session of a person or a member, and the other is None.

    hash: SHA-256 of the cookie's value; opened, used, until: milliseconds since 1970; idle: milliseconds; how: passkey,
    provider or link; label: what browser it was, coarsely.
    """

    hash: bytes
    person: int | None
    member: int | None
    opened: int
    used: int
    idle: int
    until: int
    how: str
    label: str


class TokenRow(NamedTuple):
    """A token of the API, good in one community; used: 0 for never."""

    number: int
    hash: bytes
    person: int
    community: int
    label: str
    scopes: frozenset[Scope]
    at: int
    until: int
    used: int


class ActRow(NamedTuple):
    """Who gave or took which access: what is one of ``add``, ``grant``, ``withdraw``, ``invite``, ``enrol``, ..."""

    number: int
    at: int
    by: str
    what: str
    person: int
    community: int
    detail: str


class Access(Protocol):
    """People and their ways in. Changes join the store's ``write()``; times are milliseconds since 1970.

    Hashes are SHA-256 of secrets that are shown once and kept nowhere.
    """

    def key(self, name: str) -> bytes:
        """32 random bytes under this name, made when first asked for; that needs a store open for writing."""

    def communities(self) -> Mapping[int, str]:
        """The name of every community, by its number."""

    # People and roles.

    def add_person(self, name: str, by: str, at: int) -> int | Refusal:
        """Somebody new; their number, or why not: the name is taken."""

    def person(self, number: int) -> PersonRow | None:
        """The person with this number."""

    def person_named(self, name: str) -> PersonRow | None:
        """The person who goes by this pseudonym."""

    def person_with(self, handle: bytes) -> PersonRow | None:
        """The person whom a passkey knows by this handle."""

    def staff(self, community: int) -> Sequence[StaffRow]:
        """Everybody who is something in this community, by name."""

    def roles(self, person: int) -> Mapping[int, frozenset[Role]]:
        """What the person is, by community."""

    def grant(self, person: int, community: int, role: Role, by: str, at: int) -> bool:
        """Give a role; False if they had it. Raises ValueError for the member's role, which nobody is given."""

    def withdraw(self, person: int, community: int, role: Role, by: str, at: int) -> bool | Refusal:
        """Take a role; False if they did not have it. Refused for the last operator. Their tokens there end with it."""

    def member_of(self, person: int, community: int) -> int:
        """The number of the member of this community who is this person; 0 if nobody said so."""

    def name_member(self, person: int, member: int, by: str, at: int) -> None:
        """Say that the person is this member; in one community they are one. Raises ValueError for no such member."""

    def acts(self, community: int, *, before: int | None = None, most: int = 50) -> Sequence[ActRow]:
        """What was done about access in a community, newest first, below the number ``before``."""

    # Ways in.

    def invite(self, secret: bytes, person: int, until: int, by: str, at: int) -> None:
        """Let a person enrol with this hash's secret, once; what was offered before is over."""

    def enrolling(self, secret: bytes, at: int) -> int | None:
        """Whose enrolment it is; None if there is none, it was used, or it is over."""

    def enrol_passkey(self, secret: bytes | None, key: PasskeyRow) -> bool:
        """Keep a passkey; secret: the enrolment used up by it, None for a further one. False if either is not there."""

    def enrol_subject(self, secret: bytes | None, subject: bytes, person: int, at: int) -> bool:
        """The same for an account at a provider; False also if the account is somebody's already."""

    def passkey(self, key_id: bytes) -> PasskeyRow | None:
        """The passkey with this id."""

    def passkeys(self, person: int) -> Sequence[PasskeyRow]:
        """A person's passkeys, oldest first."""

    def passkey_used(self, key_id: bytes, signs: int, at: int) -> None:
        """Note the counter of a passkey that was used."""

    def subjects(self, person: int) -> Sequence[SubjectRow]:
        """A person's accounts at a provider."""

    def subject_used(self, subject: bytes, at: int) -> int | None:
        """Whose account it is, noting that it was used."""

    def drop_way_in(self, person: int, way: bytes, by: str, at: int) -> bool | Refusal:
        """Take away a passkey (its id) or an account (its hash); refused for the last one."""

    # Sessions.

    def open_session(self, session: SessionRow) -> None:
        """Keep a session."""

    def session(self, secret: bytes, at: int) -> SessionRow | None:
        """The session with this hash; None once it is over, by its end or by idleness."""

    def session_used(self, secret: bytes, at: int) -> None:
        """Note that it was used."""

    def sessions(self, at: int, *, person: int | None = None, member: int | None = None) -> Sequence[SessionRow]:
        """Those of one person or one member that go on, the last used first."""

    def end_session(self, secret: bytes) -> bool:
        """End one; False if there was none."""

    def end_sessions(self, *, person: int | None = None, member: int | None = None, but: bytes = b"") -> int:
        """End all of one person or one member, but for one; how many."""

    def sweep(self, at: int) -> None:
        """Drop what is over: sessions, enrolments, tokens."""

    # Members.

    def member_called(self, community: int, pseudonym: str) -> int | None:
        """The member's number."""

    def member_is(self, member: int) -> tuple[int, str] | None:
        """The member's community and pseudonym."""

    def generation(self, member: int) -> int:
        """The generation of the member's links; those of an older one are revoked."""

    def revoke_links(self, member: int) -> int:
        """Revoke all links there are and end the member's sessions; the new generation."""

    # Tokens of the API.

    def add_token(self, token: TokenRow) -> int:
        """Keep a token; its number, whatever the row says."""

    def token(self, secret: bytes, at: int) -> TokenRow | None:
        """The token with this hash, noting that it was used; None once it is over."""

    def tokens(self, person: int, at: int) -> Sequence[TokenRow]:
        """A person's tokens that go on, newest first."""

    def end_token(self, person: int, number: int) -> bool:
        """End one; False if this person has none of that number."""
