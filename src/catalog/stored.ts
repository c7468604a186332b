import type { DatabaseSync } from "node:sqlite";
import type { Entry, RecordStored, StoredFile } from "../audit/entry.ts";
import { isNote } from "../audit/said.ts";
import { parseKey } from "../vault/layout.ts";
import { statement } from "./statement.ts";
import { comparable } from "./time.ts";

/** Applies what the log says was stored, how long it is locked, and that it is gone at the provider. */
export class Stored {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Within the catalog's transaction. */
  apply(index: number, entry: Entry): void {
    const of = this.#statements;
    // Notes are no part of a person's trail: a bag does not hold them.
    if ("subject" in entry && !isNote(entry)) of.insertMention.run(entry.subject, index);
    if ("subjects" in entry) for (const subject of entry.subjects) of.insertMention.run(subject, index);
    switch (entry.type) {
      case "record.stored":
        this.#store(index, entry);
        break;
      case "record.files":
        of.insertAnnounced.run(entry.subject, entry.run, entry.version, index, JSON.stringify(entry.files));
        break;
      case "lock.extended":
        this.#extend(entry);
        break;
      case "record.gone":
        of.gone.run(entry.reason, entry.redacted ?? null, entry.subject);
        break;
    }
  }

  /** The entry with all its files, including those in earlier `record.files` entries. */
  whole(entry: RecordStored): RecordStored {
    if (entry.moreFiles === undefined) return entry;
    const { run, subject, version } = entry;
    const rows = this.#statements.announced.all(subject, run, version) as { files: string }[];
    return { ...entry, files: [...rows.flatMap(({ files }) => JSON.parse(files) as StoredFile[]), ...entry.files] };
  }

  #store(index: number, entry: RecordStored): void {
    const { subject, version, object, files, lockMode = "governance" } = entry;
    const { insertSubject, insertVersion, insertFile, insertListing, insertLookup } = this.#statements;
    insertSubject.run(
      ...[subject, version, entry.listed ?? version, index, entry.withheld],
      ...[entry.source ?? null, entry.handle ?? null, entry.open ? 1 : 0],
    );
    insertVersion.run(
      ...[subject, version, index, comparable(entry.updated), comparable(entry.time), entry.run],
      ...[object.versionId, object.size, object.sha256],
      ...[comparable(entry.lockedUntil), lockMode, entry.withheld, files.length],
    );
    for (const file of files) {
      if (file.storedWith === undefined) {
        insertFile.run(
          ...[file.key, version, file.versionId, file.size, file.sha256],
          ...[file.type, file.mediaType, comparable(file.lockedUntil), lockMode],
        );
      }
      insertListing.run(file.key, version, file.key);
    }
    // A person may have two document numbers: `document.number` and `document.number/2` are both found by the first
    // name.
    for (const [name, token] of Object.entries(entry.lookups)) insertLookup.run(name.split("/")[0]!, token, subject);
    this.#statements.dropAnnounced.run(subject, entry.run, version);
  }

  #extend({ objects, lockedUntil, lockMode }: Extract<Entry, { type: "lock.extended" }>): void {
    const until = comparable(lockedUntil);
    for (const { key, versionId } of objects) {
      const name = parseKey(key);
      if (name?.kind === "record")
        this.#statements.recordLock.run(until, lockMode, name.subject, name.version, versionId);
      else this.#statements.fileLock.run(until, lockMode, key, versionId);
    }
  }
}

/** No store shortens or softens a lock: of all locks in the log, the longest and hardest counts, in any order. */
const HARDER = "CASE WHEN lock_mode = 'compliance' THEN lock_mode ELSE ? END";

/** An object that is logged again keeps the longest and hardest lock promised for it. */
const SAME_OBJECT = `
  locked_until = CASE WHEN object_version = excluded.object_version
    THEN max(locked_until, excluded.locked_until) ELSE excluded.locked_until END,
  lock_mode = CASE WHEN object_version = excluded.object_version AND lock_mode = 'compliance'
    THEN lock_mode ELSE excluded.lock_mode END,
  object_version = excluded.object_version`;

function prepare(db: DatabaseSync) {
  return {
    insertMention: statement(db, "INSERT OR IGNORE INTO mention VALUES (?, ?)"),
    insertAnnounced: statement(db, "INSERT OR REPLACE INTO announced VALUES (?, ?, ?, ?, ?)"),
    announced: statement(
      db,
      "SELECT files FROM announced WHERE subject = ? AND run = ? AND version = ? ORDER BY entry",
    ),
    dropAnnounced: statement(db, "DELETE FROM announced WHERE subject = ? AND run = ? AND version = ?"),
    gone: statement(db, "UPDATE subject SET gone = ?, listed = ? WHERE subject = ?"),
    recordLock: statement(
      db,
      `UPDATE version SET locked_until = max(locked_until, ?), lock_mode = ${HARDER}
       WHERE subject = ? AND version = ? AND object_version = ?`,
    ),
    fileLock: statement(
      db,
      `UPDATE file SET locked_until = max(locked_until, ?), lock_mode = ${HARDER} WHERE key = ? AND object_version = ?`,
    ),
    insertSubject: statement(
      db,
      `INSERT INTO subject (subject, version, listed, entry, withheld, project, handle, open)
       VALUES (?, ?, ?, ?, ?, (SELECT project FROM source WHERE name = ?), ?, ?)
       ON CONFLICT DO UPDATE SET version = excluded.version, listed = excluded.listed, entry = excluded.entry,
         withheld = excluded.withheld, gone = NULL, missed = 0, open = excluded.open, glance = NULL, content = NULL,
         project = coalesce(excluded.project, project), handle = coalesce(excluded.handle, handle)`,
    ),
    insertVersion: statement(
      db,
      `INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         entry = excluded.entry, updated = excluded.updated, stored = max(stored, excluded.stored), run = excluded.run,
         size = excluded.size, sha256 = excluded.sha256, withheld = excluded.withheld, files = excluded.files,
         ${SAME_OBJECT}`,
    ),
    insertFile: statement(
      db,
      `INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         version = excluded.version, size = excluded.size, sha256 = excluded.sha256, type = excluded.type,
         media_type = excluded.media_type, ${SAME_OBJECT}`,
    ),
    // A file purged in the meantime is not listed by any version.
    insertListing: statement(
      db,
      "INSERT OR IGNORE INTO listing SELECT ?, ? WHERE EXISTS (SELECT 1 FROM file WHERE key = ?)",
    ),
    insertLookup: statement(db, "INSERT OR IGNORE INTO lookup VALUES (?, ?, ?)"),
  };
}
