import type { DatabaseSync } from "node:sqlite";
import { statement } from "./statement.ts";
import { comparableTime } from "./time.ts";

/** After this many runs at most, everything remembered about a part of the log is forgotten. */
const NIGHTS = 30;

/**
 * Until when the parts of the log and the vault's description were locked when the store was last asked, or when a run
 * wrote them. This is not from the log. It saves thousands of requests each night; if it is lost, one night needs them.
 */
export class Pieces {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** RFC 3339 UTC. */
  until(key: string, versionId: string): string | undefined {
    return (this.#statements.until.get(key, versionId) as { until: string } | undefined)?.until;
  }

  /** @param asked when the store said so, or set the lock */
  note(key: string, versionId: string, until: string, asked: string): void {
    this.#statements.note.run(key, versionId, comparableTime(until), comparableTime(asked));
  }

  forget(key: string, versionId: string): void {
    this.#statements.forget.run(key, versionId);
  }

  /** Forgets the oldest answers: a share each night, so that all of them are forgotten within a month. */
  forgetOldest(): void {
    this.#statements.forgetOldest.run();
  }
}

function prepare(db: DatabaseSync) {
  return {
    until: statement(db, "SELECT locked_until || 'Z' AS until FROM piece WHERE key = ? AND object_version = ?"),
    note: statement(db, "INSERT OR REPLACE INTO piece VALUES (?, ?, ?, ?)"),
    forget: statement(db, "DELETE FROM piece WHERE key = ? AND object_version = ?"),
    forgetOldest: statement(
      db,
      `DELETE FROM piece WHERE (key, object_version) IN (
         SELECT key, object_version FROM piece ORDER BY asked, key, object_version
         LIMIT (SELECT (COUNT(*) + ${NIGHTS} - 1) / ${NIGHTS} FROM piece))`,
    ),
  };
}
