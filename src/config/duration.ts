import { HoldfastError } from "../core/error.ts";
import { redacted } from "../core/redacted.ts";

/** S3 accepts no longer lock. */
const MAX_YEARS = 100;

/** Months and years have no fixed length. They are compared from this date, the start of a common year. */
const ANCHOR = Temporal.PlainDate.from("2001-01-01");

/**
 * An ISO 8601 duration: longer than zero, at most 100 years.
 * @throws HoldfastError "config"
 */
export function parseDuration(text: string): Temporal.Duration {
  try {
    const duration = Temporal.Duration.from(text);
    if (/^P/i.test(text) && duration.sign > 0 && compareDurations(duration, { years: MAX_YEARS }) <= 0) return duration;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new HoldfastError("config", `${redacted(text)} is not a duration`, {
    hint: `write an ISO 8601 duration such as P90D, P6M or P5Y, longer than zero and at most P${MAX_YEARS}Y`,
  });
}

/** Below 0 if `one` is shorter. Months count as in a common year that starts now, days as 24 hours. */
export function compareDurations(one: Temporal.DurationLike, other: Temporal.DurationLike): number {
  return Temporal.Duration.compare(one, other, { relativeTo: ANCHOR });
}

/**
 * A time in hours, minutes and seconds, in ms; zero is allowed.
 * @throws HoldfastError "config"
 */
export function parsePause(text: string, maxHours: number): number {
  try {
    const ms = /^PT/i.test(text) ? Temporal.Duration.from(text).total("milliseconds") : -1;
    if (ms >= 0 && ms <= maxHours * 3_600_000) return ms;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new HoldfastError("config", `${redacted(text)} is not a valid time here`, {
    hint: `write hours, minutes or seconds such as PT10M or PT90S, at most PT${maxHours}H`,
  });
}
