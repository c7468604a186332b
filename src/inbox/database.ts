import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HoldfastError } from "../core/error.ts";
import { isDamagedDatabase } from "../io/file-error.ts";
import { makePrivateFolder } from "../io/private-folder.ts";

/** Increase it when the tables change. */
const SCHEMA = 1;
/** How long to wait for another process that writes, in ms. */
const PATIENCE = 2_000;

/**
 * `delivery`: what has arrived, so that a repetition is known. `event`: what has not been looked at yet. `source`: when the
 * last verified event arrived.
 */
const TABLES = `
  CREATE TABLE IF NOT EXISTS delivery (
    source TEXT NOT NULL, key BLOB NOT NULL, at TEXT NOT NULL, PRIMARY KEY (source, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS delivery_at ON delivery (at);
  CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, subject TEXT NOT NULL, handle TEXT NOT NULL,
    kind TEXT NOT NULL, at TEXT NOT NULL, erasure INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS event_subject ON event (source, subject);
  CREATE TABLE IF NOT EXISTS source (name TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA};
`;

/** @param state the client's own folder */
export function inboxFile(state: string): string {
  return join(state, "inbox.sqlite");
}

/**
 * The file of an inbox, made if it is missing. Each commit is on the disk when it returns, and several processes may use
 * it at once. Only this user can read it; SQLite gives its side files the same mode.
 */
export function openDatabase(path: string): DatabaseSync {
  makePrivateFolder(dirname(path));
  let db: DatabaseSync | undefined;
  try {
    closeSync(openSync(path, "a", 0o600));
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
    db = new DatabaseSync(path, { timeout: PATIENCE });
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
    const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version === 0) db.exec(`BEGIN IMMEDIATE; ${TABLES} COMMIT`);
    else if (version !== SCHEMA) throw new RangeError(`it has format ${version}`);
    return db;
  } catch (error) {
    db?.close();
    throw inboxError(error, path);
  }
}

/** The same for reading only: undefined if there is no such file yet. Throws `state`. */
export function peekDatabase(path: string): DatabaseSync | undefined {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: PATIENCE });
    const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version === SCHEMA) return db;
    // Without a format, it is being made.
    if (version !== 0) throw new RangeError(`it has format ${version}`);
    db.close();
    return undefined;
  } catch (error) {
    db?.close();
    throw inboxError(error, path);
  }
}

export function inboxError(error: unknown, path: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const { message = "unknown", errcode, code } = error as { message?: string; errcode?: number; code?: string };
  const why = errcode === undefined ? (code ?? message) : `${message}, SQLite error ${errcode}`;
  return new HoldfastError("state", `cannot use the inbox ${path} (${why})`, {
    cause: error,
    hint: isDamagedDatabase(error)
      ? "Stop Holdfast, move the file and those beside it that begin with its name away, and start again. What was lost with it is found when it is each person's turn (`resync`)."
      : "Check space and permissions of the state folder.",
  });
}
