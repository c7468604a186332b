import * as z from "zod";
import { parseKey, recordKey, subjectOfNote, VERSION } from "../vault/layout.ts";

/** Fields shared by several types of log entries (docs/FORMAT.md, section 8). */
export const text = z.string().max(500);
export const count = z.int().min(0);
export const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
/** Readers calculate with it, so it must be an instant that exists. */
export const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/)
  .refine(existsAsInstant);
/** The last one that exists: an entry with many files says the same for each. */
let lastInstant: string | undefined;
/** A calendar day: a relationship's last day. */
export const day = z
  .string()
  .refine((value) => /^\d{4}-\d\d-\d\d$/.test(value) && exists(() => Temporal.PlainDate.from(value)));
export const version = z.string().regex(VERSION);
export const key = z.string().refine((value) => parseKey(value) !== null);
/** The store's id of an object's version. S3 allows up to 1,024 bytes. */
export const versionId = z.string().max(1024);
export const objectVersion = z.object({ key, versionId });
export const storedObject = z.object({ key, versionId, size: count, sha256: hex(64) });
/** A source's name in the config. */
export const source = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
/** A provider's id, closed under a key derived from the lookup key: base64url. */
export const handle = z.string().regex(/^[A-Za-z0-9_-]{38,2000}$/);
/** A sealed note's key, in an entry of its own: entries about records name no notes. */
const noteKey = z.string().refine((value) => subjectOfNote(value) !== undefined);
export const noteVersion = z.object({ key: noteKey, versionId });
export const storedNote = z.object({ key: noteKey, versionId, size: count, sha256: hex(64) });
export const common = { time: instant, run: text };
/** A retention policy as configured: ISO 8601 durations and what starts them. */
export const policy = z.record(text, z.string().max(100));
export const lockMode = z.enum(["governance", "compliance"]);

/** What a provider may add to the log in clear: a closed pattern that cannot hold text about a person. */
export const FILE_TYPE = /^[a-z][a-z0-9_-]{0,39}$/;
export const MEDIA_TYPE = /^[a-z]{1,20}\/[a-z0-9][a-z0-9.+-]{0,59}$/;
/** Holdfast's own terms: jobs, stages, error codes. */
export const WORD = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** A field of `lookups.fields` in the config. Further values of one field get numbers. */
export const LOOKUP = /^(email|document\.number|metadata(\.[A-Za-z0-9_-]+)+)(\/[1-9]\d{0,5})?$/;

/** Whether every object in an entry belongs to the entry's subject, and its record to the entry's version. */
export function isOfSubject(entry: {
  readonly subject: string;
  readonly version?: string;
  readonly object?: { readonly key: string };
  readonly files?: readonly { readonly key: string }[];
  readonly objects?: readonly { readonly key: string }[];
  readonly keys?: readonly string[];
}): boolean {
  const { subject, version: name = "", object, files = [], objects = [], keys = [] } = entry;
  if (object && object.key !== recordKey(subject, name)) return false;
  const isTheirs = (each: string): boolean => parseKey(each)?.subject === subject;
  const isTheirFile = (each: string): boolean => {
    const parsed = parseKey(each);
    return parsed?.kind === "file" && parsed.subject === subject;
  };
  return (
    files.every((file) => isTheirFile(file.key)) && objects.every((each) => isTheirs(each.key)) && keys.every(isTheirs)
  );
}

/** Whether every note in an entry is about the entry's subject. */
export function isNoteOfSubject(entry: {
  readonly subject: string;
  readonly note?: { readonly key: string };
  readonly notes?: readonly { readonly key: string }[];
}): boolean {
  return [...(entry.note ? [entry.note] : []), ...(entry.notes ?? [])].every(
    ({ key: each }) => subjectOfNote(each) === entry.subject,
  );
}

function existsAsInstant(value: string): boolean {
  if (value === lastInstant) return true;
  if (!exists(() => Temporal.Instant.from(value))) return false;
  lastInstant = value;
  return true;
}

function exists(parse: () => unknown): boolean {
  try {
    return parse() !== undefined;
  } catch {
    return false;
  }
}
