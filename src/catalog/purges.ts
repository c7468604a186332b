import type { DatabaseSync } from "node:sqlite";
import type { Entry, RecordPurged } from "../audit/entry.ts";
import { fileFolder, parseKey, recordFolder } from "../vault/layout.ts";
import { PurgedObjects, type PurgeRun } from "./destroyed.ts";
import { keysWithin } from "./keys.ts";
import { bytesOf, personOf, versionBytes } from "./packing.ts";
import { column, statement } from "./statement.ts";

/** The state of a purge: it is complete; or it was interrupted, and withdrawn after the object was already gone. */
const DONE = 1;
const LOST = 2;

/** Purges that began, and what they deleted. */
export class Purges {
  readonly #statements: ReturnType<typeof prepare>;
  readonly #destroyed: PurgedObjects;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
    this.#destroyed = new PurgedObjects(db);
  }

  /** Within the catalog's transaction. */
  apply(index: number, entry: Entry): void {
    const of = this.#statements;
    switch (entry.type) {
      case "hold.placed":
      case "lock.extended":
        // The object existed after its purge began, so that purge.begun no longer explains its loss.
        for (const { key } of entry.objects) of.stillThere.run(key, entry.time);
        break;
      case "purge.begun":
        this.#destroyed.noteBegun(entry);
        for (const key of entry.keys) of.purging.run(key, entry.subject, entry.time, entry.run);
        break;
      case "purge.withdrawn":
        for (const key of entry.keys) of.withdrawn.run(key);
        break;
      case "record.purged":
        this.#destroyed.apply(index, entry);
        this.#purged(entry);
        break;
      case "record.stored":
        // An object stored again exists, whatever an earlier purge deleted, complete or not.
        for (const { key } of [entry.object, ...entry.files.filter(({ storedWith }) => storedWith === undefined)])
          of.restored.run(key);
        break;
    }
  }

  /** Deletes the subject's tokens too, if nothing is left of them. */
  #purged({ time, run, subject, objects, whole }: RecordPurged): void {
    const of = this.#statements;
    const begun = new Map(this.unfinishedKeys(subject).map(({ key, since }) => [key, since]));
    for (const { key, due } of objects) {
      of.gone.run(key, subject, due === begun.get(key) ? LOST : DONE, time, run);
      const name = parseKey(key);
      if (name?.kind === "record") {
        of.dropVersion.run(subject, name.version);
        of.dropListed.run(subject, name.version);
        of.dropOwn.run(subject, name.version);
      } else if (name) {
        of.dropFile.run(subject, name.file);
        of.dropListings.run(subject, name.file);
      }
    }
    if (!whole) {
      // Without its newest version, the next export looks at the subject again: the law may require a copy after all.
      of.unlisted.run(subject);
      of.newest.run(subject);
      return;
    }
    for (const drop of [of.dropLookups, of.dropSubject]) drop.run(subject);
  }

  /** Subjects with a purge that began and is not complete. */
  unfinished(): string[] {
    return column(this.#statements.unfinished.all(), "subject");
  }

  /** Keys of a subject whose purge began and is not complete, and since when (RFC 3339 UTC). */
  unfinishedKeys(subject: string): { key: string; since: string }[] {
    return this.#statements.unfinishedKeys.all(subject) as { key: string; since: string }[];
  }

  /** Subjects with purged objects. */
  subjects(): string[] {
    return column(this.#statements.purgedSubjects.all(), "subject");
  }

  /** What each purge destroyed, the last one first. */
  runs(): PurgeRun[] {
    return this.#destroyed.runs();
  }

  /** Whether an object may be gone because its purge began or is complete. */
  stateOf(key: string): "begun" | "done" | undefined {
    const row = this.#statements.purge.get(key) as { done: number } | undefined;
    return row && (row.done > 0 ? "done" : "begun");
  }

  /** When an object was purged, if it was not stored again (RFC 3339 UTC). */
  endedAt(key: string): string | undefined {
    return (this.#statements.purgedAt.get(key) as { time: string } | undefined)?.time;
  }

  /** Versions of a subject that were purged, or are being purged. */
  versions(subject: string): string[] {
    return column(this.#statements.purgedOf.all(...keysWithin(recordFolder(subject))), "key").flatMap((key) => {
      const name = parseKey(key);
      return name?.kind === "record" ? name.version : [];
    });
  }

  /**
   * Whether a complete purge deleted an object. Objects that an interrupted purge deleted before it was withdrawn do
   * not count: they are wanted again.
   */
  isPast(key: string): boolean {
    return this.#statements.isPast.get(key) !== undefined;
  }

  /** Keys of a subject's files for which `isPast` is true. */
  files(subject: string): string[] {
    return column(this.#statements.purgedFiles.all(...keysWithin(fileFolder(subject))), "key");
  }

  /** The runs that destroyed objects of a subject, and when each took the last of its own; in the order of these times. */
  destroyed(subject: string): { time: string; run: string }[] {
    return this.#statements.purgedBy.all(subject) as { time: string; run: string }[];
  }

  /** Whether anything was purged. */
  any(): boolean {
    return this.#statements.anyPurged.get() !== undefined;
  }
}

function prepare(db: DatabaseSync) {
  const of = (sql: string) => statement(db, sql);
  return {
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
    purgedBy: of(
      "SELECT MAX(time) AS time, run FROM purged WHERE subject = ? AND done > 0 GROUP BY run ORDER BY MAX(time), run",
    ),
    anyPurged: of("SELECT 1 FROM purged WHERE done > 0 LIMIT 1"),
    unfinishedKeys: of("SELECT key, time AS since FROM purged WHERE done = 0 AND subject = ? ORDER BY key"),
    dropFile: of(`DELETE FROM file WHERE person = ${personOf()} AND name = ${bytesOf()}`),
    dropListings: of(`DELETE FROM listing WHERE person = ${personOf()} AND name = ${bytesOf()}`),
    dropListed: of(`DELETE FROM listing WHERE person = ${personOf()} AND version = ${versionBytes()}`),
    dropOwn: of(`UPDATE file SET listed = 0 WHERE person = ${personOf()} AND version = ${versionBytes()}`),
    dropVersion: of(`DELETE FROM version WHERE person = ${personOf()} AND version = ${versionBytes()}`),
    unlisted: of(
      `UPDATE subject SET listed = NULL WHERE person = ${personOf()} AND NOT EXISTS (
         SELECT 1 FROM version WHERE subject.person = version.person AND subject.version = version.version)`,
    ),
    // If no version is left (only files), the subject keeps the name of its last one.
    newest: of(
      `UPDATE subject SET base = NULL, (version, entry, withheld) =
         (SELECT version, entry, withheld FROM version WHERE person = subject.person ORDER BY entry DESC LIMIT 1)
       WHERE person = ${personOf()} AND EXISTS (SELECT 1 FROM version WHERE person = subject.person)
         AND NOT EXISTS (SELECT 1 FROM version WHERE subject.person = version.person
           AND subject.version = version.version)`,
    ),
    dropLookups: of(`DELETE FROM lookup WHERE person = ${personOf()}`),
    dropSubject: of(`DELETE FROM subject WHERE person = ${personOf()}`),
  };
}
