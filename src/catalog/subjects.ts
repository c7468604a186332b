import type { DatabaseSync } from "node:sqlite";
import { column, statement } from "./statement.ts";
import { comparable } from "./time.ts";

/** What is known about a subject without opening anything. */
export interface Known {
  /** The newest version kept. */
  readonly version: string;
  /** What the provider last said, as a version: if it is equal, nothing changed. Null after the subject was gone. */
  readonly listed: string | null;
  readonly gone: string | null;
  /** Files of that version that the provider withheld. */
  readonly withheld: number;
  /** The log entry that stored it, unique to the subject. */
  readonly entry: number;
  /** Complete walks in a row that did not list it. */
  readonly missed: number;
  /** The token of the provider's project that showed it last. Null if that is not known. */
  readonly project: string | null;
  /** Of a version of record/1: all that the provider said when it was last asked, as a version. Null if not known. */
  readonly content: string | null;
  /** What the provider said at the last glance (`Source.glance`), as a token. Null if not known. */
  readonly glance: string | null;
  /** Whether its provider id is known (1), so that it can be asked about without a list. */
  readonly located: number;
}

/** Subjects read at once. */
const PAGE = 1000;

/** The subjects in the vault, and how they are found. */
export class Subjects {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  known(subject: string): Known | undefined {
    return this.#statements.known.get(subject) as Known | undefined;
  }

  /** All subjects in the vault, in order. */
  *all(): Generator<string> {
    for (let after = ""; ; ) {
      const page = column(this.#statements.after.all(after), "subject");
      yield* page;
      if (page.length < PAGE) return;
      after = page.at(-1)!;
    }
  }

  /** Subjects that had this token when one of their records was stored. */
  find(name: string, token: string): string[] {
    return column(this.#statements.found.all(name, token), "subject");
  }

  /** Subjects with a version that the provider made in a period (RFC 3339 UTC, without its end), up to `limit`. */
  updatedIn(from: string, to: string, limit: number): string[] {
    return column(this.#statements.updatedIn.all(comparable(from), comparable(to), limit), "subject");
  }

  /** Whether the newest version has files or lookups, so that it was about a person. */
  hadContent(subject: string): boolean {
    return this.#statements.hadContent.get(subject, subject) !== undefined;
  }

  /** Log entries about a subject. */
  mentions(subject: string): number[] {
    return this.#statements.mentions.all(subject).map((row) => (row as { entry: number }).entry);
  }

  /** The average number of log entries per subject. */
  mentionsEach(): number {
    return (this.#statements.mentionsEach.get() as { each: number | null }).each ?? 0;
  }
}

function prepare(db: DatabaseSync) {
  return {
    known: statement(
      db,
      `SELECT version, listed, gone, withheld, entry, missed, project, content, glance, handle IS NOT NULL AS located
       FROM subject WHERE subject = ?`,
    ),
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
