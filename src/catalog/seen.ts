import type { DatabaseSync } from "node:sqlite";
import { nameOfFile, personOfFile, personOfRecord, versionOfRecord } from "./keys.ts";
import { bytesOf } from "./packing.ts";
import { statement } from "./statement.ts";
import { digitsOf } from "./time.ts";

/**
 * What a verification found in the store beyond the first promise: a longer lock, a legal hold. Whether the log
 * explains it is known only after the whole log was read.
 */
export class Seen {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  note(key: string, versionId: string, lockedUntil: string, hold: boolean): void {
    this.#statements.note.run(key, versionId, digitsOf(lockedUntil), hold ? 1 : 0);
  }

  /** Objects that are locked for longer than the log says, or held without a case. */
  stuck(): number {
    return (this.#statements.stuck.get() as { count: number }).count;
  }
}

function prepare(db: DatabaseSync) {
  return {
    note: statement(db, `INSERT OR REPLACE INTO seen VALUES (?, ?, ${bytesOf()}, ?)`),
    // The log promises nothing about a version that is not the current one of its key.
    stuck: statement(
      db,
      `SELECT COUNT(*) AS count FROM (
         SELECT seen.key, seen.object_version, seen.locked_until, hold, version.locked_until AS logged
         FROM seen JOIN version ON version.person = ${personOfRecord("seen.key")}
           AND version.version = ${versionOfRecord("seen.key")} AND seen.object_version = version.object_version
         UNION ALL
         SELECT seen.key, seen.object_version, seen.locked_until, hold, file.locked_until AS logged
         FROM seen JOIN file ON file.person = ${personOfFile("seen.key")} AND file.name = ${nameOfFile("seen.key")}
           AND seen.object_version = file.object_version)
       WHERE locked_until > logged OR (hold = 1 AND NOT EXISTS (
         SELECT 1 FROM held WHERE held.key = key AND held.object_version = object_version))`,
    ),
  };
}
