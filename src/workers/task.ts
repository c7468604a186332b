import { entrySchema, type RecordStored, type StoredFile } from "../audit/entry.ts";
import type { Known } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { HoldfastError } from "../error.ts";
import type { Capture } from "../export/capture.ts";
import type { Kept } from "../export/kept.ts";
import type { Candidate } from "../export/plan.ts";
import { policyOf } from "../retention/policy.ts";
import type { Box } from "../seal/box.ts";

/**
 * What coordinator and workers tell each other of one identity. It passes through Redis, which nobody need trust: all
 * of it is closed in a box, bound to its job, so that it can be neither read nor made there.
 */
export interface Task {
  /** The provider's id. */
  readonly id: string;
  readonly listed: string | undefined;
  readonly kept: {
    readonly known: Known | undefined;
    readonly versions: readonly string[];
    readonly purged: readonly string[];
    readonly files: readonly (StoredFile & { storedWith: string })[];
    readonly hadContent: boolean;
  };
  readonly project: string;
  /** What the coordinator exports by. */
  readonly terms: Terms;
  readonly lookFirst: boolean;
}

export type Result =
  | { readonly terms: Terms; readonly capture: Capture }
  | {
      readonly terms: Terms;
      readonly failure: { readonly code: string; readonly message: string; readonly mend?: string | undefined };
    };

/** What must be the same in the configs of all who work for one client, by the name of its field. */
export type Terms = Readonly<Record<string, string>>;

export function termsOf(config: ClientConfig): Terms {
  const { vault, source, retention, lookups, minimal } = config;
  return {
    collect: config.collect,
    legalBasis: JSON.stringify(config.legalBasis),
    "minimal.overAge": JSON.stringify(minimal.overAge),
    "source.url": `${source.kind} ${source.url}`,
    recipients: JSON.stringify([...config.recipients.fingerprints].sort()),
    "vault.lock": vault.lock,
    "lookups.fields": JSON.stringify(lookups.fields),
    retention: JSON.stringify(policyOf(retention)),
  };
}

/** The first field in which they differ; undefined if they agree. */
export function difference(mine: Terms, theirs: Terms): string | undefined {
  return Object.keys({ ...mine, ...theirs }).find((name) => mine[name] !== theirs[name]);
}

/** Names a job, and what its box is bound to. The same identity, listed the same, is the same job for ever. */
export function jobId({ subject, listed }: Pick<Candidate, "subject" | "listed">): string {
  return `${subject}.${listed ?? "named"}`;
}

/** As `Kept`, of what came with the task. */
export function keptOf({ known, versions, purged, files, hadContent }: Task["kept"]): Kept {
  return {
    known,
    hasVersion: (version) => versions.includes(version),
    wasPurged: (version) => purged.includes(version),
    hadContent: () => hadContent,
    file: (key) => files.find((file) => file.key === key),
  };
}

/** Closes tasks and results of one client. */
export class Messages {
  readonly #box: Box;

  constructor(box: Box) {
    this.#box = box;
  }

  closeTask(job: string, task: Task): string {
    return this.#box.close(JSON.stringify(task), `task ${job}`);
  }

  openTask(job: string, closed: unknown): Task {
    return JSON.parse(this.#box.open(String(closed), `task ${job}`)) as Task;
  }

  closeResult(job: string, result: Result): string {
    return this.#box.close(JSON.stringify(result), `result ${job}`);
  }

  /** Throws `unverified` for what no worker of this client wrote, `malformed` for what another version did. */
  openResult(job: string, subject: string, closed: unknown): Result {
    const result = JSON.parse(this.#box.open(String(closed), `result ${job}`)) as Result;
    if ("failure" in result) return result;
    const capture = result.capture;
    if ("entry" in capture && capture.entry) {
      // As it will be logged: a worker of another version must not bring in what the log cannot hold.
      const checked = entrySchema.safeParse({ ...capture.entry, time: "2026-01-01T00:00:00Z", run: "" });
      if (!checked.success || (capture.entry as RecordStored).subject !== subject) {
        throw new HoldfastError("malformed", "a worker's result is not one that this version can log", {
          mend: "Run the same version of Holdfast everywhere.",
        });
      }
    }
    return result;
  }
}
