import type { DatabaseSync } from "node:sqlite";
import { statement } from "./statement.ts";
import { comparable } from "./time.ts";

/** What is remembered of a piece is forgotten after so many runs at the latest. */
const NIGHTS = 30;

/**
 * Until when the pieces of the log and of the vault's description were locked when the store was last asked. It is not
 * from the log: it saves asking for thousands of them each night, and lost it costs one such night.
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

  /** @param asked when the store said so, or did so */
  note(key: string, versionId: string, until: string, asked: string): void {
    this.#statements.note.run(key, versionId, comparable(until), comparable(asked));
  }

  forget(key: string, versionId: string): void {
    this.#statements.forget.run(key, versionId);
  }

  /** Forgets those that were asked for the longest ago: a share, so that all are forgotten within a month of nights. */
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
