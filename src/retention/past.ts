import type { Bounds } from "../catalog/candidates.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Keep, RetentionConfig } from "../config/config.ts";
import { afterDay } from "./period.ts";

/** Subtracting a period does not exactly undo adding it: months differ in length, and days begin at other times elsewhere. */
const SLACK = { days: 6 };

/** Everyone who may have something past its date, in order, and maybe others. */
export function maybePast(catalog: Catalog, retention: RetentionConfig, now: Temporal.Instant): Iterable<string> {
  return catalog.subjects.candidates(pastBounds(catalog, retention, now));
}

/**
 * What holds of everyone who has something past its date, and maybe of others. A file is past only if its class is; a
 * record only if both of its classes are.
 */
export function pastBounds(
  { relationships }: Pick<Catalog, "relationships">,
  { classes: { identifying, verification, files }, timezone }: RetentionConfig,
  now: Temporal.Instant,
): Bounds {
  const days = relationships.endings();
  const lastDay = ({ keep }: Keep): string =>
    days.findLast(
      (day) => Temporal.Instant.compare(afterDay(Temporal.PlainDate.from(day), keep, timezone), now) <= 0,
    ) ?? "";
  const before = ({ keep }: Keep): string =>
    now.toZonedDateTimeISO("UTC").subtract(keep).add(SLACK).toInstant().toString({ smallestUnit: "second" });
  const found: { endedUpTo?: string; storedBefore?: string; updatedBefore?: string } = {};
  for (const all of [[files], [identifying, verification]]) {
    // All clocks must have ended, so it is enough to ask one: the one that finds the fewest people.
    const relationship = all.find(({ from }) => from === "relationship-end" || from === "account-closed");
    const created = all.find(({ from }) => from === "created");
    const [exported] = all;
    if (relationship) found.endedUpTo = latest(found.endedUpTo, lastDay(relationship));
    else if (created) found.updatedBefore = latest(found.updatedBefore, before(created));
    else found.storedBefore = latest(found.storedBefore, before(exported!));
  }
  const { endedUpTo, storedBefore, updatedBefore } = found;
  return { endedUpTo, storedBefore, updatedBefore };
}

/** Of two times or days of the same form. */
function latest(one: string | undefined, other: string): string {
  return one === undefined || one < other ? other : one;
}
