import { setTimeout as delay } from "node:timers/promises";
import { HoldfastError, ownError } from "../core/error.ts";

export interface RetryPolicy {
  /** Number of attempts after the first. */
  readonly retries: number;
  /** First pause in ms. Doubles each time up to `maxDelay`. The actual pause is a random 50 to 100 % of it. */
  readonly minDelay: number;
  readonly maxDelay: number;
  /** The longest Retry-After to wait for, in ms. If asked to wait longer, the call fails. */
  readonly maxRetryAfter: number;
}

export const defaultRetry: RetryPolicy = { retries: 7, minDelay: 250, maxDelay: 20_000, maxRetryAfter: 300_000 };

/** Errors after the last retry of a policy. An outer retry does not retry them, otherwise attempts would multiply. */
const spent = new WeakSet<object>();

/**
 * Runs `work` until it succeeds, fails permanently, or the policy has no retries left. Retries only transient codes,
 * and never sooner than the other side asked (`retryAfter`). An aborted `signal` ends the wait, not the current
 * attempt, whose success still counts. (p-retry discards such a success and cannot wait for Retry-After.)
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
    throw new HoldfastError("interrupted", "interrupted while waiting to retry", { cause: signal?.reason });
  }
}

/**
 * Milliseconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds, or an HTTP date). Undefined if the header
 * is missing or invalid. Untrusted.
 */
export function retryAfter(header: string | undefined, now: number = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  // Date.parse accepts nearly anything ("2099", "-1"). Every HTTP date ends in GMT, except asctime's form, which no one
  // sends.
  if (!header.endsWith(" GMT")) return undefined;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
