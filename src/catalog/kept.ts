import type { DatabaseSync } from "node:sqlite";
import type { StoredFile } from "../audit/entry.ts";
import { fileFolder } from "../vault/layout.ts";
import { within } from "./keys.ts";
import { column, statement } from "./statement.ts";

/** A sealed record, as the log describes it. Times are RFC 3339 UTC. */
export interface CatalogRecord {
  readonly version: string;
  readonly versionId: string;
  readonly lockedUntil: string;
  readonly lockMode: "governance" | "compliance";
  readonly updated: string;
  readonly stored: string;
  readonly size: number;
  readonly sha256: string;
}

/** A file the vault holds, as the log describes it; `storedWith` names the version it came with. */
export interface CatalogFile extends StoredFile {
  readonly storedWith: string;
  readonly lockMode: "governance" | "compliance";
}

/** What is kept of a subject: records and files. */
export class Kept {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Sealed records of a subject; `stored` is when. */
  records(subject: string): CatalogRecord[] {
    return this.#statements.records.all(subject) as unknown as CatalogRecord[];
  }

  /** The names of its versions. */
  versions(subject: string): string[] {
    return column(this.#statements.versions.all(subject), "version");
  }

  hasVersion(subject: string, version: string): boolean {
    return this.#statements.hasVersion.get(subject, version) !== undefined;
  }

  /** Versions of a subject, in the order they were stored, each with the last entry that stored it. */
  stored(subject: string): { version: string; entry: number; updated: string }[] {
    return this.#statements.stored.all(subject) as unknown as { version: string; entry: number; updated: string }[];
  }

  /** All files of a subject. */
  files(subject: string): CatalogFile[] {
    return this.#statements.files.all(...within(fileFolder(subject))) as unknown as CatalogFile[];
  }

  file(key: string): CatalogFile | undefined {
    return this.#statements.file.get(key) as CatalogFile | undefined;
  }

  /** Versions of a subject that list its files, by the file's key. */
  listings(subject: string): Map<string, string[]> {
    const rows = this.#statements.listings.all(...within(fileFolder(subject))) as { key: string; version: string }[];
    const groups = Map.groupBy(rows, ({ key }) => key);
    return new Map([...groups].map(([key, of]) => [key, of.map(({ version }) => version)]));
  }
}

const FILE = `SELECT key, object_version AS versionId, size, sha256, type, media_type AS mediaType,
  locked_until || 'Z' AS lockedUntil, lock_mode AS lockMode, version AS storedWith FROM file`;

function prepare(db: DatabaseSync) {
  return {
    records: statement(
      db,
      `SELECT version, object_version AS versionId, locked_until || 'Z' AS lockedUntil, lock_mode AS lockMode,
         updated || 'Z' AS updated, stored || 'Z' AS stored, size, sha256
       FROM version WHERE subject = ? ORDER BY entry`,
    ),
    versions: statement(db, "SELECT version FROM version WHERE subject = ?"),
    hasVersion: statement(db, "SELECT 1 FROM version WHERE subject = ? AND version = ?"),
    stored: statement(
      db,
      "SELECT version, entry, updated || 'Z' AS updated FROM version WHERE subject = ? ORDER BY entry",
    ),
    files: statement(db, `${FILE} WHERE key BETWEEN ? AND ?`),
    file: statement(db, `${FILE} WHERE key = ?`),
    listings: statement(db, "SELECT key, version FROM listing WHERE key BETWEEN ? AND ?"),
  };
}
