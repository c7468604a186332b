import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { HoldfastError } from "../../core/error.ts";
import { isDamagedDatabase } from "../../io/file-error.ts";
import { makePrivateFolder } from "../../io/private-folder.ts";
import type { LimitsState } from "./aimd.ts";
import { type LimitsStore, OwnLimits } from "./limits.ts";

const FIELDS: readonly (keyof LimitsState)[] = [
  ...(["seen", "rate", "bound", "probeAt", "cutAt", "good", "last", "silentUntil", "told", "toldUntil"] as const),
  ...(["highUntil", "lowUntil", "lowLast"] as const),
];

/** Increase the number when the columns change, so that two versions of Holdfast can run side by side. */
const TABLE = "limits_2";
/** How many requests each month had. */
const BUDGET = "budget_1";
/**
 * Others lock the file for some 20 µs. If a process is stopped while it has the lock, wait at most this long, in ms.
 */
const PATIENCE = 500;
/** How long this process keeps its own limits before it tries the file again, in ms. */
const APART = 10_000;

/**
 * Limits that all processes on this machine share: one row in a small SQLite file, for the source or for some of its
 * endpoints. The row is read, changed and written
 * under SQLite's lock, so starts are granted one by one, and the kernel frees the lock of a process that dies. The row
 * does not record who started what, so there is nothing to clean up.
 *
 * Nothing in it is worth a sync to disk: lost values are learned again, and a damaged file is deleted. Only the count of
 * the month's requests would start again. If the file is
 * unusable (full disk, no permission, a file system without locks), the process continues from the last known state
 * with its own limits, reports that once, and tries the file again after a while.
 */
export class SharedLimits implements LimitsStore {
  readonly #path: string;
  readonly #onTrouble: (error: HoldfastError) => void;
  readonly #own = new OwnLimits();
  readonly #name: string;
  #open: Open | undefined;
  #apartUntil = 0;
  #told = false;

  /** @param name of the endpoints that these limits are for; empty for the limits of the whole source */
  constructor(path: string, onTrouble: (error: HoldfastError) => void = () => {}, name = "") {
    this.#name = name;
    this.#path = path;
    this.#onTrouble = onTrouble;
  }

  change<T>(fresh: () => LimitsState, work: (state: LimitsState) => T): T {
    return this.#shared(
      ({ read, write }) => {
        const state = (read.get(this.#name) as LimitsState | undefined) ?? fresh();
        const result = work(state);
        write.run(this.#name, ...FIELDS.map((field) => state[field]));
        return () => {
          this.#own.adopt(state);
          return result;
        };
      },
      () => this.#own.change(fresh, work),
    );
  }

  spend(month: string, most: number): number | undefined {
    return this.#shared(
      ({ spend, spent }) => {
        const isSpent = spend.run(month, most).changes === 1;
        const { used = 0 } = (spent.get(month) as { used: number } | undefined) ?? {};
        return () => {
          this.#own.adoptSpent(month, used);
          return isSpent ? used : undefined;
        };
      },
      () => this.#own.spend(month, most),
    );
  }

  close(): void {
    this.#leave(Number.POSITIVE_INFINITY);
  }

  #leave(until: number): void {
    this.#open?.db.close();
    this.#open = undefined;
    this.#apartUntil = until;
  }

  /** @param work in a transaction; what it returns is called after that @param alone if the file is unusable */
  #shared<T>(work: (open: Open) => () => T, alone: () => T): T {
    if (performance.now() < this.#apartUntil) return alone();
    try {
      this.#open ??= connect(this.#path);
      this.#open.db.exec("BEGIN IMMEDIATE");
      const done = work(this.#open);
      this.#open.db.exec("COMMIT");
      return done();
    } catch (error) {
      this.#leave(performance.now() + APART);
      if (!this.#told) this.#onTrouble(unusable(error));
      this.#told = true;
      return alone();
    }
  }
}

interface Open {
  readonly db: DatabaseSync;
  readonly read: StatementSync;
  readonly write: StatementSync;
  readonly spend: StatementSync;
  readonly spent: StatementSync;
}

function connect(path: string): Open {
  makePrivateFolder(dirname(path));
  try {
    return prepare(path);
  } catch (error) {
    if (!isDamagedDatabase(error)) throw error;
    for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
    return prepare(path);
  }
}

function prepare(path: string): Open {
  const db = new DatabaseSync(path, { timeout: PATIENCE });
  try {
    const columns = FIELDS.map((field) => `${field} REAL NOT NULL`);
    // Each request writes one row, and with it its page.
    db.exec("PRAGMA page_size = 512; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
    db.exec(`CREATE TABLE IF NOT EXISTS ${TABLE} (name TEXT PRIMARY KEY, ${columns}) STRICT`);
    db.exec(`CREATE TABLE IF NOT EXISTS ${BUDGET} (month TEXT PRIMARY KEY, used INTEGER NOT NULL) STRICT`);
    return {
      db,
      read: db.prepare(`SELECT ${FIELDS} FROM ${TABLE} WHERE name = ?`),
      write: db.prepare(
        `INSERT INTO ${TABLE} VALUES (?, ${FIELDS.map(() => "?")})
         ON CONFLICT DO UPDATE SET ${FIELDS.map((field) => `${field} = excluded.${field}`)}`,
      ),
      spend: db.prepare(
        `INSERT INTO ${BUDGET} SELECT ?1, 1 WHERE ?2 > 0 ON CONFLICT DO UPDATE SET used = used + 1 WHERE used < ?2`,
      ),
      spent: db.prepare(`SELECT used FROM ${BUDGET} WHERE month = ?`),
    };
  } catch (error) {
    db.close();
    throw error;
  }
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
