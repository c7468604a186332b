import cron from "node-cron";
import type { ScheduleConfig } from "../config/config.ts";

type Fields = ReturnType<typeof cron.parse>;

/** node-cron's limit: a date rarer than this counts as one that never comes. */
const DAYS = 366 * 100;
const DAY = 86_400_000;

/**
 * The first time after `after` at which a run is due. node-cron parses the pattern, but skips some times around a clock
 * change, so the times are computed here. A time that the clocks skip is due right after they go forward. A time that
 * occurs twice is due the second time; an hourly pattern is due both times.
 */
export function nextDue(
  { cron: pattern, timezone }: Pick<ScheduleConfig, "cron" | "timezone">,
  after: Temporal.Instant,
): Temporal.Instant {
  const fields = cron.parse(pattern);
  const isHourly = fields.hour.length === 24;
  // Compute times of day as if in UTC, which skips and repeats none.
  const task = cron.createTask(pattern, () => {}, { timezone: "UTC" });
  const first = (from: number, until: number) => firstTime(fields, (at) => task.match(new Date(at)), from, until);
  try {
    const limit = after.epochMilliseconds + DAYS * DAY;
    // Between two clock changes, local time is UTC plus a fixed offset.
    let begin = Math.floor(after.epochMilliseconds / 1000) * 1000;
    let from = begin + 1000;
    while (begin < limit) {
      const there = Temporal.Instant.fromEpochMilliseconds(begin).toZonedDateTimeISO(timezone);
      const offset = there.offsetNanoseconds / 1_000_000;
      const change = there.getTimeZoneTransition("next");
      const end = Math.min(change?.epochMilliseconds ?? limit, limit);
      const then = change === null ? offset : change.offsetNanoseconds / 1_000_000;
      // A time that occurs again after the change is due then.
      const once = isHourly ? end + offset : Math.min(end + offset, end + then);
      const found = first(from + offset, once);
      if (found !== undefined) return Temporal.Instant.fromEpochMilliseconds(found - offset);
      if (first(end + offset, end + then) !== undefined) return Temporal.Instant.fromEpochMilliseconds(end);
      begin = end;
      from = end;
    }
    throw new RangeError(`no time matches ${pattern}`);
  } finally {
    void task.destroy();
  }
}

/** The first match of the pattern at or after `from` and before `until`, all as if in UTC, in ms. */
function firstTime(
  { second, minute, hour, month }: Fields,
  matches: (at: number) => boolean,
  from: number,
  until: number,
): number | undefined {
  const [hours, minutes, seconds] = [sorted(hour), sorted(minute), sorted(second)];
  const earliest = (hours[0]! * 3600 + minutes[0]! * 60 + seconds[0]!) * 1000;
  for (let day = Math.floor(from / DAY) * DAY; day < until; day += DAY) {
    if (!month.includes(new Date(day).getUTCMonth() + 1) || !matches(day + earliest)) continue;
    const at = firstOfDay([hours, minutes, seconds], from - day);
    if (at !== undefined) return day + at < until ? day + at : undefined;
  }
  return undefined;
}

/** The first time of a day at or after `from`, in ms since midnight. */
function firstOfDay([hours, minutes, seconds]: readonly [number[], number[], number[]], from: number) {
  for (const hour of hours) {
    if ((hour + 1) * 3_600_000 <= from) continue;
    for (const minute of minutes) {
      const at = (hour * 60 + minute) * 60_000;
      if (at + 60_000 <= from) continue;
      for (const second of seconds) if (at + second * 1000 >= from) return at + second * 1000;
    }
  }
  return undefined;
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((one, other) => one - other);
}
