import { setTimeout as delay } from "node:timers/promises";
import pRetry from "p-retry";
import { type HoldfastError, isTransient } from "./error.ts";

export interface RetryPolicy {
  /** Attempts after the first. */
  readonly retries: number;
  /** First pause in ms; it doubles each time, spread by a random factor of 1 to 2. */
  readonly minDelay: number;
  readonly maxDelay: number;
  /** The longest Retry-After that is honoured, in ms. If asked to wait longer, the call fails instead. */
  readonly maxRetryAfter: number;
}

export const defaultRetry: RetryPolicy = { retries: 6, minDelay: 250, maxDelay: 20_000, maxRetryAfter: 300_000 };

/**
 * Runs `work` until it succeeds, fails for good, or the policy is used up. Only transient codes are retried.
 * A pause asked for by the other side (`retryAfter`) is waited out before the backoff: never sooner than asked.
 * An aborted `signal` ends the waiting, not the attempt under way.
 */
export async function retrying<T>(
  work: () => Promise<T>,
  policy: RetryPolicy,
  signal?: AbortSignal,
  onRetry?: (error: HoldfastError) => void,
): Promise<T> {
  return pRetry(work, {
    retries: policy.retries,
    minTimeout: policy.minDelay,
    maxTimeout: policy.maxDelay,
    randomize: true,
    ...(signal ? { signal } : {}),
    shouldRetry: ({ error }) =>
      isTransient(error) && ((error as HoldfastError).retryAfter ?? 0) <= policy.maxRetryAfter,
    onFailedAttempt: async ({ error, retriesLeft }) => {
      if (!isTransient(error) || retriesLeft === 0) return;
      const { retryAfter = 0 } = error as HoldfastError;
      if (retryAfter > policy.maxRetryAfter) return;
      onRetry?.(error as HoldfastError);
      if (retryAfter > 0) await delay(retryAfter, undefined, signal ? { signal } : {});
    },
  });
}
