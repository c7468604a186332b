import type { DatabaseSync } from "node:sqlite";
import { fileKey, parseKey, recordKey } from "../vault/layout.ts";
import { bytesOf, hexOf, MODES, personOf, versionBytes } from "./packing.ts";
import { type Statement, statement } from "./statement.ts";
import { instantOf, versionOf } from "./time.ts";

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
    if (name === null) return undefined;
    const { record, file } = this.#statements;
    const row = name.kind === "record" ? record.get(name.subject, name.version) : file.get(name.subject, name.file);
    return row === undefined ? undefined : promised(key, row as ObjectRow);
  }

  /** The store's version of a logged object; undefined for a key that is not in the log. */
  version(key: string): string | undefined {
    return this.get(key)?.versionId;
  }

  /** Sorted by key. */
  records(): Generator<CatalogObject, void, undefined> {
    return pages(this.#statements.records, (subject, digits) => recordKey(subject, versionOf(digits)));
  }

  /** Sorted by key. */
  files(): Generator<CatalogObject, void, undefined> {
    return pages(this.#statements.files, (subject, digits) => fileKey(subject, digits.toLowerCase()));
  }
}

/** A row, with its times in digits. */
interface ObjectRow {
  readonly versionId: string;
  readonly size: number;
  readonly sha256: string;
  readonly locked: string;
  readonly mode: 0 | 1;
  readonly entry: number | null;
  /** Empty without an entry. */
  readonly stored: string;
}

function promised(key: string, { versionId, size, sha256, locked, mode, entry, stored }: ObjectRow): CatalogObject {
  const lock = { lockedUntil: instantOf(locked), lockMode: MODES[mode] };
  return { key, versionId, size, sha256, ...lock, entry, stored: stored === "" ? null : instantOf(stored) };
}

function* pages(
  of: Statement,
  keyOf: (subject: string, name: string) => string,
): Generator<CatalogObject, void, undefined> {
  for (let after = { subject: "", name: "" }; ; ) {
    const rows = of.all(after.subject, after.name) as (ObjectRow & { subject: string; name: string })[];
    for (const row of rows) yield promised(keyOf(row.subject, row.name), row);
    if (rows.length < PAGE) return;
    after = rows.at(-1)!;
  }
}

const columns = (table: "version" | "file"): string => `${table}.object_version AS versionId, ${table}.size,
  ${hexOf(`${table}.sha256`)} AS sha256, hex(${table}.locked_until) AS locked, ${table}.lock_mode AS mode,
  version.entry, hex(version.stored) AS stored`;

const WITH_RECORD = "LEFT JOIN version ON version.person = file.person AND version.version = file.version";

function prepare(db: DatabaseSync) {
  return {
    record: statement(
      db,
      `SELECT ${columns("version")} FROM version WHERE person = ${personOf()} AND version = ${versionBytes()}`,
    ),
    file: statement(
      db,
      `SELECT ${columns("file")} FROM file ${WITH_RECORD} WHERE file.person = ${personOf()} AND name = ${bytesOf()}`,
    ),
    // CROSS JOIN: person by person in the order of subjects, without sorting everyone.
    records: statement(
      db,
      `SELECT ${hexOf("subject")} AS subject, hex(version.version) AS name, ${columns("version")}
       FROM person CROSS JOIN version ON version.person = person.id
       WHERE subject >= ${bytesOf("?1")} AND (subject > ${bytesOf("?1")} OR version.version > ${bytesOf("?2")})
       ORDER BY person.subject, version.version LIMIT ${PAGE}`,
    ),
    files: statement(
      db,
      `SELECT ${hexOf("subject")} AS subject, hex(name) AS name, ${columns("file")}
       FROM person CROSS JOIN file ON file.person = person.id ${WITH_RECORD}
       WHERE subject >= ${bytesOf("?1")} AND (subject > ${bytesOf("?1")} OR file.name > ${bytesOf("?2")})
       ORDER BY person.subject, file.name LIMIT ${PAGE}`,
    ),
  };
}
