"""Which charter holds, and how a running community goes over to another."""

from pathlib import Path

import pytest

from comity.charter_file import CharterError
from comity.core.charter import Measure
from comity.core.charter_changes import What
from comity.core.errors import ComityError
from comity.core.who import Who
from comity.runner.realm import Realm
from comity.stores.charter_contract import Way
from fake_homeserver import FakeHomeserver
from office_kit import MEMBERS, House, house

pytestmark = pytest.mark.anyio
OLIVE = Who("olive")
FLOOD = """
[[clause]]
id = "1.1"
text = "Leave others room."
rule = "flood"
parameters = { allowed = 3, look_back = "10m" }
severity = "serious"
measures = ["slow"]
"""
PEBBLES = """
[[clause]]
id = "4.1"
text = "No pebbles."
when = "kind == 'message' and matches('pebble')"
harm = "spam"
severity = "serious"
measures = ["mute"]
"""


async def text_of(garden: House) -> str:
    """The text of the charter that holds."""
    row = (await garden.office.charter(1)).row
    assert row is not None
    return row.text


async def test_the_file_is_the_first_version_and_what_was_changed_last_holds(
    tmp_path: Path, fake: FakeHomeserver
) -> None:
    """The same file makes no version; what was published outlives a restart; a changed file comes after it."""
    async with house(tmp_path, fake) as garden:
        row = await garden.office.publish(1, await text_of(garden) + PEBBLES, OLIVE, "they scratch", base=1)
        assert (row.number, row.by, row.way, row.reason) == (2, "olive", Way.PUBLISHED, "they scratch")
        assert [(c.what, c.clause_id) for c in row.changes] == [(What.ADDED, "4.1")]
    async with house(tmp_path, fake) as garden:
        held = await garden.office.charter(1)
        assert held.row is not None
        assert held.row.number == 2
        assert "4.1" in {c.id for c in held.charter.clauses}
    async with house(tmp_path, fake, more=FLOOD) as garden:
        held = await garden.office.charter(1)
        assert held.row is not None
        assert (held.row.number, held.row.way, held.row.by) == (3, Way.FILE, "file")
        assert {c.id for c in held.charter.clauses} >= {"1.1"}
        assert "4.1" not in {c.id for c in held.charter.clauses}
        assert {(c.what, c.clause_id) for c in held.row.changes} == {(What.ADDED, "1.1"), (What.REMOVED, "4.1")}


async def test_the_running_community_goes_over_at_once_and_windows_go_on(tmp_path: Path, fake: FakeHomeserver) -> None:
    """The next message is rated by the new charter, and what a window had counted before still counts."""
    async with house(tmp_path, fake, more=FLOOD) as garden:
        await garden.say(MEMBERS[0], "one", "two", "three")
        await garden.say(MEMBERS[1], "a pebble")
        assert garden.decisions(MEMBERS[0]) == garden.decisions(MEMBERS[1]) == []

        await garden.office.publish(1, await text_of(garden) + PEBBLES, OLIVE, "they scratch", base=1)
        await garden.say(MEMBERS[1], "another pebble")
        await garden.say(MEMBERS[0], "four")

        assert Measure.MUTE in {d.measure for d in garden.decisions(MEMBERS[1]) if d.clause_id == "4.1"}
        assert {d.clause_id for d in garden.decisions(MEMBERS[0])} == {"1.1"}


async def test_what_weighs_otherwise_is_summed_anew(tmp_path: Path, fake: FakeHomeserver) -> None:
    """With other figures of standing, what is in the ledger already is summed by them at once, and back again."""
    async with house(tmp_path, fake) as garden:
        await garden.say(MEMBERS[0], "look at my new kettle")
        first, text = garden.points(MEMBERS[0]), await text_of(garden)
        await garden.office.publish(1, text + "\n[standing]\nserious = 5\n", OLIVE, "graver", base=1)
        assert garden.points(MEMBERS[0]) < first
        await garden.office.publish(1, text, OLIVE, "as it was", base=2)
        assert garden.points(MEMBERS[0]) == first


@pytest.mark.parametrize(
    ("text", "reason", "base", "why"),
    [
        ("{text}\n[[clause]]\nid = 'x'\n", "because", 1, "either a rule or a when"),
        ("{text}", "because", 1, "says the same"),
        ("{text}" + PEBBLES, " ", 1, "say why"),
        ("{text}" + PEBBLES, "because", 0, "version 1 was published since"),
    ],
)
async def test_what_cannot_be_published_changes_nothing(  # noqa: PLR0917 - the cases
    tmp_path: Path, fake: FakeHomeserver, text: str, reason: str, base: int, why: str
) -> None:
    """A mistake, the same again, no reason, somebody else was first: each is told, and the charter holds as before."""
    async with house(tmp_path, fake) as garden:
        before = await garden.office.charter(1)
        given = text.replace("{text}", await text_of(garden))
        with pytest.raises(ComityError, match=why) as refused:
            await garden.office.publish(1, given, OLIVE, reason, base=base)
        assert await garden.office.charter(1) == before
        assert isinstance(refused.value, CharterError) == ("either" in why)


async def test_a_charter_that_fails_half_way_is_not_adopted(
    tmp_path: Path, fake: FakeHomeserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the community cannot go over, no version is kept, and the old charter goes on finding."""

    def broken(realm: Realm, charter: object, now: object) -> None:
        adopt(realm, charter, now)  # type: ignore[arg-type]
        raise OSError("no space")

    adopt = Realm.adopt
    async with house(tmp_path, fake) as garden:
        before = await garden.office.charter(1)
        monkeypatch.setattr(Realm, "adopt", broken)
        with pytest.raises(OSError, match="no space"):
            await garden.office.publish(1, await text_of(garden) + PEBBLES, OLIVE, "they scratch", base=1)
        assert await garden.office.charter(1) == before
        await garden.say(MEMBERS[0], "a pebble", "a free teapot for you")
        assert {d.clause_id for d in garden.decisions(MEMBERS[0])} == {"2.1"}


async def test_who_sends_a_clause_to_shadow_is_kept_and_it_stays_there(tmp_path: Path, fake: FakeHomeserver) -> None:
    """Also over a new version of the charter that leaves it as it was, and over a restart."""
    async with house(tmp_path, fake) as garden:
        await garden.office.shadow(1, "2.1", OLIVE, on=True, reason="to try")
        await garden.office.publish(1, await text_of(garden) + PEBBLES, OLIVE, "they scratch", base=1)
        await garden.say(MEMBERS[0], "a free teapot for you")
        assert garden.decisions(MEMBERS[0]) == []
    async with house(tmp_path, fake) as garden:
        assert (await garden.office.charter(1)).shadows == {"2.1"}
        await garden.office.shadow(1, "2.1", OLIVE, on=False, reason="it is right")
        acts = garden.store.charters.clause_acts(1, clause_id="2.1")
        assert [(a.shadow, a.by, a.reason) for a in acts] == [
            (False, "olive", "it is right"),
            (True, "olive", "to try"),
        ]
        assert (await garden.office.charter(1)).shadows == frozenset()
