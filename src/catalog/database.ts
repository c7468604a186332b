import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isDamagedDatabase } from "../io/file-error.ts";
import { makePrivateFolder } from "../io/private-folder.ts";
import { INDEXES, SCHEMA, TABLES } from "./schema.ts";
import { stateError } from "./statement.ts";
import { isUntouched, noteOpened } from "./untouched.ts";

/** SQLite keeps these beside a database. */
export const SUFFIXES = ["", "-wal", "-shm"] as const;

/** A page is checked as it is read, so that damage is an error and not a wrong answer. What is deleted leaves no trace. */
const CHECKED = "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON";
const WAL = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL";
const DURABLE = `${WAL}; ${CHECKED}; PRAGMA busy_timeout = 5000`;
/** For a file that need not survive a crash. */
const FLEETING = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF";
/** 32 MB of the file are in memory. */
const CACHED = "PRAGMA cache_size = -32768";
/** For a file that is deleted unless all of it could be written. */
const BUILDING = `${FLEETING}; ${CACHED}; ${CHECKED}`;

/** The tables at `path`; empty ones if they are missing, damaged, of another schema or of another log. */
export function openTables(path: string, origin: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = connect(path, DURABLE);
    if (isOf(db, origin) && (isUntouched(db, path) || isSound(db))) {
      noteOpened(db);
      return db;
    }
    db.close();
    return emptyTables(path, origin);
  } catch (error) {
    if (db?.isOpen) db.close();
    // Nothing to repair: the log has everything.
    if (isDamagedDatabase(error)) return emptyTables(path, origin);
    throw stateError(error, path);
  }
}

/** Opens tables for reading, while another process may write them. Undefined if they are missing or unusable. */
export function peekTables(path: string, origin: string): DatabaseSync | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true });
    db.exec(CHECKED);
    if (isOf(db, origin)) return db;
  } catch {
    // A process that may write them creates them again.
  }
  db?.close();
  return undefined;
}

/** Empty tables in place of what is at `path`. */
export function emptyTables(path: string, origin: string): DatabaseSync {
  return makeTables(path, origin, DURABLE, INDEXES);
}

/**
 * Empty tables in a file that loses its name, and so disappears when the process ends in any way.
 * @param indexes whether to keep those for questions, too: they make it take longer to fill
 */
export function fleetingTables(path: string, origin: string, indexes: boolean): DatabaseSync {
  const db = makeTables(path, origin, `${FLEETING}; ${CACHED}`, indexes ? INDEXES : "");
  rmSync(path, { force: true });
  return db;
}

/** Empty tables without their indexes, for many rows at once. They are of use only after `completeTables`. */
export function tablesToBuild(path: string, origin: string): DatabaseSync {
  return makeTables(path, origin, BUILDING, "");
}

/** Makes the indexes, and all of the file durable. */
export function completeTables(db: DatabaseSync, path: string): void {
  try {
    // SQLite sorts in files. They are no larger than the catalog, and belong on its disk.
    db.exec(`PRAGMA cache_size = -16384; PRAGMA temp_store_directory = '${dirname(path).replaceAll("'", "''")}'`);
    try {
      db.exec(INDEXES);
    } finally {
      db.exec("PRAGMA temp_store_directory = ''");
    }
    // The first checkpoint syncs the whole file.
    db.exec(`${WAL}; UPDATE log SET closed = NULL; PRAGMA wal_checkpoint(TRUNCATE)`);
  } catch (error) {
    throw stateError(error, path);
  }
}

function makeTables(path: string, origin: string, pragmas: string, indexes: string): DatabaseSync {
  try {
    for (const suffix of SUFFIXES) rmSync(path + suffix, { force: true });
    const db = connect(path, pragmas);
    db.exec(`BEGIN; ${TABLES} ${indexes} COMMIT`);
    db.prepare("INSERT INTO log VALUES (0, ?, ?, 0, NULL, 1, NULL)").run(SCHEMA, origin);
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

/** Takes some 3 s for a million identities. A damaged page found later would end this run. */
function isSound(db: DatabaseSync): boolean {
  return (db.prepare("PRAGMA quick_check(1)").get() as { quick_check: string }).quick_check === "ok";
}
