import type { DatabaseSync } from "node:sqlite";
import { column, statement } from "./statement.ts";
import { comparable } from "./time.ts";

/** What is known of a subject without opening anything. */
export interface Known {
  /** The newest version kept. */
  readonly version: string;
  /** What the provider said last, as a version: equal means nothing changed. Null after it was gone. */
  readonly listed: string | null;
  readonly gone: string | null;
  /** Files of that version that the provider withheld. */
  readonly withheld: number;
  /** The entry of the log that stored it: no two subjects have the same. */
  readonly entry: number;
  /** Complete walks in a row that did not list it. */
  readonly missed: number;
}

/** Subjects read at once. */
const PAGE = 1000;

/** Who is kept, and how they are found. */
export class Subjects {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  known(subject: string): Known | undefined {
    return this.#statements.known.get(subject) as Known | undefined;
  }

  /** Everyone of whom something is kept, in their order. */
  *all(): Generator<string> {
    for (let after = ""; ; ) {
      const page = column(this.#statements.after.all(after), "subject");
      yield* page;
      if (page.length < PAGE) return;
      after = page.at(-1)!;
    }
  }

  /** Whoever was found by this token when one of their records was stored. */
  find(name: string, token: string): string[] {
    return column(this.#statements.found.all(name, token), "subject");
  }

  /** Subjects with a version that the provider made in a time (RFC 3339 UTC; the end is not in it), so many at most. */
  updatedIn(from: string, to: string, limit: number): string[] {
    return column(this.#statements.updatedIn.all(comparable(from), comparable(to), limit), "subject");
  }

  /** Whether the newest version kept has files or lookups: it was someone. */
  hadContent(subject: string): boolean {
    return this.#statements.hadContent.get(subject, subject) !== undefined;
  }

  /** Log entries that speak of a subject. */
  mentions(subject: string): number[] {
    return this.#statements.mentions.all(subject).map((row) => (row as { entry: number }).entry);
  }

  /** Log entries that speak of one subject, on average. */
  mentionsEach(): number {
    return (this.#statements.mentionsEach.get() as { each: number | null }).each ?? 0;
  }
}

function prepare(db: DatabaseSync) {
  return {
    known: statement(db, "SELECT version, listed, gone, withheld, entry, missed FROM subject WHERE subject = ?"),
    after: statement(db, `SELECT subject FROM subject WHERE subject > ? ORDER BY subject LIMIT ${PAGE}`),
    found: statement(db, "SELECT subject FROM lookup WHERE name = ? AND token = ? ORDER BY subject"),
    updatedIn: statement(
      db,
      "SELECT DISTINCT subject FROM version WHERE updated >= ? AND updated < ? ORDER BY subject LIMIT ?",
    ),
    hadContent: statement(
      db,
      `SELECT 1 FROM lookup WHERE subject = ?
       UNION SELECT 1 FROM subject JOIN version USING (subject, version) WHERE subject = ? AND version.files > 0 LIMIT 1`,
    ),
    mentions: statement(db, "SELECT entry FROM mention WHERE subject = ? ORDER BY entry"),
    mentionsEach: statement(db, "SELECT COUNT(*) * 1.0 / NULLIF(COUNT(DISTINCT subject), 0) AS each FROM mention"),
  };
}
