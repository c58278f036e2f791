"""Settings: read whole, refused with the place of every mistake, and silent about their secrets."""

import pickle
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.core.errors import SourceError
from comity.settings import Mode, Secret, Settings
from comity.settings_file import SettingsError, exposed, load_settings, parse_settings

GARDEN = """\
store = "garden.sqlite"

[server]
bind = "127.0.0.1:8910"
public_url = "https://comity.example.org/garden/"

[matrix]
mode = "appservice"
homeserver = "http://127.0.0.1:8008/"
user = "@comity:example.org"
as_token = "teapot-one"
hs_token = "teapot-two"
management_room = "#garden-desk:example.org"
bridged = ["@irc_*:example.org"]

[[community]]
id = "tea-garden"
charter = "garden.toml"
rooms = ["#garden:example.org", "!WI81dT-nodomain"]
inviters = ["@olive:example.org"]
"""


def read(text: str, **environment: str) -> Settings:
    """Settings of a text, as if in the folder ``/etc/garden``."""
    return parse_settings(text, Path("/etc/garden/comity.toml"), environment)


def mistakes(text: str, **environment: str) -> list[str]:
    """What is wrong with a text, each with its place."""
    with pytest.raises(SettingsError) as caught:
        read(text, **environment)
    return [str(m).removeprefix("/etc/garden/") for m in caught.value.mistakes]


def test_what_is_written_is_what_is_read() -> None:
    """Paths are meant beside the file, addresses lose their last slash, and what is left out has its default."""
    found = read(GARDEN)

    assert Path("/etc/garden/garden.sqlite") == found.store
    assert ("127.0.0.1", 8910) == (found.server.host, found.server.port)
    assert "https://comity.example.org/garden" == found.server.public_url
    assert (Mode.APPSERVICE, "http://127.0.0.1:8008") == (found.matrix.mode, found.matrix.homeserver)
    assert ("comity", "example.org") == (found.matrix.localpart, found.matrix.server_name)
    assert Path("/etc/garden/garden.toml") == found.communities[0].charter
    assert ("json", "info") == (found.log.form, found.log.level)
    assert found.matrix.admin_token is None
    assert not found.communities[0].dry_run


def test_tokens_come_from_the_text_a_file_or_the_environment(tmp_path: Path) -> None:
    """``file:`` is read beside the settings, ``env:`` from the environment, without the last line break."""
    (tmp_path / "token").write_text("from-a-file\n")
    text = GARDEN.replace('"teapot-one"', '"file:token"').replace('"teapot-two"', '"env:HS_TOKEN"')
    found = parse_settings(text, tmp_path / "comity.toml", {"HS_TOKEN": "from-outside\n"})

    assert "from-a-file" == found.matrix.token.reveal()
    assert found.matrix.hs_token
    assert "from-outside" == found.matrix.hs_token.reveal()


def test_a_secret_is_never_shown() -> None:
    """Neither printing, formatting, encoding nor pickling settings tells a token."""
    found = read(GARDEN)

    for shown in (repr(found), str(found.matrix), f"{found.matrix.token}", f"{found.matrix.token!s:>30}"):
        assert "teapot" not in shown
    with pytest.raises(TypeError):
        msgspec.json.encode(found.matrix)
    with pytest.raises(TypeError):
        pickle.dumps(Secret("teapot-one"))


def test_no_mistake_tells_a_secret() -> None:
    """Whatever is wrong with a token, or beside it, the message does not repeat it."""
    for wrong in ("teapot one", "teapot\\u00e9"):
        text = GARDEN.replace("teapot-one", wrong)
        assert [
            "comity.toml:11:1: as_token is no token; expected letters, digits and signs, file:PATH or env:NAME"
        ] == (mistakes(text))
    assert "teapot" not in "".join(mistakes(GARDEN.replace("teapot-one", "teapot-two")))
    assert "teapot" not in "".join(mistakes(GARDEN.replace('"teapot-two"', '"teapot-two')))
    assert "teapot" not in "".join(mistakes(GARDEN.replace("http://127", "http://olive:teapot@127")))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("homeserver =", "homeservr =", "comity.toml:9:1: there is no 'homeservr' here; expected homeserver"),
        ('"appservice"', '"apservice"', "comity.toml:8:9: there is no mode 'apservice'; expected appservice"),
        ("[server]", "[sever]", "comity.toml:3:1: there is no 'sever' here; expected server"),
        (
            "127.0.0.1:8910",
            "127.0.0.1:89100",
            "comity.toml:4:9: '127.0.0.1:89100' is nothing to listen on; expected address:port, such as 127.0.0.1:8910",
        ),
        (
            "@comity:example.org",
            "comity",
            "comity.toml:10:9: 'comity' is no user id; expected the bot's, such as @comity:example.org",
        ),
        (
            "#garden:example.org",
            "garden",
            "comity.toml:19:11: 'garden' does not fit rooms; expected !id or #alias:example.org",
        ),
        ('charter = "garden.toml"', "dry_run = 1", "comity.toml:18:11: dry_run is neither true nor false"),
        (
            'hs_token = "teapot-two"',
            "",
            "comity.toml:7:1: hs_token is missing; expected a token, file:PATH or env:NAME",
        ),
        (
            '"http://127.0.0.1:8008/"',
            '"matrix.example.org"',
            "comity.toml:9:15: homeserver is no address to reach; expected https://host or http://host:port",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(old: str, new: str, told: str) -> None:
    """File, line, column, and the nearest valid word or the form that is expected."""
    found = mistakes(GARDEN.replace(old, new, 1))

    assert any(m.startswith(told) for m in found), found


def test_all_mistakes_are_told_at_once_in_order() -> None:
    """Whoever puts settings right does not have to find one mistake after the other."""
    text = GARDEN.replace("public_url", "publik_url").replace("mode", "mood").replace('"tea-garden"', '"Tea Garden"')
    lines = [int(m.split(":")[1]) for m in mistakes(text)]

    assert [5, 8, 17] == lines


def test_tokens_of_the_other_mode_are_refused() -> None:
    """A bot that asks has one access token, an application service two of its own."""
    sync = GARDEN.replace('"appservice"', '"sync"')

    assert any("as_token is of mode appservice, this is sync" in m for m in mistakes(sync))
    asked = sync.replace('as_token = "teapot-one"\nhs_token = "teapot-two"', 'access_token = "teapot-one"')
    assert Mode.SYNC is read(asked).matrix.mode


def test_a_room_is_in_one_community() -> None:
    """Two charters over one room would contradict each other."""
    twice = GARDEN + '\n[[community]]\nid = "attic"\nrooms = ["#garden:example.org"]\n'

    found = mistakes(twice)
    assert ["comity.toml:24:11: #garden:example.org is named twice; expected each room in one community"] == found


def test_a_dry_run_of_all_is_a_dry_run_of_each() -> None:
    """Neither a community's own setting nor its place in the file gets it out of a dry run of the whole."""
    text = "dry_run = true\n" + GARDEN + "dry_run = false\n"

    assert read(text).communities[0].dry_run
    assert read(GARDEN).dry().communities[0].dry_run


def test_settings_that_are_not_there_say_how_to_make_them(tmp_path: Path) -> None:
    """A missing file names the command that writes one; an empty one says what has to be in it."""
    with pytest.raises(SettingsError, match="comity init"):
        load_settings(tmp_path / "comity.toml")

    assert any("[matrix]" in m for m in mistakes(""))
    assert any("[[community]]" in m for m in mistakes(""))


def test_secrets_that_everybody_can_read_are_told(tmp_path: Path) -> None:
    """A settings file open to all of the machine is named with the command that closes it."""
    path = tmp_path / "comity.toml"
    path.write_text(GARDEN)
    path.chmod(0o644)
    assert f"chmod o-rwx {path}" in exposed(path)
    path.chmod(0o640)
    assert "" == exposed(path)


ODD = st.sampled_from(
    ["1", "-0.5", "true", "[]", "{}", "[1]", '[""]', "{ a = 1 }", '""', '" "', '"\\u0000"', '"file:"', '"file:\\u0000"',
     '"env:"', "1979-05-27", "[[[]]]", '"http://["', '"http://x:99999999"', '"@:"', '"é"', "nan", '"' + "x" * 300 + '"']
)  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(0, 30), ODD), min_size=1, max_size=4),
    st.sampled_from(["", "[matrix]", "[[server]]"]),
)
def test_whatever_a_value_is_it_is_read_or_told_with_its_line(odd: list[tuple[int, str]], more: str) -> None:
    """No value of whatever type makes the reader fail in another way than by naming file, line and column."""
    lines = GARDEN.splitlines()
    pairs = [i for i, line in enumerate(lines) if " = " in line]
    for number, value in odd:
        at = pairs[number % len(pairs)]
        lines[at] = lines[at].partition(" = ")[0] + " = " + value
    found: list[SourceError] = []
    try:
        read("\n".join([*lines, more]))
    except SettingsError as e:
        found = e.mistakes or [SourceError("", "no mistake is named")]

    assert all(m.line for m in found)


WEEDS = """
[[list]]
room = "#weeds:example.org"
clause = "4.2"
"""


def test_a_list_is_of_the_one_community_there_is() -> None:
    """Its clause is named, it has effect if nothing else is said, and its community need not be named."""
    found = read(GARDEN + WEEDS + 'via = ["weeds.example"]\n')
    (follow,) = found.lists
    assert (follow.room, follow.clause, follow.community) == ("#weeds:example.org", "4.2", "tea-garden")
    assert (follow.apply, follow.via) == (True, ("weeds.example",))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[[list]]\nclause = '4.2'\n", "room is missing"),
        ("[[list]]\nroom = '#weeds:example.org'\n", "clause is missing"),
        ("[[list]]\nroom = 'weeds'\nclause = '4.2'\n", "!id or #alias:example.org"),
        (WEEDS + "apply = 'no'\n", "neither true nor false"),
        (WEEDS + "community = 'attic'\n", "there is no community 'attic'"),
        (WEEDS + WEEDS, "is followed twice"),
        (WEEDS + "aply = true\n", "there is no 'aply' here"),
        ("[list]\nroom = '#weeds:example.org'\n", "expected [[list]]"),
    ],
)
def test_a_list_that_cannot_be_followed_is_refused(text: str, wrong: str) -> None:
    """With its place, and what was expected."""
    (mistake,) = mistakes(GARDEN + text)
    assert wrong in mistake


def test_with_two_communities_a_list_says_whose_it_is() -> None:
    """There is no guessing whose clause adopts it."""
    attic = "[[community]]\nid = 'attic'\n"
    (mistake,) = mistakes(GARDEN + attic + WEEDS)
    assert "community is missing" in mistake
    assert "attic" == read(GARDEN + attic + WEEDS + "community = 'attic'\n").lists[0].community
