import * as z from "zod";
import * as field from "./entry-fields.ts";

const { text, count, hex, instant, day, common, source, handle, isOfSubject, isNoteOfSubject } = field;
const OF_SUBJECT = { path: ["key"], message: "the object belongs to another subject or version" };
const NOTE_OF_SUBJECT = { path: ["key"], message: "the note is about another subject" };

/**
 * Every change to the vault, one line of JSON each (docs/FORMAT.md, section 8). No personal data: people are subjects,
 * errors are codes. Readers keep and skip entries of unknown types, so that an older reader can check a newer log.
 * @param words what to accept for values that others choose. Readers accept what earlier versions wrote.
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
    /** The version it was stored with, if that is an earlier one. */
    storedWith: field.version.optional(),
  });
  return z.discriminatedUnion("type", [
    z.object({ type: z.literal("run.started"), ...common, job: words.own, holdfast: text, source: source.optional() }),
    z.object({
      type: z.literal("run.finished"),
      ...common,
      outcome: z.enum(["done", "partial", "failed", "interrupted"]),
      counts: z.record(text, count),
      /** It looked at everyone it had to: the next run of this source continues from the start of this one. */
      round: z.literal(true).optional(),
      /** It also read the source's list to its end. */
      walked: z.literal(true).optional(),
      /**
       * Where webhooks are received: events that waited when it began, those it settled, those it removed because none can
       * read them, those that wait now, since when.
       */
      inbox: z
        .object({ taken: count, settled: count, dropped: count.optional(), pending: count, oldest: instant.optional() })
        .optional(),
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
        /** How many files of this version are in `record.files` entries before this one, in the same run. */
        moreFiles: count.optional(),
        withheld: count,
        recipients: z.array(hex(16)),
        lockedUntil: instant,
        /** Lock mode of the record and of the files stored with it. */
        lockMode: field.lockMode.optional(),
        lookups: z.record(words.lookup, hex(32)),
        /** The source's name in the config, and the closed provider id. Entries of record/1 have neither. */
        source: source.optional(),
        handle: handle.optional(),
        /** What the provider's list said, if that is not the version itself, as it was in record/1. */
        listed: field.version.optional(),
        /** The version that the same answers are without those that the config may leave out, if that is another one. */
        base: field.version.optional(),
        /** The provider was still working on it, and its list would not tell how that ends. */
        open: z.literal(true).optional(),
      })
      .refine(isOfSubject, OF_SUBJECT),
    /** Files of a record that do not fit in one entry. They count once the record's `record.stored` follows. */
    z
      .object({
        type: z.literal("record.files"),
        ...common,
        subject: hex(32),
        version: field.version,
        files: z.array(file),
      })
      .refine(isOfSubject, OF_SUBJECT),
    z.object({
      type: z.literal("record.failed"),
      ...common,
      subject: hex(32),
      stage: words.own,
      code: words.own,
      source: source.optional(),
      handle: handle.optional(),
    }),
    /** A source that is new to this log, or that now answers for another project of its provider. */
    z.object({
      type: z.literal("source.changed"),
      ...common,
      source,
      kind: words.own,
      /** Keyed token of the project's id. */
      project: hex(32),
    }),
    z.object({
      type: z.literal("record.gone"),
      ...common,
      subject: hex(32),
      reason: z.enum(["deleted", "redacted", "unlisted"]),
      /** The version that the provider returned instead and that was not kept. */
      redacted: field.version.optional(),
      /** The version that stays. Missing if there never was one. */
      kept: field.version.optional(),
      /** When a signed webhook of the provider said so. */
      told: instant.optional(),
    }),
    z.object({
      type: z.literal("retrieval.prepared"),
      ...common,
      /** At most 1,000: a larger retrieval has several entries. */
      subjects: z.array(hex(32)),
      /** How many sealed records and files of these subjects were handed out. */
      records: count,
      files: count,
      /** Commitment to who asked, why, and in which case. The bag and sealed notes hold these texts and the salt. */
      commitment: hex(64),
      /** SHA-256 of the request that a second person approved, and the public key they signed with. */
      request: hex(64).optional(),
      approvedBy: text.optional(),
    }),
    z.object({
      type: z.literal("retrieval.refused"),
      ...common,
      /** Nothing was handed out. At most 1,000, as above. */
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
        /** The subject's objects that are locked until then, in this mode or a stronger one. */
        lockedUntil: instant,
        lockMode: field.lockMode,
        objects: z.array(field.objectVersion),
      })
      .refine(isOfSubject, OF_SUBJECT),
    z.object({ type: z.literal("relationship.ended"), ...common, subject: hex(32), ended: day }),
    /** The relationship did not end, or began again. Copies that still exist are kept. */
    z.object({ type: z.literal("relationship.reopened"), ...common, subject: hex(32) }),
    z
      .object({
        type: z.literal("hold.placed"),
        ...common,
        subject: hex(32),
        /** Keyed token of the case number. The release names it. */
        case: hex(32),
        /**
         * Commitment to case and reason under the client's lookup key. The texts are in a sealed note.
         */
        commitment: hex(64),
        /** Objects on hold, in every version. Many objects, or objects stored later, have further entries. */
        objects: z.array(field.objectVersion),
      })
      .refine(isOfSubject, OF_SUBJECT),
    z.object({ type: z.literal("hold.released"), ...common, subject: hex(32), case: hex(32), commitment: hex(64) }),
    z
      .object({
        type: z.literal("purge.begun"),
        ...common,
        subject: hex(32),
        /** From now on these may be gone; `record.purged` confirms it. */
        keys: z.array(field.key),
        /** SHA-256 of the request that a second person approved, and the public key that they signed it with. */
        request: hex(64).optional(),
        approvedBy: text.optional(),
      })
      .refine(isOfSubject, OF_SUBJECT),
    /** Someone asked for a purge that needs a second person, and nothing was destroyed. */
    z.object({
      type: z.literal("purge.refused"),
      ...common,
      reason: z.enum(["missing", "bad-signature", "not-listed", "expired"]),
      request: hex(64),
      people: count,
    }),
    z
      .object({
        type: z.literal("purge.withdrawn"),
        ...common,
        subject: hex(32),
        /** Their purge had begun, but they still exist and are kept after all. */
        keys: z.array(field.key),
      })
      .refine(isOfSubject, OF_SUBJECT),
    z
      .object({
        type: z.literal("record.purged"),
        ...common,
        subject: hex(32),
        /**
         * The stored objects as in their own entries, and how many versions and delete markers of each were removed.
         */
        objects: z.array(field.storedObject.extend({ versions: count, due: instant })),
        /** The relationship's last day, if that started the retention period. */
        ended: day.optional(),
        /** Whether nothing is left of the subject. */
        whole: z.boolean(),
      })
      .refine(isOfSubject, OF_SUBJECT),
    /** The words of a hold or a retrieval, sealed. The entry with the same commitment says what they are about. */
    z
      .object({
        type: z.literal("note.stored"),
        ...common,
        subject: hex(32),
        note: field.storedNote,
        commitment: hex(64),
        lockedUntil: instant,
        lockMode: field.lockMode,
      })
      .refine(isNoteOfSubject, NOTE_OF_SUBJECT),
    z
      .object({
        type: z.literal("note.extended"),
        ...common,
        subject: hex(32),
        lockedUntil: instant,
        lockMode: field.lockMode,
        notes: z.array(field.noteVersion),
      })
      .refine(isNoteOfSubject, NOTE_OF_SUBJECT),
    /** After a `record.purged` that left nothing of the subject, and how many versions of each note were removed. */
    z
      .object({
        type: z.literal("note.purged"),
        ...common,
        subject: hex(32),
        notes: z.array(field.noteVersion.extend({ versions: count })),
      })
      .refine(isNoteOfSubject, NOTE_OF_SUBJECT),
    z.object({ type: z.literal("policy.changed"), ...common, from: field.policy.nullable(), to: field.policy }),
    z.object({ type: z.literal("key.changed"), ...common, from: text, to: text }),
    /**
     * The next `count` entries are from this run. A machine journaled them before another overtook it, and logs them
     * now.
     */
    z.object({ type: z.literal("journal.resumed"), ...common, count }),
    z.object({ type: z.literal("recipients.changed"), ...common, from: z.array(hex(16)), to: z.array(hex(16)) }),
  ]);
}

/** What readers accept. */
export const entrySchema = schemaOf({ fileType: z.string(), mediaType: z.string(), own: text, lookup: text });
/** What Holdfast writes. `entrySchema` accepts all of it. */
export const writtenSchema = schemaOf({
  fileType: z.string().regex(field.FILE_TYPE),
  mediaType: z.string().regex(field.MEDIA_TYPE),
  own: z.string().regex(field.WORD),
  lookup: z.string().regex(field.LOOKUP),
});
