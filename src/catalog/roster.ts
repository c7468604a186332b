import type { DatabaseSync } from "node:sqlite";
import { type Statement, statement } from "./statement.ts";
import { comparable } from "./time.ts";

/** Someone whom a source can be asked about without its list. */
export interface Located {
  readonly subject: string;
  /** The closed provider id. */
  readonly handle: string;
}

/** Subjects read at once. */
const PAGE = 1000;

/**
 * The closed provider ids of everyone in the vault. They are from the log, and for entries of record/1 from walks. Each
 * list is in the order of subjects, and only a page of it is in memory.
 */
export class Roster {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  handle(source: string, subject: string): string | undefined {
    return (this.#statements.handle.get(subject, source) as { handle: string | null } | undefined)?.handle ?? undefined;
  }

  /** Those whom the provider was still working on, in a version stored at this time or later (RFC 3339 UTC). */
  open(source: string, since: string): Generator<Located> {
    return pages(this.#statements.open, "", source, comparable(since));
  }

  /** Those whose last attempt failed. */
  failed(source: string): Generator<Located> {
    return pages(this.#statements.failed, "", source);
  }

  /** How many are open whose newest version is of a time before this one (RFC 3339 UTC). */
  openBefore(source: string, time: string): number {
    return (this.#statements.openBefore.get(source, comparable(time)) as { count: number }).count;
  }

  /** How many failed whenever they were tried, so that nothing of them is kept. */
  neverStored(source: string): number {
    return (this.#statements.neverStored.get(source) as { count: number }).count;
  }

  /** Those with files that the provider withheld. */
  withheld(source: string): Generator<Located> {
    return pages(this.#statements.withheld, "", source);
  }

  /** Those who are still at the source, with a subject after `from` and before `to`. */
  between(source: string, from: string, to: string): Generator<Located> {
    return pages(this.#statements.between, from, source, to);
  }
}

function* pages(of: Statement, from: string, ...values: string[]): Generator<Located> {
  for (let after = from; ; ) {
    const page = of.all(after, ...values) as unknown as Located[];
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.subject;
  }
}

function prepare(db: DatabaseSync) {
  const located = (from: string, where: string) =>
    statement(
      db,
      `SELECT subject, handle FROM ${from}
       WHERE subject > ?1 AND project = (SELECT project FROM source WHERE name = ?2) AND handle IS NOT NULL AND ${where}
       ORDER BY subject LIMIT ${PAGE}`,
    );
  return {
    handle: statement(
      db,
      "SELECT handle FROM subject WHERE subject = ? AND project = (SELECT project FROM source WHERE name = ?)",
    ),
    open: located("subject JOIN version USING (subject, version)", "open = 1 AND gone IS NULL AND stored >= ?3"),
    failed: located("failure", "TRUE"),
    openBefore: statement(
      db,
      `SELECT COUNT(*) AS count FROM subject JOIN version USING (subject, version)
       WHERE project = (SELECT project FROM source WHERE name = ?) AND open = 1 AND gone IS NULL AND updated < ?`,
    ),
    neverStored: statement(
      db,
      `SELECT COUNT(*) AS count FROM failure WHERE project = (SELECT project FROM source WHERE name = ?)
       AND NOT EXISTS (SELECT 1 FROM subject WHERE subject.subject = failure.subject)`,
    ),
    withheld: located("subject", "subject.withheld > 0 AND gone IS NULL"),
    between: located("subject", "gone IS NULL AND subject < ?3"),
  };
}
