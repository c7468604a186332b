import type { Catalog } from "../catalog/catalog.ts";
import type { RetentionConfig } from "../config/config.ts";
import { termsOf } from "./terms.ts";

/** Subjects that are looked at closely; where more locks end so soon, it is no time to be exact. */
const MOST = 5_000;
/** A period ends with a whole day, wherever that day is last: a lock of the same length ends up to so much before it. */
const SHORT = { hours: 60 };

/**
 * People with an object whose lock ends before a time, and that must be kept longer than that: the nightly run has not
 * extended it yet. What the law asks for no more is left to unlock, and is not counted.
 */
export function fallingDue(
  catalog: Catalog,
  retention: RetentionConfig,
  before: Temporal.Instant,
  now: Temporal.Instant,
): number {
  const subjects = catalog.lockedBefore(before.toString({ smallestUnit: "second" }));
  const due = subjects.slice(0, MOST).filter((subject) =>
    termsOf(catalog, retention, subject).some(({ lockedUntil, until }) => {
      const end = Temporal.Instant.from(lockedUntil);
      if (Temporal.Instant.compare(end, before) >= 0) return false;
      if (until === undefined) return true;
      return Temporal.Instant.compare(until, now) > 0 && Temporal.Instant.compare(until, end.add(SHORT)) > 0;
    }),
  );
  return due.length + Math.max(0, subjects.length - MOST);
}
