"""What is hidden because of what is in force already, message by message."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np

from comity.core.action import Action
from comity.core.actions_of import hold
from comity.core.decision import Decision
from comity.core.event import moment
from comity.core.held import Reason, Sent, held
from comity.core.wording import say
from comity.features.columns import Batch
from comity.features.links import count_links
from comity.features.pieces import Ints
from comity.runner.deciding import kind_of, role_of
from comity.runner.people import People
from comity.runner.realm import Realm
from comity.turns import Numbers

_WRITING: Final = frozenset({"message", "edit", "reaction"})


def hold_back(
    realm: Realm,
    batch: Batch,
    members: Ints,
    *,
    before: Mapping[int, Sequence[Decision]],
    rows: Mapping[int, int],
    made: Sequence[Decision],
    people: People,
    numbers: Numbers,
    now: int,
) -> list[Action]:
    """The actions that hide messages of a turn for what is in force.

    before: what was in force before the turn about members with new decisions: it is that which holds their messages up
    to the row of their last finding (rows), and from there on also what the turn decided (made).
    """
    if realm.dry_run:
        return []
    linking = count_links(batch) > 0
    for row in batch.media:
        linking[row] = True
    looked_at = linking
    if realm.in_force:
        looked_at = linking | np.fromiter(map(realm.in_force.__contains__, members.tolist()), np.bool_, len(members))
    if not looked_at.any():
        return []
    hidden = {place.event for d in made for place in d.hides}
    found: list[Action] = []
    where = np.flatnonzero(looked_at)
    for row, room in zip(where.tolist(), numbers.rooms(batch, where), strict=True):
        member = int(members[row])
        in_force: Sequence[Decision] = realm.in_force.get(member, ())
        if row <= rows.get(member, -1):
            in_force = before.get(member, in_force)
        event = batch.string("id", row)
        why = _why(
            realm, batch, row, room, member, linking=bool(linking[row]), in_force=in_force, people=people, now=now
        )
        if why is None:
            realm.wrote_in(member, room, now)
        elif event not in hidden:
            found.append(hold(event, batch.string("room", row), why.decision, sentence(realm, why, "")))
    return found


def sentence(realm: Realm, why: Reason, page: str) -> str:
    """Why a message is hidden, for a reason field."""
    key = f"held {why.measure}" if why.decision else "newcomer"
    return say(realm.charter.language, key, page=page).strip()


def _why(
    realm: Realm,
    batch: Batch,
    row: int,
    room: int,
    member: int,
    *,
    linking: bool,
    in_force: Collection[Decision],
    people: People,
    now: int,
) -> Reason | None:
    kind = kind_of(batch, row)
    if kind not in _WRITING or not (linking or in_force):
        return None
    sent = Sent(
        at=now,
        room=room,
        kind=kind,
        links=linking,
        media=False,
        before=realm.wrote.get((member, room)),
        newcomer=linking and realm.counting.newcomer(member, realm.day(moment(now))),
        exempt=people.ghost(batch.string("member", row)),
        manager=role_of(batch, row) == "manager",
    )
    return held(sent, in_force)
