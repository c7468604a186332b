import type { DatabaseSync } from "node:sqlite";
import { scratch } from "../catalog/scratch.ts";
import { databaseFile, type Statement, stateError, statement } from "../catalog/statement.ts";
import { unfit } from "./index-file.ts";

/** An object of a manifest, and what the reports say of it. */
export interface Outcome {
  readonly subject: string;
  readonly key: string;
  readonly versionId: string;
  /** The manifest's place in the index. */
  readonly manifest: number;
  /** "" if a report says that the lock was set, the store's code if it could not be, null if no report names the object. */
  readonly failure: string | null;
}

/** Rows written in one transaction. */
const BATCH = 10_000;
/** Objects read at once. No query stays open while they are processed. */
const PAGE = 1_000;
/** SQLITE_CONSTRAINT_UNIQUE */
const NOT_UNIQUE = 2067;

/** What is in the manifests, and what is in the reports. On disk, because there may be many millions. */
export class TaskOutcomes {
  readonly #db: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #onRows: (rows: number) => void;
  #rows = 0;
  #read: Statement | undefined;

  constructor(path: string, onRows: (rows: number) => void) {
    this.#onRows = onRows;
    this.#db = scratch(path, TABLES);
    this.#statements = prepare(this.#db);
    this.#statements.begin.run();
  }

  list({ subject, key, versionId, manifest }: Omit<Outcome, "failure">): void {
    this.#statements.list.run(subject, key, versionId, manifest);
    this.#pause();
  }

  /** @param report its place on the command line */
  report({ subject, key, versionId, failure }: Omit<Outcome, "manifest">, report: number): void {
    this.#statements.report.run(subject, key, versionId, report, failure);
    this.#pause();
  }

  #pause(): void {
    if (++this.#rows % BATCH > 0) return;
    this.#onRows(this.#rows);
    this.#statements.commit.run();
    this.#statements.begin.run();
  }

  /**
   * Call this when everything is in. How many rows of reports name an object of no manifest, or one object twice. Throws
   * `usage` if manifests name an object twice.
   */
  finish(): { readonly foreign: number; readonly repeated: number } {
    this.#statements.commit.run();
    this.#index();
    this.#read = statement(this.#db, READ);
    const count = (sql: string): number => (statement(this.#db, sql).get() as { count: number }).count;
    return { foreign: count(FOREIGN), repeated: count(REPEATED) };
  }

  #index(): void {
    try {
      this.#db.exec(INDEXES);
    } catch (error) {
      if ((error as { errcode?: number }).errcode === NOT_UNIQUE) throw unfit("they name an object twice", error);
      throw stateError(error, databaseFile(this.#db));
    }
  }

  /** All objects of the manifests, person by person. */
  *all(): Generator<Outcome, void, undefined> {
    for (let after = ["", ""]; ; ) {
      const page = this.#read!.all(...after) as Outcome[];
      yield* page;
      if (page.length < PAGE) return;
      const last = page.at(-1)!;
      after = [last.subject, last.key];
    }
  }

  close(): void {
    this.#db.close();
  }
}

const TABLES = `
  CREATE TABLE listed (subject TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, manifest INTEGER NOT NULL) STRICT;
  CREATE TABLE reported (
    subject TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, report INTEGER NOT NULL, failure TEXT NOT NULL
  ) STRICT`;

/** Made at the end: SQLite then sorts, which takes a fraction of the time. */
const INDEXES = `
  CREATE UNIQUE INDEX listed_object ON listed (subject, key);
  CREATE INDEX reported_object ON reported (subject, key, version, report)`;

/** Of several reports, one that says that the lock was set counts: a job may have been run again. */
const READ = `
  SELECT subject, key, version AS versionId, manifest, (
    SELECT MIN(failure) FROM reported WHERE (reported.subject, reported.key, reported.version) =
      (listed.subject, listed.key, listed.version)) AS failure
  FROM listed WHERE (subject, key) > (?, ?) ORDER BY subject, key LIMIT ${PAGE}`;

const FOREIGN = `
  SELECT COUNT(*) AS count FROM reported WHERE NOT EXISTS (
    SELECT 1 FROM listed WHERE (listed.subject, listed.key) = (reported.subject, reported.key)
      AND listed.version = reported.version)`;

const REPEATED = `
  SELECT COUNT(*) AS count FROM (
    SELECT 1 FROM reported GROUP BY subject, key, version, report HAVING COUNT(*) > 1)`;

function prepare(db: DatabaseSync) {
  return {
    begin: statement(db, "BEGIN"),
    commit: statement(db, "COMMIT"),
    list: statement(db, "INSERT INTO listed VALUES (?, ?, ?, ?)"),
    report: statement(db, "INSERT INTO reported VALUES (?, ?, ?, ?, ?)"),
  };
}
