import type { DatabaseSync } from "node:sqlite";
import type { Entry, Policy, RecordPurged } from "../audit/entry.ts";
import { fileFolder, foldersOf, parseKey, recordFolder } from "../vault/layout.ts";
import { within } from "./keys.ts";
import { statement } from "./statement.ts";
import { comparable } from "./time.ts";

/** A legal hold that stands: a keyed token of its case, a commitment to its reason, and since when (RFC 3339 UTC). */
export interface Hold {
  readonly case: string;
  readonly commitment: string;
  readonly placed: string;
}

/** One run as the log tells it; a run that was killed has no end. */
export interface RunTold {
  readonly run: string;
  readonly job: string;
  readonly started: string;
  readonly finished: string | null;
  readonly outcome: string | null;
  readonly counts: Readonly<Record<string, number>>;
}

/** What comes after a record was stored: relationships that end, holds, purges; and the runs that did all of it. */
export class Life {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Within the catalog's transaction. */
  apply(index: number, entry: Entry): void {
    const of = this.#statements;
    switch (entry.type) {
      case "relationship.ended":
        of.end.run(entry.subject, entry.ended);
        break;
      case "relationship.reopened":
        of.reopen.run(entry.subject);
        of.returned.run(entry.subject);
        break;
      case "hold.placed":
        of.hold.run(entry.subject, entry.case, entry.commitment, entry.time, index);
        for (const { key, versionId } of entry.objects) of.held.run(key, versionId);
        this.#stillThere(entry);
        break;
      case "lock.extended":
        this.#stillThere(entry);
        break;
      case "hold.released":
        of.release.run(entry.subject, entry.case);
        if (this.holds(entry.subject).length === 0)
          for (const folder of foldersOf(entry.subject)) of.unheld.run(...within(folder));
        break;
      case "purge.begun":
        for (const key of entry.keys) of.purging.run(key, entry.subject, entry.time, entry.run);
        break;
      case "purge.withdrawn":
        for (const key of entry.keys) of.withdrawn.run(key);
        break;
      case "record.purged":
        this.#purged(entry);
        break;
      case "record.stored":
        // Somebody who came back.
        of.returned.run(entry.subject);
        // What is stored again is there, whatever a purge took before, also one that was stopped.
        for (const { key } of [entry.object, ...entry.files.filter(({ storedWith }) => storedWith === undefined)])
          of.restored.run(key);
        of.mended.run(entry.subject);
        break;
      case "record.failed":
        of.failed.run(entry.subject, entry.time, entry.stage, entry.code);
        break;
      case "policy.changed":
        of.policy.run(JSON.stringify(entry.to));
        break;
      case "run.started":
        of.started.run(entry.run, entry.job, comparable(entry.time));
        break;
      case "run.finished":
        of.finished.run(entry.time, entry.outcome, JSON.stringify(entry.counts), entry.run);
        break;
    }
  }

  /** What is held or locked after its purge began was there: an earlier purge.begun excuses its loss no more. */
  #stillThere({ objects, time }: Extract<Entry, { type: "hold.placed" | "lock.extended" }>): void {
    for (const { key } of objects) this.#statements.stillThere.run(key, time);
  }

  /** The subject's tokens go too, once nothing is left of them. */
  #purged({ time, run, subject, objects, whole }: RecordPurged): void {
    const of = this.#statements;
    const begun = new Map(this.unfinishedKeys(subject).map(({ key, since }) => [key, since]));
    for (const { key, due } of objects) {
      of.gone.run(key, subject, due === begun.get(key) ? LOST : DONE, time, run);
      const version = versionOf(key);
      if (version === undefined) {
        of.dropFile.run(key);
        of.dropListings.run(key);
      } else {
        of.dropVersion.run(subject, version);
        of.dropListed.run(version, ...within(fileFolder(subject)));
      }
      of.dropHeld.run(key);
    }
    if (!whole) {
      // Without its newest version, what the provider lists is looked at again: the law may want it after all.
      of.unlisted.run(subject);
      of.newest.run(subject, subject);
      return;
    }
    of.depart.run(subject);
    for (const drop of [of.dropLookups, of.dropSubject, of.mended]) drop.run(subject);
  }

  /** The last day of a subject's relationship; undefined while it lasts. */
  ended(subject: string): string | undefined {
    return (this.#statements.ended.get(subject) as { ended: string } | undefined)?.ended;
  }

  /** Last days of relationships, each once. */
  endings(): string[] {
    return this.#statements.endings.all().map((row) => (row as { ended: string }).ended);
  }

  holds(subject: string): Hold[] {
    return this.#statements.holds.all(subject) as unknown as Hold[];
  }

  /** Subjects under a hold, all or of a case, in their order. */
  heldSubjects(caseToken?: string): string[] {
    return subjects(caseToken === undefined ? this.#statements.heldAll.all() : this.#statements.heldOf.all(caseToken));
  }

  /** Holds that stand: two of one person are two. */
  heldCount(): number {
    return (this.#statements.heldCount.get() as { count: number }).count;
  }

  isHeld(key: string, versionId: string): boolean {
    return this.#statements.isHeld.get(key, versionId) !== undefined;
  }

  /** Subjects of whom a purge began that has not ended. */
  unfinished(): string[] {
    return subjects(this.#statements.unfinished.all());
  }

  /** Subjects of whom something was purged. */
  purgedSubjects(): string[] {
    return subjects(this.#statements.purgedSubjects.all());
  }

  /** Keys of a subject whose purge began and has not ended, and since when (RFC 3339 UTC). */
  unfinishedKeys(subject: string): { key: string; since: string }[] {
    return this.#statements.unfinishedKeys.all(subject) as { key: string; since: string }[];
  }

  /** Whether an object may be gone: its purge began, or has ended. */
  purge(key: string): "begun" | "done" | undefined {
    const row = this.#statements.purge.get(key) as { done: number } | undefined;
    return row && (row.done > 0 ? "done" : "begun");
  }

  /** When an object was purged that has not been stored again (RFC 3339 UTC). */
  purgedAt(key: string): string | undefined {
    return (this.#statements.purgedAt.get(key) as { time: string } | undefined)?.time;
  }

  /** Versions of a subject that were purged, or are being purged. */
  purgedVersions(subject: string): string[] {
    const rows = this.#statements.purgedOf.all(...within(recordFolder(subject))) as { key: string }[];
    return rows.flatMap(({ key }) => versionOf(key) ?? []);
  }

  /** Whether an object was purged by a purge that ended: what a stopped one took before it was withdrawn is wanted. */
  isPast(key: string): boolean {
    return this.#statements.isPast.get(key) !== undefined;
  }

  /** Keys of a subject's files that are past in this sense. */
  purgedFiles(subject: string): string[] {
    return this.#statements.purgedFiles.all(...within(fileFolder(subject))).map((row) => (row as { key: string }).key);
  }

  /**
   * Whether all of a subject was purged; of what the list says of them now, whether it is not to be taken again: the
   * relationship has not been reopened, or the provider has nothing newer.
   */
  hasDeparted(subject: string, listed?: string): boolean {
    const row = this.#statements.departed.get(subject) as { listed: string | null; ended: string | null } | undefined;
    if (row === undefined) return false;
    return listed === undefined || row.ended !== null || row.listed === listed;
  }

  departedCount(): number {
    return (this.#statements.departedCount.get() as { count: number }).count;
  }

  noteDeparted(subject: string, listed: string): void {
    this.#statements.noteDeparted.run(listed, subject);
  }

  /** The policy that the log has last; undefined where it has none. */
  policy(): Policy | undefined {
    const row = this.#statements.lastPolicy.get() as { policy: string } | undefined;
    return row && (JSON.parse(row.policy) as Policy);
  }

  /** Runs that began at a time or later (RFC 3339 UTC), in their order. */
  runs(since: string): RunTold[] {
    return (
      this.#statements.runs.all(comparable(since)) as unknown as (Omit<RunTold, "counts"> & { counts: string | null })[]
    ).map((row) => ({ ...row, counts: JSON.parse(row.counts ?? "{}") as Record<string, number> }));
  }

  /** When the last object of a subject was destroyed, and by which run; undefined where none was. */
  destroyed(subject: string): { time: string; run: string } | undefined {
    return this.#statements.lastPurged.get(subject) as { time: string; run: string } | undefined;
  }

  /** Subjects whose last attempt failed. */
  failures(): { subject: string; time: string; stage: string; code: string }[] {
    return this.#statements.failures.all() as unknown as ReturnType<Life["failures"]>;
  }
}

/** Of a purge in the catalog: it ended; or it was stopped, and withdrawn after it had taken this. */
const DONE = 1;
const LOST = 2;

const subjects = (rows: unknown[]): string[] => rows.map((row) => (row as { subject: string }).subject);

function versionOf(key: string): string | undefined {
  const name = parseKey(key);
  return name?.kind === "record" ? name.version : undefined;
}

function prepare(db: DatabaseSync) {
  const of = (sql: string) => statement(db, sql);
  return {
    end: of("INSERT OR REPLACE INTO relationship VALUES (?, ?)"),
    reopen: of("DELETE FROM relationship WHERE subject = ?"),
    ended: of("SELECT ended FROM relationship WHERE subject = ?"),
    endings: of("SELECT DISTINCT ended FROM relationship ORDER BY ended"),
    hold: of("INSERT OR IGNORE INTO hold VALUES (?, ?, ?, ?, ?)"),
    held: of("INSERT OR IGNORE INTO held VALUES (?, ?)"),
    release: of("DELETE FROM hold WHERE subject = ? AND case_token = ?"),
    unheld: of("DELETE FROM held WHERE key BETWEEN ? AND ?"),
    dropHeld: of("DELETE FROM held WHERE key = ?"),
    holds: of("SELECT case_token AS 'case', commitment, placed FROM hold WHERE subject = ? ORDER BY entry"),
    heldCount: of("SELECT COUNT(*) AS count FROM hold"),
    heldAll: of("SELECT DISTINCT subject FROM hold ORDER BY subject"),
    heldOf: of("SELECT subject FROM hold WHERE case_token = ? ORDER BY subject"),
    isHeld: of("SELECT 1 FROM held WHERE key = ? AND object_version = ?"),
    purging: of("INSERT OR REPLACE INTO purged VALUES (?, ?, 0, ?, ?)"),
    withdrawn: of("DELETE FROM purged WHERE key = ? AND done = 0"),
    stillThere: of("DELETE FROM purged WHERE key = ? AND done = 0 AND time < ?"),
    gone: of("INSERT OR REPLACE INTO purged VALUES (?, ?, ?, ?, ?)"),
    restored: of("DELETE FROM purged WHERE key = ?"),
    purgedOf: of("SELECT key FROM purged WHERE key BETWEEN ? AND ?"),
    purge: of("SELECT done FROM purged WHERE key = ?"),
    purgedAt: of("SELECT time FROM purged WHERE key = ? AND done > 0"),
    isPast: of(`SELECT 1 FROM purged WHERE key = ? AND done = ${DONE}`),
    purgedFiles: of(`SELECT key FROM purged WHERE done = ${DONE} AND key BETWEEN ? AND ?`),
    unfinished: of("SELECT DISTINCT subject FROM purged WHERE done = 0 ORDER BY subject"),
    purgedSubjects: of("SELECT DISTINCT subject FROM purged WHERE done > 0 ORDER BY subject"),
    lastPurged: of("SELECT time, run FROM purged WHERE subject = ? AND done > 0 ORDER BY time DESC LIMIT 1"),
    unfinishedKeys: of("SELECT key, time AS since FROM purged WHERE done = 0 AND subject = ? ORDER BY key"),
    dropFile: of("DELETE FROM file WHERE key = ?"),
    dropListings: of("DELETE FROM listing WHERE key = ?"),
    dropListed: of("DELETE FROM listing WHERE version = ? AND key BETWEEN ? AND ?"),
    dropVersion: of("DELETE FROM version WHERE subject = ? AND version = ?"),
    unlisted: of(
      `UPDATE subject SET listed = NULL WHERE subject = ? AND NOT EXISTS (
         SELECT 1 FROM version WHERE subject.subject = version.subject AND subject.version = version.version)`,
    ),
    // Where no version is left (files are), the subject keeps the name of its last one.
    newest: of(
      `UPDATE subject SET (version, entry, withheld) =
         (SELECT version, entry, withheld FROM version WHERE subject = ?1 ORDER BY entry DESC LIMIT 1)
       WHERE subject = ?2 AND EXISTS (SELECT 1 FROM version WHERE subject = ?2)
         AND NOT EXISTS (SELECT 1 FROM version WHERE subject.subject = version.subject
           AND subject.version = version.version)`,
    ),
    dropLookups: of("DELETE FROM lookup WHERE subject = ?"),
    dropSubject: of("DELETE FROM subject WHERE subject = ?"),
    depart: of(
      "INSERT OR REPLACE INTO departed SELECT subject, COALESCE(listed, version) FROM subject WHERE subject = ?",
    ),
    departed: of(
      "SELECT listed, ended FROM departed LEFT JOIN relationship USING (subject) WHERE departed.subject = ?",
    ),
    departedCount: of("SELECT COUNT(*) AS count FROM departed"),
    noteDeparted: of("UPDATE departed SET listed = ? WHERE subject = ?"),
    returned: of("DELETE FROM departed WHERE subject = ?"),
    mended: of("DELETE FROM failure WHERE subject = ?"),
    failed: of("INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?)"),
    failures: of("SELECT subject, time, stage, code FROM failure ORDER BY subject"),
    policy: of("INSERT OR REPLACE INTO policy VALUES (0, ?)"),
    lastPolicy: of("SELECT policy FROM policy"),
    started: of("INSERT OR REPLACE INTO run (run, job, started) VALUES (?, ?, ?)"),
    finished: of("UPDATE run SET finished = ?, outcome = ?, counts = ? WHERE run = ?"),
    runs: of(
      "SELECT run, job, started || 'Z' AS started, finished, outcome, counts FROM run WHERE started >= ? ORDER BY run.started",
    ),
  };
}
