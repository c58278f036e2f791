"""The outbox in SQL that every store of ours runs: actions that wait, what came of them, and what they changed."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

import msgspec

from comity.core.action import Action, Came, Do, Outcome
from comity.core.handover import Touched
from comity.core.ledger import Head
from comity.stores.contract import Refusal
from comity.stores.decisions_contract import Queued, Waits
from comity.stores.sql import Db, following

MOST_TRIES: Final = 20  # without the platform saying when to try again; then it is given up, and shown
_FIRST_PAUSE: Final = 1_000  # milliseconds, doubled with every try
_LONGEST_PAUSE: Final = 600_000
_LONGEST_WAIT: Final = 24 * 3_600_000  # a platform that says to wait for longer is asked again all the same
_TOGETHER: Final = 32  # of one queue at a time
_FORGOTTEN: Final = "the account it was about is forgotten"
_FIRST: Final = "what must come first was not done"


class Ledger(Protocol):
    """What decisions need of the store they are in."""

    def write(self) -> AbstractContextManager[None]:
        """One transaction."""

    def head(self) -> Head:
        """The ledger's version."""

    def reverse(self, number: int, reason: str, by: str, at: int, *, after: Head) -> Head | Refusal:
        """Take back an entry."""


class SqlOutbox:
    """The outbox of a store; ledger: the store itself."""

    def __init__(self, db: Db, ledger: Ledger) -> None:
        self._db, self._ledger = db, ledger

    def queue(self, actions: Sequence[Action], *, at: int) -> None:
        """See ``Decisions.queue``."""
        with self._ledger.write():
            _queue(self._db, actions, at)

    def actions_due(self, now: int, limit: int = 100) -> list[Action]:
        """See ``Decisions.actions_due``."""
        with self._db.told():
            return _due(self._db, now, limit)

    def note_outcome(self, action: str, outcome: Outcome, at: int) -> Waits:
        """See ``Decisions.note_outcome``."""
        with self._ledger.write():
            return _note(self._db, action, outcome, at)

    def try_again(self, action: str, at: int) -> bool:
        """See ``Decisions.try_again``."""
        with self._ledger.write():
            return _try_again(self._db, action, at)

    def queued(self, state: Waits, *, beyond: str = "", most: int = 100) -> list[Queued]:
        """See ``Decisions.queued``."""
        with self._db.told():
            return _queued(self._db, state, beyond, most)

    def waiting(self) -> tuple[int, int | None]:
        """See ``Decisions.waiting``."""
        with self._db.told():
            count, oldest = self._db.execute(
                "SELECT count(*), min(since) FROM action WHERE state = 'waiting'"
            ).fetchone()
        return count, oldest

    def outcome(self, action: str) -> Outcome | None:
        """See ``Decisions.outcome``."""
        with self._db.told():
            return _outcome(self._db, action)

    def forget(self, member: int) -> None:
        """Erase the member's account, and what they were told, from the outbox; what still waits for it cannot be done.

        Part of ``Store.forget_account``: ids, decisions and outcomes stay, and name nobody.
        """
        row = self._db.execute("SELECT account FROM account WHERE member = ?", (member,)).fetchone()
        if not row:
            return
        cannot = msgspec.json.encode(Outcome(Came.CANNOT, _FORGOTTEN)).decode()
        for place, body, state, outcome in self._db.execute(
            """
            SELECT place, body, state, outcome FROM action WHERE replace(body, :named, '') <> body AND (
              decision IN (
                SELECT decision.number FROM decision JOIN member USING (community) WHERE member.number = :member
              )
              OR room IN (SELECT name FROM room JOIN member USING (community) WHERE member.number = :member)
              OR (decision = 0 AND room = '')
            )
            """,
            {"member": member, "named": msgspec.json.encode(row[0]).decode()},
        ).fetchall():
            action = msgspec.json.decode(body, type=Action)
            if action.account == row[0]:
                bare = msgspec.json.encode(msgspec.structs.replace(action, account="", text="")).decode()
                waits = state == Waits.WAITING
                self._db.execute(
                    "UPDATE action SET body = ?, queue = 'forgotten', state = ?, outcome = ? WHERE place = ?",
                    (bare, Waits.CANNOT if waits else state, cannot if waits else outcome, place),
                )

    def touched(self, room: int) -> list[Touched]:
        """See ``Decisions.touched``."""
        with self._db.told():
            rows = self._db.execute("SELECT * FROM touched WHERE room = ? ORDER BY member", (room,)).fetchall()
        return [Touched(*row) for row in rows]


def _queue(db: Db, actions: Sequence[Action], at: int) -> None:
    """Queue actions. Raises ValueError if an id is there with another meaning, or must follow one that is not there."""
    for action in actions:
        body = msgspec.json.encode(action).decode()
        found = db.execute("SELECT body FROM action WHERE id = ?", (action.id,)).fetchone()
        if found:
            if found[0] != body:
                raise ValueError(f"there is an action {action.id} already, and it means something else")
            continue
        needs = list(dict.fromkeys(action.after))
        states = [db.execute("SELECT state FROM action WHERE id = ?", (n,)).fetchone() for n in needs]
        if None in states:
            raise ValueError(f"action {action.id} is to follow {needs[states.index(None)]}, which is not there")
        state, outcome = Waits.WAITING, None
        if any(s[0] in {Waits.CANNOT, Waits.GIVEN_UP} for s in states):
            state, outcome = Waits.CANNOT, msgspec.json.encode(Outcome(Came.CANNOT, _FIRST)).decode()
        hide = action.do is Do.HIDE
        line = f"{'hide' if hide else 'room'} {action.room}" if action.room else f"account {action.account}"
        db.execute(
            f"INSERT INTO action VALUES ({following('action', 'place')}, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",  # noqa: S608 - our own names
            (action.id, action.decision, line, not hide, action.room, body, state, at, at, outcome),
        )
        db.executemany("INSERT INTO action_after VALUES (?, ?)", ((n, action.id) for n in needs))


def _due(db: Db, now: int, limit: int) -> list[Action]:
    """What can be tried now, in order; see ``decisions_contract.Decisions.actions_due``."""
    rows = db.execute(
        """
        WITH head AS (
          SELECT place, id, queue, ordered, next_at, body,
                 row_number() OVER (PARTITION BY queue ORDER BY place) AS nth
          FROM action WHERE state = 'waiting' AND (ordered = 1 OR next_at <= :now)
        )
        SELECT queue, ordered, next_at <= :now, body, EXISTS (
          SELECT 1 FROM action_after AS a JOIN action AS first ON first.id = a.needs
          WHERE a.action = head.id AND first.state <> 'done'
        )
        FROM head WHERE nth <= :together ORDER BY place
        """,
        {"now": now, "together": _TOGETHER},
    )
    found: list[Action] = []
    blocked: set[str] = set()
    for line, ordered, ready, body, must_wait in rows:
        if line in blocked:
            continue
        if ready and not must_wait:
            found.append(msgspec.json.decode(body, type=Action))
            if len(found) == limit:
                break
        elif ordered:
            blocked.add(line)
    return found


def _note(db: Db, action: str, outcome: Outcome, at: int) -> Waits:
    """Note what came of a try; returns how far the action is now. Raises KeyError if there is none."""
    row = db.execute("SELECT state, tries FROM action WHERE id = ?", (action,)).fetchone()
    if not row:
        raise KeyError(f"there is no action {action}")
    if row[0] == Waits.DONE:
        return Waits.DONE  # what is done stays done, whatever a second try says
    tries, next_at = row[1], at
    if outcome.came is Came.AGAIN:
        tries += outcome.wait is None
        state = Waits.GIVEN_UP if tries >= MOST_TRIES else Waits.WAITING
        pause = min(_FIRST_PAUSE << min(max(tries - 1, 0), 20), _LONGEST_PAUSE)
        next_at = at + (pause if outcome.wait is None else min(int(max(outcome.wait, 0) * 1000), _LONGEST_WAIT))
    else:
        tries += 1
        state = Waits.DONE if outcome.came is Came.DONE else Waits.CANNOT
    db.execute(
        "UPDATE action SET state = ?, tries = ?, next_at = ?, outcome = ? WHERE id = ?",
        (state, tries, next_at, msgspec.json.encode(outcome).decode(), action),
    )
    if state is Waits.CANNOT:
        db.execute("DELETE FROM touched WHERE action = ?", (action,))  # nothing changed: nothing to give back
    _show(db, action)
    if state in {Waits.CANNOT, Waits.GIVEN_UP}:
        waiting = "SELECT a.action FROM action_after AS a JOIN action ON id = a.action WHERE needs = ? AND state = ?"
        for (next_one,) in db.execute(waiting, (action, Waits.WAITING)).fetchall():
            _note(db, next_one, Outcome(Came.CANNOT, _FIRST), at)
    return state


def _try_again(db: Db, action: str, at: int) -> bool:
    """Put what was not done back into its queue."""
    changed = db.execute(
        "UPDATE action SET state = 'waiting', tries = 0, next_at = ? WHERE id = ? AND state IN ('cannot', 'given up')",
        (at, action),
    )
    return changed.rowcount > 0


def _queued(db: Db, state: Waits, beyond: str, most: int) -> list[Queued]:
    """Actions in a state."""
    rows = db.execute(
        "SELECT body, state, tries, since, next_at, outcome FROM action WHERE state = ? AND place > "
        "coalesce((SELECT place FROM action WHERE id = ?), 0) ORDER BY place LIMIT ?",
        (state, beyond, most),
    )
    return [
        Queued(msgspec.json.decode(body, type=Action), Waits(is_), tries, since, next_at, _came(out))
        for body, is_, tries, since, next_at, out in rows
    ]


def _outcome(db: Db, action: str) -> Outcome | None:
    """What came of an action's last try."""
    row = db.execute("SELECT outcome FROM action WHERE id = ?", (action,)).fetchone()
    return _came(row[0]) if row else None


def _came(text: str | None) -> Outcome | None:
    return None if text is None else msgspec.json.decode(text, type=Outcome)


def _show(db: Db, action: str) -> None:
    """Bring what a decision came to in a room up to what came of its actions there."""
    row = db.execute(
        "SELECT action.decision, room.number, action.room FROM action "
        "JOIN decision ON decision.number = action.decision "
        "JOIN room ON room.community = decision.community AND room.name = action.room WHERE id = ?",
        (action,),
    ).fetchone()
    if not row:
        return
    number, room, name = row
    states = db.execute(
        "SELECT state, outcome FROM action WHERE decision = ? AND room = ? ORDER BY place DESC", (number, name)
    ).fetchall()
    failed = [out for state, out in states if state in {Waits.CANNOT, Waits.GIVEN_UP}]
    if not failed and any(state == Waits.WAITING for state, _ in states):
        return
    why = _came(failed[0]) if failed else None
    db.execute(
        "INSERT INTO enforced VALUES (?, ?, ?, ?) ON CONFLICT (decision, room) DO UPDATE SET "
        "done = excluded.done, why = excluded.why",
        (number, room, not failed, (why.why if why else "") or ("not done" if failed else "")),
    )
