import { plural } from "../observe/format.ts";

const STARTS: Readonly<Record<string, string>> = {
  created: "from when the provider made the version",
  exported: "from when the copy was made",
  "relationship-end": "from the end of the business relationship",
  "account-closed": "from the closing of the account",
};

/** A clock as the log has it, `P5Y from relationship-end`. */
export function clockInWords(clock: string): string {
  const [duration = "", from = ""] = clock.split(" from ");
  return `kept ${durationText(duration)} ${STARTS[from] ?? `from ${from}`}`;
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
