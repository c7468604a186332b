import { hasCode } from "../core/error.ts";
import { decodeEntry, type Entry, type RecordFiles, type RecordStored } from "./entry.ts";
import type { LogEntry } from "./log.ts";
import { leafHash } from "./merkle.ts";

/** An entry of the journal or of the log, with what it says; null where this version cannot read it. */
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

/** What an entry is the last word on; nothing where the order of several does not matter. */
export function topicOf({ entry }: Said): string[] {
  if (entry === null || entry.type === "record.failed") return [];
  if (entry.type === "policy.changed" || entry.type === "recipients.changed") return [entry.type];
  return "subject" in entry ? [entry.subject] : [];
}

type Purge = Extract<Entry, { type: "purge.begun" | "purge.withdrawn" | "record.purged" }>;

export function isPurge(entry: Entry | null): entry is Purge {
  return entry?.type === "purge.begun" || entry?.type === "purge.withdrawn" || entry?.type === "record.purged";
}

/** What `record.files` and the `record.stored` that it belongs to have in common. */
export function nameOf({ run, subject, version }: RecordStored | RecordFiles): string {
  return `${run} ${subject} ${version}`;
}

/** Objects that an entry says were stored, or locked. */
export function ownKeys({ entry }: Said): string[] {
  if (entry?.type === "lock.extended") return entry.objects.map(({ key }) => key);
  if (entry?.type !== "record.stored" && entry?.type !== "record.files") return [];
  const own = entry.files.filter(({ storedWith }) => storedWith === undefined);
  return [...(entry.type === "record.stored" ? [entry.object] : []), ...own].map(({ key }) => key);
}

/** Files that an entry lists and that an entry before it stored. */
export function listedKeys({ entry }: Said): string[] {
  if (entry?.type !== "record.stored" && entry?.type !== "record.files") return [];
  return entry.files.flatMap(({ key, storedWith }) => (storedWith === undefined ? [] : key));
}
