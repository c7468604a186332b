import type { RetentionConfig } from "../config/config.ts";
import { lockFor, wholeSecond } from "../vault/lock.ts";
import type { Lock } from "../vault/vault.ts";
import { isBefore } from "./instants.ts";
import type { Term } from "./terms.ts";

/** The lock that an object is to have instead of its present one. */
export interface DueLock {
  readonly lock: Lock;
  /** Governance is to become compliance. */
  readonly harden: boolean;
}

export interface Policy {
  readonly retention: RetentionConfig;
  /** That locks come to in the end. */
  readonly mode: Lock["mode"];
}

/** A lock that ends before this is extended, while the object must be kept. */
export function soonOf({ extendWhenLessThan }: RetentionConfig, now: Temporal.Instant): Temporal.Instant {
  return now.toZonedDateTimeISO("UTC").add(extendWhenLessThan).toInstant();
}

/**
 * What is to be done about an object's lock now: undefined where it is as it should be, and where the object need not
 * be kept any more, which is left to unlock.
 * @param hasEnded the relationship has, so that there is a final date: the lock goes to it at once
 */
export function dueLock(
  { retention, mode }: Policy,
  { until: end, lockedUntil, lockMode, stored }: Term,
  hasEnded: boolean,
  now: Temporal.Instant,
): DueLock | undefined {
  if (end !== undefined && !isBefore(now, end)) return undefined;
  const is = Temporal.Instant.from(lockedUntil);
  const most = retention.maximum && lockFor(mode, retention.maximum, now).until;
  const slice = lockFor(mode, retention.initialLock, now).until;
  const final = hasEnded && end !== undefined && (most === undefined || !isBefore(most, end));
  const wanted = final ? wholeSecond(end) : earliest(slice, end && wholeSecond(end), most);
  const longer = (final || isBefore(is, soonOf(retention, now))) && isBefore(is, wanted);
  const harden = lockMode !== mode && hasCooled(retention, stored, now) === true;
  if (!longer && !harden) return undefined;
  // Where nothing ever cools off, the configured mode is asked for with every extension.
  const asked = harden || retention.coolingOff === undefined ? mode : lockMode;
  return { harden, lock: { mode: lockMode === "compliance" ? lockMode : asked, until: longer ? wanted : is } };
}

/** Undefined where locks have their mode from the beginning. */
function hasCooled({ coolingOff }: RetentionConfig, stored: string, now: Temporal.Instant): boolean | undefined {
  return (
    coolingOff && !isBefore(now, Temporal.Instant.from(stored).toZonedDateTimeISO("UTC").add(coolingOff).toInstant())
  );
}

/**
 * Before this, or a little later, everything was stored that has cooled off by now. Taking months off does not undo
 * adding them where months end, by up to three days: `dueLock` looks at each closely.
 */
export function cooledBefore(coolingOff: Temporal.Duration, now: Temporal.Instant): Temporal.Instant {
  return now.toZonedDateTimeISO("UTC").subtract(coolingOff).add({ days: 4 }).toInstant();
}

function earliest(...instants: (Temporal.Instant | undefined)[]): Temporal.Instant {
  return instants.filter((each) => each !== undefined).sort(Temporal.Instant.compare)[0]!;
}
