"""The tables of a store in SQLite, and the steps from one format to the next."""

import os
import sqlite3
import time
from contextlib import closing
from functools import cache
from typing import Final, NamedTuple

from comity.core.ledger import GENESIS
from comity.stores.access_schema import ACCESS
from comity.stores.api_tables import API
from comity.stores.charter_tables import CHARTERS
from comity.stores.process_tables import PROCESS
from comity.stores.record_tables import RECORD

APPLICATION: Final = 0x436F6D69  # "Comi", in the header of every store of ours

_FIRST: Final = """
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  format INTEGER NOT NULL,
  created INTEGER NOT NULL,      -- milliseconds since 1970
  event_key BLOB NOT NULL,       -- keys the hashes of event ids, so that nobody can make two that meet
  head_number INTEGER NOT NULL,  -- of the last entry; a shorter table has lost its end
  head_seal BLOB NOT NULL,
  indexed INTEGER NOT NULL       -- findings up to this entry stand in finding_of
) STRICT;
CREATE TABLE community (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;
CREATE TABLE member (
  number INTEGER PRIMARY KEY, community INTEGER NOT NULL REFERENCES community, pseudonym TEXT NOT NULL,
  UNIQUE (community, pseudonym)
) STRICT;
-- The one table that says which account a member is; its rows can be forgotten, and nothing else changes.
CREATE TABLE account (member INTEGER PRIMARY KEY REFERENCES member, account TEXT NOT NULL, name TEXT) STRICT;
CREATE TABLE room (
  number INTEGER PRIMARY KEY, community INTEGER NOT NULL REFERENCES community, name TEXT NOT NULL,
  UNIQUE (community, name)
) STRICT;
CREATE TABLE clause (
  number INTEGER PRIMARY KEY, charter TEXT NOT NULL, id TEXT NOT NULL, rule TEXT NOT NULL, harm TEXT NOT NULL,
  severity TEXT NOT NULL, state TEXT NOT NULL, text TEXT NOT NULL, measures TEXT NOT NULL,
  digest BLOB NOT NULL UNIQUE  -- of all the other columns; entries are sealed with it
) STRICT;
-- References are checked when a batch is posted and when the chain is verified: a check a row would cost a third.
CREATE TABLE entry (
  number INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,  -- 1 finding, 2 activity, 3 reversal
  at INTEGER, day INTEGER, member INTEGER, room INTEGER, clause INTEGER,
  event TEXT, excerpt TEXT, figures TEXT,
  salt BLOB,              -- with the excerpt it makes the cover that is sealed; erased together,
  cover BLOB,             -- and then the cover itself is kept
  messages INTEGER,
  reverses INTEGER, reason TEXT, by TEXT,
  seal BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_reversed_once ON entry (reverses) WHERE reverses IS NOT NULL;
CREATE TRIGGER entry_is_final BEFORE UPDATE ON entry
WHEN NOT (
  OLD.salt IS NOT NULL AND NEW.salt IS NULL AND NEW.excerpt IS NULL AND length(NEW.cover) = 32
  AND NEW.number = OLD.number AND NEW.kind = OLD.kind AND NEW.at IS OLD.at AND NEW.day IS OLD.day
  AND NEW.member IS OLD.member AND NEW.room IS OLD.room AND NEW.clause IS OLD.clause AND NEW.event IS OLD.event
  AND NEW.figures IS OLD.figures AND NEW.messages IS OLD.messages AND NEW.reverses IS OLD.reverses
  AND NEW.reason IS OLD.reason AND NEW.by IS OLD.by AND NEW.seal = OLD.seal
)
BEGIN SELECT raise(ABORT, 'entries are final: reverse it'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT raise(ABORT, 'entries are final: reverse it'); END;
-- Filled behind the ledger, sorted: as an index of the table it would cost a third of every entry.
CREATE TABLE finding_of (member INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (member, number))
  STRICT, WITHOUT ROWID;
CREATE TABLE seen (
  number INTEGER PRIMARY KEY, hour INTEGER NOT NULL,
  ids BLOB NOT NULL  -- 8 bytes an event, little-endian
) STRICT;
CREATE INDEX seen_hour ON seen (hour);
CREATE TABLE "window" (name TEXT PRIMARY KEY, state BLOB NOT NULL) STRICT;
CREATE TABLE run (
  number INTEGER PRIMARY KEY, charter TEXT NOT NULL, started INTEGER NOT NULL, finished INTEGER
) STRICT;
CREATE TABLE source (
  run INTEGER NOT NULL REFERENCES run, path TEXT NOT NULL, position INTEGER NOT NULL, events INTEGER NOT NULL,
  findings INTEGER NOT NULL, unread INTEGER NOT NULL, PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;
"""

# What no machine may do cannot be stored either: its decisions end within 72 hours, and what lasts is only proposed.
_SECOND: Final = """
CREATE TABLE decision (
  number INTEGER PRIMARY KEY CHECK (number > 0),
  at INTEGER NOT NULL, community INTEGER NOT NULL REFERENCES community, member INTEGER NOT NULL REFERENCES member,
  room INTEGER NOT NULL,  -- 0 for all
  measure TEXT NOT NULL, clause INTEGER NOT NULL, clause_id TEXT NOT NULL, clause_text TEXT NOT NULL,
  severity INTEGER NOT NULL, head INTEGER NOT NULL, until INTEGER CHECK (until > at),
  hides TEXT NOT NULL,    -- JSON
  found_automatically INTEGER NOT NULL, by TEXT NOT NULL CHECK (by <> ''), provisional INTEGER NOT NULL,
  course TEXT NOT NULL CHECK (course IN
    ('proposed', 'in force', 'confirmed', 'ended', 'reversed', 'refused', 'lapsed')),
  line INTEGER NOT NULL, extends INTEGER NOT NULL, dry_run INTEGER NOT NULL,
  CHECK (by <> 'machine' OR course NOT IN ('proposed', 'in force', 'confirmed')
    OR (until IS NOT NULL AND until - at <= 259200000)),
  CHECK (by <> 'machine' OR course NOT IN ('in force', 'confirmed')
    OR measure NOT IN ('revoke_management', 'remove', 'ban'))
) STRICT;
CREATE INDEX decision_of ON decision (member, at);
CREATE INDEX decision_open ON decision (until) WHERE course IN ('proposed', 'in force', 'confirmed');
CREATE TABLE rests_on (
  entry INTEGER NOT NULL, decision INTEGER NOT NULL REFERENCES decision, PRIMARY KEY (entry, decision)
) STRICT, WITHOUT ROWID;
CREATE INDEX rests_on_decision ON rests_on (decision, entry);
-- Who decided what about a decision: whoever stands here for it cannot hear its appeal.
CREATE TABLE course (
  decision INTEGER NOT NULL REFERENCES decision, place INTEGER NOT NULL, at INTEGER NOT NULL,
  by TEXT NOT NULL CHECK (by <> ''), course TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (decision, place)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER course_is_final BEFORE UPDATE ON course BEGIN SELECT raise(ABORT, 'what was decided stays'); END;
CREATE TRIGGER course_stays BEFORE DELETE ON course BEGIN SELECT raise(ABORT, 'what was decided stays'); END;
CREATE TABLE statement (decision INTEGER PRIMARY KEY REFERENCES decision, body TEXT NOT NULL) STRICT;
CREATE TABLE enforced (
  decision INTEGER NOT NULL REFERENCES decision, room INTEGER NOT NULL, done INTEGER NOT NULL, why TEXT NOT NULL,
  PRIMARY KEY (decision, room)
) STRICT, WITHOUT ROWID;
CREATE TABLE action (
  place INTEGER PRIMARY KEY,   -- the order of queueing
  id TEXT NOT NULL UNIQUE,     -- and the platform's transaction id: one id, one deed
  decision INTEGER NOT NULL,   -- 0 for none
  queue TEXT NOT NULL,         -- what is done one after the other
  ordered INTEGER NOT NULL,    -- whether one that backs off holds up its queue
  room TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'cannot', 'given up')),
  tries INTEGER NOT NULL, since INTEGER NOT NULL, next_at INTEGER NOT NULL,
  outcome TEXT
) STRICT;
CREATE INDEX action_waiting ON action (queue, place) WHERE state = 'waiting';
CREATE INDEX action_of ON action (decision, room);
CREATE TABLE action_after (
  needs TEXT NOT NULL, action TEXT NOT NULL, PRIMARY KEY (needs, action)
) STRICT, WITHOUT ROWID;
CREATE INDEX action_needs ON action_after (action, needs);
-- Whose say in a room is not what it was, and the action that gives it back.
CREATE TABLE touched (
  room INTEGER NOT NULL REFERENCES room, member INTEGER NOT NULL REFERENCES member, action TEXT NOT NULL,
  stands_for INTEGER NOT NULL, PRIMARY KEY (room, member)
) STRICT, WITHOUT ROWID;
CREATE TABLE deputy (
  room INTEGER NOT NULL REFERENCES room, member INTEGER NOT NULL REFERENCES member, by TEXT NOT NULL,
  at INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (room, member)
) STRICT, WITHOUT ROWID;
"""

# Of a live process. Turns are deleted, and overwritten, as soon as the window states say the same.
_THIRD: Final = """
CREATE TABLE turn (number INTEGER PRIMARY KEY, posted INTEGER NOT NULL, events BLOB NOT NULL) STRICT;
CREATE TABLE noted (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
"""

STEPS: Final = (
    _FIRST,
    _SECOND,
    _THIRD,
    PROCESS + ACCESS + RECORD + CHARTERS,
    API,
)  # step n leads from format n to format n + 1; a step, once released, is never changed
FORMAT: Final = len(STEPS)


def migrate(db: sqlite3.Connection, found: int) -> None:
    """Take a store of an older format, 0 for an empty file, to ours: in one transaction, all steps or none."""
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in STEPS[found:]:
            for statement in statements(step):
                db.execute(statement)
        if found == 0:
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute("INSERT INTO meta VALUES (?, ?, ?, ?, ?, ?, ?)", first_row())
        db.execute("UPDATE meta SET format = ?", (FORMAT,))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


class Table(NamedTuple):
    """A table of a store. columns: all, in order; key: those that a row is known by, in order."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


@cache
def tables() -> tuple[Table, ...]:
    """All tables, each after those that it refers to."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for step in STEPS:
            db.executescript(step)
        found = []
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid").fetchall():
            rows = db.execute("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid", (name,)).fetchall()
            key = sorted((place, column) for column, place in rows if place)
            found.append(Table(name, tuple(c for c, _ in rows), tuple(column for _, column in key)))
    return tuple(found)


def first_row() -> tuple[int, int, int, bytes, int, bytes, int]:
    """The row of ``meta`` in a new store, with a key of its own."""
    return 1, FORMAT, time.time_ns() // 1_000_000, os.urandom(16), *GENESIS, 0


def statements(script: str) -> list[str]:
    """The script's statements; ``executescript`` would commit between them."""
    found, part = [], ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            found.append(part.strip())
            part = ""
    return [statement for statement in found if statement]
