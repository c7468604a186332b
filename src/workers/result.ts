import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import type { RecordGone, RecordStored, Unlogged } from "../audit/entry.ts";
import { version } from "../audit/entry-fields.ts";
import { writtenSchema } from "../audit/entry-schema.ts";
import type { ClientConfig } from "../config/config.ts";
import { type ErrorCode, HoldfastError } from "../core/error.ts";
import { isBefore } from "../core/timestamp.ts";
import { type Capture, gone, redacted } from "../export/capture.ts";
import type { Candidate } from "../export/plan.ts";
import { firstLock, isPast } from "../retention/first-lock.ts";
import { mediaTypeOf } from "../source/media-type.ts";
import type { BackfillTerms, Task } from "./task.ts";

/** A worker's answer. Workers have no log key: the coordinator logs an answer only if it is plausible. */
export type WorkerResult =
  | { readonly terms: BackfillTerms; readonly capture: Capture }
  | { readonly terms: BackfillTerms; readonly failure: WorkerFailure };

export interface WorkerFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Errors that an identity, or the store's answer for it, can cause. All others are the worker's own problem. */
const REPORTABLE = [
  ...(["source-denied", "source-missing", "source-rejected", "source-unavailable", "source-response"] as const),
  ...(["vault-exists", "vault-conflict", "vault-locked", "vault-rejected", "vault-unavailable"] as const),
  ...(["malformed", "unverified", "internal"] as const),
];
/** Longer texts are cut. The worker's own log has them in full. */
const MAX_TEXT = 500;
/** How much a worker's lock may differ from one set now: results wait for a coordinator, and clocks differ. */
const TOLERANCE = { hours: 24 };
/** Bytes: an age header for one recipient, a nonce and a tag; and the largest object in S3. */
const MIN_SEALED = 200;
const MAX_SEALED = 5 * 1024 ** 4;

/** The name of an endpoint or a field in a provider's documentation. */
const GAP = /^[\x20-\x7e]{1,200}$/;

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const listed = version.optional();
const glance = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .optional();
const line = z
  .string()
  .max(MAX_TEXT)
  .refine((value) => value === plain(value));

/** An entry of one type that could be logged now, without time and run, which the coordinator sets. */
function unlogged<T extends Unlogged<RecordStored> | Unlogged<RecordGone>>(type: T["type"]): z.ZodType<T> {
  return z.custom<T>((value) => {
    if (typeof value !== "object" || value === null || (value as T).type !== type) return false;
    const { success, data } = writtenSchema.safeParse({ ...value, time: "2026-01-01T00:00:00.000Z", run: "" });
    if (!success) return false;
    // The schema drops unknown members at any depth. Refuse them here.
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
    gaps: z.array(z.string().regex(GAP)).max(200),
    glance,
  }),
  z.strictObject({
    kind: z.literal("unchanged"),
    listed,
    content: version.optional(),
    withheld: z.never().optional(),
    glance,
  }),
  z.strictObject({ kind: z.literal("past"), listed }),
  z.strictObject({
    kind: z.literal("gone"),
    entry: unlogged<Unlogged<RecordGone>>("record.gone").optional(),
    listed,
    sure: z.literal(true).optional(),
  }),
]);
const terms = z.record(z.string().max(100), z.string());
export const resultSchema: z.ZodType<WorkerResult> = z.union([
  z.strictObject({ terms, capture }),
  z.strictObject({
    terms,
    failure: z.strictObject({ code: z.enum(REPORTABLE), message: line, hint: line.optional() }),
  }),
]);

/** The result for an error of one identity. Undefined for an error of the worker itself. */
export function failureOf(error: unknown): WorkerFailure | undefined {
  if (!(error instanceof HoldfastError))
    return { code: "internal", message: "a worker hit a bug in Holdfast; see its log" };
  const code = REPORTABLE.find((reportable) => reportable === error.code);
  if (code === undefined) return undefined;
  return { code, message: plain(error.message), ...(error.hint === undefined ? {} : { hint: plain(error.hint) }) };
}

/** Removes characters that control a terminal. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, " ").slice(0, MAX_TEXT);
}

/** What a result is checked against. */
export interface AskedIdentity {
  readonly candidate: Candidate;
  readonly kept: Task["kept"];
  readonly config: ClientConfig;
  readonly now: Temporal.Instant;
}

/**
 * Refuses a capture that this task and config cannot produce: anyone with the lookup key can forge one. It cannot check
 * that the record holds what the provider said. Throws `malformed`.
 */
export function refuseUnfit(capture: Capture, asked: AskedIdentity): void {
  const wrong = misfit(capture, asked);
  if (wrong === undefined) return;
  throw new HoldfastError("malformed", `a worker's result does not match its task: ${wrong}`, {
    hint: "Nothing was logged for it. If all workers run this version of Holdfast, someone controls a worker or has its lookup key: see docs/THREATS.md.",
  });
}

/**
 * Whether a matching capture is too old to log: it was made for an earlier coordinator, and its lock is nearer its end.
 */
export function isStale(capture: Capture, { kept, config, now }: AskedIdentity): boolean {
  if (!("entry" in capture) || capture.entry?.type !== "record.stored") return false;
  const { updated, lockedUntil } = capture.entry;
  const lock = firstLock(config, { updated, ended: kept.ended }, now);
  return isBefore(Temporal.Instant.from(lockedUntil), lock.until.subtract(TOLERANCE));
}

function misfit(capture: Capture, asked: AskedIdentity): string | undefined {
  const { candidate, kept, config, now } = asked;
  // Workers are given no lists of ids.
  if (capture.kind === "notFound") return "what is not found";
  if (capture.kind === "gone") {
    const { sure: _, ...told } = capture;
    const { entry, listed } = told;
    const said = entry ? entry.redacted : listed;
    const reason = entry?.reason ?? (said === undefined ? "deleted" : "redacted");
    if (reason === "unlisted" || (reason === "redacted") !== (said !== undefined)) return "the reason why it is gone";
    if (reason === "redacted" && (!kept.hadContent || said !== (candidate.listed ?? said)))
      return "the redacted version";
    const { subject } = candidate;
    const same = said === undefined ? gone(subject, kept, reason) : redacted(subject, kept, said);
    return isDeepStrictEqual(told, same) ? undefined : "what is gone";
  }
  if ("entry" in capture) {
    if (candidate.listed !== undefined && capture.entry.listed !== candidate.listed) return "what the list said";
    if (capture.entry.source !== undefined || capture.entry.handle !== undefined) return "the source";
  } else if (capture.listed !== undefined && capture.listed !== candidate.listed) return "what the list said";
  if (capture.kind === "unchanged") return kept.versions.length > 0 ? undefined : "unchanged, but nothing is kept";
  if (capture.kind === "past") {
    const canBe = kept.purged.length > 0 || isPast(config, { updated: "1970-01-01T00:00:00Z", ended: kept.ended }, now);
    return canBe ? undefined : "past, but this policy ends no retention period yet";
  }
  if (capture.kind !== (kept.known ? "changed" : "new")) return "new, changed or again";
  return wrongCounts(capture) ?? wrongRecord(capture.entry, asked) ?? wrongFiles(capture.entry, asked);
}

type StoredCapture = Extract<Capture, { entry: Unlogged<RecordStored> }>;

function wrongCounts({ entry, files, bytes, withheld }: StoredCapture): string | undefined {
  const stored = entry.files.filter(({ storedWith }) => storedWith === undefined);
  const sizes = [entry.object, ...stored].map(({ size }) => size);
  if (sizes.some((size) => size < MIN_SEALED || size > MAX_SEALED)) return "the size of an object";
  if (bytes !== sizes.reduce((sum, size) => sum + size, 0)) return "the bytes that were stored";
  return files !== stored.length || withheld !== entry.withheld ? "how many files there are" : undefined;
}

function wrongRecord(
  entry: Unlogged<RecordStored>,
  { candidate, kept, config, now }: AskedIdentity,
): string | undefined {
  const { subject, version, base = version, updated, recipients, lookups } = entry;
  if (subject !== candidate.subject) return "the subject";
  if (entry.moreFiles !== undefined) return "more files";
  if (kept.versions.includes(version) || kept.purged.includes(version)) return "a version that is not new";
  if (![version, base].every((name) => name.startsWith(`${timeOf(updated)}-`))) return "the time of the version";
  if (isPast(config, { updated, ended: kept.ended }, now.subtract(TOLERANCE)))
    return "a version past its retention period";
  if (!isDeepStrictEqual(recipients.toSorted(), [...config.recipients.fingerprints].sort())) return "the recipients";
  const lock = firstLock(config, { updated, ended: kept.ended }, now);
  const until = Temporal.Instant.from(entry.lockedUntil);
  if (entry.lockMode !== lock.mode || until.epochNanoseconds % 1_000_000_000n !== 0n) return "the lock";
  if (isBefore(lock.until.add(TOLERANCE), until)) return "the lock";
  return Object.keys(lookups).every((name) => isLookup(name, lookups, config)) ? undefined : "the lookups";
}

/** `<field>`, or `<field>/<n>` from 2 on without gaps. */
function isLookup(name: string, lookups: object, { lookups: { fields } }: ClientConfig): boolean {
  if (fields.includes(name)) return true;
  const [, field = "", digits] = /^(.+)\/([1-9]\d{0,8})$/.exec(name) ?? [];
  const position = Number(digits);
  if (!fields.includes(field) || !(position >= 2)) return false;
  return Object.hasOwn(lookups, position === 2 ? field : `${field}/${position - 1}`);
}

function wrongFiles(entry: Unlogged<RecordStored>, { kept, config }: AskedIdentity): string | undefined {
  const { files, lockedUntil } = entry;
  if (config.collect !== "full" && (files.length > 0 || entry.withheld > 0)) return "files of a minimal record";
  if (new Set(files.map(({ key }) => key)).size < files.length) return "a file listed twice";
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

/** The time in the form that `Tokens.version` writes. */
function timeOf(updated: string): string {
  try {
    return Temporal.Instant.from(updated).toString({ smallestUnit: "second" }).replace(/[-:]/g, "");
  } catch {
    return "no time";
  }
}
