"""What every kind of store promises about people and their ways in."""

from collections.abc import Callable

import pytest

from comity.core.access import STAFF, Role, Scope
from comity.stores.access_contract import PasskeyRow, SessionRow, TokenRow
from comity.stores.contract import Refusal
from comity.stores.sql_store import SqlStore

pytest_plugins = ["store_kinds"]
AT = 1_700_000_000_000
HOUR = 3_600_000


@pytest.fixture
def store(reopen: Callable[[], SqlStore]) -> SqlStore:
    """A new store."""
    return reopen()


def person(store: SqlStore, name: str = "olive", role: Role = Role.OPERATOR) -> tuple[int, int]:
    """A community, and somebody of its staff."""
    here = store.community("tea-garden")
    number = store.access.add_person(name, "test", AT)
    assert isinstance(number, int)
    store.access.grant(number, here, role, "test", AT)
    return here, number


def session(secret: bytes, who: int | None = None, member: int | None = None) -> SessionRow:
    """A session of an hour, idle for half of it."""
    return SessionRow(secret, who, member, AT, AT, HOUR // 2, AT + HOUR, "passkey", "Chromium, Linux")


def passkey(of: int, key: bytes = b"key") -> PasskeyRow:
    """A passkey."""
    return PasskeyRow(key, of, b"public", 0, "Chromium, Linux", AT, 0)


def test_roles_are_held_per_community_and_all_there_is_comes_back(reopen: Callable[[], SqlStore]) -> None:
    """After the store was closed and opened, people are who they were, and keys what they were."""
    store = reopen()
    here, olive = person(store)
    there = store.community("attic")
    assert store.access.grant(olive, there, Role.AUDITOR, "test", AT)
    assert not store.access.grant(olive, there, Role.AUDITOR, "test", AT)
    key = store.access.key("member link")
    store = reopen()

    assert {here: {Role.OPERATOR}, there: {Role.AUDITOR}} == store.access.roles(olive)
    assert ["olive"] == [row.person.name for row in store.access.staff(there)]
    assert (32, key) == (len(key), store.access.key("member link"))
    assert key != store.access.key("another")
    with pytest.raises(ValueError, match="nobody is given"):
        store.access.grant(olive, here, Role.MEMBER, "test", AT)


def test_a_name_is_one_persons(store: SqlStore) -> None:
    """A second olive is refused, and nothing is kept of the attempt."""
    here, _ = person(store)

    assert isinstance(store.access.add_person("olive", "test", AT), Refusal)
    assert 1 == len(store.access.staff(here))


def test_the_last_operator_stays_and_tokens_go_with_a_role(store: SqlStore) -> None:
    """A community is never left without anybody who can give roles."""
    here, olive = person(store)
    assert isinstance(store.access.withdraw(olive, here, Role.OPERATOR, "test", AT), Refusal)
    _, rosa = person(store, "rosa")
    token = TokenRow(0, b"t" * 32, olive, here, "tea", frozenset({Scope.READ, Scope.DECIDE}), AT, AT + HOUR, 0)
    store.access.add_token(token)
    assert store.access.token(b"t" * 32, AT) == token._replace(number=1)

    assert store.access.withdraw(olive, here, Role.OPERATOR, "rosa", AT) is True
    assert store.access.withdraw(olive, here, Role.OPERATOR, "rosa", AT) is False
    assert store.access.token(b"t" * 32, AT) is None
    assert [rosa] == [row.person.number for row in store.access.staff(here)]


def test_an_enrolment_is_used_once_by_whom_it_is_for(store: SqlStore) -> None:
    """Not by another person, not after its end, not twice; a newer one ends it."""
    _, olive = person(store)
    _, rosa = person(store, "rosa")
    store.access.invite(b"1" * 32, olive, AT + HOUR, "test", AT)
    assert store.access.enrolling(b"1" * 32, AT + HOUR) is None
    assert not store.access.enrol_passkey(b"1" * 32, passkey(rosa))
    store.access.invite(b"2" * 32, olive, AT + HOUR, "test", AT)
    assert not store.access.enrol_passkey(b"1" * 32, passkey(olive))
    assert store.access.enrol_passkey(b"2" * 32, passkey(olive))
    assert not store.access.enrol_passkey(b"2" * 32, passkey(olive, b"other"))

    assert [b"key"] == [key.id for key in store.access.passkeys(olive)]


def test_a_way_in_is_one_persons_and_the_last_one_stays(store: SqlStore) -> None:
    """Neither a passkey nor an account can be taken over, and nobody locks themselves out."""
    _, olive = person(store)
    _, rosa = person(store, "rosa")
    assert store.access.enrol_passkey(None, passkey(olive))
    assert not store.access.enrol_passkey(None, passkey(rosa))
    assert isinstance(store.access.drop_way_in(olive, b"key", "olive", AT), Refusal)
    assert store.access.enrol_subject(None, b"s" * 32, olive, AT)
    assert not store.access.enrol_subject(None, b"s" * 32, rosa, AT)
    assert store.access.drop_way_in(rosa, b"key", "rosa", AT) is False
    assert store.access.drop_way_in(olive, b"key", "olive", AT) is True

    assert [None, olive] == [store.access.passkey(b"key"), store.access.subject_used(b"s" * 32, AT)]


def test_a_session_ends_by_its_end_by_idleness_and_by_hand(store: SqlStore) -> None:
    """At the millisecond that was said; what was swept is gone, what goes on is not."""
    here, olive = person(store)
    (ana,) = store.members(here, ["ana"], ["Ana"])
    store.access.open_session(session(b"a", who=olive))
    store.access.open_session(session(b"b", who=olive))
    store.access.open_session(session(b"c", member=ana))
    assert store.access.session(b"a", AT + HOUR // 2 - 1)
    assert store.access.session(b"a", AT + HOUR // 2) is None
    store.access.session_used(b"a", AT + HOUR // 2)
    assert [b"a"] == [s.hash for s in store.access.sessions(AT + HOUR - 1, person=olive)]
    assert store.access.session(b"a", AT + HOUR) is None
    store.access.sweep(AT + HOUR // 2)

    assert [1, 0] == [store.access.end_sessions(person=olive), store.access.end_sessions(member=ana)]
    with pytest.raises(ValueError, match="name one of both"):
        store.access.sessions(AT)


def test_revoking_ends_every_link_and_session_of_a_member_and_of_nobody_else(store: SqlStore) -> None:
    """The generation only grows."""
    here, _ = person(store)
    ana, bert = store.members(here, ["ana", "bert"], [None, None])
    for secret, member in ((b"a", ana), (b"b", bert)):
        store.access.open_session(session(secret, member=member))

    assert [0, 1, 2] == [store.access.generation(ana), store.access.revoke_links(ana), store.access.revoke_links(ana)]
    assert [None, True, 0] == [
        store.access.session(b"a", AT),
        store.access.session(b"b", AT) is not None,
        store.access.generation(bert),
    ]


def test_a_person_can_be_a_member_too(store: SqlStore) -> None:
    """One in each community; who it is can be put right, and 0 stands for nobody said so."""
    here, olive = person(store)
    ana, bert = store.members(here, ["ana", "bert"], [None, None])
    assert 0 == store.access.member_of(olive, here)
    store.access.name_member(olive, ana, "test", AT)
    store.access.name_member(olive, bert, "test", AT)

    assert bert == store.access.member_of(olive, here)
    with pytest.raises(ValueError, match="no member 99"):
        store.access.name_member(olive, 99, "test", AT)


def test_who_gave_which_access_is_kept_and_cannot_be_changed(store: SqlStore) -> None:
    """Newest first, in pages; also what concerns a person and no community."""
    here, olive = person(store)
    for role in STAFF[1:]:
        store.access.grant(olive, here, role, "rosa", AT)
    first = store.access.acts(here, most=2)
    rest = store.access.acts(here, before=first[-1].number)

    assert ["auditor", "neutral"] == [act.detail for act in first]
    assert ["grant", "grant", "add"] == [act.what for act in rest]
    assert {"rosa"} == {act.by for act in first}
    for change in ("UPDATE access_act SET by = 'x'", "DELETE FROM access_act"):
        with pytest.raises(Exception, match="what was done stays"), store.write():
            store._db.execute(change)
