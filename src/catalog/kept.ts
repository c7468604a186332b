import type { DatabaseSync } from "node:sqlite";
import type { StoredFile } from "../audit/entry.ts";
import { fileKey, parseKey } from "../vault/layout.ts";
import { bytesOf, hexOf, instantText, modeText, personOf, versionBytes, versionText, wordText } from "./packing.ts";
import { column, statement } from "./statement.ts";
import type { InVault } from "./subjects.ts";

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

/** All that is kept of a subject. */
export interface Copies {
  readonly records: readonly CatalogRecord[];
  readonly files: readonly CatalogFile[];
  /** Versions that list its files, by the file's key. */
  readonly listings: ReadonlyMap<string, readonly string[]>;
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
    return ofListings(subject, this.#statements.listings.all(subject) as ListingRow[]);
  }

  of(subject: string): Copies {
    const files = this.files(subject);
    return { records: this.records(subject), files, listings: files.length > 0 ? this.listings(subject) : new Map() };
  }

  /** The same of each person of a page, in less than half the time. */
  among(page: readonly InVault[]): (Copies & { readonly subject: string })[] {
    const [first, last] = [page[0]!.person, page.at(-1)!.person];
    const { recordsAmong, filesAmong, listingsAmong } = this.#statements;
    const records = byPerson(recordsAmong.all(first, last) as (CatalogRecord & OfPerson)[]);
    const files = byPerson(filesAmong.all(first, last) as (FileRow & OfPerson)[]);
    const listings = byPerson(listingsAmong.all(first, last) as (ListingRow & OfPerson)[]);
    return page.map(({ person, subject }) => ({
      subject,
      records: records.get(person) ?? [],
      files: (files.get(person) ?? []).map((row) => ofFile(subject, row)),
      listings: ofListings(subject, listings.get(person) ?? []),
    }));
  }
}

interface OfPerson {
  readonly person: number;
}

function byPerson<T extends OfPerson>(rows: readonly T[]): Map<number, T[]> {
  return Map.groupBy(rows, ({ person }) => person);
}

interface ListingRow {
  readonly name: string;
  readonly version: string;
}

function ofListings(subject: string, rows: readonly ListingRow[]): Map<string, string[]> {
  const groups = Map.groupBy(rows, ({ name }) => fileKey(subject, name));
  return new Map([...groups].map(([key, of]) => [key, of.map(({ version }) => version)]));
}

interface FileRow extends Omit<CatalogFile, "key"> {
  readonly name: string;
}

function ofFile(subject: string, { name, ...row }: FileRow): CatalogFile {
  return { key: fileKey(subject, name), ...row };
}

const FILE_COLUMNS = `${hexOf("name")} AS name, object_version AS versionId, size, ${hexOf("sha256")} AS sha256,
  ${wordText("type")} AS type, ${wordText("media_type")} AS mediaType, ${instantText("locked_until")} AS lockedUntil,
  ${modeText("lock_mode")} AS lockMode, ${versionText("version")} AS storedWith`;
const FILE = `SELECT ${FILE_COLUMNS} FROM file WHERE person = ${personOf()}`;
const RECORD_COLUMNS = `${versionText("version")} AS version, object_version AS versionId,
  ${instantText("locked_until")} AS lockedUntil, ${modeText("lock_mode")} AS lockMode,
  ${instantText("updated")} AS updated, ${instantText("stored")} AS stored, size, ${hexOf("sha256")} AS sha256`;
const LISTING_COLUMNS = `${hexOf("name")} AS name, ${versionText("version")} AS version`;
const AMONG = "person BETWEEN ?1 AND ?2";
const VERSIONS = `FROM version WHERE person = ${personOf()}`;

function prepare(db: DatabaseSync) {
  return {
    records: statement(db, `SELECT ${RECORD_COLUMNS} ${VERSIONS} ORDER BY entry`),
    recordsAmong: statement(db, `SELECT person, ${RECORD_COLUMNS} FROM version WHERE ${AMONG} ORDER BY person, entry`),
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
    filesAmong: statement(db, `SELECT person, ${FILE_COLUMNS} FROM file WHERE ${AMONG} ORDER BY person, file.name`),
    file: statement(db, `${FILE} AND file.name = ${bytesOf()}`),
    listings: statement(
      db,
      `SELECT ${LISTING_COLUMNS} FROM (
         SELECT name, version FROM file WHERE person = ${personOf("?1")} AND listed = 1
         UNION SELECT name, version FROM listing WHERE person = ${personOf("?1")}) ORDER BY 1, 2`,
    ),
    listingsAmong: statement(
      db,
      `SELECT person, ${LISTING_COLUMNS} FROM (
         SELECT person, name, version FROM file WHERE ${AMONG} AND listed = 1
         UNION SELECT person, name, version FROM listing WHERE ${AMONG}) ORDER BY person, 2, 3`,
    ),
  };
}
