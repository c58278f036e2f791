"""Client events of Matrix become events: what is told, what is unknown, what is left out, and when it happened."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.adapters.matrix.normalise import Known, normalise
from comity.core.event import Event, Media, milliseconds, rfc3339

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
ROOM = "!WI81dT-no-domain"
ANA, BO, CLEO = (f"@{name}:garden.example" for name in ("ana", "bo", "cleo"))
BOT = "@comity:garden.example"


def said(content: dict[str, Any], kind: str = "m.room.message", *, ago: float = 0.0, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A client event of Ana's, so many seconds ago."""
    at = milliseconds(rfc3339(NOON)) - int(1000 * ago)
    event = {"event_id": "$1", "type": kind, "sender": ANA, "origin_server_ts": at, "room_id": ROOM}
    return {**event, "content": content, **fields}


def read(*items: object, known: Known | None = None) -> list[Event]:
    """The events of a room that belongs to the tea garden; nothing may be unread, nothing gone."""
    done = normalise(items, {ROOM: "Tea garden"}, NOON, known=known)
    assert not done.unread
    assert not done.gone
    return done.events


def one(content: dict[str, Any], kind: str = "m.room.message", **fields: Any) -> Event:  # noqa: ANN401 - JSON
    """The one event that it becomes."""
    (event,) = read(said(content, kind, **fields))
    return event


def text(body: str, **content: object) -> dict[str, Any]:
    """Content of a message."""
    return {"msgtype": "m.text", "body": body, **content}


def html(body: str, formatted: str) -> dict[str, Any]:
    """Content of a message with a formatted body."""
    return text(body, format="org.matrix.custom.html", formatted_body=formatted)


def member(now: str, was: str | None = None, *, name: str | None = None, had: str | None = None) -> dict[str, Any]:
    """A change of Bo's membership, as Synapse sends it: what was before stands in ``unsigned``."""
    content = {"membership": now} | ({"displayname": name} if name else {})
    before = {"membership": was} | ({"displayname": had} if had else {})
    return said(content, "m.room.member", state_key=BO, unsigned={"prev_content": before} if was else None)


def test_a_message_is_told_whole() -> None:
    """Community, room, member and text are there; the room id is taken as it is, without a domain."""
    event = one(text("milk first", **{"m.mentions": {"user_ids": [BO]}}))

    assert ("$1", "message", "Tea garden", ROOM, ANA) == (
        event.id, event.kind, event.community, event.room, event.member,
    )  # fmt: skip
    assert ("milk first", [BO]) == (event.text, event.mentions)


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (html("tea and milk", "<b>tea</b> and <em>milk</em>"), "tea and milk"),
        (html("* tea\n* milk", "<ul><li>tea</li><li>milk</li></ul>"), "* tea\n* milk"),
        (html("tea", '<a href="https://tea.example/?a=1&amp;b=2">tea</a>'), "tea\nhttps://tea.example/?a=1&b=2"),
        (html("see https://tea.example", "<a href='https://tea.example'>https://tea.example</a>"),
         "see https://tea.example"),
        (html("tea", "toothpaste for all"), "tea\ntoothpaste for all"),
        (html("Bo: tea", f'<a href="https://matrix.to/#/{BO}">Bo Bell</a>: tea'), "Bo: tea"),
        ({"formatted_body": "<p>tea</p>"}, "tea"),
        ({"msgtype": "m.image", "body": "photo.png", "url": "mxc://a/b"}, ""),
        ({"msgtype": "m.image", "body": "my peas", "filename": "photo.png", "url": "mxc://a/b"}, "my peas"),
        ({"msgtype": "m.image", "body": "photo.png", "filename": "photo.png", "url": "mxc://a/b"}, ""),
        ({"msgtype": "m.image", "body": "https://tea.example", "url": "mxc://a/b"}, "https://tea.example"),
    ],
)  # fmt: skip
def test_the_text_is_what_readers_see(content: dict[str, Any], seen: str) -> None:
    """Pitfall 12: what only the formatted body shows (other words, where links lead) and captions are read too."""
    assert seen == one(content).text


def test_an_edit_is_its_new_text() -> None:
    """Pitfall 12: an edit carries what it puts in the place of its target, not the fallback."""
    event = one(text("* fallback", **{
        "m.new_content": text("toothpaste", **{"m.mentions": {"user_ids": [BO]}}),
        "m.relates_to": {"rel_type": "m.replace", "event_id": "$0"},
    }))  # fmt: skip

    assert ("edit", "$0", "toothpaste", [BO]) == (event.kind, event.target, event.text, event.mentions)


def test_answers_and_threads_say_what_they_answer() -> None:
    """Pitfall 12: a reply answers its message; in a thread, what is only there for old clients is no answer."""
    answer = {"m.in_reply_to": {"event_id": "$0"}}
    thread = {"rel_type": "m.thread", "event_id": "$root"}
    relations = [answer, thread, {**thread, **answer, "is_falling_back": True}, {**thread, **answer}]

    assert ["$0", "$root", "$root", "$0"] == [one(text("tea", **{"m.relates_to": r})).reply_to for r in relations]


def test_what_an_answer_quotes_is_not_its_own() -> None:
    """The quotation is left out of text and mentions; without an answer a quotation is somebody's own text."""
    quote = f'<mx-reply><a href="https://matrix.to/#/{CLEO}">Cleo</a> lemon https://lemon.example</mx-reply>milk'
    content = html(f"> <{CLEO}> lemon\n\nmilk", quote)
    answer = one({**content, "m.relates_to": {"m.in_reply_to": {"event_id": "$0"}}})

    assert ("milk", []) == (answer.text, answer.mentions)
    assert "lemon" in str(one(content).text)


def test_mentions_come_from_pills_where_nothing_else_tells() -> None:
    """m.mentions counts where it is there, even empty; else pills; else nobody knows."""
    pills = html(
        "Bo", f'<a href="https://matrix.to/#/{BO}">Bo</a> <a href="https://matrix.to/#/%40cleo:garden.example">C</a>'
    )

    assert [BO, CLEO] == one(pills).mentions
    assert [] == one({**pills, "m.mentions": {}}).mentions
    assert one(text("tea")).mentions is None


def test_reactions_and_stickers() -> None:
    """Pitfall 12: a reaction whose key is a picture has a file and its short code; a sticker has file and text."""
    relation = {"rel_type": "m.annotation", "event_id": "$0"}
    plain = one({"m.relates_to": {**relation, "key": "🌱"}}, "m.reaction")
    picture = one({"m.relates_to": {**relation, "key": "mxc://a/b"}, "shortcode": ":pea:"}, "m.reaction")
    sticker = one({"body": "a pea", "url": "mxc://a/b", "info": {"mimetype": "image/webp", "size": 9}}, "m.sticker")

    assert ("reaction", "🌱", "$0", None) == (plain.kind, plain.text, plain.target, plain.media)
    assert (":pea:", [Media("application/octet-stream")]) == (picture.text, picture.media)
    assert ("message", "a pea", [Media("image/webp", 9)]) == (sticker.kind, sticker.text, sticker.media)


def test_a_redaction_names_its_target() -> None:
    """Until room version 10 it stands at the top, from 11 on in the content."""
    old, new = one({}, "m.room.redaction", redacts="$0"), one({"redacts": "$0"}, "m.room.redaction")

    assert [("redaction", "$0")] * 2 == [(event.kind, event.target) for event in (old, new)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (member("join", name="Bo"), [("join", "Bo")]),
        (member("join", "invite", name="Bo"), [("join", "Bo")]),
        (member("join", "join", name="Bo B.", had="Bo"), [("rename", "Bo B.")]),
        (member("join", "join", name="Bo", had="Bo"), []),
        (member("leave", "join", had="Bo"), [("leave", "Bo")]),
        (member("ban", "join", had="Bo"), [("leave", "Bo")]),
        (member("leave", "ban"), []),
        (member("ban", "leave"), []),
        (member("leave", "invite"), []),
        (member("invite"), []),
    ],
)
def test_memberships(change: dict[str, Any], told: list[tuple[str, str]]) -> None:
    """Joining, leaving, being removed or banned, and a new name are told of the member, whoever did it."""
    events = read(change)

    assert told == [(event.kind, event.name) for event in events]
    assert all(event.member == BO for event in events)


def test_a_new_role_is_told_of_everybody_who_has_one() -> None:
    """Each account that manages from now on, or no longer does, is an event of its own, with its own id."""
    content = {"users": {BO: 50, BOT: 100}}
    before = {"users": {CLEO: 50, BOT: 100, ANA: 10}}
    events = read(said(content, "m.room.power_levels", state_key="", unsigned={"prev_content": before}))

    assert [("role", ANA, BO, "manager"), ("role", ANA, CLEO, "member")] == [
        (event.kind, event.member, event.target, event.role) for event in events
    ]
    assert 2 == len({event.id for event in events})


def test_what_is_known_of_a_room_goes_with_its_messages() -> None:
    """Names and roles learnt before stand in later messages, a creator of version 12 manages, and leaving ends it."""
    known = Known()
    create = said({"room_version": "12"}, "m.room.create", state_key="", sender=BO)
    levels = said({"users": {}}, "m.room.power_levels", state_key="")
    tea = said(text("tea"), sender=BO)

    (join,) = read(create, levels, member("join", name="Bo"), known=known)
    (message,) = read(tea, known=known)
    read(member("leave", "join"), known=known)
    (later,) = read(tea, known=known)

    assert [("Bo", "manager"), ("Bo", "manager"), (None, "manager")] == [
        (e.name, e.role) for e in (join, message, later)
    ]
    assert "member" == read(said(text("tea")), known=known)[0].role


@pytest.mark.parametrize(
    "item",
    [
        said({}),
        said({}, "m.sticker"),
        said({}, "m.room.encrypted"),
        said(text("still here"), unsigned={"redacted_because": {"type": "m.room.redaction"}}),
    ],
)
def test_what_was_redacted_before_we_saw_it_is_kept_apart(item: dict[str, Any]) -> None:
    """Pitfall 9: content that we never had is no ground for anything: such an event is not among the events."""
    done = normalise([item], {ROOM: "Tea garden"}, NOON)

    assert [] == done.events
    assert ["$1"] == [event.id for event in done.gone]


def test_a_redacted_leave_is_still_a_leave() -> None:
    """What a redaction leaves whole is told."""
    leave = member("leave", "join")
    leave["unsigned"]["redacted_because"] = {}

    assert ["leave"] == [event.kind for event in read(leave)]


def test_an_encrypted_message_is_a_message_of_unknown_text() -> None:
    """Pitfall 10: who writes is known, what is not; unknown is not empty."""
    event = one(
        {"algorithm": "m.megolm.v1.aes-sha2", "m.relates_to": {"m.in_reply_to": {"event_id": "$0"}}}, "m.room.encrypted"
    )

    assert ("message", None, None, "$0") == (event.kind, event.text, event.mentions, event.reply_to)


@pytest.mark.parametrize(
    ("ago", "at"),
    [(0, 0), (5, 0), (-3600, 0), (29, 0), (31, 31), (7 * 86400, 7 * 86400)],
)
def test_the_arrival_counts_for_what_is_fresh(ago: int, at: int) -> None:
    """Pitfall 11: nobody sets the clock of a fresh event, none is in the future, and what waited keeps its own time."""
    (event,) = read(said(text("tea"), ago=ago))

    assert rfc3339(NOON - dt.timedelta(seconds=at)) == event.at


def test_what_we_did_ourselves_is_no_news() -> None:
    """Pitfall 13: our own notices and redactions are left out; whom we removed has left all the same."""
    items = [
        said(text("tea"), sender=BOT),
        said({"redacts": "$0"}, "m.room.redaction", sender=BOT),
        {**member("leave", "join"), "sender": BOT},
        said(text("milk")),
    ]
    done = normalise(items, {ROOM: "Tea garden"}, NOON, ours={BOT})

    assert [("leave", BO), ("message", ANA)] == [(event.kind, event.member) for event in done.events]


def test_rooms_that_belong_to_nobody_are_left_out() -> None:
    """Only rooms that somebody gave to a community are looked at; nothing is guessed from an id."""
    done = normalise([said(text("tea"), room_id="!other:garden.example")], {ROOM: "Tea garden"}, NOON)

    assert ([], [], []) == done


@pytest.mark.parametrize(
    "broken",
    [
        {"event_id": 7},
        {"sender": None},
        {"origin_server_ts": "noon"},
        {"origin_server_ts": -1},
        {"origin_server_ts": 10**18},
        {"content": []},
        {"room_id": None},
        {"type": 1},
    ],
)
def test_one_malformed_event_costs_only_itself(broken: dict[str, Any]) -> None:
    """It is named by its id with what was expected, without a word of its text, and the rest goes on."""
    bad = {**said(text("my toothpaste")), "event_id": "$bad", **broken}
    done = normalise([bad, {}, "tea", said(text("milk"))], {ROOM: "Tea garden"}, NOON)

    assert ["milk"] == [event.text for event in done.events]
    assert 3 == len(done.unread)
    assert broken.keys() == {"event_id"} or "$bad" in done.unread[0].what
    assert "toothpaste" not in str(done.unread)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_fields = ["body", "formatted_body", "msgtype", "m.relates_to", "m.new_content", "m.mentions", "membership", "users",
           "info", "url"]  # fmt: skip
_kinds = ["m.room.message", "m.sticker", "m.room.encrypted", "m.room.redaction", "m.reaction", "m.room.member",
          "m.room.power_levels", "m.room.create", "org.example.tea"]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(_kinds), st.dictionaries(st.sampled_from(_fields), _json), st.none() | st.text(max_size=3), _json
)
def test_whatever_comes_is_an_event_or_unread(
    kind: str, content: dict[str, Any], key: str | None, unsigned: object
) -> None:
    """No content breaks the line, and every event can be written as NDJSON and read again as it was."""
    item = {**said(content, kind), "state_key": key, "unsigned": unsigned}
    done = normalise([item], {ROOM: "Tea garden"}, NOON, known=Known())

    for event in [*done.events, *done.gone]:
        assert event == msgspec.json.decode(msgspec.json.encode(event), type=Event)


def test_hostile_markup_costs_no_more_than_its_length() -> None:
    """An event full of opening brackets or unclosed quotations is read in milliseconds."""
    began = dt.datetime.now(dt.UTC)
    for mark in ("<", "<mx-reply>", '<a href="', "&", "> ", "<a matrix.to/#/@", "&#1"):
        body = mark * (60_000 // len(mark))
        one({**html(body, body), "m.relates_to": {"m.in_reply_to": {"event_id": "$0"}}})

    assert dt.datetime.now(dt.UTC) - began < dt.timedelta(seconds=2)
