import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type RecordGone, type RecordStored, type Unlogged, writtenSchema } from "../audit/entry.ts";
import { version } from "../audit/entry-fields.ts";
import type { ClientConfig } from "../config/config.ts";
import { type ErrorCode, HoldfastError } from "../core/error.ts";
import { type Capture, gone } from "../export/capture.ts";
import type { Candidate } from "../export/plan.ts";
import { firstLock, isPast } from "../retention/first-lock.ts";
import { isBefore } from "../retention/instants.ts";
import { mediaTypeOf } from "../source/media-type.ts";
import type { BackfillTerms, Task } from "./task.ts";

/** What a worker answers. It has no log key: what it says is logged only where it could have happened. */
export type Result =
  | { readonly terms: BackfillTerms; readonly capture: Capture }
  | { readonly terms: BackfillTerms; readonly failure: Failure };

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** What an identity or the store's answer to it can bring about. The rest is wrong with the worker itself. */
const REPORTABLE = [
  ...(["source-denied", "source-missing", "source-rejected", "source-unavailable", "source-response"] as const),
  ...(["vault-exists", "vault-conflict", "vault-locked", "vault-rejected", "vault-unavailable"] as const),
  ...(["malformed", "unverified", "internal"] as const),
];
/** What lies past it is said in the worker's own log. */
const MAX_TEXT = 500;
/** A lock that a worker reports may differ by so much from one set now: results wait for a coordinator, clocks differ. */
const TOLERANCE = { hours: 24 };
/** Bytes: an age header for one recipient, a nonce and a tag; the largest object of S3. */
const MIN_SEALED = 200;
const MAX_SEALED = 5 * 1024 ** 4;

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const listed = version.optional();
const line = z
  .string()
  .max(MAX_TEXT)
  .refine((value) => value === plain(value));

/** An entry of one type as it would be logged now, without time and run, which are the coordinator's. */
function unlogged<T extends Unlogged<RecordStored> | Unlogged<RecordGone>>(type: T["type"]): z.ZodType<T> {
  return z.custom<T>((value) => {
    if (typeof value !== "object" || value === null || (value as T).type !== type) return false;
    const { success, data } = writtenSchema.safeParse({ ...value, time: "2026-01-01T00:00:00.000Z", run: "" });
    if (!success) return false;
    // The schema leaves out members that it does not know, at any depth; here they are refused.
    const { time: _, run: __, ...known } = data;
    return isDeepStrictEqual(known, value);
  });
}

const capture: z.ZodType<Capture> = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.enum(["new", "changed", "again"]),
    entry: unlogged<Unlogged<RecordStored>>("record.stored"),
    files: count,
    bytes: count,
    withheld: count,
    listed,
  }),
  z.strictObject({ kind: z.literal("unchanged"), listed }),
  z.strictObject({ kind: z.literal("past"), listed }),
  z.strictObject({ kind: z.literal("gone"), entry: unlogged<Unlogged<RecordGone>>("record.gone").optional() }),
]);
const terms = z.record(z.string().max(100), z.string());
export const resultSchema: z.ZodType<Result> = z.union([
  z.strictObject({ terms, capture }),
  z.strictObject({
    terms,
    failure: z.strictObject({ code: z.enum(REPORTABLE), message: line, hint: line.optional() }),
  }),
]);

/** An error of one identity, as a result; undefined for one that says something of the worker. */
export function failureOf(error: unknown): Failure | undefined {
  if (!(error instanceof HoldfastError))
    return { code: "internal", message: "a worker met a defect; its log says which" };
  const code = REPORTABLE.find((reportable) => reportable === error.code);
  if (code === undefined) return undefined;
  return { code, message: plain(error.message), ...(error.hint === undefined ? {} : { hint: plain(error.hint) }) };
}

/** Without characters that a terminal would act on. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, " ").slice(0, MAX_TEXT);
}

/** What a result is held against. */
export interface Asked {
  readonly candidate: Candidate;
  readonly kept: Task["kept"];
  readonly config: ClientConfig;
  readonly now: Temporal.Instant;
}

/**
 * Refuses a capture that cannot have come of this task under this config: whoever has the lookup key can make one. That
 * the provider said what the record holds cannot be checked. Throws `malformed`.
 */
export function refuseUnfit(capture: Capture, asked: Asked): void {
  const wrong = misfit(capture, asked);
  if (wrong === undefined) return;
  throw new HoldfastError("malformed", `a worker's result does not fit its task: ${wrong}`, {
    hint: "Nothing of it was logged. If workers run this version of Holdfast, one of them was tampered with, or its lookup key was: see docs/THREATS.md.",
  });
}

/** Of one that fits: whether it is too old to be logged. It was made for an earlier coordinator, and its lock ran on. */
export function isStale(capture: Capture, { kept, config, now }: Asked): boolean {
  if (!("entry" in capture) || capture.entry?.type !== "record.stored") return false;
  const { updated, lockedUntil } = capture.entry;
  const lock = firstLock(config, { updated, ended: kept.ended }, now);
  return isBefore(Temporal.Instant.from(lockedUntil), lock.until.subtract(TOLERANCE));
}

function misfit(capture: Capture, asked: Asked): string | undefined {
  const { candidate, kept, config, now } = asked;
  if (capture.kind === "gone") {
    const { reason, redacted } = capture.entry ?? { reason: "deleted" as const };
    if (reason === "unlisted" || (reason === "redacted") !== (redacted !== undefined)) return "why it is gone";
    if (reason === "redacted" && (!kept.hadContent || redacted !== (candidate.listed ?? redacted)))
      return "which version names no one";
    return isDeepStrictEqual(capture, gone(candidate.subject, { known: kept.known }, reason, redacted))
      ? undefined
      : "what is gone";
  }
  if (capture.listed !== undefined && capture.listed !== candidate.listed) return "what the list said";
  if (capture.kind === "unchanged") return kept.versions.length > 0 ? undefined : "unchanged, and nothing is kept";
  if (capture.kind === "past") {
    const canBe = kept.purged.length > 0 || isPast(config, { updated: "1970-01-01T00:00:00Z", ended: kept.ended }, now);
    return canBe ? undefined : "past, and nothing can be by this policy";
  }
  if (capture.kind !== (kept.known ? "changed" : "new")) return "new, changed or again";
  return wrongCounts(capture) ?? wrongRecord(capture.entry, asked) ?? wrongFiles(capture.entry, asked);
}

type Stored = Extract<Capture, { entry: Unlogged<RecordStored> }>;

function wrongCounts({ entry, files, bytes, withheld, listed }: Stored): string | undefined {
  const stored = entry.files.filter(({ storedWith }) => storedWith === undefined);
  const sizes = [entry.object, ...stored].map(({ size }) => size);
  if (sizes.some((size) => size < MIN_SEALED || size > MAX_SEALED)) return "the size of an object";
  if (bytes !== sizes.reduce((sum, size) => sum + size, 0)) return "the bytes that were stored";
  if (files !== stored.length || withheld !== entry.withheld) return "how many files there are";
  return listed === entry.version ? "what the list said" : undefined;
}

function wrongRecord(entry: Unlogged<RecordStored>, { candidate, kept, config, now }: Asked): string | undefined {
  const { subject, version, updated, recipients, lookups } = entry;
  if (subject !== candidate.subject) return "the subject";
  if (entry.moreFiles !== undefined) return "more files";
  if (kept.versions.includes(version) || kept.purged.includes(version)) return "a version that is not new";
  if (!version.startsWith(`${timeOf(updated)}-`)) return "the time of the version";
  if (isPast(config, { updated, ended: kept.ended }, now.subtract(TOLERANCE)))
    return "a version of which the law asks for no copy";
  if (!isDeepStrictEqual(recipients.toSorted(), [...config.recipients.fingerprints].sort())) return "the recipients";
  const lock = firstLock(config, { updated, ended: kept.ended }, now);
  const until = Temporal.Instant.from(entry.lockedUntil);
  if (entry.lockMode !== lock.mode || until.epochNanoseconds % 1_000_000_000n !== 0n) return "the lock";
  if (isBefore(lock.until.add(TOLERANCE), until)) return "the lock";
  return Object.keys(lookups).every((name) => isLookup(name, lookups, config)) ? undefined : "the lookups";
}

/** `<field>`, or `<field>/<n>` from 2 on, each after the one before it. */
function isLookup(name: string, lookups: object, { lookups: { fields } }: ClientConfig): boolean {
  if (fields.includes(name)) return true;
  const [, field = "", digits] = /^(.+)\/([1-9]\d{0,8})$/.exec(name) ?? [];
  const position = Number(digits);
  if (!fields.includes(field) || !(position >= 2)) return false;
  return Object.hasOwn(lookups, position === 2 ? field : `${field}/${position - 1}`);
}

function wrongFiles(entry: Unlogged<RecordStored>, { kept, config }: Asked): string | undefined {
  const { files, lockedUntil } = entry;
  if (config.collect !== "full" && (files.length > 0 || entry.withheld > 0)) return "files of a minimal record";
  if (new Set(files.map(({ key }) => key)).size < files.length) return "one file twice";
  const known = new Map(kept.files.map((file) => [file.key, file]));
  const purged = new Set(kept.purgedFiles);
  for (const { type: _, ...file } of files) {
    const before = known.get(file.key);
    if (file.storedWith === undefined) {
      if (before || purged.has(file.key)) return "a file that is not new";
      if (file.lockedUntil !== lockedUntil) return "the lock of a file";
      continue;
    }
    if (!before) return "a file that is not kept";
    const { type: __, ...as } = before;
    if (!isDeepStrictEqual({ ...file }, { ...as, mediaType: mediaTypeOf(as.mediaType) })) return "a kept file";
  }
  return undefined;
}

/** As `Tokens.version` writes it. */
function timeOf(updated: string): string {
  try {
    return Temporal.Instant.from(updated).toString({ smallestUnit: "second" }).replace(/[-:]/g, "");
  } catch {
    return "no time";
  }
}
