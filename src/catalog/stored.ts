import type { DatabaseSync } from "node:sqlite";
import type { Entry, RecordStored, StoredFile } from "../audit/entry.ts";
import { isNote } from "../audit/said.ts";
import { parseKey } from "../vault/layout.ts";
import { bytesOf, modeNumber, personOf, projectOf, versionBytes } from "./packing.ts";
import type { Persons } from "./persons.ts";
import { statement } from "./statement.ts";
import { EXTENDED, SAME_OBJECT, StoredFiles } from "./stored-files.ts";
import { digitsOf } from "./time.ts";
import type { Words } from "./words.ts";

/** Applies what the log says was stored, how long it is locked, and that it is gone at the provider. */
export class StoredEntries {
  readonly #statements: ReturnType<typeof prepare>;
  readonly #persons: Persons;
  readonly #words: Words;
  readonly #files: StoredFiles;

  constructor(db: DatabaseSync, words: Words, persons: Persons) {
    this.#statements = prepare(db);
    this.#persons = persons;
    this.#words = words;
    this.#files = new StoredFiles(db, words);
  }

  /** Within the catalog's transaction. */
  apply(index: number, entry: Exclude<Entry, RecordStored>): void {
    const of = this.#statements;
    // Notes are no part of a person's trail: a bag does not hold them.
    const subjects = "subjects" in entry ? entry.subjects : "subject" in entry && !isNote(entry) ? [entry.subject] : [];
    for (const subject of subjects) of.insertMention.run(this.#persons.number(subject).id, index);
    switch (entry.type) {
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

  /** Within the catalog's transaction. Returns whether the log had not mentioned the person before. */
  store(index: number, entry: RecordStored): boolean {
    const { subject, version, object, files, lockMode = "governance" } = entry;
    const of = this.#statements;
    const { id, isNew } = this.#persons.number(subject);
    of.insertMention.run(id, index);
    of.insertSubject.run(
      ...[id, version, entry.listed ?? version, index, entry.withheld],
      ...[entry.source ?? null, entry.handle ?? null, entry.open ? 1 : 0, entry.base ?? null],
    );
    of.insertVersion.run(
      ...[id, version, index, digitsOf(entry.updated), digitsOf(entry.time)],
      ...[object.versionId, object.size, object.sha256],
      ...[digitsOf(entry.lockedUntil), lockMode, entry.withheld, files.length],
    );
    for (const file of files) this.#files.list({ id, isNew, version, lockMode }, file);
    // A person may have two document numbers: `document.number` and `document.number/2` are both found by the first
    // name.
    for (const [name, token] of Object.entries(entry.lookups))
      of.insertLookup.run(id, this.#words.number(name.split("/")[0]!), token);
    if (!isNew) of.dropAnnounced.run(subject, entry.run, version);
    return isNew;
  }

  #extend({ objects, lockedUntil, lockMode }: Extract<Entry, { type: "lock.extended" }>): void {
    const until = digitsOf(lockedUntil);
    for (const { key, versionId } of objects) {
      const name = parseKey(key);
      if (name?.kind === "record")
        this.#statements.recordLock.run(until, lockMode, name.subject, name.version, versionId);
      else if (name) this.#files.extend(name, versionId, until, lockMode);
    }
  }
}

function prepare(db: DatabaseSync) {
  return {
    insertMention: statement(db, "INSERT OR IGNORE INTO mention VALUES (?, ?)"),
    insertAnnounced: statement(db, "INSERT OR REPLACE INTO announced VALUES (?, ?, ?, ?, ?)"),
    announced: statement(
      db,
      "SELECT files FROM announced WHERE subject = ? AND run = ? AND version = ? ORDER BY entry",
    ),
    dropAnnounced: statement(db, "DELETE FROM announced WHERE subject = ? AND run = ? AND version = ?"),
    gone: statement(db, `UPDATE subject SET gone = ?, listed = ${versionBytes()} WHERE person = ${personOf()}`),
    recordLock: statement(
      db,
      `UPDATE version SET ${EXTENDED} WHERE person = ${personOf()} AND version = ${versionBytes()} AND object_version = ?`,
    ),
    insertSubject: statement(
      db,
      `INSERT INTO subject (person, version, listed, entry, withheld, project, handle, open, base)
       VALUES (?, ${versionBytes()}, ${versionBytes()}, ?, ?, ${projectOf()}, ?, ?, ${versionBytes()})
       ON CONFLICT DO UPDATE SET version = excluded.version, listed = excluded.listed, entry = excluded.entry,
         withheld = excluded.withheld, gone = NULL, missed = 0, open = excluded.open, glance = NULL, content = NULL,
         base = excluded.base,
         project = coalesce(excluded.project, project), handle = coalesce(excluded.handle, handle)`,
    ),
    insertVersion: statement(
      db,
      `INSERT INTO version VALUES (?, ${versionBytes()}, ?, ${bytesOf()}, ${bytesOf()}, ?, ?, ${bytesOf()}, ${bytesOf()},
         ${modeNumber()}, ?, ?) ON CONFLICT DO UPDATE SET
         entry = excluded.entry, updated = excluded.updated, stored = max(stored, excluded.stored),
         size = excluded.size, sha256 = excluded.sha256, withheld = excluded.withheld, files = excluded.files,
         ${SAME_OBJECT}`,
    ),
    insertLookup: statement(db, `INSERT OR IGNORE INTO lookup VALUES (?, ?, ${bytesOf()})`),
  };
}
