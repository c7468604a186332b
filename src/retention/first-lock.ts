import type { ClientConfig } from "../config/config.ts";
import { lockFor, wholeSecond } from "../vault/lock.ts";
import type { Lock } from "../vault/vault.ts";
import { fileUntil, type LastDay, laterOf, recordUntil } from "./keep.ts";

type LockTerms = Pick<ClientConfig, "vault" | "retention">;

/**
 * What is known of a version before it is stored: when the provider made it (RFC 3339 UTC), and its person's last day.
 */
export interface Coming {
  readonly updated: string;
  readonly ended: LastDay;
}

/** The mode that locks start in: with a cooling-off period, first one that can be undone. */
export function firstMode({ vault, retention }: LockTerms): Lock["mode"] {
  return retention.coolingOff === undefined ? vault.lock : "governance";
}

/**
 * The lock of a version that is stored now, and of its files: for `initialLock`, but never beyond what the law
 * requires, if that date is already known.
 */
export function firstLock(terms: LockTerms, coming: Coming, now: Temporal.Instant): Lock {
  const lock = lockFor(firstMode(terms), terms.retention.initialLock, now);
  const end = endOf(terms, coming, now);
  return end && Temporal.Instant.compare(end, lock.until) < 0 ? { mode: lock.mode, until: wholeSecond(end) } : lock;
}

/** Whether the retention period of a version is already over, if it were stored now. */
export function isPast(terms: LockTerms, coming: Coming, now: Temporal.Instant): boolean {
  const end = endOf(terms, coming, now);
  return end !== undefined && Temporal.Instant.compare(end, now) <= 0;
}

function endOf(
  { retention }: LockTerms,
  { updated, ended }: Coming,
  now: Temporal.Instant,
): Temporal.Instant | undefined {
  const begun = { updated, stored: now.toString() };
  return laterOf(recordUntil(retention, begun, ended), fileUntil(retention, begun, ended));
}
