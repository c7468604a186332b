import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { HoldfastError, hasCode, isTransient } from "../core/error.ts";
import { captureIdentity } from "../export/capture.ts";
import type { Capturing } from "../export/context.ts";
import { errorFields } from "../observe/log.ts";
import { type IdentityJob, WaitingError, Worker } from "./bullmq.ts";
import { namesOf, PREFIX, stageOf } from "./redis-keys.ts";
import { failureOf, type Result } from "./result.ts";
import { difference, keptOf, type Messages, type Task, termsOf } from "./task.ts";

/** A worker that does not renew its hold on a job for so long counts as dead, in ms; and how often that is looked for. */
const HOLD = 15_000;
const LOOK = 5_000;
/** Workers that may die of one identity before it is given up. */
const DEATHS = 3;
/** An end that was there when this worker came is believed after so long, in ms: another backfill may just begin. */
const STALE = 60_000;
/** While Redis is away, how often it is asked whether this worker still has a job, in ms. */
const ASK = 1_000;

export interface WorkerOptions {
  readonly redis: Redis;
  readonly messages: Messages;
  /** All that one capture needs but what comes with its task. */
  readonly parts: Omit<Capturing, "project" | "again">;
  readonly signal: AbortSignal;
  readonly onDone: (tally: WorkerTally) => void;
}

export type WorkerTally = { -readonly [K in "new" | "changed" | "unchanged" | "gone" | "failed" | "bytes"]: number };

/**
 * Fetches, seals and stores what the coordinator gives out, until the backfill ends or the signal says so; then what is
 * under way is finished first. Throws what is wrong with this worker itself, after giving back what it held.
 */
export async function work({ redis, messages, parts, signal, onDone }: WorkerOptions): Promise<WorkerTally> {
  const names = namesOf(parts.config.id);
  const terms = termsOf(parts.config);
  const tally: WorkerTally = { new: 0, changed: 0, unchanged: 0, gone: 0, failed: 0, bytes: 0 };
  const ending = Promise.withResolvers<void>();
  let worked = false;

  const capture = async (job: IdentityJob, token?: string): Promise<string> => {
    // One that no coordinator of this client wrote fails, and this worker goes on.
    const task = messages.openTask(job.id!, job.data);
    if (!job.id!.startsWith(`${parts.tokens.subject(parts.source.kind, task.id)}.`))
      throw new HoldfastError("malformed", "a task names another identity than its job");
    try {
      const differs = difference(terms, task.terms);
      if (differs) throw unlike(differs);
      const result = await resultOf(job, token ?? "", task);
      worked = true;
      count(tally, result);
      onDone(tally);
      return messages.closeResult(job.id!, result);
    } catch (error) {
      // It was given to another worker meanwhile. What was stored here stays beside what that one stores.
      if (hasCode(error, "busy")) throw error;
      // It is another worker's, as if this one had never had it.
      ending.reject(error);
      await job.moveToWait(token);
      throw new WaitingError();
    }
  };
  const resultOf = async (job: IdentityJob, token: string, task: Task): Promise<Result> => {
    const { project, kept, id, listed } = task;
    const subject = parts.tokens.subject(parts.source.kind, id);
    const holds = async (): Promise<void> => {
      await parts.holds();
      await refuseLost(job, token, signal);
    };
    try {
      const capturing = { ...parts, project, holds, again: false };
      return { terms, capture: await captureIdentity(capturing, { id, subject, listed }, keptOf(kept)) };
    } catch (error: unknown) {
      // Not tried again, because this worker was told to stop.
      if (signal.aborted && isTransient(error)) throw error;
      const failure = failureOf(error);
      // What is wrong with this worker is not wrong with the identity: others may do better.
      if (failure === undefined) throw error;
      if (failure.code === "internal") parts.log.error("a defect in one identity", { subject, ...errorFields(error) });
      return { terms, failure };
    }
  };

  const worker = new Worker<string, string>(names.queue, capture, {
    connection: redis as never,
    prefix: PREFIX,
    concurrency: Math.max(parts.config.source.concurrency, 2) * 2,
    lockDuration: HOLD,
    stalledInterval: LOOK,
    maxStalledCount: DEATHS,
  });
  worker.on("error", () => {});
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
 * Throws `busy` where the job is another worker's by now: this one was held up, or Redis lost it. Two that store the
 * same identity at once would hide each other's objects. While Redis is away nothing is stored.
 */
async function refuseLost(job: IdentityJob, token: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      if ((await job.extendLock(token, HOLD)) === 1) return;
      break;
    } catch {
      if (signal.aborted) throw new HoldfastError("interrupted", "interrupted while Redis was away");
      await delay(ASK, undefined, { signal }).catch(() => {});
    }
  }
  throw new HoldfastError("busy", "another worker has this identity by now");
}

/**
 * Looks for the end of the backfill: of one that was seen to be open or worked for, or one that stood before this
 * worker came and stays.
 */
function watch(redis: Redis, key: string, worked: () => boolean, onEnd: () => void): NodeJS.Timeout {
  const begun = performance.now();
  let open = false;
  return setInterval(() => {
    void stageOf(redis, key).then(
      (stage) => {
        open ||= stage?.is === "open" || worked();
        if (stage?.is === "ended" && (open || performance.now() - begun > STALE)) onEnd();
      },
      () => {},
    );
  }, 1_000);
}

function count(tally: WorkerTally, result: Result): void {
  if ("failure" in result) {
    tally.failed += 1;
    return;
  }
  const { capture } = result;
  tally[capture.kind === "again" || capture.kind === "past" ? "unchanged" : capture.kind] += 1;
  if ("bytes" in capture) tally.bytes += capture.bytes;
}

function unlike(field: string): HoldfastError {
  return new HoldfastError("config", `this worker's config differs from the coordinator's in ${field}`, {
    hint: "Give coordinator and workers the same config.",
  });
}
