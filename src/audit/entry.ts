import { z } from "zod";
import { HoldfastError } from "../error.ts";
import { MAX_ENTRY } from "./tile.ts";

/**
 * What is done to the vault, one line of JSON each (docs/FORMAT.md). Nothing personal: people are subjects, errors are
 * codes. A type this version does not know is kept and passed over, so that an older reader can check a newer log.
 */
const text = z.string().max(500);
const count = z.int().min(0);
const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/);
/** One that is compared with the clock: it must be a time that exists. */
const lockEnd = instant.refine((value) => {
  try {
    return Temporal.Instant.from(value) !== undefined;
  } catch {
    return false;
  }
});
const common = { time: instant, run: text };

/** Of a calendar: the last day of a relationship. */
const day = z.string().refine((value) => {
  try {
    return /^\d{4}-\d\d-\d\d$/.test(value) && Temporal.PlainDate.from(value) !== undefined;
  } catch {
    return false;
  }
});
/** One version of one object. */
const objectVersion = z.object({ key: text, versionId: text });
/** A policy of retention in its own words: ISO 8601 durations, and what starts them. */
const policy = z.record(text, z.string().max(100));

const storedObject = z.object({ key: text, versionId: text, size: count, sha256: hex(64) });
const storedFile = storedObject.extend({
  type: text,
  mediaType: text,
  lockedUntil: lockEnd,
  /** The version it was stored with, where that is an earlier one. */
  storedWith: text.optional(),
});

export const entrySchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("run.started"), ...common, job: text, holdfast: text }),
  z.object({
    type: z.literal("run.finished"),
    ...common,
    outcome: z.enum(["done", "partial", "failed", "interrupted"]),
    counts: z.record(text, count),
  }),
  z.object({
    type: z.literal("record.stored"),
    ...common,
    subject: hex(32),
    version: text,
    updated: instant,
    object: storedObject,
    files: z.array(storedFile),
    withheld: count,
    recipients: z.array(hex(16)),
    lockedUntil: lockEnd,
    /** Of the record and of the files stored with it. */
    lockMode: z.enum(["governance", "compliance"]).optional(),
    lookups: z.record(text, hex(32)),
  }),
  z.object({ type: z.literal("record.failed"), ...common, subject: hex(32), stage: text, code: text }),
  z.object({
    type: z.literal("record.gone"),
    ...common,
    subject: hex(32),
    reason: z.enum(["deleted", "redacted", "unlisted"]),
    /** The version that the provider offered instead, and that was not kept. */
    redacted: text.optional(),
    /** The version that stays; absent if there never was one. */
    kept: text.optional(),
  }),
  z.object({
    type: z.literal("retrieval.prepared"),
    ...common,
    /** At most a thousand: a larger retrieval has several entries. */
    subjects: z.array(hex(32)),
    /** Sealed records and files of those subjects that were handed out. */
    records: count,
    files: count,
    /** To who asked, why, and in which case: the words are in the bag, with the salt. */
    commitment: hex(64),
    /** SHA-256 of the request that a second person approved, and the public key that they signed it with. */
    request: hex(64).optional(),
    approvedBy: text.optional(),
  }),
  z.object({
    type: z.literal("retrieval.refused"),
    ...common,
    /** Nothing was handed out. At most a thousand, as above. */
    subjects: z.array(hex(32)),
    reason: z.enum(["missing", "bad-signature", "not-listed", "expired"]),
    request: hex(64),
    commitment: hex(64),
  }),
  z.object({
    type: z.literal("lock.extended"),
    ...common,
    subject: hex(32),
    /** What of the subject is locked until then, in this mode or a stronger one. */
    lockedUntil: lockEnd,
    lockMode: z.enum(["governance", "compliance"]),
    objects: z.array(objectVersion),
  }),
  z.object({ type: z.literal("relationship.ended"), ...common, subject: hex(32), ended: day }),
  /** It did not end, or began again: what is left of the copies is kept on. */
  z.object({ type: z.literal("relationship.reopened"), ...common, subject: hex(32) }),
  z.object({
    type: z.literal("hold.placed"),
    ...common,
    subject: hex(32),
    /** A keyed token of the case's number, by which it is released. */
    case: hex(32),
    /** To case and reason, under the client's lookup key: the words are wherever the case is kept. */
    commitment: hex(64),
    /** Held since then, every version of them; more than one entry for many, or for what was stored later. */
    objects: z.array(objectVersion),
  }),
  z.object({ type: z.literal("hold.released"), ...common, subject: hex(32), case: hex(32), commitment: hex(64) }),
  z.object({
    type: z.literal("purge.begun"),
    ...common,
    subject: hex(32),
    /** From here on these may be gone, until record.purged says that they are. */
    keys: z.array(text),
  }),
  z.object({
    type: z.literal("purge.withdrawn"),
    ...common,
    subject: hex(32),
    /** Their purge had begun. They are still there, and are kept after all. */
    keys: z.array(text),
  }),
  z.object({
    type: z.literal("record.purged"),
    ...common,
    subject: hex(32),
    /** What was stored, as its own entry said it, and how many versions and delete markers were removed of it. */
    objects: z.array(storedObject.extend({ versions: count, due: instant })),
    /** The last day of the relationship, where that started the clock. */
    ended: day.optional(),
    /** Nothing is left of the subject. */
    whole: z.boolean(),
  }),
  z.object({ type: z.literal("policy.changed"), ...common, from: policy.nullable(), to: policy }),
  z.object({ type: z.literal("key.changed"), ...common, from: text, to: text }),
  z.object({ type: z.literal("recipients.changed"), ...common, from: z.array(hex(16)), to: z.array(hex(16)) }),
]);

export type Entry = z.output<typeof entrySchema>;
/** An entry that the log does not have yet: who logs it says when and in which run. */
export type Unlogged<T> = T extends unknown ? Omit<T, "time" | "run"> : never;
export type RecordStored = Extract<Entry, { type: "record.stored" }>;
export type RetrievalPrepared = Extract<Entry, { type: "retrieval.prepared" }>;
export type RecordPurged = Extract<Entry, { type: "record.purged" }>;
export type PolicyChanged = Extract<Entry, { type: "policy.changed" }>;
export type Policy = PolicyChanged["to"];
export type RecordGone = Extract<Entry, { type: "record.gone" }>;
export type StoredFile = RecordStored["files"][number];
export type RunOutcome = Extract<Entry, { type: "run.finished" }>["outcome"];
/** Types this version writes; others are read as `unknown`. */
const KNOWN: ReadonlySet<string> = new Set(entrySchema.options.map((option) => option.shape.type.value));

/** The bytes that are logged. Throws `internal` for what is longer than the log can hold. */
export function encodeEntry(value: Entry): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  if (bytes.length > MAX_ENTRY) {
    throw new HoldfastError(
      "internal",
      `an audit entry of ${bytes.length} bytes is longer than ${MAX_ENTRY}: a record with so many files cannot be logged`,
    );
  }
  return bytes;
}

/** Logged bytes, untrusted, to an entry; null for a type this version does not know. Throws `malformed`. */
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
  const fields = result.error.issues.map((issue) => issue.path.join(".") || "type");
  throw new HoldfastError(
    "malformed",
    `an audit entry lacks or misspells: ${[...new Set(fields)].slice(0, 5).join(", ")}`,
  );
}
