"""Features of names and accounts: who looks like whom, who is listed, and what is unknown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.core.event import Event
from comity.engine import Engine
from comity.features.skeleton import skeletons
from feature_columns import column, fires, message
from provoking_chats import charter, own_clause


def named(name: str | None, role: str | None = "member", member: str = "", community: str = "tea") -> Event:
    """A message under a name."""
    return message("tea", name=name, role=role, member=member or str(name), community=community)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Oliver", "0liver"), ("Oliver", "Оliver"), ("Oliver", "OLIVER"), ("oliver", "o l i v e r"), ("oliver",
        "oli\u200bver"),
        ("rn-team", "m-team"), ("Clara", "CIara"), ("paypal", "раураl"), ("admin", "аdmin"), ("Zoë", "Zoe"),
        ("vv", "w"),
    ],
)  # fmt: skip
def test_names_that_the_eye_takes_for_one_another_are_alike(a: str, b: str) -> None:
    """Letters of other alphabets, figures, spaces, marks and invisible characters make no other name (UTS 39)."""
    assert skeletons(a) & skeletons(b)
    assert [0] == fires("name_like(names)", [named(b), named("somebody"), named(None)], names=[a])


@pytest.mark.parametrize(
    ("a", "b"), [("Oliver", "Olive"), ("ana", "eli"), ("tea", "teas"), ("bo", "do"), ("", "a"), ("…", "x")]
)
def test_names_that_differ_to_the_eye_are_not_alike(a: str, b: str) -> None:
    """Another name is another name."""
    assert not skeletons(a) & skeletons(b)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=250))
def test_every_name_is_like_itself_and_in_capitals(name: str) -> None:
    """A name's look does not depend on how often it is asked for."""
    assert skeletons(name) == skeletons(name)
    if name.isascii() and name.isalpha():
        assert skeletons(name) & skeletons(name.upper())


def test_a_manager_is_known_from_then_on() -> None:
    """An impostor is found once a manager of that look was seen, in the same community, and never a manager."""
    events = [
        named("0liver"),  # nobody knows yet
        named("Oliver", "manager", "oliver"),
        named("0liver"),
        named("0liver", community="coffee"),
        named("OLlVER", "manager", "second"),  # two managers with the same look
        named("Oliver", "member", "oliver"),  # the manager, whose role the platform leaves out or took
        named("OLlVER", "member", "second"),
        named("Oliver", None, "third"),
        named(None, "member", "third"),
        named("Olive", "member", "third"),
    ]

    assert [2, 7] == fires("name_like_manager()", events)
    cut = Engine(charter(own_clause("name_like_manager()")))
    assert [2, 7] == [i for i, e in enumerate(events) for _ in cut.turn([e]).findings.rows]


def test_giving_somebody_a_role_makes_nobody_a_manager_by_name() -> None:
    """In an event that gives a role, the name is the giver's and the role the other's."""
    giving = message(None, kind="role", name="Helper", role="manager", member="helper", target="oliver")

    assert [] == fires("name_like_manager()", [giving, named("He1per")])


def test_a_name_is_one_of_a_list_in_any_case() -> None:
    """Names on a list are found whole."""
    events = [named("Help Desk"), named("help desk"), named("help desks"), named(None), named("STRASSE")]

    assert [0, 1, 4] == fires("name_in(['help desk', 'straße'])", events)


def test_entities_of_a_list_are_found_by_their_wildcards() -> None:
    """``*`` and ``?`` stand for any characters, and nothing else for anything but itself."""
    members = [
        "robot7",
        "robot77",
        "ROBOT1",
        "@spam:bad.example",
        "@a:x.bad.example",
        "[x]",
        "x",
        "a.b",
        "axb",
        "a\nb",
        "",
    ]
    entities = ["robot?", "@*:bad.example", "[x]", "a.b", "*\nb"]

    found = fires("member_in(entities)", [message("tea", member=m) for m in members], entities=entities)
    assert [0, 2, 3, 5, 7, 9] == found
    assert [] == fires("member_in(entities)", [message("tea")], entities=[])


def test_a_list_of_wildcards_never_stops_anything() -> None:
    """A long name and a list entry full of wildcards are done at once."""
    assert [] == fires("member_in(entities)", [message("tea", member="a" * 20_000)], entities=["*a" * 30 + "b"])


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("2026-05-01T11:00:00Z", 3_600_000), ("2026-05-01T13:00:00+02:00", 3_600_000), (None, None), ("",
        None), ("soon", None),
        ("2026-05-01T12:30:00Z", -1_800_000), ("2026-05-01T13:00:00Z", None), ("2099-01-01T00:00:00Z", None),
        ("2026-05-01", None), ("2026-05-01T11:00:00", None), ("1970-01-01T00:00:00Z", 1_777_636_800_000),
    ],
)  # fmt: skip
def test_the_age_of_an_account_is_unknown_where_it_cannot_be_right(made: str | None, expected: int | None) -> None:
    """Missing, unreadable, without an offset, or made an hour after the message and more: unknown."""
    assert [expected] == column("account_age", [message("tea", account_created_at=made)])
    both = [message("tea", account_created_at=made), message("tea", account_created_at="2026-05-01T11:00:00Z")]
    assert [expected, 3_600_000] == column("account_age", both)


@given(st.lists(st.none() | st.integers(-(2**70), 2**70) | st.integers(0, 5), min_size=1, max_size=5))
def test_a_figure_of_messages_is_known_if_there_can_be_so_many(figures: list[int | None]) -> None:
    """No figure wraps around, and one that no chat could reach is a mistake of its source."""
    events = [message("tea", messages_before=f) for f in figures]
    expected = [i for i, f in enumerate(figures) if f is not None and 0 <= f <= 2**53]

    assert expected == fires("messages_before >= 0", events)
