"""The tables of due process, in SQL that other databases speak too, but for the triggers."""

from typing import Final

# Whether whoever is to hear an appeal decided in its case, or is in it.
PARTIAL: Final = """
EXISTS (
  SELECT 1 FROM decided_in AS d WHERE d.appeal = {appeal} AND (d.by = {by} OR EXISTS (
    SELECT 1 FROM person_of AS a JOIN person_of AS b ON a.community = b.community AND a.member = b.member
    WHERE a.community = {community} AND a.name = d.by AND b.name = {by}))
) OR EXISTS (
  SELECT 1 FROM person_of AS p JOIN concerned AS c ON c.member = p.member
  WHERE c.appeal = {appeal} AND p.community = {community} AND p.name = {by}
)"""

_TABLES: Final = """
CREATE TABLE report (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, community INTEGER NOT NULL REFERENCES community,
  reporter INTEGER NOT NULL REFERENCES member, member INTEGER NOT NULL,  -- 0 where unknown
  room INTEGER NOT NULL, event TEXT NOT NULL, harm TEXT NOT NULL, text TEXT NOT NULL, way TEXT NOT NULL,
  rank INTEGER NOT NULL, voices INTEGER NOT NULL,
  came TEXT NOT NULL CHECK (came IN ('open', 'followed', 'refused', 'gone')),
  closed_at INTEGER, by TEXT NOT NULL, reason TEXT NOT NULL, decision INTEGER NOT NULL,
  CHECK ((came = 'open') = (closed_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX report_open_once ON report (reporter, room, event, member) WHERE came = 'open';
CREATE INDEX report_open ON report (community, rank) WHERE came = 'open';
CREATE INDEX report_of ON report (reporter, number);
CREATE INDEX report_about ON report (member, number);
CREATE INDEX report_thing ON report (event, room);
CREATE INDEX report_closed ON report (community, closed_at);
CREATE INDEX report_decision ON report (decision);
CREATE TABLE appeal (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, due INTEGER NOT NULL CHECK (due > at),
  community INTEGER NOT NULL REFERENCES community, member INTEGER NOT NULL REFERENCES member,
  decision INTEGER NOT NULL, report INTEGER NOT NULL, text TEXT NOT NULL, fast INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  heard TEXT NOT NULL CHECK (heard IN ('open', 'upheld', 'reversed', 'lapsed', 'withdrawn')),
  closed_at INTEGER, by TEXT NOT NULL, reason TEXT NOT NULL,
  CHECK ((decision = 0) <> (report = 0)),
  CHECK ((heard = 'open') = (closed_at IS NULL)),
  CHECK (heard NOT IN ('upheld', 'reversed') OR (by <> '' AND reason <> ''))
) STRICT;
CREATE UNIQUE INDEX appeal_open_once ON appeal (decision, report) WHERE heard = 'open';
CREATE INDEX appeal_due ON appeal (due) WHERE heard = 'open';
CREATE INDEX appeal_of ON appeal (member, number);
CREATE INDEX appeal_decision ON appeal (decision);
CREATE INDEX appeal_report ON appeal (report);
CREATE INDEX appeal_closed ON appeal (community, closed_at);
CREATE TABLE appeal_evidence (
  appeal INTEGER NOT NULL REFERENCES appeal, place INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (appeal, place)
) STRICT;
CREATE TABLE review (
  entry INTEGER PRIMARY KEY, community INTEGER NOT NULL REFERENCES community, member INTEGER NOT NULL,
  at INTEGER NOT NULL, clause_id TEXT NOT NULL, harm TEXT NOT NULL, severity INTEGER NOT NULL, rank INTEGER NOT NULL,
  came TEXT NOT NULL CHECK (came IN ('open', 'followed', 'refused')),
  closed_at INTEGER, by TEXT NOT NULL, reason TEXT NOT NULL, decision INTEGER NOT NULL
) STRICT;
CREATE INDEX review_open ON review (community, rank) WHERE came = 'open';
CREATE INDEX review_member ON review (member, entry);
CREATE TABLE sample (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, community INTEGER NOT NULL REFERENCES community,
  decision INTEGER NOT NULL UNIQUE REFERENCES decision, rank INTEGER NOT NULL,
  judged_at INTEGER, by TEXT NOT NULL, correct INTEGER, reason TEXT NOT NULL
) STRICT;
CREATE INDEX sample_open ON sample (community, rank) WHERE judged_at IS NULL;
CREATE INDEX decision_waiting ON decision (community) WHERE provisional = 1 AND course IN ('proposed', 'in force');
CREATE INDEX decision_made ON decision (community, at);
CREATE TABLE item_lock (
  kind TEXT NOT NULL, item INTEGER NOT NULL, by TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (kind, item)
) STRICT;
CREATE TABLE skipped (
  kind TEXT NOT NULL, item INTEGER NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL,
  reason TEXT NOT NULL CHECK (reason <> ''), PRIMARY KEY (kind, item, by)
) STRICT;
CREATE TABLE escalated (
  kind TEXT NOT NULL, item INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (kind, item)
) STRICT;
CREATE TABLE case_note (
  number INTEGER PRIMARY KEY, community INTEGER NOT NULL REFERENCES community, kind TEXT NOT NULL,
  item INTEGER NOT NULL, member INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE INDEX case_note_of ON case_note (member, number);
CREATE INDEX case_note_on ON case_note (kind, item, number);
-- A person's verdict, kept before anything follows from it; the clock carries it out when it is due, once.
CREATE TABLE intent (
  number INTEGER PRIMARY KEY, kind TEXT NOT NULL, item INTEGER NOT NULL,
  community INTEGER NOT NULL REFERENCES community, at INTEGER NOT NULL, due INTEGER NOT NULL,
  by TEXT NOT NULL CHECK (by <> ''), body TEXT NOT NULL,  -- JSON
  state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'undone', 'refused')),
  over_at INTEGER, outcome TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX intent_once ON intent (kind, item) WHERE state = 'waiting';
CREATE INDEX intent_due ON intent (due) WHERE state = 'waiting';
CREATE INDEX intent_by ON intent (by, number);
-- What persons did, one line a verdict: how much there was to do, and who did it.
CREATE TABLE handled (
  number INTEGER PRIMARY KEY, community INTEGER NOT NULL REFERENCES community, at INTEGER NOT NULL,
  by TEXT NOT NULL, kind TEXT NOT NULL, item INTEGER NOT NULL, verdict TEXT NOT NULL, waited INTEGER NOT NULL
) STRICT;
CREATE INDEX handled_at ON handled (community, at);
CREATE TABLE judgement (
  decision INTEGER NOT NULL REFERENCES decision, community INTEGER NOT NULL REFERENCES community,
  clause_id TEXT NOT NULL, correct INTEGER NOT NULL, source INTEGER NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (decision)
) STRICT;
CREATE INDEX judgement_of ON judgement (community, clause_id, at);
CREATE TABLE dropped (
  community INTEGER NOT NULL REFERENCES community, clause_id TEXT NOT NULL, at INTEGER NOT NULL,
  correct INTEGER NOT NULL, wrong INTEGER NOT NULL, back_at INTEGER, by TEXT NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (community, clause_id, at)
) STRICT;
CREATE TABLE look (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, community INTEGER NOT NULL REFERENCES community,
  by TEXT NOT NULL CHECK (by <> ''), member INTEGER NOT NULL, room INTEGER NOT NULL, what TEXT NOT NULL,
  reason TEXT NOT NULL CHECK (reason <> '')
) STRICT;
CREATE INDEX look_at_member ON look (member, number);
CREATE INDEX look_in ON look (community, number);
CREATE TRIGGER look_is_final BEFORE UPDATE ON look BEGIN SELECT raise(ABORT, 'who looked stays'); END;
CREATE TRIGGER look_stays BEFORE DELETE ON look BEGIN SELECT raise(ABORT, 'who looked stays'); END;
CREATE TABLE template (
  community INTEGER NOT NULL REFERENCES community, name TEXT NOT NULL, language TEXT NOT NULL, text TEXT NOT NULL,
  required TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, PRIMARY KEY (community, name, language)
) STRICT;
-- Under which other name a member decides: nobody hears a case under a second name.
CREATE TABLE known_as (
  community INTEGER NOT NULL REFERENCES community, name TEXT NOT NULL, member INTEGER NOT NULL REFERENCES member,
  PRIMARY KEY (community, name)
) STRICT;
CREATE INDEX known_as_member ON known_as (member, name);
CREATE VIEW person_of AS
  SELECT community, name, member FROM known_as
  UNION ALL SELECT community, pseudonym AS name, number AS member FROM member;
CREATE VIEW concerned AS
  SELECT number AS appeal, member FROM appeal
  UNION ALL SELECT appeal.number, decision.member FROM appeal JOIN decision ON decision.number = appeal.decision
  UNION ALL SELECT appeal.number, report.member FROM appeal JOIN report ON report.number = appeal.report;
CREATE VIEW decided_in AS
  SELECT appeal.number AS appeal, course.by AS by FROM appeal JOIN course ON course.decision = appeal.decision
  UNION SELECT appeal.number, course.by FROM appeal
    JOIN rests_on AS own ON own.decision = appeal.decision
    JOIN rests_on AS other ON other.entry = own.entry
    JOIN course ON course.decision = other.decision
  UNION SELECT appeal.number, report.by FROM appeal JOIN report ON report.number = appeal.report
  UNION SELECT appeal.number, report.by FROM appeal JOIN report ON report.decision = appeal.decision
    WHERE appeal.decision <> 0
  UNION SELECT appeal.number, sample.by FROM appeal JOIN sample ON sample.decision = appeal.decision;
CREATE TRIGGER appeal_outcome_is_final BEFORE UPDATE ON appeal WHEN OLD.heard <> 'open'
BEGIN SELECT raise(ABORT, 'what came of an appeal stays'); END;
"""

_APART: Final = f"""
CREATE TRIGGER appeal_heard_by_somebody_else BEFORE UPDATE OF heard, by ON appeal
WHEN NEW.heard IN ('upheld', 'reversed') AND (
{PARTIAL.format(appeal="NEW.number", by="NEW.by", community="NEW.community")})
BEGIN SELECT raise(ABORT, 'an appeal is heard by somebody who decided nothing in the case'); END;
"""
PROCESS: Final = _TABLES + _APART
