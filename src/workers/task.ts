import * as z from "zod";
import { day, hex, instant, version } from "../audit/entry-fields.ts";
import type { Known } from "../catalog/subjects.ts";
import type { ClientConfig } from "../config/config.ts";
import type { SourceConfig } from "../config/source-config.ts";
import { HoldfastError } from "../core/error.ts";
import type { Run } from "../export/context.ts";
import type { Kept, KeptFile } from "../export/kept.ts";
import type { Candidate } from "../export/plan.ts";
import { policyOf } from "../retention/policy.ts";
import type { Box } from "../seal/secretbox.ts";
import { parseKey } from "../vault/layout.ts";
import { resultSchema, type WorkerResult } from "./result.ts";

/**
 * A worker's task: one identity and what the vault has of it. It passes through Redis in a closed box bound to its job,
 * so that no one there can read or forge it. Other workers could forge one: they have the key.
 */
export interface Task {
  /** The provider's id. */
  readonly id: string;
  readonly listed?: string | undefined;
  readonly kept: {
    readonly known?: Known | undefined;
    readonly ended?: string | undefined;
    readonly versions: readonly string[];
    readonly purged: readonly string[];
    readonly files: readonly KeptFile[];
    readonly purgedFiles: readonly string[];
    readonly hadContent: boolean;
  };
  readonly project: string;
  /** The coordinator's terms. */
  readonly terms: BackfillTerms;
}

/** Config values that must be the same in all processes of one client, by field name. */
export type BackfillTerms = Readonly<Record<string, string>>;

export function backfillTerms(config: ClientConfig, source: SourceConfig): BackfillTerms {
  const { vault, retention, lookups, minimal } = config;
  return {
    collect: config.collect,
    legalBasis: JSON.stringify(config.legalBasis),
    "minimal.overAge": JSON.stringify(minimal.overAge),
    "source.name": source.name,
    "source.url": `${source.kind} ${source.url}`,
    ...(source.kind === "persona" ? { "source.completed": source.completed } : {}),
    ...(source.kind === "sumsub" ? { "source.aml": String(source.aml) } : {}),
    ...(source.kind === "veriff" ? { "source.integrationKey": source.integrationKey } : {}),
    recipients: JSON.stringify([...config.recipients.fingerprints].sort()),
    "vault.lock": vault.lock,
    "lookups.fields": JSON.stringify(lookups.fields),
    retention: JSON.stringify(policyOf(retention)),
  };
}

/** The first field that differs, or undefined. */
export function firstDifference(mine: BackfillTerms, theirs: BackfillTerms): string | undefined {
  return Object.keys({ ...mine, ...theirs }).find((name) => mine[name] !== theirs[name]);
}

/** A job's name, to which its box is bound. The same identity in the same listed version always has the same name. */
export function jobId({ subject, listed }: Pick<Candidate, "subject" | "listed">): string {
  return `${subject}.${listed ?? "named"}`;
}

/** What the vault has of a subject, for its task. */
export function keptFor({ catalog }: Pick<Run, "catalog">, subject: string): Task["kept"] {
  const known = catalog.subjects.known(subject);
  return {
    known,
    ended: catalog.relationships.ended(subject),
    versions: catalog.kept.versions(subject),
    purged: purgedVersions(catalog, subject),
    // A file whose purge was stopped may be gone, so it is fetched again.
    files: catalog.kept
      .files(subject)
      .filter(({ key }) => catalog.purges.stateOf(key) !== "begun")
      .map(({ lockMode: _, ...file }) => file),
    purgedFiles: known ? catalog.purges.files(subject) : [],
    hadContent: catalog.subjects.hadContent(subject),
  };
}

/** The names of all versions for which `Kept.wasPurged` is true. */
function purgedVersions({ relationships, purges }: Run["catalog"], subject: string): string[] {
  if (!relationships.hasDeparted(subject)) return [];
  const base = relationships.departedBase(subject);
  return [...purges.versions(subject), ...(base === undefined ? [] : [base])];
}

/** The task's data as `Kept`. */
export function keptOf({ known, ended, versions, purged, files, purgedFiles, hadContent }: Task["kept"]): Kept {
  return {
    known,
    ended,
    hasVersion: (version) => versions.includes(version),
    wasPurged: (version) => purged.includes(version),
    hadContent: () => hadContent,
    file: (key) => files.find((file) => file.key === key),
    wasFilePurged: (key) => purgedFiles.includes(key),
  };
}

const count = z.int().min(0);
const fileKey = z.string().refine((value) => parseKey(value)?.kind === "file");
const taskSchema: z.ZodType<Task> = z.object({
  id: z.string().min(1).max(200),
  listed: version.optional(),
  kept: z.object({
    known: z
      .object({
        version,
        listed: version.nullable(),
        gone: z.string().max(40).nullable(),
        withheld: count,
        entry: count,
        missed: count,
        project: hex(32).nullable(),
        content: version.nullable(),
        base: version.nullable(),
        glance: hex(32).nullable(),
        located: z.int().min(0).max(1),
      })
      .optional(),
    ended: day.optional(),
    versions: z.array(version),
    purged: z.array(version),
    files: z.array(
      z.object({
        key: fileKey,
        versionId: z.string().max(1024),
        size: count,
        sha256: hex(64),
        // Earlier versions of Holdfast logged the provider's own words.
        type: z.string(),
        mediaType: z.string(),
        lockedUntil: instant,
        storedWith: version,
      }),
    ),
    purgedFiles: z.array(fileKey),
    hadContent: z.boolean(),
  }),
  project: z.string().max(1000),
  terms: z.record(z.string(), z.string()),
});

/** The longest closed message, in characters: more than a record with very many files needs. */
const MAX_MESSAGE = 32 * 1024 * 1024;

/** Closes and opens the tasks and results of one client. */
export class Messages {
  readonly #box: Box;

  constructor(box: Box) {
    this.#box = box;
  }

  closeTask(job: string, task: Task): string {
    return this.#box.close(JSON.stringify(task), `task ${job}`);
  }

  /** Throws `unverified` if it was not closed with this client's key, `malformed` if it is not a task of this job. */
  openTask(job: string, closed: unknown): Task {
    const task = this.#open(`task ${job}`, closed, taskSchema);
    const subject = job.split(".", 1)[0]!;
    const keys = [...task.kept.files.map(({ key }) => key), ...task.kept.purgedFiles];
    if (job !== jobId({ subject, listed: task.listed }) || keys.some((key) => parseKey(key)?.subject !== subject))
      throw new HoldfastError("malformed", "a task names another identity than its job", { hint });
    return task;
  }

  closeResult(job: string, result: WorkerResult): string {
    return this.#box.close(JSON.stringify(result), `result ${job}`);
  }

  /**
   * Throws `unverified` and `malformed` as `openTask` does. Checks only the form. `refuseUnfit` checks whether this
   * identity can have such a result.
   */
  openResult(job: string, closed: unknown): WorkerResult {
    return this.#open(`result ${job}`, closed, resultSchema);
  }

  #open<T>(context: string, closed: unknown, schema: z.ZodType<T>): T {
    if (typeof closed !== "string" || closed.length > MAX_MESSAGE)
      throw new HoldfastError("malformed", "a message between this client's processes is too long or not a text", {
        hint,
      });
    const text = this.#box.open(closed, context);
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      // No cause: a parser's error may repeat the content.
      const what = context.split(" ", 1)[0];
      throw new HoldfastError("malformed", `this version of Holdfast cannot read a worker's ${what}`, {
        hint,
      });
    }
  }
}

const hint =
  "Run the same version of Holdfast everywhere. If you do already, someone with the lookup key sends forged messages: see docs/THREATS.md.";
