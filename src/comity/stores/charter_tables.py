"""The tables of charters, in SQL that other databases speak too, but for the triggers."""

from typing import Final

CHARTERS: Final = """
CREATE TABLE charter_version (
  community INTEGER NOT NULL REFERENCES community, number INTEGER NOT NULL CHECK (number > 0), at INTEGER NOT NULL,
  by TEXT NOT NULL CHECK (by <> ''), way TEXT NOT NULL CHECK (way IN ('file', 'published')),
  reason TEXT NOT NULL, digest TEXT NOT NULL, text TEXT NOT NULL,
  changes TEXT NOT NULL,  -- JSON
  PRIMARY KEY (community, number), CHECK (way = 'file' OR reason <> '')
) STRICT;
CREATE TRIGGER charter_version_is_final BEFORE UPDATE ON charter_version
BEGIN SELECT raise(ABORT, 'a version of a charter stays'); END;
CREATE TRIGGER charter_version_stays BEFORE DELETE ON charter_version
BEGIN SELECT raise(ABORT, 'a version of a charter stays'); END;
CREATE TABLE charter_draft (
  community INTEGER NOT NULL REFERENCES community, by TEXT NOT NULL CHECK (by <> ''), base INTEGER NOT NULL,
  at INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (community, by)
) STRICT;
CREATE TABLE charter_proposal (
  number INTEGER PRIMARY KEY, community INTEGER NOT NULL REFERENCES community, at INTEGER NOT NULL,
  by TEXT NOT NULL CHECK (by <> ''), note TEXT NOT NULL, base INTEGER NOT NULL, text TEXT NOT NULL,
  came TEXT NOT NULL CHECK (came IN ('open', 'published', 'declined', 'withdrawn')),
  closed_at INTEGER, closed_by TEXT NOT NULL, answer TEXT NOT NULL,
  CHECK ((came = 'open') = (closed_at IS NULL))
) STRICT;
CREATE INDEX charter_proposal_in ON charter_proposal (community, number);
CREATE TABLE clause_act (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, community INTEGER NOT NULL REFERENCES community,
  clause_id TEXT NOT NULL, shadow INTEGER NOT NULL, by TEXT NOT NULL CHECK (by <> ''), reason TEXT NOT NULL
) STRICT;
CREATE INDEX clause_act_of ON clause_act (community, clause_id, number);
CREATE TRIGGER clause_act_is_final BEFORE UPDATE ON clause_act BEGIN SELECT raise(ABORT, 'what was done stays'); END;
CREATE TRIGGER clause_act_stays BEFORE DELETE ON clause_act BEGIN SELECT raise(ABORT, 'what was done stays'); END;
"""
