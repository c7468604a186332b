import PQueue from "p-queue";
import type { ClientConfig } from "../config/config.ts";

/** At most `lockRate` locks, and `concurrency` at once. */
export function locksQueue({ vault: { concurrency, lockRate } }: Pick<ClientConfig, "vault">): PQueue {
  return new PQueue({ concurrency, interval: lockRate.per, intervalCap: lockRate.count, strict: true });
}

/**
 * Waits for its turn, which may take long at a low rate. What has begun is finished and counts; "later": the signal came
 * before its turn.
 */
export async function inTurn<T>(queue: PQueue, signal: AbortSignal, work: () => Promise<T>): Promise<T | "later"> {
  let begun: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    begun = work();
    return begun;
  };
  try {
    return await queue.add(begin, { signal });
  } catch (error) {
    if (begun !== undefined) return await begun;
    if (signal.aborted) return "later";
    throw error;
  }
}
