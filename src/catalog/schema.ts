/** Raised when the tables change: an older catalog is thrown away and made again from the log. */
export const SCHEMA = 2;

export const TABLES = `
  CREATE TABLE log (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    schema INTEGER NOT NULL, origin TEXT NOT NULL,
    size INTEGER NOT NULL,           -- entries applied
    leaf BLOB,                       -- hash of the last of them
    clean INTEGER NOT NULL           -- whether the last run ended with nothing left over
  ) STRICT;
  CREATE TABLE subject (
    subject TEXT PRIMARY KEY,
    version TEXT NOT NULL,           -- the newest kept
    listed TEXT,                     -- what the provider's list last said, as a version; a hint, not from the log
    gone TEXT,                       -- why, if it is gone at the provider
    missed INTEGER NOT NULL DEFAULT 0, -- complete walks in a row that did not list it; a hint
    walk INTEGER NOT NULL DEFAULT 0  -- the last walk that did; a hint
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE version (
    subject TEXT NOT NULL, version TEXT NOT NULL,
    entry INTEGER NOT NULL,          -- index in the log
    updated TEXT NOT NULL, stored TEXT NOT NULL, run TEXT NOT NULL,
    object_version TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
    locked_until TEXT NOT NULL, withheld INTEGER NOT NULL, files INTEGER NOT NULL,
    PRIMARY KEY (subject, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE file (
    key TEXT PRIMARY KEY, version TEXT NOT NULL,
    object_version TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
    type TEXT NOT NULL, media_type TEXT NOT NULL, locked_until TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE lookup (
    name TEXT NOT NULL, token TEXT NOT NULL, subject TEXT NOT NULL,
    PRIMARY KEY (name, token, subject)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE mention (
    subject TEXT NOT NULL, entry INTEGER NOT NULL, -- an entry of the log that speaks of the subject
    PRIMARY KEY (subject, entry)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX subject_walk ON subject (walk);
  CREATE INDEX version_updated ON version (updated);
`;
