import { type HoldfastError, hasCode, isTransient } from "../core/error.ts";

/** The attempts at a client's run of one night: how many failed, and when the first began. */
export interface Attempts {
  readonly failed: number;
  readonly since: Temporal.Instant;
}

const FIRST = 60_000;
const MOST = 30 * 60_000;
/** Retries end this long after the first attempt. Then the next night's run is the next chance. */
const NIGHT = 6 * 3_600_000;
/** A lease that no process renews expires within this time. */
const CLAIM = 5 * 60_000;

/**
 * In how many ms a failed scheduled run starts again; undefined if a retry would not help, or the night is over. If
 * another process holds the vault, the first retry waits until its lease would expire. If the vault is still held then,
 * that process is alive. For that, and for a store or provider that does not answer, the pauses double from one minute
 * to half an hour.
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
