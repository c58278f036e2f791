"""Coming from Draupnir, Mjolnir or Meowlnir: rooms, lists, and clauses that can be adopted and do nothing yet."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from comity.adapters.matrix.migrate import (
    ENABLED,
    MEOWLNIR_PROTECTED,
    MEOWLNIR_WATCHED,
    PROTECTED,
    SETTING,
    WATCHED,
    Follow,
    Migration,
    Room,
    draupnir,
    meowlnir,
)
from comity.charter_file import parse_charter
from comity.core.charter import Clause, State

CONFIG = {
    "protections": {
        "wordlist": {"words": ["tea.example", "100% sugar"], "minutesBeforeTrusting": 20},
        "firstMessageIsWordProtection": {"words": ["kettle"]},
        "newJoinerProtection": {"serverNames": ["weeds.example"]},
    }
}
# Every protection of Draupnir 3 and Mjolnir by its own name, and the rule that does its work ("" for a house rule).
CLAUSES = {
    "BasicFloodingProtection": "flood",
    "MentionLimitProtection": "mass-mention",
    "MentionSpam": "mass-mention",
    "MentionFlood": "mass-mention",
    "JoinWaveShortCircuitProtection": "raid",
    "JoinWaveShortCircuit": "raid",
    "NewJoinerProtection": "listed-member",
    "WordListProtection": "",
    "WordList": "",
    "FirstMessageIsWordProtection": "",
    "FirstMessageIsImageProtection": "",
    "FirstMessageIsLinkProtection": "",
    "MessageIsMediaProtection": "",
    "MessageIsVideoProtection": "",
    "MessageIsVoiceProtection": "",
    "MembershipChangeProtection": "",
}
NONE = [
    "BanPropagationProtection",
    "BlockInvitationsOnServerProtection",
    "DetectFederationLag",
    "DraupnirNews",
    "HomeserverUserPolicyProtection",
    "InvalidEventProtection",
    "JoinRoomsOnInviteProtection",
    "LocalAbuseReports",
    "MemberBanSynchronisationProtection",
    "NsfwProtection",
    "PolicyChangeNotification",
    "PropagateRoomBan",
    "RedactionSynchronisationProtection",
    "RedactPolicyServerFlaggedEvents",
    "RoomTakedownProtection",
    "RoomsSetBehaviourProtection",
    "ServerBanSynchronisationProtection",
    "TrustedReporters",
]
MEOWLNIRS = {
    "anti_flood": "flood",
    "max_mentions": "mass-mention",
    "join_rate": "raid",
    "bad_words": "",
    "no_media": "",
}


def adopted(found: Migration) -> tuple[Clause, ...]:
    """The clauses as a charter has them; fails if it cannot be adopted."""
    return parse_charter(f'[charter]\ncommunity = "Tea garden"\n{found.toml()}').clauses


def enabled(*names: str, given_: dict[str, object] | None = None) -> Migration:
    """What Draupnir was set to do, with these protections."""
    state = [{"type": SETTING, "state_key": k, "content": v} for k, v in (given_ or {}).items()]
    return draupnir({ENABLED: {"enabled": list(names)}}, state, CONFIG)


def protecting(protections: dict[str, object], lists: Iterable[dict[str, object]] = (), **more: object) -> Migration:
    """What Meowlnir was set to do, with these protections and lists."""
    rooms = {"rooms": ["!garden:x"], "protections": protections, **more}
    return meowlnir(
        [
            {"type": MEOWLNIR_PROTECTED, "state_key": "", "content": rooms},
            {"type": MEOWLNIR_WATCHED, "state_key": "", "content": {"lists": list(lists)}},
        ]
    )


def test_rooms_and_lists_are_found_by_links_ids_and_aliases() -> None:
    """Draupnir keeps links with the servers to join through; Mjolnir kept ids too. Each room is named once."""
    found = draupnir(
        {
            PROTECTED: {"rooms": ["https://matrix.to/#/!a%3Ax?via=x&via=y", "!b:x", "!b:x"]},
            WATCHED: {"references": ["https://matrix.to/#/#weeds:garden.example"]},
        }
    )
    assert found.rooms == (Room("!a:x", ("x", "y")), Room("!b:x"))
    assert found.lists == (Follow(room=Room("#weeds:garden.example")),)
    assert found.unread == ()


def test_a_list_that_was_only_looked_at_is_only_looked_at() -> None:
    """Meowlnir's dont_apply stays what it was, and the clause says which lists are meant so."""
    watched = {"room_id": "!weeds:x", "name": "Weeds", "shortcode": "w", "dont_apply": True}
    found = protecting({}, [watched, {"room_id": "!slugs:x", "name": "Slugs", "auto_unban": True}])

    assert found.rooms == (Room("!garden:x"),)
    assert [(f.name, f.shortcode, f.apply) for f in found.lists] == [("Weeds", "w", False), ("Slugs", "", True)]
    assert "Lists: Weeds (only looked at), Slugs." in found.toml()
    assert [w.what for w in found.without] == ["auto_unban of Slugs"]
    assert [c.rule for c in adopted(found)] == ["listed-member"]


@pytest.mark.parametrize("name", CLAUSES)
def test_each_protection_of_draupnir_is_a_clause_in_shadow(name: str) -> None:
    """It can be adopted as it is, says where it came from, and nothing acts before a person has looked."""
    found = enabled(name)
    (clause,) = adopted(found)
    assert (clause.rule, clause.state, found.without) == (CLAUSES[name], State.SHADOW, ())
    assert f"# From {name}." in found.toml()


@pytest.mark.parametrize("name", NONE)
def test_what_has_no_counterpart_is_said(name: str) -> None:
    """A protection that is no clause is named, with what does its work or why nothing does."""
    found = enabled(name)
    (without,) = found.without
    assert (without.what, found.clauses) == (name, ())
    assert "not known here" not in without.why
    assert f"# Not carried over: {name}: {without.why}" in found.toml()


def test_an_unknown_protection_is_said_too() -> None:
    """What nobody here has heard of is not passed over."""
    assert [w.what for w in enabled("Teapot").without] == ["Teapot"]
    assert [w.what for w in protecting({"teapot": {}}).without] == ["teapot"]


def test_words_that_stand_elsewhere_are_asked_for() -> None:
    """Draupnir's words are in its configuration file; without it, that is said."""
    found = draupnir({ENABLED: {"enabled": ["WordListProtection"]}})
    assert "protections.wordlist.words stands in the configuration file" in found.without[0].why


@pytest.mark.parametrize(
    ("name", "given_", "parameters"),
    [
        ("BasicFloodingProtection", {"maxPerMinute": 25}, {"allowed": 24, "look_back": "60s"}),
        ("BasicFloodingProtection", {}, {"allowed": 9, "look_back": "60s"}),
        ("MentionLimitProtection", {"maxMentions": 5}, {"mentioned": 6}),
        ("JoinWaveShortCircuitProtection", {"maxPer": 20, "timescaleMinutes": 5}, {"joins": 19, "look_back": "300s"}),
    ],
)
def test_figures_mean_what_they_meant(name: str, given_: dict[str, object], parameters: dict[str, object]) -> None:
    """Draupnir acts *at* so many messages and joins, and *beyond* so many mentions; so do the clauses."""
    (clause,) = adopted(enabled(name, given_={name: given_}))
    assert parameters.items() <= clause.parameters.items()


def test_meowlnirs_figures_mean_what_they_meant() -> None:
    """Meowlnir acts beyond its limit; patterns that cannot be read here are named and left out."""
    found = protecting(
        {
            "anti_flood": {"limit": 5, "per": 10},
            "max_mentions": {"limit": 4, "per": 60},
            "join_rate": {"limit": 10, "per": 60},
            "bad_words": {"patterns": ["(?i)teapot\\b", "\\pL", "x*"]},
            "no_media": {"allow_images": True, "ignore_users": ["@ana:x"]},
            "insecure_registration": {},
        },
        skip_acl=["!garden:x"],
    )
    clauses = adopted(found)
    assert [c.rule for c in clauses] == list(MEOWLNIRS.values())
    assert [c.parameters.get("allowed") for c in clauses[:1]] == [5]
    assert [c.parameters.get("mentioned") for c in clauses[1:2]] == [5]
    assert clauses[3].parameters == {"patterns": ["teapot\\b"]}
    assert "Left out" in found.toml()
    assert clauses[4].parameters == {"allowed": ["image/*"], "exempt": ["@ana:x"]}
    assert [w.what for w in found.without] == ["insecure_registration", "skip_acl"]


def test_what_was_clipped_is_said() -> None:
    """A figure beyond what a rule can count is brought within it, and the clause says what it was."""
    name = "JoinWaveShortCircuitProtection"
    found = enabled(name, given_={name: {"maxPer": 50, "timescaleMinutes": 600}})
    (clause,) = adopted(found)
    assert clause.parameters["look_back"] == "3600s"
    assert "It was more than 49 in 36000 seconds." in found.toml()


def test_what_cannot_be_read_is_named_and_the_rest_is_read() -> None:
    """A broken setting, room or list is named with what was expected; everything else is carried over."""
    found = draupnir(
        {
            PROTECTED: {"rooms": ["tea", 7, "!b:x"]},
            WATCHED: {"references": "tea"},
            ENABLED: {"enabled": [7, "MentionLimitProtection"]},
        },
        [{"type": SETTING, "state_key": "MentionLimitProtection", "content": {"maxMentions": "many"}}, "tea"],
    )
    assert found.rooms == (Room("!b:x"),)
    assert [u.path for u in found.unread] == [PROTECTED, PROTECTED, WATCHED, ENABLED, "MentionLimitProtection"]
    assert all(u.what and u.expected for u in found.unread)
    assert [c.parameters["mentioned"] for c in adopted(found)] == [4]


@pytest.mark.parametrize("word", ["\x08", "\x7f", "\n", "a\\", '"', "'", "\ud800", "#tea", "[[a]", "(?i", "file:tea"])
def test_an_odd_word_is_found_where_it_stands(word: str) -> None:
    """Words are words, whatever a charter's TOML or a pattern would make of their characters."""
    config = {"wordlist": {"words": [word]}}
    found = draupnir({ENABLED: {"enabled": ["WordList"]}}, [], {"protections": config})
    (pattern,) = adopted(found)[0].parameters["patterns"]
    assert re.search(pattern, f"tea {word.encode('utf-8', 'replace').decode()} tea") is not None


@pytest.mark.parametrize("name", ["x\x7f", 'x"', "x\n", "x\\", "x\x1b"])
def test_an_odd_server_stands_in_the_charter_as_it_was(name: str) -> None:
    """Whatever characters a name has, the charter holds the same name."""
    config = {"newJoinerProtection": {"serverNames": [name]}}
    (clause,) = adopted(draupnir({ENABLED: {"enabled": ["NewJoinerProtection"]}}, [], {"protections": config}))
    assert clause.parameters["entities"] == [f"@*:{name}"]


@pytest.mark.parametrize("pattern", ["\x08", "[[a]", "(?i", "x*", "\\pL", "a{99999999999}"])
def test_a_pattern_that_a_charter_refuses_is_left_out(pattern: str) -> None:
    """One pattern that cannot be read here does not keep the others from being proposed."""
    found = protecting({"bad_words": {"patterns": [pattern, "teapot"]}})
    assert [["teapot"]] == [c.parameters["patterns"] for c in adopted(found)]


ODD = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.lists(st.text(max_size=3), max_size=2)
WORDS = st.lists(st.text(max_size=6), min_size=1, max_size=3)


@settings(max_examples=60)
@example(name="MentionFlood", words=["tea"], number=1 << 53, minutes=None)
@given(name=st.sampled_from(sorted(CLAUSES)), words=WORDS, number=ODD, minutes=ODD)
def test_every_proposal_can_be_adopted(*, name: str, words: list[str], number: Any, minutes: Any) -> None:  # noqa: ANN401  any JSON
    """Whatever words and figures stood there, what is proposed is a charter without a mistake, all in shadow."""
    given_ = dict.fromkeys(
        ("maxPerMinute", "maxMentions", "maxMentionsPerMessage", "maxPer", "maxChangesPerUser"), number
    )
    config = {
        "wordlist": {"words": words, "minutesBeforeTrusting": minutes},
        "firstMessageIsWordProtection": {"words": words},
        "newJoinerProtection": {"serverNames": words},
    }
    state = [{"type": SETTING, "state_key": name, "content": {**given_, "timescaleMinutes": minutes}}]
    found = draupnir({ENABLED: {"enabled": [name]}}, state, {"protections": config})
    if found.clauses:
        assert [State.SHADOW] == [c.state for c in adopted(found)]
    else:
        assert not any(words)


@settings(max_examples=60)
@given(
    name=st.sampled_from(sorted(MEOWLNIRS)),
    odd=st.fixed_dictionaries(dict.fromkeys(("limit", "per", "patterns", "allow_images", "ignore_users"), ODD)),
)
def test_every_proposal_from_meowlnir_can_be_adopted(*, name: str, odd: dict[str, Any]) -> None:
    """The same for Meowlnir, whose settings are free JSON."""
    found = protecting({name: odd})
    if found.clauses:
        assert [State.SHADOW] == [c.state for c in adopted(found)]
    else:
        assert found.without
