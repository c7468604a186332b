import { setImmediate } from "node:timers/promises";
import type { Catalog } from "../catalog/catalog.ts";
import type { RetentionConfig } from "../config/config.ts";
import { termsOf } from "./terms.ts";

/** Subjects checked before other work gets its turn: a few milliseconds. */
const TURN = 100;
/** Subjects checked exactly; above this many, an exact number no longer matters. */
const MOST = 5_000;
/** A period ends with a whole day in the last time zone, so a lock of the same length may end this much earlier. */
const SHORT = { hours: 60 };

/**
 * Counts people with an object whose lock ends before a time although it must be kept longer: the nightly run has not
 * extended it yet. Excludes objects whose retention period is over. Yields regularly, so that it does not block this
 * process.
 */
export async function fallingDue(
  catalog: Catalog,
  retention: RetentionConfig,
  before: Temporal.Instant,
  now: Temporal.Instant,
): Promise<number> {
  const isDue = (subject: string): boolean =>
    termsOf(catalog, retention, subject).some(({ lockedUntil, until }) => {
      const end = Temporal.Instant.from(lockedUntil);
      if (Temporal.Instant.compare(end, before) >= 0) return false;
      if (until === undefined) return true;
      return Temporal.Instant.compare(until, now) > 0 && Temporal.Instant.compare(until, end.add(SHORT)) > 0;
    });
  let [looked, due] = [0, 0];
  for (const page of catalog.locks.before(before.toString({ smallestUnit: "second" }))) {
    for (const subject of page) {
      if (looked >= MOST || isDue(subject)) due += 1;
      looked += 1;
      if (looked < MOST && looked % TURN === 0) await setImmediate();
    }
    await setImmediate();
  }
  return due;
}
