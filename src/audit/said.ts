import { hasCode } from "../core/error.ts";
import { decodeEntry, type Entry, type RecordFiles, type RecordStored } from "./entry.ts";
import type { LogEntry } from "./log.ts";
import { leafHash } from "./merkle.ts";

/** An entry of the journal or the log with its parsed content, or null if this version cannot read it. */
export interface Said extends LogEntry {
  readonly entry: Entry | null;
  /** Its leaf hash, hex. */
  readonly leaf: string;
}

export function readSaid({ index, bytes }: LogEntry): Said {
  return { index, bytes, entry: readEntry(bytes), leaf: leafHash(bytes).toString("hex") };
}

function readEntry(bytes: Uint8Array): Entry | null {
  try {
    return decodeEntry(bytes);
  } catch (error) {
    if (hasCode(error, "malformed")) return null;
    throw error;
  }
}

/** The topics on which a later entry overrides this one. Empty if the order does not matter. */
export function topicOf({ entry }: Said): string[] {
  if (entry === null || entry.type === "record.failed") return [];
  if (entry.type === "policy.changed" || entry.type === "recipients.changed") return [entry.type];
  return "subject" in entry ? [entry.subject] : [];
}

type Purge = Extract<Entry, { type: "purge.begun" | "purge.withdrawn" | "record.purged" }>;

export function isPurge(entry: Entry | null): entry is Purge {
  return entry?.type === "purge.begun" || entry?.type === "purge.withdrawn" || entry?.type === "record.purged";
}

export function isNote(entry: Entry | null): entry is Extract<Entry, { type: `note.${string}` }> {
  return entry?.type === "note.stored" || entry?.type === "note.extended" || entry?.type === "note.purged";
}

/** A name shared by `record.files` entries and the `record.stored` that they belong to. */
export function storedName({ run, subject, version }: RecordStored | RecordFiles): string {
  return `${run} ${subject} ${version}`;
}

/** Keys of objects that the entry says were stored or locked. */
export function ownKeys({ entry }: Said): string[] {
  if (entry?.type === "lock.extended") return entry.objects.map(({ key }) => key);
  if (entry?.type !== "record.stored" && entry?.type !== "record.files") return [];
  const own = entry.files.filter(({ storedWith }) => storedWith === undefined);
  return [...(entry.type === "record.stored" ? [entry.object] : []), ...own].map(({ key }) => key);
}

/** Keys of files that the entry lists and an earlier entry stored. */
export function listedKeys({ entry }: Said): string[] {
  if (entry?.type !== "record.stored" && entry?.type !== "record.files") return [];
  return entry.files.flatMap(({ key, storedWith }) => (storedWith === undefined ? [] : key));
}
