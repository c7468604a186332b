import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { HoldfastError, hasCode, isTransient } from "../core/error.ts";
import { captureIdentity } from "../export/capture.ts";
import type { Capturing } from "../export/context.ts";
import { errorFields } from "../observe/log.ts";
import { type IdentityJob, WaitingError } from "./bullmq.ts";
import { Crashes } from "./crashes.ts";
import { Exclusion } from "./exclusion.ts";
import { HOLD, IdentityWorker, tell } from "./identity-worker.ts";
import { namesOf, PREFIX, readStage } from "./redis-keys.ts";
import { failureOf, type WorkerResult } from "./result.ts";
import { backfillTerms, firstDifference, keptOf, type Messages, type Task } from "./task.ts";

/** How many workers may crash on one identity before it is skipped. */
const DEATHS = 3;
/**
 * How long to wait before accepting an end that was there when this worker started, in ms: a new backfill may be about
 * to begin.
 */
const STALE = 60_000;
/** While Redis is down, how often to ask whether this worker still has a job, in ms. */
const ASK = 1_000;

export interface WorkerOptions {
  readonly redis: Redis;
  readonly messages: Messages;
  /** Everything that a capture needs, except what comes with its task. */
  readonly parts: Omit<Capturing, "project" | "again">;
  readonly signal: AbortSignal;
  readonly onDone: (tally: WorkerTally) => void;
}

export type WorkerTally = { -readonly [K in "new" | "changed" | "unchanged" | "gone" | "failed" | "bytes"]: number };

/**
 * Fetches, seals and stores the identities that the coordinator hands out, until the backfill finishes or `signal`
 * aborts; finishes current jobs first. Throws errors of this worker itself, after giving its jobs back.
 */
export async function runWorker({ redis, messages, parts, signal, onDone }: WorkerOptions): Promise<WorkerTally> {
  const names = namesOf(parts.config.id, parts.sourceConfig.name);
  const terms = backfillTerms(parts.config, parts.sourceConfig);
  const tally: WorkerTally = { new: 0, changed: 0, unchanged: 0, gone: 0, failed: 0, bytes: 0 };
  const ending = Promise.withResolvers<void>();
  const crashes = new Crashes(redis);
  const jobs = new Exclusion();
  let worked = false;

  const capture = async (job: IdentityJob, token = ""): Promise<string> => {
    // A task that no coordinator of this client wrote fails, and this worker continues.
    const task = messages.openTask(job.id!, job.data);
    if (!job.id!.startsWith(`${parts.tokens.subject(parts.source.kind, task.id)}.`))
      throw new HoldfastError("malformed", "a task names another identity than its job");
    const key = worker.toKey(job.id!);
    if ((await crashes.begin(key, token, 0)) === 0) return jobs.beside(() => work(job, token, task));
    // A worker that had it crashed. Alone, so that another crash shows which of that worker's identities it was.
    return jobs.alone(async () => {
      if ((await crashes.begin(key, token, DEATHS - 1)) >= DEATHS)
        throw new HoldfastError("internal", "every worker that began this identity crashed");
      return work(job, token, task);
    });
  };
  const work = async (job: IdentityJob, token: string, task: Task): Promise<string> => {
    try {
      const differs = firstDifference(terms, task.terms);
      if (differs) throw unlike(differs);
      const result = await resultOf(job, token, task);
      worked = true;
      count(tally, result);
      onDone(tally);
      return messages.closeResult(job.id!, result);
    } catch (error) {
      await crashes.end(worker.toKey(job.id!), token);
      // Another worker has the job by now. Objects stored here stay beside that worker's.
      if (hasCode(error, "busy")) throw error;
      // The job belongs to another worker now, as if this one had never had it.
      ending.reject(error);
      await tell(() => job.moveToWait(token));
      throw new WaitingError();
    }
  };
  const resultOf = async (job: IdentityJob, token: string, task: Task): Promise<WorkerResult> => {
    const { project, kept, id, listed } = task;
    const subject = parts.tokens.subject(parts.source.kind, id);
    const holds = async (): Promise<void> => {
      await parts.holds();
      await refuseLost(job, token, signal);
    };
    try {
      const capturing = { ...parts, project, holds, again: false } as const;
      return { terms, capture: await captureIdentity(capturing, { id, subject, listed, way: "list" }, keptOf(kept)) };
    } catch (error: unknown) {
      // Not retried, because this worker was asked to stop.
      if (signal.aborted && isTransient(error)) throw error;
      const failure = failureOf(error);
      // A problem of this worker is not one of the identity: other workers may succeed.
      if (failure === undefined) throw error;
      if (failure.code === "internal")
        parts.log.error("a bug in Holdfast failed one identity", { subject, ...errorFields(error) });
      return { terms, failure };
    }
  };

  const worker = new IdentityWorker(names.queue, capture, {
    connection: redis as never,
    prefix: PREFIX,
    concurrency: Math.max(parts.sourceConfig.concurrency, 2) * 2,
  });
  const stop = (): void => ending.resolve();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const watching = watch(redis, names.stage, () => worked, ending.resolve);
  try {
    await ending.promise;
  } finally {
    clearInterval(watching);
    await worker.close();
  }
  return tally;
}

/**
 * Throws `busy` if another worker has the job by now, because this one was too slow or Redis lost it. Two workers
 * storing the same identity would hide each other's objects. Nothing is stored while Redis is down.
 */
async function refuseLost(job: IdentityJob, token: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      if ((await job.extendLock(token, HOLD)) === 1) return;
      break;
    } catch {
      if (signal.aborted) throw new HoldfastError("interrupted", "interrupted while Redis was down");
      await delay(ASK, undefined, { signal }).catch(() => {});
    }
  }
  throw new HoldfastError("busy", "another worker has this identity by now");
}

/**
 * Watches for the end of the backfill: of one that this worker saw open or worked for, or an end that was there before
 * this worker and stays.
 */
function watch(redis: Redis, key: string, worked: () => boolean, onEnd: () => void): NodeJS.Timeout {
  const begun = performance.now();
  let open = false;
  return setInterval(() => {
    void readStage(redis, key).then(
      (stage) => {
        open ||= stage?.is === "open" || worked();
        if (stage?.is === "ended" && (open || performance.now() - begun > STALE)) onEnd();
      },
      () => {},
    );
  }, 1_000);
}

function count(tally: WorkerTally, result: WorkerResult): void {
  if ("failure" in result) {
    tally.failed += 1;
    return;
  }
  const { capture } = result;
  // Workers are given no lists of ids.
  if (capture.kind === "notFound") return;
  tally[capture.kind === "again" || capture.kind === "past" ? "unchanged" : capture.kind] += 1;
  if ("bytes" in capture) tally.bytes += capture.bytes;
}

function unlike(field: string): HoldfastError {
  return new HoldfastError("config", `this worker's config differs from the coordinator's in ${field}`, {
    hint: "Give the coordinator and all workers the same config.",
  });
}
