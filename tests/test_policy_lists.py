"""Policy lists on Matrix: what state events say, what is published, and the commands that show it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.adapters.matrix.policy_lists import (
    PREFIXES,
    publish,
    read,
    read_all,
    read_list,
    redacted,
    server_of,
    withdraw,
)
from comity.adapters.matrix.state_files import accounts, state_events
from comity.core.errors import SourceError
from comity.core.event import Unread
from comity.core.policy import Policy, Recommendation, Subject, hash_of
from comity.core.policy_list import Change, PolicyList, listed
from commanding import run

ROOM = "!weeds:garden.example"
FEBRUARY = 1_772_000_000_000  # 25 February 2026
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("entity", "recommendation", "reason", "hashes", "org.matrix.msc4205.hashes", "expiry")


def event(content: object, *, kind: str = "m.policy.rule.user", key: str = "a", **more: object) -> dict[str, Any]:
    """A state event of a list."""
    told = {"type": kind, "state_key": key, "content": content, "event_id": f"${key}", "room_id": ROOM}
    return {**told, "sender": "@olive:garden.example", "origin_server_ts": FEBRUARY, **more}


def ban(entity: object = "@robot*:*", **more: object) -> dict[str, object]:
    """The content of an entry."""
    return {"entity": entity, "recommendation": "m.ban", "reason": "toothpaste adverts", **more}


def only(content: object, **more: Any) -> Policy:  # noqa: ANN401  whatever an event can hold
    """The one entry that an event makes."""
    changes, unread = read_all([event(content, **more)])
    assert unread == []
    (change,) = changes
    assert change.policy is not None
    return change.policy


def test_an_entry_is_read_with_all_that_a_statement_cites() -> None:
    """Whom it means, what it recommends, its reason, list, author, event and time."""
    assert only(ban()) == Policy(
        subject=Subject.USER,
        recommendation=Recommendation.BAN,
        entity="@robot*:*",
        reason="toothpaste adverts",
        list=ROOM,
        by="@olive:garden.example",
        event="$a",
        at=FEBRUARY,
    )


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("subject", Subject)
def test_every_name_a_kind_has_had_is_read(prefix: str, subject: Subject) -> None:
    """Today's names, those of before the specification, and Mjolnir's first ones."""
    assert only(ban(), kind=f"{prefix}{subject}").subject is subject


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("m.ban", "ban"),
        ("org.matrix.mjolnir.ban", "ban"),
        ("m.takedown", "takedown"),
        ("org.matrix.msc4204.takedown", "takedown"),
        ("org.matrix.mjolnir.allow", "allow"),
        ("fi.mau.meowlnir.unban", "allow"),
    ],
)
def test_every_recommendation_is_read(said: str, means: str) -> None:
    """Bans, takedowns and exceptions under the names that are in use."""
    assert only(ban(recommendation=said)).recommendation == means


@pytest.mark.parametrize("key", ["hashes", "org.matrix.msc4205.hashes"])
@pytest.mark.parametrize(
    "written", ["VPqwbUV7mMMkOVto3kPwsNXXiALMs7VCKWh3OeqqjGs=", "VPqwbUV7mMMkOVto3kPwsNXXiALMs7VCKWh3OeqqjGs"]
)
def test_the_proposals_own_hash_is_that_of_its_account(key: str, written: str) -> None:
    """The example of MSC4205 means @yarrgh:example.com, padded or not."""
    policy = only({"recommendation": "m.takedown", key: {"sha256": written}})
    assert policy.hashed == hash_of("@yarrgh:example.com")


def test_an_end_is_read_under_both_names() -> None:
    """MSC3908: an expiry of 0, or none, is no end."""
    for key in ("expiry", "support.feline.policy.expiry.rev.2"):
        assert only(ban(**{key: FEBRUARY})).until == FEBRUARY
        assert only(ban(**{key: 0})).until is None


@pytest.mark.parametrize("reason", [None, 7, "", "<no reason supplied>"])
def test_a_missing_reason_is_none(reason: object) -> None:
    """What others write where nobody gave a reason is not told as one."""
    assert only(ban(reason=reason)).reason == ""


def test_a_reason_is_one_line_that_is_safe_to_show() -> None:
    """Neither control characters nor a whole book come from another's list into our statements."""
    assert only(ban(reason="tea\n\x1b[31m\u202eand milk")).reason == "tea [31m and milk"
    assert len(only(ban(reason="tea " * 5000)).reason) == 500


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"entity": "@ana:x"}, "recommends nothing that is known here"),
        (ban(recommendation="m.tickle"), "recommends nothing that is known here"),
        (ban(recommendation=["m.ban"]), "recommends nothing that is known here"),
        (ban(entity=7), "has an entity that is no text"),
        (ban(entity=""), "has an entity that is no text"),
        ({"recommendation": "m.ban"}, "names nobody"),
        ({"recommendation": "m.ban", "hashes": {"sha512": "x"}}, "has no hash that can be read"),
        ({"recommendation": "m.ban", "hashes": {"sha256": "dGVh"}}, "has no hash that can be read"),
        ("tea", "has no content"),
    ],
)
def test_what_cannot_be_read_is_named_and_empties_its_place(content: object, what: str) -> None:
    """A malformed entry says what was expected; what stood in its place before is not on the list any more."""
    changes, unread = read_all([event(ban()), event(content, event_id="$b")])
    assert [(what in u.what, "$b" in u.what, u.path, u.line) for u in unread] == [(True, True, ROOM, 2)]
    assert unread[0].expected
    assert len(PolicyList(ROOM, "", changes)) == 0


def test_an_event_without_a_state_key_is_named() -> None:
    """An entry in no place can stand nowhere; what is no event at all is named too."""
    broken = event(ban())
    del broken["state_key"]
    changes, unread = read_all([broken, "tea"])
    assert changes == []
    assert ["no state key" in unread[0].what, "no object" in unread[1].what] == [True, True]


@given(JSON)
def test_no_event_is_too_odd_to_be_read(odd: Any) -> None:  # noqa: ANN401  any JSON
    """Whatever stands on a list that others write, the rest of it is read."""
    events = [odd, event(odd), *(event(ban(**{key: odd}), key=key) for key in KEYS), {**event(ban()), "state_key": odd}]
    events += [{"type": odd, "content": odd}, event(ban(), key="last", origin_server_ts=odd, sender=odd, room_id=odd)]
    changes, unread = read_all(events)
    assert all(isinstance(c, Change) for c in changes)
    assert all(isinstance(u, Unread) for u in unread)
    assert redacted(odd) == ""


def test_an_emptied_event_takes_its_entry_off() -> None:
    """Emptied or redacted, an event leaves no entry; a redaction names its event, before and since room version 11."""
    assert [c.policy for c in read_all([event({})])[0]] == [None]
    assert redacted({"type": "m.room.redaction", "redacts": "$a", "content": {}}) == "$a"
    assert redacted({"type": "m.room.redaction", "content": {"redacts": "$a"}}) == "$a"
    assert redacted(event(ban())) == ""


def test_a_list_has_its_rooms_name_and_the_rest_of_the_state_is_passed_over() -> None:
    """A room's state makes a list under the room's name; members and power levels are no entries."""
    state = [
        event({"name": "Weeds of the gardens"}, kind="m.room.name", key=""),
        event({"membership": "join"}, kind="m.room.member", key="@olive:garden.example"),
        event(ban()),
    ]
    each, unread = read_list(state)
    assert (each.id, each.name, len(each), unread) == (ROOM, "Weeds of the gardens", 1, [])


POLICIES = st.builds(
    Policy,
    subject=st.sampled_from(Subject),
    recommendation=st.sampled_from(Recommendation),
    entity=st.text("ab:@*?", min_size=1, max_size=9),
    reason=st.sampled_from(["", "toothpaste adverts"]),
    until=st.none() | st.just(FEBRUARY),
)


@given(policy=POLICIES, hide=st.booleans())
def test_what_is_published_is_read_the_same(*, policy: Policy, hide: bool) -> None:
    """An entry that we publish means to others what it means to us; a takedown says no reason."""
    hide = hide and not {"*", "?"} & set(policy.entity)
    kind, key, content = publish(policy, hide=hide)
    (found,) = read({"type": kind, "state_key": key, "content": content})

    assert isinstance(found, Change)
    assert found.policy is not None
    assert (found.policy.entity, found.policy.hashed) == (("", hash_of(policy.entity)) if hide else (policy.entity, ""))
    for field in ("subject", "recommendation", "until"):
        assert getattr(found.policy, field) == getattr(policy, field)
    assert found.policy.reason == ("" if policy.recommendation is Recommendation.TAKEDOWN else policy.reason)
    assert hide == ("entity" not in content)


def test_an_entry_has_the_key_and_content_that_draupnir_gives_it() -> None:
    """The same entry by us and by Draupnir is one place of the list, written the same."""
    kind, key, content = publish(only(ban("@spam:example.org")))
    assert (kind, key) == ("m.policy.rule.user", "F+RuwHO/GD3l+OGtc7DZEqDSdaoI1l6h8YapMxhJNVg=")
    assert content == {"entity": "@spam:example.org", "recommendation": "m.ban", "reason": "toothpaste adverts"}


def test_a_hidden_takedown_is_written_as_the_proposals_have_it() -> None:
    """The example of MSC4205, under the names that are in use: a padded hash, no entity, no reason."""
    _, _, content = publish(only(ban("@yarrgh:example.com", recommendation="m.takedown")), hide=True)
    assert content == {
        "recommendation": "org.matrix.msc4204.takedown",
        "org.matrix.msc4205.hashes": {"sha256": "VPqwbUV7mMMkOVto3kPwsNXXiALMs7VCKWh3OeqqjGs="},
    }


def test_a_pattern_cannot_be_hidden() -> None:
    """A pattern has no hash that would mean the same."""
    with pytest.raises(ValueError, match="a pattern cannot be hidden"):
        publish(only(ban("@spam*:*")), hide=True)


def test_an_entry_is_withdrawn_under_every_name() -> None:
    """What is taken off our list is taken off under the old names too, or it would come back."""
    events = [event(ban(), kind=f"{prefix}user", event_id=prefix) for prefix in PREFIXES]
    each, _ = read_list([*events, event(ban("@bo:x"), key="b")])
    empty = withdraw(each, next(iter(each)))

    assert sorted(empty) == sorted((f"{prefix}user", "a", {}) for prefix in PREFIXES)
    for kind, key, content in empty:
        for change in read(event(content, kind=kind, key=key)):
            assert isinstance(change, Change)
            each.apply(change)
    assert [p.entity for p in each] == ["@bo:x"]


def test_the_server_of_an_account() -> None:
    """Without its port, as entries about servers name it."""
    expected = {"@a:x.example": "x.example", "@a:x.example:8448": "x.example", "@a:[::1]:8448": "[::1]", "ana": ""}
    assert expected == {account: server_of(account) for account in expected}


def write(path: Path, value: object) -> Path:
    """A file with JSON in it."""
    path.write_text(json.dumps(value), "utf-8")
    return path


def test_members_are_read_from_what_a_homeserver_answers(tmp_path: Path) -> None:
    """Members, joined members, or a list of accounts; who has left is no member."""
    member = {"type": "m.room.member", "content": {"membership": "join"}}
    left = {**member, "content": {"membership": "leave"}, "state_key": "@bo:x"}
    chunk = write(tmp_path / "a", {"chunk": [{**member, "state_key": "@ana:x"}, left]})
    joined = write(tmp_path / "b", {"joined": {"@ana:x": {"display_name": "Ana"}}})
    plain = tmp_path / "c"
    plain.write_text("# the garden\n@ana:x\n\n@ana:x\n", "utf-8")
    assert [["@ana:x"]] * 3 == [accounts(f) for f in (chunk, joined, plain)]


@pytest.mark.parametrize("text", ["tea", "7", '{"tea": 1}', '{"type": "m.x"}\ntea\n'])
def test_a_file_that_is_no_state_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    """The file is named, and what was expected."""
    (tmp_path / "f").write_text(text, "utf-8")
    with pytest.raises(SourceError, match="expected the state of a room"):
        state_events(tmp_path / "f")


def test_state_is_read_from_an_array_an_object_or_lines(tmp_path: Path) -> None:
    """One list, saved in three ways."""
    events = [event(ban()), event(ban(), key="b")]
    (tmp_path / "lines").write_text("".join(json.dumps(e) + "\n" for e in events), "utf-8")
    files = [write(tmp_path / "a", events), write(tmp_path / "b", {"events": events}), tmp_path / "lines"]
    assert [events] * 3 == [state_events(f) for f in files]


def test_a_list_is_shown_before_it_is_followed(tmp_path: Path) -> None:
    """What is on it, who of the members would be affected and why; what cannot be read is told, with status 2."""
    state = write(tmp_path / "list.json", [event(ban()), event(ban(recommendation="m.tickle"), key="b")])
    (tmp_path / "garden.txt").write_text("@ana:x\n@robot7:x\n", "utf-8")

    shown = run("lists", "show", state)
    assert (shown.exit_code, "@robot*:*" in shown.stdout) == (2, True)
    assert "recommends nothing that is known here; expected one of m.ban" in shown.stderr

    told = json.loads(run("lists", "preview", state, "--members", tmp_path / "garden.txt", "--json").stdout)
    assert [(r["account"], r["rooms"], r["change"]) for r in told["affected"]] == [("@robot7:x", ["garden"], "listed")]
    assert told["affected"][0]["why"].endswith("for the reason “toothpaste adverts”")
    assert len(told["unread"]) == 1

    people = run("lists", "preview", state, "--members", tmp_path / "garden.txt")
    assert "1 of 2 members would be affected" in people.stdout
    again = run("lists", "preview", state, "--members", tmp_path / "garden.txt", "--followed", state)
    assert "Nobody of 2 members would be affected" in again.stdout


def test_one_account_is_looked_up(tmp_path: Path) -> None:
    """Whether it is listed, and for which entry, in a sentence or as JSON."""
    state = write(tmp_path / "list.json", [event(ban())])
    yes = run("lists", "show", state, "--account", "@robot7:x")
    assert (yes.exit_code, "@robot*:*, a ban of 25 February 2026" in yes.stdout) == (0, True)
    assert "is not on" in run("lists", "show", state, "--account", "@ana:x").stdout
    assert json.loads(run("lists", "show", state, "--account", "@ana:x", "--json").stdout)["entry"] is None


def test_a_list_without_bans_lists_nobody() -> None:
    """A room's state with nothing of a list in it is an empty list, and no error."""
    each, unread = read_list([event({"membership": "join"}, kind="m.room.member")])
    assert (listed([each], "@ana:x", "x", at=FEBRUARY), unread) == (None, [])
