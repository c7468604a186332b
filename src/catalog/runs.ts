import type { DatabaseSync } from "node:sqlite";
import type { Entry, Policy } from "../audit/entry.ts";
import { projectOf, wordText } from "./packing.ts";
import { statement } from "./statement.ts";
import { comparableTime } from "./time.ts";

/** The job of a run that only asks about whom webhooks name, at once. */
export const AT_ONCE_JOB = "inbox";

/** One run according to the log; a run that was killed has no end. */
export interface RunTold {
  readonly run: string;
  readonly job: string;
  /** The source it asked, by its name in the config. Null if it asked none, or if the log did not say so then. */
  readonly source: string | null;
  readonly started: string;
  readonly finished: string | null;
  readonly outcome: string | null;
  readonly counts: Readonly<Record<string, number>>;
}

/** What runs did, which subjects failed, and the rules in effect. */
export class Runs {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Within the catalog's transaction. */
  apply(entry: Entry): void {
    const of = this.#statements;
    switch (entry.type) {
      case "run.started":
        of.clean.run(0);
        of.started.run(entry.run, entry.job, comparableTime(entry.time), entry.source ?? null);
        break;
      case "run.finished":
        of.clean.run(entry.outcome === "done" ? 1 : 0);
        of.finished.run(entry.time, entry.outcome, JSON.stringify(entry.counts), entry.run);
        break;
      case "record.failed":
        of.failed.run(
          ...[entry.subject, entry.time, entry.stage, entry.code],
          ...[entry.source ?? null, entry.handle ?? null],
        );
        break;
      case "record.stored":
      case "record.gone":
        of.cleared.run(entry.subject);
        break;
      case "record.purged":
        if (entry.whole) of.cleared.run(entry.subject);
        break;
      case "policy.changed":
        of.policy.run(JSON.stringify(entry.to));
        break;
    }
  }

  /** Runs that started at a time or later (RFC 3339 UTC), in order. */
  since(since: string): RunTold[] {
    return this.#statements.runs.all(comparableTime(since)).map(told);
  }

  /** The run that began last. One that only asks about whom webhooks name says nothing about the others. */
  last(): RunTold | undefined {
    const row = this.#statements.last.get();
    return row === undefined ? undefined : told(row);
  }

  /** The same of a source. */
  lastOf(source: string): RunTold | undefined {
    const row = this.#statements.lastOf.get(source);
    return row === undefined ? undefined : told(row);
  }

  /** Subjects whose last attempt failed. */
  failures(): { subject: string; time: string; stage: string; code: string; project: string | null }[] {
    return this.#statements.failures.all() as unknown as ReturnType<Runs["failures"]>;
  }

  /** Since when every attempt at a subject has failed with this code (RFC 3339); undefined if the last one did not. */
  failingSince(subject: string, code: string): string | undefined {
    return (this.#statements.failingSince.get(subject, code) as { since: string } | undefined)?.since;
  }

  /** The last policy in the log; undefined without one. */
  policy(): Policy | undefined {
    const row = this.#statements.lastPolicy.get() as { policy: string } | undefined;
    return row && (JSON.parse(row.policy) as Policy);
  }

  /**
   * Whether the last run ended well. If not, the vault may have objects that no entry mentions: the next run checks
   * before it stores.
   */
  get clean(): boolean {
    return (this.#statements.isClean.get() as { clean: number }).clean === 1;
  }
}

const TOLD = "SELECT run, job, source, started || 'Z' AS started, finished, outcome, counts FROM run";

function told(row: unknown): RunTold {
  const { counts, ...run } = row as Omit<RunTold, "counts"> & { readonly counts: string | null };
  return { ...run, counts: JSON.parse(counts ?? "{}") as Record<string, number> };
}

function prepare(db: DatabaseSync) {
  const of = (sql: string) => statement(db, sql);
  return {
    started: of("INSERT OR REPLACE INTO run (run, job, started, source) VALUES (?, ?, ?, ?)"),
    finished: of("UPDATE run SET finished = ?, outcome = ?, counts = ? WHERE run = ?"),
    runs: of(`${TOLD} WHERE started >= ? ORDER BY run.started`),
    last: of(`${TOLD} WHERE job != '${AT_ONCE_JOB}' ORDER BY run.started DESC LIMIT 1`),
    lastOf: of(`${TOLD} WHERE source = ? AND job != '${AT_ONCE_JOB}' ORDER BY run.started DESC LIMIT 1`),
    cleared: of("DELETE FROM failure WHERE subject = ?"),
    failed: of(
      `INSERT OR REPLACE INTO failure VALUES (?1, ?2, ?3, ?4, ${projectOf("?5")}, ?6,
         coalesce((SELECT since FROM failure WHERE subject = ?1 AND code = ?4), ?2))`,
    ),
    failingSince: of("SELECT since FROM failure WHERE subject = ? AND code = ?"),
    failures: of(`SELECT subject, time, stage, code, ${wordText("project")} AS project FROM failure ORDER BY subject`),
    policy: of("INSERT OR REPLACE INTO policy VALUES (0, ?)"),
    lastPolicy: of("SELECT policy FROM policy"),
    clean: of("UPDATE log SET clean = ?"),
    isClean: of("SELECT clean FROM log"),
  };
}
