"""The tables of the API, in SQL that other databases speak too."""

from typing import Final

API: Final = """
CREATE TABLE answered (
  who TEXT NOT NULL, key TEXT NOT NULL, asked BLOB NOT NULL, status INTEGER NOT NULL, etag TEXT NOT NULL,
  body TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (who, key)
) STRICT;
CREATE INDEX answered_at ON answered (at);
CREATE TABLE webhook (
  number INTEGER PRIMARY KEY, community INTEGER NOT NULL REFERENCES community, url TEXT NOT NULL, secret TEXT NOT NULL,
  kinds TEXT NOT NULL,  -- JSON
  at INTEGER NOT NULL, by TEXT NOT NULL, ended_at INTEGER, why TEXT NOT NULL
) STRICT;
CREATE INDEX webhook_of ON webhook (community, number);
-- What happened, for each webhook that hears of it: put here in the transaction in which it happened.
CREATE TABLE delivery (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL, webhook INTEGER NOT NULL REFERENCES webhook, kind TEXT NOT NULL,
  at INTEGER NOT NULL, body TEXT NOT NULL, tries INTEGER NOT NULL, next_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'given up')),
  status INTEGER NOT NULL, over_at INTEGER, why TEXT NOT NULL, UNIQUE (webhook, id)
) STRICT;
CREATE INDEX delivery_due ON delivery (webhook, next_at) WHERE state = 'waiting';
CREATE INDEX delivery_of ON delivery (webhook, number);
CREATE INDEX delivery_over ON delivery (over_at);
"""
