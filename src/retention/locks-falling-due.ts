import { setImmediate } from "node:timers/promises";
import type { Catalog } from "../catalog/catalog.ts";
import type { RetentionConfig } from "../config/config.ts";
import { termsOf } from "./terms.ts";

/** Subjects that are looked at before others get their turn: some milliseconds. */
const TURN = 100;
/** Subjects that are looked at closely; where more locks end so soon, it is no time to be exact. */
const MOST = 5_000;
/** A period ends with a whole day, wherever that day is last: a lock of the same length ends up to so much before it. */
const SHORT = { hours: 60 };

/**
 * People with an object whose lock ends before a time, and that must be kept longer than that: the nightly run has not
 * extended it yet. What the law asks for no more is left to unlock, and is not counted. However many there are, it holds
 * up no one else in this process for long.
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
