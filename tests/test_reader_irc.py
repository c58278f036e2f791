"""IRC logs: four notations, one meaning."""

import datetime as dt
import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.adapters.exports import Options
from comity.adapters.irc import nick_id
from comity.core.event import Event
from reading import BERLIN, EXPORTS, UBUNTU, by_id, found, lines, needs_ubuntu

IRC = EXPORTS / "irc"


def test_irssi() -> None:
    """irssi: its day lines date the events; joins, quits, kicks, splits, modes, notices and actions are told."""
    assert [
        "12:00:00 #garden join ana",
        "12:00:00 #garden rosa welcome, take a cup",
        "12:01:00 #garden ana Rosa: thank you, is the kettle on?",
        "12:01:00 #garden rosa fills the kettle",
        "12:02:00 #garden role rosa",
        "12:03:00 #garden rosa tea is at four",
        "12:04:00 #garden rename bo",
        "12:05:00 #garden leave cleo",
        "12:06:00 #garden leave dan",
        "12:06:00 #garden leave eli",
        "23:59:00 #garden ana good night",
        "00:01:00 #garden ana Bo, Rosa: I forgot the scones",
        "08:30:00 #garden leave ana",
    ] == lines(IRC / "#garden.log")


def test_weechat() -> None:
    """WeeChat: times stand in full on every line, the channel in the file's name."""
    assert [
        "12:00:00 #garden join ana",
        "12:00:05 #garden rosa welcome, take a cup",
        "12:00:09 #garden ana rosa, thank you",
        "12:00:12 #garden rosa fills the kettle",
        "12:01:00 #garden role rosa",
        "12:01:30 #garden rename bo",
        "12:03:00 #garden leave cleo",
        "00:00:01 #garden leave ana",
    ] == lines(IRC / "irc.libera.#garden.weechatlog")


def test_energymech() -> None:
    """Energymech and ZNC: the file's name says channel and day, and midnight moves on to the next."""
    everything = found(IRC / "garden.2026-03-01.log")

    assert not everything.unread
    assert ["#garden"] * 10 == [event.room for event in everything.events]
    assert ["join", "message", "message", "message", "role", "rename", "leave", "leave", "message", "message"] == [
        event.kind for event in everything.events
    ]
    assert "2026-03-01T11:59:58.000Z" == everything.events[0].at
    assert "2026-03-02T00:00:04.000Z" == everything.events[-1].at


def test_the_ubuntu_form() -> None:
    """The public Ubuntu logs: lines without a clock stand at the time before, brackets that broke nicks are mended."""
    assert [
        "11:58:00 #garden join ana",
        "11:58:00 #garden bur{n}er the shed is open",
        "12:01:00 #garden ana bur[n]er: on my way",
        "12:01:00 #garden leave ana",
        "12:01:00 #garden rename start",
        "12:01:00 #garden starski waters the beans",
        "12:01:00 #garden role chanserv",
        "12:59:00 #garden {rake} nearly one",
        "13:02:00 #garden starski past one now",
        "13:02:00 #garden leave bo",
        "13:03:00 #garden soil from another window",
        "13:03:00 #garden soil digs",
        "13:04:00 #garden soil tea is at four",
    ] == lines(IRC / "2004-11-15_03.raw.txt")


def test_who_is_who() -> None:
    """Operators are managers, a rename tells the old member and the new name, a mode tells whom it is about."""
    events = found(IRC / "#garden.log").events

    assert ("Rosa", "manager") == (events[1].name, events[1].role)
    assert ("bo", "bo|away") == (events[6].member, events[6].name)
    assert ("rosa", "bo", "manager") == (events[4].member, events[4].target, events[4].role)


def test_addressing_mentions() -> None:
    """``nick:`` and ``nick,`` at the beginning mention members seen before, in any letter case, and nobody else."""
    events = found(IRC / "#garden.log").events

    assert ["rosa"] == events[2].mentions
    assert ["bo", "rosa"] == events[11].mentions
    assert [] == events[1].mentions  # "welcome," is nobody's nick


def test_the_community_is_the_folder_or_what_is_given() -> None:
    """A log does not say its network: the folder's name stands for it unless a name is given."""
    path = IRC / "#garden.log"

    assert {"irc"} == {event.community for event in found(path).events}
    assert {"libera"} == {event.community for event in found(path, options=Options(community="libera")).events}


def test_clocks_are_read_in_the_zone_given(tmp_path: Path) -> None:
    """Clock times are those of the zone given, and the hour that comes twice in autumn is told apart by its order."""
    path = tmp_path / "#garden.2026-10-25.log"
    path.write_text("[02:30] <ana> first\n[02:59] <ana> still summer\n[02:05] <ana> winter\n[03:00] <ana> later\n")

    events = found(path, options=Options(time_zone=BERLIN)).events

    assert ["00:30", "00:59", "01:05", "02:00"] == [event.at[11:16] for event in events]


def test_a_log_without_a_day_is_named_line_by_line(tmp_path: Path) -> None:
    """Where nothing says the day, no time is invented."""
    path = tmp_path / "garden.log"
    path.write_text("[12:00] <ana> tea\n[12:01] <bo> milk\n")

    everything = found(path)

    assert not everything.events
    assert [1, 2] == [one.line for one in everything.unread]
    assert "a date in the file's name, as in garden.2026-03-01.log" == everything.unread[0].expected


def test_odd_lines_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    """A line of no known form, an hour that does not exist, and bytes that are not UTF-8 are named by their lines."""
    path = tmp_path / "garden.2026-03-01.log"
    path.write_bytes(b"[12:00] <ana> tea\nscones\n[25:00] <ana> milk\n[12:01] <ana> caf\xe9\n[12:02] <ana> sug")

    everything = found(path)

    assert ["tea", "caf\N{REPLACEMENT CHARACTER}", "sug"] == [event.text for event in everything.events]
    assert [2, 3, 4] == sorted(one.line for one in everything.unread)


def test_a_grown_log_keeps_its_ids(tmp_path: Path) -> None:
    """A log that has grown gives the same ids again, and equal messages of one minute have different ones."""
    path = tmp_path / "garden.2026-03-01.log"
    start = "[12:00] <ana> tea\n[12:00] <ana> tea\n[12:00] <bo> tea\n"
    path.write_text(start)
    before = [event.id for event in found(path).events]
    path.write_text(start + "[12:00] <ana> tea\n[12:01] <ana> tea\n")

    after = found(path).events

    assert before == [event.id for event in after[:3]]
    assert len(by_id(after)) == 5


def test_nicks_are_one_in_any_letter_case() -> None:
    """Nicks fold as RFC 1459 says: brackets and braces are the two cases of one letter."""
    assert nick_id("Bur[N]er\\~") == nick_id("bUR{n}er|^") == "bur{n}er|^"


nicks = st.text("abcdefgXYZ_[]{}|-`^", min_size=1, max_size=9).filter(lambda n: not n.startswith("-"))
said = st.tuples(
    st.integers(0, 3600),
    nicks,
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=30),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(said, min_size=1, max_size=30), st.sampled_from(["bracket", "weechat"]))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, log: list[tuple[int, str, str]], notation: str
) -> None:
    """Messages written as a log come back with time, nick and text as they were, over any number of midnights."""
    at = dt.datetime(2026, 3, 1, 20, tzinfo=dt.UTC)
    expected, written = [], []
    for step, nick, text in log:
        at += dt.timedelta(seconds=step)
        expected.append((f"{at:%Y-%m-%dT%H:%M:%S}.000Z", nick, text))
        form = (
            f"[{at:%H:%M:%S}] <{nick}> {text}" if notation == "bracket" else f"{at:%Y-%m-%d %H:%M:%S}\t{nick}\t{text}"
        )
        written.append(form + "\n")
    path = tmp_path_factory.mktemp("irc") / "#garden.2026-03-01.log"
    path.write_text("".join(written), newline="")

    assert expected == [
        (event.at, event.name, event.text) for event in found(path, options=Options(format="irc")).events
    ]


@needs_ubuntu
@pytest.mark.shared
def test_every_line_of_the_public_ubuntu_logs_is_read() -> None:
    """All 173 public logs are read without one unread line, and every message in them is an event."""
    everything = found(UBUNTU)

    assert not everything.unread
    message = re.compile(rb"^\[\d\d:\d\d\] <[^>]+>", re.MULTILINE)
    expected = sum(len(message.findall(path.read_bytes())) for path in UBUNTU.iterdir())
    kinds = [event.kind for event in everything.events]
    spoken = sum(1 for event in everything.events if event.kind == "message")
    assert 221_597 <= expected <= spoken < expected + 2_000  # and actions, notices
    assert 16_956 == kinds.count("join")
    assert 5_119 == kinds.count("rename")
    assert {"#ubuntu"} == {event.room for event in everything.events}
    assert _in_order(everything.events)
    assert len(by_id(everything.events)) == len(everything.events)


def _in_order(events: list[Event]) -> bool:
    return all(before.at <= after.at for before, after in itertools.pairwise(events))
