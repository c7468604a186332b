import type { DatabaseSync } from "node:sqlite";
import { statement } from "./statement.ts";
import { comparable } from "./time.ts";

/** Someone whom a source can be asked about without its list. */
export interface Located {
  readonly subject: string;
  /** The closed provider id. */
  readonly handle: string;
}

/** Subjects read at once. */
const PAGE = 1000;

/** The closed provider ids of everyone in the vault. They are from the log, and for entries of record/1 from walks. */
export class Roster {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  handle(subject: string): string | undefined {
    return (this.#statements.handle.get(subject) as { handle: string | null } | undefined)?.handle ?? undefined;
  }

  /** Those whom the provider was still working on, in a version made at this time or later (RFC 3339 UTC). */
  open(source: string, since: string): Located[] {
    return this.#statements.open.all(source, comparable(since)) as unknown as Located[];
  }

  /** Those whose last attempt failed. */
  failed(source: string): Located[] {
    return this.#statements.failed.all(source) as unknown as Located[];
  }

  /** Those who are still at the source, with a subject from `from` on and before `to`, in order. */
  *between(source: string, from: string, to: string): Generator<Located> {
    for (let after = from, isFirst = true; ; isFirst = false) {
      const page = this.#statements.between.all(source, after, isFirst ? 1 : 0, to) as unknown as Located[];
      yield* page;
      if (page.length < PAGE) return;
      after = page.at(-1)!.subject;
    }
  }
}

function prepare(db: DatabaseSync) {
  return {
    handle: statement(db, "SELECT handle FROM subject WHERE subject = ?"),
    open: statement(
      db,
      `SELECT subject, handle FROM subject JOIN version USING (subject, version)
       WHERE open = 1 AND source = ? AND gone IS NULL AND handle IS NOT NULL AND version.updated >= ?
       ORDER BY subject`,
    ),
    failed: statement(
      db,
      "SELECT subject, handle FROM failure WHERE source = ? AND handle IS NOT NULL ORDER BY subject",
    ),
    between: statement(
      db,
      `SELECT subject, handle FROM subject
       WHERE source = ?1 AND (subject > ?2 OR (?3 AND subject = ?2)) AND subject < ?4
         AND gone IS NULL AND handle IS NOT NULL
       ORDER BY subject LIMIT ${PAGE}`,
    ),
  };
}
