/**
 * What docs/OPERATING.md ("Retention") and docs/FORMAT.md (section 9) say about retention periods, implemented a second
 * time: with whole days and seconds, and without any code from src/retention.
 */
import { dayOf, endOfDay, localDay, type Period, period, plusDays, startOf, utcDay } from "./calendar.ts";

export type From = "created" | "exported" | "relationship-end" | "account-closed";

export interface Clock {
  readonly keep: string;
  readonly from: From;
}

export interface Law {
  readonly identifying: Clock;
  readonly verification: Clock;
  readonly files: Clock;
  readonly zone: string | undefined;
  readonly minimum: string | undefined;
  readonly initialLock: string;
  readonly extendWhenLessThan: string;
  readonly coolingOff: string | undefined;
}

/** Must be kept until the first, must be gone after the second. They differ only where the rules allow some hours. */
export interface End {
  readonly earliest: number;
  readonly latest: number;
}

/** A version: when the provider made it and when it was stored, in seconds. */
export interface Version {
  readonly updated: number;
  readonly stored: number;
}

export const NEVER: End = { earliest: Number.POSITIVE_INFINITY, latest: Number.POSITIVE_INFINITY };
export const ALWAYS: End = { earliest: 0, latest: 0 };
const HALF_A_DAY = 43_200;
/** Without a zone: by how much summer time may move a zone's days. The rules do not say whether it counts. */
const SUMMER = 7_200;

export function later(one: End, other: End): End {
  return {
    earliest: Math.max(one.earliest, other.earliest),
    latest: Math.max(one.latest, other.latest),
  };
}

/** Until when a clock requires something; NEVER while unknown. `ended` is the last day, `2026-10-31`. */
export function endOf(law: Law, { keep, from }: Clock, version: Version, ended: string | undefined): End {
  const length = period(keep);
  let end: End;
  if (from === "created") end = afterTime(version.updated, length, law.zone);
  else if (from === "exported") end = afterTime(version.stored, length, law.zone);
  else if (ended === undefined) return NEVER;
  else end = afterDay(dayOf(ended), length, law.zone);
  return law.minimum === undefined ? end : later(end, afterTime(version.stored, period(law.minimum), law.zone));
}

/** The same for clocks that a relationship starts, for any version; ALWAYS if there is no such clock. */
export function relationshipEnd(law: Law, ended: string): End {
  return [law.identifying, law.verification, law.files]
    .filter(({ from }) => from === "relationship-end" || from === "account-closed")
    .map(({ keep }) => afterDay(dayOf(ended), period(keep), law.zone))
    .reduce(later, ALWAYS);
}

/** Without a zone, a day ends 12 hours after it ends in UTC. */
function afterDay(day: number, length: Period, zone: string | undefined): End {
  const last = plusDays(day, length);
  const over = zone === undefined ? startOf(last + 1) + HALF_A_DAY : endOfDay(last, zone);
  return { earliest: over + length.seconds, latest: over + length.seconds };
}

function afterTime(seconds: number, length: Period, zone: string | undefined): End {
  if (length.months + length.days === 0)
    return { earliest: seconds + length.seconds, latest: seconds + length.seconds };
  if (zone !== undefined) return afterDay(localDay(seconds, zone), length, zone);
  // Tries every quarter of an hour that a zone may differ from UTC, with the date there.
  let over = 0;
  for (let offset = -HALF_A_DAY; offset <= 14 * 3_600; offset += 900) {
    const end = startOf(plusDays(utcDay(seconds + offset), length) + 1) - offset;
    over = Math.max(over, end);
  }
  return { earliest: over + length.seconds, latest: over + length.seconds + SUMMER + 900 };
}
