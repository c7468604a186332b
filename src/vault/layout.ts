import type { Vault, VersionInfo } from "./vault.ts";
/** The layout of a vault (docs/FORMAT.md). Keys hold no personal data: every name in them is a keyed hash. */
export const VAULT_JSON = "vault.json";
export const CHECKPOINT = "audit/checkpoint";
export const TIMESTAMPS = "audit/timestamp/";
export const LEASE = "lease.json";
/** The object that `doctor` tests the store with. Nothing else reads it. */
export const PROBE = "doctor-probe";

/** Prefixes of sealed records and of files. src/catalog/keys.ts has their layout in SQL. */
export const RECORDS = "records/";
export const FILES = "files/";
/** The prefix of sealed notes: the words of a hold or a retrieval. They are no part of a person's records. */
export const NOTES = "notes/";

export function recordKey(subject: string, version: string): string {
  return `${recordFolder(subject)}${version}.age`;
}

export function fileKey(subject: string, file: string): string {
  return `${fileFolder(subject)}${file}.age`;
}

export function recordFolder(subject: string): string {
  return `${RECORDS}${subject.slice(0, 2)}/${subject}/`;
}

export function fileFolder(subject: string): string {
  return `${FILES}${subject.slice(0, 2)}/${subject}/`;
}

/** The folders that hold all objects of a subject. */
export function foldersOf(subject: string): readonly [records: string, files: string] {
  return [recordFolder(subject), fileFolder(subject)];
}

/** The folder of the sealed notes about a subject. `foldersOf` leaves it out: entries of records cannot name notes. */
export function noteFolder(subject: string): string {
  return `${NOTES}${subject.slice(0, 2)}/${subject}/`;
}

export function noteKey(subject: string, id: string): string {
  return `${noteFolder(subject)}${id}.age`;
}

/** The time stamp of the checkpoint over `size` entries. */
export function timestampKey(size: number): string {
  return `${TIMESTAMPS}${size}.tsr`;
}

/** `path` is the path of a tile or bundle as C2SP tlog-tiles names it: `tile/…`. */
export function auditKey(path: string): string {
  return `audit/${path}`;
}

/** What an object's key says about it. */
export type ObjectKey =
  | { readonly kind: "record"; readonly subject: string; readonly version: string }
  | { readonly kind: "file"; readonly subject: string; readonly file: string };

/** The name of a version (docs/FORMAT.md, section 4). Keys contain it, and so do paths when a bag is opened. */
export const VERSION = /^\d{8}T\d{6}Z-[0-9a-f]{12}$/;
const RECORD = /^records\/([0-9a-f]{2})\/(\1[0-9a-f]{30})\/(\d{8}T\d{6}Z-[0-9a-f]{12})\.age$/;
const FILE = /^files\/([0-9a-f]{2})\/(\1[0-9a-f]{30})\/([0-9a-f]{32})\.age$/;
const NOTE = /^notes\/([0-9a-f]{2})\/(\1[0-9a-f]{30})\/[0-9a-f]{32}\.age$/;

/** The subject in a note's untrusted key. Undefined for anything that `noteKey` does not write. */
export function subjectOfNote(key: string): string | undefined {
  return NOTE.exec(key)?.[2];
}

/** Splits an untrusted key into its parts. Null for anything that `recordKey` and `fileKey` do not write. */
export function parseKey(key: string): ObjectKey | null {
  const record = RECORD.exec(key);
  if (record) return { kind: "record", subject: record[2]!, version: record[3]! };
  const file = FILE.exec(key);
  return file && { kind: "file", subject: file[2]!, file: file[3]! };
}

/** Every version of every object of a subject, including objects that no entry mentions. */
export async function* versionsOf(vault: Vault, subject: string): AsyncGenerator<VersionInfo> {
  for (const folder of foldersOf(subject)) yield* vault.versions(folder);
}

/**
 * The order in which stores list keys: that of their UTF-8 bytes, which is also SQLite's. JavaScript compares UTF-16
 * units, which differs only where a key has characters above U+D7FF. Holdfast's own keys are ASCII.
 */
export function compareKeys(one: string, other: string): number {
  if (one === other) return 0;
  if (HIGH.test(one) || HIGH.test(other)) return Buffer.compare(Buffer.from(one), Buffer.from(other));
  return one < other ? -1 : 1;
}

const HIGH = /[\u{d800}-\u{10ffff}]/u;
