"""The tables of a store in SQLite, and the steps from one format to the next."""

import os
import sqlite3
import time
from typing import Final

from comity.core.ledger import GENESIS

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
  messages INTEGER,
  reverses INTEGER, reason TEXT, by TEXT,
  seal BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_reversed_once ON entry (reverses) WHERE reverses IS NOT NULL;
CREATE TRIGGER entry_is_final BEFORE UPDATE ON entry BEGIN SELECT raise(ABORT, 'entries are final: reverse it'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT raise(ABORT, 'entries are final: reverse it'); END;
-- Filled behind the ledger, sorted: as an index of the table it would cost a third of every entry.
CREATE TABLE finding_of (member INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (member, number))
  STRICT, WITHOUT ROWID;
CREATE TABLE seen (hour INTEGER NOT NULL, ids BLOB NOT NULL) STRICT;  -- 8 bytes an event, little-endian
CREATE INDEX seen_hour ON seen (hour);
CREATE TABLE window (name TEXT PRIMARY KEY, state BLOB NOT NULL) STRICT;
CREATE TABLE run (
  number INTEGER PRIMARY KEY, charter TEXT NOT NULL, started INTEGER NOT NULL, finished INTEGER
) STRICT;
CREATE TABLE source (
  run INTEGER NOT NULL REFERENCES run, path TEXT NOT NULL, position INTEGER NOT NULL, events INTEGER NOT NULL,
  findings INTEGER NOT NULL, unread INTEGER NOT NULL, PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;
"""

STEPS: Final = (_FIRST,)  # step n leads from format n to format n + 1; a step, once released, is never changed
FORMAT: Final = len(STEPS)


def migrate(db: sqlite3.Connection, found: int) -> None:
    """Take a store of an older format, 0 for an empty file, to ours: in one transaction, all steps or none."""
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in STEPS[found:]:
            for statement in _statements(step):
                db.execute(statement)
        if found == 0:
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            created, event_key = time.time_ns() // 1_000_000, os.urandom(16)
            db.execute("INSERT INTO meta VALUES (1, 0, ?, ?, ?, ?, 0)", (created, event_key, *GENESIS))
        db.execute("UPDATE meta SET format = ?", (FORMAT,))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _statements(script: str) -> list[str]:
    """The script's statements; ``executescript`` would commit between them."""
    found, part = [], ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            found.append(part.strip())
            part = ""
    return [statement for statement in found if statement]
