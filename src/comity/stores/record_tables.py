"""The tables of the record, in SQL that other databases speak too, but for the triggers."""

from typing import Final

RECORD: Final = """
CREATE TABLE record_frame (
  number INTEGER PRIMARY KEY, events INTEGER NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, seal BLOB NOT NULL
) STRICT;
CREATE TABLE record_link (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TRIGGER record_link_is_final BEFORE UPDATE ON record_link BEGIN SELECT raise(ABORT, 'the chain is final'); END;
CREATE TRIGGER record_link_stays BEFORE DELETE ON record_link BEGIN SELECT raise(ABORT, 'the chain is final'); END;
CREATE TABLE record_row (
  kind TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, name)
) STRICT;
"""
