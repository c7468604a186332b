import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { HoldfastError } from "../../core/error.ts";
import { makePrivateFolder } from "../../io/private-folder.ts";
import type { LimitsState } from "./aimd.ts";
import { type LimitsStore, OwnLimits } from "./limits.ts";

const FIELDS: readonly (keyof LimitsState)[] = [
  ...(["seen", "rate", "bound", "probeAt", "cutAt", "good", "last", "silentUntil", "told", "toldUntil"] as const),
  ...(["highUntil", "lowUntil", "lowLast"] as const),
];

/** Increase the number when the columns change, so that two versions of Holdfast can run side by side. */
const TABLE = "limits_1";
/**
 * Others lock the file for some 20 µs. If a process is stopped while it has the lock, wait at most this long, in ms.
 */
const PATIENCE = 500;
/** How long this process keeps its own limits before it tries the file again, in ms. */
const APART = 10_000;

/**
 * Limits that all processes on this machine share: one row in a small SQLite file. The row is read, changed and written
 * under SQLite's lock, so starts are granted one by one, and the kernel frees the lock of a process that dies. The row
 * does not record who started what, so there is nothing to clean up.
 *
 * Nothing in it is worth a sync to disk: lost values are learned again, and a damaged file is deleted. If the file is
 * unusable (full disk, no permission, a file system without locks), the process continues from the last known state
 * with its own limits, reports that once, and tries the file again after a while.
 */
export class SharedLimits implements LimitsStore {
  readonly #path: string;
  readonly #onTrouble: (error: HoldfastError) => void;
  readonly #own = new OwnLimits();
  #open: { readonly db: DatabaseSync; readonly read: StatementSync; readonly write: StatementSync } | undefined;
  #apartUntil = 0;
  #told = false;

  constructor(path: string, onTrouble: (error: HoldfastError) => void = () => {}) {
    this.#path = path;
    this.#onTrouble = onTrouble;
  }

  change<T>(fresh: () => LimitsState, work: (state: LimitsState) => T): T {
    if (performance.now() < this.#apartUntil) return this.#own.change(fresh, work);
    try {
      return this.#change(fresh, work);
    } catch (error) {
      this.#leave(performance.now() + APART);
      if (!this.#told) this.#onTrouble(unusable(error));
      this.#told = true;
      return this.#own.change(fresh, work);
    }
  }

  close(): void {
    this.#leave(Number.POSITIVE_INFINITY);
  }

  #leave(until: number): void {
    this.#open?.db.close();
    this.#open = undefined;
    this.#apartUntil = until;
  }

  #change<T>(fresh: () => LimitsState, work: (state: LimitsState) => T): T {
    this.#open ??= connect(this.#path);
    const { db, read, write } = this.#open;
    db.exec("BEGIN IMMEDIATE");
    const state = (read.get() as LimitsState | undefined) ?? fresh();
    const result = work(state);
    write.run(...FIELDS.map((field) => state[field]));
    db.exec("COMMIT");
    this.#own.adopt(state);
    return result;
  }
}

function connect(path: string): { db: DatabaseSync; read: StatementSync; write: StatementSync } {
  makePrivateFolder(dirname(path));
  try {
    return prepare(path);
  } catch (error) {
    if (!isDamage(error)) throw error;
    for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
    return prepare(path);
  }
}

function prepare(path: string): { db: DatabaseSync; read: StatementSync; write: StatementSync } {
  const db = new DatabaseSync(path, { timeout: PATIENCE });
  try {
    const columns = FIELDS.map((field) => `${field} REAL NOT NULL`);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
    db.exec(`CREATE TABLE IF NOT EXISTS ${TABLE} (only INTEGER PRIMARY KEY CHECK (only = 0), ${columns}) STRICT`);
    const read = db.prepare(`SELECT ${FIELDS} FROM ${TABLE}`);
    const write = db.prepare(`INSERT OR REPLACE INTO ${TABLE} VALUES (0, ${FIELDS.map(() => "?")})`);
    return { db, read, write };
  } catch (error) {
    db.close();
    throw error;
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && [11, 26].includes((error.errcode as number) & 0xff);
}

function unusable(error: unknown): HoldfastError {
  return new HoldfastError(
    "state",
    `cannot use limits.sqlite (${error instanceof Error ? error.message : "unknown"}): this process keeps its own limits for the source`,
    {
      cause: error,
      hint: "Check space and permissions of the state folder. Until then, parallel jobs together may exceed source.rate.",
    },
  );
}
