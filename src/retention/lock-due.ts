import type { RetentionConfig } from "../config/config.ts";
import { isBefore } from "../core/timestamp.ts";
import { lockFor, wholeSecond } from "../vault/lock.ts";
import type { Lock } from "../vault/vault.ts";
import type { Term } from "./terms.ts";

/** The lock that an object must get instead of its current one. */
export interface DueLock {
  readonly lock: Lock;
  /** The lock must change from governance to compliance. */
  readonly harden: boolean;
}

export interface LockPolicy {
  readonly retention: RetentionConfig;
  /** The final mode of all locks. */
  readonly mode: Lock["mode"];
}

/** A lock that ends before this is extended, as long as the object must be kept. */
export function soonOf({ extendWhenLessThan }: RetentionConfig, now: Temporal.Instant): Temporal.Instant {
  return now.toZonedDateTimeISO("UTC").add(extendWhenLessThan).toInstant();
}

/**
 * The change that an object's lock needs now. Undefined if it needs no change, or if the object need not be kept any
 * more: then its lock may end.
 * @param hasEnded the relationship has ended, so the final date is known and the lock goes to it at once
 */
export function dueLock(
  { retention, mode }: LockPolicy,
  { until: end, lockedUntil, lockMode, stored }: Pick<Term, "until" | "lockedUntil" | "lockMode" | "stored">,
  hasEnded: boolean,
  now: Temporal.Instant,
): DueLock | undefined {
  if (end !== undefined && !isBefore(now, end)) return undefined;
  const is = Temporal.Instant.from(lockedUntil);
  const most = retention.maximum && lockFor(mode, retention.maximum, now).until;
  const final = hasEnded && end !== undefined && (most === undefined || !isBefore(most, end));
  // Most locks are not due, and then this is not needed.
  const wanted = (): Temporal.Instant =>
    final ? wholeSecond(end) : earliest(lockFor(mode, retention.initialLock, now).until, end && wholeSecond(end), most);
  const longer = (final || isBefore(is, soonOf(retention, now))) && isBefore(is, wanted());
  const harden = lockMode !== mode && hasCooled(retention, stored, now) === true;
  if (!longer && !harden) return undefined;
  // Without a cooling-off period, every extension also asks for the configured mode.
  const asked = harden || retention.coolingOff === undefined ? mode : lockMode;
  return { harden, lock: { mode: lockMode === "compliance" ? lockMode : asked, until: longer ? wanted() : is } };
}

/** Undefined without a cooling-off period. */
function hasCooled({ coolingOff }: RetentionConfig, stored: string, now: Temporal.Instant): boolean | undefined {
  return (
    coolingOff && !isBefore(now, Temporal.Instant.from(stored).toZonedDateTimeISO("UTC").add(coolingOff).toInstant())
  );
}

/**
 * Everything that has cooled off by now was stored before this, or a little later. Near the end of a month, subtracting
 * months does not exactly undo adding them, by up to three days; `dueLock` then checks each object exactly.
 */
export function cooledBefore(coolingOff: Temporal.Duration, now: Temporal.Instant): Temporal.Instant {
  return now.toZonedDateTimeISO("UTC").subtract(coolingOff).add({ days: 4 }).toInstant();
}

function earliest(...instants: (Temporal.Instant | undefined)[]): Temporal.Instant {
  return instants.filter((each) => each !== undefined).sort(Temporal.Instant.compare)[0]!;
}
