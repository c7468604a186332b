import type { DatabaseSync } from "node:sqlite";
import { RECORD_KEY } from "./keys.ts";
import { statement } from "./statement.ts";
import { comparable } from "./time.ts";

/**
 * What a verification met in the store that goes beyond what was promised when the object was stored: a longer lock, a
 * legal hold. Whether the log accounts for it is known once all of the log was read.
 */
export class Seen {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  note(key: string, versionId: string, lockedUntil: string, hold: boolean): void {
    this.#statements.note.run(key, versionId, comparable(lockedUntil), hold ? 1 : 0);
  }

  /** Objects that are locked longer than the log says, or held though no case stands. */
  stuck(): number {
    return (this.#statements.stuck.get() as { count: number }).count;
  }
}

function prepare(db: DatabaseSync) {
  return {
    note: statement(db, "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)"),
    // Of a version that is not the present one of its key nothing is promised.
    stuck: statement(
      db,
      `SELECT COUNT(*) AS count FROM (
         SELECT seen.key, seen.object_version, seen.locked_until, hold, version.locked_until AS logged
         FROM seen JOIN version ON seen.key = ${RECORD_KEY}
           AND seen.object_version = version.object_version
         UNION ALL
         SELECT seen.key, seen.object_version, seen.locked_until, hold, file.locked_until AS logged
         FROM seen JOIN file ON seen.key = file.key AND seen.object_version = file.object_version)
       WHERE locked_until > logged OR (hold = 1 AND NOT EXISTS (
         SELECT 1 FROM held WHERE held.key = key AND held.object_version = object_version))`,
    ),
  };
}
