import { type HoldfastError, hasCode, isTransient } from "../core/error.ts";

/** Attempts at one night's run of a client: how many have failed, and when the first began. */
export interface Attempts {
  readonly failed: number;
  readonly since: Temporal.Instant;
}

const FIRST = 60_000;
const MOST = 30 * 60_000;
/** From the first attempt on; after it the next night's run is the next chance. */
const NIGHT = 6 * 3_600_000;
/** A claim on the vault that no one renews ends within this time. */
const CLAIM = 5 * 60_000;

/**
 * In how many ms a scheduled run that failed begins again; undefined where that would not help, or the night is over.
 * A vault that is held is waited for until the holder's claim ends, if no one renews it. One that is held still belongs
 * to a live process. For that, and for a store or provider that does not answer, the pauses double from one minute to
 * half an hour.
 */
export function pauseAfter(error: unknown, { failed, since }: Attempts, now: Temporal.Instant): number | undefined {
  const isHeld = hasCode(error, "busy");
  if (!isHeld && !isTransient(error)) return undefined;
  const backoff = Math.min(FIRST * 2 ** failed, MOST);
  const asked = (error as HoldfastError).retryAfter;
  const pause =
    isHeld && asked !== undefined
      ? Math.max(Math.min(asked, CLAIM) + 1000, failed > 0 ? backoff : 0)
      : Math.max(Math.min(asked ?? 0, MOST), backoff);
  return now.epochMilliseconds + pause - since.epochMilliseconds > NIGHT ? undefined : pause;
}
