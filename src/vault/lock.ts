import type { Lock } from "./vault.ts";

/** Whether a lock is at least what was asked for. Compliance is the stronger of the two modes. */
export function covers(actual: Lock | null, wanted: Lock): boolean {
  return (
    actual !== null &&
    Temporal.Instant.compare(actual.until, wanted.until) >= 0 &&
    (actual.mode === wanted.mode || actual.mode === "compliance")
  );
}

/** A lock that lasts `duration` from `now`, rounded up to the whole second that stores keep. Calendar units are UTC's. */
export function lockFor(mode: Lock["mode"], duration: Temporal.Duration, now: Temporal.Instant): Lock {
  const until = now.toZonedDateTimeISO("UTC").add(duration).toInstant();
  return { mode, until: wholeSecond(until) };
}

/** Rounded up: stores keep no parts of a second, and a lock is never shorter than asked for. */
export function wholeSecond(instant: Temporal.Instant): Temporal.Instant {
  return instant.round({ smallestUnit: "second", roundingMode: "ceil" });
}
