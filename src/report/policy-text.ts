import { STARTS } from "../config/presets.ts";
import { plural } from "../observe/format.ts";

/** A clock as the log has it, `P5Y from relationship-end`. */
export function clockInWords(clock: string): string {
  const [duration = "", from = ""] = clock.split(" from ");
  const start = Object.hasOwn(STARTS, from) ? STARTS[from as keyof typeof STARTS] : from;
  return `kept ${durationText(duration)} from ${start}`;
}

/** The same for a sentence of its own: `5 years after the relationship ends`. */
export function clockAfter(clock: string): string {
  const [duration = "", from = ""] = clock.split(" from ");
  return `${durationText(duration)} after ${Object.hasOwn(EVENTS, from) ? EVENTS[from] : from}`;
}

const EVENTS: Readonly<Record<string, string>> = {
  created: "the provider made the version",
  exported: "the copy was made",
  "relationship-end": "the relationship ends",
  "account-closed": "the account is closed",
};

/** `P90D` as `90 days`. */
export function durationText(text: string): string {
  try {
    const { years, months, weeks, days, hours, minutes, seconds } = Temporal.Duration.from(text);
    const parts = Object.entries({
      year: years,
      month: months,
      week: weeks,
      day: days,
      hour: hours,
      minute: minutes,
      second: seconds,
    });
    return parts.flatMap(([unit, count]) => (count === 0 ? [] : [plural(count, unit)])).join(", ");
  } catch {
    return text;
  }
}
