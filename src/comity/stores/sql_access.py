"""People and access in SQL that every store of ours runs; ``access_contract.Access`` promises it."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from comity.core.access import Role, Scope
from comity.core.ids import KEY_BYTES
from comity.stores.access_contract import (
    ActRow,
    PasskeyRow,
    PersonRow,
    SessionRow,
    StaffRow,
    SubjectRow,
    TokenRow,
)
from comity.stores.contract import Refusal

_HANDLE: Final = 32  # bytes
_USED_EVERY: Final = 60_000  # milliseconds between two notes that something was used: a request is no reason to write
_PERSON: Final = "SELECT number, name, handle, at FROM person"
_PASSKEY: Final = "SELECT id, person, public_key, signs, label, at, used FROM passkey"
_SESSION: Final = "SELECT hash, person, member, opened, used, idle, until, how, label FROM session"
_TOKEN: Final = "SELECT number, hash, person, community, label, scopes, at, until, used FROM token"  # noqa: S105  a query


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:  # noqa: ANN401  a row of whatever was asked for
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """All that are left."""


class Connection(Protocol):
    """A connection with the shape of ``sqlite3``'s; parameters stand as ``?``."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows:
        """Run one statement."""


Within = Callable[[], AbstractContextManager[None]]


class SqlAccess:
    """Access over a connection. write: the store's transaction; told: turns the database's errors into StoreError."""

    def __init__(self, db: Connection, write: Within, told: Within) -> None:
        self._db, self._write, self._told = db, write, told

    def _one(self, sql: str, *values: object) -> Any:  # noqa: ANN401  a row of whatever was asked for
        with self._told():
            return self._db.execute(sql, values).fetchone()

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._told():
            return self._db.execute(sql, values).fetchall()

    def _do(self, sql: str, *values: object) -> int:
        with self._write():
            return self._db.execute(sql, values).rowcount

    def _next(self, table: str) -> int:
        found: int = self._one(f"SELECT coalesce(max(number), 0) + 1 FROM {table}")[0]  # noqa: S608  our own names
        return found

    def key(self, name: str) -> bytes:
        """See ``Access.key``."""
        row = self._one("SELECT value FROM secret WHERE name = ?", name)
        if row is None:
            self._do(
                "INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                name,
                secrets.token_bytes(KEY_BYTES),
            )
            row = self._one("SELECT value FROM secret WHERE name = ?", name)
        return bytes(row[0])

    def communities(self) -> Mapping[int, str]:
        """See ``Access.communities``."""
        return dict(self._all("SELECT number, name FROM community ORDER BY number"))

    # People and roles.

    def add_person(self, name: str, by: str, at: int) -> int | Refusal:
        """See ``Access.add_person``."""
        with self._write():
            if self.person_named(name):
                return Refusal(f"somebody goes by {name!r} already")
            number = self._next("person")
            self._do(
                "INSERT INTO person (number, name, handle, at) VALUES (?, ?, ?, ?)",
                number,
                name,
                secrets.token_bytes(_HANDLE),
                at,
            )
            self._act(at, by, "add", number)
        return number

    def person(self, number: int) -> PersonRow | None:
        """See ``Access.person``."""
        return _person(self._one(f"{_PERSON} WHERE number = ?", number))

    def person_named(self, name: str) -> PersonRow | None:
        """See ``Access.person_named``."""
        return _person(self._one(f"{_PERSON} WHERE name = ?", name))

    def person_with(self, handle: bytes) -> PersonRow | None:
        """See ``Access.person_with``."""
        return _person(self._one(f"{_PERSON} WHERE handle = ?", handle))

    def staff(self, community: int) -> list[StaffRow]:
        """See ``Access.staff``."""
        rows = self._all(
            "SELECT number, name, handle, person.at, role FROM person JOIN role_of ON role_of.person = person.number "
            "WHERE community = ? ORDER BY name, number",
            community,
        )
        people: dict[int, PersonRow] = {}
        roles: dict[int, set[Role]] = {}
        for *person, role in rows:
            row = PersonRow._make(person)
            people[row.number] = row
            roles.setdefault(row.number, set()).add(Role(role))
        return [StaffRow(row, frozenset(roles[number])) for number, row in people.items()]

    def roles(self, person: int) -> dict[int, frozenset[Role]]:
        """See ``Access.roles``."""
        found: dict[int, set[Role]] = {}
        for community, role in self._all(
            "SELECT community, role FROM role_of WHERE person = ? ORDER BY community", person
        ):
            found.setdefault(community, set()).add(Role(role))
        return {community: frozenset(roles) for community, roles in found.items()}

    def grant(self, person: int, community: int, role: Role, by: str, at: int) -> bool:
        """See ``Access.grant``."""
        if role is Role.MEMBER:
            raise ValueError("nobody is given the member's role: whoever is in a community is its member")
        with self._write():
            done = self._do(
                "INSERT INTO role_of (person, community, role, by, at) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (person, community, role) DO NOTHING",
                person,
                community,
                role.value,
                by,
                at,
            )
            if done:
                self._act(at, by, "grant", person, community, role.value)
        return done > 0

    def withdraw(self, person: int, community: int, role: Role, by: str, at: int) -> bool | Refusal:
        """See ``Access.withdraw``."""
        with self._write():
            holders = self._all("SELECT person FROM role_of WHERE community = ? AND role = ?", community, role.value)
            if (person,) not in [tuple(row) for row in holders]:
                return False
            if role is Role.OPERATOR and len(holders) == 1:
                return Refusal("a community keeps at least one operator: name another one first")
            self._do(
                "DELETE FROM role_of WHERE person = ? AND community = ? AND role = ?", person, community, role.value
            )
            self._do("DELETE FROM token WHERE person = ? AND community = ?", person, community)
            self._act(at, by, "withdraw", person, community, role.value)
        return True

    def member_of(self, person: int, community: int) -> int:
        """See ``Access.member_of``."""
        row = self._one("SELECT member FROM person_is WHERE person = ? AND community = ?", person, community)
        return 0 if row is None else int(row[0])

    def name_member(self, person: int, member: int, by: str, at: int) -> None:
        """See ``Access.name_member``."""
        with self._write():
            found = self.member_is(member)
            if found is None:
                raise ValueError(f"there is no member {member}")
            self._do(
                "INSERT INTO person_is (person, community, member) VALUES (?, ?, ?) "
                "ON CONFLICT (person, community) DO UPDATE SET member = excluded.member",
                person,
                found[0],
                member,
            )
            self._act(at, by, "name member", person, found[0])

    def acts(self, community: int, *, before: int | None = None, most: int = 50) -> list[ActRow]:
        """See ``Access.acts``."""
        rows = self._all(
            "SELECT number, at, by, what, person, community, detail FROM access_act "
            "WHERE (community = ? OR (community = 0 AND person IN (SELECT person FROM role_of WHERE community = ?))) "
            "AND number < ? ORDER BY number DESC LIMIT ?",
            community,
            community,
            2**62 if before is None else before,
            most,
        )
        return [ActRow._make(row) for row in rows]

    def _act(self, at: int, by: str, what: str, person: int, community: int = 0, detail: str = "") -> None:  # noqa: PLR0917  a row
        self._do(
            "INSERT INTO access_act (number, at, by, what, person, community, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
            self._next("access_act"),
            at,
            by,
            what,
            person,
            community,
            detail,
        )

    # Ways in.

    def invite(self, secret: bytes, person: int, until: int, by: str, at: int) -> None:
        """See ``Access.invite``."""
        with self._write():
            self._do("DELETE FROM enrolment WHERE person = ?", person)
            self._do("INSERT INTO enrolment (hash, person, until) VALUES (?, ?, ?)", secret, person, until)
            self._act(at, by, "invite", person)

    def enrolling(self, secret: bytes, at: int) -> int | None:
        """See ``Access.enrolling``."""
        row = self._one("SELECT person FROM enrolment WHERE hash = ? AND until > ?", secret, at)
        return None if row is None else int(row[0])

    def _use(self, secret: bytes | None, person: int, at: int) -> bool:
        """Use up the enrolment of this person, if it takes one; within ``write()``."""
        return secret is None or bool(
            self._do("DELETE FROM enrolment WHERE hash = ? AND person = ? AND until > ?", secret, person, at)
        )

    def enrol_passkey(self, secret: bytes | None, key: PasskeyRow) -> bool:
        """See ``Access.enrol_passkey``."""
        with self._write():
            if self.passkey(key.id) or not self._use(secret, key.person, key.at):
                return False
            self._do(
                "INSERT INTO passkey (id, person, public_key, signs, label, at, used) VALUES (?, ?, ?, ?, ?, ?, ?)",
                *key,
            )
            self._act(key.at, self._name(key.person), "enrol passkey", key.person)
        return True

    def enrol_subject(self, secret: bytes | None, subject: bytes, person: int, at: int) -> bool:
        """See ``Access.enrol_subject``."""
        with self._write():
            if self._one("SELECT person FROM subject WHERE hash = ?", subject) or not self._use(secret, person, at):
                return False
            self._do("INSERT INTO subject (hash, person, at, used) VALUES (?, ?, ?, 0)", subject, person, at)
            self._act(at, self._name(person), "enrol account", person)
        return True

    def _name(self, person: int) -> str:
        row = self.person(person)
        return row.name if row else "nobody"

    def passkey(self, key_id: bytes) -> PasskeyRow | None:
        """See ``Access.passkey``."""
        row = self._one(f"{_PASSKEY} WHERE id = ?", key_id)
        return None if row is None else PasskeyRow._make(row)

    def passkeys(self, person: int) -> list[PasskeyRow]:
        """See ``Access.passkeys``."""
        return [PasskeyRow._make(row) for row in self._all(f"{_PASSKEY} WHERE person = ? ORDER BY at, id", person)]

    def passkey_used(self, key_id: bytes, signs: int, at: int) -> None:
        """See ``Access.passkey_used``."""
        self._do("UPDATE passkey SET signs = ?, used = ? WHERE id = ?", signs, at, key_id)

    def subjects(self, person: int) -> list[SubjectRow]:
        """See ``Access.subjects``."""
        rows = self._all("SELECT hash, person, at, used FROM subject WHERE person = ? ORDER BY at, hash", person)
        return [SubjectRow._make(row) for row in rows]

    def subject_used(self, subject: bytes, at: int) -> int | None:
        """See ``Access.subject_used``."""
        with self._write():
            row = self._one("SELECT person FROM subject WHERE hash = ?", subject)
            if row is None:
                return None
            self._do("UPDATE subject SET used = ? WHERE hash = ?", at, subject)
        return int(row[0])

    def drop_way_in(self, person: int, way: bytes, by: str, at: int) -> bool | Refusal:
        """See ``Access.drop_way_in``."""
        with self._write():
            ways = [key.id for key in self.passkeys(person)] + [subject.hash for subject in self.subjects(person)]
            if way not in ways:
                return False
            if len(ways) == 1:
                return Refusal("this is the last way in: add another one first")
            self._do("DELETE FROM passkey WHERE person = ? AND id = ?", person, way)
            self._do("DELETE FROM subject WHERE person = ? AND hash = ?", person, way)
            self._act(at, by, "drop way in", person)
        return True

    # Sessions.

    def open_session(self, session: SessionRow) -> None:
        """See ``Access.open_session``."""
        self._do(
            "INSERT INTO session (hash, person, member, opened, used, idle, until, how, label) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *session,
        )

    def session(self, secret: bytes, at: int) -> SessionRow | None:
        """See ``Access.session``."""
        row = self._one(f"{_SESSION} WHERE hash = ? AND until > ? AND used + idle > ?", secret, at, at)
        return None if row is None else SessionRow._make(row)

    def session_used(self, secret: bytes, at: int) -> None:
        """See ``Access.session_used``."""
        self._do("UPDATE session SET used = ? WHERE hash = ? AND used < ?", at, secret, at)

    def sessions(self, at: int, *, person: int | None = None, member: int | None = None) -> list[SessionRow]:
        """See ``Access.sessions``."""
        whose, number = _whose(person, member)
        rows = self._all(
            f"{_SESSION} WHERE {whose} = ? AND until > ? AND used + idle > ? ORDER BY used DESC, hash", number, at, at
        )
        return [SessionRow._make(row) for row in rows]

    def end_session(self, secret: bytes) -> bool:
        """See ``Access.end_session``."""
        return self._do("DELETE FROM session WHERE hash = ?", secret) > 0

    def end_sessions(self, *, person: int | None = None, member: int | None = None, but: bytes = b"") -> int:
        """See ``Access.end_sessions``."""
        whose, number = _whose(person, member)
        return self._do(f"DELETE FROM session WHERE {whose} = ? AND hash <> ?", number, but)  # noqa: S608  our own names

    def sweep(self, at: int) -> None:
        """See ``Access.sweep``."""
        with self._write():
            self._do("DELETE FROM session WHERE until <= ? OR used + idle <= ?", at, at)
            self._do("DELETE FROM enrolment WHERE until <= ?", at)
            self._do("DELETE FROM token WHERE until <= ?", at)

    # Members.

    def member_called(self, community: int, pseudonym: str) -> int | None:
        """See ``Access.member_called``."""
        row = self._one("SELECT number FROM member WHERE community = ? AND pseudonym = ?", community, pseudonym)
        return None if row is None else int(row[0])

    def member_is(self, member: int) -> tuple[int, str] | None:
        """See ``Access.member_is``."""
        row = self._one("SELECT community, pseudonym FROM member WHERE number = ?", member)
        return None if row is None else (int(row[0]), str(row[1]))

    def generation(self, member: int) -> int:
        """See ``Access.generation``."""
        row = self._one("SELECT generation FROM link_generation WHERE member = ?", member)
        return 0 if row is None else int(row[0])

    def revoke_links(self, member: int) -> int:
        """See ``Access.revoke_links``."""
        with self._write():
            self._do(
                "INSERT INTO link_generation (member, generation) VALUES (?, 1) "
                "ON CONFLICT (member) DO UPDATE SET generation = link_generation.generation + 1",
                member,
            )
            self.end_sessions(member=member)
            return self.generation(member)

    # Tokens of the API.

    def add_token(self, token: TokenRow) -> int:
        """See ``Access.add_token``."""
        with self._write():
            number = self._next("token")
            row = (number, token.hash, token.person, token.community, token.label, " ".join(sorted(token.scopes)))
            self._do(
                "INSERT INTO token (number, hash, person, community, label, scopes, at, until, used) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *row,
                token.at,
                token.until,
                token.used,
            )
            self._act(token.at, self._name(token.person), "add token", token.person, token.community, token.label)
        return number

    def token(self, secret: bytes, at: int) -> TokenRow | None:
        """See ``Access.token``."""
        row = self._one(f"{_TOKEN} WHERE hash = ? AND until > ?", secret, at)
        if row is None:
            return None
        found = _token(row)
        if at - found.used >= _USED_EVERY:
            self._do("UPDATE token SET used = ? WHERE number = ?", at, found.number)
        return found

    def tokens(self, person: int, at: int) -> list[TokenRow]:
        """See ``Access.tokens``."""
        rows = self._all(f"{_TOKEN} WHERE person = ? AND until > ? ORDER BY number DESC", person, at)
        return [_token(row) for row in rows]

    def end_token(self, person: int, number: int) -> bool:
        """See ``Access.end_token``."""
        return self._do("DELETE FROM token WHERE person = ? AND number = ?", person, number) > 0


def _whose(person: int | None, member: int | None) -> tuple[str, int]:
    if person is not None and member is None:
        return "person", person
    if member is not None and person is None:
        return "member", member
    raise ValueError("sessions are one person's or one member's: name one of both")


def _person(row: Any) -> PersonRow | None:  # noqa: ANN401  a row of whatever kind the database gives
    return None if row is None else PersonRow._make(row)


def _token(row: Any) -> TokenRow:  # noqa: ANN401  the same
    made = TokenRow._make(row)
    return made._replace(scopes=frozenset(map(Scope, str(made.scopes).split())))
