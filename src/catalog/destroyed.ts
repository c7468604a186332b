import type { DatabaseSync } from "node:sqlite";
import type { PurgeBegun, RecordPurged } from "../audit/entry.ts";
import { parseKey } from "../vault/layout.ts";
import { type Statement, statement } from "./statement.ts";

/** One purge that destroyed something, according to the log. */
export interface PurgeRun {
  readonly run: string;
  /** When it destroyed the first and the last object (RFC 3339 UTC). */
  readonly first: string;
  readonly last: string;
  readonly people: number;
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  /** Versions and delete markers that were removed from the store. */
  readonly versions: number;
  /** SHA-256 of the request that a second person signed, and their public key; null where one person was enough. */
  readonly request: string | null;
  readonly approvedBy: string | null;
}

/** What purges destroyed. Storing a person again does not change it: it is history. */
export class PurgedObjects {
  readonly #insert: Statement;
  readonly #approve: Statement;
  readonly #runs: Statement;

  constructor(db: DatabaseSync) {
    this.#insert = statement(db, "INSERT OR IGNORE INTO destroyed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#approve = statement(db, "INSERT OR IGNORE INTO purge_approval VALUES (?, ?, ?)");
    this.#runs = statement(
      db,
      `SELECT run, MIN(time) AS first, MAX(time) AS last, COUNT(DISTINCT subject) AS people, SUM(records) AS records,
         SUM(files) AS files, SUM(bytes) AS bytes, SUM(versions) AS versions,
         request, approved_by AS approvedBy
       FROM destroyed LEFT JOIN purge_approval USING (run) GROUP BY run ORDER BY MAX(entry) DESC`,
    );
  }

  /** Within the catalog's transaction. */
  apply(index: number, { run, subject, time, objects }: RecordPurged): void {
    const [first] = objects;
    if (first === undefined) return;
    const records = objects.filter(({ key }) => parseKey(key)?.kind === "record").length;
    const sum = (of: "size" | "versions"): number => objects.reduce((total, each) => total + each[of], 0);
    const counts = [records, objects.length - records, sum("size"), sum("versions")];
    this.#insert.run(run, subject, first.key, index, time, ...counts);
  }

  /** Within the catalog's transaction. */
  noteBegun({ run, request, approvedBy }: PurgeBegun): void {
    if (request !== undefined && approvedBy !== undefined) this.#approve.run(run, request, approvedBy);
  }

  runs(): PurgeRun[] {
    return this.#runs.all() as PurgeRun[];
  }
}
