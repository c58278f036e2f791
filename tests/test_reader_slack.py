"""Slack's export: a zip or its unpacked folder."""

import zipfile
from pathlib import Path

import pytest

from comity.adapters.exports import Options
from comity.core.event import Event, Media
from reading import EXPORTS, by_id, found, lines

SLACK = EXPORTS / "slack"
EXPECTED = [
    "12:00:00 C01GENERAL join U02ANA",
    "12:01:00 C01GENERAL U02ANA who has seeds, @rosa? see the list (https://seeds.example/list) & #kitchen",
    "12:01:30 C02KITCHEN U01ROSA the kettle is on",
    "12:02:00 C01GENERAL U01ROSA these",
    "12:03:00 C01GENERAL B01ALMANAC @here tea is at four",
    "12:05:00 C01GENERAL edit U02ANA",
    "08:00:00 C01GENERAL U01ROSA good morning",
    "08:01:00 C01GENERAL leave U02ANA",
]


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """The folder as Slack's zip."""
    path = tmp_path / "Tea House Slack export Mar 1 2026 - Mar 2 2026.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(SLACK.rglob("*.json")):
            archive.write(file, file.relative_to(SLACK).as_posix())
    return path


def test_a_folder() -> None:
    """Channels come side by side in time order, with text as people read it."""
    assert EXPECTED == lines(SLACK)


def test_the_zip_as_it_comes(packed: Path) -> None:
    """The zip reads like the folder, and its name is the community's."""
    assert EXPECTED == lines(packed)
    assert {"Tea House"} == {event.community for event in found(packed).events}
    assert {"teahouse"} == {event.community for event in found(packed, options=Options(community="teahouse")).events}


def test_what_a_message_says() -> None:
    """Mentions are members, threads are replies, files are media, admins and bots are told apart."""
    events = by_id(found(SLACK).events)

    def one(ts: str) -> Event:
        return events[f"slack:C01GENERAL/{ts}"]

    assert ["U01ROSA"] == one("1772366460.000300").mentions
    assert one("1772366460.000300").reply_to is None  # it begins the thread
    assert "slack:C01GENERAL/1772366460.000300" == one("1772366520.000400").reply_to
    assert [Media("image/png", 20480)] == one("1772366520.000400").media
    assert ("rosa", "manager") == (one("1772366520.000400").name, one("1772366520.000400").role)
    assert ("almanac", "bot") == (one("1772366580.000500").name, one("1772366580.000500").role)


def test_one_broken_day_costs_only_itself(tmp_path: Path) -> None:
    """A day that ends in the middle is named by its file, and the days and channels after it are read."""
    for file in SLACK.rglob("*.json"):
        there = tmp_path / file.relative_to(SLACK)
        there.parent.mkdir(exist_ok=True)
        there.write_bytes(file.read_bytes())
    broken = tmp_path / "general" / "2026-03-01.json"
    broken.write_bytes(broken.read_bytes()[:600])

    everything = found(tmp_path)

    assert [str(broken)] == [one.path for one in everything.unread]
    assert "the kettle is on" in [event.text for event in everything.events]
    assert "good morning" in [event.text for event in everything.events]


def test_a_broken_list_is_named_once(packed: Path, tmp_path: Path) -> None:
    """Without its list of users an export is read all the same, with ids for names, and the list is named."""
    path = tmp_path / "broken.zip"
    with zipfile.ZipFile(packed) as whole, zipfile.ZipFile(path, "w") as broken:
        for name in whole.namelist():
            broken.writestr(name, whole.read(name)[:30] if name == "users.json" else whole.read(name))

    everything = found(path)

    assert [f"{path}!users.json"] == [one.path for one in everything.unread]
    assert len(EXPECTED) == len(everything.events)
    assert {None, "almanac"} == {event.name for event in everything.events}


def test_one_day_alone() -> None:
    """A single day's file is read with its folder as the room."""
    events = found(SLACK / "kitchen" / "2026-03-01.json").events

    assert [("kitchen", "the kettle is on")] == [(event.room, event.text) for event in events]
