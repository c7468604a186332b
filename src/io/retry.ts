import { setTimeout as delay } from "node:timers/promises";
import { HoldfastError, ownError } from "../core/error.ts";

export interface RetryPolicy {
  /** Attempts after the first. */
  readonly retries: number;
  /** First pause in ms; it doubles each time up to `maxDelay`, and is spread over the upper half of itself. */
  readonly minDelay: number;
  readonly maxDelay: number;
  /** The longest Retry-After that is honoured, in ms. If asked to wait longer, the call fails instead. */
  readonly maxRetryAfter: number;
}

export const defaultRetry: RetryPolicy = { retries: 7, minDelay: 250, maxDelay: 20_000, maxRetryAfter: 300_000 };

/** Errors that a policy was used up on: a retry around a retry does not begin again, else their attempts multiply. */
const spent = new WeakSet<object>();

/**
 * Runs `work` until it succeeds, fails for good, or the policy is used up. Only transient codes are retried, and never
 * sooner than the other side asked (`retryAfter`). An aborted `signal` ends the waiting, not the attempt under way:
 * what succeeds after it still counts. (p-retry throws such a success away, and cannot wait for Retry-After.)
 */
export async function retrying<T>(
  work: () => Promise<T>,
  policy: RetryPolicy,
  signal?: AbortSignal,
  onRetry?: (error: HoldfastError) => void,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const own = ownError(error);
      if (!own?.transient || spent.has(own) || signal?.aborted) throw error;
      const { retryAfter = 0 } = own;
      if (attempt === policy.retries || retryAfter > policy.maxRetryAfter) {
        spent.add(own);
        throw error;
      }
      onRetry?.(own);
      await pause(Math.max(retryAfter, backoff(attempt, policy)), signal);
    }
  }
}

function backoff(attempt: number, { minDelay, maxDelay }: RetryPolicy): number {
  return Math.min(maxDelay, minDelay * 2 ** attempt) * (0.5 + Math.random() / 2);
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal ? { signal } : {});
  } catch {
    throw new HoldfastError("interrupted", "interrupted while waiting to try again", { cause: signal?.reason });
  }
}

/**
 * Milliseconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds, or an HTTP date); undefined where there
 * is none, or none that makes sense. Untrusted.
 */
export function retryAfter(header: string | undefined, now: number = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  // Date.parse finds a date in nearly anything ("2099", "-1"); every HTTP date ends so, or is asctime's, which no one sends.
  if (!header.endsWith(" GMT")) return undefined;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
