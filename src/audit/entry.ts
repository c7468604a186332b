import { z } from "zod";
import { HoldfastError } from "../core/error.ts";
import * as field from "./entry-fields.ts";
import { MAX_ENTRY } from "./tile.ts";

const { text, count, hex, instant, day, common, isOfSubject } = field;
const OF_SUBJECT = { path: ["key"], message: "an object of another subject or version" };

/**
 * What is done to the vault, one line of JSON each (docs/FORMAT.md, section 8). Nothing personal: people are subjects,
 * errors are codes. Readers keep an entry of a type they do not know and pass over it, so that an older one can check
 * a newer log.
 * @param words what is accepted of words that others choose. Readers accept what earlier versions let through.
 */
function schemaOf(words: {
  readonly fileType: z.ZodString;
  readonly mediaType: z.ZodString;
  readonly own: z.ZodString;
  readonly lookup: z.ZodString;
}) {
  const file = field.storedObject.extend({
    type: words.fileType,
    mediaType: words.mediaType,
    lockedUntil: instant,
    /** The version it was stored with, where that is an earlier one. */
    storedWith: field.version.optional(),
  });
  return z.discriminatedUnion("type", [
    z.object({ type: z.literal("run.started"), ...common, job: words.own, holdfast: text }),
    z.object({
      type: z.literal("run.finished"),
      ...common,
      outcome: z.enum(["done", "partial", "failed", "interrupted"]),
      counts: z.record(text, count),
    }),
    z
      .object({
        type: z.literal("record.stored"),
        ...common,
        subject: hex(32),
        version: field.version,
        updated: instant,
        object: field.storedObject,
        files: z.array(file),
        /** Files of this version in the `record.files` entries before this one, of the same run. */
        moreFiles: count.optional(),
        withheld: count,
        recipients: z.array(hex(16)),
        lockedUntil: instant,
        /** Of the record and of the files stored with it. */
        lockMode: field.lockMode.optional(),
        lookups: z.record(words.lookup, hex(32)),
      })
      .refine(isOfSubject, OF_SUBJECT),
    /** Files of a record that lists more than one entry can hold. It counts once its `record.stored` has followed. */
    z
      .object({
        type: z.literal("record.files"),
        ...common,
        subject: hex(32),
        version: field.version,
        files: z.array(file),
      })
      .refine(isOfSubject, OF_SUBJECT),
    z.object({ type: z.literal("record.failed"), ...common, subject: hex(32), stage: words.own, code: words.own }),
    z.object({
      type: z.literal("record.gone"),
      ...common,
      subject: hex(32),
      reason: z.enum(["deleted", "redacted", "unlisted"]),
      /** The version that the provider offered instead, and that was not kept. */
      redacted: field.version.optional(),
      /** The version that stays; absent if there never was one. */
      kept: field.version.optional(),
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
    z
      .object({
        type: z.literal("lock.extended"),
        ...common,
        subject: hex(32),
        /** What of the subject is locked until then, in this mode or a stronger one. */
        lockedUntil: instant,
        lockMode: field.lockMode,
        objects: z.array(field.objectVersion),
      })
      .refine(isOfSubject, OF_SUBJECT),
    z.object({ type: z.literal("relationship.ended"), ...common, subject: hex(32), ended: day }),
    /** It did not end, or began again: what is left of the copies is kept on. */
    z.object({ type: z.literal("relationship.reopened"), ...common, subject: hex(32) }),
    z
      .object({
        type: z.literal("hold.placed"),
        ...common,
        subject: hex(32),
        /** A keyed token of the case's number, by which it is released. */
        case: hex(32),
        /** To case and reason, under the client's lookup key: the words are wherever the case is kept. */
        commitment: hex(64),
        /** Held since then, every version of them; more than one entry for many, or for what was stored later. */
        objects: z.array(field.objectVersion),
      })
      .refine(isOfSubject, OF_SUBJECT),
    z.object({ type: z.literal("hold.released"), ...common, subject: hex(32), case: hex(32), commitment: hex(64) }),
    z
      .object({
        type: z.literal("purge.begun"),
        ...common,
        subject: hex(32),
        /** From here on these may be gone, until record.purged says that they are. */
        keys: z.array(field.key),
      })
      .refine(isOfSubject, OF_SUBJECT),
    z
      .object({
        type: z.literal("purge.withdrawn"),
        ...common,
        subject: hex(32),
        /** Their purge had begun. They are still there, and are kept after all. */
        keys: z.array(field.key),
      })
      .refine(isOfSubject, OF_SUBJECT),
    z
      .object({
        type: z.literal("record.purged"),
        ...common,
        subject: hex(32),
        /** What was stored, as its own entry said it, and how many versions and delete markers were removed of it. */
        objects: z.array(field.storedObject.extend({ versions: count, due: instant })),
        /** The last day of the relationship, where that started the clock. */
        ended: day.optional(),
        /** Nothing is left of the subject. */
        whole: z.boolean(),
      })
      .refine(isOfSubject, OF_SUBJECT),
    z.object({ type: z.literal("policy.changed"), ...common, from: field.policy.nullable(), to: field.policy }),
    z.object({ type: z.literal("key.changed"), ...common, from: text, to: text }),
    /** The next so many entries are of this run, journaled before a machine was overtaken and logged again now. */
    z.object({ type: z.literal("journal.resumed"), ...common, count }),
    z.object({ type: z.literal("recipients.changed"), ...common, from: z.array(hex(16)), to: z.array(hex(16)) }),
  ]);
}

/** Everything that readers accept. */
const entrySchema = schemaOf({ fileType: z.string(), mediaType: z.string(), own: text, lookup: text });
/** Everything that Holdfast writes: all of it is accepted by `entrySchema`. */
export const writtenSchema = schemaOf({
  fileType: z.string().regex(field.FILE_TYPE),
  mediaType: z.string().regex(field.MEDIA_TYPE),
  own: z.string().regex(field.WORD),
  lookup: z.string().regex(field.LOOKUP),
});

export type Entry = z.output<typeof entrySchema>;
/** An entry that the log does not have yet: who logs it says when and in which run. */
export type Unlogged<T> = T extends unknown ? Omit<T, "time" | "run"> : never;
export type RecordStored = Extract<Entry, { type: "record.stored" }>;
export type RecordFiles = Extract<Entry, { type: "record.files" }>;
export type RetrievalPrepared = Extract<Entry, { type: "retrieval.prepared" }>;
export type RecordPurged = Extract<Entry, { type: "record.purged" }>;
export type PolicyChanged = Extract<Entry, { type: "policy.changed" }>;
export type Policy = PolicyChanged["to"];
export type RecordGone = Extract<Entry, { type: "record.gone" }>;
export type StoredFile = RecordStored["files"][number];
export type RunOutcome = Extract<Entry, { type: "run.finished" }>["outcome"];
/** Types this version writes; others are read as `unknown`. */
const KNOWN: ReadonlySet<string> = new Set(entrySchema.options.map((option) => option.shape.type.value));

/** The bytes that are logged. Throws `log-rejected` for what readers would refuse, or what is too long for the log. */
export function encodeEntry(value: Entry): Uint8Array {
  const { success, data, error } = writtenSchema.safeParse(value);
  if (!success) throw rejected(value.type, `missing or malformed fields: ${fieldsOf(error)}`);
  const line = JSON.stringify(data);
  // Zod drops a member called `__proto__` without a word.
  if (line.length !== JSON.stringify(value).length) throw rejected(value.type, "unknown fields");
  const bytes = new TextEncoder().encode(line);
  if (bytes.length > MAX_ENTRY) throw rejected(value.type, `it has ${bytes.length} bytes, and ${MAX_ENTRY} fit`);
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
  throw new HoldfastError("malformed", `invalid audit entry: missing or malformed fields: ${fieldsOf(result.error)}`);
}

/** The names of the first fields that are wrong, never their values. */
function fieldsOf({ issues }: z.ZodError): string {
  const names = issues.map((issue) => issue.path.join(".") || "type");
  return [...new Set(names)].slice(0, 5).join(", ");
}

function rejected(type: string, why: string): HoldfastError {
  return new HoldfastError("log-rejected", `the audit log cannot hold this ${type} entry: ${why}`);
}
