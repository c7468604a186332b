/** Increase this when the tables change: an older catalog is deleted and rebuilt from the log. */
export const SCHEMA = 20;

/** `packing.ts` says what the columns of bytes hold. Times that are compared as texts are written by `comparable`. */
export const TABLES = `
  CREATE TABLE log (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    schema INTEGER NOT NULL, origin TEXT NOT NULL,
    size INTEGER NOT NULL,           -- entries applied
    leaf BLOB,                       -- hash of the last one
    clean INTEGER NOT NULL,          -- whether the last run left nothing behind
    closed INTEGER                   -- when this file was closed in order (untouched.ts); NULL while it is open
  ) STRICT;
  CREATE TABLE person (               -- everyone the log mentions: numbered, so that new rows are added at a table's end
    id INTEGER PRIMARY KEY, subject BLOB NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE word (                 -- texts that many rows share
    id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE subject (              -- the people in the vault
    person INTEGER PRIMARY KEY,
    version BLOB NOT NULL,           -- the newest kept
    entry INTEGER NOT NULL, withheld INTEGER NOT NULL, -- copied from that version: every night needs all of them
    listed BLOB,                     -- what the provider's list last said, as a version; a hint, not from the log
    gone TEXT,                       -- the reason, if it is gone at the provider
    missed INTEGER NOT NULL DEFAULT 0, -- complete walks in a row that did not list it; a hint
    project INTEGER,                 -- the word for the project that showed it last; for entries of record/1 a hint
    handle TEXT,                     -- the closed provider id; for entries of record/1 a hint
    open INTEGER NOT NULL DEFAULT 0, -- 1: the provider was still working on it
    glance BLOB,                     -- of an open one: what the last glance at it said, as a token; a hint
    content BLOB,                    -- of a record/1: all that the provider says now, as a version; a hint
    base BLOB,                       -- the version that it is without what the config may leave out
    said BLOB NOT NULL DEFAULT (zeroblob(25)) -- the token of an entry of the provider's list, and what that entry says,
                                     -- as a version; a hint. Zeros: not known, but the row has room for it
  ) STRICT;
  CREATE TABLE source (
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, project TEXT NOT NULL -- the token of the one it answers for now
  ) STRICT;
  CREATE TABLE round (
    project TEXT PRIMARY KEY,
    asked TEXT NOT NULL,             -- when the last run began that looked at everyone it had to
    walked TEXT                      -- when the last one began that also read the whole list
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE version (
    person INTEGER NOT NULL, version BLOB NOT NULL,
    entry INTEGER NOT NULL,          -- index in the log
    updated BLOB NOT NULL, stored BLOB NOT NULL,
    object_version TEXT NOT NULL, size INTEGER NOT NULL, sha256 BLOB NOT NULL,
    locked_until BLOB NOT NULL, lock_mode INTEGER NOT NULL, withheld INTEGER NOT NULL, files INTEGER NOT NULL,
    PRIMARY KEY (person, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE file (
    person INTEGER NOT NULL, name BLOB NOT NULL, version BLOB NOT NULL,
    listed INTEGER NOT NULL,         -- 1: that version lists the file
    object_version TEXT NOT NULL, size INTEGER NOT NULL, sha256 BLOB NOT NULL,
    type INTEGER NOT NULL, media_type INTEGER NOT NULL, -- words
    locked_until BLOB NOT NULL, lock_mode INTEGER NOT NULL,
    PRIMARY KEY (person, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE listing (              -- further versions that list a file
    person INTEGER NOT NULL, name BLOB NOT NULL, version BLOB NOT NULL,
    PRIMARY KEY (person, name, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE announced (            -- files of a record.stored that has not followed yet
    subject TEXT NOT NULL, run TEXT NOT NULL, version TEXT NOT NULL,
    entry INTEGER NOT NULL, files TEXT NOT NULL, -- JSON, as the entry has them
    PRIMARY KEY (subject, run, version, entry)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE unreadable (           -- invalid entries of the log, which are skipped
    entry INTEGER PRIMARY KEY
  ) STRICT;
  CREATE TABLE lookup (
    person INTEGER NOT NULL, name INTEGER NOT NULL, token BLOB NOT NULL, -- the name is a word
    PRIMARY KEY (person, name, token)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE mention (
    person INTEGER NOT NULL, entry INTEGER NOT NULL, -- an entry of the log about the person
    PRIMARY KEY (person, entry)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE relationship (
    subject TEXT PRIMARY KEY, ended TEXT NOT NULL, -- its last day; no row while it lasts
    told TEXT NOT NULL, entry INTEGER NOT NULL, -- when the log says so, and where
    settled TEXT NOT NULL DEFAULT ''  -- all locks were found to last at least until then; a hint
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE hold (
    subject TEXT NOT NULL, case_token TEXT NOT NULL, commitment TEXT NOT NULL,
    placed TEXT NOT NULL, entry INTEGER NOT NULL,
    PRIMARY KEY (subject, case_token)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE held (                 -- versions in the store that are under a legal hold
    key TEXT NOT NULL, object_version TEXT NOT NULL,
    PRIMARY KEY (key, object_version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE seen (                 -- found in the store by a verification: more than was promised at first
    key TEXT NOT NULL, object_version TEXT NOT NULL, locked_until BLOB NOT NULL, hold INTEGER NOT NULL,
    PRIMARY KEY (key, object_version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE piece (                -- parts of the log and vault.json, as the store last described them; a hint
    key TEXT NOT NULL, object_version TEXT NOT NULL, locked_until TEXT NOT NULL, asked TEXT NOT NULL,
    PRIMARY KEY (key, object_version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE purged (
    key TEXT PRIMARY KEY, subject TEXT NOT NULL,
    done INTEGER NOT NULL,            -- 0: begun, may be gone already; 2: was gone when the purge was withdrawn
    time TEXT NOT NULL,               -- of the entry that says so
    run TEXT NOT NULL                 -- the purge's run
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE departed (             -- subjects of whom nothing is left
    subject TEXT PRIMARY KEY,
    listed TEXT,                      -- what the provider's list last said about them; a hint
    base TEXT                         -- what their newest version was without what the config may leave out
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE approved (             -- requests already used for a bag: one approval is valid for one bag
    request TEXT PRIMARY KEY, run TEXT NOT NULL, entry INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE retrieval (            -- what retrieve asked for; an entry that is logged again is here once
    run TEXT NOT NULL, commitment TEXT NOT NULL, outcome TEXT NOT NULL, -- prepared, or why it was refused
    first TEXT NOT NULL,              -- of its subjects
    entry INTEGER NOT NULL, time TEXT NOT NULL, subjects TEXT NOT NULL, -- a JSON array
    records INTEGER NOT NULL, files INTEGER NOT NULL, request TEXT, approved_by TEXT,
    PRIMARY KEY (run, commitment, outcome, first)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE destroyed (            -- what purges destroyed, an entry a row; one that is logged again is here once
    run TEXT NOT NULL, subject TEXT NOT NULL, first TEXT NOT NULL, -- of its objects
    entry INTEGER NOT NULL, time TEXT NOT NULL,
    records INTEGER NOT NULL, files INTEGER NOT NULL, bytes INTEGER NOT NULL, versions INTEGER NOT NULL,
    PRIMARY KEY (run, subject, first)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE purge_approval (       -- purges that a second person approved
    run TEXT PRIMARY KEY, request TEXT NOT NULL, approved_by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE note (                 -- sealed words of holds and retrievals
    key TEXT PRIMARY KEY, subject TEXT NOT NULL, commitment TEXT NOT NULL,
    object_version TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
    locked_until TEXT NOT NULL, lock_mode TEXT NOT NULL, entry INTEGER NOT NULL, stored TEXT NOT NULL,
    released TEXT,                    -- when the hold was released for the reason in it
    state TEXT NOT NULL               -- kept, free (nothing is left of the subject), purged
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE run (
    run TEXT PRIMARY KEY, job TEXT NOT NULL, started TEXT NOT NULL, source TEXT,
    finished TEXT, outcome TEXT, counts TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE failure (              -- the last attempt at a subject, if it failed
    subject TEXT PRIMARY KEY, time TEXT NOT NULL, stage TEXT NOT NULL, code TEXT NOT NULL,
    project INTEGER, handle TEXT,     -- as in subject
    since TEXT NOT NULL               -- of the first attempt in a row that failed with this code
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE policy (
    only INTEGER PRIMARY KEY CHECK (only = 0), policy TEXT NOT NULL -- the one in effect, as JSON
  ) STRICT;
  CREATE INDEX purged_unfinished ON purged (subject) WHERE done = 0;
  CREATE INDEX purged_subject ON purged (subject, time);
  CREATE INDEX subject_open ON subject (person) WHERE open = 1;
  CREATE INDEX relationship_ended ON relationship (ended, settled, subject);
  CREATE INDEX file_unlisted ON file (person) WHERE listed = 0;
  CREATE INDEX note_subject ON note (subject);
  CREATE INDEX note_commitment ON note (commitment);
  CREATE INDEX note_lock ON note (locked_until) WHERE state = 'kept';
`;

/** Indexes that only questions need: a catalog is filled faster without them, and they are made at its end. */
export const INDEXES = `
  CREATE INDEX version_updated ON version (updated);
  CREATE INDEX version_stored ON version (stored);
  CREATE INDEX lookup_token ON lookup (token, name);
  CREATE INDEX version_lock ON version (lock_mode, locked_until);
  CREATE INDEX file_lock ON file (lock_mode, locked_until);
`;
