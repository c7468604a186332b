import { setTimeout as delay } from "node:timers/promises";
import type { Processor, WorkerOptions } from "bullmq";
import { type IdentityJob, Worker } from "./bullmq.ts";

// Protected methods have no `Parameters`.
type End<T> = [T, IdentityJob, string, (() => boolean)?];

/** A worker that does not renew its hold on a job for this long loses it, in ms. */
export const HOLD = 15_000;
/** How often to look for jobs that lost their worker, in ms. */
const LOOK = 5_000;
/** How often a job may lose its worker in any way: one that every worker is too slow for must end, too. */
const STALLS = 100;
/** Pause between two attempts to tell Redis something, in ms. */
const PAUSE = 200;

/**
 * BullMQ's worker, except that trouble with Redis is no failure of a job. BullMQ fails a job whose end it cannot tell
 * Redis, for any error but a refused connection: a password that was rotated, a replica that became the primary, an
 * answer that took too long.
 */
export class IdentityWorker extends Worker<string, string> {
  constructor(name: string, processor: Processor<string, string>, options: WorkerOptions) {
    super(name, processor, {
      ...options,
      lockDuration: HOLD,
      stalledInterval: LOOK,
      // A job also stalls when an answer of Redis is lost. `crashes.ts` counts the workers that crashed.
      maxStalledCount: STALLS,
    });
    this.on("error", () => {});
  }

  protected override async handleCompleted(...args: End<string>): Promise<IdentityJob> {
    return (await tell(() => super.handleCompleted(...args))) as IdentityJob;
  }

  protected override async handleFailed(...args: End<Error>): Promise<IdentityJob> {
    return (await tell(() => super.handleFailed(...args))) as IdentityJob;
  }
}

/**
 * Tells Redis something about a job, and repeats it while Redis does not take it. Resolves with undefined if the job is
 * not this worker's any more: it has ended, or another worker gets it.
 */
export async function tell<T>(command: () => Promise<T>): Promise<T | undefined> {
  const begun = performance.now();
  for (;;) {
    try {
      return await command();
    } catch (error) {
      if (isAnswer(error) || performance.now() - begun > HOLD) return undefined;
      await delay(PAUSE);
    }
  }
}

/** BullMQ's scripts answer with a number when the job is missing, finished or locked by another worker. */
function isAnswer(error: unknown): boolean {
  return typeof (error as { code?: unknown } | null)?.code === "number";
}
