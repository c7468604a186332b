import type { DatabaseSync } from "node:sqlite";
import { instantText } from "./packing.ts";
import { statement } from "./statement.ts";

/** How much is kept, for reports. */
export class Totals {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  counts(): { subjects: number; versions: number; files: number; bytes: number } {
    return statement(
      this.#db,
      `SELECT (SELECT COUNT(*) FROM subject) AS subjects, (SELECT COUNT(*) FROM version) AS versions,
                (SELECT COUNT(*) FROM file) AS files,
                (SELECT COALESCE(SUM(size), 0) FROM version) + (SELECT COALESCE(SUM(size), 0) FROM file) AS bytes`,
    ).get() as { subjects: number; versions: number; files: number; bytes: number };
  }

  /** Records and files that an entry from this one on stored. */
  storedFrom(entry: number): number {
    const row = statement(
      this.#db,
      `SELECT COUNT(*) + (SELECT COUNT(*) FROM file JOIN version USING (person, version) WHERE entry >= ?1) AS count
       FROM version WHERE entry >= ?1`,
    ).get(entry);
    return (row as { count: number }).count;
  }

  /** People whose newest version lacks files that the provider withheld, and these files. */
  withheld(): { people: number; files: number } {
    return statement(
      this.#db,
      "SELECT COUNT(*) AS people, COALESCE(SUM(withheld), 0) AS files FROM subject WHERE withheld > 0",
    ).get() as { people: number; files: number };
  }

  /** Objects and bytes stored, by month (`2026-11`), ascending. */
  storedByMonth(): { month: string; objects: number; bytes: number }[] {
    return statement(
      this.#db,
      `SELECT substr(digits, 1, 4) || '-' || substr(digits, 5) AS month, SUM(objects) AS objects, SUM(bytes) AS bytes
       FROM (
         SELECT substr(hex(stored), 1, 6) AS digits, COUNT(*) AS objects, SUM(size) AS bytes FROM version GROUP BY 1
         UNION ALL
         SELECT substr(hex(stored), 1, 6) AS digits, COUNT(*) AS objects, SUM(file.size) AS bytes
         FROM file JOIN version USING (person, version) GROUP BY 1)
       GROUP BY digits ORDER BY digits`,
    ).all() as { month: string; objects: number; bytes: number }[];
  }

  /** The latest change at the provider that is kept (RFC 3339 UTC); undefined if the vault is empty. */
  newest(): string | undefined {
    const row = statement(
      this.#db,
      `SELECT ${instantText("updated")} AS updated FROM version ORDER BY version.updated DESC LIMIT 1`,
    ).get();
    return (row as { updated: string } | undefined)?.updated;
  }
}
