"""WhatsApp's text: dates in any order, two clocks, two programs."""

import datetime as dt
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.adapters.exports import Options
from reading import BERLIN, EXPORTS, found, lines

ANDROID = EXPORTS / "whatsapp" / "WhatsApp Chat with Garden.txt"
IOS = EXPORTS / "whatsapp" / "ios" / "_chat.txt"


def test_android() -> None:
    """Android: several lines, joins and leaves, media, deleted and edited messages; notices tell nothing."""
    everything = found(ANDROID)

    assert not everything.unread
    assert [
        ("join", "Ana Bell", None),
        ("join", "Bo", None),
        ("message", "Ana Bell", "thank you\nwe sow:\n- beans\n- peas"),
        ("message", "Rosa", ""),
        ("join", "+447700900123", None),
        ("message", "+447700900123", "hello @\u2068Ana Bell\u2069 and @447700900123"),
        ("message", "Bo", "the first leaf"),
        ("message", "Rosa", None),
        ("message", "Bo", "sown at noon"),
        ("leave", "Bo", None),
    ] == [(event.kind, event.member, event.text) for event in everything.events]
    assert {"Garden"} == {event.room for event in everything.events}
    assert ["Ana Bell", "+447700900123"] == everything.events[5].mentions
    assert ["application/octet-stream", "image/jpeg"] == [
        media.type for event in everything.events for media in event.media or []
    ]


def test_ios() -> None:
    """iOS: brackets, seconds, month first, 12 hours behind a narrow space, marks before lines and texts."""
    assert [
        "21:04:12 ios join Ana Bell",
        "21:05:00 ios Ana Bell",
        "21:06:00 ios Ana Bell half past nine: tea",
        "00:00:30 ios Rosa",
        "12:01:00 ios Rosa noon",
    ] == lines(IOS)
    assert ["2026-03-12", "2026-03-13"] == sorted({event.at[:10] for event in found(IOS).events})


def test_inside_the_zip_that_whatsapp_makes(tmp_path: Path) -> None:
    """The zip is read as it is: the chat's name from the zip's, pictures beside it counted, not taken for chats."""
    path = tmp_path / "WhatsApp Chat - Garden.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(IOS, "_chat.txt")
        archive.writestr("00000012-PHOTO-2026-03-13-00-00-30.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" * 20)

    everything = found(path)

    assert 5 == len(everything.events)
    assert {"Garden"} == {event.room for event in everything.events}
    assert ["files that are no text were passed over: 1"] == [one.what for one in everything.unread]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("03/04/2026, 10:00 - ", "13/04/2026, 10:00 - ", "2026-04-03"),  # there is no month 13
        ("03/04/2026, 10:00 - ", "04/13/2026, 10:00 - ", "2026-03-04"),
        ("03.04.26, 10:00 - ", "04.04.26, 10:00 - ", "2026-04-03"),
        ("2026-04-03, 10:00 - ", "2026-04-04, 10:00 - ", "2026-04-03"),
        ("2026/4/3 10:00 - ", "2026/4/4 10:00 - ", "2026-04-03"),
        ("3/4/26, 10:00\u202fAM - ", "3/5/26, 10:00\u202fAM - ", "2026-03-04"),
        ("[03-04-2026, 10:00:00] ", "[04-04-2026, 10:00:00] ", "2026-04-03"),
        ("1/12/26, 10:00 - ", "2/1/27, 10:00 - ", "2026-12-01"),  # month first would run backwards
        ("[3.4.2026, 10:00:00] ", "[4.4.2026, 10:00:00] ", "2026-04-03"),
        ("03/04/2026 à 10:00 - ", "04/04/2026 à 10:00 - ", "2026-04-03"),
    ],
)
def test_the_order_of_dates_is_told_from_the_whole_file(tmp_path: Path, first: str, second: str, expected: str) -> None:
    """Whichever order makes every date exist and time run forward is taken."""
    path = tmp_path / "chat.txt"
    path.write_text(f"{first}Ana: one\n{second}Ana: two\n")

    assert expected == found(path).events[0].at[:10]


def test_the_order_of_dates_can_be_given(tmp_path: Path) -> None:
    """A given order is kept to; a date that does not exist in it is named."""
    path = tmp_path / "chat.txt"
    path.write_text("03/04/2026, 10:00 - Ana: one\n13/04/2026, 10:00 - Ana: two\n")

    everything = found(path, options=Options(date_order="mdy"))

    assert ["2026-03-04"] == [event.at[:10] for event in everything.events]
    assert [(2, "there is no such date in the order mdy")] == [(one.line, one.what) for one in everything.unread]


def test_clocks_are_read_in_the_zone_given(tmp_path: Path) -> None:
    """Times are the telephone's; the zone makes them UTC."""
    path = tmp_path / "chat.txt"
    path.write_text("13/07/2026, 10:00 - Ana: one\n13/12/2026, 10:00 - Ana: two\n")

    assert ["08:00", "09:00"] == [e.at[11:16] for e in found(path, options=Options(time_zone=BERLIN)).events]


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    """A damaged line is read with a mark in its place and named; the rest is whole."""
    path = tmp_path / "chat.txt"
    path.write_bytes(b"13/07/2026, 10:00 - Ana: one\n13/07/2026, 10:01 - Ana: caf\xe9\n13/07/2026, 10:02 - Bo: three\n")

    everything = found(path)

    assert ["one", "caf\N{REPLACEMENT CHARACTER}", "three"] == [event.text for event in everything.events]
    assert [2] == [one.line for one in everything.unread]


def test_a_message_without_an_end_is_cut(tmp_path: Path) -> None:
    """A file whose lines never begin another message does not fill the memory."""
    path = tmp_path / "chat.txt"
    path.write_text("13/07/2026, 10:00 - Ana: one\n13/07/2026, 10:01 - Ana: two\n" + "and sugar\n" * 300_000)

    everything = found(path)

    assert 1_000_100 > len(everything.events[1].text or "") > 990_000
    assert ["a message goes on for more than a million characters and was cut here"] == [
        one.what for one in everything.unread
    ]


names = st.text("abcdeéü XYZ", min_size=1, max_size=12).map(str.strip).filter(bool)
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"], exclude_characters="<@"), max_size=30)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 200_000), names, st.lists(words, min_size=1, max_size=3)), min_size=2, max_size=20
    ),
    st.sampled_from(
        ["[%d/%m/%Y, %H:%M:%S] ", "%Y-%m-%d, %H:%M - ", "[%m/%d/%y, %I:%M:%S\u202f%p] ", "%d.%m.%y, %H:%M - "]
    ),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, chat: list[tuple[int, str, list[str]]], form: str
) -> None:
    """Messages written in any of the usual forms come back with time, member and text, given the order of dates."""
    at = dt.datetime(2026, 3, 1, 20, tzinfo=dt.UTC)
    expected, written = [], ""
    for step, name, said in chat:
        at += dt.timedelta(seconds=step)
        shown = at if "%S" in form else at.replace(second=0)
        text = "\n".join(said)
        expected.append((f"{shown:%Y-%m-%dT%H:%M:%S}.000Z", name, text))
        written += f"{at.strftime(form)}{name}: {text}\n"
    path = tmp_path_factory.mktemp("whatsapp") / "chat.txt"
    path.write_text(written, newline="")
    order = {"%d": "dmy", "%m": "mdy", "%Y": "ymd"}[form.removeprefix("[")[:2]]

    everything = found(path, options=Options(format="whatsapp", date_order=order))  # type: ignore[arg-type]

    assert expected == [(event.at, event.member, event.text) for event in everything.events]
