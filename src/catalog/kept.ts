import type { DatabaseSync } from "node:sqlite";
import type { StoredFile } from "../audit/entry.ts";
import { fileKey, parseKey } from "../vault/layout.ts";
import { bytesOf, hexOf, instantText, modeText, personOf, versionBytes, versionText, wordText } from "./packing.ts";
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
export class KeptRecords {
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

  /** When the provider last changed the newest version (RFC 3339 UTC). */
  updated(subject: string): string | undefined {
    return (this.#statements.updated.get(subject) as { updated: string } | undefined)?.updated;
  }

  /** All files of a subject. */
  files(subject: string): CatalogFile[] {
    return (this.#statements.files.all(subject) as FileRow[]).map((row) => ofFile(subject, row));
  }

  file(key: string): CatalogFile | undefined {
    const name = parseKey(key);
    if (name?.kind !== "file") return undefined;
    const row = this.#statements.file.get(name.subject, name.file) as FileRow | undefined;
    return row && ofFile(name.subject, row);
  }

  /** Versions of a subject that list its files, by the file's key. */
  listings(subject: string): Map<string, string[]> {
    const rows = this.#statements.listings.all(subject) as { name: string; version: string }[];
    const groups = Map.groupBy(rows, ({ name }) => fileKey(subject, name));
    return new Map([...groups].map(([key, of]) => [key, of.map(({ version }) => version)]));
  }
}

interface FileRow extends Omit<CatalogFile, "key"> {
  readonly name: string;
}

function ofFile(subject: string, { name, ...row }: FileRow): CatalogFile {
  return { key: fileKey(subject, name), ...row };
}

const FILE = `SELECT ${hexOf("name")} AS name, object_version AS versionId, size, ${hexOf("sha256")} AS sha256,
  ${wordText("type")} AS type, ${wordText("media_type")} AS mediaType, ${instantText("locked_until")} AS lockedUntil,
  ${modeText("lock_mode")} AS lockMode, ${versionText("version")} AS storedWith FROM file WHERE person = ${personOf()}`;
const VERSIONS = `FROM version WHERE person = ${personOf()}`;

function prepare(db: DatabaseSync) {
  return {
    records: statement(
      db,
      `SELECT ${versionText("version")} AS version, object_version AS versionId,
         ${instantText("locked_until")} AS lockedUntil, ${modeText("lock_mode")} AS lockMode,
         ${instantText("updated")} AS updated, ${instantText("stored")} AS stored, size, ${hexOf("sha256")} AS sha256
       ${VERSIONS} ORDER BY entry`,
    ),
    versions: statement(db, `SELECT ${versionText("version")} AS version ${VERSIONS}`),
    hasVersion: statement(db, `SELECT 1 ${VERSIONS} AND version = ${versionBytes()}`),
    stored: statement(
      db,
      `SELECT ${versionText("version")} AS version, entry, ${instantText("updated")} AS updated ${VERSIONS}
       ORDER BY entry`,
    ),
    updated: statement(
      db,
      `SELECT ${instantText("updated")} AS updated FROM subject JOIN version USING (person, version)
       WHERE person = ${personOf()}`,
    ),
    files: statement(db, `${FILE} ORDER BY file.name`),
    file: statement(db, `${FILE} AND file.name = ${bytesOf()}`),
    listings: statement(
      db,
      `SELECT ${hexOf("name")} AS name, ${versionText("version")} AS version FROM (
         SELECT name, version FROM file WHERE person = ${personOf("?1")} AND listed = 1
         UNION SELECT name, version FROM listing WHERE person = ${personOf("?1")}) ORDER BY 1, 2`,
    ),
  };
}
