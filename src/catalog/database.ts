import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makePrivateFolder } from "../io/private-folder.ts";
import { SCHEMA, TABLES } from "./schema.ts";
import { isDamage, stateError } from "./statement.ts";

export const DURABLE =
  "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA busy_timeout = 5000";
/** For a file that need not survive a crash. */
export const FLEETING = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF";

/** The tables at `path`; empty ones if they are missing, damaged, of another schema or of another log. */
export function openTables(path: string, origin: string): DatabaseSync {
  try {
    const db = connect(path, DURABLE);
    if (isOf(db, origin) && isSound(db)) return db;
    db.close();
    return makeTables(path, origin, DURABLE);
  } catch (error) {
    if (isDamage(error)) return makeTables(path, origin, DURABLE);
    throw stateError(error, path);
  }
}

/** Opens tables for reading, while another process may write them. Undefined if they are missing or unusable. */
export function peekTables(path: string, origin: string): DatabaseSync | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true });
    if (isOf(db, origin)) return db;
  } catch {
    // A process that may write them creates them again.
  }
  db?.close();
  return undefined;
}

export function makeTables(path: string, origin: string, pragmas: string): DatabaseSync {
  try {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
    const db = connect(path, pragmas);
    db.exec(`BEGIN; ${TABLES} COMMIT`);
    db.prepare("INSERT INTO log VALUES (0, ?, ?, 0, NULL, 1)").run(SCHEMA, origin);
    return db;
  } catch (error) {
    throw stateError(error, path);
  }
}

function connect(path: string, pragmas: string): DatabaseSync {
  makePrivateFolder(dirname(path));
  const db = new DatabaseSync(path);
  db.exec(pragmas);
  return db;
}

function isOf(db: DatabaseSync, origin: string): boolean {
  const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'log'").get();
  const head = table && (db.prepare("SELECT schema, origin FROM log").get() as { schema: number; origin: string });
  return head?.schema === SCHEMA && head.origin === origin;
}

/** Takes some 3 s for a million identities. A damaged page found later would end this run and all later ones. */
function isSound(db: DatabaseSync): boolean {
  return (db.prepare("PRAGMA quick_check(1)").get() as { quick_check: string }).quick_check === "ok";
}
