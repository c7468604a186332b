import type { Lock } from "./vault.ts";

/** Whether a lock is at least as strong and as long as `wanted`. Compliance is stronger than governance. */
export function covers(actual: Lock | null, wanted: Lock): boolean {
  return (
    actual !== null &&
    Temporal.Instant.compare(actual.until, wanted.until) >= 0 &&
    (actual.mode === wanted.mode || actual.mode === "compliance")
  );
}

/** A lock for `duration` from `now`, rounded up to a whole second. Calendar units are in UTC. */
export function lockFor(mode: Lock["mode"], duration: Temporal.Duration, now: Temporal.Instant): Lock {
  const until = now.toZonedDateTimeISO("UTC").add(duration).toInstant();
  return { mode, until: wholeSecond(until) };
}

/** Rounds up: stores keep whole seconds, and a lock must not be shorter than asked for. */
export function wholeSecond(instant: Temporal.Instant): Temporal.Instant {
  return instant.round({ smallestUnit: "second", roundingMode: "ceil" });
}
