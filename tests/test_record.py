"""The record: what is said in rooms that agreed is kept, can be read by those who may, and ends when it should."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from comity.core.errors import StoreError
from comity.core.retention import DAY, Hold
from comity.stores.record.keys import KeeperError, LocalKeeper
from record_garden import GARDEN, HOUR, KEEPER, MONDAY, ROOMS, Here, a_chat, after_weeks, an_event


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    """A store with an empty record."""
    with Here.open(tmp_path) as found:
        yield found


def everything(here: Here) -> bytes:
    """All bytes of the store and the record."""
    files = [p for p in here.folder.parent.rglob("*") if p.is_file()]
    return b"".join(p.read_bytes() for p in files)


def test_what_was_said_comes_back_as_it_was(here: Here) -> None:
    """Every field survives frames and segments, but for accounts, which are pseudonyms then."""
    chat = a_chat(40)
    chat[7] = msgspec.structs.replace(
        chat[7], mentions=None, text=None, role=None, account_created_at="2020-02-02T02:02:02Z"
    )
    here.say(chat)
    names = here.store.record.pseudonyms(GARDEN, {e.member for e in chat})
    expected = [
        msgspec.structs.replace(
            e,
            member=names[e.member],
            mentions=None if e.mentions is None else [names[m] for m in e.mentions],
            account_created_at=e.account_created_at and "2020-02-02T02:02:02.000Z",
        )
        for e in chat
    ]

    assert expected == here.read(MONDAY)
    here.record.tend(MONDAY + 2 * DAY, whole=True)
    assert expected == here.read(MONDAY + 2 * DAY)
    assert here.verify().whole


def test_nothing_of_it_can_be_read_without_the_key(here: Here) -> None:
    """Neither words nor accounts stand in any file, in frames or in segments; another key opens nothing."""
    here.say(a_chat(30))
    assert not any(word in everything(here) for word in (b"zinnias", b"@ana", b"toothpaste"))
    here.record.tend(MONDAY + 2 * DAY, whole=True)
    assert not any(word in everything(here) for word in (b"zinnias", b"@ana", b"toothpaste", b"$event-3"))
    here.store.close()

    with pytest.raises(KeeperError, match="is wrapped by"):
        Here.open(here.folder.parent, keeper=LocalKeeper(bytes(32)))


def test_only_rooms_that_agreed_are_recorded(here: Here) -> None:
    """What is said elsewhere, before, and after the room stopped, is not there."""
    loft = [an_event(n, MONDAY + n, room="#loft") for n in range(3)]
    here.say(loft)
    here.record.begin_room(GARDEN, "#loft", 30, MONDAY)
    here.say(loft[1:2])
    here.record.end_room(GARDEN, "#loft", MONDAY + HOUR)
    here.say(loft[2:])

    assert ["$event-1"] == here.ids(MONDAY)


def test_it_is_destroyed_by_itself_when_its_term_is_over(here: Here) -> None:
    """To the day it is there, and a day later neither readable nor on the disk; the chain proves both."""
    here.say(a_chat(200))
    here.record.tend(after_weeks(3))
    last = after_weeks(1, days=180) - 1
    week_one = [f"$event-{n}" for n in range(168)]

    assert week_one == here.ids(last)[:168]
    assert here.ids(last + 1) == [f"$event-{n}" for n in range(168, 200)]  # nobody tended it yet
    names = {s.file for s in here.record.parts.rows.segments() if s.first < after_weeks(1)}
    assert 168 == here.record.tend(last + 1).left_out["term"]
    assert not names & set(here.record.parts.place.names())
    assert here.verify().whole
    assert "destroyed" in {msgspec.json.decode(body)["what"] for body in here.store.record.links()}


def test_a_room_can_choose_a_shorter_term(here: Here) -> None:
    """Its messages go earlier, those of the others stay."""
    here.record.begin_room(GARDEN, "#attic", 7, MONDAY)
    here.say(a_chat(30))
    now = after_weeks(2)
    here.record.tend(now)

    assert {"#garden", "#cellar"} == {e.room for e in here.read(now)}
    assert here.verify().whole
    assert 20 == here.record.status(now).events


def test_what_its_author_took_back_loses_its_words(here: Here) -> None:
    """At once for readers, and from the files within a day; that there was a message stays, as do others' words."""
    here.say(a_chat(10))
    edit = an_event(
        20, MONDAY + 11 * HOUR, kind="edit", member="@dora:example.org", target="$event-3", text="the dahlias"
    )
    gone = an_event(21, MONDAY + 12 * HOUR, kind="redaction", member="@dora:example.org", target="$event-3", text=None)
    not_hers = an_event(22, MONDAY + 12 * HOUR, kind="redaction", member="@dora:example.org", target="$event-4")
    here.say([edit, gone, not_hers])

    def words() -> dict[str, str | None]:
        return {e.id: e.text for e in here.read(after_weeks(2))}

    for _ in range(2):
        found = words()
        assert (None, None) == (found["$event-3"], found["$event-20"])
        assert found["$event-4"]
        assert 13 == len(found)
        here.record.tend(MONDAY + 2 * DAY)
    assert 0 == here.record.status(MONDAY + 2 * DAY).waiting
    assert here.verify().whole


def test_what_is_sealed_can_be_taken_back(here: Here) -> None:
    """The segment is written anew without the words, and the old one cannot be read any more."""
    here.say(a_chat(10))
    here.record.tend(MONDAY + DAY, whole=True)
    (old,) = here.record.parts.rows.segments()
    here.say([an_event(21, MONDAY + 2 * DAY, kind="redaction", member="@dora:example.org", target="$event-3")])
    here.record.tend(MONDAY + 3 * DAY + HOUR)

    assert old.name not in {s.name for s in here.record.parts.rows.segments()}
    with pytest.raises(StoreError, match="was destroyed"):
        here.record.parts.keys.get(old.name)
    rows = [row for s in here.record.parts.rows.segments() for row in here.record.parts.read(s).to_pylist()]
    assert [None] == [row["text"] for row in rows if row["id"] == "$event-3"]
    assert here.verify().whole


def test_who_wants_to_be_forgotten_is(here: Here) -> None:
    """All they wrote is gone from frames and segments, and no key to it is left; what others wrote stays."""
    here.say(a_chat(100))
    here.record.tend(MONDAY + DAY, whole=True)
    here.say(a_chat(20, start=100, at=MONDAY + 5 * DAY))
    now = MONDAY + 6 * DAY
    keys = set(here.store.record.rows("key"))
    here.record.forget(GARDEN, here.called("ana"), now)

    assert not here.ids(now, member=here.called("ana"))
    assert 96 == len(here.ids(now))
    assert 96 == sum(s.events for s in here.record.parts.rows.segments())
    assert keys & set(here.store.record.rows("key")) == {"signing"}
    assert here.verify().whole
    here.say([an_event(200, now + HOUR)])
    assert ["$event-200"] == here.ids(now + HOUR, member=here.called("ana"))


def test_a_hold_keeps_what_it_names_and_ends(here: Here) -> None:
    """Beyond the term, in the open, until its day; then it is destroyed as if there had been no hold."""
    here.say(a_chat(30))
    over = after_weeks(1, days=180)
    hold = Hold(
        name="tea dispute", by="operator", reason="a court asked", since=over - 2 * DAY, until=over + 30 * DAY,
        community=GARDEN, room="#attic",
    )  # fmt: skip
    here.record.hold(hold, over - 2 * DAY)
    here.record.tend(over)

    assert {"#attic"} == {e.room for e in here.read(over)}
    assert (hold,) == here.record.status(over).holds
    assert here.ids(over + 30 * DAY) == []
    here.record.tend(over + 30 * DAY)
    assert {} == here.record.parts.place.names()
    assert () == here.record.status(over + 30 * DAY).holds
    assert here.verify().whole


def test_a_hold_without_an_end_or_a_name_cannot_be() -> None:
    """Nothing is kept for ever, and nobody orders it in secret."""
    for wrong in ({"until": MONDAY + 400 * DAY}, {"until": MONDAY}, {"by": " "}, {"reason": ""}):
        fields = {"name": "n", "by": "b", "reason": "r", "since": MONDAY, "until": MONDAY + DAY, "community": GARDEN}
        with pytest.raises(ValueError, match="a hold"):
            Hold(**(fields | wrong))  # type: ignore[arg-type]


def test_keys_can_be_wrapped_anew(here: Here) -> None:
    """No segment is written again, everything is readable, and the old key opens nothing any more."""
    here.say(a_chat(40))
    here.record.tend(MONDAY + 2 * DAY, whole=True)
    here.say(a_chat(5, start=40, at=MONDAY + 3 * DAY))
    files = {p.name: p.stat().st_mtime_ns for p in here.folder.iterdir()}
    other = LocalKeeper(b"another key that is not secret..")
    assert 3 == here.record.rotate(other, MONDAY)
    here.store.close()

    assert files == {p.name: p.stat().st_mtime_ns for p in here.folder.iterdir()}
    with pytest.raises(KeeperError, match=f"is wrapped by {other.id}, and this is {KEEPER.id}"):
        Here.open(here.folder.parent)
    with Here.open(here.folder.parent, keeper=other) as again:
        assert 45 == len(again.ids(MONDAY))
        assert again.verify().whole


def test_small_parts_of_a_week_become_one(here: Here) -> None:
    """Sealed day by day, a week that is over is one segment, in the order in which things were said."""
    for day in range(3):
        here.say(a_chat(24, start=24 * day, at=MONDAY + day * DAY, apart=1000))
        here.record.tend(MONDAY + day * DAY + HOUR, whole=True)
    assert 3 == here.record.status(MONDAY).segments
    here.record.tend(after_weeks(1, days=1))

    assert 1 == here.record.status(MONDAY).segments
    assert [f"$event-{n}" for n in range(72)] == here.ids(after_weeks(1, days=1))
    assert here.verify().whole


def test_a_search_finds_by_member_room_time_and_text(here: Here) -> None:
    """The same events whether sealed or not."""
    here.say(a_chat(60))
    for _ in range(2):
        assert [f"$event-{n}" for n in range(0, 60, 5)] == here.ids(MONDAY, member=here.called("ana"))
        assert [f"$event-{n}" for n in range(0, 60, 15)] == here.ids(MONDAY, member=here.called("ana"), room="#garden")
        assert ["$event-13", "$event-18"] == here.ids(
            MONDAY, text="ZINNIAS", since=MONDAY + 10 * HOUR, until=MONDAY + 19 * HOUR
        )
        here.record.tend(MONDAY + 4 * DAY, whole=True)
    assert {*ROOMS} == {e.room for e in here.read(MONDAY)}


def test_the_store_has_one_order_of_arrival(here: Here) -> None:
    """What happened in one millisecond is read in the order in which it came."""
    chat = [an_event(n, MONDAY) for n in (3, 1, 4, 0, 2)]
    here.say(chat, a_turn=2)
    here.record.tend(MONDAY + HOUR, whole=True)
    here.say([an_event(9, MONDAY)])

    assert ["$event-3", "$event-1", "$event-4", "$event-0", "$event-2", "$event-9"] == here.ids(MONDAY)
