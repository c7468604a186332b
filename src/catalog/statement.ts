import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { HoldfastError } from "../core/error.ts";
import { isDamagedDatabase } from "../io/file-error.ts";

export interface Statement {
  get(...values: SQLInputValue[]): unknown;
  all(...values: SQLInputValue[]): unknown[];
  /** One row at a time. */
  iterate(...values: SQLInputValue[]): IteratorObject<unknown>;
  run(...values: SQLInputValue[]): void;
}

const damaged = new WeakSet<DatabaseSync>();

/** Whether a statement met damage in this database. */
export const isDamaged = (db: DatabaseSync): boolean => damaged.has(db);

/**
 * Damage can appear on any page, long after the file was opened, so every SQLite error becomes a HoldfastError.
 * @param options `arrays`: rows as arrays of their columns, which takes less time
 */
export function statement(db: DatabaseSync, sql: string, { arrays = false } = {}): Statement {
  // Made once for each statement, and not for each call: a large log runs millions of them.
  const guarded =
    <T>(work: (values: SQLInputValue[]) => T) =>
    (...values: SQLInputValue[]): T => {
      try {
        return work(values);
      } catch (error) {
        if (isDamagedDatabase(error)) damaged.add(db);
        throw stateError(error, databaseFile(db));
      }
    };
  const prepared = guarded(() => db.prepare(sql))();
  prepared.setReturnArrays(arrays);
  const rowsOf = guarded((values) => prepared.iterate(...values));
  return {
    get: guarded((values) => prepared.get(...values)),
    all: guarded((values) => prepared.all(...values)),
    *iterate(...values) {
      const rows = rowsOf(...values);
      const next = guarded(() => rows.next());
      for (let row = next(); !row.done; row = next()) yield row.value;
    },
    run: guarded((values) => void prepared.run(...values)),
  };
}

/** @param path of the file */
export function stateError(error: unknown, path: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const { message = "unknown", errcode } = error as { message?: string; errcode?: number };
  const why = errcode === undefined ? message : `${message}, SQLite error ${errcode}`;
  return new HoldfastError("state", `cannot use the catalog ${path} (${why})`, {
    cause: error,
    hint: "Check space and permissions of the state folder. You may delete the catalog: `holdfast rebuild` recreates it from the log.",
  });
}

/** The file of an open database. */
export function databaseFile(db: DatabaseSync): string {
  try {
    return db.location() ?? "in memory";
  } catch {
    return "that is closed";
  }
}

/** One text column of all rows. */
export function column(rows: readonly unknown[], name: string): string[] {
  return rows.map((row) => (row as Readonly<Record<string, string>>)[name]!);
}
