import type { DatabaseSync } from "node:sqlite";
import { bytesOf, hexOf, personOf, projectOf } from "./packing.ts";
import { type Statement, statement } from "./statement.ts";
import { digitsOf } from "./time.ts";

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
    return pages(this.#statements.open, "", source, digitsOf(since));
  }

  /** Those whose last attempt failed. */
  failed(source: string): Generator<Located> {
    return pages(this.#statements.failed, "", source);
  }

  /** How many are open whose newest version is of a time before this one (RFC 3339 UTC). */
  openBefore(source: string, time: string): number {
    return (this.#statements.openBefore.get(source, digitsOf(time)) as { count: number }).count;
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

  /** Those in the same range who are gone by the provider's word, whose newest version is of this time or later (RFC 3339 UTC). */
  deleted(source: string, from: string, to: string, since: string): Generator<Located> {
    return pages(this.#statements.deleted, from, source, to, digitsOf(since));
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
  // A bound that is no digits, `g`, is after every subject.
  const isBefore = `(${bytesOf("?3")} IS NULL OR person.subject < ${bytesOf("?3")})`;
  // CROSS JOIN: in the order of subjects, without sorting everyone for each page.
  const located = (where: string, gone = "gone IS NULL") =>
    statement(
      db,
      `SELECT ${hexOf("person.subject")} AS subject, handle FROM person CROSS JOIN subject ON subject.person = person.id
       WHERE person.subject > ${bytesOf("?1")} AND project = ${projectOf("?2")} AND handle IS NOT NULL AND ${gone}
         AND ${where}
       ORDER BY person.subject LIMIT ${PAGE}`,
    );
  return {
    handle: statement(db, `SELECT handle FROM subject WHERE person = ${personOf()} AND project = ${projectOf()}`),
    // Few are open: these are sorted.
    open: statement(
      db,
      `SELECT ${hexOf("person.subject")} AS subject, handle
       FROM subject INDEXED BY subject_open JOIN version USING (person, version) JOIN person ON person.id = subject.person
       WHERE person.subject > ${bytesOf("?1")} AND project = ${projectOf("?2")} AND handle IS NOT NULL AND gone IS NULL
         AND open = 1 AND stored >= ${bytesOf("?3")}
       ORDER BY person.subject LIMIT ${PAGE}`,
    ),
    failed: statement(
      db,
      `SELECT subject, handle FROM failure
       WHERE subject > ?1 AND project = ${projectOf("?2")} AND handle IS NOT NULL ORDER BY subject LIMIT ${PAGE}`,
    ),
    openBefore: statement(
      db,
      `SELECT COUNT(*) AS count FROM subject JOIN version USING (person, version)
       WHERE project = ${projectOf()} AND open = 1 AND gone IS NULL AND updated < ${bytesOf()}`,
    ),
    neverStored: statement(
      db,
      `SELECT COUNT(*) AS count FROM failure WHERE project = ${projectOf()}
       AND NOT EXISTS (SELECT 1 FROM subject WHERE person = ${personOf("failure.subject")})`,
    ),
    withheld: located("subject.withheld > 0"),
    between: located(isBefore),
    deleted: located(
      `${isBefore} AND EXISTS (SELECT 1 FROM version
         WHERE version.person = subject.person AND version.version = subject.version AND updated >= ${bytesOf("?4")})`,
      "gone = 'deleted'",
    ),
  };
}
