import type { Identity } from "../core/identity.ts";
import { datesOfBirth } from "./datapoints.ts";

/** All that is kept of a person if no law requires more. Null if the provider gave no answer. */
export interface MinimalIdentity {
  readonly verified: boolean | null;
  /** Age in years, and whether the person is at least that old. */
  readonly over: Readonly<Record<string, boolean | null>>;
}

/** @param on the day that the ages refer to: the day of the fetch, UTC */
export function minimalIdentity(identity: Identity, ages: readonly number[], on: Temporal.PlainDate): MinimalIdentity {
  // If documents disagree, the lowest age counts.
  const born = datesOfBirth(identity).sort(Temporal.PlainDate.compare).at(-1);
  return {
    verified: identity.verified,
    over: Object.fromEntries(ages.map((age) => [String(age), born === undefined ? null : ageOn(born, on) >= age])),
  };
}

/**
 * Completed years. For a birth on 29 February, the birthday in a common year is 1 March, so that no one is too old too
 * soon.
 */
export function ageOn(born: Temporal.PlainDate, on: Temporal.PlainDate): number {
  const beforeBirthday = on.month < born.month || (on.month === born.month && on.day < born.day);
  return on.year - born.year - (beforeBirthday ? 1 : 0);
}
