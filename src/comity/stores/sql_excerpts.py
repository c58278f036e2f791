"""Erasing what members wrote from a store in SQL once nothing rests on it any more; seals stay as they are."""

from typing import Final

import msgspec

from comity.core.action import Action
from comity.core.statement import Statement
from comity.stores.sql import Db

# Nobody can defend against what nobody can read: what waits for a person, or can be appealed, keeps its excerpts.
_NEEDED: Final = """
EXISTS (
  SELECT 1 FROM rests_on JOIN decision ON decision.number = rests_on.decision
  LEFT JOIN statement ON statement.decision = decision.number
  WHERE rests_on.entry = entry.number
    AND (
      decision.course = 'proposed' OR {until} > :now
      OR EXISTS (SELECT 1 FROM appeal WHERE appeal.decision = decision.number AND appeal.heard = 'open')
    )
)
"""


def erase_excerpts(db: Db, now: int, before: int, member: int | None) -> int:
    """Part of ``Store.erase_excerpts``, within its transaction; ``finding_of`` must be up to date."""
    whose = "" if member is None else "AND number IN (SELECT number FROM finding_of WHERE member = :member)"
    needed = _NEEDED.format(until=db.json_number("statement.body", "appeal_until"))
    bound = {"now": now, "before": before, "member": member}
    erased = db.execute(
        "UPDATE entry SET cover = cover_of(salt, excerpt), salt = NULL, excerpt = NULL "  # noqa: S608 - our own words
        f"WHERE salt IS NOT NULL AND at < :before {whose} AND NOT {needed}",
        bound,
    ).rowcount
    whose = "" if member is None else "AND decision.member = :member"
    stated = db.execute(
        "SELECT decision, body FROM statement JOIN decision ON number = decision "  # noqa: S608 - our own words
        f"WHERE {db.json_number('body', 'appeal_until')} <= :now {whose}",
        bound,
    ).fetchall()
    for number, body in stated:
        s = msgspec.json.decode(body, type=Statement)
        if any(fact.excerpt for fact in s.facts):
            facts = tuple(msgspec.structs.replace(fact, excerpt="") for fact in s.facts)
            bare = msgspec.json.encode(msgspec.structs.replace(s, facts=facts)).decode()
            db.execute("UPDATE statement SET body = ? WHERE decision = ?", (bare, number))
            # What the member was told has them too.
            told = "SELECT place, body FROM action WHERE decision = ? AND state <> 'waiting'"
            for place, action in db.execute(told, (number,)).fetchall():
                mute = msgspec.structs.replace(msgspec.json.decode(action, type=Action), text="")
                db.execute("UPDATE action SET body = ? WHERE place = ?", (msgspec.json.encode(mute).decode(), place))
    return erased
