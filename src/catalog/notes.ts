import type { DatabaseSync } from "node:sqlite";
import type { Entry } from "../audit/entry.ts";
import type { CatalogObject } from "./objects.ts";
import { personOf } from "./packing.ts";
import { column, statement } from "./statement.ts";
import { comparableTime } from "./time.ts";

/** A sealed note about a person: the words of a hold or a retrieval. */
export interface CatalogNote extends CatalogObject {
  readonly subject: string;
  /** That of the hold's or retrieval's own entry. */
  readonly commitment: string;
  readonly entry: number;
  readonly stored: string;
  /** `free`: nothing is left of the person, so the note may be gone; `purged`: the log says that it is. */
  readonly state: "kept" | "free" | "purged";
}

/** A hold that was released: the commitment to case and reason, when (RFC 3339 UTC), and for how many people. */
export interface Released {
  readonly commitment: string;
  readonly time: string;
  readonly people: number;
}

/** Rows read at once. No query stays open while they are processed. */
const PAGE = 1_000;

/** The sealed notes that the log names. */
export class Notes {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Within the catalog's transaction. */
  apply(index: number, entry: Entry): void {
    const of = this.#statements;
    switch (entry.type) {
      case "note.stored": {
        const { subject, note, commitment, lockedUntil, lockMode, time } = entry;
        of.store.run(
          ...[note.key, subject, commitment, note.versionId, note.size, note.sha256],
          ...[comparableTime(lockedUntil), lockMode, index, comparableTime(time)],
        );
        break;
      }
      case "note.extended":
        for (const { key, versionId } of entry.notes)
          of.extend.run(comparableTime(entry.lockedUntil), entry.lockMode, key, versionId);
        break;
      case "hold.released":
        of.release.run(entry.time, entry.subject, entry.commitment);
        break;
      case "record.purged":
        if (entry.whole) of.free.run(entry.subject);
        break;
      case "note.purged":
        for (const { key } of entry.notes) of.purge.run(key);
        break;
    }
  }

  get(key: string): CatalogNote | undefined {
    return this.#statements.get.get(key) as CatalogNote | undefined;
  }

  /** The notes of a person of whom something is left, the oldest first. */
  kept(subject: string): CatalogNote[] {
    return this.#statements.kept.all(subject) as unknown as CatalogNote[];
  }

  /** Notes that are not purged and have this commitment, the newest first. */
  committed(commitment: string): CatalogNote[] {
    return this.#statements.committed.all(commitment) as unknown as CatalogNote[];
  }

  /** All that are not purged, in the order of their keys. */
  *all(): Generator<CatalogNote> {
    for (let after = ""; ; ) {
      const page = this.#statements.all.all(after) as unknown as CatalogNote[];
      yield* page;
      if (page.length < PAGE) return;
      after = page.at(-1)!.key;
    }
  }

  /** Of those that are not purged. */
  count(): number {
    return (this.#statements.count.get() as { count: number }).count;
  }

  /** Holds that were released, the last one first, as long as there is a note about it. */
  released(): Released[] {
    return this.#statements.released.all() as unknown as Released[];
  }

  /** Notes of people of whom nothing is left, person by person. */
  free(): CatalogNote[] {
    return this.#statements.allFree.all() as unknown as CatalogNote[];
  }

  /** People with a note whose lock ends before a time (RFC 3339 UTC). */
  lockedShort(time: string): string[] {
    return column(this.#statements.short.all(comparableTime(time)), "subject");
  }
}

const NOTE = `SELECT key, subject, commitment, object_version AS versionId, size, sha256,
  locked_until || 'Z' AS lockedUntil, lock_mode AS lockMode, entry, stored || 'Z' AS stored, state FROM note`;

function prepare(db: DatabaseSync) {
  const of = (sql: string) => statement(db, sql);
  return {
    // Its name is never used again: an entry that is logged again changes nothing. One that was written before a purge
    // and is logged after it finds no subject.
    store: of(
      `INSERT OR IGNORE INTO note VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL,
         CASE WHEN EXISTS (SELECT 1 FROM subject WHERE person = ${personOf("?2")}) THEN 'kept' ELSE 'free' END)`,
    ),
    extend: of(
      `UPDATE note SET locked_until = max(locked_until, ?),
         lock_mode = CASE WHEN lock_mode = 'compliance' THEN lock_mode ELSE ? END
       WHERE key = ? AND object_version = ?`,
    ),
    free: of("UPDATE note SET state = 'free' WHERE subject = ? AND state = 'kept'"),
    purge: of("UPDATE note SET state = 'purged' WHERE key = ?"),
    get: of(`${NOTE} WHERE key = ?`),
    kept: of(`${NOTE} WHERE subject = ? AND state = 'kept' ORDER BY entry`),
    committed: of(`${NOTE} WHERE commitment = ? AND state <> 'purged' ORDER BY entry DESC`),
    all: of(`${NOTE} WHERE state <> 'purged' AND key > ? ORDER BY key LIMIT ${PAGE}`),
    count: of("SELECT COUNT(*) AS count FROM note WHERE state <> 'purged'"),
    release: of("UPDATE note SET released = ? WHERE subject = ? AND commitment = ?"),
    released: of(
      `SELECT commitment, MAX(released) AS time, COUNT(DISTINCT subject) AS people FROM note
       WHERE released IS NOT NULL AND state <> 'purged' GROUP BY commitment ORDER BY time DESC`,
    ),
    allFree: of(`${NOTE} WHERE state = 'free' ORDER BY subject, entry`),
    // By itself, SQLite reads every note in the order of subjects.
    short: of(
      "SELECT DISTINCT subject FROM note INDEXED BY note_lock WHERE state = 'kept' AND locked_until < ? ORDER BY subject",
    ),
  };
}
