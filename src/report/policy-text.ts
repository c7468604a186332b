import { STARTS } from "../config/starts.ts";
import { plural } from "../observe/format.ts";

/** A clock as the log has it, `P5Y from relationship-end`. */
export function clockInWords(clock: string): string {
  const [duration = "", from = ""] = clock.split(" from ");
  const start = Object.hasOwn(STARTS, from) ? STARTS[from as keyof typeof STARTS] : from;
  return `kept ${durationText(duration)} from ${start}`;
}

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
