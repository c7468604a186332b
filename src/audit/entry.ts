import * as z from "zod";
import { HoldfastError } from "../core/error.ts";
import { common, text } from "./entry-fields.ts";
import { entrySchema, writtenSchema } from "./entry-schema.ts";
import { MAX_ENTRY } from "./tile.ts";

export type Entry = z.output<typeof entrySchema>;
/** An entry before logging: without time and run. */
export type Unlogged<T> = T extends unknown ? Omit<T, "time" | "run"> : never;
export type RecordStored = Extract<Entry, { type: "record.stored" }>;
export type RecordFiles = Extract<Entry, { type: "record.files" }>;
export type RetrievalPrepared = Extract<Entry, { type: "retrieval.prepared" }>;
export type RetrievalRefused = Extract<Entry, { type: "retrieval.refused" }>;
export type PurgeBegun = Extract<Entry, { type: "purge.begun" }>;
export type RecordPurged = Extract<Entry, { type: "record.purged" }>;
export type NoteStored = Extract<Entry, { type: "note.stored" }>;
export type NotePurged = Extract<Entry, { type: "note.purged" }>;
export type PolicyChanged = Extract<Entry, { type: "policy.changed" }>;
export type Policy = PolicyChanged["to"];
export type RecordGone = Extract<Entry, { type: "record.gone" }>;
export type StoredFile = RecordStored["files"][number];
export type RunOutcome = Extract<Entry, { type: "run.finished" }>["outcome"];
/** Types this version knows. Entries of other types decode to null. */
const KNOWN: ReadonlySet<string> = new Set(entrySchema.options.map((option) => option.shape.type.value));

/** Encodes an entry for the log. Throws `log-rejected` for an entry that readers would refuse or that is too long. */
export function encodeEntry(value: Entry): Uint8Array {
  const { success, data, error } = writtenSchema.safeParse(value);
  if (!success) throw rejected(value.type, `missing or malformed fields: ${fieldsOf(error)}`);
  const line = JSON.stringify(data);
  // Zod silently drops a member called `__proto__`.
  if (line.length !== JSON.stringify(value).length) throw rejected(value.type, "unknown fields");
  const bytes = new TextEncoder().encode(line);
  if (bytes.length > MAX_ENTRY) throw rejected(value.type, `it has ${bytes.length} bytes, the limit is ${MAX_ENTRY}`);
  return bytes;
}

/** Parses untrusted bytes of the log. Null for a type this version does not know. Throws `malformed`. */
export function decodeEntry(bytes: Uint8Array): Entry | null {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new HoldfastError("malformed", "an audit entry is not a line of JSON", { cause });
  }
  const result = entrySchema.safeParse(value);
  if (result.success) return result.data;
  const head = z.looseObject({ type: text, ...common }).safeParse(value);
  if (head.success && !KNOWN.has(head.data.type)) return null;
  throw new HoldfastError("malformed", `invalid audit entry: missing or malformed fields: ${fieldsOf(result.error)}`);
}

/** Names of the first invalid fields, never their values. */
function fieldsOf({ issues }: z.ZodError): string {
  const names = issues.map((issue) => issue.path.join(".") || "type");
  return [...new Set(names)].slice(0, 5).join(", ");
}

function rejected(type: string, why: string): HoldfastError {
  return new HoldfastError("log-rejected", `the audit log cannot hold this ${type} entry: ${why}`);
}
