import type { DatabaseSync } from "node:sqlite";
import { parseKey, recordKey } from "../vault/layout.ts";
import { subjectOf } from "./keys.ts";
import { statement } from "./statement.ts";

/** A sealed object as the log promises it: by the last entry that stored it and the last one that extended its lock. */
export interface CatalogObject {
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  readonly sha256: string;
  readonly lockedUntil: string;
  readonly lockMode: "governance" | "compliance";
  /** The entry that stored it, and its time (RFC 3339 UTC). Null for a file whose own record was purged first. */
  readonly entry: number | null;
  readonly stored: string | null;
}

/** Rows read at once. No query stays open while they are processed. */
const PAGE = 1_000;

/** Every object that must be in the vault: records and files, without those that were purged. */
export class Objects {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  get(key: string): CatalogObject | undefined {
    const name = parseKey(key);
    if (name?.kind !== "record") return this.#statements.file.get(key) as CatalogObject | undefined;
    const row = this.#statements.record.get(name.subject, name.version) as RecordRow | undefined;
    return row && ofRecord(row);
  }

  /** The store's version of a logged object; undefined for a key that is not in the log. */
  version(key: string): string | undefined {
    const name = parseKey(key);
    const { recordVersion, fileVersion } = this.#statements;
    const row = name?.kind === "record" ? recordVersion.get(name.subject, name.version) : fileVersion.get(key);
    return (row as { versionId: string } | undefined)?.versionId;
  }

  /** Sorted by key. */
  *records(): Generator<CatalogObject, void, undefined> {
    for (let after = { subject: "", version: "" }; ; ) {
      const page = this.#statements.records.all(after.subject, after.version) as RecordRow[];
      for (const row of page) yield ofRecord(row);
      if (page.length < PAGE) return;
      after = page.at(-1)!;
    }
  }

  /** Sorted by key. */
  *files(): Generator<CatalogObject, void, undefined> {
    for (let after = ""; ; ) {
      const page = this.#statements.files.all(after) as CatalogObject[];
      yield* page;
      if (page.length < PAGE) return;
      after = page.at(-1)!.key;
    }
  }
}

interface RecordRow extends Omit<CatalogObject, "key"> {
  readonly subject: string;
  readonly version: string;
}

function ofRecord({ subject, version, ...row }: RecordRow): CatalogObject {
  return { key: recordKey(subject, version), ...row };
}

const RECORD = `SELECT subject, version, object_version AS versionId, size, sha256, locked_until || 'Z' AS lockedUntil,
  lock_mode AS lockMode, entry, stored || 'Z' AS stored FROM version`;

const FILE = `SELECT file.key, file.object_version AS versionId, file.size, file.sha256,
  file.locked_until || 'Z' AS lockedUntil, file.lock_mode AS lockMode, version.entry, version.stored || 'Z' AS stored
  FROM file LEFT JOIN version ON version.subject = ${subjectOf("file.key")} AND version.version = file.version`;

function prepare(db: DatabaseSync) {
  return {
    record: statement(db, `${RECORD} WHERE subject = ? AND version = ?`),
    file: statement(db, `${FILE} WHERE file.key = ?`),
    recordVersion: statement(db, "SELECT object_version AS versionId FROM version WHERE subject = ? AND version = ?"),
    fileVersion: statement(db, "SELECT object_version AS versionId FROM file WHERE key = ?"),
    records: statement(db, `${RECORD} WHERE (subject, version) > (?, ?) ORDER BY subject, version LIMIT ${PAGE}`),
    files: statement(db, `${FILE} WHERE file.key > ? ORDER BY file.key LIMIT ${PAGE}`),
  };
}
