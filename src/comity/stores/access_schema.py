"""The tables of people and access. No name, no address, no e-mail: staff go by a pseudonym of their own choosing."""

from typing import Final

# Secrets stand here as SHA-256 only, of 256 random bits each: whoever reads the store can enter nowhere with it.
ACCESS: Final = """
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE person (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, handle BLOB NOT NULL UNIQUE, at INTEGER NOT NULL
) STRICT;
CREATE TABLE role_of (
  person INTEGER NOT NULL REFERENCES person, community INTEGER NOT NULL REFERENCES community,
  role TEXT NOT NULL CHECK (role IN ('operator', 'moderator', 'neutral', 'auditor')),
  by TEXT NOT NULL CHECK (by <> ''), at INTEGER NOT NULL, PRIMARY KEY (person, community, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX role_in ON role_of (community, role);
-- Which member a person of the staff is, so that nobody hears their own appeal under a second name.
CREATE TABLE person_is (
  person INTEGER NOT NULL REFERENCES person, community INTEGER NOT NULL REFERENCES community,
  member INTEGER NOT NULL REFERENCES member, PRIMARY KEY (person, community)
) STRICT, WITHOUT ROWID;
CREATE TABLE enrolment (
  hash BLOB PRIMARY KEY, person INTEGER NOT NULL REFERENCES person, until INTEGER NOT NULL
) STRICT;
CREATE TABLE passkey (
  id BLOB PRIMARY KEY, person INTEGER NOT NULL REFERENCES person, public_key BLOB NOT NULL,
  signs INTEGER NOT NULL,  -- the authenticator's counter, 0 if it keeps none
  label TEXT NOT NULL, at INTEGER NOT NULL, used INTEGER NOT NULL
) STRICT;
CREATE INDEX passkey_of ON passkey (person);
CREATE TABLE subject (
  hash BLOB PRIMARY KEY,   -- of issuer and subject: which account it is cannot be read here
  person INTEGER NOT NULL REFERENCES person, at INTEGER NOT NULL, used INTEGER NOT NULL
) STRICT;
CREATE INDEX subject_of ON subject (person);
CREATE TABLE session (
  hash BLOB PRIMARY KEY, person INTEGER REFERENCES person, member INTEGER REFERENCES member,
  opened INTEGER NOT NULL, used INTEGER NOT NULL,
  idle INTEGER NOT NULL,   -- milliseconds without a request after which it ends
  until INTEGER NOT NULL, how TEXT NOT NULL, label TEXT NOT NULL,
  CHECK ((person IS NULL) <> (member IS NULL))
) STRICT;
CREATE INDEX session_of_person ON session (person) WHERE person IS NOT NULL;
CREATE INDEX session_of_member ON session (member) WHERE member IS NOT NULL;
CREATE INDEX session_until ON session (until);
CREATE TABLE link_generation (member INTEGER PRIMARY KEY REFERENCES member, generation INTEGER NOT NULL) STRICT;
CREATE TABLE token (
  number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, person INTEGER NOT NULL REFERENCES person,
  community INTEGER NOT NULL REFERENCES community, label TEXT NOT NULL, scopes TEXT NOT NULL,
  at INTEGER NOT NULL, until INTEGER NOT NULL, used INTEGER NOT NULL
) STRICT;
CREATE INDEX token_of ON token (person);
-- Who gave or took which access; read by the auditor, and never changed.
CREATE TABLE access_act (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, by TEXT NOT NULL CHECK (by <> ''), what TEXT NOT NULL,
  person INTEGER NOT NULL REFERENCES person, community INTEGER NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE INDEX access_act_in ON access_act (community, number);
CREATE TRIGGER access_act_is_final BEFORE UPDATE ON access_act BEGIN SELECT raise(ABORT, 'what was done stays'); END;
CREATE TRIGGER access_act_stays BEFORE DELETE ON access_act BEGIN SELECT raise(ABORT, 'what was done stays'); END;
"""
