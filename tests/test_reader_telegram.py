"""Telegram Desktop's JSON: one chat, or an account."""

import json
from pathlib import Path

from comity.adapters.exports import Options
from comity.core.event import Media
from reading import BERLIN, EXPORTS, by_id, found, lines

ONE = EXPORTS / "telegram" / "result.json"
ACCOUNT = EXPORTS / "telegram" / "account.json"


def message(number: int, **fields: object) -> dict[str, object]:
    """A message as the exporter writes it, with these fields changed."""
    usual = {
        "id": number,
        "type": "message",
        "date_unixtime": str(1_772_366_400 + number),
        "from": "Ana",
        "from_id": "user1",
    }
    return {**usual, "text": "tea", **fields}


def chat(path: Path, *messages: object, indent: int | None = 1) -> Path:
    """One chat with these messages."""
    content = {"name": "Garden", "type": "private_group", "id": 7, "messages": messages}
    path.write_text(json.dumps(content, indent=indent))
    return path


def test_one_chat() -> None:
    """Messages, joins, leaves and edits of a chat are told; pins tell nothing; what Telegram left out is named."""
    everything = found(ONE)

    assert [
        ("1", "join", "user11"),
        ("1.1", "join", "name:Ana Bell"),
        ("2", "message", "user12"),
        ("3", "message", "user11"),
        ("2/edit", "edit", "user12"),
        ("4", "message", "user11"),
        ("6", "join", "user14"),
        ("7", "leave", "user14"),
    ] == [(event.id.split("/", 1)[1], event.kind, event.member) for event in everything.events]
    assert ["message 8: Telegram Desktop could not export it"] == [one.what for one in everything.unread]


def test_what_a_message_says() -> None:
    """Links show their address, mentions are members, replies name their message, media their type and size."""
    events = by_id(found(ONE).events)
    asks, answers = events["telegram:4100200300/2"], events["telegram:4100200300/3"]

    assert "who has seeds (https://seeds.example/list), @rosa_g or Bo?" == asks.text
    assert ["@rosa_g", "user13"] == asks.mentions
    assert "telegram:4100200300/2" == answers.reply_to
    assert [Media("image/jpeg", 48213)] == answers.media
    assert [Media("application/pdf", 90211)] == events["telegram:4100200300/4"].media


def test_an_edit_is_told_without_a_text() -> None:
    """Only the last text is kept: it stands with the message, and the edit says when; nothing counts twice."""
    edit = by_id(found(ONE).events)["telegram:4100200300/2/edit"]

    assert ("2026-03-01T12:03:30.000Z", "telegram:4100200300/2", None) == (edit.at, edit.target, edit.text)


def test_an_account_comes_in_time_order_across_its_chats() -> None:
    """The chats of an account stand one after the other in the file, and come side by side."""
    assert ["12:00:00 501 user11 first", "12:05:00 502 user13 second", "12:10:00 501 user11 third"] == lines(ACCOUNT)


def test_one_bad_message_costs_only_itself(tmp_path: Path) -> None:
    """A message of the wrong shape is named by its number, and the rest is read."""
    path = chat(
        tmp_path / "result.json", message(1), message(2, text=7), "tea", message(4, date_unixtime="x"), message(5)
    )

    everything = found(path)

    assert ["telegram:7/1", "telegram:7/5"] == [event.id for event in everything.events]
    assert 3 == len(everything.unread)
    assert everything.unread[0].what.startswith("message 2: ")


def test_a_torn_file_is_read_up_to_the_tear(tmp_path: Path) -> None:
    """A file that ends in the middle gives what came before, and says that it ends."""
    path = chat(tmp_path / "result.json", *[message(n) for n in range(1, 2001)])
    path.write_bytes(path.read_bytes()[:-50_000])

    everything = found(path)

    assert 1000 < len(everything.events) < 2000
    assert [f"the JSON ends too early after {len(everything.events):,} messages"] == [o.what for o in everything.unread]


def test_bytes_that_are_not_utf8_cost_nothing_else(tmp_path: Path) -> None:
    """A damaged byte is named by its line, and every message is read."""
    path = chat(tmp_path / "result.json", *[message(n) for n in range(1, 101)])
    path.write_bytes(path.read_bytes().replace(b'"tea"', b'"t\xffa"', 1))

    everything = found(path)

    assert 100 == len(everything.events)
    assert "t\N{REPLACEMENT CHARACTER}a" == everything.events[0].text
    assert [12] == [one.line for one in everything.unread]


def test_exports_before_2021_have_local_times_and_bare_numbers(tmp_path: Path) -> None:
    """Old exports are read with the zone given, and their members are the same as in new ones."""
    old = {"id": 1, "type": "message", "date": "2020-07-01T12:00:00", "from": "Ana", "from_id": 4242, "text": "tea"}
    path = chat(tmp_path / "result.json", old)

    event = found(path, options=Options(time_zone=BERLIN)).events[0]

    assert ("2020-07-01T10:00:00.000Z", "user4242") == (event.at, event.member)


def test_without_indentation_it_is_the_same(tmp_path: Path) -> None:
    """A file on a single line reads like one on many."""
    several = [message(n) for n in range(1, 5001)]

    assert (
        found(chat(tmp_path / "a.json", *several)).events
        == found(chat(tmp_path / "b.json", *several, indent=None)).events
    )
